"""Write docs/paper.md and docs/pictures/: the paper's figures, made again by onnxpad's studies.

    make paper

Everything runs on chains of layers and on sample_models/. The same versions of the libraries give
the same page; no time of day and no latency stands in it.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

from claim import DOCS, PICTURES, Result, page
from geometry import r1, r2, r3, r4, r6, r7, r8
from trained import r5, r9, r10, r11_r13, r14, trained_size


def results(folder: Path) -> list[Result]:
    """Every claim that could be looked at, in the paper's order."""
    third = r3(folder)
    third = replace(third, found=(*third.found, *trained_size()))
    return [
        r1(folder), r2(folder), third, r4(folder), *r5(), r6(folder), r7(folder), r8(folder),
        r9(folder), r10(), *r11_r13(), r14(),
    ]  # fmt: skip


def main() -> None:
    """Make everything again."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        found = results(Path(folder))
    (DOCS / "paper.md").write_text(page(found), encoding="utf-8")


if __name__ == "__main__":
    main()
