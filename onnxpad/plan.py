"""Decide which site gets which mode; plans as data that can be saved and compared."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from math import inf, isfinite

from onnxpad.errors import UsageError, expect
from onnxpad.modes import Mode
from onnxpad.records import PaddingSite
from onnxpad.refusals import pointless, refusal
from onnxpad.targets import FLOAT_PADS
from onnxpad.text import printable

# Site -> one number per channel.
Means = Mapping[str, tuple[float, ...]]

SCHEMA = "onnxpad.plan/1"
PLACES = ("auto", "site")
DEFAULT_PLACE = "auto"


@dataclass(frozen=True, slots=True)
class Plan:
    """Which sites get which mode; sites that are not named stay as they are.

    Attributes:
        modes: (site, mode) pairs. means: (site, number per channel) of the sites with mode mean.
        places: (site, tensor) of the sites whose padding is done at another tensor.
        halo: (input, mode, pixels per side as asked for), if any.
    """

    modes: tuple[tuple[str, Mode], ...]
    halo: tuple[str, Mode, int] | None = None
    means: tuple[tuple[str, tuple[float, ...]], ...] = ()
    places: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> str:
        """The plan as a file's text; equal plans give equal bytes."""
        sites: list[dict[str, object]] = [
            {"site": site, "mode": str(mode), "place": "site"} for site, mode in self.modes
        ]
        means, places = dict(self.means), dict(self.places)
        for entry in sites:
            if entry["site"] in places:
                entry |= {"place": "hoisted", "at": places[str(entry["site"])]}
            if entry["site"] in means:
                entry["means"] = list(means[str(entry["site"])])
        if self.halo is not None:
            source, mode, pixels = self.halo
            sites.append({"site": source, "mode": str(mode), "place": "halo", "pixels": pixels})
        return json.dumps({"schema": SCHEMA, "sites": sites}, indent=2, ensure_ascii=False) + "\n"

    @property
    def digest(self) -> str:
        """SHA-256 of the plan's text; models that onnxpad wrote carry it."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for.

    Attributes:
        mode: the mode for every selected site; None if a plan or assignments say it all.
        only, skip: globs over site identities; a site must match one of only and none of skip.
        assigned: (glob, mode) pairs, later ones win; they select their sites by themselves.
        source: change the sites that are in this mode now (None: zero; any, if mode is zero).
        pools: change pools too.
        fallback: mode for sites where the asked mode is refused.
        allow_noncausal: let causal padding be replaced by modes that read the future.
        plan: a plan to follow in place of ``mode``.
        halo: pixels per side to pad the input with, in place of any site; 0 for none.
        means: what mode mean writes, by site.
        place: "site", or "auto" to move padding to where it costs least; "" follows the plan.
        target: a runtime to build for: cuda and tensorrt have no integer Pad.
    """

    mode: Mode | None = None
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    assigned: tuple[tuple[str, Mode], ...] = ()
    source: Mode | None = None
    pools: bool = False
    fallback: Mode | None = None
    allow_noncausal: bool = False
    plan: Plan | None = None
    halo: int = 0
    target: str = ""
    means: Means | None = None
    place: str = ""

    @property
    def targets(self) -> Mapping[str, str] | None:
        """Site -> tensor to pad in its place, as a plan says; None where cost decides."""
        if self.plan is not None:
            return dict(self.plan.places)
        return None if (self.place or DEFAULT_PLACE) == "auto" else {}

    @property
    def known_means(self) -> Means:
        """What was calibrated, by the caller or by the plan."""
        return {**(dict(self.plan.means) if self.plan else {}), **(self.means or {})}

    def check(self) -> None:
        """Raise UsageError where parts of the request are malformed or contradict each other."""
        expect(self.halo, int, "halo", "pixels as a whole number")
        expect(self.target, str, "target", "a word")
        expect(self.means or {}, Mapping, "means", "a mapping of sites to numbers")
        if self.target not in ("", *FLOAT_PADS):
            raise UsageError(
                f"unknown target {printable(self.target)!r}; expected {' or '.join(FLOAT_PADS)}"
            )
        if self.place not in ("", *PLACES):
            raise UsageError(
                f"unknown place {printable(self.place)!r}; expected {' or '.join(PLACES)}"
            )
        if self.place and self.plan is not None:
            raise UsageError("a plan says itself where padding is placed; leave out --place")
        if self.mode is not None and self.plan is not None:
            raise UsageError("a mode and a plan were both given; give one of them")
        if not self.halo:
            return
        sites = (
            self.only,
            self.skip,
            self.assigned,
            self.source,
            self.fallback,
            self.plan,
            self.place,
        )
        if self.mode is None or self.pools or any(sites):
            raise UsageError(
                "--halo pads the model's input and leaves its layers alone: it takes --mode, and "
                "no option that selects sites"
            )


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to one site: "change" to a mode, "leave" or "refuse" for a reason."""

    site: PaddingSite
    action: str
    mode: Mode | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Decisions:
    """One decision a site, in the order of the sites."""

    all: tuple[Decision, ...] = field(default=())

    def plan(self, means: Means | None = None) -> Plan:
        """The plan that these decisions amount to."""
        changed = ((d.site.identity, d.mode) for d in self.all if d.action == "change")
        modes = tuple((site, mode) for site, mode in changed if mode is not None)
        used = ((site, (means or {}).get(site)) for site, mode in modes if mode.name == "mean")
        return Plan(modes, means=tuple((site, numbers) for site, numbers in used if numbers))


def decide(sites: Sequence[PaddingSite], request: Request) -> Decisions:
    """Decide what happens to each site.

    Raises:
        UsageError: nothing was asked for, or a glob or a plan names a site that is not there.
    """
    if request.mode is None and request.plan is None and not request.assigned:
        raise UsageError("no mode was given; name one, for example --mode edge")
    identities = [site.identity for site in sites]
    for glob in (*request.only, *request.skip, *(glob for glob, _ in request.assigned)):
        _must_match(glob, identities)
    named = dict(request.plan.modes) if request.plan else {}
    for identity in named:
        if identity not in identities:
            _unknown_site(f"the plan names the site {printable(identity)!r}", identities)
    for glob, mode in request.assigned:
        named |= {identity: mode for identity in identities if matches(identity, glob)}
    decisions = [_decide(site, request, named.get(site.identity)) for site in sites]
    for one in decisions:
        wanted = one.action == "change" and one.mode is not None and one.mode.name == "mean"
        if wanted and one.site.identity not in request.known_means:
            raise UsageError(
                f"mode mean needs the channel means of {printable(one.site.identity)!r}, taken on "
                "data: onnxpad.calibrate gives them"
            )
    return Decisions(tuple(decisions))


def matches(identity: str, glob: str) -> bool:
    """Whether a site's identity is, or matches, what the user typed (names can hold brackets)."""
    return identity == glob or fnmatchcase(identity, glob)


