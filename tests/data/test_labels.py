import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from onnxpad.data import label_files, label_names
from onnxpad.data.label_match import match
from onnxpad.data.label_set import LabelSet
from onnxpad.data.label_source import open_labels
from onnxpad.data.label_spec import LabelSpec, ValueMap, parse_labels
from onnxpad.data.labels import BadLabel, Boxes, ClassLabel, Mask, Reference
from onnxpad.errors import DataError, UsageError

SIZE = (20, 40)
PICTURES = ("a.jpg", "sub/b.jpg", "c.png")


def opened(folder: Path, text: str, pictures: tuple[str, ...] = PICTURES) -> LabelSet:
    return open_labels(parse_labels(text).within(folder), pictures)


def classes(labels: LabelSet, pictures: tuple[str, ...] = PICTURES) -> list[int | None]:
    found = [labels.label(p, SIZE) for p in pictures]
    assert all(label is None or isinstance(label, ClassLabel) for label in found)
    return [label.index if isinstance(label, ClassLabel) else None for label in found]


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


# the syntax


def test_specs() -> None:
    assert parse_labels("folders") == LabelSpec("folders")
    assert parse_labels("folders=n.txt") == LabelSpec("folders", names=Path("n.txt"))
    assert parse_labels("x/labels.csv") == LabelSpec("csv", Path("x/labels.csv"))
    assert parse_labels("x.json") == LabelSpec("coco", Path("x.json"))
    assert parse_labels("x.npy") == LabelSpec("array", Path("x.npy"))
    assert parse_labels("csv=a,b.txt,names=c") == LabelSpec("csv", Path("a,b.txt"), Path("c"))
    assert parse_labels("references=hr") == LabelSpec("references", Path("hr"))
    masks = parse_labels("masks=m,map=5:1,2:2 255:ignore,*:0")
    assert masks == LabelSpec("masks", Path("m"), values=ValueMap(((5, 1), (2, 2), (255, -1)), 0))
    assert masks.within(Path("/d")).path == Path("/d/m")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected folders, csv=FILE"),
        ("labels", "expected folders, csv=FILE"),
        ("yolo", "expected folders, csv=FILE"),
        ("masks=", "expected folders, csv=FILE"),
        ("coco=x,map=1:1", "coco takes no map="),
        ("yolo=x,names=y", "yolo takes no names="),
        ("masks=x,map=", "map: it is empty"),
        ("masks=x,map=1", "map: '1'; expected NUMBER:CLASS"),
        ("masks=x,map=-1:0", "map: '-1:0'; expected"),
        ("masks=x,map=1:2,1:3", "map: 1 has two meanings"),
    ],
)
def test_bad_specs(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_labels(text)


# which label is whose


def test_paths_are_matched_from_strict_to_loose() -> None:
    found = match(
        ["a/1.png", "b/1.png", "c/2.png", "3.png", "d/4.png"],
        ["a/1.png", "b/1.txt", "other/2.png", "other/3.txt", "x.txt"],
    )
    assert found.keys == {
        "a/1.png": "a/1.png",
        "b/1.png": "b/1.txt",
        "c/2.png": "other/2.png",
        "3.png": "other/3.txt",
    }
    assert (found.bare, found.unused) == (("d/4.png",), ("x.txt",))


@given(st.lists(st.text("ab./\\0\n", max_size=6)), st.lists(st.text("ab./\\0\n", max_size=6)))
def test_any_paths_are_matched_once(pictures: list[str], keys: list[str]) -> None:
    pictures = list(dict.fromkeys(pictures))
    found = match(pictures, keys)
    assert set(found.keys) | set(found.bare) == set(pictures)
    assert set(found.keys.values()) | set(found.unused) == set(keys)
    assert len(set(found.keys.values())) == len(found.keys)


def test_a_name_of_several_decides_nothing() -> None:
    assert not match(["a/1.png", "b/1.png"], ["1.txt"]).keys
    assert not match(["1.png"], ["a/1.txt", "b/1.txt"]).keys


def test_what_does_not_match_is_counted_and_named(tmp_path: Path) -> None:
    written(
        tmp_path, l_dot_csv="a.jpg,1\nx\x1b.jpg,2\n" + "".join(f"y{i}.jpg,3\n" for i in range(4))
    )
    labels = opened(tmp_path, "l.csv")
    assert classes(labels) == [1, None, None]
    assert labels.facts.count == 1
    assert labels.warnings() == (
        "2 of 3 images have no label in l.csv: sub/b.jpg, c.png",
        r"l.csv: 5 of 6 labels belong to no image in the folder: x\x1b.jpg, y0.jpg, y1.jpg, …",
    )
    with pytest.raises(
        DataError, match=r"none of 6 labels in l.csv .* they name a.jpg, .*, …, the images are z"
    ):
        opened(tmp_path, "l.csv", ("z.jpg",))


# classes


def test_class_folders() -> None:
    pictures = ("cat/1.png", "dog/1.png", "cat/deep/2.png", "0.png")
    labels = open_labels(parse_labels("folders"), pictures)
    assert classes(labels, pictures) == [0, 1, 0, None]
    assert (labels.facts.kind, labels.facts.names, labels.facts.highest) == (
        "class",
        ("cat", "dog"),
        1,
    )
    numbers = ("2/a.png", "10/a.png")
    assert classes(open_labels(parse_labels("folders"), numbers), numbers) == [2, 10]


def test_names_give_the_order(tmp_path: Path) -> None:
    written(tmp_path, n_dot_txt="dog\ncat\nemu\n\n")
    spec = parse_labels("folders=n.txt").within(tmp_path)
    pictures = ("cat/1.png", "dog/1.png")
    labels = open_labels(spec, pictures)
    assert classes(labels, pictures) == [1, 0]
    assert labels.facts.names == ("dog", "cat", "emu")
    with pytest.raises(DataError, match="class folders: class 'cow' is not one of the 3 names"):
        open_labels(spec, ("cow/1.png",))
    written(tmp_path, n_dot_txt="dog\ndog")
    with pytest.raises(DataError, match=r"n.txt: 'dog' stands in it 2 times; expected class names"):
        open_labels(spec, pictures)
    written(tmp_path, n_dot_txt="")
    with pytest.raises(DataError, match=r"n.txt: it is empty"):
        open_labels(spec, pictures)


@pytest.mark.parametrize(
    "text",
    [
        "file,label\na.jpg,3\nsub/b.jpg,0\nc.png,1\n",
        "a.jpg,3\nsub/b.jpg,0\nc.png,1",
        "\ufefflabel;other;Filename\n3;x;a.jpg\n\n0;x;b.jpg\n1;x;./c.png\n",
        "image\tsplit\tclass\na.jpg\tval\t3\nsub\\b.jpg\tval\t0\nfar/away/c.jpeg\tval\t1\n",
        '"a.jpg","3"\n"sub/b.jpg","0"\n"c.png","1"\n',
    ],
)
def test_tables(tmp_path: Path, text: str) -> None:
    labels = opened(written(tmp_path, l_dot_csv=text), "l.csv")
    assert classes(labels) == [3, 0, 1]
    assert (labels.facts.names, labels.facts.highest, labels.facts.note) == ((), 3, "l.csv")
    assert not labels.warnings()


def test_tables_of_names(tmp_path: Path) -> None:
    written(
        tmp_path, l_dot_csv="a.jpg,goose\nsub/b.jpg,cat\nc.png,goose", n_dot_txt="emu\ncat\ngoose"
    )
    assert classes(opened(tmp_path, "l.csv")) == [1, 0, 1]
    assert classes(opened(tmp_path, "l.csv,names=n.txt")) == [2, 1, 2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "l.csv: it holds no labels"),
        ("file,label\n", "l.csv: it holds no labels"),
        ("a.jpg,1\nb.jpg\n", "l.csv, line 2: expected a file and a class, found b.jpg"),
        ("a.jpg,1\nb.jpg,\n", "l.csv, line 2: expected a file and a class"),
        ("a.jpg,1\n\na.jpg,2\n", "l.csv, line 3: a.jpg has a second class, 2"),
        ('a.jpg,"1\n', "l.csv, line 1: unexpected end of data"),
        ("a.jpg,99999999999\n", "class '99999999999' is not below"),
        (f"a.jpg,{'1' * 5000}\n", "class '1+…' is not below"),
        ("a.jpg," + "x" * 200_000, "l.csv, line 1: field larger than field limit"),
    ],
)
def test_bad_tables(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        opened(written(tmp_path, l_dot_csv=text), "l.csv")


def test_files_that_are_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"l.csv: cannot be read: No such file"):
        opened(tmp_path, "l.csv")
    (tmp_path / "l.csv").write_bytes(b"a.jpg,1\n\xff\xfe")
    with pytest.raises(DataError, match=r"l.csv: this is no text in UTF-8 \(byte 8\)"):
        opened(tmp_path, "l.csv")
    monkeypatch.setattr(label_names.read_text, "__defaults__", (5,))
    with pytest.raises(DataError, match=r"l.csv: larger than"):
        opened(tmp_path, "l.csv")


