"""Counting pixels by class: masks against predictions.

Of the labelled pixels, with t_k those of class k, p_k those predicted as k and i_k both:
IoU_k = i_k / (t_k + p_k − i_k); mIoU = mean of IoU_k over the classes present (t_k > 0); pixel
accuracy = Σ i_k / Σ t_k (M. Everingham et al., "The Pascal Visual Object Classes Challenge:
A Retrospective", IJCV 111, 2015).
"""

import numpy as np

from onnxpad.data.framing import Geometry
from onnxpad.data.labels import IGNORED
from onnxpad.errors import DataError
from onnxpad.measure.pair import Array

NO_LABEL = -1


def mask_at(mask: Array, size: tuple[int, int], geometry: Geometry | None) -> Array:
    """The mask sampled at an output of `size`: nearest pixel, IGNORED outside of the picture.

    Without a geometry the mask is stretched to the output. Raises DataError for a mask that is not
    of the picture's size.
    """
    height, width = mask.shape
    if geometry is None:
        geometry = Geometry((height, width), size, (size[0] / height, size[1] / width), (0.0, 0.0))
    if (height, width) != geometry.source:
        wanted = "×".join(map(str, geometry.source))
        raise DataError(f"the mask is {height}×{width} pixels and the picture {wanted}")
    return geometry.nearest(mask, size, IGNORED)


def check_labels(truth: Array, classes: int) -> None:
    """Raise DataError for a mask with a label that is no class."""
    low, high = int(truth.min(initial=IGNORED)), int(truth.max(initial=IGNORED))
    if low < IGNORED or high >= classes:
        wrong = high if high >= classes else low
        raise DataError(f"the mask holds class {wrong}; the model knows 0 to {classes - 1}")


def counts(truth: Array, found: Array, classes: int) -> Array:
    """Per class: intersection, pixels of the truth, pixels predicted. Shape (3, classes), int64.

    `found` may hold NO_LABEL: missed, and predicted as nothing.
    """
    used = truth != IGNORED
    t, p = truth[used].astype(np.int64), found[used]
    return np.stack(
        [
            np.bincount(t[t == p], minlength=classes),
            np.bincount(t, minlength=classes),
            np.bincount(p[p != NO_LABEL], minlength=classes),
        ]
    )


def iou(found: Array) -> Array:
    """IoU per class from counts of shape (…, 3, K); NaN for classes not in the truth."""
    both, truth, predicted = (found[..., i, :].astype(np.float64) for i in range(3))
    return _ratio(both, np.where(truth > 0, truth + predicted - both, 0.0))


def mean_iou(found: Array) -> Array:
    """Mean of the classes present, from counts (…, 3, K); NaN where there is none."""
    values = iou(found)
    present = ~np.isnan(values)
    return _ratio(np.where(present, values, 0.0).sum(axis=-1), present.sum(axis=-1))


def pixel_accuracy(found: Array) -> Array:
    """Labelled pixels with the right class, from counts (…, 3, K); NaN without any."""
    return _ratio(found[..., 0, :].sum(axis=-1), found[..., 1, :].sum(axis=-1))


def _ratio(over: Array, under: Array) -> Array:
    found = np.full(np.shape(over), np.nan)
    np.divide(over, under, out=found, where=np.asarray(under) > 0)
    return found
