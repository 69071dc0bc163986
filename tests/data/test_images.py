import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from onnxpad.data import images, pictures
from onnxpad.data.framing import Geometry
from onnxpad.data.label_spec import parse_labels
from onnxpad.data.labels import Boxes, ClassLabel, Mask, Reference
from onnxpad.data.plan import plans
from onnxpad.data.preprocess_syntax import parse_preprocess
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


# preprocessing, labels, size


def prepared(path: Path, text: str, info: TensorInfo = X, **more: Any) -> list[Feed]:
    source = open_source(path, (info,), preprocess=parse_preprocess(text), **more)
    filled = next(plans((info,), source.known))
    assert not any("preprocessing" in w for w in source.warnings(filled))
    return [f for f in source.feeds(filled, 0) if isinstance(f, Feed)]


def test_declared_preprocessing(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    (feed,) = prepared(tmp_path, "bgr,mean=100:50:0,std=2")
    np.testing.assert_allclose(feed.arrays["x"][0, :, 0, 0], [-50, 0.5, 127.5])
    (sample,) = feed.samples
    assert sample.geometry == Geometry((20, 30), (8, 12), (0.4, 0.4), (0, 0))
    half = TensorInfo("x", "float16", ("N", 8, 12, 3))
    (last,) = prepared(tmp_path, "unit", half)
    assert last.arrays["x"].dtype == np.float16
    np.testing.assert_allclose(last.arrays["x"][0, 0, 0], [1, 0.2, 0], rtol=1e-3)
    (whole,) = prepared(tmp_path, "signed", TensorInfo("x", "int8", (1, 8, 12, 3)))
    assert whole.arrays["x"][0, 0, 0].tolist() == [127, -77, -128]


def test_what_was_done_is_in_the_note(tmp_path: Path) -> None:
    picture(tmp_path / "k" / "a.png")
    filled = next(plans((X,)))
    source = open_source(
        tmp_path, (X,), preprocess=parse_preprocess("unit"), labels=parse_labels("folders")
    )
    assert source.note(filled).endswith(
        "; preprocessing unit: RGB, stretched to 12×8, bilinear, x/255, 0..1 as float32; "
        "labels: class, class folders"
    )
    assert (
        open_source(tmp_path, (X,))
        .note(filled)
        .endswith(
            "; preprocessing not declared: RGB, stretched to 12×8, bilinear, x/255, 0..1 as float32"
        )
    )


def test_a_declaration_the_input_cannot_take_is_refused_at_once(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    with pytest.raises(DataError, match="takes uint8, but the values go from 0 to 1"):
        prepared(tmp_path, "unit", TensorInfo("x", "uint8", (1, 3, 8, 12)))


def test_size(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    free = TensorInfo("x", "float32", ("N", 3, "H", "W"))
    (feed,) = prepared(tmp_path, "raw", free, size=(6, 10))
    assert feed.arrays["x"].shape == (1, 3, 6, 10)
    (fixed,) = prepared(tmp_path, "raw", X, size=(8, 12))
    assert fixed.arrays["x"].shape == (1, 3, 8, 12)
    with pytest.raises(DataError, match=r"size 8×13: input x is fixed to 8×12 .height × width."):
        prepared(tmp_path, "raw", X, size=(8, 13))


def test_too_small_pictures_are_left_out(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    source = open_source(tmp_path, (X,), preprocess=parse_preprocess("resize=none"))
    assert len(list(source.feeds(next(plans((X,))), 0))) == 1
    big = TensorInfo("x", "float32", ("N", 3, 64, 64))
    (skipped,) = open_source(tmp_path, (big,), preprocess=parse_preprocess("resize=none")).feeds(
        next(plans((big,))), 0
    )
    assert isinstance(skipped, Skipped)
    assert skipped.reason == "30×20 pixels are fewer than the 64×64 to be cut out"


def test_labels_go_with_their_samples_through_batches(tmp_path: Path) -> None:
    for i in range(5):
        picture(tmp_path / f"{i % 3}" / f"{i}.png", (i, i, i))
    info = TensorInfo("x", "float32", (2, 3, 8, 12))
    feeds = prepared(tmp_path, "raw", info, labels=parse_labels("folders"))
    assert [len(f.samples) for f in feeds] == [2, 2, 1]
    for feed in feeds:
        for row, sample in enumerate(feed.samples):
            value = int(feed.arrays["x"][row, 0, 0, 0])
            assert sample.name == f"{value % 3}/{value}.png"
            assert sample.label == ClassLabel(value % 3)


def test_a_bad_label_leaves_its_sample_out_and_the_rest_goes_on(tmp_path: Path) -> None:
    for name in "abc":
        picture(tmp_path / "images" / f"{name}.png")
    labels = tmp_path / "labels"
    labels.mkdir()
    (labels / "a.txt").write_text("0 0.5 0.5 1 1")
    (labels / "b.txt").write_text("0 0.5 0.5 1")
    source = open_source(tmp_path / "images", (X,), labels=parse_labels(f"yolo={labels}"))
    filled = next(plans((X,)))
    found = {f.name: f for f in source.feeds(filled, 0)}
    assert isinstance(found["b.png"], Skipped)
    assert found["b.png"].reason.startswith("b.txt, line 1: expected class x y width height")
    good, bare = found["a.png"], found["c.png"]
    assert isinstance(good, Feed)
    assert isinstance(good.samples[0].label, Boxes)
    assert good.samples[0].label.xyxy.tolist() == [[0, 0, 30, 20]]
    assert isinstance(bare, Feed)
    assert bare.samples[0].label is None
    assert source.warnings(filled)[1:] == ("1 of 3 images have no label in labels: c.png",)


def test_masks_follow_their_pictures(tmp_path: Path) -> None:
    picture(tmp_path / "images" / "a.png")
    (tmp_path / "masks").mkdir()
    Image.fromarray(np.full((20, 30), 3, np.uint8)).save(tmp_path / "masks" / "a.png")
    (feed,) = prepared(
        tmp_path / "images",
        "raw,resize=letterbox",
        TensorInfo("x", "float32", ("N", 3, 30, 30)),
        labels=parse_labels(f"masks={tmp_path / 'masks'}"),
    )
    (sample,) = feed.samples
    assert isinstance(sample.label, Mask)
    assert sample.geometry is not None
    seen = sample.geometry.nearest(sample.label.array)
    picture_rows = feed.arrays["x"][0, 0, :, 0] == 255
    np.testing.assert_array_equal(seen[:, 0] == 3, picture_rows)
    assert int(picture_rows.sum()) == 20


def test_references_have_the_order_of_colours_declared(tmp_path: Path) -> None:
    picture(tmp_path / "in" / "a.png")
    picture(tmp_path / "out" / "a.png", (1, 2, 3))
    for order, expected in (("rgb", [1, 2, 3]), ("bgr", [3, 2, 1])):
        (feed,) = prepared(
            tmp_path / "in", order, labels=parse_labels(f"references={tmp_path / 'out'}")
        )
        label = feed.samples[0].label
        assert isinstance(label, Reference)
        assert label.array[0, 0].tolist() == expected


def test_odd_metadata_warns_nobody(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.jpg")
    data = path.read_bytes()
    exif = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x09\x00\xff\xff\xff\xff"
    path.write_bytes(data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:])
    assert len(walk(tmp_path)[0]) == 1


def test_no_images_at_all(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("")
    with pytest.raises(DataError, match="the folder holds no images"):
        open_source(tmp_path, (X,))
    with pytest.raises(DataError, match=r"x\.txt: expected a folder of images"):
        open_source(tmp_path / "x.txt", (X,))
    with pytest.raises(DataError, match="no such file or folder"):
        open_source(tmp_path / "gone", (X,))


def test_decoding_keeps_to_the_threads_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(30):
        picture(tmp_path / f"{i}.png")
    seen = set()
    read = images.ImageSource._read  # to see which thread it runs on

    def noted(self, *arguments):  # type: ignore[no-untyped-def]
        seen.add(threading.current_thread().name)
        return read(self, *arguments)

    monkeypatch.setattr(images.ImageSource, "_read", noted)
    source = open_source(tmp_path, (X,), threads=1)
    assert len(list(source.feeds(next(plans((X,))), 0))) == 30
    assert len(seen) == 1
