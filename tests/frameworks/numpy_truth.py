"""The padding of the other frameworks' truths: sizes as TensorFlow's SAME, values by numpy.pad."""

import numpy as np
from numpy.typing import NDArray

# onnxpad's words and numpy.pad's arguments; symmetric and linear have no counterpart in PyTorch.
MODES: dict[str, dict[str, str]] = {
    "edge": {"mode": "edge"},
    "reflect": {"mode": "reflect"},
    "symmetric": {"mode": "symmetric"},
    "wrap": {"mode": "wrap"},
    "linear": {"mode": "reflect", "reflect_type": "odd"},
}


def same(size: int, kernel: int, stride: int = 1, dilation: int = 1) -> tuple[int, int]:
    """Begin and end padding of SAME, the odd one at the end."""
    reach = (kernel - 1) * dilation + 1
    total = max((-(-size // stride) - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2


def pad(
    x: NDArray[np.float32], amounts: tuple[tuple[int, int], ...], first: int, mode: str
) -> NDArray[np.float32]:
    """Pad the axes from `first` on; mode "zero" or one of MODES."""
    every = [(0, 0)] * x.ndim
    every[first : first + len(amounts)] = amounts
    if mode == "zero":
        return np.pad(x, every)
    return np.pad(x, every, **MODES[mode])  # type: ignore[call-overload]


def input_array(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Noise away from zero, so that zeros outside the border are seen."""
    return np.random.default_rng(len(shape)).normal(1.5, 1, shape).astype(np.float32)
