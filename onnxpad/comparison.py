"""What a comparison of two models found: frozen records, which reports read and nothing else."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onnxpad.budget import Judged
from onnxpad.measure.agreement import Agreement
from onnxpad.measure.context import ContextError
from onnxpad.measure.difference import Difference
from onnxpad.measure.latency import Latency
from onnxpad.measure.layers import ConstantResponses, LayerResults
from onnxpad.measure.rings import RingProfile
from onnxpad.measure.tiles import Seams
from onnxpad.tasks.result import TaskResult


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
    """Facts of this very run: they differ between machines and from one run to the next.

    Attributes:
        memory: MiB that one run of the original, and of the candidate, adds to a process at the
            peak; None where the platform does not tell.
    """

    provider: str
    provider_note: str
    threads: int | None
    onnxruntime: str
    seconds: float
    latency: Latency
    memory: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class BorderOutput:
    """Context error of one spatial output, both models against the same real context.

    Attributes:
        name: of the output, untrusted.
        original, candidate: error by ring; ``candidate.ratio`` is the summed error over the
            original's.
        overlap: (pixels of real surroundings per side, error of the original with them).
    """

    name: str
    original: ContextError
    candidate: ContextError
    overlap: tuple[tuple[int, ContextError], ...] = ()


@dataclass(frozen=True, slots=True)
class Border:
    """Border artifacts against real context.

    Attributes:
        outputs: of every spatial output (or of the last maps, for heads without one).
        crop, large: sizes of the crop and of the image it was cut from, per spatial axis.
        images: crops compared. skipped: images that were too small.
        mixed: operators that mix positions globally, so that context changes the inside too; ()
            where there are none.
        real: whether the images were a user's own.
    """

    outputs: tuple[BorderOutput, ...]
    crop: tuple[int, ...]
    large: tuple[int, ...]
    images: int
    skipped: int
    mixed: tuple[str, ...]
    real: bool


@dataclass(frozen=True, slots=True)
class Layers:
    """What the layers themselves show: constant response, line artifacts, drift."""

    constant: ConstantResponses | None
    results: LayerResults | None


@dataclass(frozen=True, slots=True)
class SeamOutput:
    """Seams of one output when large images are cut in tiles.

    Attributes:
        name: of the output, untrusted.
        original, candidate: by model. halo: the original, each tile with a halo; None without one.
    """

    name: str
    original: Seams
    candidate: Seams
    halo: Seams | None = None


@dataclass(frozen=True, slots=True)
class TileHalo:
    """The halo that each tile of the original was given.

    Attributes:
        mode: what was invented. pixels: per side, whole strides.
        cost: pixels computed / pixels of the bare tile.
        why: one printable sentence: why so many pixels.
    """

    mode: str
    pixels: int
    cost: float
    why: str


@dataclass(frozen=True, slots=True)
class Tiles:
    """What cutting in tiles costs.

    Attributes:
        tile, overlap: pixels. images: large images that were cut.
        discard: (stated error, pixels to discard per side, cost factor) for the original.
        halo: None where none was put around the tiles; no_halo says why.
    """

    outputs: tuple[SeamOutput, ...]
    tile: int
    overlap: int
    images: int
    discard: tuple[tuple[float, int | None, float | None], ...]
    halo: TileHalo | None = None
    no_halo: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """better, worse, no difference, mixed, or unknown, and why, bad news first.

    Better only if the border error falls and no task measure worsens beyond its interval; where
    the two disagree, that is the first reason.
    """

    word: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """One example for a page: outputs as small uint8 arrays, (H, W) or (H, W, 3)."""

    name: str
    original: NDArray[np.uint8]
    candidate: NDArray[np.uint8]
    difference: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Original against candidate on the same samples.

    Attributes:
        original, candidate: paths as given, untrusted.
        warnings: printable sentences a reader must know.
        verdict: None where only the outputs were compared.
        task: accuracy; no_task says why there is none. So for border, layers and tiles.
        judged: the budget, if there was one.
        sites: padding sites of both models: (identity, mode in the original, in the candidate).
        pictures: examples, for pages that can show them.
    """

    original: str
    candidate: str
    outputs: tuple[OutputComparison, ...]
    samples: Samples
    warnings: tuple[str, ...]
    run: Run
    verdict: Verdict | None = None
    task: TaskResult | None = None
    no_task: str = ""
    border: Border | None = None
    no_border: str = ""
    layers: Layers | None = None
    no_layers: str = ""
    tiles: Tiles | None = None
    no_tiles: str = ""
    judged: tuple[Judged, ...] = ()
    sites: tuple[tuple[str, str, str], ...] = ()
    pictures: tuple[Picture, ...] = ()

    @property
    def identical(self) -> bool:
        """Whether every compared output is equal in every element; False where none was."""
        return bool(self.outputs) and all(output.identical for output in self.outputs)
