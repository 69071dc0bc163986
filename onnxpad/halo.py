"""Pad the model's input instead of its layers, and crop the surplus away again.

The border that the layers spoil is then one the caller never sees. The halo is a multiple of the
total stride, so that every map stands at the same positions as before, and each crop is a whole
number of its own positions.
"""

import numpy as np
from onnx import NodeProto

from onnxpad.builder import Builder, whole
from onnxpad.compose import PadAxis, pad
from onnxpad.errors import UsageError
from onnxpad.grid import Grid, Grids, OffGridError
from onnxpad.grid_walk import lay
from onnxpad.modes import Mode
from onnxpad.records import Halo
from onnxpad.scopes import Scope
from onnxpad.splice import ScopeEdit
from onnxpad.values import Values
from onnxpad.workshop import Workshop

MODES = ("zero", "constant", "edge", "reflect", "symmetric", "wrap", "linear")
LARGEST = 4096  # pixels per side


def add_halo(scope: Scope, taken: set[str], asked: int, mode: Mode) -> tuple[Halo, ScopeEdit]:
    """Build a halo around the input that the convolutions see.

    Args:
        scope: the main graph.
        taken: names in use; new ones are added.
        asked: pixels per side, at least 1.

    Raises:
        OffGridError: cropping would not be exact in position; says which operator is in the way.
        UsageError: a mode that a halo cannot have, or a size out of range.
    """
    if mode.name not in MODES:
        raise UsageError(f"a halo invents pixels, which {mode} does not; expected {MODES}")
    if not 1 <= asked <= LARGEST:
        raise UsageError(f"a halo of {asked} pixels; expected 1 to {LARGEST}")
    values = Values()
    source, grids = _find(scope, values)
    stride = grids.stride
    pixels = tuple(-(-asked // s) * s for s in stride)
    edit = ScopeEdit(scope)
    shop = Workshop(scope, values, Builder(scope.opset, taken), edit)
    _pad_input(shop, source, grids.of[source], pixels, mode)
    cropped = _crop_pooled(shop, grids, pixels) + _crop_outputs(shop, grids, pixels)
    edit.stale.update(set(grids.of) - {source} - set(grids.outputs))
    halo = Halo(source, mode, asked, pixels, stride, tuple(dict.fromkeys(cropped)))
    return halo, shop.finish()


def _find(scope: Scope, values: Values) -> tuple[str, Grids]:
    """The input that reaches window ops, with its grid; channels first, else last."""
    obstacle = OffGridError("no input reaches a convolution or pool along spatial axes")
    inputs = [i.name for i in scope.container.input if i.name not in scope.initializers]
    for name in inputs:
        shape = scope.info(name).shape
        rank = len(shape) if shape else 0
        if rank < 3:
            continue
        for axes in (tuple(range(2, rank)), tuple(range(1, rank - 1))):
            try:
                grids = lay(scope, values, name, axes)
            except OffGridError as error:
                if "other axes" not in str(error):
                    obstacle = error
                continue
            if len(grids.of) > 1 and (grids.outputs or grids.pooled):
                return name, grids
    raise obstacle


def _pad_input(
    shop: Workshop, source: str, grid: Grid, pixels: tuple[int, ...], mode: Mode
) -> None:
    info = shop.scope.info(source)
    shape = info.shape or ()
    axes = [
        PadAxis(axis, size if isinstance(size := shape[axis], int) else None, whole(n), whole(n))
        for axis, n in zip(grid.axes, pixels, strict=True)
    ]
    shop.build.name_after(source)
    padded = pad(shop.build, source, axes, mode, len(shape), info.dtype)
    shop.place(0)
    _reread(shop, source, padded)


def _reread(shop: Workshop, old: str, new: str) -> None:
    """Let every node of the scope that reads one tensor read another."""
    for index in shop.scope.readers(old):
        node = shop.edit.node(index)
        for position, name in enumerate(node.input):
            if name == old:
                node.input[position] = new


def _crop_pooled(shop: Workshop, grids: Grids, pixels: tuple[int, ...]) -> list[str]:
    """Crop maps in front of the nodes that read them as a whole."""
    cropped: dict[str, str] = {}
    for index, position in grids.pooled:
        name = shop.scope.nodes[index].input[position]
        node: NodeProto = shop.edit.node(index)
        if name not in cropped:
            shop.build.name_after(name)
            cropped[name] = _crop(shop, node.input[position], grids.of[name], pixels, "")
            shop.place(index)
        node.input[position] = cropped[name]
    return list(cropped)


def _crop_outputs(shop: Workshop, grids: Grids, pixels: tuple[int, ...]) -> list[str]:
    """Crop dense outputs: the model's output keeps its name, its producer's gets another."""
    for name in grids.outputs:
        whole_map = shop.build.unique(f"{name}/with_halo")
        index = shop.scope.producers[name]
        node = shop.edit.node(index)
        node.output[list(node.output).index(name)] = whole_map
        _reread(shop, name, whole_map)
        shop.build.name_after(name)
        _crop(shop, whole_map, grids.of[name], pixels, name)
        shop.place(len(shop.scope.nodes))
    return list(grids.outputs)


def _crop(shop: Workshop, tensor: str, grid: Grid, pixels: tuple[int, ...], output: str) -> str:
    """Slice the halo off a map, at the map's own scale."""
    amounts = [int(n * s) for n, s in zip(pixels, grid.scale, strict=True)]
    ends = [-n if n else np.iinfo(np.int64).max for n in amounts]
    axes = list(grid.axes)
    build = shop.build
    if build.opset < 10:
        return build.op(
            "Slice", [tensor], output=output, axes=axes, starts=amounts, ends=[int(e) for e in ends]
        )
    constants = [build.constant(np.array(v, dtype=np.int64)) for v in (amounts, ends, axes)]
    return build.op("Slice", [tensor, *constants], output=output)
