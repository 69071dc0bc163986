"""The one table of accuracy metrics: the names that results, reports and budgets share."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """What a name means.

    Attributes:
        unit: "share" (0 to 1), "dB" or "" (a bare number).
        higher_is_better: the direction.
        between: measured between the two models' outputs, without truth; else each model is
            measured against the truth and the delta counts.
        description: one sentence, with the formula where it is short.
    """

    name: str
    unit: str
    higher_is_better: bool
    between: bool
    description: str


_TABLE = (
    MetricInfo("top1", "share", True, False, "samples whose highest score is the label's"),
    MetricInfo(
        "top5", "share", True, False, "samples whose label is among the five highest scores"
    ),
    MetricInfo(
        "mAP50", "share", True, False, "average precision at IoU 0.5, mean over classes present"
    ),
    MetricInfo(
        "mAP", "share", True, False, "average precision, mean over IoU 0.50:0.05:0.95 and classes"
    ),
    MetricInfo(
        "mIoU", "share", True, False, "intersection / union of pixels, mean over classes present"
    ),
    MetricInfo("pixel_accuracy", "share", True, False, "labelled pixels with the right class"),
    MetricInfo(
        "psnr", "dB", True, False, "10·log10(peak² / mean squared error) to the reference, mean"
    ),
    MetricInfo("ssim", "", True, False, "structural similarity to the reference, mean"),
    MetricInfo(
        "agreement",
        "share",
        True,
        True,
        "how often both models say the same: top-1 class, boxes, or the label of a pixel",
    ),
    MetricInfo("psnr_between", "dB", True, True, "PSNR of the candidate to the original, mean"),
    MetricInfo(
        "ssim_between", "", True, True, "structural similarity of candidate and original, mean"
    ),
    MetricInfo(
        "cosine", "", True, True, "cosine of the angle between the two outputs, worst output, mean"
    ),
    MetricInfo(
        "snr_db",
        "dB",
        True,
        True,
        "10·log10(Σ y² / Σ (candidate − y)²), y the original's output, worst output, mean",
    ),
)

METRICS = {info.name: info for info in _TABLE}