# boxes


def coco(**changes: Any) -> Mapping[str, Any]:
    return {
        "images": [
            {"id": 7, "file_name": "a.jpg", "width": 40, "height": 20},
            {"id": 9, "file_name": "val/b.jpg"},
            {"id": 11, "file_name": "c.png", "height": 20, "width": 41},
        ],
        "annotations": [
            {"image_id": 7, "category_id": 90, "bbox": [1, 2, 3.5, 4], "iscrowd": 1, "area": 14},
            {"image_id": 7, "category_id": 3, "bbox": [0, 0, 40, 20]},
            {"image_id": 7, "category_id": 3, "bbox": [5, 5, 0, 20]},
            {"image_id": 404, "category_id": 3, "bbox": [0, 0, 1, 1]},
        ],
        "categories": [{"id": 90, "name": "dog"}, {"id": 3, "name": "cat"}],
        **changes,
    }


def test_coco(tmp_path: Path) -> None:
    written(tmp_path, i_dot_json=json.dumps(coco()))
    labels = opened(tmp_path, "i.json")
    first = labels.label("a.jpg", SIZE)
    assert isinstance(first, Boxes)
    assert first.xyxy.tolist() == [[1, 2, 4.5, 6], [0, 0, 40, 20]]
    assert (first.classes.tolist(), first.crowd.tolist()) == ([1, 0], [True, False])
    empty = labels.label("sub/b.jpg", SIZE)
    assert isinstance(empty, Boxes)
    assert empty.xyxy.shape == (0, 4)
    with pytest.raises(BadLabel, match="its boxes are for 41×20 pixels, the image has 40×20"):
        labels.label("c.png", SIZE)
    assert (labels.facts.kind, labels.facts.names, labels.facts.highest) == (
        "boxes",
        ("cat", "dog"),
        1,
    )
    assert labels.warnings() == (
        "i.json: 1 annotations of images that are not listed were left out",
        "i.json: 1 annotations of no extent were left out",
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "these are no COCO annotations: Invalid JSON: EOF"),
        ('{"images": [}', "Invalid JSON: .* line 1 column 13"),
        ("[" * 100_000, "these are no COCO annotations"),
        ("{}", "no COCO annotations: images: Field required"),
        (json.dumps(coco(categories=[])), "annotation 0 is of category 90, which is not listed"),
        (
            json.dumps(coco(annotations=[{"image_id": 7, "category_id": 3, "bbox": [1, 2, 3]}])),
            "annotations 0 bbox 3: Field required",
        ),
        (
            json.dumps(
                coco(annotations=[{"image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 1e400]}])
            ),
            "no COCO annotations: ",
        ),
    ],
)
def test_bad_coco(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        opened(written(tmp_path, i_dot_json=text), "i.json")
    assert len(str(caught.value)) < 400


def test_yolo(tmp_path: Path) -> None:
    written(
        tmp_path,
        y__a_dot_txt="3 0.5 0.5 0.5 0.5\n\n0 0.1 0.2 0.3 0.2 0.3 0.6\n",
        y__b_dot_txt="",
        y__classes_dot_txt="cat\ndog\n",
    )
    labels = opened(tmp_path, "yolo=y")
    found = labels.label("a.jpg", SIZE)
    assert isinstance(found, Boxes)
    np.testing.assert_allclose(found.xyxy, [[10, 5, 30, 15], [4, 4, 12, 12]])
    assert found.classes.tolist() == [3, 0]
    empty = labels.label("sub/b.jpg", SIZE)
    assert isinstance(empty, Boxes)
    assert not len(empty.classes)
    assert labels.label("c.png", SIZE) is None
    assert labels.facts.names == ("cat", "dog")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("1 0.5 0.5 0.5", "expected class x y width height, found 1 0.5 0.5 0.5"),
        ("1 0.5 0.5 0.5 0.5 0.9", "expected class x y width height"),
        ("cat 0.5 0.5 0.5 0.5", "expected a class number and shares of the picture, found cat"),
        ("1 320 240 50 50", "expected shares of the picture, 0 to 1"),
        ("1 nan 0 0 0", "expected shares of the picture"),
        ("-1 0.5 0.5 0.5 0.5", "class -1 is out of range"),
    ],
)
def test_bad_yolo_names_the_line(tmp_path: Path, line: str, words: str) -> None:
    labels = opened(written(tmp_path, y__a_dot_txt=f"0 0.5 0.5 1 1\n{line}"), "yolo=y")
    with pytest.raises(BadLabel, match=f"a.txt, line 2: {words}"):
        labels.label("a.jpg", SIZE)


