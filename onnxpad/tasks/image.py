"""Image to image: how close an output is to a reference, or else to the original's output.

PSNR = 10·log10(L² / MSE) in dB, with L the peak value and MSE the mean squared error over pixels
and channels of one image; the metric is the mean over images. Above 100 dB it counts as 100, so
that equal images have a number. SSIM as in onnxpad.tasks.ssim. By ring d: PSNR of the mean squared
error over all images at distance d from the border. Both pictures are divided by their peaks first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log10

import numpy as np

from onnxpad.data.framing import Geometry
from onnxpad.data.labels import Label, Reference
from onnxpad.errors import DataError
from onnxpad.measure.agreement_shift import overlap
from onnxpad.measure.pair import Array
from onnxpad.measure.paired import mean_interval
from onnxpad.measure.rings import ring_index
from onnxpad.tasks.result import Metric, Part, TaskResult, against_truth, between
from onnxpad.tasks.ssim import ssim
from onnxpad.tasks.task import Merging, Outputs, of_same_shape

CAP = 100.0
# Deeper rings are counted with the last one.
_RINGS = 128
# ITU-R BT.601, as in YCbCr, whose Y many super-resolution models work on.
_LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True, slots=True)
class ImageToImage:
    """The task.

    Attributes:
        output: the picture's name. channel: its channel axis, 1 or 3; None for (1, H, W).
        peak: the value of white in the output. reference_peak: and in the references.
    """

    output: str
    channel: int | None = 1
    peak: float = 1.0
    reference_peak: float = 255.0
    name: str = "image"

    @property
    def outputs(self) -> tuple[str, ...]:
        """The picture."""
        return (self.output,)

    def tally(self) -> "ImageTally":
        """An empty tally."""
        return ImageTally(self)

    def picture(self, outputs: Outputs) -> Array:
        """The output as (H, W, C) in float64, white = 1. Raises DataError for what is none."""
        output = outputs[self.output]
        if output.ndim != (3 if self.channel is None else 4) or output.shape[0] != 1:
            raise DataError(f"no picture in an output of shape {output.shape}")
        shown = output[0, ..., None] if self.channel is None else output[0]
        if self.channel == 1:
            shown = np.moveaxis(shown, 0, -1)
        found = shown.astype(np.float64) / self.peak
        if not np.isfinite(found).all():
            raise DataError("the output holds NaN or infinite values: no PSNR")
        return found


def psnr(squared_error: float) -> float:
    """PSNR of a mean squared error, white = 1."""
    return CAP if squared_error <= 10 ** (-CAP / 10) else -10 * log10(squared_error)


def reference_at(
    reference: Array, shape: tuple[int, ...], geometry: Geometry | None, peak: float
) -> Array:
    """The reference as the output (H, W, C) shows it, float64 and white = 1.

    Channels may stand first or last; colours become their luma where the output is grey. A
    reference of the whole picture is cut as the picture was, where that was a cut alone. Raises
    DataError for any other size.
    """
    found = _channels_last(np.squeeze(reference), shape[2]).astype(np.float64) / peak
    if shape[2] == 1 and found.shape[2] == 3:
        found = (found @ _LUMA)[..., None]
    if found.shape[:2] != shape[:2] and geometry is not None and geometry.scale == (1.0, 1.0):
        found = _window(found, shape, geometry)
    if found.shape != shape:
        raise DataError(
            f"the reference is {'×'.join(map(str, found.shape))} and the output "
            f"{'×'.join(map(str, shape))} (height × width × channels)"
        )
    return found


@dataclass(slots=True)
class ImageTally(Merging):
    """PSNR and SSIM of every image, and squared errors by ring over all images."""

    task: ImageToImage
    psnr: list[tuple[float, float]] = field(default_factory=list)
    ssim: list[tuple[float, float]] = field(default_factory=list)
    psnr_between: list[float] = field(default_factory=list)
    ssim_between: list[float] = field(default_factory=list)
    psnr_shifted: list[float] = field(default_factory=list)
    ssim_shifted: list[float] = field(default_factory=list)
    # (original, candidate, number of values) × rings
    rings: Array | int = 0

    state = (
        "psnr",
        "ssim",
        "psnr_between",
        "ssim_between",
        "psnr_shifted",
        "ssim_shifted",
        "rings",
    )

    def add(
        self,
        original: Outputs,
        candidate: Outputs,
        truth: Label | None,
        geometry: Geometry | None,
        moved: Outputs | None = None,
    ) -> None:
        """Take in one sample; see onnxpad.tasks.task."""
        of_same_shape(original[self.task.output], candidate[self.task.output])
        ours, theirs = self.task.picture(original), self.task.picture(candidate)
        again = None if moved is None else self.task.picture(moved)
        if isinstance(truth, Reference):
            wanted = reference_at(truth.array, ours.shape, geometry, self.task.reference_peak)
            errors = np.square(ours - wanted), np.square(theirs - wanted)
            self.psnr.append((psnr(float(errors[0].mean())), psnr(float(errors[1].mean()))))
            first, second = ssim(ours, wanted, 1.0), ssim(theirs, wanted, 1.0)
            if first is not None and second is not None:
                self.ssim.append((first, second))
            self.rings = self.rings + _by_ring(*errors)
        self.psnr_between.append(psnr(float(np.square(theirs - ours).mean())))
        self.ssim_between += _known(ssim(ours, theirs, 1.0))
        if again is not None:
            sizes = geometry.size if geometry else ours.shape[:2]
            ours, again = overlap(ours, again, (0, 1), sizes)
            self.psnr_shifted.append(psnr(float(np.square(ours - again).mean())))
            self.ssim_shifted += _known(ssim(ours, again, 1.0))

    def result(self, seed: int) -> TaskResult | None:
        """The record."""
        if not self.psnr_between:
            return None
        metrics = [
            _paired(name, values, seed)
            for name, values in (("psnr", self.psnr), ("ssim", self.ssim))
            if values
        ]
        for name, values, moved in (
            ("psnr_between", self.psnr_between, self.psnr_shifted),
            ("ssim_between", self.ssim_between, self.ssim_shifted),
        ):
            if values:
                floor = (_mean(moved), len(moved)) if moved else None
                interval = mean_interval(np.array(values), seed)
                metrics.append(between(name, _mean(values), interval, len(values), floor))
        return TaskResult(
            self.task.name,
            len(self.psnr),
            len(self.psnr_between),
            tuple(metrics),
            _ring_parts(np.asarray(self.rings)) if self.psnr else (),
            None,
            (),
        )


def _known(value: float | None) -> list[float]:
    return [] if value is None else [value]


def _mean(values: Sequence[float] | Array) -> float:
    return float(np.mean(values))


def _paired(name: str, values: list[tuple[float, float]], seed: int) -> Metric:
    table = np.array(values)
    interval = mean_interval(table[:, 1] - table[:, 0], seed)
    return against_truth(name, _mean(table[:, 0]), _mean(table[:, 1]), interval, len(table))


def _by_ring(ours: Array, theirs: Array) -> Array:
    """Sums of two maps (H, W, C) by ring, and the number of values: (3, _RINGS)."""
    index = np.minimum(ring_index(ours.shape[:2]), _RINGS - 1).ravel()
    maps = (ours.sum(axis=2), theirs.sum(axis=2), np.full(ours.shape[:2], ours.shape[2]))
    return np.stack([np.bincount(index, m.ravel().astype(np.float64), _RINGS) for m in maps])


def _ring_parts(sums: Array) -> tuple[Part, ...]:
    return tuple(
        Part("ring", str(d), "psnr", psnr(ours / n), psnr(theirs / n), int(n))
        for d, (ours, theirs, n) in enumerate(sums.T.tolist())
        if n
    )


def _channels_last(array: Array, channels: int) -> Array:
    if array.ndim == 2:
        return array[..., None]
    if array.ndim == 3 and array.shape[-1] not in (channels, 3) and array.shape[0] in (channels, 3):
        return np.moveaxis(array, 0, -1)
    if array.ndim == 3:
        return array
    raise DataError(f"a reference of shape {array.shape} is no picture")


def _window(found: Array, shape: tuple[int, ...], geometry: Geometry) -> Array:
    """The part of a whole-picture reference that the cut-out input shows, at the output's scale."""
    cut = []
    for axis in (0, 1):
        scale = shape[axis] // geometry.size[axis]
        if scale < 1 or found.shape[axis] != scale * geometry.source[axis]:
            return found
        start = round(-geometry.offset[axis] * scale)
        cut.append(slice(max(start, 0), start + shape[axis]))
    return found[cut[0], cut[1]]
