"""What a comparison costs beyond running the models, beside polygraphy comparing the same two.

    python -m tests.benchmarks.bench_compare [--samples N] [--detector]

Every session run of onnxpad is timed where it happens (the call into ONNX Runtime alone), and so
is the decoding of images; what is left is onnxpad's own. polygraphy runs both models on the same
arrays, already decoded, and compares their outputs element by element: it measures less.

The zoo's efficientnet_lite0 and imagenet250 are used, where ONNXPAD_ZOO names them, else a sample
model and its images. With ``--detector``, yolox_nano and coco64: there the limit is no promise, for
a detector so small runs as fast as its boxes are matched with the truth by the COCO library.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

import onnxpad
from onnxpad import runtime
from onnxpad.data.plan import plans
from onnxpad.data.preprocess_syntax import parse_preprocess
from onnxpad.data.source import open_source
from tests.benchmarks.rows import Row, save, table

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 1.25


class Clock:
    """Seconds spent inside some calls; calls from several threads add up."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.calls = 0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds += time.perf_counter() - started
                self.calls += 1

        return timed


def _subjects(*, detector: bool) -> tuple[Path, Path, dict[str, Any]]:
    zoo = Path(os.environ.get("ONNXPAD_ZOO", ""))
    if detector:
        how = {"preprocess": "yolox", "labels": f"yolo={zoo}/images/coco64/labels"}
        return zoo / "models" / "yolox_nano.onnx", zoo / "images" / "coco64" / "images", how
    if (zoo / "models").is_dir():
        how = {"preprocess": "efficientnet_lite,resize=crop:0.875,filter=bicubic",
               "labels": f"csv={zoo}/images/imagenet250/labels.csv"}  # fmt: skip
        model = zoo / "models" / "efficientnet_lite0_torchscript_op13.onnx"
        return model, zoo / "images" / "imagenet250", how
    samples = ROOT / "sample_models"
    how = {"preprocess": "unit", "labels": "folders"}
    return samples / "digits_torch_dynamo.onnx", samples / "digits", how


def _onnxpad(model: Path, candidate: Path, images: Path, count: int, how: dict[str, Any]) -> Any:
    engine = Clock()
    original = runtime.Session.run
    runtime.Session.run = engine.around(original)  # type: ignore[method-assign]
    started = time.perf_counter()
    found = onnxpad.compare(model, candidate, data=images, samples=count, threads=1, **how)
    whole = time.perf_counter() - started
    runtime.Session.run = original  # type: ignore[method-assign]
    return found, whole, engine


def _decoding(model: Path, images: Path, count: int, how: dict[str, Any]) -> float:
    """Seconds that decoding and preprocessing take when nothing is run on what they give."""
    session = runtime.open_session(model, provider=runtime.choose_provider("cpu"), threads=1)
    source = open_source(images, session.inputs, preprocess=parse_preprocess(how["preprocess"]))
    filled = next(iter(plans(session.inputs, source.known)))
    started = time.perf_counter()
    for _ in islice(source.feeds(filled, 0), count):
        pass
    return time.perf_counter() - started


def _polygraphy(model: Path, candidate: Path, count: int) -> float | None:
    try:
        from polygraphy.backend.onnxrt import OnnxrtRunner
        from polygraphy.comparator import Comparator, SimpleCompareFunc
        from polygraphy.logger import G_LOGGER
    except ImportError:
        return None
    import onnxruntime as ort

    G_LOGGER.module_severity = G_LOGGER.CRITICAL
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    provider = ["CPUExecutionProvider"]
    make = [
        lambda p=p: ort.InferenceSession(str(p), options, providers=provider)
        for p in (model, candidate)
    ]
    info = make[0]().get_inputs()[0]
    shape = [d if isinstance(d, int) else 1 for d in info.shape]
    random = np.random.default_rng(0)
    data = [{info.name: random.random(shape, np.float32)} for _ in range(count)]
    started = time.perf_counter()
    results = Comparator.run([OnnxrtRunner(m) for m in make], data_loader=data, warm_up=0)
    Comparator.compare_accuracy(results, compare_func=SimpleCompareFunc(atol=1e9))
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=250)
    parser.add_argument("--detector", action="store_true", help="of the zoo, with its labels")
    given = parser.parse_args()
    model, images, how = _subjects(detector=given.detector)
    with tempfile.TemporaryDirectory() as folder:
        candidate = Path(folder) / "edge.onnx"
        onnxpad.rewrite(model, "edge").save(candidate)
        # start-up (imports, the first session of a process) is not what grows with images
        onnxpad.compare(model, candidate, data=images, samples=1, threads=1, **how)
        found, whole, engine = _onnxpad(model, candidate, images, given.samples, how)
        decoding = _decoding(model, images, found.samples.count, how)
        peer = _polygraphy(model, candidate, found.samples.count)
    ratio = (whole - decoding) / engine.seconds
    print(f"{model.name}, {found.samples.count} images, 1 thread, verdict {found.verdict.word}")
    name = f"compare{'-detector' * given.detector}"
    rows = [
        Row("onnxpad compare, whole", whole, "s"),
        Row("  inside the engine", engine.seconds, "s"),
        Row("  decoding alone", decoding, "s"),
        Row("  all but decoding", ratio, "× engine", None if given.detector else LIMIT),
    ]
    if peer is not None:
        rows.append(Row("polygraphy, two runs a sample", peer, "s"))
    print(table(rows))
    save(name, rows, model=model.name, images=found.samples.count, runs=engine.calls)
    raise SystemExit(ratio > LIMIT and not given.detector)


if __name__ == "__main__":
    main()