def test_yolo_files_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_files, "MAX_YOLO_BYTES", 5)
    labels = opened(written(tmp_path, y__a_dot_txt="0 0.5 0.5 1 1"), "yolo=y")
    with pytest.raises(BadLabel, match=r"a.txt: larger than"):
        labels.label("a.jpg", SIZE)


@pytest.mark.parametrize("form", ["yolo", "masks", "references"])
def test_folders_that_hold_no_labels(tmp_path: Path, form: str) -> None:
    with pytest.raises(DataError, match=r"there is no folder .*nowhere"):
        opened(tmp_path, f"{form}=nowhere")
    with pytest.raises(DataError, match="holds no files of the kind"):
        opened(tmp_path, f"{form}=.")


# masks


def mask(folder: Path, values: Any, mode: str | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    picture = Image.fromarray(np.asarray(values))
    (picture.convert(mode) if mode else picture).save(folder / "a.png")
    return folder


def numbers() -> np.ndarray[Any, Any]:
    values = np.zeros(SIZE, np.uint8)
    values[:10], values[0, 0] = 5, 255
    return values


def test_masks(tmp_path: Path) -> None:
    mask(tmp_path / "m", numbers())
    found = opened(tmp_path, "masks=m").label("a.jpg", SIZE)
    assert isinstance(found, Mask)
    assert found.array.dtype == np.int32
    assert (found.array[0, 0], found.array[9, 1], found.array[10, 0]) == (-1, 5, 0)
    mapped = opened(tmp_path, "masks=m,map=5:1,*:7").label("a.jpg", SIZE)
    assert isinstance(mapped, Mask)
    assert (mapped.array[0, 0], mapped.array[9, 1], mapped.array[10, 0]) == (7, 1, 7)
    kept = opened(tmp_path, "masks=m,map=0:5,5:0").label("a.jpg", SIZE)
    assert isinstance(kept, Mask)
    assert (kept.array[0, 0], kept.array[9, 1], kept.array[10, 0]) == (255, 0, 5)


def test_masks_of_other_depths(tmp_path: Path) -> None:
    deep = np.full(SIZE, 40_000, np.uint16)
    found = opened(mask(tmp_path / "m", deep).parent, "masks=m").label("a.jpg", SIZE)
    assert isinstance(found, Mask)
    assert (found.array == 40_000).all()
    one = opened(mask(tmp_path / "m", numbers() > 0).parent, "masks=m").label("a.jpg", SIZE)
    assert isinstance(one, Mask)
    assert set(np.unique(one.array)) == {0, 1}


def test_bad_masks(tmp_path: Path) -> None:
    mask(tmp_path / "m", numbers())
    labels = opened(tmp_path, "masks=m")
    with pytest.raises(BadLabel, match=r"its mask a.png has 40×20 pixels, the image 50×20"):
        labels.label("a.jpg", (20, 50))
    mask(tmp_path / "m", numbers(), "RGB")
    with pytest.raises(BadLabel, match=r"its mask a.png holds colours \(RGB\)"):
        labels.label("a.jpg", SIZE)
    (tmp_path / "m" / "a.png").write_bytes(b"no")
    with pytest.raises(BadLabel, match=r"its mask a.png cannot be read: "):
        labels.label("a.jpg", SIZE)


def test_what_255_means_must_be_said_where_there_is_nothing_else(tmp_path: Path) -> None:
    mask(tmp_path / "m", np.where(numbers() == 5, 255, 0).astype(np.uint8))
    with pytest.raises(DataError, match=r"hold 0 and 255 only; say what 255 means: ,map=255:1"):
        opened(tmp_path, "masks=m")
    found = opened(tmp_path, "masks=m,map=255:1").label("a.jpg", SIZE)
    assert isinstance(found, Mask)
    assert set(np.unique(found.array)) == {0, 1}


# references


def test_references(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    mask(tmp_path / "r", pixels)
    labels = opened(tmp_path, "references=r")
    found = labels.label("a.jpg", SIZE)
    assert isinstance(found, Reference)
    np.testing.assert_array_equal(found.array, pixels)
    assert labels.facts.kind == "reference"
    mask(tmp_path / "r", pixels[..., 0])
    grey = labels.label("a.jpg", SIZE)
    assert isinstance(grey, Reference)
    assert grey.array.shape == (*SIZE, 1)
    (tmp_path / "r" / "a.png").write_bytes(b"")
    with pytest.raises(BadLabel, match=r"its reference a.png: "):
        labels.label("a.jpg", SIZE)


def test_arrays_are_for_arrays(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not to images"):
        opened(tmp_path, "x.npy")


def test_boxes_of_unequal_numbers() -> None:
    with pytest.raises(ValueError, match="2 boxes, 1 classes, 1 crowd flags"):
        Boxes.of([[0, 0, 1, 1], [0, 0, 2, 2]], [1])
