"""Take the means that mode mean writes: one a channel, on the original, over data."""

from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, ValueInfoProto, helper

from onnxpad.data.framing import Size
from onnxpad.data.plan import plans
from onnxpad.data.preprocess import Preprocess
from onnxpad.data.sample import Skipped, Source
from onnxpad.data.source import open_source
from onnxpad.data.synthetic import feed
from onnxpad.errors import DataError, RunError
from onnxpad.model import load_model
from onnxpad.modes import Mode
from onnxpad.records import PaddingSite
from onnxpad.refusals import refusal
from onnxpad.runtime import Session, choose_provider, open_bytes
from onnxpad.scopes import default_opset
from onnxpad.sites import survey

# Without data: enough scenes that a channel's mean settles.
SYNTHETIC_SAMPLES = 16
DATA_SAMPLES = 256
_PREFIX = "onnxpad_mean_"


def calibrate(
    source: str | Path, *, data: Path | str | None = None, samples: int | None = None,
    seed: int = 0, provider: str = "auto", threads: int | None = None,
    preprocess: Preprocess | None = None, size: Size | None = None,
) -> dict[str, tuple[float, ...]]:  # fmt: skip
    """The mean of every channel of what each padding site pads, over images and positions.

    Args:
        source: the original model's file.
        data: images or arrays; None for synthetic scenes, whose means are only a stand-in.
        samples: how many; None for 16 scenes or at most 256 samples of data.
        preprocess, size: of pictures, as in ``compare``.

    Returns:
        Site identity to one number per channel, for the sites where mode mean can be built.

    Raises:
        ModelError, DataError, RunError: as ``compare``.
    """
    model = load_model(source)
    sites = [s for s in survey(model).sites if refusal(s, Mode("mean")) is None]
    if not sites:
        return {}
    tensors = tuple(dict.fromkeys(site.source for site in sites))
    folder = Path(source).parent if model.data else None
    session = open_bytes(
        _with_means(model.proto, sites, tensors).SerializeToString(),
        provider=choose_provider(provider), threads=threads, label="the original", folder=folder,
    )  # fmt: skip
    given = open_source(data, session.inputs, preprocess=preprocess, size=size, threads=threads)
    means = _run(session, len(tensors), given, samples, seed)
    found = dict(zip(tensors, means, strict=True))
    return {site.identity: found[site.source] for site in sites}


def _with_means(
    proto: ModelProto, sites: list[PaddingSite], tensors: tuple[str, ...]
) -> ModelProto:
    """The model with each tensor's channel means as further outputs, reduced in the graph."""
    opset = default_opset(proto)
    ranks = {site.source: site.rank for site in sites}
    for number, tensor in enumerate(tensors):
        axes = [axis for axis in range(ranks[tensor]) if axis != 1]
        proto.graph.node.extend(_reduce(tensor, f"{_PREFIX}{number}", axes, opset))
        proto.graph.output.append(ValueInfoProto(name=f"{_PREFIX}{number}"))
    return proto


def _reduce(tensor: str, target: str, axes: list[int], opset: int) -> list[NodeProto]:
    if opset < 18:
        return [helper.make_node("ReduceMean", [tensor], [target], axes=axes, keepdims=0)]
    constant = helper.make_node("Constant", [], [f"{target}_axes"], value_ints=axes)
    reduce = helper.make_node("ReduceMean", [tensor, f"{target}_axes"], [target], keepdims=0)
    return [constant, reduce]


def _run(
    session: Session, count: int, source: Source, samples: int | None, seed: int
) -> list[tuple[float, ...]]:
    """Channel means over the samples, each feed weighted by its samples."""
    names = [f"{_PREFIX}{number}" for number in range(count)]
    most = samples or (SYNTHETIC_SAMPLES if source.endless else DATA_SAMPLES)
    filled = None
    for choice in plans(session.inputs, source.known):
        try:
            session.run(feed(choice, seed, 0), names)
        except RunError:
            continue
        filled = choice
        break
    if filled is None:
        raise RunError("the original runs at no size that was tried, so no means could be taken")
    sums: list[Any] = [0.0] * count
    seen = 0
    for item in source.feeds(filled, seed):
        if isinstance(item, Skipped):
            continue
        values = session.run(item.arrays, names)
        sums = [s + values[n].astype(np.float64) * item.count
                for s, n in zip(sums, names, strict=True)]  # fmt: skip
        seen += item.count
        if seen >= most:
            break
    if not seen:
        raise DataError("no sample could be used, so no means could be taken")
    return [tuple(float(v) for v in np.atleast_1d(s / seen)) for s in sums]
