"""Find every padding site of a model: facts, no judgement.

A padding site is one place where a graph invents pixels on spatial axes: a window op's own pads,
its auto_pad, a Pad (or a composition of Slice, Gather and Concat that pads) whose values reach a
window op. Pads that serve anything else come back as ``OtherPad`` with the reason.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

from onnx import ModelProto

from onnxpad import ops
from onnxpad.geometry import Window, same_pads
from onnxpad.indexing import index
from onnxpad.model import Model, blaming, load_model
from onnxpad.modes import Mode
from onnxpad.pad_sites import composed_site, pad_site
from onnxpad.recognise import composed_paddings
from onnxpad.records import OtherPad, PaddingSite, SiteAxis, Survey
from onnxpad.rescaling import ScaledAxis, rescaling
from onnxpad.scopes import Scope, identities
from onnxpad.values import Values, attributes
from onnxpad.window_sites import window_site


def find_sites(source: str | Path | ModelProto) -> tuple[PaddingSite, ...]:
    """The padding sites of a model, in the order of its nodes.

    Raises:
        ModelError: the model cannot be read.
    """
    return survey(load_model(source, exact=False)).sites


def survey(model: Model) -> Survey:
    """Find the padding sites of a model and the Pads that are none."""
    with blaming(model):
        return survey_scopes(index(model.proto, model.folder))


def survey_scopes(scopes: tuple[Scope, ...]) -> Survey:
    """The same over scopes that were indexed already."""
    values = Values()
    sites: list[PaddingSite] = []
    others: list[OtherPad] = []
    counted = transposed = 0
    for scope in scopes:
        names = identities(scope)
        composed = {c.output: c for c in composed_paddings(scope, values)}
        counting: set[int] = set()
        here: list[tuple[int, PaddingSite]] = []
        for position, node in enumerate(scope.nodes):
            op = ops.window_op(node)
            counted += op is not None
            transposed += node.op_type == "ConvTranspose"
            found: PaddingSite | OtherPad | None = None
            if op is not None and node.input:
                found = window_site(scope, node, op)
            elif ops.key(node) == ("", "Pad") and node.output:
                found = pad_site(scope, values, node)
            elif node.output and node.output[0] in composed:
                found = composed_site(scope, values, node, composed[node.output[0]])
            if isinstance(found, PaddingSite):
                scaling = _rescaling(scope, values, found)
                counting |= scaling or set()
                mode = found.mode if scaling is None else Mode("partial")
                here.append((position, replace(found, identity=names[position], mode=mode)))
            elif found is not None:
                others.append(replace(found, identity=names[position]))
        sites += [site for position, site in here if position not in counting]
    return Survey(tuple(sites), tuple(others), counted, transposed)


def _rescaling(scope: Scope, values: Values, site: PaddingSite) -> frozenset[int] | None:
    """The nodes that rescale a site's convolution, None where it is no partial convolution."""
    if site.mode.name != "zero" or site.reader_ops != ("Conv",):
        return None
    conv = scope.nodes[scope.producers[site.readers[0]]]
    lower = attributes(conv).get("auto_pad") == b"SAME_LOWER"
    axes = tuple(
        ScaledAxis(a.axis, a.size, a.window, partial(_pads_at, a, a.window, lower))
        for a in site.axes
        if a.window is not None and (site.form == "auto_pad" or a.begin is not None)
    )
    if len(axes) != len(site.axes):
        return None
    return rescaling(scope, values, conv, site.source, site.rank, axes)


def _pads_at(axis: SiteAxis, window: Window, lower: bool, size: int) -> tuple[int, int]:
    """An axis's amounts if its size were this."""
    if axis.begin is None or axis.end is None:
        return same_pads(size, window, lower=lower)
    return axis.begin, axis.end
