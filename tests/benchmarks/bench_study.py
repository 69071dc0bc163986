"""What a sweep costs beyond running the model: throughput beside ONNX Runtime alone.

    python -m tests.benchmarks.bench_study

The same batches, already pasted, are run by ONNX Runtime alone; then the sweep pastes, runs and
scores them. Both take turns, several times; the ratio is of the medians. The sample detector is
used, and efficientnet_lite0 and yolox_nano where ONNXPAD_ZOO names the zoo. Peak memory is that of
the process after a sweep, against after one of a quarter of the places.
"""

import json
import os
import resource
import statistics
import time
from pathlib import Path

import numpy as np

from onnxpad.data.plan import plans
from onnxpad.data.stimulus import Stimulus, pasted
from onnxpad.measure.sweep import Place
from onnxpad.runtime import choose_provider, open_session
from onnxpad.studies.sweeping import Sweeping, free_batch, most_rows
from onnxpad.tasks.guess import choose
from onnxpad.tasks.stimulus import scorer
from onnxpad.tasks.task import one_sample
from onnxpad.tasks.view import View

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 0.85
ROUNDS = 5


def opened(model: Path) -> tuple[Sweeping, np.ndarray]:
    """The sweep of a white square, and the grey background."""
    session = open_session(model, provider=choose_provider("cpu"))
    plan = next(iter(plans(session.inputs)))[0]
    assert plan.layout is not None
    background = np.full((1, *plan.shape[1:]), 0.5, plan.info.dtype)
    outputs = one_sample(session.run({plan.info.name: background}), 0, 1)
    view = View(outputs, background.shape, plan.layout)
    found = scorer(choose(view).task, view, None)
    assert found is not None
    front = np.ones((3, 8, 8), plan.info.dtype)
    rows = most_rows(model, plan) if free_batch(plan) else plan.batch
    return Sweeping(session, plan, {}, Stimulus((8, 8), front), found, rows), background


def bare(one: Sweeping, background: np.ndarray, places: list[Place]) -> float:
    """Seconds of ONNX Runtime on the same batches, pasted before the clock starts."""
    seconds = 0.0
    for at in range(0, len(places), one.rows):
        part = places[at : at + one.rows]
        batch = pasted(background, one.stimulus, part, one.plan, len(part))
        started = time.perf_counter()
        one.run(batch)
        seconds += time.perf_counter() - started
    return seconds


def _unheard(done: int) -> None:
    del done


def peak() -> float:
    """MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(model: Path, count: int) -> dict[str, float]:
    """Throughput of a sweep of `count` places relative to ONNX Runtime's, and memory."""
    one, background = opened(model)
    rng = np.random.default_rng(0)
    high, wide = (background.shape[axis] - 8 for axis in one.plan.layout.spatial)  # type: ignore[union-attr]
    places = [(int(rng.integers(high)), int(rng.integers(wide))) for _ in range(count)]
    one.scores(background, places[: count // 4], _unheard)
    quarter = peak()
    engine, whole = [], []
    for _ in range(ROUNDS):
        engine.append(bare(one, background, places))
        started = time.perf_counter()
        one.scores(background, places, _unheard)
        whole.append(time.perf_counter() - started)
    ratio = statistics.median(e / w for e, w in zip(engine, whole, strict=True))
    return {"rows": one.rows, "places_per_s": count / min(whole), "ratio": ratio,
            "MiB": peak(), "MiB_quarter": quarter}  # fmt: skip


def main() -> None:
    zoo = Path(os.environ.get("ONNXPAD_ZOO", ""))
    subjects = {ROOT / "sample_models" / "lights_zero.onnx": 768}
    if (zoo / "models").is_dir():
        subjects[zoo / "models" / "efficientnet_lite0_torchscript_op13.onnx"] = 96
        subjects[zoo / "models" / "yolox_nano.onnx"] = 96
    found = {model.name: measure(model, count) for model, count in subjects.items()}
    for name, one in found.items():
        print(name, {key: round(value, 3) for key, value in one.items()})
    out = ROOT / "build" / "bench"
    out.mkdir(parents=True, exist_ok=True)
    (out / "study.json").write_text(json.dumps(found, indent=2) + "\n")
    raise SystemExit(min(one["ratio"] for one in found.values()) < LIMIT)


if __name__ == "__main__":
    main()
