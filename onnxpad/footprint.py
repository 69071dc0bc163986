"""How much memory running a model takes: the peak of a process that does nothing else.

python -m onnxpad.footprint MODEL FEEDS.npz PROVIDER THREADS      (what the child does)
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from onnxpad.runtime import Array

SECONDS = 120.0
_MIB = 2**20


def peak_memory(
    model: Path, feeds: Mapping[str, Array], *, provider: str = "cpu", threads: int | None = None
) -> float | None:
    """MiB that loading a model and running it once adds to a fresh process, at the peak.

    Weights count, and so does what the engine allocates for itself; memory on a GPU does not.
    None where the platform does not tell, or the model does not run.
    """
    with tempfile.TemporaryDirectory(prefix="onnxpad-") as folder:
        path = Path(folder) / "feeds.npz"
        # positional names: an input may be called "file", which savez keeps for itself
        names = list(feeds)
        numbered: dict[str, Any] = {f"input_{i}": feeds[name] for i, name in enumerate(names)}
        np.savez(path, **numbered)
        asked = [str(model.resolve()), str(path), provider, str(threads or 0), json.dumps(names)]
        try:
            done = subprocess.run(  # noqa: S603  # this very interpreter, and no shell
                [sys.executable, "-m", "onnxpad.footprint", *asked],
                capture_output=True, check=True, timeout=SECONDS, text=True,
            )  # fmt: skip
            return float(json.loads(done.stdout)["mib"])
        except (OSError, subprocess.SubprocessError, ValueError, KeyError):
            return None


def _high_water() -> float | None:
    """The most memory this process has held so far, in MiB."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return _resource_high_water()
    line = next((text for text in status.splitlines() if text.startswith("VmHWM:")), "")
    return int(line.split()[1]) / 1024 if line else None


def _resource_high_water() -> float | None:
    """The same where there is no /proc: macOS counts bytes there, others kibibytes."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / _MIB if sys.platform == "darwin" else peak / 1024


def main(arguments: list[str]) -> None:
    """Load, run once, and print what that took."""
    from onnxpad.runtime import choose_provider, open_session

    model, path, provider, threads, names = arguments
    with np.load(path, allow_pickle=False) as stored:
        feeds = {name: stored[f"input_{i}"] for i, name in enumerate(json.loads(names))}
    chosen = choose_provider(provider)
    before = _high_water()
    session = open_session(Path(model), provider=chosen, threads=int(threads) or None)
    session.run(feeds)
    after = _high_water()
    if before is not None and after is not None:
        sys.stdout.write(json.dumps({"mib": after - before}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
