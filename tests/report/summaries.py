"""Rewrites made by hand."""

from onnxpad.comparison import Comparison
from onnxpad.modes import parse_mode
from onnxpad.records import Changed, Halo, Kept, OtherPad, PaddingSite, SiteAxis
from onnxpad.report.rewriting import Summary
from tests.report import whole


def site(identity: str, mode: str = "zero") -> PaddingSite:
    axes = tuple(SiteAxis(axis, 8, 1, 1, None) for axis in (2, 3))
    return PaddingSite(
        identity, (("graph",),), "y", "Conv", "pads", parse_mode(mode), "x", 4, 1, axes, ("y",),
        ("Conv",), True, False, 17,
    )  # fmt: skip


def summary(name: str = "", comparison: Comparison | None = None) -> Summary:
    edge = parse_mode("edge")
    return Summary(
        f"models/{name or 'net'}.onnx",
        f"models/{name or 'net'}.edge.onnx",
        tuple(Changed(site(f"{name}stem/conv{i}"), edge, "Pad") for i in range(7)),
        (Kept(site(f"{name}pool"), f"{name}a pool"),),
        (Kept(site(f"{name}odd"), f"{name}its size is unknown"),),
        (OtherPad(f"{name}pad", f"{name}pads channels"),),
        False,
        comparison or whole.bare(),
    )


def halo(name: str = "") -> Summary:
    edge = parse_mode("edge")
    built = Halo(name or "image", edge, 3, (4, 4), (4, 4), (name or "map",))
    return Summary("net.onnx", "out.onnx", (), (), (), (), True, None, built)


def refused_halo(name: str = "") -> Summary:
    why = f"no halo can be cropped away exactly: {name or 'Reshape'}"
    return Summary("net.onnx", None, (), (), (), (), True, None, None, why)
