import pytest

from onnxpad.data.layout import Dim, Layout, guess, output_axes

NCHW = Layout(0, 1, (2, 3))
NHWC = Layout(0, 3, (1, 2))
NT = Layout(0, None, (1,))
NCT = Layout(0, 1, (2,))
NTC = Layout(0, 2, (1,))


@pytest.mark.parametrize(
    ("shape", "layout"),
    [
        ((1, 3, 224, 224), NCHW),
        ((1, 224, 224, 3), NHWC),
        (("N", 1, "H", "W"), NCHW),
        ((None, None, None, 3), NHWC),
        ((None, None, None, None), NCHW),
        ((1, 3, 224, 3), NCHW),  # both ends could be colours: the commoner order
        ((1, 64, 56, 56), NCHW),
        ((1, 56, 56, 64), NHWC),
        ((1, 12, 40, 30), NCHW),
        ((1, 40, 30, 12), NHWC),
        ((1, 32, 32, 32), NCHW),
        ((1, 1, 28, 28), NCHW),
        ((None, 128, None, 16), NHWC),  # the smaller one holds channels
        ((1, 1, 16, 32, 32), Layout(0, 1, (2, 3, 4))),
        ((1, 16, 32, 32, 1), Layout(0, 4, (1, 2, 3))),
        (("N", 43844, 1), NTC),
        (("N", 80, "T"), NCT),
        (("N", "T", 80), NTC),
        ((1, 1, 16000), NCT),
        ((224, 224, 3), Layout(None, 2, (0, 1))),
        ((3, 224, 224), Layout(None, 0, (1, 2))),
        ((3, 3, 3), NCT),
        ((None, None), NT),
        ((7,), None),
        ((), None),
    ],
)
def test_guess(shape: tuple[Dim, ...], layout: Layout | None) -> None:
    assert guess(shape) == layout


@pytest.mark.parametrize(
    ("shape", "source", "layout", "axes"),
    [
        ((1, 21, 224, 224), (1, 3, 224, 224), NCHW, (2, 3)),
        ((1, 512, 896, 4), (1, 512, 896, 3), NHWC, (1, 2)),
        ((1, 512, 896, 4), (1, 3, 512, 896), NCHW, (1, 2)),  # the layouts of in and out differ
        ((1, 1, 672, 448), (1, 1, 224, 149), NCHW, (2, 3)),
        ((1, 4, 115, 155), (1, 3, 240, 320), NCHW, (2, 3)),  # VALID: not quite in proportion
        ((1, 32, 32, 32), (1, 3, 64, 64), NCHW, (2, 3)),
        ((1, 32, 32, 32), (1, 64, 64, 3), NHWC, (1, 2)),
        ((1, 56, 80), (1, 3, 112, 160), NCHW, (1, 2)),  # a map of classes
        ((56, 80), (3, 112, 160), Layout(None, 0, (1, 2)), (0, 1)),
        ((1, 1000), (1, 3, 224, 224), NCHW, None),
        ((1, 1000, 1, 1), (1, 3, 224, 224), NCHW, None),
        ((1, 3549, 85), (1, 3, 416, 416), NCHW, None),
        ((1, 4420, 2), (1, 3, 240, 320), NCHW, None),
        ((1, 3, 80, 80, 85), (1, 3, 640, 640), NCHW, None),
        ((1, 10, 20, 4), (1, 3, 224, 224), NCHW, None),
        ((7, 3, 64, 64), (1, 3, 64, 64), NCHW, None),  # seven of what, from one picture?
        ((1, 64, 2, 2), (1, 3, 64, 64), NCHW, None),  # no inside
        ((1, 172, 88), (1, 43844, 1), NTC, (1,)),
        ((1, 80, 301), (1, 1, 48000), NCT, (2,)),
        ((1, 80, 301), (1, 48000), NT, (2,)),
        ((1, 301, 80), (1, 48000), NT, (1,)),
        ((1, 16000), (1, 16000), NT, (1,)),
        ((1, 1000), (1, 16000), NT, None),
        ((1, 1), (1, 512), NT, None),
        ((2, 1, 128), (1, 512), NT, None),
        ((1, 2, 16, 16, 16), (1, 1, 32, 32, 32), Layout(0, 1, (2, 3, 4)), (2, 3, 4)),
        ((), (1, 3, 8, 8), NCHW, None),
    ],
)
def test_output_axes(
    shape: tuple[int, ...],
    source: tuple[int, ...],
    layout: Layout,
    axes: tuple[int, ...] | None,
) -> None:
    assert output_axes(shape, source, layout) == axes
