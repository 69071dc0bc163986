"""Time and memory of ``onnxpad rewrite`` on 2,000 convolutions with 1 GB of external data.

    python -m tests.benchmarks.bench_rewrite [--convs N] [--repeat N] [--no-peer]

Everything runs in fresh processes; this one imports nothing heavy, because Linux counts the memory
of a process before exec towards its child's peak. Beside onnxpad stands GraphSurgeon's own way of
doing the same (load, a Pad before each Conv, save), and the floor: onnx reading and writing the
proto without its weights. ``whole`` is the wall time of the process from start to end; ``work`` is
the time inside it after Python and the libraries were there.

Exits 1 if onnxpad misses its limits: 0.6 s of work, 150 MiB at the peak.
"""

import argparse
import json
import platform
import statistics
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.benchmarks.process import FOLDER, IMPORTS, ROOT, spend

WORK_LIMIT = 0.6
PEAK_LIMIT = 150.0
CHANNELS = 118  # 2,000 kernels of 118 × 118 × 3 × 3 floats are 1.0 GB
MODE = "reflect"

BUILD = """
import sys
import numpy as np
from onnx import ModelProto, TensorProto, external_data_helper, helper, save
path, convs, channels = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
data, size = path + ".data", channels * channels * 9 * 4
rng = np.random.default_rng(0)
nodes, weights = [], []
with open(data, "wb") as stream:
    for i in range(convs):
        kernel = rng.standard_normal((channels, channels, 3, 3), np.float32) / (3 * channels**0.5)
        weight = TensorProto(name=f"W{i}", data_type=TensorProto.FLOAT, dims=kernel.shape)
        weight.raw_data = b""
        external_data_helper.set_external_data(weight, data.split("/")[-1], i * size, size)
        weight.ClearField("raw_data")
        stream.write(kernel.astype(np.float32).tobytes())
        weights.append(weight)
        nodes.append(
            helper.make_node("Conv", [f"x{i}", f"W{i}"], [f"x{i + 1}"], name=f"conv{i}",
                             kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        )
value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, 32, 32])
graph = helper.make_graph(nodes, "deep", [value("x0")], [value(f"x{convs}")], weights)
save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
"""

REWRITE = """
import sys, time
asked = ["--mode", "{mode}", "--no-compare", "--force"]
sys.argv = ["onnxpad", "rewrite", sys.argv[1], *asked, "-o", sys.argv[2]]
{imports}
from onnxpad.cli import main
began = time.perf_counter()
try:
    code = main()
except SystemExit as end:
    code = end.code
print("work", time.perf_counter() - began, file=sys.stderr)
sys.exit(code)
"""

GRAPHSURGEON = """
import sys, time
import numpy as np
import onnx, onnx_graphsurgeon as gs
began = time.perf_counter()
graph = gs.import_onnx(onnx.load(sys.argv[1]))
for node in list(graph.nodes):
    if node.op == "Conv":
        pads = gs.Constant(f"{node.name}_pads", np.array([0, 0, 1, 1, 0, 0, 1, 1]))
        padded = gs.Variable(f"{node.name}_padded")
        read, attributes = [node.inputs[0], pads], {"mode": "reflect"}
        graph.nodes.append(gs.Node("Pad", f"{node.name}_pad", attributes, read, [padded]))
        node.inputs[0] = padded
        node.attrs["pads"] = [0, 0, 0, 0]
graph.toposort()
made = gs.export_onnx(graph)
beside = sys.argv[2].split("/")[-1] + ".data"
onnx.save(made, sys.argv[2], save_as_external_data=True, location=beside)
print("work", time.perf_counter() - began, file=sys.stderr)
"""

FLOOR = """
import sys, time
import onnx
began = time.perf_counter()
onnx.save(onnx.load(sys.argv[1], load_external_data=False), sys.argv[2])
print("work", time.perf_counter() - began, file=sys.stderr)
"""


@dataclass(frozen=True)
class Row:
    """One way of doing it: seconds and MiB, medians over the runs (the peak: the highest)."""

    name: str
    whole: float
    work: float
    peak: float
    runs: int


def _measure(name: str, code: str, source: Path, target: Path, repeat: int) -> Row:
    runs = []
    for _ in range(repeat):
        for leftover in FOLDER.glob(f"{target.name}*"):
            leftover.unlink()
        runs.append(spend(code, str(source), str(target)))
    return Row(
        name,
        statistics.median(run.whole for run in runs),
        statistics.median(run.work for run in runs),
        max(run.peak for run in runs),
        repeat,
    )


def _build(convs: int) -> Path:
    """The model, built once and kept."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"deep{convs}.onnx"
    if not path.exists():
        print(f"building {path.relative_to(ROOT)} ...", file=sys.stderr)
        spend(BUILD, str(path), str(convs), str(CHANNELS))
    return path


def _read_once(path: Path) -> None:
    """Bring the data into the file cache, so that the disk's speed is nobody's time."""
    with Path(f"{path}.data").open("rb") as stream:
        while stream.read(1 << 24):
            pass


def _table(rows: list[Row]) -> str:
    first = rows[0]
    lines = [f"{'':34}{'work s':>9}{'':>7}{'whole s':>9}{'peak MiB':>10}{'':>7}"]
    for row in rows:
        work, peak = row.work / first.work, row.peak / first.peak
        lines.append(
            f"{row.name:34}{row.work:9.2f}{work:6.1f}x{row.whole:9.2f}{row.peak:10.0f}{peak:6.1f}x"
        )
    return "\n".join(lines)


def main() -> int:
    """Build, measure, print, save; 1 if onnxpad misses its limits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--convs", type=int, default=2000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument(
        "--no-peer", action="store_true", help="leave GraphSurgeon out (3 GB, 10 s)"
    )
    asked = parser.parse_args()
    source = _build(asked.convs)
    _read_once(source)
    rewrite = REWRITE.replace("{mode}", MODE)
    rows = [
        _measure("onnxpad rewrite --no-compare", rewrite.replace("{imports}", IMPORTS), source,
                 FOLDER / "onnxpad.onnx", asked.repeat),
        _measure("  the same, imports counted", rewrite.replace("{imports}", ""), source,
                 FOLDER / "onnxpad.onnx", asked.repeat),
        _measure("onnx load + save, no weights", FLOOR, source, FOLDER / "floor.onnx",
                 asked.repeat),
    ]  # fmt: skip
    if not asked.no_peer:
        rows.append(
            _measure("GraphSurgeon load, edit, save", GRAPHSURGEON, source, FOLDER / "gs.onnx", 1)
        )
    for leftover in (*FOLDER.glob("gs.onnx*"), *FOLDER.glob("floor.onnx*")):
        leftover.unlink()
    size = Path(f"{source}.data").stat().st_size / 1e9
    print(f"{asked.convs} convolutions, {size:.2f} GB of external data, {platform.machine()}")
    print(_table(rows))
    kept = {"convs": asked.convs, "gigabytes": size, "rows": [asdict(row) for row in rows]}
    (FOLDER / "rewrite.json").write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    met = rows[0].work <= WORK_LIMIT and max(row.peak for row in rows[:2]) <= PEAK_LIMIT
    print(f"limits {WORK_LIMIT} s of work, {PEAK_LIMIT:.0f} MiB: {'met' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
