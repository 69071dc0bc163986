"""Seams of the original, of the candidate, and of the original with a halo around every tile."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from onnx import helper, numpy_helper
from PIL import Image

import onnxpad
from onnxpad.comparing import compare
from onnxpad.comparison import Tiles
from onnxpad.errors import UsageError
from tests.data.graphs import FLOAT, saved
from tests.measure.nets import chain

module = import_module("onnxpad.comparing")


@pytest.fixture(autouse=True)
def short_latency(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LATENCY_SECONDS", 0.02)


def cut(original: Path, candidate: Path, **options: object) -> Tiles:
    found = compare(original, candidate, samples=2, **{"tile": 32, **options})  # type: ignore[arg-type]
    assert found.tiles is not None, found.no_tiles
    return found.tiles


def test_a_halo_stands_beside_both(tmp_path: Path) -> None:
    """It is the same as a candidate that has the halo in its graph."""
    path = saved(chain(3, bias=3.0), tmp_path / "a.onnx")
    built = onnxpad.rewrite(path, "edge", halo=4).save(tmp_path / "b.onnx")
    found = cut(path, built, halo=4)
    assert found.halo is not None
    assert (found.halo.mode, found.halo.pixels, found.halo.why) == ("edge", 4, "as asked")
    assert found.halo.cost == pytest.approx((40 / 32) ** 2)
    (one,) = found.outputs
    assert one.halo is not None
    assert one.halo.error == pytest.approx(one.candidate.error, rel=1e-4, abs=1e-12)
    assert one.halo.jump == pytest.approx(one.candidate.jump, rel=1e-4)
    assert one.halo.error[0] < one.original.error[0]


def test_its_width_is_how_far_the_border_error_reaches(tmp_path: Path) -> None:
    path = saved(chain(3, bias=3.0), tmp_path / "a.onnx")
    edge = onnxpad.rewrite(path, "edge").save(tmp_path / "b.onnx")
    found = cut(path, edge)
    assert found.halo is not None
    told = {error: pixels for error, pixels, _ in found.discard}
    assert found.halo.pixels == told[1e-3]
    assert 1 <= found.halo.pixels <= 3  # three convolutions of 3×3 reach 3 px
    assert "above 0.001" in found.halo.why


@pytest.mark.parametrize(
    ("mode", "halo"), [("reflect", "reflect"), ("wrap", "wrap"), ("linear", "edge")]
)
def test_its_mode_is_the_candidates_where_that_copies(tmp_path: Path, mode: str, halo: str) -> None:
    path = saved(chain(2, bias=3.0), tmp_path / "a.onnx")
    candidate = onnxpad.rewrite(path, mode).save(tmp_path / "b.onnx")
    found = cut(path, candidate)
    assert found.halo is not None
    assert found.halo.mode == halo


def test_it_is_rounded_up_to_the_grid(tmp_path: Path) -> None:
    path = saved(chain(2, stride=2, bias=3.0), tmp_path / "a.onnx")
    found = cut(path, path, halo=3)
    assert found.halo is not None
    assert found.halo.pixels == 4
    assert "3 px as asked, rounded up" in found.halo.why


def test_without_padding_it_has_nothing_to_mend(tmp_path: Path) -> None:
    path = saved(chain(2, pad=0), tmp_path / "a.onnx")
    found = cut(path, path, overlap=4)
    assert found.halo is None
    assert "nothing for a halo to mend" in found.no_halo
    (one,) = found.outputs
    assert one.halo is None
    assert max(one.original.error) == pytest.approx(0, abs=1e-12)
    asked = cut(path, path, overlap=4, halo=8)
    assert asked.outputs[0].halo is not None
    assert asked.outputs[0].halo.error == pytest.approx(one.original.error, abs=1e-9)


def test_operators_that_see_everything_have_none(tmp_path: Path) -> None:
    proto = chain(2)
    norm = helper.make_node("InstanceNormalization", ["c2", "s", "s"], ["y"], name="norm")
    proto.graph.node[-1].CopyFrom(norm)
    proto.graph.initializer.append(helper.make_tensor("s", FLOAT, [3], [1.0] * 3))
    path = saved(proto, tmp_path / "a.onnx")
    assert onnxpad.rewrite(path, "edge", halo=4).halo is None  # the rewriter refuses it, too
    found = cut(path, path, halo=4)
    assert found.halo is None
    assert "norm mix positions" in found.no_halo


def test_a_size_at_which_it_does_not_run(tmp_path: Path) -> None:
    """The model adds a map of 100×100, cut to its own size; a wider one cannot run."""
    proto = chain(1)
    nodes = [
        helper.make_node("Shape", ["c1"], ["s"], start=2),
        helper.make_node("Slice", ["table", "zero", "s", "axes"], ["part"]),
        helper.make_node("Add", ["c1", "part"], ["y"]),
    ]
    del proto.graph.node[-1]
    proto.graph.node.extend(nodes)
    table = np.zeros((1, 1, 100, 100), np.float32)
    for name, value in (("table", table), ("zero", np.zeros(2, np.int64)),
                        ("axes", np.array([2, 3], np.int64))):  # fmt: skip
        proto.graph.initializer.append(numpy_helper.from_array(value, name))
    path = saved(proto, tmp_path / "a.onnx")
    found = cut(path, path, halo=40, size="32x32")
    assert found.halo is None
    assert "fails to run" in found.no_halo


def test_on_images_whose_edge_is_the_truth(tmp_path: Path) -> None:
    """Flat for 3 px on both sides of every seam: a halo of 3 px is what really stands there."""
    rng = np.random.default_rng(0)
    for name in "ab":
        g = rng.integers(0, 128, 64)
        g[:3], g[29:35], g[-3:] = g[0], g[29], g[-1]
        Image.fromarray((g[:, None] + g).astype(np.uint8)).save(tmp_path / f"{name}.png")
    path = saved(chain(3, bias=3.0), tmp_path / "a.onnx")
    edge = onnxpad.rewrite(path, "edge").save(tmp_path / "b.onnx")
    found = cut(path, edge, data=tmp_path, preprocess="unit", halo=3)
    (one,) = found.outputs
    assert one.halo is not None
    assert one.original.error[0] > 1e-3
    assert max(one.halo.error) < 1e-12


@pytest.mark.parametrize(
    ("options", "told"),
    [({"halo": 4}, "no tiles to put it around"), ({"halo": 0, "tile": 32}, "at least 1 pixel")],
)
def test_wrong_halos_are_refused(tmp_path: Path, options: dict[str, int], told: str) -> None:
    path = saved(chain(1), tmp_path / "a.onnx")
    with pytest.raises(UsageError, match=told):
        compare(path, path, **options)
