"""One pass over the samples through both models, each of them seen once and then forgotten."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf

from onnxpad.comparison import Fed, Samples, Skip
from onnxpad.data.sample import Feed, Plans, Skipped, Source
from onnxpad.errors import DataError, RunError
from onnxpad.joining.examples import Examples
from onnxpad.joining.judging import Judge
from onnxpad.joining.limit import Limit, Progress
from onnxpad.joining.models import MOST_FAILURES, Models
from onnxpad.measure.pair import Array
from onnxpad.tally import OutputTally

_NAMED_SKIPS = 100
# A limit this high stands for no limit.
_UNKNOWN = 2**62


@dataclass(slots=True)
class Walk:
    """The pass, and what it leaves behind.

    Attributes:
        judge: None where no task is measured. strict: the first sample left out is an error.
        first: the first feed that ran. count: samples used. examples: outputs to be shown.
    """

    models: Models
    outputs: list[OutputTally]
    judge: Judge | None
    strict: bool
    first: Feed = field(default_factory=lambda: Feed({}, 0, 0, ""))
    count: int = 0
    out_of_time: bool = False
    skipped: list[Skip] = field(default_factory=list)
    skipped_count: int = 0
    failure: RunError | None = None
    examples: Examples = field(default_factory=Examples)

    def over(
        self, feeds: Iterable[Feed | Skipped], limit: Limit, tell: Progress, *, endless: bool
    ) -> None:
        """Run both models on feed after feed.

        Raises:
            DataError: no sample could be used, or, if strict, one could not.
            RunError: a model fails on every sample, or, if strict, on one (it is named).
        """
        total = limit.most if limit.most < _UNKNOWN else None
        tell("samples", 0, total)
        for item in feeds:
            end = self.ended(item, limit, endless=endless)
            tell("samples", self.count, total)
            if end:
                break
        self.check()

    def ended(self, item: Feed | Skipped, limit: Limit, *, endless: bool) -> bool:
        """Run both models on one feed, or note why not; whether the pass ends here."""
        if isinstance(item, Skipped):
            self.skip(item.name, item.reason)
        else:
            self._take_in(item, min(item.count, limit.most - self.count))
            self.out_of_time = self.count < limit.most and limit.expired
        return self.count >= limit.most or self.out_of_time or self._hopeless(endless=endless)

    def check(self) -> None:
        """Raise RunError, DataError with the reason where no sample was used."""
        if not self.count:
            raise self.failure or self._nothing()

    def skip(self, name: str, reason: str, count: int = 1) -> None:
        """Count a sample that is left out, and name it if few were named before."""
        if self.strict:
            raise DataError(f"{name}: {reason} (strict: no sample may be left out)")
        self.skipped_count += count
        if len(self.skipped) < _NAMED_SKIPS:
            self.skipped.append(Skip(name, reason))

    def samples(self, source: Source, filled: Plans, seed: int) -> Samples:
        """The record."""
        inputs = tuple(Fed(p.info.name, p.info.dtype, p.shape, p.role) for p in filled)
        return Samples(
            source.origin, source.note(filled), seed, self.count, source.total, self.out_of_time,
            tuple(self.skipped), self.skipped_count, inputs,
        )  # fmt: skip

    def _take_in(self, feed: Feed, count: int) -> None:
        ran = self._run(feed, count)
        if ran is None:
            return
        ours, theirs = ran
        for tally in self.outputs:
            tally.add(ours[tally.original], theirs[tally.candidate], feed.batch, count)
        shown = next((tally for tally in self.outputs if tally.axes), None)
        if shown is not None:
            self.examples.add(feed.name, shown, ours[shown.original], theirs[shown.candidate])
        if self.judge is not None:
            for sample, reason in self.judge.add(feed, count, ours, theirs):
                self.skip(sample.name, f"left out of the accuracy: {reason}")
        if not self.count:
            self.first = feed
        self.count += count

    def _run(self, feed: Feed, count: int) -> tuple[dict[str, Array], dict[str, Array]] | None:
        try:
            return self.models.run(feed.arrays)
        except RunError as error:
            named = RunError(f"{error} (on {feed.name})")
            if self.strict:
                raise named from None
            self.failure = self.failure or named
            self.skip(feed.name, str(error), count)
            return None

    def _hopeless(self, *, endless: bool) -> bool:
        """Whether it fails again and again, so that an end must be made."""
        if self.failure is None:
            return False
        return self.skipped_count >= (MOST_FAILURES if endless or not self.count else inf)

    def _nothing(self) -> DataError:
        first = self.skipped[0] if self.skipped else Skip("the data", "it gives no samples")
        return DataError(
            f"none of {self.skipped_count} samples could be used; the first, {first.name}: "
            f"{first.reason}"
        )
