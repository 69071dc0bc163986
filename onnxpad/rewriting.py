"""Apply a plan to a model: the padding changes and nothing else.

The result remembers its edits, so that the original's bytes can be had back from the rewritten
model alone.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from onnx import ModelProto

from onnxpad.applying import edit, names_in_use, put_in, unfolded
from onnxpad.arguments import assignments, globs
from onnxpad.errors import UsageError, expect
from onnxpad.grid import OffGridError
from onnxpad.halo import add_halo
from onnxpad.indexing import index
from onnxpad.model import Model, blaming, load_model
from onnxpad.modes import Mode, parse_mode
from onnxpad.plan import Decision, Means, Plan, Request, decide
from onnxpad.plan_file import read_plan
from onnxpad.records import Changed, Halo, Kept, OtherPad, Survey
from onnxpad.scopes import Scope
from onnxpad.sites import survey_scopes
from onnxpad.splice import FieldEdit, ScopeEdit, undo
from onnxpad.text import printable
from onnxpad.writing import Output, check_target, staged


@dataclass(frozen=True, slots=True)
class RewriteResult:
    """What a rewrite did.

    Attributes:
        model: the rewritten model; external data is referred to, not loaded.
        changed, left, refused: every padding site, each in one of them.
        others: Pads that are no padding sites, and why.
        plan: what was done, to be saved and applied again.
        canonical: whether undoing gives the file's own bytes; else its canonical ones.
        original: the model's file, None if it came as a proto.
        data: its external data files, as ``Model.data``.
        edits: how to undo each edit.
        halo: the halo that was built; halo_refusal: why one that was asked for was not.
    """

    model: ModelProto
    changed: tuple[Changed, ...]
    left: tuple[Kept, ...]
    refused: tuple[Kept, ...]
    others: tuple[OtherPad, ...]
    plan: Plan
    canonical: bool
    original: Path | None
    data: tuple[tuple[str, Path], ...]
    edits: tuple[FieldEdit, ...]
    halo: Halo | None = None
    halo_refusal: str = ""

    @property
    def done(self) -> bool:
        """Whether anything was changed."""
        return bool(self.changed or self.halo)

    @property
    def refusals(self) -> int:
        """How much of what was asked for was refused."""
        return len(self.refused) + bool(self.halo_refusal)

    def undo(self, proto: ModelProto) -> ModelProto:
        """The original again, from the rewritten model (parsed from its file, say) alone.

        Raises:
            UsageError: the model is not the one this rewrite made.
        """
        expect(proto, ModelProto, "undo", "the rewritten model as an onnx.ModelProto")
        return undo(proto, self.edits)

    @property
    def output(self) -> Output:
        """What is to be written."""
        return Output(self.model, self.original, self.done, self.data)

    def save(
        self, path: str | os.PathLike[str], *, force: bool = False, self_contained: bool = False
    ) -> Path:
        """Write the rewritten model; the name is given only to a file that passed the checks.

        Args:
            path: where to; never the original itself.
            force: replace a file that onnxpad did not write.
            self_contained: copy external data beside it, which another folder needs.

        Raises:
            UsageError: the path is the original's, or holds somebody else's file.
            WriteError: the file cannot be written.
            ModelError: the result does not pass onnx's checker though the original does.
        """
        expect(path, (str, os.PathLike), "save", "a path")
        target = Path(path)
        check_target(self.output, target, force=force, self_contained=self_contained)
        with staged(self.output, target, force=force, self_contained=self_contained) as stage:
            stage.commit()
        return target


def rewrite(
    source: str | Path | ModelProto,
    mode: str | None = None,
    *,
    plan: Plan | str | Path | None = None,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    set: Mapping[str, str] | Sequence[tuple[str, str]] = (),  # noqa: A002  # the flag's own name
    from_mode: str | None = None,
    pools: bool = False,
    fallback: str | None = None,
    allow_noncausal: bool = False,
    halo: int = 0,
    target: str = "",
    means: Means | None = None,
    place: str = "",
) -> RewriteResult:
    """Change the padding of a model. Neither the file nor the proto handed over is changed.

    Args:
        source: path of an .onnx file, or a ModelProto.
        mode: zero, constant:V, edge, reflect, symmetric, wrap, linear or partial; for the zero
            padding of convolutions, unless the arguments below say otherwise.
        plan: a plan (or its file) to follow in place of ``mode``.
        only, skip: globs over site identities.
        set: glob to mode; selects sites by itself, later entries win.
        from_mode: change the sites in this mode instead of zero.
        pools: change pools too.
        fallback: mode for sites where ``mode`` is refused.
        allow_noncausal: let causal padding be replaced by modes that read the future.
        halo: pad the model's input by so many pixels per side instead of its layers, and crop
            them away again at the outputs or in front of global pooling.
        target: "cuda" or "tensorrt", which have no integer Pad: pad in front of Q then.
        means: what mode mean writes, site to one number per channel, as ``calibrate`` gives it.
        place: "site" pads where it is read; "auto" moves copying padding to where it costs least,
            with the same results. By default a plan's own places, else "auto".

    Raises:
        ModelError: the model cannot be read.
        UsageError: unknown mode, a glob or plan that names no site, or nothing asked for.
    """
    request = Request(
        mode=parse_mode(mode) if mode else None,
        only=globs(only, "only"),
        skip=globs(skip, "skip"),
        assigned=assignments(set),
        source=parse_mode(from_mode) if from_mode else None,
        pools=pools,
        fallback=parse_mode(fallback) if fallback else None,
        allow_noncausal=allow_noncausal,
        plan=plan if isinstance(plan, Plan) or plan is None else read_plan(plan),
        halo=halo,
        target=target,
        means=means,
        place=place,
    )
    request.check()
    model = load_model(source)
    with blaming(model):
        return rewrite_model(model, request)


def rewrite_model(model: Model, request: Request) -> RewriteResult:
    """Apply a request to a model that was loaded for it: the model's proto becomes the result."""
    scopes = index(model.proto, model.folder)
    found = survey_scopes(scopes)
    wanted = _halo_wanted(request)
    if wanted is not None:
        return _rewrite_halo(model, scopes, found, *wanted)
    decisions = decide(found.sites, request)
    changes = [d for d in decisions.all if d.action == "change" and d.mode is not None]
    edits, how, places = edit(scopes, changes, request)
    plan = replace(
        decisions.plan(request.known_means),
        places=tuple((site, place.tensor) for site, place in places.items()),
    )
    changed = tuple(
        Changed(d.site, d.mode, how[d.site.identity], d.reason, places.get(d.site.identity))
        for d in changes
        if d.mode is not None and how[d.site.identity]
    )
    kept = [d for d in decisions.all if d.action == "leave"] + [
        Decision(d.site, "leave", d.mode, unfolded(d.site, d.mode))
        for d in changes
        if not how[d.site.identity]
    ]
    return RewriteResult(
        model.proto, changed,
        tuple(Kept(d.site, d.reason) for d in kept),
        tuple(Kept(d.site, d.reason) for d in decisions.all if d.action == "refuse"),
        found.others, plan, model.canonical, model.path, model.data,
        put_in(model.proto, scopes, edits, plan) if changed else (),
    )  # fmt: skip


