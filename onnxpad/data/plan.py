"""The shape and the role of every input of a model: what to feed it.

A model declares names, types and some sizes; the rest is chosen here, likeliest first, and the
caller tries the choices until one runs.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

from onnxpad.data.layout import IMAGE_CHANNELS, Layout, guess
from onnxpad.errors import DataError
from onnxpad.runtime import TensorInfo
from onnxpad.text import printable

# Sizes for free spatial axes by their number: multiples of 32, which encoders divide by; for
# sound a second at 16 kHz, then the frames streaming models take.
_SIZES = {1: (16000, 512, 1024, 4096, 64), 2: (224, 256, 64, 512, 32), 3: (32, 64, 16, 96, 128)}
_TOKENS = 16
# An untrusted model may declare any size: refuse before allocating more than this per input.
MAX_ELEMENTS = 2**28

_STATE = re.compile(r"state|hidden|cache|memory|past|^[hc]_?(0|n|in|prev)?$")
_RATE = re.compile(r"^(sr|fs)$|sampl\w*_?rate")
_LENGTH = re.compile(r"len(gth)?s?$|_len")
_TRAINING = re.compile(r"train")
_MASK = re.compile(r"mask")
# The first row that fits a name and a number of axes below the given one decides.
_NAMED = ((_RATE, 2, "rate"), (_LENGTH, 2, "length"), (_STATE, 9, "state"), (_MASK, 9, "ones"))


@dataclass(frozen=True, slots=True)
class InputPlan:
    """One input, every size known.

    Attributes:
        info: as the model declares it.
        shape: sizes to feed.
        role: "scene" (pictures, volumes), "signal" (1-D), "state" (zeros), "rate" (16000),
            "length" (the longest size), "ones", "off" (False) or "tokens" (small integers).
        layout: axes of a scene or signal, None for the others.
    """

    info: TensorInfo
    shape: tuple[int, ...]
    role: str
    layout: Layout | None

    @property
    def batch(self) -> int:
        """Samples in one feed; 1 where the input has no batch axis."""
        return 1 if self.layout is None or self.layout.batch is None else self.shape[0]


def main_input(plans: tuple[InputPlan, ...]) -> InputPlan | None:
    """The input that holds the data: the first scene, else the first signal."""
    for role in ("scene", "signal"):
        for plan in plans:
            if plan.role == role:
                return plan
    return None


def plans(
    inputs: tuple[TensorInfo, ...], known: Mapping[str, tuple[int, ...]] | None = None
) -> Iterator[tuple[InputPlan, ...]]:
    """Ways to fill the free dimensions, likeliest first, no two alike.

    Args:
        inputs: numeric ones.
        known: whole shapes of inputs whose samples exist already.

    Raises:
        DataError: an input would take more than MAX_ELEMENTS elements.
    """
    roles = _roles(inputs)
    seen: set[tuple[InputPlan, ...]] = set()
    for channels in IMAGE_CHANNELS:
        for step in range(max(map(len, _SIZES.values()))):
            plan = _fill(inputs, roles, known or {}, step, channels)
            if plan not in seen:
                seen.add(plan)
                yield plan


def _roles(inputs: tuple[TensorInfo, ...]) -> tuple[str, ...]:
    roles = [_role(info) for info in inputs]
    if not any(role in ("scene", "signal") for role in roles):
        # A lone "hidden_states" is the data, whatever its name says.
        for i, info in enumerate(inputs):
            if roles[i] == "state" and len(info.shape) >= 2:
                roles[i] = _data_role(info)
    return tuple(roles)


def _role(info: TensorInfo) -> str:
    name, rank = info.name.lower(), len(info.shape)
    if info.dtype == "bool":
        return "off" if _TRAINING.search(name) else "ones"
    for words, below, role in _NAMED:
        if rank < below and words.search(name):
            return role
    if info.dtype.lstrip("u").startswith("int"):
        # Small integers of three axes are pictures without a batch; other short ones are words.
        pictures = rank > 3 or (rank == 3 and info.dtype.endswith("int8"))
        return _data_role(info) if pictures else "tokens"
    return _data_role(info) if rank else "ones"


def _data_role(info: TensorInfo) -> str:
    layout = guess(info.shape)
    return "scene" if layout is not None and len(layout.spatial) > 1 else "signal"


def _fill(
    inputs: tuple[TensorInfo, ...],
    roles: tuple[str, ...],
    known: Mapping[str, tuple[int, ...]],
    step: int,
    channels: int,
) -> tuple[InputPlan, ...]:
    symbols: dict[str, int] = {}
    for info in inputs:
        for dim, size in zip(info.shape, known.get(info.name, ()), strict=False):
            if isinstance(dim, str):
                symbols.setdefault(dim, size)
    filled: dict[int, InputPlan] = {}
    # Data first: its sizes decide those that other inputs name alike.
    order = sorted(range(len(inputs)), key=lambda i: roles[i] not in ("scene", "signal"))
    for i in order:
        info, role = inputs[i], roles[i]
        layout = guess(info.shape) if role in ("scene", "signal") else None
        if role == "signal" and layout is None:
            layout = Layout(None, None, (0,))
        wanted = known.get(info.name) or _sizes(info, role, layout, step, channels)
        shape = _bind(info, wanted, symbols, fixed=info.name in known)
        filled[i] = InputPlan(info, shape, role, layout)
    return tuple(filled[i] for i in range(len(inputs)))


def _sizes(
    info: TensorInfo, role: str, layout: Layout | None, step: int, channels: int
) -> tuple[int, ...]:
    """A size for every axis, used where the model leaves it free."""
    rank = len(info.shape)
    if layout is None:
        free = _TOKENS if role in ("tokens", "ones") else 1
        return tuple(1 if axis == 0 else free for axis in range(rank))
    choices = _SIZES.get(len(layout.spatial), (8,))
    size = choices[min(step, len(choices) - 1)]
    if role == "signal":
        channels = 1
    return tuple(
        size if axis in layout.spatial else channels if axis == layout.channel else 1
        for axis in range(rank)
    )


def _bind(
    info: TensorInfo, wanted: tuple[int, ...], symbols: dict[str, int], *, fixed: bool
) -> tuple[int, ...]:
    """Declared sizes where there are any, one size for each symbol, the wanted ones elsewhere."""
    asked: dict[str, set[int]] = {}
    for dim, size in zip(info.shape, wanted, strict=True):
        if isinstance(dim, str):
            asked.setdefault(dim, set()).add(size)
    shape: list[int] = []
    for dim, size in zip(info.shape, wanted, strict=True):
        # One word ("?") for batch, height and width is no symbol but a way to say "free".
        if fixed or dim is None or (isinstance(dim, str) and len(asked[dim]) > 1):
            shape.append(size)
        else:
            shape.append(dim if isinstance(dim, int) else symbols.setdefault(dim, size))
    if prod(shape) > MAX_ELEMENTS:
        raise DataError(
            f"input {printable(info.name)} of {'×'.join(map(str, shape))} elements is too large "
            f"to be filled with samples (more than {MAX_ELEMENTS})"
        )
    return tuple(shape)
