"""The mean kernel of a strided convolution leans to one side.

What it finds
-------------
Convolutions with a stride above 1 whose mean kernel, over all channels, is more asymmetric along an
axis than random flips of its kernels explain (5 % over all layers and axes together, Holm's
correction). Beside each stands how much padding its windows read at the begin and at the end. It
reads the weights, one layer at a time, and is off unless selected.

Why it matters
--------------
A layer that reads padding on one side only, as strided layers do at even sizes, learns to make up
for it: around down-sampling layers mean kernels become asymmetric, and with them what the network
sees near the borders (Alsallakh et al. 2021, arXiv 2010.02178). Weights tell what training did;
that padding did it is likely where the reading is uneven, and not proven.

Example
-------
A 3x3 convolution with stride 2 at 224 px reads one row of padding at the top and none at the
bottom; its kernels weigh the upper row more.

What to do
----------
Train at a size that is even everywhere (PAD101 names it). Changing the size of a trained model
moves the unevenness but not the weights.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from onnxpad.findings import Confidence, Finding, Location, Severity
from onnxpad.kernels import kernels
from onnxpad.measure.mean_kernel import FLIPS, MeanKernel, mean_kernel
from onnxpad.measure.significance import holm
from onnxpad.rules.rule import rule
from onnxpad.subject import Subject
from onnxpad.windows import WindowUse

LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class _Layer:
    use: WindowUse
    kernel: MeanKernel


def _strided(use: WindowUse) -> bool:
    return use.conv and use.strided


def _measured(subject: Subject) -> Iterator[_Layer]:
    strided = list(filter(_strided, subject.windows))
    # enough flips for the smallest p to pass Holm's first step twice over
    flips = max(FLIPS, int(2 * sum(len(use.axes) for use in strided) / LEVEL))
    for kernel in kernels(subject.scopes, strided, subject.model.folder):
        if kernel.weights is None:
            continue
        try:
            yield _Layer(kernel.use, mean_kernel(kernel.weights, flips=flips))
        except ValueError:  # no numbers, or fewer axes than a convolution has
            continue


def _significant(layers: list[_Layer]) -> set[tuple[int, int]]:
    """(layer, axis) pairs that stay significant together (Holm 1979)."""
    tests = [
        (number, i, axis.p)
        for number, layer in enumerate(layers)
        for i, axis in enumerate(layer.kernel.axes)
    ]
    together = holm([p for *_, p in tests])
    pairs = zip(tests, together, strict=True)
    return {(number, i) for (number, i, _), p in pairs if p <= LEVEL}


def check(subject: Subject) -> Iterator[Finding]:
    """One finding for all such layers, the most asymmetric first."""
    layers = list(_measured(subject))
    leaning = _significant(layers)
    if not leaning:
        return
    scores = {
        n: max(layers[n].kernel.axes[i].score for m, i in leaning if m == n) for n, _ in leaning
    }
    order = sorted(scores, key=lambda n: (-scores[n], n))
    places = [Location(layers[n].use.identity, layers[n].use.op, _told(layers[n])) for n in order]
    uneven = sum(_uneven(layers[n].use) for n in order)
    message = (
        f"the mean kernels of {len(order)} of {len(layers)} strided convolutions are asymmetric "
        f"({uneven} of them read padding unevenly), up to {scores[order[0]]:.0%} of their weight"
    )
    facts = {
        "sites": len(order),
        "layers": len(layers),
        "uneven": uneven,
        "score": scores[order[0]],
    }
    yield RULE.finding(message, places, facts)


def _uneven(use: WindowUse) -> bool:
    readings = [axis.reading for axis in use.axes]
    return any(reading is not None and not reading.even for reading in readings)


def _told(layer: _Layer) -> str:
    parts = []
    for axis, found in zip(layer.use.axes, layer.kernel.axes, strict=False):
        reading = axis.reading
        read = "unknown" if reading is None else f"{reading.begin}+{reading.end}"
        parts.append(f"axis {axis.axis}: {found.score:.3f} (p {found.p:.2g}), padding read {read}")
    return "; ".join(parts)


RULE = rule(__name__, Severity.NOTE, Confidence.MEDIUM, check, default=False)
