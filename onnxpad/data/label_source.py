"""Open the labels of a folder of pictures."""

from collections.abc import Sequence

from onnxpad.data import label_files, label_tables
from onnxpad.data.label_match import match
from onnxpad.data.label_set import Entries, LabelSet
from onnxpad.data.label_spec import LabelSpec
from onnxpad.errors import DataError


def open_labels(spec: LabelSpec, pictures: Sequence[str]) -> LabelSet:
    """Read what can be read at once, and match it with pictures.

    Args:
        spec: where they are.
        pictures: paths below their folder, with forward slashes.

    Raises:
        DataError: they cannot be read, or none belongs to a picture.
    """
    entries = _entries(spec, pictures)
    found = match(pictures, entries.entries)
    if not found.keys:
        raise label_tables.no_image(entries, pictures)
    return LabelSet(entries, found.keys, found.bare, found.unused)


def _entries(spec: LabelSpec, pictures: Sequence[str]) -> Entries:
    if spec.form == "folders":
        return label_tables.folders(pictures, spec.names)
    assert spec.path is not None
    if spec.form == "csv":
        return label_tables.table(spec.path, spec.names)
    if spec.form == "coco":
        return label_tables.coco(spec.path)
    if spec.form == "yolo":
        return label_files.yolo(spec.path)
    if spec.form == "masks":
        return label_files.masks(spec.path, spec.values, spec.names)
    if spec.form == "references":
        return label_files.references(spec.path)
    raise DataError(
        "labels: an array gives labels to samples in .npy and .npz files, not to images"
    )
