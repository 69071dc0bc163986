from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from onnxpad.data.framing import Resize
from onnxpad.data.plan import InputPlan, plans
from onnxpad.data.preprocess import PRESETS
from onnxpad.data.source import open_source
from onnxpad.data.stimulus import as_picture, backgrounds, pasted, read_stimulus
from onnxpad.errors import DataError
from onnxpad.runtime import Array, TensorInfo

RNG = np.random.default_rng(0)


def planned(shape: tuple[int | str, ...], dtype: str = "float32") -> InputPlan:
    return next(plans((TensorInfo("x", dtype, shape),)))[0]


def picture(path: Path, pixels: Array) -> Path:
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize("name", ["imagenet", "caffe", "tf", "unit"])
@pytest.mark.parametrize("shape", [("n", 3, 12, 16), ("n", 12, 16, 3)])
def test_pasting_values_is_pasting_pixels(tmp_path: Path, name: str, shape: tuple) -> None:
    """The truth: numpy pastes into the picture, which is then preprocessed by hand."""
    plan, how = planned(shape), PRESETS[name]
    ground = RNG.integers(0, 256, (12, 16, 3), np.uint8)
    patch = RNG.integers(0, 256, (4, 5, 3), np.uint8)
    source = open_source(None, (plan.info,))
    found = pasted(
        backgrounds(
            str(picture(tmp_path / "g.png", ground)), source, (plan,),
            replace(how, resize=Resize("none")),
            plan, 1, 0,
        ).arrays[0],
        read_stimulus(picture(tmp_path / "p.png", patch), how, plan),
        [(0, 0), (3, 7), (8, 11)], plan, 3,
    )  # fmt: skip
    for row, (y, x) in enumerate([(0, 0), (3, 7), (8, 11)]):
        whole = ground.copy()
        whole[y : y + 4, x : x + 5] = patch
        pixels = whole[..., ::-1] if how.colour == "bgr" else whole
        known = (pixels * how.scale - np.array(how.mean)) / np.array(how.std)
        ours = found[row] if shape[3] == 3 else found[row].transpose(1, 2, 0)
        np.testing.assert_allclose(ours, known, rtol=1e-6, atol=1e-6)
        if row == 0:
            assert (as_picture(found[:1], how, plan) == whole).all()


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_what_is_transparent_stays_so(tmp_path: Path, dtype: str) -> None:
    plan = planned((1, 3, 8, 8), dtype)
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[..., :3] = 200
    pixels[0, 0, 3], pixels[1, 1, 3] = 255, 51
    stimulus = read_stimulus(picture(tmp_path / "p.png", pixels), PRESETS["raw"], plan)
    source = open_source(None, (plan.info,))
    ground = backgrounds("#646464", source, (plan,), PRESETS["raw"], plan, 1, 0)
    batch = pasted(ground.arrays[0], stimulus, [(3, 4)], plan, 1)
    known = np.full((8, 8), 100.0)
    known[3, 4], known[4, 5] = 200, 120
    assert batch.dtype == dtype
    for channel in batch[0]:
        assert channel == pytest.approx(known, abs=1e-4)


def test_a_background_is_an_image_a_colour_the_data_or_the_mean(tmp_path: Path) -> None:
    plan = planned((1, 3, 8, 8))
    made = open_source(None, (plan.info,))
    mean = backgrounds(None, made, (plan,), PRESETS["imagenet"], plan, 1, 0)
    assert np.abs(mean.arrays[0]).max() < 1e-6
    assert "mean colour" in mean.told
    grey = backgrounds(None, made, (plan,), PRESETS["unit"], plan, 1, 0)
    assert (grey.arrays[0] == 0.5).all()
    assert "grey" in grey.told
    for value in (10, 20, 30):
        picture(tmp_path / f"{value}.png", np.full((8, 8, 3), value, np.uint8))
    data = open_source(tmp_path, (plan.info,), preprocess=PRESETS["raw"])
    own = backgrounds(None, data, (plan,), PRESETS["raw"], plan, 2, 0)
    assert len(own.arrays) == 2
    assert {float(a.mean()) for a in own.arrays} < {10.0, 20.0, 30.0}
    with pytest.raises(DataError, match="neither a file nor a colour"):
        backgrounds("no-such-thing", made, (plan,), PRESETS["raw"], plan, 1, 0)


def test_rows_beyond_the_places_are_the_background(tmp_path: Path) -> None:
    plan = planned((4, 3, 8, 8))
    ground = np.zeros((1, 3, 8, 8), np.float32)
    stimulus = read_stimulus(
        picture(tmp_path / "p.png", np.full((2, 2, 3), 255, np.uint8)), PRESETS["raw"], plan
    )
    batch = pasted(ground, stimulus, [(0, 0), (6, 6)], plan, 4)
    assert batch.sum(axis=(1, 2, 3)).tolist() == [255 * 12, 255 * 12, 0, 0]
    assert not ground.any()


def test_a_stimulus_that_does_not_fit_says_so(tmp_path: Path) -> None:
    plan = planned((1, 3, 8, 8))
    large = picture(tmp_path / "p.png", np.zeros((9, 4, 3), np.uint8))
    with pytest.raises(DataError, match=r"9×4 .* input's 8×8.*--stimulus-size"):
        read_stimulus(large, PRESETS["raw"], plan)
    assert read_stimulus(large, PRESETS["raw"], plan, (4, 2)).front.shape == (3, 4, 2)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"stimulus bad\.png"):
        read_stimulus(tmp_path / "bad.png", PRESETS["raw"], plan)
    with pytest.raises(DataError, match="no such file"):
        read_stimulus(tmp_path / "none.png", PRESETS["raw"], plan)
