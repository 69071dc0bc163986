"""What both models pad with, site by site."""

from pathlib import Path

from onnxpad.model import load_model
from onnxpad.records import PaddingSite
from onnxpad.sites import survey

NONE = "none"


def sites(original: Path, candidate: Path) -> tuple[tuple[str, str, str], ...]:
    """(identity, mode in the original, mode in the candidate) of every site of either.

    Sites belong together when the same values are made from what they pad, or else when they
    have the same identity, or when the candidate pads for several at once, or, where no site of
    the two belongs to another, the same place in the order. A site of one model alone pads nothing
    in the other. Raises ModelError.
    """
    ours, theirs = (survey(load_model(path, exact=False)).sites for path in (original, candidate))
    left = list(theirs)
    pairs: list[tuple[PaddingSite | None, PaddingSite | None]] = []
    for site in ours:
        other = next((t for t in left if t.readers and t.readers == site.readers), None)
        other = other or next((t for t in left if t.identity == site.identity), None)
        other = other or next((t for t in theirs if set(site.readers) <= set(t.readers)), None)
        if other in left:
            left.remove(other)
        pairs.append((site, other))
    if len(left) == len(theirs) == len(ours):
        pairs, left = list(zip(ours, theirs, strict=True)), []
    return tuple(_row(a, b) for a, b in [*pairs, *((None, t) for t in left)])


def _row(ours: PaddingSite | None, theirs: PaddingSite | None) -> tuple[str, str, str]:
    shown = ours or theirs
    assert shown is not None
    return shown.identity, _mode(ours), _mode(theirs)


def _mode(site: PaddingSite | None) -> str:
    return NONE if site is None else str(site.mode)
