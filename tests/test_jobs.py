"""Worker processes: results in order, and a worker that dies costs its own item alone."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from onnxpad.jobs import _interrupts_wait, available_cores, run_jobs

MAIN = os.getpid()


def square(number: int) -> tuple[int, int]:
    return number * number, os.getpid()


def fragile(number: int) -> int:
    if number % 5 == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def slowest_first(number: int) -> int:
    time.sleep((5 - number) / 50)
    return number


def once(path: Path) -> str:
    """Dies at the first call, as a process does that memory was too short for beside others."""
    if path.name == "a" and not path.exists():
        path.touch()
        os._exit(1)
    return path.name


def failing(number: int) -> int:
    raise ValueError(f"item {number}")


def dead(item: object) -> int:
    return -1


def test_one_job_stays_in_this_process() -> None:
    found = run_jobs(square, range(4), 1, lambda item: (item, 0))
    assert found == tuple((n * n, os.getpid()) for n in range(4))


def test_several_work_elsewhere_and_results_keep_their_order() -> None:
    found = run_jobs(square, range(6), 2, lambda item: (item, 0))
    assert [value for value, _ in found] == [n * n for n in range(6)]
    processes = {process for _, process in found}
    assert os.getpid() not in processes
    assert len(processes) <= 2
    assert run_jobs(slowest_first, range(5), 3, dead) == (0, 1, 2, 3, 4)


def test_nothing_to_do() -> None:
    assert run_jobs(square, (), 4, lambda item: (item, 0)) == ()


def test_a_dying_worker_costs_its_own_item_alone() -> None:
    told: list[tuple[int, int]] = []
    found = run_jobs(fragile, range(9), 2, dead, lambda done, total: told.append((done, total)))
    assert found == (0, 1, 2, -1, 4, 5, 6, 7, -1)
    assert [total for _, total in told] == [9] * len(told)
    assert [done for done, _ in told] == list(range(1, 10))


def test_a_second_try_alone(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "abc"]
    assert run_jobs(once, paths, 2, str) == ("a", "b", "c")


def test_errors_come_through() -> None:
    with pytest.raises(ValueError, match="item 0"):
        run_jobs(failing, range(1), 1, dead)
    with pytest.raises(ValueError, match="item "):
        run_jobs(failing, range(3), 2, dead)


def test_an_interrupt_that_another_thread_hears_waits_as_well() -> None:
    over = threading.Event()
    other = threading.Thread(target=over.wait)  # started before: it does not hold signals back
    other.start()
    waited: list[bool] = []

    def starting() -> None:
        with _interrupts_wait():
            signal.pthread_kill(other.ident or 0, signal.SIGINT)
            time.sleep(0.1)  # where the main thread would raise it
            waited.append(True)

    try:
        with pytest.raises(KeyboardInterrupt):
            starting()
    finally:
        over.set()
        other.join()
    assert waited
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_cores() -> None:
    assert 1 <= available_cores() <= (os.cpu_count() or 1)
