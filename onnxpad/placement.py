"""Where to invent what window ops read: at the op, or further up where it costs less.

A padding that copies may be done before any node it commutes with (crossing.py), as long as every
tensor that grows by it is read by nobody else. So each site wants a tensor padded, the want moves
up to the cheapest tensor it can be had from (cutting.py), and equal wants of one tensor are one.
Wants are taken from the last tensor of the graph to the first, so that each is looked at when all
that could join it is known; every walk upwards is bounded, which keeps the whole linear.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from onnxpad import ops
from onnxpad.cutting import Amounts, Cut, Ground, cost, cuts, existing_pad, is_clean, is_readable
from onnxpad.errors import UsageError
from onnxpad.geometry import read_axis
from onnxpad.modes import Mode
from onnxpad.pad_costs import LEAST, LEAST_SHARE
from onnxpad.records import PaddingSite, SiteAxis
from onnxpad.text import printable

Key = tuple[str, Mode, Amounts, str]


@dataclass(slots=True)
class Want:
    """A tensor that some nodes want padded.

    Attributes:
        target: the tensor that a plan wants padded in its place; "" where the cost decides.
        sites: whose padding it is.
        before: estimated microseconds of their padding where they stand.
    """

    mode: Mode
    target: str
    cut: Cut
    sites: list[PaddingSite] = field(default_factory=list)
    before: float = 0.0

    @property
    def key(self) -> Key:
        """Wants of one key are one."""
        return self.cut.tensor, self.mode, self.cut.amounts, self.target

    def join(self, other: "Want") -> None:
        """Become one with another want of the same tensor, or one met on the way up."""
        self.sites += other.sites
        self.before += other.before


@dataclass(slots=True)
class Placer:
    """Places the paddings of one scope.

    Attributes:
        ground: the scope, and what may not be touched in it.
        targets: site -> tensor of a plan to follow; None where the cost decides.
    """

    ground: Ground
    targets: Mapping[str, str] | None = None
    _wants: dict[Key, Want] = field(default_factory=dict)
    _heap: list[tuple[int, int, Key]] = field(default_factory=list)

    def place(self, changes: Sequence[tuple[PaddingSite, Mode]]) -> list[Want]:
        """The wants that are to be met anywhere but at the sites themselves, first to last.

        Raises:
            UsageError: a plan wants a padding where it cannot be.
        """
        padded = {site.source for site, _ in changes}
        for site, mode in changes:
            # A Pad that stands in front of another one stays, for the other is built upon it.
            want = None if site.node in padded else self._wanted(site, mode)
            if want is not None:
                self._add(want)
        settled = []
        while self._heap:
            want = self._wants.get(heapq.heappop(self._heap)[2])
            if want is None:
                continue  # met by another on its way
            cut = self._better(want)
            if cut is not None:
                self._move(want, cut)
                continue
            del self._wants[want.key]
            if want.target not in ("", want.cut.tensor):
                raise UsageError(_impossible(want))
            if self._differs(want):
                want.sites.sort(key=self._position)
                settled.append(want)
        return sorted(settled, key=lambda want: self._position(want.sites[0]))

    def _position(self, site: PaddingSite) -> int:
        return self.ground.scope.producers[site.node]

    def _wanted(self, site: PaddingSite, mode: Mode) -> Want | None:
        """What a site wants; None where its padding is to stay with it."""
        scope = self.ground.scope
        target = "" if self.targets is None else self.targets.get(site.identity)
        if target is None or not (mode.copying or mode.name == "linear"):
            return None
        index = scope.producers[site.node]
        plain = site.form in ("pads", "auto_pad", "Pad") and "ceil_mode" not in site.notes
        known = all(a.begin is not None and a.end is not None for a in site.axes)
        movable = plain and known and scope.defines(site.source)
        if not movable or site.source in scope.initializers:
            return None
        if site.form == "Pad" and not is_readable(scope, site.node):
            return None
        if list(scope.nodes[index].input).count(site.source) != 1:
            return None
        amounts, readers = needed(site), frozenset((index,))
        before = cost(self.ground, site.source, amounts)
        if before is None:
            return None
        clean = is_clean(self.ground, site.source, readers)
        return Want(mode, target, Cut(site.source, amounts, readers, clean=clean), [site], before)

    def _add(self, want: Want) -> None:
        there = self._wants.get(want.key)
        if there is None:
            self._wants[want.key] = want
            index = self.ground.scope.producers.get(want.cut.tensor, -1)
            heapq.heappush(self._heap, (-index, len(self._heap), want.key))
            return
        there.join(want)
        there.cut = _joined(there.cut, want.cut)

    def _others(self, want: Want, name: str, amounts: Amounts) -> frozenset[int]:
        other = self._wants.get((name, want.mode, amounts, want.target))
        return frozenset() if other is None else other.cut.readers - other.cut.doubled

    def _better(self, want: Want) -> Cut | None:
        """The cut that is worth moving to, None where the want is to stay."""
        if want.target == want.cut.tensor or not want.cut.amounts:
            return None
        found: Cut | None = None
        here = self._price(want, want.cut) - want.cut.work
        least = here
        others = lambda name, amounts: self._others(want, name, amounts)  # noqa: E731
        affine = want.mode.name == "linear"
        for cut in cuts(self.ground, want.cut, others, affine=affine):
            if want.target:
                if cut.tensor == want.target:
                    return cut
                continue
            price = self._price(want, cut) - want.cut.work
            if price < least:
                found, least = cut, price
            if cut.work - want.cut.work > least:
                break  # what is still further up is not cheaper
        if found is None or here - least < max(LEAST, LEAST_SHARE * min(here, 1e9)):
            return None
        return found

    def _price(self, want: Want, cut: Cut) -> float:
        """Microseconds of the padding there and of the work between; infinite where none may be."""
        if not cut.clean:
            return inf
        met = frozenset() if cut is want.cut else self._others(want, cut.tensor, cut.amounts)
        shared = met or existing_pad(self.ground, cut.tensor, want.mode, cut.amounts, cut.readers)
        here = 0.0 if shared else cost(self.ground, cut.tensor, cut.amounts)
        return inf if here is None else here + cut.work

    def _move(self, want: Want, cut: Cut) -> None:
        """Take a want up to a cut; wants of what is crossed on the way go with it."""
        del self._wants[want.key]
        for name, amounts in cut.inside - want.cut.inside:
            met = self._wants.pop((name, want.mode, amounts, want.target), None)
            if met is not None:
                want.join(met)
                cut = replace(
                    cut, crossed=cut.crossed | met.cut.crossed,
                    inside=cut.inside | met.cut.inside, doubled=cut.doubled | met.cut.doubled,
                )  # fmt: skip
        want.cut = cut
        self._add(want)

    def _differs(self, want: Want) -> bool:
        """Whether meeting a want is anything else than changing its one site by itself."""
        cut = want.cut
        if len(want.sites) > 1 or want.target or cut.amounts != asked(want.sites[0]):
            return True
        if existing_pad(self.ground, cut.tensor, want.mode, cut.amounts, cut.readers):
            return True
        passed = {self.ground.scope.nodes[i].op_type for i in want.cut.crossed}
        return bool(passed) if want.sites[0].form == "Pad" else not passed <= ops.QUANTISE


def _joined(one: Cut, other: Cut) -> Cut:
    """Two cuts at one tensor as one."""
    return replace(
        one, readers=one.readers | other.readers, crossed=one.crossed | other.crossed,
        inside=one.inside | other.inside, doubled=one.doubled | other.doubled,
        work=one.work + other.work, clean=one.clean and other.clean,
    )  # fmt: skip


def needed(site: PaddingSite) -> Amounts:
    """What a site's windows read of its padding: rows at the end that none reads are left out."""
    alone = site.form != "Pad" or ("direct" in site.notes and len(site.readers) == 1)
    found = ((a.axis, a.begin or 0, _read_end(a, trim=alone and site.conv)) for a in site.axes)
    return tuple(amounts for amounts in found if amounts[1:] != (0, 0))


def _read_end(axis: SiteAxis, *, trim: bool) -> int:
    end = axis.end or 0
    if not trim or axis.window is None or axis.size is None:
        return end
    reading = read_axis(axis.size, axis.window, axis.begin or 0, end)
    return end if reading is None else reading.end


def asked(site: PaddingSite) -> Amounts:
    """What a site invents now."""
    return tuple((a.axis, a.begin or 0, a.end or 0) for a in site.axes)


def _impossible(want: Want) -> str:
    return (
        f"the plan puts the padding of {printable(want.sites[0].identity)!r} at "
        f"{printable(want.target)!r}, from where it cannot be had exactly in this model; let the "
        'plan say "place": "site"'
    )
