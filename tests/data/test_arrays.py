from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onnxpad.data.arrays import ArraySource
from onnxpad.data.label_spec import LabelSpec
from onnxpad.data.labels import ClassLabel, Label, LabelFacts, Mask, Reference
from onnxpad.data.plan import plans
from onnxpad.data.preprocess_syntax import parse_preprocess
from onnxpad.data.sample import Feed
from onnxpad.data.source import open_source
from onnxpad.errors import DataError
from onnxpad.runtime import TensorInfo

X = TensorInfo("x", "float32", ("N", 3, 4, 5))
Array = np.ndarray[Any, Any]


def feeds(path: Path, *inputs: TensorInfo, seed: int = 0) -> list[Feed]:
    source = open_source(path, inputs)
    chosen = next(plans(inputs, source.known))
    found = list(source.feeds(chosen, seed))
    assert all(isinstance(f, Feed) for f in found)
    return [f for f in found if isinstance(f, Feed)]


def numbered(count: int, dtype: Any = np.float32) -> Array:
    """Sample i is filled with i."""
    return np.broadcast_to(np.arange(count).reshape(-1, 1, 1, 1), (count, 3, 4, 5)).astype(dtype)


def npy(path: Path, array: Array) -> Path:
    np.save(path / "data.npy", array)
    return path / "data.npy"


def npz(path: Path, **arrays: Array) -> Path:
    np.savez(path / "data.npz", **arrays)  # type: ignore[arg-type]  # numpy's stub lacks **arrays
    return path / "data.npz"


def test_each_sample_once_as_it_is(tmp_path: Path) -> None:
    found = feeds(npy(tmp_path, numbered(7)), X)
    assert sorted(float(f.arrays["x"].mean()) for f in found) == list(range(7))
    assert all(f.arrays["x"].shape == (1, 3, 4, 5) for f in found)
    assert all((f.count, f.batch) == (1, 1) for f in found)


def test_the_seed_fixes_the_order(tmp_path: Path) -> None:
    path = npy(tmp_path, numbered(30))
    first, again, other = (
        [float(f.arrays["x"].mean()) for f in feeds(path, X, seed=s)] for s in (1, 1, 2)
    )
    assert first == again
    assert first != other
    assert first != sorted(first)


def test_a_fixed_batch_is_filled_up(tmp_path: Path) -> None:
    found = feeds(npy(tmp_path, numbered(7)), TensorInfo("x", "float32", (3, 3, 4, 5)))
    assert [(f.count, f.batch) for f in found] == [(3, 3), (3, 3), (1, 3)]
    assert all(f.arrays["x"].shape == (3, 3, 4, 5) for f in found)
    rows = [float(v) for f in found for v in f.arrays["x"][: f.count, 0, 0, 0]]
    assert sorted(rows) == list(range(7))


def test_one_more_axis_counts_whole_feeds(tmp_path: Path) -> None:
    array = np.arange(2 * 4 * 3 * 4 * 5, dtype=np.float32).reshape(2, 4, 3, 4, 5)
    found = feeds(npy(tmp_path, array), TensorInfo("x", "float32", (4, 3, 4, 5)))
    assert [(f.count, f.batch) for f in found] == [(1, 1), (1, 1)]
    assert {float(f.arrays["x"].flat[0]) for f in found} == {0.0, 240.0}


def test_free_sizes_come_from_the_data(tmp_path: Path) -> None:
    array = np.zeros((2, 3, 8, 9), np.float32)
    (found, _) = feeds(npy(tmp_path, array), TensorInfo("x", "float32", ("N", 3, "H", "W")))
    assert found.arrays["x"].shape == (1, 3, 8, 9)


def test_other_floats_and_fitting_integers_are_converted_and_said(tmp_path: Path) -> None:
    path = npy(tmp_path, numbered(2, np.float64))
    source = open_source(path, (X,))
    chosen = next(plans((X,), source.known))
    (warning,) = source.warnings(chosen)
    assert "float64 values were converted to float32" in warning
    assert feeds(path, X)[0].arrays["x"].dtype == np.float32
    whole = TensorInfo("x", "uint8", ("N", 3, 4, 5))
    assert feeds(npy(tmp_path, numbered(2, np.int64)), whole)[0].arrays["x"].dtype == np.uint8


