import threading
import time

import pytest

from onnxpad.data.ahead import ahead, waiting


def test_order_is_kept() -> None:
    def work(i: int) -> int:
        time.sleep(0.001 * (i % 3))
        return i * i

    assert list(ahead(work, range(50), 8)) == [i * i for i in range(50)]


def test_no_more_is_begun_than_may_wait() -> None:
    begun = 0
    lock = threading.Lock()

    def work(i: int) -> int:
        nonlocal begun
        with lock:
            begun += 1
        return i

    for taken, _ in enumerate(ahead(work, range(100), 4)):
        assert begun <= taken + 4


def test_work_runs_ahead_of_the_taker() -> None:
    second = threading.Event()

    def work(i: int) -> int:
        if i == 1:
            second.set()
        return i

    results = ahead(work, range(4), 2)
    assert next(results) == 0
    assert second.wait(10)
    assert list(results) == [1, 2, 3]


def test_an_error_comes_out_where_its_result_would() -> None:
    results = ahead(lambda i: 1 // (i - 2), range(5), 3)
    assert [next(results), next(results)] == [-1, -1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_ending_early_leaves_no_threads() -> None:
    before = threading.active_count()
    results = ahead(lambda i: i, range(1000), 4)
    next(results)
    results.close()  # type: ignore[attr-defined]  # a generator
    assert threading.active_count() == before


@pytest.mark.parametrize("threads", [1, 2])
def test_no_more_threads_than_allowed(threads: int) -> None:
    names = set(ahead(lambda _: threading.current_thread().name, range(200), 32, threads))
    assert 1 <= len(names) <= threads


def test_large_results_wait_in_small_numbers() -> None:
    assert waiting(1) == 32
    assert waiting(2**24) == 8
    assert waiting(2**30) == 2
