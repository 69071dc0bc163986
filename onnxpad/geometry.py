"""Window arithmetic along one axis: integers only, no ONNX.

Names follow the ONNX operator documents: *begin* is left or top, *end* is right or bottom. Every
function treats one spatial axis; a window op is the product of its axes.
"""

from dataclasses import dataclass
from math import gcd


@dataclass(frozen=True, slots=True)
class Window:
    """A sliding window along one axis, in elements.

    Attributes:
        kernel: taps of the window, at least 1.
        stride: step between windows, at least 1.
        dilation: distance between taps, at least 1.
    """

    kernel: int
    stride: int = 1
    dilation: int = 1

    @property
    def extent(self) -> int:
        """Elements from the first to the last tap, both counted: d(k - 1) + 1."""
        return self.dilation * (self.kernel - 1) + 1


def out_size(size: int, window: Window, begin: int = 0, end: int = 0, *, ceil: bool = False) -> int:
    """Number of window positions on an axis of ``size`` elements, never below 0.

    With ``ceil`` (ceil_mode of the pools) a window may hang over the padded end, but a window
    that would start in the end padding or beyond is dropped, as ONNX Runtime and PyTorch do.
    """
    span = size + begin + end - window.extent
    if span < 0 and not ceil:
        return 0
    steps = -(-span // window.stride) if ceil else span // window.stride
    count = steps + 1
    if ceil and (count - 1) * window.stride >= size + begin:
        count -= 1
    return max(count, 0)


def same_pads(size: int, window: Window, *, lower: bool) -> tuple[int, int]:
    """(begin, end) of auto_pad SAME_UPPER, or SAME_LOWER with ``lower``.

    The output has ceil(size / stride) positions; an odd total puts the extra element at the end
    (upper) or at the begin (lower). Dilation is counted.
    """
    out = -(-size // window.stride)
    total = max((out - 1) * window.stride + window.extent - size, 0)
    small, large = total // 2, total - total // 2
    return (large, small) if lower else (small, large)


def same_pads_any_size(window: Window, *, lower: bool) -> tuple[int, int] | None:
    """The pads of auto_pad SAME where they do not depend on the size, else None.

    With stride 1 they do not; and a window of one element never needs any.
    """
    fixed = window.stride == 1 or window.extent == 1
    return same_pads(window.extent, window, lower=lower) if fixed else None


def end_extent(
    size: int, window: Window, begin: int = 0, end: int = 0, *, ceil: bool = False
) -> int:
    """Elements beyond ``size`` with which the op, padding nothing itself, has the same windows.

    That is ``end``, or with ceil_mode what the last kept window reads, at least 0.

    With ceil_mode the last window may hang over the padding; what hangs over counts as padding. A
    window that would start in the end padding is dropped, and with padding that stands in the
    tensor it would no longer be: then less than ``end`` is needed.
    """
    if not ceil:
        return end
    count = out_size(size, window, begin, end, ceil=True)
    return max((count - 1) * window.stride + window.extent - begin - size, 0)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the windows of one op read along one axis.

    Attributes:
        out: window positions.
        unread: elements behind the last window, padding among them:
            u = (h + p_b + p_e - d(k - 1) - 1) mod s.
        begin: invented elements that windows read at the begin.
        end: invented elements that windows read at the end: p_e - min(u, p_e).
        lost: real elements at the end that no window reads: max(u - p_e, 0), h at most.
    """

    out: int
    unread: int
    begin: int
    end: int
    lost: int

    @property
    def even(self) -> bool:
        """Whether both sides read as much padding, and every real element is read."""
        return self.begin == self.end and self.lost == 0


def read_axis(
    size: int, window: Window, begin: int = 0, end: int = 0, *, ceil: bool = False
) -> Reading | None:
    """What is read of an axis, None where not one window fits.

    With ``ceil`` the end counts as far as the last kept window reaches. Unread elements in the
    middle, where the stride passes over taps, are not counted.
    """
    out = out_size(size, window, begin, end, ceil=ceil)
    if out == 0:
        return None
    extent = end_extent(size, window, begin, end, ceil=ceil)
    unread = size + begin + extent - (out - 1) * window.stride - window.extent
    # where the windows end within the padding at the begin, all that is real is lost and no more
    lost = min(max(unread - extent, 0), size)
    return Reading(out, unread, begin, extent - min(unread, extent), lost)


def valid_cells(size: int, window: Window, begin: int, end: int) -> tuple[int, ...]:
    """For each window position, how many of its taps fall on real elements (0 .. kernel)."""
    starts = (
        position * window.stride - begin for position in range(out_size(size, window, begin, end))
    )
    return tuple(
        sum(0 <= start + tap * window.dilation < size for tap in range(window.kernel))
        for start in starts
    )


def real_positions(size: int, window: Window, begin: int, end: int) -> tuple[int, ...]:
    """For each tap of the kernel, at how many window positions it falls on a real element.

    The same cells as in ``valid_cells``, counted by column: ``kernel`` numbers for any size.
    """
    out = out_size(size, window, begin, end)
    counts = []
    for tap in range(window.kernel):
        offset = tap * window.dilation - begin  # tap t of position p reads element p s + offset
        first = max(-(offset // window.stride), 0)
        behind = min(-((offset - size) // window.stride), out)
        counts.append(max(behind - first, 0))
    return tuple(counts)


def is_causal(window: Window, begin: int, end: int) -> bool:
    """Whether the padding lets a window read only the past: d(k - 1) at begin, 0 at end."""
    return window.kernel > 1 and begin == window.extent - 1 and end == 0


def overlap(window: Window) -> tuple[int, int]:
    """The fewest and the most windows that hold a position far from the border.

    The same for a convolution's reads and a transposed convolution's writes: tap t stands at
    position t d, so that the taps take turns on s / gcd(s, d) of the s phases of the stride.
    """
    common = gcd(window.stride, window.dilation)
    phases = window.stride // common
    return (window.kernel // phases if common == 1 else 0), -(-window.kernel // phases)