def test_several_inputs_by_name(tmp_path: Path) -> None:
    inputs = (
        TensorInfo("audio", "float32", ("N", "T")),
        TensorInfo("state", "float32", (2, "N", 4)),
        TensorInfo("sr", "int64", ()),
    )
    path = npz(
        tmp_path,
        audio=np.zeros((5, 300), np.float32),
        state=np.arange(5 * 2 * 4, dtype=np.float32).reshape(5, 2, 1, 4),
        sr=np.array(8000),
    )
    found = feeds(path, *inputs)
    assert len(found) == 5
    assert found[0].arrays["audio"].shape == (1, 300)
    assert found[0].arrays["state"].shape == (2, 1, 4)
    assert found[0].arrays["sr"] == 8000


def test_what_is_missing_and_no_data_is_filled_in_and_said(tmp_path: Path) -> None:
    inputs = (
        TensorInfo("audio", "float32", ("N", "T")),
        TensorInfo("state", "float32", (2, "N", 4)),
    )
    path = npy(tmp_path, np.zeros((5, 300), np.float32))
    assert not feeds(path, *inputs)[0].arrays["state"].any()
    source = open_source(path, inputs)
    assert source.note(next(plans(inputs, source.known))) == (
        "arrays from data.npy, used as they are; filled in: state (state)"
    )


def test_large_npy_files_are_mapped_not_read(tmp_path: Path) -> None:
    source = open_source(npy(tmp_path, numbered(4)), (X,))
    assert isinstance(source, ArraySource)
    assert isinstance(source.columns[0].array, np.memmap)


Save = Callable[[Path], Path]
TWO = (X, TensorInfo("z", "float32", ("N", 3, 4, 5)))


@pytest.mark.parametrize(
    ("save", "inputs", "words"),
    [
        (lambda p: npy(p, numbered(2)[:, :, :3]), (X,), "takes N×3×4×5, but a sample has 1×3×3×5"),
        (lambda p: npy(p, np.zeros((2, 5), "f")), (X,), r"has 4 axes .* the array has 2 \(2×5\)"),
        (lambda p: npy(p, numbered(2, np.uint8)), (X,), "takes float32, but the array holds uint8"),
        (lambda p: npy(p, numbered(2).astype("U3")), (X,), "the array holds <U3"),
        (lambda p: npy(p, np.array([{}], object)), (X,), "pickled Python objects, which are never"),
        (lambda p: npy(p, numbered(0)), (X,), "no samples"),
        (lambda p: npy(p, numbered(2)), TWO, r"takes 2 inputs \(x, z\); save an .npz"),
        (lambda p: npz(p, x=numbered(2)), TWO, "no array for input z"),
        (lambda p: npz(p, y=numbered(2)), (X,), "y is no input of the model, which takes x"),
        (lambda p: npz(p, x=numbered(2), z=numbered(3)), TWO, r"number of samples: x: 2, z: 3"),
        (lambda p: npz(p, x=np.array([{}], object)), (X,), "pickled"),
        (
            lambda p: npy(p, numbered(300, np.int64)),
            (TensorInfo("x", "uint8", ("N", 3, 4, 5)),),
            "takes uint8, but the array holds int64",
        ),
    ],
)
def test_what_does_not_fit(
    tmp_path: Path, save: Save, inputs: tuple[TensorInfo, ...], words: str
) -> None:
    with pytest.raises(DataError, match=words) as caught:
        open_source(save(tmp_path), inputs)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["data.npy", "data.npz"])
@pytest.mark.parametrize(
    "content",
    [b"", b"junk", b"\x93NUMPY", b"\x93NUMPY\x01\x00\xff\xff{", b"PK\x03\x04" + b"x" * 40],
)
def test_broken_files(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=name):
        open_source(tmp_path / name, (X,))


