"""Mean kernels of the layers and how far they lean to one side: R5 of the paper."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from onnxpad.errors import UsageError
from onnxpad.kernels import kernels as read_kernels
from onnxpad.kernels import transposed_kernels
from onnxpad.measure.mean_kernel import FLIPS, Asymmetry, MeanKernel, mean_kernel
from onnxpad.measure.significance import RankTest, holm, rank_test
from onnxpad.model import Model, load_model
from onnxpad.studies.each import DoesNotApplyError, Source, each
from onnxpad.study import Cell, ModelStudy, Picture, Study, Table
from onnxpad.subject import Subject, subject
from onnxpad.text import count, printable
from onnxpad.windows import WindowUse

LEVEL = 0.05
MOST_PICTURES = 48
# From the last axis backwards.
_AXES = ("x", "y", "z")
_NOTES = (
    "a: |sum of the mean kernel before its middle − behind| / sum of absolute values; 0: symmetric",
    "p: by random flips of the kernels, corrected for all tests of the model (Holm)",
    "padding read: invented elements that windows read at the begin + the end of an axis",
)
_ABOUT = (
    "The k×k kernels of each layer averaged over input and output channels (Alsallakh et al., "
    "arXiv 2010.02178, section 3): where windows read padding on one side only, training tends to "
    "leave kernels that lean to one side. It follows from the weights alone: nothing is run. "
    "Colours are shares of the sum of absolute values, white is 0."
)


@dataclass(frozen=True, slots=True)
class _Layer:
    """One convolution: its mean kernel, and what is read of its padding.

    Attributes:
        use: None for a transposed convolution.
        ps: of each axis, corrected for all tests of the model.
    """

    name: str
    op: str
    stride: tuple[int, ...]
    use: WindowUse | None
    kernel: MeanKernel
    scaled: bool = True
    ps: tuple[float, ...] = ()

    @property
    def readings(self) -> list[str]:
        """Padding read along each axis, such as "1+0"."""
        read = [axis.reading for axis in self.use.axes] if self.use else []
        return ["?" if one is None else f"{one.begin}+{one.end}" for one in read]

    @property
    def uneven(self) -> bool | None:
        """Whether padding of some axis is read unevenly; None where that is not known.

        Rows that no window reads count where there is padding, as in rule PAD101: without any there
        is nothing for kernels to make up for.
        """
        axes = self.use.axes if self.use else ()
        padded = [axis for axis in axes if axis.begin != 0 or axis.end != 0]
        if any(axis.reading is not None and not axis.reading.even for axis in padded):
            return True
        return False if axes and all(axis.reading is not None for axis in padded) else None

    @property
    def leans(self) -> bool:
        """Whether any axis is asymmetric beyond chance."""
        return any(p <= LEVEL for p in self.ps)

    @property
    def score(self) -> float:
        """The largest a of its axes."""
        return max(axis.score for axis in self.kernel.axes)

    @property
    def z(self) -> float:
        """The largest z of its axes, which does not depend on the number of kernels."""
        return max(axis.z for axis in self.kernel.axes)


def kernels(models: Sequence[Source], size: tuple[int, ...] | None = None) -> Study:
    """Mean kernel and asymmetry of every convolution, beside the unevenness of its padding.

    Args:
        models: paths of .onnx files.
        size: spatial sizes of the input, which decide what padding is read; a model's own, or one
            that encoders are made for.

    Raises ModelError for a single model that cannot be read, UsageError for a size it cannot take.
    """
    found = each(models, [size] * len(models), _one)
    return Study("kernels", "Mean kernels and their asymmetry", _ABOUT, found)


def _one(path: Path, size: tuple[int, ...] | None) -> ModelStudy:
    model = load_model(path)
    known = _sized(model, size)
    skipped: list[str] = []
    layers = _tested(list(_layers(known, skipped)))
    if not layers:
        told = f"; {skipped[0]}" if skipped else ""
        raise DoesNotApplyError(f"it has no convolution of more than one tap to average{told}")
    where = "×".join(map(str, known.size)) if known.size else "sizes that are not known"
    on = [f"the weights of {count(len(layers), 'convolution')}; padding as it is read at {where}"]
    on += [f"left out: {text}" for text in skipped[:4]]
    on += [f"and {len(skipped) - 4} more"] * (len(skipped) > 4)
    return ModelStudy(
        path.as_posix(), tuple(printable(text, 300) for text in on), tuple(_said(layers)),
        tuple(_tables(layers)), tuple(_pictures(layers)),
        arrays={f"mean {one.name}": one.kernel.mean for one in layers},
    )  # fmt: skip


def _sized(model: Model, size: tuple[int, ...] | None) -> Subject:
    """The model at the size asked for, else at its own or a likely one where it takes that."""
    if size is not None:
        return subject(model, size=size)
    known = subject(model)
    if known.size is None and known.assumed is not None:
        with suppress(UsageError):  # padding read is then not known where it depends on the size
            return subject(model, size=known.assumed)
    return known


def _layers(known: Subject, skipped: list[str]) -> Iterator[_Layer]:
    """Convolutions with more than one tap, transposed ones last; reasons of others in `skipped`."""
    uses = [use for use in known.windows if use.conv]
    # enough flips for the smallest p to pass Holm's first step twice over
    flips = max(FLIPS, int(2 * sum(max(len(use.axes), 2) for use in uses) / LEVEL))
    for one in read_kernels(known.scopes, uses, known.model.folder):
        found = _averaged(one.use.identity, one.weights, one.problem, flips, skipped)
        if found is not None:
            stride = tuple(a.window.stride for a in one.use.axes if a.window is not None)
            yield _Layer(one.use.identity, one.use.op, stride, one.use, found, one.scaled)
    for other in transposed_kernels(known.scopes, known.model.folder):
        found = _averaged(other.identity, other.weights, other.problem, flips, skipped)
        if found is not None:
            yield _Layer(other.identity, "ConvTranspose", other.stride, None, found)


def _averaged(
    name: str, weights: object, problem: str, flips: int, skipped: list[str]
) -> MeanKernel | None:
    """The mean kernel; None for 1×1 ones, and, with the reason in `skipped`, unreadable ones."""
    if not isinstance(weights, np.ndarray):
        skipped.append(f"{name}: {problem}")
        return None
    if weights.ndim > 2 and max(weights.shape[2:]) <= 1:
        return None
    try:
        return mean_kernel(weights, flips=flips)
    except ValueError as error:
        skipped.append(f"{name}: {error}")
        return None


def _tested(layers: list[_Layer]) -> list[_Layer]:
    """The layers with p corrected for all axes of all layers that can lean."""
    able = [(n, i) for n, one in enumerate(layers) for i, k in enumerate(one.kernel.mean.shape)
            if k > 1]  # fmt: skip
    together = dict(zip(able, holm([layers[n].kernel.axes[i].p for n, i in able]), strict=True))
    return [
        _Layer(
            one.name, one.op, one.stride, one.use, one.kernel, one.scaled,
            tuple(together.get((n, i), 1.0) for i in range(one.kernel.mean.ndim)),
        )
        for n, one in enumerate(layers)
    ]  # fmt: skip


def _said(layers: list[_Layer]) -> Iterator[str]:
    leaning = [one for one in layers if one.leans]
    yield (
        f"the mean kernels of {len(leaning)} of {len(layers)} layers are more asymmetric than "
        f"chance explains (5 %, all tests together)"
    )
    ordinary = [one for one in layers if one.use is not None]
    uneven = [one for one in ordinary if one.uneven]
    even = [one for one in ordinary if one.uneven is False]
    unknown = len(ordinary) - len(uneven) - len(even)
    if not uneven or not even:
        kind = "even" if even else "uneven" if uneven else "of unknown unevenness"
        yield f"whether uneven padding goes with it cannot be tested: all layers are {kind}"
    else:
        yield _compared(uneven, even)
    if unknown:
        yield f"{count(unknown, 'layer')} whose padding depends on the input left out of that test"
    if any(not one.scaled for one in layers):
        yield "some integer weights have no scales in the model: their channels weigh as they are"


def _compared(uneven: list[_Layer], even: list[_Layer]) -> str:
    """Whether uneven layers lean more, in a sentence."""
    by_score = rank_test([one.score for one in uneven], [one.score for one in even])
    by_z = rank_test([one.z for one in uneven], [one.z for one in even])
    both = [f"{median(one.score for one in group):.3g}" for group in (uneven, even)]
    told = (
        f"median a {both[0]} of {len(uneven)} uneven and {both[1]} of {len(even)} even layers; "
        f"rank test {_test(by_score)}; relative to chance, as few kernels lean more, {_test(by_z)}"
    )
    if max(by_score.p, by_z.p) <= LEVEL and min(by_score.larger, by_z.larger) > 0.5:
        return f"layers that read padding unevenly have more asymmetric mean kernels: {told}"
    if max(by_score.p, by_z.p) <= LEVEL and max(by_score.larger, by_z.larger) < 0.5:
        return f"layers that read padding unevenly have less asymmetric mean kernels: {told}"
    return f"uneven layers do not differ from even ones beyond doubt: {told}"


def _test(found: RankTest) -> str:
    return f"p = {found.p:.2g}, an uneven layer above an even one in {found.larger:.0%} of pairs"


def _tables(layers: list[_Layer]) -> Iterator[Table]:
    dims = max(one.kernel.mean.ndim for one in layers)
    names = _AXES[:dims][::-1]
    measures = [f"{word} {axis}" for axis in names for word in ("a", "p")]
    shared = ("layer", "op", "window", "kernels")
    for key, title, some in (
        ("layers", "Layers", [one for one in layers if one.use is not None]),
        ("transposed", "Transposed convolutions, which read no padding",
         [one for one in layers if one.use is None]),
    ):  # fmt: skip
        if not some:
            continue
        mine = ("padding read", "uneven") if key == "layers" else ()
        rows = tuple(
            (one.name, one.op, _window(one), one.kernel.kernels, *_padding(one)[: len(mine)],
             *_measured(one, dims))
            for one in some
        )  # fmt: skip
        tones = tuple("bad" if one.leans else "" for one in some)
        notes = _NOTES if key == "layers" else _NOTES[:2]
        yield Table(key, title, (*shared, *mine, *measures), rows, notes, tones)


def _padding(one: _Layer) -> tuple[Cell, Cell]:
    uneven = {True: "uneven", False: "", None: None}[one.uneven]
    return ", ".join(dict.fromkeys(one.readings)), uneven


def _measured(one: _Layer, dims: int) -> Iterator[Cell]:
    """Score and p of each axis, None for axes it does not have."""
    for _ in range(dims - one.kernel.mean.ndim):
        yield from (None, None)
    axes: tuple[Asymmetry, ...] = one.kernel.axes
    for axis, p in zip(axes, one.ps, strict=True):
        yield from (axis.score, p)


def _window(one: _Layer) -> str:
    strides = sorted(set(one.stride) - {1})
    step = f"/{'×'.join(map(str, one.stride))}" if len(set(one.stride)) > 1 else ""
    whole = step or (f"/{strides[0]}" if strides else "")
    return "×".join(map(str, one.kernel.mean.shape)) + whole


def _pictures(layers: list[_Layer]) -> Iterator[Picture]:
    """The mean kernels in the layers' order; of many the most asymmetric and the strided ones."""
    first = sorted(layers, key=lambda one: (max(one.stride, default=1) == 1, -one.score))
    kept = {one.name for one in first[:MOST_PICTURES]}
    for one in (one for one in layers if one.name in kept):
        plane = one.kernel.mean
        while plane.ndim > 2:  # of a volume the mean along its depth
            plane = plane.mean(axis=0)
        total = float(np.abs(plane).sum())
        shares = np.atleast_2d(plane / total if total > 0 else plane)
        title = f"{one.name}: {_window(one)}, a {one.score:.2g}"
        yield Picture(one.name, title, shares, "kernels", "of Σ|mean kernel|", 0.0)
