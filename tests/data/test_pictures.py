from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from onnxpad.data import pictures
from onnxpad.data.pictures import Unreadable, decode, fit
from onnxpad.data.preprocess_syntax import parse_preprocess

Array = np.ndarray[Any, Any]


def fitted(picture: pictures.Picture, text: str, size: tuple[int, int], channels: int = 3) -> Array:
    return fit(picture, parse_preprocess(text), size, channels)[0]


def noise(high: int, wide: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (high, wide, 3), np.uint8))


# colours


def test_colour_orders() -> None:
    red = Image.new("RGB", (4, 4), (250, 20, 30))
    assert fitted(red, "rgb", (4, 4))[0, 0].tolist() == [250, 20, 30]
    assert fitted(red, "bgr", (4, 4))[0, 0].tolist() == [30, 20, 250]
    luma = round(0.299 * 250 + 0.587 * 20 + 0.114 * 30)
    for colour in ("gray", "y"):
        found = fitted(red, colour, (4, 4), 1)
        assert found.shape == (4, 4, 1)
        assert abs(float(found[0, 0, 0]) - luma) <= 1
    assert len(set(fitted(red, "gray", (4, 4), 3)[0, 0].tolist())) == 1
    assert fitted(red, "raw", (4, 4), 4)[0, 0].tolist() == [250, 20, 30, 255]


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "YCbCr"])
def test_every_mode_becomes_colours(mode: str) -> None:
    found = fitted(noise(6, 8).convert(mode), "rgb", (6, 8))
    assert found.shape == (6, 8, 3)


# fitting


def test_a_crop_without_resizing_is_the_picture_itself() -> None:
    whole = noise(40, 50)
    found = fitted(whole, "rgb,resize=none", (20, 20))
    np.testing.assert_array_equal(found, np.asarray(whole)[10:30, 15:35])


def test_short_side_then_centre() -> None:
    whole = noise(40, 50)
    found = fitted(whole, "rgb,resize=short:20,filter=bicubic", (16, 16))
    resized = np.asarray(whole.resize((25, 20), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(found, resized[2:18, 4:20])


def test_letterbox_lies_on_its_fill() -> None:
    found = fitted(noise(10, 20), "yolox", (32, 32))
    assert (found[16:] == 114).all()
    np.testing.assert_array_equal(
        found[:16, :, ::-1],
        np.asarray(noise(10, 20).resize((32, 16), Image.Resampling.BILINEAR)),
    )
    centre = fitted(noise(10, 20), "yolo,resize=letterbox:centre:7", (32, 32))
    assert (centre[:8] == 7).all()
    assert (centre[24:] == 7).all()


def test_a_picture_too_small_to_cut_from() -> None:
    with pytest.raises(Unreadable, match="8×6 pixels are fewer than the 7×7 to be cut out"):
        fitted(noise(6, 8), "resize=none", (7, 7))


# depth


def test_sixteen_bits_keep_their_depth(tmp_path: Path) -> None:
    values = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) * 16
    Image.fromarray(values).save(tmp_path / "a.png")
    found = fitted(decode(tmp_path / "a.png"), "raw,resize=none", (64, 64), 1)
    np.testing.assert_allclose(found[..., 0], values / 257, rtol=1e-6)
    assert len(np.unique(found)) == 64 * 64
    three = fitted(decode(tmp_path / "a.png"), "bgr", (32, 32))
    assert three.shape == (32, 32, 3)


def test_deep_colours(tmp_path: Path) -> None:
    deep = np.zeros((4, 4, 3), np.float32) + np.array([250.25, 20.5, 30.75], np.float32)
    assert fitted(deep, "bgr", (4, 4))[0, 0].tolist() == [30.75, 20.5, 250.25]
    assert fitted(deep, "raw", (4, 4), 4)[0, 0].tolist() == [250.25, 20.5, 30.75, 255]
    luma = 0.299 * 250.25 + 0.587 * 20.5 + 0.114 * 30.75
    assert fitted(deep, "gray", (4, 4), 1)[0, 0, 0] == pytest.approx(luma, rel=1e-6)


# TIFF


def test_eight_bit_tiffs_need_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "import_module", _missing)
    noise(6, 8).save(tmp_path / "a.tif")
    np.testing.assert_array_equal(np.asarray(decode(tmp_path / "a.tif")), np.asarray(noise(6, 8)))


def test_what_needs_the_extra_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "import_module", _missing)
    Image.fromarray(np.zeros((4, 4), np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(Unreadable, match=r"needs tifffile: pip install onnxpad\[tiff\]"):
        decode(tmp_path / "a.tif")


def _missing(name: str) -> SimpleNamespace:
    raise ImportError(name)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.full((4, 5, 3), 1000, np.uint16), 1000 / 257),
        (np.full((4, 5), 0.25, np.float32), 63.75),
        (np.full((4, 5, 4), 2**31, np.uint32), 127.5),
    ],
)
def test_deep_tiffs(tmp_path: Path, values: Array, expected: float) -> None:
    tifffile = pytest.importorskip("tifffile")
    kind = "rgb" if values.ndim == 3 else "minisblack"
    tifffile.imwrite(tmp_path / "a.tif", values, photometric=kind)
    found = decode(tmp_path / "a.tif")
    assert isinstance(found, np.ndarray)
    assert found.shape[:2] == (4, 5)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.full((4, 5), 7.0, np.float32), "float32 pixels go from 7 to 7; expected unsigned"),
        (np.full((4, 5), np.nan, np.float32), "pixels go from nan to nan"),
        (np.zeros((4, 5, 6), np.uint16), "4×5×6 is no picture of 1, 3 or 4 channels"),
    ],
)
def test_tiffs_that_are_no_pictures(tmp_path: Path, values: Array, words: str) -> None:
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack", planarconfig="contig")
    with pytest.raises(Unreadable, match=words):
        decode(tmp_path / "a.tif")


def test_a_broken_tiff(tmp_path: Path) -> None:
    pytest.importorskip("tifffile")
    pictures.prepare_pillow()
    (tmp_path / "a.tif").write_bytes(b"II*\x00\x08\x00\x00\x00\xff\xff")
    with pytest.raises(Unreadable):
        decode(tmp_path / "a.tif")
