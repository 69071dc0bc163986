"""Comparisons made by hand, for tests of what shows them."""

from onnxpad.comparison import Comparison, Fed, OutputComparison, Run, Samples, Skip
from onnxpad.measure.agreement import Agreement
from onnxpad.measure.difference import Difference
from onnxpad.measure.latency import Latency
from onnxpad.measure.rings import RingProfile

# Escape sequences, markup of rich, a bidi override, line breaks, an emoji code.
HOSTILE = "\x1b[31m[bold red]x[/]\u202e\r\n:smile: <b>"

SAME = Difference(1440, 0.0, 0.0, 0.0, 4.0, 1.0, 0, 0, 0)


def spatial(name: str = "map") -> OutputComparison:
    return OutputComparison(
        name,
        "float32",
        (1, 4, 6, 6),
        0,
        Difference(1440, 0.8, 0.1, 0.19, 4.0, 1.0, 0, 0, 0),
        RingProfile((800, 480, 160), (0.2, 0.04, 0.0), (0.25, 0.05, 0.0), (0.8, 0.2, 0.0), 1.0),
        (2, 3),
        "",
        False,
        None,
        "not class scores",
    )


def scores(name: str = "scores") -> OutputComparison:
    return OutputComparison(
        name,
        "float32",
        (1, 10),
        0,
        Difference(100, 0.004, 0.001, 0.002, 2.0, 0.5, 0, 0, 0),
        None,
        (),
        "not a spatial output",
        True,
        Agreement(9, 10, 0, 0.596, 0.982),
        "",
    )


def same(name: str = "map") -> OutputComparison:
    zero = (0.0, 0.0, 0.0)
    rings = RingProfile((800, 480, 160), zero, zero, zero, 1.0)
    return OutputComparison(
        name, "float32", (1, 4, 6, 6), 0, SAME, rings, (2, 3), "", False, None, "not class scores"
    )


def samples(*skipped: Skip) -> Samples:
    return Samples(
        "images",
        "images from photos",
        0,
        10,
        10 + len(skipped),
        False,
        skipped,
        len(skipped),
        (Fed("x", "float32", (1, 3, 6, 6), "scene"),),
    )


def comparison(*outputs: OutputComparison, warnings: tuple[str, ...] = ()) -> Comparison:
    return Comparison(
        "models/net.onnx",
        "models/net.reflect.onnx",
        outputs or (spatial(), scores()),
        samples(),
        warnings,
        Run(
            "cpu",
            "CPU, as asked",
            1,
            "1.31.1",
            3.2,
            Latency(40, 3, 2.0, 2.4, 1.2, 1.18, 1.23, 0.99, 1.01),
        ),
    )
