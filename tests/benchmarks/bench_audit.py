"""Time and memory of ``onnxpad audit``, static: nothing is run.

    python -m tests.benchmarks.bench_audit [--repeat N]

Everything runs in fresh processes, medians over the repetitions (memory: the highest). ``work`` is
the time inside a process after Python and the libraries were there, ``whole`` its time from start
to end.

Exits 1 if a limit is missed:

- 0.3 s of work for a model of 1,000 nodes;
- external weights cost no memory: 1 GB of them no more than SLACK MiB above none;
- inline weights cost at most INLINE times the file's size;
- 100 models with two processes at least 1.5 times as fast as with one;
- ``onnxpad --help`` in 0.4 s and ``onnxpad audit`` of a small model in 1.2 s, start-up included.
"""

import argparse
import os
import platform
import shutil
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.process import COMMAND, FOLDER, IMPORTS, Spent, spend
from tests.benchmarks.rows import Row, save, table

WORK = 0.3
SLACK = 8.0
INLINE = 2.2
FASTER = 1.5
HELP, SMALL = 0.4, 1.2
INLINE_MIB = 256
EXTERNAL_BYTES = 10**9
WARM = COMMAND.replace("{imports}", IMPORTS)
COLD = COMMAND.replace("{imports}", "")

# A residual network: blocks of Conv, Relu, Conv, Add, Relu; every tenth begins with stride 2.
BUILD = """
import sys
import numpy as np
from onnx import TensorProto, external_data_helper, helper, numpy_helper, save
path, count, inline, external = sys.argv[1], *map(int, sys.argv[2:])
nodes, weights, last, channels = [], [], "x", 8
def conv(name, source, stride):
    kernel = np.full((channels, channels, 3, 3), 0.01, np.float32)
    weights.append(numpy_helper.from_array(kernel, f"{name}.weight"))
    given = dict(kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[stride, stride])
    nodes.append(helper.make_node("Conv", [source, f"{name}.weight"], [name], name, **given))
def simple(op, name, *sources):
    nodes.append(helper.make_node(op, sources, [name], name))
for block in range(count // 5):
    stride = 2 if block in (10, 20, 30) else 1
    at = f"block{block}"
    conv(f"{at}.conv1", last, stride)
    simple("Relu", f"{at}.relu1", f"{at}.conv1")
    conv(f"{at}.conv2", f"{at}.relu1", 1)
    simple("Add", f"{at}.add", f"{at}.conv2", f"{at}.relu1")
    simple("Relu", f"{at}.out", f"{at}.add")
    last = f"{at}.out"
if inline or external:
    size = inline or external
    ballast = TensorProto(name="ballast", data_type=TensorProto.UINT8, dims=[size])
    if external:
        ballast.raw_data = b""
        external_data_helper.set_external_data(ballast, path.split("/")[-1] + ".data", 0, size)
        ballast.ClearField("raw_data")
        with open(path + ".data", "wb") as stream:
            stream.truncate(size)
    else:
        ballast.raw_data = bytes(size)
    weights.append(ballast)
value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
side = [1, channels, 224, 224]
graph = helper.make_graph(nodes, "residual", [value("x", side)], [value(last, None)], weights)
save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
"""


def _model(name: str, nodes: int, *, inline: int = 0, external: int = 0) -> Path:
    """A model of the benchmark's folder, made anew; sizes in bytes."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / name
    spend(BUILD, str(path), str(nodes), str(inline), str(external))
    path.read_bytes()
    return path


def _copies(model: Path, name: str, count: int) -> Path:
    """A folder of that many models, each a file of its own."""
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number in range(count):
        shutil.copyfile(model, folder / f"model{number:04}.onnx")
    return folder


def _audit(code: str, target: Path, repeat: int, *arguments: str) -> list[Spent]:
    given = ("audit", str(target), "--exit-zero", "--no-ignore", *arguments)
    return [spend(code, *given) for _ in range(repeat)]


def _median(runs: list[Spent], of: Callable[[Spent], float]) -> float:
    return statistics.median(map(of, runs))


def _start_up(repeat: int) -> list[Row]:
    small = _model("small.onnx", 20)
    helps = [spend(COLD, "--help") for _ in range(repeat)]
    audits = _audit(COLD, small, repeat)
    return [
        Row("onnxpad --help, whole", _median(helps, lambda s: s.whole), "s", HELP),
        Row("audit of a small model, whole", _median(audits, lambda s: s.whole), "s", SMALL),
    ]


def _work(repeat: int) -> list[Row]:
    rows = []
    for nodes, limit in ((1000, WORK), (10_000, None)):
        runs = _audit(WARM, _model(f"residual{nodes}.onnx", nodes), repeat)
        rows.append(Row(f"{nodes:,} nodes, work", _median(runs, lambda s: s.work), "s", limit))
    return rows


def _memory(repeat: int) -> list[Row]:
    bare, none, weighty = (
        max(run.peak for run in _audit(WARM, _model(name, 1000, **sizes), repeat))
        for name, sizes in (
            ("bare.onnx", {}),
            ("external.onnx", {"external": EXTERNAL_BYTES}),
            ("inline.onnx", {"inline": INLINE_MIB << 20}),
        )
    )
    return [
        Row("1,000 nodes, peak", bare, "MiB"),
        Row("1 GB of external weights, peak above that", none - bare, "MiB", SLACK),
        Row("256 MiB of inline weights, peak above that", (weighty - bare) / INLINE_MIB,
            "× file", INLINE),
    ]  # fmt: skip


def _many(repeat: int) -> list[Row]:
    model = _model("residual500.onnx", 500)
    hundred, thousand = _copies(model, "hundred", 100), _copies(model, "thousand", 1000)
    one = _median(_audit(COLD, hundred, repeat, "--jobs", "1"), lambda s: s.whole)
    two = _median(_audit(COLD, hundred, repeat, "--jobs", "2"), lambda s: s.whole)
    large = _audit(COLD, thousand, 1)[0]
    for folder in (hundred, thousand):
        shutil.rmtree(folder)
    return [
        Row("100 models of 500 nodes, 1 process, whole", one, "s"),
        Row("100 models of 500 nodes, 2 processes, whole", two, "s"),
        Row("  two beside one", one / two, "×", FASTER, least=True),
        Row("1,000 models of 500 nodes, whole", large.whole, "s"),
        Row("  peak of its main process", large.peak, "MiB"),
    ]


def main() -> int:
    """Build, measure, print, save; 1 if a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeat", type=int, default=5)
    repeat = parser.parse_args().repeat
    rows = [*_start_up(repeat), *_work(repeat), *_memory(repeat), *_many(repeat)]
    for leftover in FOLDER.glob("inline.onnx"):
        leftover.unlink()
    print(f"{os.cpu_count()} cores, {platform.machine()}, medians of {repeat}")
    print(table(rows))
    save("audit", rows, repeat=repeat)
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
