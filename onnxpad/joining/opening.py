"""One model opened to be run on samples: its session, its data, and a first feed that runs."""

from dataclasses import dataclass
from pathlib import Path

from onnxpad.data.sample import Feed, Plans, Skipped, Source
from onnxpad.data.source import open_source
from onnxpad.errors import DataError, RunError
from onnxpad.joining.insides import Inside, open_inside
from onnxpad.joining.models import MOST_FAILURES, check_fed, filling
from onnxpad.joining.request import Request
from onnxpad.joining.scenes import Pictures
from onnxpad.runtime import Provider, Session, choose_provider, open_session
from onnxpad.text import printable


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A model that runs.

    Attributes:
        filled: a shape for every input with which it runs.
        feed: the first sample.
    """

    path: Path
    request: Request
    provider: Provider
    session: Session
    source: Source
    filled: Plans
    feed: Feed

    @property
    def pictures(self) -> Pictures:
        """What it is fed, at any size."""
        return Pictures(self.source, self.filled, self.request.preprocess, self.request.seed)

    def inside(self) -> Inside:
        """Its insides, opened to be measured. Raises RunError, ModelError."""
        return open_inside(
            self.path, self.session.label, self.filled, self.feed, self.provider,
            self.request.threads,
        )  # fmt: skip


def open_one(path: Path, request: Request, *, labelled: bool = False) -> Opened:
    """Open a model and its data.

    Args:
        labelled: whether the labels of the request are read, too.

    Raises:
        UsageError, DataError: the request, or data that do not exist or do not fit.
        ModelError, RunError: the model cannot be read or run.
    """
    provider = choose_provider(request.provider)
    label = f"the model {printable(path.name)}"
    session = open_session(path, provider=provider, threads=request.threads, label=label)
    check_fed(session)
    source = open_source(
        request.data, session.inputs, preprocess=request.preprocess, size=request.size,
        labels=request.labels if labelled else None, threads=request.threads,
    )  # fmt: skip
    filled = filling(session, source, request.seed)
    feed = _first(session, source, filled, request.seed)
    return Opened(path, request, provider, session, source, filled, feed)


def _first(session: Session, source: Source, filled: Plans, seed: int) -> Feed:
    """The first feed that runs. Raises DataError, RunError where there is none."""
    failure: RunError | None = None
    skipped: list[Skipped] = []
    failures = 0
    for item in source.feeds(filled, seed):
        if isinstance(item, Skipped):
            skipped.append(item)
            continue
        try:
            session.run(item.arrays)
        except RunError as error:
            failure, failures = failure or error, failures + 1
            if failures >= MOST_FAILURES:
                break
        else:
            return item
    if failure is not None:
        raise failure
    first = f"; the first, {skipped[0].name}: {skipped[0].reason}" if skipped else ""
    raise DataError(f"none of {len(skipped)} samples could be used{first}")
