"""The candidates of the study of modes: one model with each padding in place of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from onnxpad.calibration import calibrate
from onnxpad.errors import OnnxpadError
from onnxpad.joining.request import Request
from onnxpad.model import load_model
from onnxpad.records import PaddingSite
from onnxpad.rewriting import RewriteResult, rewrite
from onnxpad.sites import survey
from onnxpad.studies.each import DoesNotApplyError
from onnxpad.text import count

MODES = ("edge", "reflect", "symmetric", "wrap", "linear", "mean", "partial", "zero")
HALO_MODES = ("edge", "reflect")
HALO = "halo"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to pad.

    Attributes:
        name: as it is shown. mode: the mode's word. halo: pixels, 0 where the layers pad.
        path: the rewritten model; None where there is none, refused says why.
        sites: what was changed, in words. whole: whether nothing that was asked for was refused.
    """

    name: str
    mode: str
    halo: int = 0
    path: Path | None = None
    refused: str = ""
    sites: str = ""
    whole: bool = True


def convolution_sites(path: Path) -> tuple[PaddingSite, ...]:
    """Where its convolutions pad. Raises ModelError, and DoesNotApplyError where they do not."""
    found = tuple(site for site in survey(load_model(path, exact=False)).sites if site.conv)
    if not found:
        raise DoesNotApplyError("no convolution of it pads: there is nothing to change")
    return found


def base_mode(sites: Sequence[PaddingSite]) -> str | None:
    """The mode that is replaced where it is not zero: the one all convolutions have; else None."""
    names = {str(site.mode) for site in sites}
    return names.pop() if len(names) == 1 and names != {"zero"} else None


def wanted(sites: Sequence[PaddingSite], chosen: Sequence[str], halo: int) -> list[Candidate]:
    """The candidates of the modes that differ from what the model does already."""
    modes = {str(site.mode) for site in sites}
    found = [Candidate(m, m) for m in MODES if m in chosen and modes != {m}]
    if HALO in chosen:
        found += [Candidate(f"halo {halo} {mode}", mode, halo) for mode in HALO_MODES]
    return found


def built(
    path: Path, candidates: Sequence[Candidate], source: str | None, request: Request, folder: Path
) -> Iterator[Candidate]:
    """Rewrite the model for each, into a folder; those that cannot be get the reason.

    Args:
        source: the mode to replace where it is not zero.
    """
    for number, one in enumerate(candidates):
        try:
            yield _built(path, one, source, request, folder / f"{number}" / "candidate.onnx")
        except OnnxpadError as error:
            yield replace(one, refused=str(error))


def _built(
    path: Path, one: Candidate, source: str | None, request: Request, target: Path
) -> Candidate:
    means = None
    if one.mode == "mean":
        means = calibrate(
            path, data=request.data, samples=request.samples, seed=request.seed,
            provider=request.provider, threads=request.threads, preprocess=request.preprocess,
            size=request.size,
        )  # fmt: skip
    if one.halo:
        result = rewrite(path, one.mode, halo=one.halo)
    else:
        moved = source if one.mode != "zero" else None
        result = rewrite(path, one.mode, from_mode=moved, means=means)
    if not result.done:
        return replace(one, refused=_why(result))
    target.parent.mkdir()
    result.save(target, self_contained=bool(result.data))
    return _named(replace(one, path=target), result)


def _why(result: RewriteResult) -> str:
    """Why nothing was changed."""
    if result.halo_refusal:
        return result.halo_refusal
    reasons = [kept.reason for kept in result.refused] or [
        kept.reason for kept in result.left if kept.site.conv
    ]
    return reasons[0] if reasons else "nothing to change"


def _named(one: Candidate, result: RewriteResult) -> Candidate:
    if result.halo is not None:
        pixels = max(result.halo.pixels)
        told = f"the input, {pixels} px" + (" (rounded up)" if result.halo.rounded else "")
        return replace(one, name=f"halo {pixels} {one.mode}", sites=told)
    told = count(len(result.changed), "site")
    refused = len(result.refused)
    if refused:
        told += f", {refused} refused"
    return replace(one, sites=told, whole=not refused)
