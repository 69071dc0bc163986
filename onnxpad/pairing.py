"""Pair the models of two folders by their paths below them."""

from dataclasses import dataclass
from pathlib import Path

from onnxpad.budget import PASS
from onnxpad.comparison import Comparison
from onnxpad.errors import UsageError
from onnxpad.text import printable

SUFFIX = ".onnx"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two files of the same path below their folders; ``name`` is that path, untrusted."""

    name: str
    original: Path
    candidate: Path


@dataclass(frozen=True, slots=True)
class Pairing:
    """The pairs in the order of their names, and the names that one folder alone holds."""

    pairs: tuple[Pair, ...]
    unpaired: tuple[str, ...]


def pair_folders(original: Path, candidate: Path) -> Pairing:
    """Pair all models of two folders and their sub-folders.

    Raises UsageError where there is no pair.
    """
    ours, theirs = _models(original), _models(candidate)
    names = sorted(set(ours) & set(theirs))
    if not names:
        raise UsageError(
            f"{printable(str(original))} and {printable(str(candidate))} hold no two models "
            f"(*{SUFFIX}) of the same path: {len(ours)} and {len(theirs)} were found"
        )
    pairs = tuple(Pair(name, ours[name], theirs[name]) for name in names)
    return Pairing(pairs, tuple(sorted(set(ours) ^ set(theirs))))


def _models(folder: Path) -> dict[str, Path]:
    """Path below the folder → file; hidden files and folders are left out."""
    found = {}
    for path in folder.rglob(f"*{SUFFIX}"):
        below = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in below.parts):
            found[below.as_posix()] = path
    return found


def summary(name: str, comparison: Comparison) -> str:
    """One line on a pair: verdict, its first reason, and the limits it does not keep."""
    found = comparison.verdict
    texts = [f"{found.word}: {found.reasons[0]}" if found and found.reasons else "compared"]
    texts += [f"{one.limit} {one.outcome}" for one in comparison.judged if one.outcome != PASS]
    return f"{printable(name)}: {'; '.join(texts)}"
