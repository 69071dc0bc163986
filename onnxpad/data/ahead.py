"""Work done ahead of the one who takes its results, in order and in bounded memory."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

# Decoding releases Python's lock, but more threads than this seldom find cores of their own.
_MOST_THREADS = 4
# Results waiting to be taken, together.
_BYTES = 128 * 2**20
_MOST_WAITING = 32


def waiting(result_bytes: int) -> int:
    """How many results of this size may wait to be taken: at least two, so that work runs ahead."""
    return max(2, min(_MOST_WAITING, _BYTES // max(result_bytes, 1)))


def ahead(
    work: Callable[[_Item], _Result], items: Iterable[_Item], most: int, threads: int | None = None
) -> Iterator[_Result]:
    """`work` of every item in the items' order, at most `most` of them begun and not yet taken.

    On at most `threads` threads; None for as many as there are cores. Never more than four.

    What a call raises is raised where its result is taken. Ending the walk early drops what has
    not begun and waits for what has.
    """
    many = min(_MOST_THREADS, threads or os.cpu_count() or 1, most)
    pool = ThreadPoolExecutor(many, "onnxpad-decode")
    begun: deque[Future[_Result]] = deque()
    try:
        for item in items:
            begun.append(pool.submit(work, item))
            if len(begun) >= most:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
