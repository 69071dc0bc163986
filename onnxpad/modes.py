"""The table of padding modes: what each invents, and what it needs.

A mode that differs from another only in its numbers differs by a row here. How a mode becomes
nodes stands in compose.py; which combinations are refused stands in refusals.py.
"""

from dataclasses import dataclass
from math import isfinite, isnan

from onnxpad.errors import UsageError, expect


@dataclass(frozen=True, slots=True)
class ModeKind:
    """One row of the table.

    Attributes:
        name: the word used everywhere.
        invents: one sentence: the values it puts outside the border, for x = a b c d.
        copying: whether every invented value is a copy of a real one.
        pad_since: opset from which ONNX's Pad operator has it; None if it never had.
        pad_name: the operator's own word for it.
        reads_far: whether invented values at the begin border copy elements further inside than
            the border itself (and so, on a time axis, from the future).
    """

    name: str
    invents: str
    copying: bool = False
    pad_since: int | None = None
    pad_name: str = ""
    reads_far: bool = False


KINDS: tuple[ModeKind, ...] = (
    ModeKind("zero", "zeros: 0 0 | a b c d | 0 0", pad_since=2, pad_name="constant"),
    ModeKind("constant", "one number: v v | a b c d | v v", pad_since=2, pad_name="constant"),
    ModeKind("edge", "the border again: a a | a b c d | d d", True, 2, "edge"),
    ModeKind(
        "reflect",
        "mirrored at the border element: c b | a b c d | c b",
        True,
        2,
        "reflect",
        reads_far=True,
    ),
    ModeKind("symmetric", "mirrored at the border line: b a | a b c d | d c", True, reads_far=True),
    ModeKind("wrap", "the other side: c d | a b c d | a b", True, 19, "wrap", reads_far=True),
    ModeKind(
        "linear",
        "mirrored and turned: 2a-c 2a-b | a b c d | 2d-c 2d-b "
        "(numpy.pad reflect, reflect_type='odd')",
        reads_far=True,
    ),
    ModeKind("mean", "the channel's mean over calibration data: m m | a b c d | m m"),
    ModeKind(
        "partial",
        "nothing: the convolution is rescaled by window cells / real cells "
        "(partial convolution, Liu et al. 2018)",
    ),
)

_BY_NAME = {kind.name: kind for kind in KINDS}
MODE_NAMES = tuple(_BY_NAME)

# Words other tools use, so that a wrong guess gets a useful answer instead of a bare "unknown".
_ELSEWHERE = {
    "zeros": "zero",
    "replicate": "edge",
    "circular": "wrap",
    "mirror": "reflect",
    "periodic": "wrap",
    "same": "zero",
}


@dataclass(frozen=True, slots=True, order=True)
class Mode:
    """A padding mode with its parameter; ``value`` is used by constant only."""

    name: str
    value: float = 0.0

    @property
    def kind(self) -> ModeKind:
        """The mode's row in the table."""
        return _BY_NAME[self.name]

    @property
    def copying(self) -> bool:
        """Whether every invented value is a copy of a real one."""
        return self.kind.copying

    def __str__(self) -> str:
        """The spelling that ``parse_mode`` reads back."""
        if self.name != "constant":
            return self.name
        return "constant:unknown" if isnan(self.value) else f"constant:{self.value!r}"


def parse_mode(text: str) -> Mode:
    """Read ``edge``, ``reflect``, ..., ``constant:0.5``.

    Raises:
        UsageError: unknown word, or constant without a finite number.
    """
    expect(text, str, "a mode", "a word such as 'edge'")
    name, colon, number = text.strip().partition(":")
    if name == "constant":
        return _constant(text, number)
    if name not in _BY_NAME or colon:
        hint = f"; its name here is {_ELSEWHERE[name]}" if name in _ELSEWHERE else ""
        raise UsageError(
            f"unknown mode {text!r}{hint}; expected one of {', '.join(MODE_NAMES)} "
            "(constant takes its number after a colon, constant:0.5)"
        )
    return Mode(name)


def _constant(text: str, number: str) -> Mode:
    try:
        value = float(number)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise UsageError(f"mode {text!r} needs a finite number after a colon, like constant:0.5")
    return Mode("zero") if value == 0 else Mode("constant", value)
