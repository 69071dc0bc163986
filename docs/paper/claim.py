"""One claim of the paper and what came out, as the page shows it; ways to read and keep studies."""

import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from onnxpad.report.study_files import save
from onnxpad.study import Cell, ModelStudy, Study

DOCS = Path(__file__).parent.parent
SAMPLES = DOCS.parent / "sample_models"
PICTURES = DOCS / "pictures"
YES, PARTLY, NO, SHOWN = "reproduced", "partly", "not reproduced", "shown for one network"


@dataclass(frozen=True, slots=True)
class Result:
    """One row of the paper's list.

    Attributes:
        claim: the paper's. found: sentences with the numbers. verdict: one of the four words.
        command: what a reader types for a model of his own.
        pictures: file names below docs/pictures/.
    """

    number: str
    claim: str
    command: str
    found: tuple[str, ...]
    verdict: str
    pictures: tuple[str, ...] = ()


def rows(study: Study | ModelStudy, key: str) -> list[dict[str, Cell]]:
    """A table of the (first) model as dictionaries by its heads."""
    one = study.models[0] if isinstance(study, Study) else study
    if one.absent:
        raise SystemExit(f"{one.model}: {one.absent}")
    table = next(t for t in one.tables if t.key == key)
    return [dict(zip(table.heads, row, strict=True)) for row in table.rows]


def keep(study: Study, key: str, name: str) -> str:
    """Save a study, and keep one of its pictures or charts as docs/pictures/NAME."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", key)
    with tempfile.TemporaryDirectory() as folder:
        files = {path.stem: path for path in save(study, Path(folder)) if path.suffix == ".png"}
        shutil.copyfile(files[plain], PICTURES / name)
    return name


def number(value: Cell, form: str = ".4g") -> str:
    """A number of a table as text."""
    return f"{value:{form}}".replace("-", "−") if isinstance(value, (int, float)) else "?"


def page(results: Sequence[Result]) -> str:
    """The page as Markdown."""
    lines = [
        "# The paper, made again",
        "",
        (
            "Alsallakh et al., “Mind the Pad – CNNs Can Develop Blind Spots”, ICLR 2021 "
            "([arXiv 2010.02178](https://arxiv.org/abs/2010.02178)), claim by claim. `make paper` "
            "writes this page and its pictures from the studies: geometry on chains of layers "
            "shaped like the named networks, the rest on the small networks of `sample_models/`. "
            "Nothing here was run on the paper's own models or data."
        ),
        "",
        "| | the paper says | here |",
        "|---|---|---|",
        *(f"| [{r.number}](#{r.number.lower()}) | {r.claim} | {r.verdict} |" for r in results),
        "",
    ]
    for one in results:
        lines += [
            f"## {one.number}",
            "",
            f"{one.claim[0].upper()}{one.claim[1:]}: {one.verdict}.",
            "",
        ]
        lines += ["```sh", *one.command.split("; "), "```", ""]
        lines += [*(f"- {text}" for text in one.found), ""]
        lines += [f"![{one.claim}](pictures/{name})" for name in one.pictures]
        lines += [""] * bool(one.pictures)
    return "\n".join(lines).rstrip() + "\n"
