from itertools import islice

import numpy as np
import pytest

from onnxpad.data.label_spec import parse_labels
from onnxpad.data.plan import plans
from onnxpad.data.preprocess_syntax import parse_preprocess
from onnxpad.data.sample import Feed, Source
from onnxpad.data.source import open_source
from onnxpad.errors import DataError
from onnxpad.runtime import Array, TensorInfo

X = TensorInfo("x", "float32", (2, 3, 32, 32))


def first(source: Source, info: TensorInfo = X) -> Feed:
    (feed,) = islice(source.feeds(next(plans((info,), source.known)), 0), 1)
    assert isinstance(feed, Feed)
    return feed


def values(text: str | None, info: TensorInfo = X) -> Array:
    source = open_source(None, (info,), preprocess=parse_preprocess(text) if text else None)
    return first(source, info).arrays["x"]


def test_scenes_without_data_are_named_and_endless() -> None:
    source = open_source(None, (X,))
    assert (source.total, source.endless, source.labels) == (None, True, None)
    assert [s.name for s in first(source).samples] == ["scene 0", "scene 1"]
    assert source.note(next(plans((X,)))) == "synthetic: dead-leaves scenes"


def test_scenes_take_the_declared_range() -> None:
    unit = values(None).astype(np.float64)
    np.testing.assert_allclose(values("tf"), unit * 2 - 1, atol=1e-6)
    np.testing.assert_allclose(values("raw"), unit * 255, rtol=1e-6)
    note = open_source(None, (X,), preprocess=parse_preprocess("tf")).note(next(plans((X,))))
    assert note.startswith("synthetic: dead-leaves scenes; preprocessing tf: RGB, ")
    whole = TensorInfo("x", "uint8", (2, 3, 32, 32))
    np.testing.assert_array_equal(values("raw", whole), values(None, whole))


def test_scenes_take_the_size_asked_for() -> None:
    free = TensorInfo("x", "float32", ("N", "H", "W", 3))
    source = open_source(None, (free,), size=(48, 80))
    assert first(source, free).arrays["x"].shape == (1, 48, 80, 3)
    with pytest.raises(DataError, match="input x is fixed to 32×32"):
        open_source(None, (X,), size=(48, 80))
    with pytest.raises(DataError, match="images fit a model with one image input"):
        open_source(None, (TensorInfo("x", "float32", ("N", "T")),), size=(48, 80))


def test_scenes_have_no_labels() -> None:
    with pytest.raises(DataError, match="synthetic scenes have none; give data as well"):
        open_source(None, (X,), labels=parse_labels("folders"))


def test_a_declaration_is_checked_without_data_too() -> None:
    with pytest.raises(DataError, match="takes 3 channels, but mean has 2 numbers"):
        values("mean=1:2")
