"""Decisions become edits of every scope, and the edits go into the model."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version

from onnx import ModelProto

from onnxpad import shapes
from onnxpad.builder import Builder
from onnxpad.edits import change
from onnxpad.errors import ModelError
from onnxpad.hoisting import hoist
from onnxpad.modes import Mode
from onnxpad.plan import Decision, Plan, Request
from onnxpad.records import PaddingSite, Placement
from onnxpad.scopes import Scope, TensorInfo
from onnxpad.splice import FieldEdit, ScopeEdit, apply, set_metadata
from onnxpad.text import printable
from onnxpad.values import Values
from onnxpad.workshop import Workshop
from onnxpad.writing import PLAN_KEY, VERSION_KEY


def put_in(
    proto: ModelProto, scopes: Sequence[Scope], edits: Sequence[ScopeEdit], plan: Plan
) -> tuple[FieldEdit, ...]:
    """Put the edits into the proto, check its shapes, and sign it."""
    before = {scope.path: scope.infos for scope in scopes}
    records = apply(edits)
    stale = frozenset(name for edit in edits for name in edit.stale)
    _check_shapes(proto, before[(("graph",),)], stale)
    entries = {VERSION_KEY: version("onnxpad"), PLAN_KEY: plan.digest}
    return (*records, set_metadata(proto, entries))


def edit(
    scopes: Sequence[Scope], changes: Sequence[Decision], request: Request
) -> tuple[list[ScopeEdit], dict[str, str], dict[str, Placement]]:
    """(edits, how each site was changed, "" where nothing had to be, where those stand that moved).

    Raises UsageError where a plan places padding where it cannot be.
    """
    values, taken = Values(), names_in_use(scopes) if changes else set[str]()
    how: dict[str, str] = {}
    places: dict[str, Placement] = {}
    edits = []
    for scope in scopes:
        here = [d for d in changes if d.site.scope == scope.path]
        if not here:
            continue
        shop = Workshop(
            scope, values, Builder(scope.opset, taken), ScopeEdit(scope),
            float_pads=bool(request.target), means=request.known_means,
        )  # fmt: skip
        places |= hoist(shop, [(d.site, d.mode) for d in here if d.mode], request.targets)
        for decision in reversed(here):  # zeros fold through the Pads behind them
            site = decision.site
            if site.identity in places:
                how[site.identity] = places[site.identity].how
            elif decision.mode is not None:
                how[site.identity] = change(shop, site, decision.mode)
        edits.append(shop.finish())
    return edits, how, places


def unfolded(site: PaddingSite, mode: Mode | None) -> str:
    """Why zeros stay nodes."""
    if site.invents(Mode("zero")):
        return f"already {mode}; its zeros cannot be the op's own"
    return f"its Pad stands in front of other nodes, and {mode} cannot be the window op's own there"


def names_in_use(scopes: Sequence[Scope]) -> set[str]:
    """Every name of a value or node anywhere in the model: inner scopes see outer names."""
    names: set[str] = set()
    for scope in scopes:
        names.update(scope.initializers, scope.inputs, scope.outputs, scope.producers)
        names.update(scope.consumers)
        names.update(node.name for node in scope.nodes)
        names.update(scope.infos)
    return names


def _check_shapes(
    proto: ModelProto, before: Mapping[str, TensorInfo], stale: frozenset[str]
) -> None:
    """No value that both models have may have changed its shape, but those the edit says."""
    bare = shapes.without_weights(proto)
    del bare.graph.value_info[:]
    for output in bare.graph.output:
        output.type.tensor_type.ClearField("shape")
    after = shapes.main_infos(bare)[(("graph",),)]
    for name, info in after.items():
        old = before.get(name)
        if name in stale or old is None:
            continue
        if shapes.contradict(old.shape, info.shape):
            raise ModelError(
                f"the rewrite would change the shape of {printable(name)!r} from {old.shape} to "
                f"{info.shape}; this is a fault of onnxpad, please report it"
            )
