"""All benchmarks, one after the other, and one table of what they measured.

    python -m tests.benchmarks [NAME ...] [--list]

A benchmark is a module bench_NAME.py here. It prints its own table, writes build/bench/NAME.json,
with rows for the table of all (``rows.save``), and exits 1 if it misses a limit. One that fails
does not stop the others; the last line names those that missed a limit or failed. The table stands
in build/bench/all.json, too.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from tests.benchmarks.process import FOLDER, ROOT
from tests.benchmarks.rows import Row, load, table

NAMES = tuple(
    path.stem.removeprefix("bench_") for path in sorted(Path(__file__).parent.glob("bench_*.py"))
)


def _run(name: str) -> tuple[list[Row], int]:
    """Its rows, none where it broke down before it saved any; and its exit code."""
    began = time.time()
    print(f"\n== {name}", flush=True)
    code = subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.bench_{name}"], cwd=ROOT, check=False
    ).returncode
    saved = FOLDER / f"{name}.json"
    fresh = saved.exists() and saved.stat().st_mtime >= began
    return (load(name) if fresh else []), code


def main() -> int:
    """Run, print, save; the highest exit code of all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--list", action="store_true", help="say what there is")
    asked = parser.parse_args()
    unknown = sorted(set(asked.names) - set(NAMES))
    if unknown:
        parser.error(f"no benchmark is called {unknown[0]}; there are {', '.join(NAMES)}")
    if asked.list:
        print("\n".join(NAMES))
        return 0
    found = {name: _run(name) for name in asked.names or NAMES}
    print("\n== all")
    print(table(Row(f"{name}: {row.name.strip()}", row.value, row.unit, row.limit, row.least)
                for name, (rows, _) in found.items() for row in rows))  # fmt: skip
    kept = {name: [asdict(row) for row in rows] for name, (rows, _) in found.items()}
    (FOLDER / "all.json").write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    bad = [name for name, (_, code) in found.items() if code]
    if bad:
        print(f"missed a limit, or failed: {', '.join(bad)}")
    return max((code for _, code in found.values()), default=0)


if __name__ == "__main__":
    sys.exit(main())
