"""Class names and the numbers they stand for, and bounded reading of the text files they are in."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from onnxpad.errors import DataError
from onnxpad.text import printable

MAX_TEXT_BYTES = 64 * 2**20
# Beyond this a "class number" is something else: an identifier, a time, a price.
MAX_CLASS = 2**20


@dataclass(frozen=True, slots=True)
class Classes:
    """Words as numbers.

    Attributes:
        numbers: the class of each word.
        names: in the order of the numbers, () where the words are numbers.
    """

    numbers: dict[str, int]
    names: tuple[str, ...]


def read_text(path: Path, limit: int = MAX_TEXT_BYTES) -> str:
    """A text file in UTF-8. Raises DataError."""
    name = printable(path.name)
    try:
        if path.stat().st_size > limit:
            raise DataError(f"{name}: larger than {limit // 2**20} MiB, which is no file of labels")
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise DataError(f"{name}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: this is no text in UTF-8 (byte {error.start})") from None


def read_names(path: Path) -> tuple[str, ...]:
    """Class names, one a line. Raises DataError."""
    names = tuple(line.strip() for line in read_text(path).splitlines())
    while names and not names[-1]:
        names = names[:-1]
    (common, count), *_ = Counter(names).most_common(1) or [("", 0)]
    if count != 1:
        reason = f"'{printable(common, 40)}' stands in it {count} times" if count else "it is empty"
        raise DataError(f"{printable(path.name)}: {reason}; expected class names, one a line")
    return names


def classes(words: Iterable[str], names: tuple[str, ...], where: str) -> Classes:
    """Number the words.

    With `names` each word is one of them or its number; without, words that are all whole numbers
    are the numbers, and others are numbered in alphabetical order. Raises DataError.
    """
    distinct = sorted(set(words))
    numeric = all(re.fullmatch(r"\d+", word) for word in distinct)
    if names:
        order = {name: at for at, name in enumerate(names)}
    elif numeric:
        order = {word: int(word) for word in distinct if len(word) < 10}
    else:
        order = {word: at for at, word in enumerate(distinct)}
    numbers = {}
    for word in distinct:
        number = order.get(word, int(word) if numeric and len(word) < 10 else -1)
        if not 0 <= number < (len(names) or MAX_CLASS):
            expected = f"one of the {len(names)} names" if names else f"below {MAX_CLASS}"
            raise DataError(f"{where}: class '{printable(word, 40)}' is not {expected}")
        numbers[word] = number
    return Classes(numbers, names or (() if numeric else tuple(distinct)))
