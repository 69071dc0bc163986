"""Time and memory of ``onnxpad rewrite``: 1 GB of external data, and growth up to 20,000 nodes.

    python -m tests.benchmarks.bench_rewrite [--convs N] [--repeat N] [--no-peer] [--no-growth]

Everything runs in fresh processes; this one imports nothing heavy, because Linux counts the memory
of a process before exec towards its child's peak. Beside onnxpad stand two others that do the same
(load, a Pad before each Conv, save), GraphSurgeon and, where it is installed, onnx-ir; and the
floor: onnx reading and writing the proto without its weights. ``whole`` is the wall time of the
process from start to end; ``work`` is the time inside it after Python and the libraries were there.

Exits 1 if onnxpad misses its limits: 0.6 s of work for 2,000 convolutions with 1 GB and a fifth of
GraphSurgeon's, 150 MiB at the peak, and no more than GROWN times the work a node at 20,000 nodes
as at 5,000.
"""

import argparse
import platform
import statistics
import sys
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.benchmarks import rows as common
from tests.benchmarks.process import FOLDER, IMPORTS, ROOT, spend

WORK_LIMIT = 0.6
PEAK_LIMIT = 150.0
OF_PEER = 1 / 5
GROWN = 1.5
NODES = (100, 1000, 5000, 20_000)  # of the models whose growth is looked at
SLIM = 4  # channels of theirs: the graph counts there, not the weights
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

ONNX_IR = """
import sys, time
import numpy as np
import onnx_ir as ir
began = time.perf_counter()
model = ir.load(sys.argv[1])
for node in list(model.graph):
    if node.op_type == "Conv":
        amounts = ir.tensor(np.array([0, 0, 1, 1, 0, 0, 1, 1]), name=f"{node.name}_pads")
        pads = ir.Value(name=amounts.name, const_value=amounts)
        model.graph.register_initializer(pads)
        mode = [ir.AttrString("mode", "reflect")]
        pad = ir.Node("", "Pad", [node.inputs[0], pads], mode, name=f"{node.name}_pad")
        pad.outputs[0].name = f"{node.name}_padded"
        model.graph.insert_before(node, pad)
        node.replace_input_with(0, pad.outputs[0])
        node.attributes["pads"] = ir.AttrInt64s("pads", [0, 0, 0, 0])
ir.save(model, sys.argv[2], external_data=sys.argv[2].split("/")[-1] + ".data")
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


def _build(convs: int, channels: int = CHANNELS) -> Path:
    """The model, built once and kept."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{'deep' if channels == CHANNELS else 'slim'}{convs}.onnx"
    if not path.exists():
        print(f"building {path.relative_to(ROOT)} ...", file=sys.stderr)
        spend(BUILD, str(path), str(convs), str(channels))
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


def _peers() -> dict[str, str]:
    """Those that can do the same: name, and code."""
    peers = {"GraphSurgeon load, edit, save": GRAPHSURGEON}
    if find_spec("onnx_ir") is not None:
        peers["onnx-ir load, edit, save"] = ONNX_IR
    return peers


def _large(convs: int, repeat: int, peers: dict[str, str]) -> list[Row]:
    """Everybody on the model with much data."""
    source = _build(convs)
    _read_once(source)
    rewrite = REWRITE.replace("{mode}", MODE)
    rows = [
        _measure("onnxpad rewrite --no-compare", rewrite.replace("{imports}", IMPORTS), source,
                 FOLDER / "onnxpad.onnx", repeat),
        _measure("  the same, imports counted", rewrite.replace("{imports}", ""), source,
                 FOLDER / "onnxpad.onnx", repeat),
        _measure("onnx load + save, no weights", FLOOR, source, FOLDER / "peer.onnx", repeat),
    ]  # fmt: skip
    rows += [_measure(name, code, source, FOLDER / "peer.onnx", 1) for name, code in peers.items()]
    size = Path(f"{source}.data").stat().st_size / 1e9
    print(f"{convs} convolutions, {size:.2f} GB of external data, {platform.machine()}")
    print(_table(rows))
    return rows


def _growth(repeat: int, peers: dict[str, str]) -> dict[str, list[float]]:
    """Seconds of work of everybody on models of growing numbers of nodes, by name."""
    own = REWRITE.replace("{mode}", MODE).replace("{imports}", IMPORTS)
    everybody = {"onnxpad rewrite --no-compare": own, **peers}
    sources = [_build(count, SLIM) for count in NODES]
    found = {
        name: [_measure(name, code, s, FOLDER / "grown.onnx", repeat).work for s in sources]
        for name, code in everybody.items()
    }
    print(f"\n{'work s, by nodes':34}" + "".join(f"{count:>9,}" for count in NODES))
    for name, seconds in found.items():
        print(f"{name:34}" + "".join(f"{one:9.2f}" for one in seconds))
    return found


def _summary(rows: list[Row], growth: dict[str, list[float]]) -> list[common.Row]:
    first = rows[0]
    found = [
        common.Row("1 GB, work", first.work, "s", WORK_LIMIT),
        common.Row("1 GB, peak", max(row.peak for row in rows[:2]), "MiB", PEAK_LIMIT),
    ]
    for row in rows[3:]:
        limit = OF_PEER if row.name.startswith("GraphSurgeon") else None
        found.append(common.Row(f"1 GB, beside {row.name}", first.work / row.work, "×", limit))
    for name, seconds in growth.items():
        each = [s / count for s, count in zip(seconds, NODES, strict=True)]
        limit = GROWN if name.startswith("onnxpad") else None
        found.append(common.Row(f"{name}, 20,000 nodes", seconds[-1], "s"))
        found.append(common.Row("  work a node, beside 5,000", each[-1] / each[-2], "×", limit))
    return found


def main() -> int:
    """Build, measure, print, save; 1 if onnxpad misses its limits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--convs", type=int, default=2000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--no-peer", action="store_true", help="onnxpad alone (peers: 3 GB, 15 s)")
    parser.add_argument("--no-growth", action="store_true", help="the large model alone")
    asked = parser.parse_args()
    peers = {} if asked.no_peer else _peers()
    rows = _large(asked.convs, asked.repeat, peers)
    growth = {} if asked.no_growth else _growth(asked.repeat, peers)
    for leftover in (*FOLDER.glob("peer.onnx*"), *FOLDER.glob("grown.onnx*")):
        leftover.unlink()
    summary = _summary(rows, growth)
    print(f"\n{common.table(summary)}")
    common.save("rewrite", summary, convs=asked.convs, rows=[asdict(row) for row in rows],
                growth={"nodes": NODES, "work_s": growth})  # fmt: skip
    return 0 if all(row.met for row in summary) else 1


if __name__ == "__main__":
    sys.exit(main())
