"""What PyTorch computes with its zero padding switched to another mode.

Every convolution that pads, module or function, pads its input first, in the mode, and then
convolves without padding; every zero `pad` of spatial axes alone pads in the mode. A pad that
crops, or that touches batch or channels, stays; so do all where a case says that they feed
something else than a convolution.
"""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

# onnxpad's words, PyTorch's words
MODES = {"edge": "replicate", "reflect": "reflect", "wrap": "circular"}

_CONVS = {functional.conv1d: 1, functional.conv2d: 2, functional.conv3d: 3}


def switched(net: nn.Module, mode: str) -> nn.Module:
    """A copy whose convolution modules have another `padding_mode`: PyTorch's own switch."""
    net = copy.deepcopy(net)
    for module in net.modules():
        if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d):
            # What forward pads with was computed when the module was made, for any mode.
            module.padding_mode = MODES[mode]
    return net


class Switch(TorchFunctionMode):
    """While active, functional convolutions and, with `pads`, zero pads use the mode."""

    def __init__(self, mode: str, *, pads: bool) -> None:
        super().__init__()
        self.mode, self.pads = MODES[mode], pads

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Replace what pads with zeros, pass on the rest."""
        kwargs = kwargs or {}
        if function in _CONVS:
            return self._conv(function, _CONVS[function], *args, **kwargs)
        if function is functional.pad and self.pads:
            return self._pad(*args, **kwargs)
        return function(*args, **kwargs)

    def _conv(
        self,
        function: Callable[..., Tensor],
        rank: int,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: int | tuple[int, ...] = 1,
        padding: int | str | tuple[int, ...] = 0,
        dilation: int | tuple[int, ...] = 1,
        groups: int = 1,
    ) -> Tensor:
        steps = (dilation,) * rank if isinstance(dilation, int) else tuple(dilation)
        pairs = _pairs(padding, tuple(weight.shape[2:]), steps)
        flat = [value for pair in reversed(pairs) for value in pair]
        if any(flat):
            x = functional.pad(x, flat, mode=self.mode)
        return function(x, weight, bias, stride, 0, dilation, groups)

    def _pad(
        self, x: Tensor, pad: Any, mode: str = "constant", value: float | None = None
    ) -> Tensor:
        pads = [int(p) for p in pad]
        spatial = x.ndim <= 5 and len(pads) <= 2 * (x.ndim - 2)
        if mode != "constant" or value or min(pads) < 0 or not spatial or not any(pads):
            return functional.pad(x, pads, mode, value)
        full = pads + [0] * (2 * (x.ndim - 2) - len(pads))
        return functional.pad(x, full, mode=self.mode)


def _pairs(
    padding: int | str | tuple[int, ...], kernel: tuple[int, ...], steps: tuple[int, ...]
) -> list[tuple[int, int]]:
    """Begin and end padding of each spatial axis."""
    if isinstance(padding, str):
        totals = [
            d * (k - 1) if padding == "same" else 0 for k, d in zip(kernel, steps, strict=True)
        ]
        return [(total // 2, total - total // 2) for total in totals]
    each = (padding,) * len(kernel) if isinstance(padding, int) else tuple(padding)
    return [(p, p) for p in (each * len(kernel) if len(each) == 1 else each)]


def outputs(net: nn.Module, x: Tensor) -> list[Any]:
    """All outputs as arrays."""
    with torch.no_grad():
        found = net(x)
    return [t.numpy() for t in (found if isinstance(found, list | tuple) else [found])]


def truth(net: nn.Module, x: Tensor, mode: str, *, pads: bool = True) -> list[Any]:
    """All outputs with the padding switched; without `pads` that of convolutions' own alone."""
    with Switch(mode, pads=pads):
        return outputs(switched(net, mode), x)


def settle(net: nn.Module, x: Tensor, seed: int = 0) -> nn.Module:
    """Weights, biases and statistics that keep values near one and every layer's bias visible.

    Random alone would let deep nets fade or blow up, and the difference at the border with them.
    """
    generator = torch.Generator().manual_seed(seed)
    for parameter in net.parameters():
        fan = max(parameter[0].numel(), 1) if parameter.ndim > 1 else 4
        noise = torch.randn(parameter.shape, generator=generator)
        parameter.data = noise * (2 / fan) ** 0.5
        if parameter.ndim == 1:
            parameter.data = noise * 0.2 + 0.5
    norms = [m for m in net.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.momentum = 1.0
    if norms:
        net.train()
        with torch.no_grad():
            net(x)
    return net.eval()
