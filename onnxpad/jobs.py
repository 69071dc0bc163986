"""The same work on many things, in worker processes: results in order, whoever falls over.

Workers are started afresh (spawn): nothing of this process, its threads and locks included, is
inherited, and it is the same on every system.
"""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from threading import current_thread, main_thread
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

Done = Callable[[int, int], None]


def available_cores() -> int:
    """The processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_jobs(
    function: Callable[[_Item], _Result],
    items: Sequence[_Item],
    jobs: int,
    died: Callable[[_Item], _Result],
    done: Done | None = None,
) -> tuple[_Result, ...]:
    """What a function makes of each item, in their order.

    Args:
        function: of a module's top level, so that workers find it; items and results are pickled.
        jobs: worker processes; 1 runs all in this one.
        died: the result for an item whose worker was killed or crashed even when it had one for
            itself.
        done: told how many are finished, and how many there are.

    Raises:
        whatever `function` raises.
    """
    tell = done or (lambda _finished, _total: None)
    total = len(items)
    if jobs <= 1 or total <= 1:
        found = []
        for number, item in enumerate(items):
            tell(number, total)
            found.append(function(item))
        return tuple(found)
    results: dict[int, _Result] = {}
    waiting = list(range(total))
    while waiting:
        for number, result in _until_one_dies(function, items, waiting, min(jobs, total)):
            results[number] = result
            tell(len(results), total)
        waiting = [number for number in waiting if number not in results]
        # One of the first few took its worker along: each of them gets one of its own.
        for number in waiting[:jobs]:
            alone = [result for _, result in _until_one_dies(function, items, [number], 1)]
            results[number] = alone[0] if alone else died(items[number])
            tell(len(results), total)
        waiting = waiting[jobs:]
    return tuple(results[number] for number in range(total))


def _until_one_dies(
    function: Callable[[_Item], _Result], items: Sequence[_Item], numbers: Sequence[int], jobs: int
) -> Iterator[tuple[int, _Result]]:
    """(number of the item, result) as they come; ends early when a worker dies.

    No more items are handed out than there are workers, so that the lost ones are among the first
    that have no result.
    """
    ahead = iter(numbers)
    running: dict[Future[_Result], int] = {}
    with _pool(jobs) as pool:
        try:
            while True:
                while len(running) < jobs and (number := next(ahead, None)) is not None:
                    with _interrupts_wait():
                        running[pool.submit(function, items[number])] = number
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    result = future.result()
                    yield running.pop(future), result
        except BrokenProcessPool:
            return


@contextmanager
def _pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_quiet)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Hold Ctrl-C back: a worker that is started meanwhile holds it back, too, until it is up.

    The mask is for the worker. This process has other threads that Ctrl-C may reach (those of
    numpy, say), and Python would raise it here all the same, between the start of a worker and
    what the worker is told to do: so it is noted, and raised after that.
    """
    raised_here = current_thread() is main_thread() and signal.getsignal(signal.SIGINT) is not None
    if not hasattr(signal, "pthread_sigmask") or not raised_here:
        yield
        return
    noted: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _frame: noted.append(number))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        signal.signal(signal.SIGINT, handler)
        if noted:
            signal.raise_signal(signal.SIGINT)


def _quiet() -> None:
    """Let Ctrl-C end a worker without a word: the parent says all there is to say."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
