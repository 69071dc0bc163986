import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from onnxpad.data.functions import FunctionSource
from onnxpad.data.label_spec import parse_labels
from onnxpad.data.labels import ClassLabel
from onnxpad.data.plan import plans
from onnxpad.data.sample import Feed, Skipped
from onnxpad.data.source import open_source
from onnxpad.errors import DataError
from onnxpad.runtime import TensorInfo

X = TensorInfo("x", "float32", ("N", 3, 4, 5))
STATE = TensorInfo("state", "float32", (2, "N", 4))

HEAD = """
import numpy as np
from onnxpad.data.labels import Mask
def one(value=0, dtype=np.float32, shape=(3, 4, 5)):
    return np.full(shape, value, dtype)
"""


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield
    sys.modules.pop("mine", None)


def source(body: str, *inputs: TensorInfo) -> FunctionSource:
    Path("mine.py").write_text(HEAD + body)
    sys.modules.pop("mine", None)
    found = open_source("mine:samples", inputs or (X,))
    assert isinstance(found, FunctionSource)
    return found


def walk(found: FunctionSource, *inputs: TensorInfo) -> list[Feed | Skipped]:
    return list(found.feeds(next(plans(inputs or (X,), found.known)), 0))


def test_dicts_with_labels(tmp_path: Path) -> None:
    found = source("def samples():\n    for i in range(3):\n        yield {'x': one(i)}, i + 5")
    feeds = walk(found)
    assert all(isinstance(f, Feed) for f in feeds)
    for i, feed in enumerate(f for f in feeds if isinstance(f, Feed)):
        assert feed.arrays["x"].shape == (1, 3, 4, 5)
        assert feed.arrays["x"].mean() == i
        (sample,) = feed.samples
        assert sample.label == ClassLabel(i + 5)
        assert sample.name == f"mine:samples[{i}]"
    assert (found.total, found.endless, found.origin) == (None, False, "function")
    assert found.labels is not None
    assert found.labels.kind == "class"
    assert len(walk(found)) == 3  # again from the start


def test_bare_arrays_and_known_lengths() -> None:
    found = source("def samples():\n    return [one(i) for i in range(4)]")
    assert found.total == 4
    assert found.labels is None
    assert len(walk(found)) == 4


def test_several_rows_and_their_labels() -> None:
    found = source("def samples():\n    return [(one(0, shape=(2, 3, 4, 5)), [1, 2])] * 3")
    assert found.total == 6
    feed = walk(found)[0]
    assert isinstance(feed, Feed)
    assert (feed.count, feed.batch) == (2, 2)
    assert [s.label for s in feed.samples] == [ClassLabel(1), ClassLabel(2)]


def test_other_records_are_labels() -> None:
    found = source("def samples():\n    yield {'x': one()}, Mask(one(0, np.int32, (4, 5)))")
    assert found.labels is not None
    assert found.labels.kind == "mask"


def test_other_inputs_are_filled_in() -> None:
    audio = TensorInfo("audio", "float32", ("N", "T"))
    found = source("def samples():\n    yield {'audio': one(0, shape=(300,))}", audio, STATE)
    (feed,) = walk(found, audio, STATE)
    assert isinstance(feed, Feed)
    assert feed.arrays["audio"].shape == (1, 300)
    assert feed.arrays["state"].shape == (2, 1, 4)
    filled = next(plans((audio, STATE), found.known))
    assert found.note(filled) == (
        "samples from mine:samples, used as they are; filled in: state (state)"
    )


def test_ten_thousand_samples_are_not_kept() -> None:
    found = source(
        "made = 0\n"
        "def samples():\n"
        "    global made\n"
        "    while True:\n"
        "        made += 1\n"
        "        yield one(made)\n"
    )
    feeds = found.feeds(next(plans((X,), found.known)), 0)
    assert sum(1 for _ in islice(feeds, 10_000)) == 10_000
    # One more for the look at the first item when it was opened; none ahead.
    assert sys.modules["mine"].made == 10_001


def test_items_unlike_the_first_are_left_out() -> None:
    found = source(
        "def samples():\n"
        "    yield one(), 1\n"
        "    yield one(shape=(2, 3, 4, 5)), 1\n"
        "    yield one(), [1, 2]\n"
        "    yield one(), None\n"
    )
    good, other, labels, last = walk(found)
    assert isinstance(good, Feed)
    assert isinstance(last, Feed)
    assert other == Skipped(
        "mine:samples[1]", "its shapes x 2×3×4×5 are not the first item's, x 1×3×4×5"
    )
    assert labels == Skipped("mine:samples[2]", "2 labels for 1 rows")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("def samples(:", "cannot be imported: SyntaxError"),
        ("1 / 0", "cannot be imported: ZeroDivisionError: division by zero"),
        ("def other(): ...", "cannot be imported: AttributeError: .* has no attribute 'samples'"),
        ("samples = 3", "this is no function but int"),
        ("def samples(x): ...", "the function failed: TypeError: .* missing 1 required"),
        ("def samples(): return 3", "the function failed at item 0: TypeError: 'int' object"),
        ("def samples(): return []", "it gives no samples"),
        ("def samples(): yield 1, 2, 3", "its first item is a tuple of 3; expected .arrays, label"),
        ("def samples(): yield 'x'", "is of type str; expected a dict of arrays by input name"),
        ("def samples(): yield {'y': one()}", "its first item names y; the model takes x"),
        ("def samples(): yield {}", "its first item lacks x; the model takes x"),
        (
            "def samples(): yield one(0, np.uint8)",
            "input x takes float32, but the array holds uint8",
        ),
        (
            "def samples(): yield one(shape=(4, 4, 5))",
            "input x takes N×3×4×5, but the array is 1×4×4×5",
        ),
        (
            "def samples(): yield one(shape=(4, 5))",
            "input x takes N×3×4×5, but the array is 4×5",
        ),
        ("def samples(): yield one(), 'cat'", "its label is of type str; expected a class number"),
        ("def samples(): yield one(), -1", "its label is of type int; expected a class number"),
    ],
)
def test_what_goes_wrong_is_one_sentence(body: str, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        source(body)
    assert str(caught.value).startswith("data mine:samples: ")
    assert "\n" not in str(caught.value)


def test_a_function_that_fails_in_the_middle() -> None:
    found = source("def samples():\n    yield one()\n    raise KeyError('gone\\n\\x1b')")
    feeds = found.feeds(next(plans((X,), found.known)), 0)
    assert isinstance(next(feeds), Feed)
    with pytest.raises(DataError, match=r"mine:samples: the function failed at item 1: KeyError"):
        next(feeds)


def test_no_such_module() -> None:
    with pytest.raises(DataError, match="data nowhere:f: cannot be imported: ModuleNotFoundError"):
        open_source("nowhere:f", (X,))


def test_a_function_brings_its_labels_and_its_size() -> None:
    with pytest.raises(DataError, match="labels: a function gives its labels itself"):
        open_source("mine:f", (X,), labels=parse_labels("folders"))
    with pytest.raises(DataError, match="size: a function gives samples"):
        open_source("mine:f", (X,), size=(4, 5))


def test_half_floats_are_converted() -> None:
    found = source("def samples(): yield one(1, np.float64)", X)
    (feed,) = walk(found)
    assert isinstance(feed, Feed)
    assert feed.arrays["x"].dtype == np.float32