def _halo_wanted(request: Request) -> tuple[str, Mode, int] | None:
    """(input or "" for any, mode, pixels) of the halo that was asked for, by option or by plan."""
    if request.plan is not None and request.plan.halo is not None:
        return request.plan.halo
    return ("", request.mode, request.halo) if request.halo and request.mode else None


def _rewrite_halo(
    model: Model, scopes: Sequence[Scope], found: Survey, source: str, mode: Mode, asked: int
) -> RewriteResult:
    """Pad the input; every site stays. What stands in the way is told in the result."""
    plan, halo, refusal = Plan(()), None, ""
    edits: list[ScopeEdit] = []
    try:
        halo, edit = add_halo(scopes[0], names_in_use(scopes), asked, mode)
        if source not in ("", halo.source):
            raise UsageError(
                f"the plan pads the input {printable(source)!r}, which is not the one that the "
                f"model's convolutions see ({printable(halo.source)!r})"
            )
        plan, edits = Plan((), (halo.source, mode, asked)), [edit]
    except OffGridError as error:
        refusal = f"no halo can be cropped away exactly: {error}"
    left = tuple(Kept(site, "a halo leaves the layers as they are") for site in found.sites)
    return RewriteResult(
        model.proto, (), left, (), found.others, plan, model.canonical, model.path, model.data,
        put_in(model.proto, scopes, edits, plan) if halo else (), halo, refusal,
    )  # fmt: skip
