"""One architecture to test, and the small parts that many of them share."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

ALL_MODES = ("edge", "reflect", "wrap")


@dataclass(frozen=True)
class Case:
    """An architecture and how to export it.

    Attributes:
        name: for the test's name.
        make: builds the module, with any weights.
        shape: of the input it is exported with.
        other: another size that an export with free spatial sizes must also run; () where the
            architecture does not allow free sizes.
        oldest: the lowest opset the TorchScript exporter manages.
        exporters: those that can export it.
        modes: those that mean the same in PyTorch and in the exported graph.
        unrunnable: exporters whose unmodified export ONNX Runtime cannot run.
        pads: whether zero pads of spatial axes feed convolutions, which makes them padding sites.
        noncausal: whether some padding is causal, so that copying from afar must be allowed.
    """

    name: str
    make: Callable[[], nn.Module]
    shape: tuple[int, ...]
    other: tuple[int, ...] = ()
    oldest: int = 9
    exporters: tuple[str, ...] = ("torchscript", "dynamo")
    modes: tuple[str, ...] = ALL_MODES
    unrunnable: tuple[str, ...] = ()
    noncausal: bool = False
    pads: bool = True


def conv_bn(
    inputs: int,
    outputs: int,
    kernel: int | tuple[int, int] = 3,
    act: bool = True,
    **options: object,
) -> nn.Sequential:
    """Convolution with zero padding that keeps the size at stride 1, batch norm, ReLU."""
    sizes = (kernel, kernel) if isinstance(kernel, int) else kernel
    step = options.get("dilation", 1)
    assert isinstance(step, int)
    options.setdefault("padding", tuple((k - 1) * step // 2 for k in sizes))
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, sizes, bias=False, **options),  # type: ignore[arg-type]
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, *([nn.ReLU()] if act else []))


class Head(nn.Sequential):
    """Global average pooling and class scores."""

    def __init__(self, channels: int) -> None:
        super().__init__(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 7))