def _must_match(glob: str, identities: Sequence[str]) -> None:
    if not any(matches(identity, glob) for identity in identities):
        _unknown_site(f"{printable(glob)!r} matches no padding site", identities)


def _unknown_site(problem: str, identities: Sequence[str]) -> None:
    known = ", ".join(repr(printable(i, 60)) for i in identities[:3]) or "none"
    more = f" and {len(identities) - 3} more" if len(identities) > 3 else ""
    raise UsageError(f"{problem}; the model has {known}{more} (onnxpad sites lists them)")


def _decide(site: PaddingSite, request: Request, named: Mode | None) -> Decision:
    if request.only and not any(matches(site.identity, glob) for glob in request.only):
        return Decision(site, "leave", reason="not selected by --only")
    if any(matches(site.identity, glob) for glob in request.skip):
        return Decision(site, "leave", reason="skipped by --skip")
    mode = named or request.mode
    if mode is None:
        return Decision(site, "leave", reason="not among the sites that are named")
    if named is None and (reason := _not_meant(site, mode, request)):
        return Decision(site, "leave", reason=reason)
    if site.invents(mode) and (mode.name != "zero" or site.form not in ("Pad", "composed")):
        return Decision(site, "leave", reason=f"already {mode}")
    return _allowed(site, mode, request)


def _not_meant(site: PaddingSite, mode: Mode, request: Request) -> str:
    """Why a site is not among those that ``mode`` is meant for, "" if it is."""
    if not site.conv and not request.pools:
        return "a pool; --pools or --set changes it"
    if site.invents(mode):
        return ""  # said as "already" further on
    if request.source is not None:
        wanted = site.invents(request.source)
        return "" if wanted else f"it is {site.mode}, not {request.source} (--from)"
    if mode.name == "zero" or site.mode.name == "zero" or _is_pools_own(site):
        return ""
    if not isfinite(site.mode.value):
        return f"it is {site.mode} already; --set changes it"
    return f"it is {site.mode} already; --from {site.mode} changes it"


def _is_pools_own(site: PaddingSite) -> bool:
    """Whether it is what pools pad with by themselves: nothing, or what loses to all."""
    return not site.conv and site.mode in (Mode("partial"), Mode("constant", -inf))


def _allowed(site: PaddingSite, mode: Mode, request: Request) -> Decision:
    row = refusal(site, mode, allow_noncausal=request.allow_noncausal)
    if row is None and (reason := pointless(site, mode)):
        return Decision(site, "leave", reason=reason)
    if row is None:
        return Decision(site, "change", mode)
    fallback = request.fallback
    if fallback is None or fallback == mode:
        return Decision(site, "refuse", mode, row.reason)
    if site.invents(fallback):
        return Decision(site, "leave", reason=f"{mode} is refused ({row.reason}); it is {fallback}")
    second = refusal(site, fallback, allow_noncausal=request.allow_noncausal)
    if second is not None:
        return Decision(site, "refuse", mode, f"{row.reason}; nor {fallback}: {second.reason}")
    return Decision(site, "change", fallback, f"{fallback} in place of {mode}: {row.reason}")
