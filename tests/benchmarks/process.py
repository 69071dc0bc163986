"""A fresh Python process, timed: its whole time, the time of its work, its peak of memory.

This module imports nothing heavy, because Linux counts the memory of a process before exec towards
its child's peak.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "bench"

# Runs a command of onnxpad with the libraries it needs loaded before the clock starts.
COMMAND = """
import sys, time
{imports}
from onnxpad.cli import main
sys.argv = ["onnxpad", *sys.argv[1:]]
began = time.perf_counter()
try:
    code = main()
except SystemExit as end:
    code = end.code
print("work", time.perf_counter() - began, file=sys.stderr)
sys.exit(code)
"""


# The libraries a command needs, loaded before the clock starts.
IMPORTS = """
import importlib, pkgutil
import onnx, onnx_graphsurgeon, numpy, typer, rich.table, rich.console, onnxpad
for module in pkgutil.iter_modules(onnxpad.__path__):
    if not module.name.startswith("_"):
        importlib.import_module(f"onnxpad.{module.name}")
"""


@dataclass(frozen=True)
class Spent:
    """What one process took: seconds from start to end, seconds of work inside, MiB at the peak."""

    whole: float
    work: float
    peak: float


def spend(code: str, *arguments: str, cwd: Path = ROOT) -> Spent:
    """Run Python code; it says ``work SECONDS`` on stderr. Ends this process where it fails."""
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
    ) as child:
        assert child.stderr is not None
        told = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        whole = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"exit code {child.returncode}:\n{told}")
    work = next((float(line[5:]) for line in told.splitlines() if line.startswith("work ")), 0.0)
    return Spent(whole, work, usage.ru_maxrss / 1024)
