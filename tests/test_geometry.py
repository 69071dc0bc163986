"""Window arithmetic against walking along an axis, over a grid; integers only."""

from itertools import product

import pytest

from onnxpad.geometry import (
    Window,
    end_extent,
    is_causal,
    out_size,
    overlap,
    real_positions,
    same_pads,
    same_pads_any_size,
    valid_cells,
)

SIZES = (1, 2, 3, 4, 5, 7, 8, 12)
WINDOWS = [Window(k, s, d) for k, s, d in product((1, 2, 3, 4, 5), (1, 2, 3), (1, 2, 3))]
PADS = list(product((0, 1, 2, 3), (0, 1, 2, 4)))


def walked(size: int, window: Window, begin: int, end: int, *, ceil: bool = False) -> list[int]:
    """First elements of every kept window, in the axis's own coordinates, one step at a time.

    A window is kept while it lies on the padded axis; with ceil it may hang over, by less than a
    stride, if it begins on a real element or in the begin padding.
    """
    starts, start = [], -begin
    while True:
        last = start + window.dilation * (window.kernel - 1)
        if last >= size + end:
            over = last - (size + end - 1)
            if not (ceil and over < window.stride and start < size):
                return starts
        starts.append(start)
        start += window.stride


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_extent(window: Window) -> None:
    taps = [window.dilation * i for i in range(window.kernel)]
    assert window.extent == taps[-1] - taps[0] + 1


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_out_size(window: Window) -> None:
    for size, (begin, end) in product(SIZES, PADS):
        assert out_size(size, window, begin, end) == len(walked(size, window, begin, end))


def _taken_by_runtimes(size: int, window: Window, begin: int, end: int) -> bool:
    """A pool, the only op with ceil_mode: a window fits, and no padding is as large as one."""
    return size + begin + end >= window.extent and max(begin, end) < window.kernel


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_out_size_with_ceil(window: Window) -> None:
    for size, (begin, end) in product(SIZES, PADS):
        if not _taken_by_runtimes(size, window, begin, end):
            continue
        expected = len(walked(size, window, begin, end, ceil=True))
        assert out_size(size, window, begin, end, ceil=True) == expected, (size, begin, end)


def test_out_size_is_never_negative() -> None:
    assert out_size(1, Window(5)) == 0
    assert out_size(1, Window(9, 3, 2), 1, 1) == 0


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_end_extent_keeps_the_windows(window: Window) -> None:
    """Padded by so much, the axis has the same windows though nothing pads it any more."""
    for size, (begin, end) in product(SIZES, PADS):
        if not _taken_by_runtimes(size, window, begin, end):
            continue
        kept = walked(size, window, begin, end, ceil=True)
        needed = end_extent(size, window, begin, end, ceil=True)
        assert needed >= 0
        whole = begin + size + needed
        assert [s + begin for s in kept] == walked(whole, window, 0, 0, ceil=True)
        reads = max(s + window.extent for s in kept) - size
        assert needed == max(reads, 0), (size, begin, end)
        assert end_extent(size, window, begin, end) == end


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_same_pads(window: Window, lower: bool) -> None:
    """ceil(n / s) positions, with the least padding that gives them, the odd one where it goes."""
    for size in SIZES:
        begin, end = same_pads(size, window, lower=lower)
        wanted = (size + window.stride - 1) // window.stride
        assert out_size(size, window, begin, end) >= wanted
        assert 0 <= (begin - end if lower else end - begin) <= 1
        if begin + end:
            assert out_size(size, window, begin, end) == wanted
            assert out_size(size, window, 0, begin + end - 1) == wanted - 1


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_same_pads_any_size(window: Window, lower: bool) -> None:
    every = {same_pads(size, window, lower=lower) for size in range(1, 40)}
    assert same_pads_any_size(window, lower=lower) == (every.pop() if len(every) == 1 else None)


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_valid_cells(window: Window) -> None:
    for size, (begin, end) in product(SIZES, PADS):
        real = set(range(size))
        expected = tuple(
            sum(start + window.dilation * tap in real for tap in range(window.kernel))
            for start in walked(size, window, begin, end)
        )
        assert valid_cells(size, window, begin, end) == expected


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_real_positions(window: Window) -> None:
    for size, (begin, end) in product(SIZES, PADS):
        expected = tuple(
            sum(0 <= start + window.dilation * tap < size for start in starts)
            for starts in [list(walked(size, window, begin, end))]
            for tap in range(window.kernel)
        )
        assert real_positions(size, window, begin, end) == expected


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_causal_reads_no_future(window: Window) -> None:
    """Position i ends on element i s exactly: the present is read, the future is not."""
    for begin, end in product(range(12), range(3)):
        ends = [s + window.extent - 1 for s in walked(30, window, begin, end)]
        present = window.kernel > 1 and end == 0 and ends[:1] == [0]
        assert is_causal(window, begin, end) == present
        if present:
            assert ends == [i * window.stride for i in range(len(ends))]


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_overlap(window: Window) -> None:
    """Counted in the middle of an axis that is long enough."""
    counts = real_positions_counted(window)
    assert overlap(window) == (min(counts), max(counts))


def real_positions_counted(window: Window) -> list[int]:
    size = 6 * window.extent + 6 * window.stride
    held = [0] * size
    for start in walked(size, window, 0, 0):
        for tap in range(window.kernel):
            held[start + tap * window.dilation] += 1
    middle = size // 2
    return held[middle : middle + window.stride]
