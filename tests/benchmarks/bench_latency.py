"""What padding costs at run time: original, naive and placed, in interleaved blocks.

    python -m tests.benchmarks.bench_latency [--mode reflect] [--seconds 6] [--threads 1,2] [NAME…]

``naive`` has a plain Pad node of the mode in front of every convolution, as an export from a
framework has; where such a model fails when it runs (reflect on maps that are too small, marked *)
the Pads are of mode edge. ``auto`` is what onnxpad writes. Both are timed against the original, and
against each other, each pair in rounds of four blocks that take turns: one thread by processor
time, which leaves out what else the machine does, more by the clock on the wall. The last columns
are the original against itself and how the outputs of ``--place auto`` and ``site`` compare.

The networks are written out here with random weights; with ONNXPAD_ZOO all its models that have
padding to change are timed too. Exits 1 if a limit is missed: MobileNetV2 at most 0.85 of naive,
ResNet-18 at most 1.02, the zoo's geometric mean at most 0.92 of naive, and no model slower
than naive beyond its noise floor (all at 1 thread).
"""

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import onnx
import onnxruntime as ort
from onnx import GraphProto, ModelProto
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException

import onnxpad
from onnxpad.measure.latency import Latency, latency
from onnxpad.scopes import subgraphs
from tests.benchmarks.nets import NETS
from tests.benchmarks.rows import Row as Summary
from tests.benchmarks.rows import save
from tests.rewriting.feeding import seeded

# 1.02: what two sessions of one model differ by
LIMITS = {"MobileNetV2": 0.85, "ResNet-18": 1.02}
_SIDE = 192  # pixels of free sizes
ZOO_LIMIT, ZOO_AIM = 0.92, 1.12


@dataclass(frozen=True)
class Row:
    """One model at one number of threads.

    Attributes:
        sites: paddings changed. moved: those that do not stand where they are read.
        fails: whether the naive model fails in this mode, and edge stands in for it.
        naive, auto: time over the original's. gain: auto over naive, with its 95 % interval.
        floor: the original against itself, and against another session of it, the intervals as
            one. same: how the outputs of the two compare.
    """

    name: str
    zoo: bool
    threads: int
    sites: int
    moved: int
    original_ms: float
    fails: bool
    naive: float
    auto: float
    gain: float
    gain_low: float
    gain_high: float
    floor_low: float
    floor_high: float
    same: float

    @property
    def slower(self) -> bool:
        """Whether auto is slower than a naive model that runs, beyond the original's own floor."""
        return not self.fails and self.gain_low > max(self.floor_high, 1.0)


