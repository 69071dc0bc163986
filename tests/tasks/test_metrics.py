import pickle

from onnxpad.measure.paired import Interval
from onnxpad.tasks.metrics import METRICS
from onnxpad.tasks.result import Part, TaskResult, against_truth, between


def test_table_is_complete() -> None:
    assert set(METRICS) == {
        "top1",
        "top5",
        "agreement",
        "mAP50",
        "mAP",
        "mIoU",
        "pixel_accuracy",
        "psnr",
        "ssim",
        "psnr_between",
        "ssim_between",
        "cosine",
        "snr_db",
    }
    for name, info in METRICS.items():
        assert info.name == name
        assert info.unit in {"share", "dB", ""}
        assert info.description[0] == info.description[0].lower() or info.description[0].isupper()


def test_quantities_for_budgets() -> None:
    metrics = (
        against_truth("top1", 0.8, 0.7, Interval(-0.15, -0.05), 100),
        against_truth("top5", 0.9, 0.9, None, 1),
        between("agreement", 0.95, Interval(0.9, 0.98), 100, (0.96, 100)),
    )
    result = TaskResult("classification", 100, 100, metrics, (), None, ())
    found = result.quantities()
    assert found["top1"] == (0.7, 0.7, 0.7)
    assert found["top1_delta"][0] == metrics[0].delta
    assert found["top1_delta"][1:] == (-0.15, -0.05)
    assert found["top5_delta"] == (0.0, float("-inf"), float("inf"))
    assert found["agreement"] == (0.95, 0.9, 0.98)
    assert "agreement_delta" not in found
    assert result.metric("agreement") == metrics[2]
    assert result.metric("mAP") is None


def test_floor() -> None:
    assert between("agreement", 0.95, None, 10, (0.96, 10)).within_floor is False
    assert between("agreement", 0.96, None, 10, (0.96, 10)).within_floor is True
    assert between("agreement", 0.95, None, 10, None).within_floor is None


def test_parts() -> None:
    assert Part("class", "0", "IoU", 0.5, 0.75, 3).delta == 0.25
    assert Part("class", "0", "IoU", None, 0.75, 3).delta is None


def test_records_travel_between_processes() -> None:
    metric = between("agreement", 0.95, Interval(0.9, 0.98), 100, (0.96, 100))
    assert pickle.loads(pickle.dumps(metric)) == metric
