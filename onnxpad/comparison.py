"""What a comparison of two models found: frozen records, which reports read and nothing else."""

from dataclasses import dataclass

from onnxpad.measure.agreement import Agreement
from onnxpad.measure.difference import Difference
from onnxpad.measure.latency import Latency
from onnxpad.measure.rings import RingProfile


@dataclass(frozen=True, slots=True)
class OutputComparison:
    """One output of both models.

    Attributes:
        name: the original's name of it, untrusted.
        dtype: numpy's name of the original's element type.
        shape: of the first sample's output.
        uncompared: samples on which the two outputs had different shapes.
        difference: over all elements and samples.
        rings: by distance to the border; None for outputs that are not spatial, with the reason.
        spatial_axes: the axes the rings were taken on, () without rings.
        scores: whether it looks like class scores, (N, K).
        agreement: of the first class; None where it was not measured, with the reason.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    uncompared: int
    difference: Difference
    rings: RingProfile | None
    spatial_axes: tuple[int, ...]
    no_rings: str
    scores: bool
    agreement: Agreement | None
    no_agreement: str

    @property
    def identical(self) -> bool:
        """Whether every element of every sample equals its counterpart."""
        return self.difference.identical and not self.uncompared


@dataclass(frozen=True, slots=True)
class Fed:
    """One input as it was fed: the model's name of it (untrusted), type, shape, and role."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    role: str


@dataclass(frozen=True, slots=True)
class Skip:
    """A sample that was left out, and why; both printable."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Samples:
    """What the comparison stands on.

    Attributes:
        origin: "synthetic", "images" or "arrays".
        note: one sentence: what was fed.
        count: samples used. total: samples there are, None where they are made as needed.
        out_of_time: whether time, and not a number, ended the walk.
        skipped: samples left out, the first hundred by name. skipped_count: all of them.
    """

    origin: str
    note: str
    seed: int
    count: int
    total: int | None
    out_of_time: bool
    skipped: tuple[Skip, ...]
    skipped_count: int
    inputs: tuple[Fed, ...]

    @property
    def real(self) -> bool:
        """Whether the samples are a user's own, so that agreement means something."""
        return self.origin != "synthetic"


@dataclass(frozen=True, slots=True)
class Run:
    """Facts of this very run: they differ between machines and from one run to the next."""

    provider: str
    provider_note: str
    threads: int | None
    onnxruntime: str
    seconds: float
    latency: Latency


@dataclass(frozen=True, slots=True)
class Comparison:
    """Original against candidate on the same samples.

    Attributes:
        original, candidate: paths as given, untrusted.
        warnings: printable sentences a reader must know.
    """

    original: str
    candidate: str
    outputs: tuple[OutputComparison, ...]
    samples: Samples
    warnings: tuple[str, ...]
    run: Run

    @property
    def identical(self) -> bool:
        """Whether every compared output is equal in every element."""
        return all(output.identical for output in self.outputs)
