"""Which label belongs to which picture: by path, else by name."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Matches:
    """Who belongs to whom.

    Attributes:
        keys: the label's key of each picture that has one.
        bare: pictures without a label. unused: keys of labels without a picture.
    """

    keys: dict[str, str]
    bare: tuple[str, ...]
    unused: tuple[str, ...]


def match(pictures: Sequence[str], keys: Iterable[str]) -> Matches:
    """Match paths with forward slashes, the pictures' below their folder.

    The first rule that finds a label decides: the same path, the same path but for the suffix,
    the same file name, the same file name but for the suffix. A name that several labels or
    several pictures bear decides nothing.
    """
    remaining = list(dict.fromkeys(keys))
    found: dict[str, str] = {}
    left = list(pictures)
    for rule in (_whole, _bare, _name, _stem):
        chosen = _by(rule, left, remaining)
        found |= chosen
        left = [p for p in left if p not in chosen]
        taken = set(chosen.values())
        remaining = [k for k in remaining if k not in taken]
    return Matches(found, tuple(left), tuple(remaining))


def _by(rule: Callable[[str], str], pictures: list[str], keys: list[str]) -> dict[str, str]:
    wanted = Counter(map(rule, pictures))
    offered = Counter(map(rule, keys))
    by_rule = {rule(key): key for key in keys}
    return {
        picture: by_rule[rule(picture)]
        for picture in pictures
        if wanted[rule(picture)] == 1 and offered[rule(picture)] == 1
    }


def _whole(path: str) -> str:
    return path.removeprefix("./")


def _bare(path: str) -> str:
    folder, slash, name = _whole(path).rpartition("/")
    return folder + slash + (name.rpartition(".")[0] or name)


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _stem(path: str) -> str:
    return _bare(_name(path))