def test_truncated_files(tmp_path: Path) -> None:
    for path in (npy(tmp_path, numbered(9)), npz(tmp_path, x=numbered(9))):
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(DataError, match=path.name):
            open_source(path, (X,))


def test_missing_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        open_source(tmp_path / "gone.npy", (X,))


# labels


def labelled(path: Path, labels: Array, *inputs: TensorInfo) -> dict[str, Label | None]:
    np.save(path.parent / "labels.npy", labels)
    spec = LabelSpec("array", path.parent / "labels.npy")
    source = open_source(path, inputs or (X,), labels=spec)
    found = list(source.feeds(next(plans(inputs or (X,), source.known)), 0))
    return {s.name: s.label for f in found if isinstance(f, Feed) for s in f.samples}


@pytest.mark.parametrize("labels", [np.arange(7) * 2, np.arange(7, dtype=np.uint8)[:, None] * 2])
def test_class_labels_beside_samples(tmp_path: Path, labels: Array) -> None:
    found = labelled(npy(tmp_path, numbered(7)), labels, TensorInfo("x", "float32", (3, 3, 4, 5)))
    assert found == {f"data.npy[{i}]": ClassLabel(2 * i) for i in range(7)}


def test_masks_and_references_beside_samples(tmp_path: Path) -> None:
    path = npy(tmp_path, numbered(3))
    for label in labelled(path, np.ones((3, 4, 5), np.int64)).values():
        assert isinstance(label, Mask)
        assert label.array.dtype == np.int32
    for label in labelled(path, np.ones((3, 3, 8, 10), np.float32)).values():
        assert isinstance(label, Reference)
        assert label.array.shape == (3, 8, 10)


def test_what_labels_have_in_common(tmp_path: Path) -> None:
    path = npy(tmp_path, numbered(3))
    np.savez(tmp_path / "labels.npz", y=np.array([0, 4, 2]))
    source = open_source(path, (X,), labels=LabelSpec("array", tmp_path / "labels.npz"))
    assert source.labels == LabelFacts("class", "labels.npz", 3, (), 4)
    assert source.note(next(plans((X,), source.known))) == (
        "arrays from data.npy, used as they are; labels: class, labels.npz"
    )


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.arange(6), r"labels.npy: 6 labels for 7 samples"),
        (np.arange(7) - 1, r"labels.npy: -1 is no class number"),
        (np.array(3), r"labels.npy: expected numbers, one or more for each sample"),
        (np.array(["a"] * 7), r"labels.npy: expected numbers"),
    ],
)
def test_labels_that_do_not_fit(tmp_path: Path, labels: Array, words: str) -> None:
    with pytest.raises(DataError, match=words):
        labelled(npy(tmp_path, numbered(7)), labels)


def test_what_arrays_do_not_take(tmp_path: Path) -> None:
    path = npy(tmp_path, numbered(2))
    with pytest.raises(DataError, match=r"samples in arrays take array=FILE .*, not folders"):
        open_source(path, (X,), labels=LabelSpec("folders"))
    with pytest.raises(DataError, match="size: arrays are used as they are"):
        open_source(path, (X,), size=(4, 5))
    source = open_source(path, (X,), preprocess=parse_preprocess("unit"))
    assert source.warnings(next(plans((X,), source.known))) == (
        "data.npy: arrays are used as they are; the declared preprocessing was not applied to them",
    )
    np.savez(tmp_path / "two.npz", a=np.zeros(2), b=np.zeros(2))
    with pytest.raises(DataError, match=r"two.npz: expected one array, found 2"):
        open_source(path, (X,), labels=LabelSpec("array", tmp_path / "two.npz"))


def test_the_sample_data_have_labels() -> None:
    folder = Path(__file__).parents[2] / "sample_models"
    info = TensorInfo("image", "float32", ("N", 1, 32, 32))
    labels = LabelSpec("array", folder / "digits_test_labels.npy")
    source = open_source(folder / "digits_test.npz", (info,), labels=labels)
    assert (source.total, source.labels) == (
        360,
        LabelFacts("class", "digits_test_labels.npy", 360, (), 9),
    )
