from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from onnxpad.data import images, pictures
from onnxpad.data.plan import plans
from onnxpad.data.sample import Feed, Skipped
from onnxpad.data.source import open_source
from onnxpad.errors import DataError
from onnxpad.runtime import TensorInfo

X = TensorInfo("x", "float32", ("N", 3, 8, 12))


def walk(path: Path, info: TensorInfo = X) -> tuple[list[Feed], list[Skipped]]:
    source = open_source(path, (info,))
    found = list(source.feeds(next(plans((info,))), 0))
    return (
        [f for f in found if isinstance(f, Feed)],
        [f for f in found if isinstance(f, Skipped)],
    )


def only(path: Path, info: TensorInfo = X) -> np.ndarray[Any, Any]:
    (feed,), skipped = walk(path, info)
    assert not skipped
    return feed.arrays[info.name]


def picture(path: Path, colour: Any = (255, 51, 0), mode: str = "RGB") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, (30, 20), colour).save(path)
    return path


def test_resized_scaled_and_in_the_models_order(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.png")
    values = only(path)
    assert values.shape == (1, 3, 8, 12)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values[0, :, 3, 3], [1, 0.2, 0], rtol=1e-6)
    last = only(path, TensorInfo("x", "float32", ("N", 8, 12, 3)))
    np.testing.assert_array_equal(last.transpose(0, 3, 1, 2), values)
    whole = only(path, TensorInfo("x", "uint8", (1, 8, 12, 3)))
    assert whole.dtype == np.uint8
    assert whole[0, 0, 0].tolist() == [255, 51, 0]


def test_no_declared_preprocessing_is_said(tmp_path: Path) -> None:
    source = open_source(picture(tmp_path / "a.png"), (X,))
    (warning,) = source.warnings(next(plans((X,))))
    assert "preprocessing is not declared" in warning
    assert "resized to 12×8 and scaled to 0..1" in warning


def test_grey_and_transparent_inputs(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.png", (100, 100, 100))
    grey = only(path, TensorInfo("x", "uint8", (1, 1, 8, 12)))
    assert set(grey.ravel()) == {100}
    four = only(path, TensorInfo("x", "uint8", (1, 4, 8, 12)))
    assert four[0, :, 0, 0].tolist() == [100, 100, 100, 255]
    assert only(picture(tmp_path / "grey.png", 7, "L")).shape == (1, 3, 8, 12)


def test_sixteen_bits_are_scaled_not_cut(tmp_path: Path) -> None:
    values = np.full((20, 30), 257 * 40, np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    assert set(only(tmp_path / "deep.png", TensorInfo("x", "uint8", (1, 1, 8, 12))).ravel()) == {40}


def test_orientation_is_honoured(tmp_path: Path) -> None:
    left = Image.new("L", (40, 20))
    left.paste(255, (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90° clockwise
    left.save(tmp_path / "turned.png", exif=exif)
    shown = only(tmp_path / "turned.png", TensorInfo("x", "float32", (1, 1, 8, 8)))[0, 0]
    assert shown[0].mean() > 0.9
    assert shown[-1].mean() < 0.1


def test_folders_are_read_deeply_hidden_and_other_files_are_not(tmp_path: Path) -> None:
    for name in ("b/2.JPG", "a/1.png", "3.bmp", ".hidden/x.png", "a/.x.png"):
        picture(tmp_path / name)
    (tmp_path / "labels.csv").write_text("a,b")
    source = open_source(tmp_path, (X,))
    assert isinstance(source, images.ImageSource)
    assert [f.name for f in source.files] == ["3.bmp", "1.png", "2.JPG"]
    assert source.total == 3
    feeds, _ = walk(tmp_path)
    assert len(feeds) == 3


def test_a_fixed_batch_is_filled_up(tmp_path: Path) -> None:
    for i in range(5):
        picture(tmp_path / f"{i}.png", (i, i, i))
    feeds, _ = walk(tmp_path, TensorInfo("x", "uint8", (2, 3, 8, 12)))
    assert [(f.count, f.batch) for f in feeds] == [(2, 2), (2, 2), (1, 2)]
    seen = [int(row.flat[0]) for f in feeds for row in f.arrays["x"][: f.count]]
    assert sorted(seen) == [0, 1, 2, 3, 4]


def test_broken_images_are_named_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = picture(tmp_path / "good.png")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "cut.png").write_bytes(good.read_bytes()[:60])
    Image.new("L", (50, 40)).save(tmp_path / "huge\x1b.png")
    monkeypatch.setattr(pictures, "MAX_PIXELS", 1999)
    feeds, skipped = walk(tmp_path)
    assert len(feeds) == 1
    reasons = {s.name: s.reason for s in skipped}
    assert set(reasons) == {"empty.png", "text.jpg", "cut.png", "huge\\x1b.png"}
    assert reasons["huge\\x1b.png"] == "50×40 pixels are too many"
    assert all(r.isprintable() for r in reasons.values())


def test_a_small_file_of_a_huge_picture_is_not_decoded(tmp_path: Path) -> None:
    Image.new("1", (20000, 20000)).save(tmp_path / "bomb.png")
    assert (tmp_path / "bomb.png").stat().st_size < 100_000
    feeds, skipped = walk(tmp_path)
    assert not feeds
    assert "pixels" in skipped[0].reason


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ((TensorInfo("x", "float32", ("N", 5, 64, 64)),), "takes 5 channels"),
        ((TensorInfo("x", "float32", ("N", "T")),), "one image input"),
        ((X, TensorInfo("z", "float32", (1, 3, 8, 8))), "one image input"),
        ((TensorInfo("x", "float32", (1, 1, 8, 8, 8)),), "one image input"),
    ],
)
def test_models_that_take_no_images(
    tmp_path: Path, inputs: tuple[TensorInfo, ...], words: str
) -> None:
    picture(tmp_path / "a.png")
    source = open_source(tmp_path, inputs)
    with pytest.raises(DataError, match=words):
        list(source.feeds(next(plans(inputs)), 0))


def test_no_images_at_all(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("")
    with pytest.raises(DataError, match="the folder holds no images"):
        open_source(tmp_path, (X,))
    with pytest.raises(DataError, match=r"x\.txt: expected a folder of images"):
        open_source(tmp_path / "x.txt", (X,))
    with pytest.raises(DataError, match="no such file or folder"):
        open_source(tmp_path / "gone", (X,))
