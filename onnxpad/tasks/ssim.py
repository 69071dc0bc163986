"""Structural similarity of two pictures.

SSIM = ((2 μ_a μ_b + c1)(2 σ_ab + c2)) / ((μ_a² + μ_b² + c1)(σ_a² + σ_b² + c2)) with means,
variances and covariance in a Gaussian window of 11×11 pixels, σ = 1.5, c1 = (0.01 L)² and
c2 = (0.03 L)², L the peak value; the mean over all whole windows and channels (Z. Wang, A. C.
Bovik, H. R. Sheikh, E. P. Simoncelli, "Image Quality Assessment: From Error Visibility to
Structural Similarity", IEEE Trans. Image Processing 13, 2004).
"""

import numpy as np

from onnxpad.measure.pair import Array

WINDOW = 11
_SIGMA = 1.5


def ssim(a: Array, b: Array, peak: float) -> float | None:
    """Of two float64 pictures (H, W, C); 1 where they are equal. None below 11 pixels a side."""
    if a.shape != b.shape or a.ndim != 3:
        raise ValueError(f"not two pictures: {a.shape} and {b.shape}")
    if min(a.shape[:2]) < WINDOW:
        return None
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    mean_a, mean_b = _blur(a), _blur(b)
    variance_a = _blur(a * a) - mean_a * mean_a
    variance_b = _blur(b * b) - mean_b * mean_b
    covariance = _blur(a * b) - mean_a * mean_b
    top = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    bottom = (mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2)
    return float((top / bottom).mean())


def _blur(picture: Array) -> Array:
    """Gaussian means of every whole window: rows, then columns."""
    offsets = np.arange(WINDOW) - WINDOW // 2
    kernel = np.exp(-0.5 * (offsets / _SIGMA) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        size = picture.shape[axis] - WINDOW + 1
        picture = sum(
            weight * np.take(picture, np.arange(i, i + size), axis)
            for i, weight in enumerate(kernel)
        )
    return picture