def _session(model: ModelProto, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # spinning threads of one session would take the cores from the other
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _measure(name: str, model: ModelProto, mode: str, threads: int, seconds: float) -> Row | None:
    auto = onnxpad.rewrite(model, mode, place="auto")
    if not auto.changed:
        return None
    feeds = seeded(model, _SIDE)
    naive, fails = _naive(model, mode, feeds)
    # the original twice: two sessions of one model are not equally fast
    sessions = [_session(m, threads) for m in (model, naive, auto.model, model)]
    there = _session(onnxpad.rewrite(model, mode, place="site").model, threads)
    for session in sessions[:2]:
        session.run(None, feeds)
    outputs = [session.run(None, feeds) for session in (there, sessions[2])]
    runs: list[Callable[[], object]] = [lambda s=s: s.run(None, feeds) for s in sessions]  # type: ignore[misc]  # the default binds the loop's value

    def timed(one: int, other: int) -> Latency:
        clock = process_time if threads == 1 else perf_counter
        return latency(runs[one], runs[other], seconds=seconds, clock=clock)

    slow, placed, gain, own = timed(0, 1), timed(0, 2), timed(1, 2), timed(0, 3)
    low, high = min(own.ratio_low, own.floor_low), max(own.ratio_high, own.floor_high)
    return Row(
        name, name not in NETS, threads, len(auto.changed),
        sum(c.place is not None and c.place.moved for c in auto.changed),
        placed.original_ms, fails, slow.ratio, placed.ratio, gain.ratio, gain.ratio_low,
        gain.ratio_high, low, high, _difference(*outputs),
    )  # fmt: skip


def _naive(model: ModelProto, mode: str, feeds: dict[str, np.ndarray]) -> tuple[ModelProto, bool]:
    """A plain Pad in front of every convolution; whether that fails in this mode and is edge."""
    found = onnxpad.rewrite(model, "edge", place="site").model
    if mode == "edge":
        return found, False
    other = ModelProto()
    other.CopyFrom(found)
    own = {name for graph in _graphs(model.graph) for n in graph.node for name in n.output}
    for graph in _graphs(other.graph):
        for node in graph.node:
            if node.op_type == "Pad" and node.output[0] not in own:
                next(a for a in node.attribute if a.name == "mode").s = mode.encode()
    try:
        _session(other, 1).run(None, feeds)
    except (Fail, InvalidArgument, RuntimeException):
        return found, True
    return other, False


def _graphs(graph: GraphProto) -> Iterator[GraphProto]:
    yield graph
    for node in graph.node:
        for *_, inner in subgraphs(node):
            yield from _graphs(inner)


def _difference(ours: list[np.ndarray], theirs: list[np.ndarray]) -> float:
    """The largest difference of any output over its largest value; 0: the same bits."""
    worst = 0.0
    for a, b in zip(ours, theirs, strict=True):
        if np.array_equal(a, b, equal_nan=True):
            continue
        wide, other = a.astype(np.float64), b.astype(np.float64)
        worst = max(worst, float(np.abs(wide - other).max() / np.abs(wide).max()))
    return worst


def _models(names: list[str]) -> dict[str, Callable[[], ModelProto]]:
    found: dict[str, Callable[[], ModelProto]] = dict(NETS)
    folder = Path(os.environ.get("ONNXPAD_ZOO", "")) / "models"
    if "ONNXPAD_ZOO" in os.environ:
        paths = sorted(folder.glob("*.onnx"))
        found |= {path.stem: lambda path=path: onnx.load(path) for path in paths}  # type: ignore[misc]  # as above
    return {n: build for n, build in found.items() if not names or any(w in n for w in names)}


def _geometric(rows: list[Row], of: Callable[[Row], float]) -> float:
    return float(np.exp(np.mean([np.log(of(row)) for row in rows])))


def _table(rows: list[Row]) -> str:
    head = f"{'':36}{'thr':>4}{'sites':>6}{'moved':>6}{'ms':>9}{'naive':>7}{'auto':>7}"
    return "\n".join(
        [f"{head}{'auto/naive':>12}{'95 %':>14}{'floor':>14}  outputs", *map(_line, rows)]
    )


def _line(r: Row) -> str:
    return (
        f"{r.name:36}{r.threads:4}{r.sites:6}{r.moved:6}{r.original_ms:9.2f}{r.naive:7.2f}"
        f"{'*' if r.fails else ' '}{r.auto:6.2f}{r.gain:12.2f}"
        f"{f'{r.gain_low:.2f}–{r.gain_high:.2f}':>14}"
        f"{f'{r.floor_low:.2f}–{r.floor_high:.2f}':>14}  "
        + ("same bits" if r.same == 0 else f"{r.same:.0e}")
    )


def _means(rows: list[Row]) -> list[str]:
    told = []
    for threads in sorted({r.threads for r in rows}):
        zoo = [r for r in rows if r.zoo and r.threads == threads]
        if zoo:
            naive, auto = _geometric(zoo, lambda r: r.naive), _geometric(zoo, lambda r: r.auto)
            told.append(
                f"geometric mean of {len(zoo)} zoo models, {threads} thread(s): "
                f"naive {naive:.3f}, auto {auto:.3f} (aim {ZOO_AIM}), "
                f"auto/naive {_geometric(zoo, lambda r: r.gain):.3f}"
            )
    return told


def _missed(rows: list[Row]) -> list[str]:
    one = [r for r in rows if r.threads == 1]
    told = [
        f"{r.name}: {r.gain:.2f} of naive, limit {LIMITS[r.name]}"
        for r in one
        if r.name in LIMITS and r.gain > LIMITS[r.name]
    ]
    told += [f"{r.name}: slower than naive, {r.gain:.2f}" for r in one if r.slower]
    told += [f"{r.name}: outputs differ by {r.same:.0e}" for r in rows if r.same > 1e-5]
    zoo = [r for r in one if r.zoo]
    if zoo and (mean := _geometric(zoo, lambda r: r.gain)) > ZOO_LIMIT:
        told.append(f"zoo: {mean:.3f} of naive, limit {ZOO_LIMIT}")
    return told


def _summary(rows: list[Row]) -> list[Summary]:
    """What the table of all benchmarks shows."""
    one = [r for r in rows if r.threads == 1]
    found = [
        Summary(f"{r.name}, onnxpad beside naive", r.gain, "×", LIMITS.get(r.name)) for r in one
    ]
    zoo = [r for r in one if r.zoo]
    if zoo:
        beside, whole = _geometric(zoo, lambda r: r.gain), _geometric(zoo, lambda r: r.auto)
        found.append(Summary("real models, geometric mean beside naive", beside, "×", ZOO_LIMIT))
        found.append(Summary("  beside the original", whole, "×"))
    return found


def main() -> int:
    """Build, measure, print, save; 1 if a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", help="only models whose name holds one of these")
    parser.add_argument("--mode", default="reflect")
    parser.add_argument("--seconds", type=float, default=6.0, help="for each pair of models")
    parser.add_argument("--threads", default="1,2")
    asked = parser.parse_args()
    rows = []
    for name, build in _models(asked.names).items():
        model = build()
        for threads in map(int, asked.threads.split(",")):
            row = _measure(name, model, asked.mode, threads, asked.seconds)
            if row is not None:
                rows.append(row)
                print(_line(row), file=sys.stderr, flush=True)
    print(f"{platform.machine()}, {os.cpu_count()} cores, ONNX Runtime {ort.__version__}, mode "
          f"{asked.mode}, {asked.seconds:g} s for each pair")  # fmt: skip
    print(_table(rows))
    missed = _missed(rows)
    print("\n".join([*_means(rows), *(f"MISSED {m}" for m in missed)]))
    save("latency", _summary(rows), mode=asked.mode, rows=[asdict(row) for row in rows])
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
