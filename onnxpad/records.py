"""The frozen records that pass between finding, deciding, changing and showing."""

from dataclasses import dataclass

from onnxpad.geometry import Window
from onnxpad.modes import Mode

# Steps from a model to one of its scopes: ("graph",), ("function", i), then, for each subgraph on
# the way, (node index, attribute index, graph index or -1).
ScopePath = tuple[tuple[int | str, ...], ...]


@dataclass(frozen=True, slots=True)
class SiteAxis:
    """One padded axis of a site.

    Attributes:
        axis: index in the padded tensor.
        size: elements before padding, None where it depends on the input.
        begin, end: invented elements, None where they are computed from the size at run time.
        window: the window that reads them first; None where its kernel is unknown.
    """

    axis: int
    size: int | None
    begin: int | None
    end: int | None
    window: Window | None


@dataclass(frozen=True, slots=True)
class PaddingSite:
    """One place where a graph invents pixels.

    Attributes:
        identity: graph path and node name; globs, plans and reports use it.
        scope: path of the graph that holds it.
        node: first output of the node that pads (unique in its graph).
        op: the op that pads, as it is shown.
        form: "pads", "auto_pad", "reference" (a function's attribute), "Pad", or "composed".
        mode: what is invented now.
        source: the tensor that is padded.
        rank: axes of that tensor, 0 where unknown.
        dtype: its ONNX element type, 0 where unknown.
        axes: the padded axes, in order.
        readers: first outputs of the window ops that read the padding.
        reader_ops: their operators as shown, each once.
        conv: whether a convolution reads it (else only pools do).
        causal: whether it lets a 1-D convolution read only the past.
        opset: version of the default operator set where it stands.
        notes: what makes it special: "ceil_mode", "indices", "space_to_batch", "nchwc", ...
    """

    identity: str
    scope: ScopePath
    node: str
    op: str
    form: str
    mode: Mode
    source: str
    rank: int
    dtype: int
    axes: tuple[SiteAxis, ...]
    readers: tuple[str, ...]
    reader_ops: tuple[str, ...]
    conv: bool
    causal: bool
    opset: int
    notes: tuple[str, ...] = ()

    @property
    def dynamic(self) -> bool:
        """Whether a size or an amount is known only at run time."""
        return any(None in (a.size, a.begin, a.end) for a in self.axes)

    def invents(self, mode: Mode) -> bool:
        """Whether a mode is what is invented now; edge and symmetric are one where 1 is padded."""
        amounts = [v for a in self.axes for v in (a.begin, a.end)]
        near = all(v is not None and v <= 1 for v in amounts)
        return self.mode == mode or (near and {self.mode.name, mode.name} == {"edge", "symmetric"})


@dataclass(frozen=True, slots=True)
class OtherPad:
    """A Pad that is no padding site, and why."""

    identity: str
    reason: str


@dataclass(frozen=True, slots=True)
class Survey:
    """All that is to be known of a model's padding, in the order of its nodes."""

    sites: tuple[PaddingSite, ...]
    others: tuple[OtherPad, ...]
    window_ops: int
    transposed: int


@dataclass(frozen=True, slots=True)
class Placement:
    """Padding that is not done where it is read.

    Attributes:
        tensor: what is padded in its place. crossed: first outputs of the nodes in between.
        sites: identities of all whose padding this is.
        before, after: estimated microseconds of the padding at the sites, and as it is placed,
            with what the nodes in between take longer.
        how: how the sites were changed, in a word or two.
    """

    tensor: str
    crossed: tuple[str, ...]
    sites: tuple[str, ...]
    before: float
    after: float
    how: str

    @property
    def moved(self) -> bool:
        """Whether it is done further up than by itself: in front of the op or of its Q and DQ."""
        return self.how.startswith("further up")


@dataclass(frozen=True, slots=True)
class Changed:
    """A site that was changed: from which mode to which, how, a remark ("" if none), and where."""

    site: PaddingSite
    mode: Mode
    how: str
    remark: str = ""
    place: Placement | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A site that was left as it is, or refused, and why."""

    site: PaddingSite
    reason: str


@dataclass(frozen=True, slots=True)
class Halo:
    """A halo as it was built.

    Attributes:
        source: the input that is padded.
        asked: pixels per side that were asked for.
        pixels: pixels per side along each axis: ``asked``, rounded up to the total stride.
        stride: the total stride along each axis.
        cropped: tensors that are cropped: outputs, or maps in front of global pooling.
    """

    source: str
    mode: Mode
    asked: int
    pixels: tuple[int, ...]
    stride: tuple[int, ...]
    cropped: tuple[str, ...]

    @property
    def rounded(self) -> bool:
        """Whether it is larger than what was asked for."""
        return any(p != self.asked for p in self.pixels)
