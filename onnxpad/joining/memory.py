"""Memory of both models, measured in processes of their own while the samples pass by."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from onnxpad.data import synthetic
from onnxpad.data.sample import Plans
from onnxpad.footprint import peak_memory
from onnxpad.runtime import Provider

Both = tuple[float, float]


@contextmanager
def measured_beside(
    original: Path, candidate: Path, filled: Plans, provider: Provider, threads: int | None
) -> Iterator["Future[Both | None]"]:
    """Start measuring (original, candidate) in MiB; ask for the result before timing anything.

    None where the platform does not tell the peak, or a model does not run on its own.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="onnxpad-memory") as pool:
        yield pool.submit(_both, original, candidate, filled, provider.name, threads)


def _both(
    original: Path, candidate: Path, filled: Plans, provider: str, threads: int | None
) -> Both | None:
    feeds = synthetic.feed(filled, 0, 0)
    found = [
        peak_memory(p, feeds, provider=provider, threads=threads) for p in (original, candidate)
    ]
    before, after = found
    return None if before is None or after is None else (before, after)
