"""The options of ``onnxpad audit``: one alias each, so that the command reads as a list."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from typer import Option

_RULES, _MODELS, _RESULT = "Rules", "Models", "Result"


def _codes(incomplete: str) -> list[tuple[str, str]]:
    """For the shell's completion: the rules; what stands before the last comma is kept."""
    from onnxpad.rules import RULES

    before, comma, word = incomplete.rpartition(",")
    return [
        (f"{before}{comma}{rule.code}", rule.title)
        for rule in RULES
        if rule.code.startswith(word.upper())
    ]


def _one_of(*words: str) -> Callable[[str], list[str]]:
    return lambda incomplete: [word for word in words if word.startswith(incomplete)]


Select = Annotated[
    list[str] | None,
    Option(
        metavar="CODES",
        help="These rules in place of the default ones: codes or their beginnings, or ALL.",
        autocompletion=_codes,
        rich_help_panel=_RULES,
    ),
]
Ignore = Annotated[
    list[str] | None,
    Option(metavar="CODES", help="Not these rules.", autocompletion=_codes, rich_help_panel=_RULES),
]
ExtendSelect = Annotated[
    list[str] | None,
    Option(
        metavar="CODES",
        help="These rules besides.",
        autocompletion=_codes,
        rich_help_panel=_RULES,
    ),
]
Target = Annotated[
    list[str] | None,
    Option(
        metavar="cuda|tensorrt|openvino|coreml",
        help="Also judge for a runtime. Repeatable.",
        autocompletion=_one_of("cuda", "tensorrt", "openvino", "coreml"),
        rich_help_panel=_RULES,
    ),
]
Size = Annotated[
    str | None,
    Option(
        metavar="HxW",
        help="Ask about this size of the input, in place of the model's own.",
        rich_help_panel=_RULES,
    ),
]

Exclude = Annotated[
    list[str] | None,
    Option(
        metavar="GLOB",
        help="Pass over such files and folders. Repeatable.",
        rich_help_panel=_MODELS,
    ),
]
NoIgnore = Annotated[
    bool,
    Option(
        "--no-ignore",
        help="Pass over nothing: hidden and git-ignored files, environments, excluded paths.",
        rich_help_panel=_MODELS,
    ),
]
Jobs = Annotated[
    int | None,
    Option(
        min=1,
        metavar="N",
        help="Worker processes; by default as many as are worth starting.",
        rich_help_panel=_MODELS,
    ),
]

FailOn = Annotated[
    str | None,
    Option(
        metavar="error|warning|note|never",
        help="The lowest severity that exits 1; by default error.",
        autocompletion=_one_of("error", "warning", "note", "never"),
        rich_help_panel=_RESULT,
    ),
]
Baseline = Annotated[
    Path | None,
    Option(
        metavar="FILE",
        help="Accept the findings in this file: only new ones are shown and count.",
        rich_help_panel=_RESULT,
    ),
]
WriteBaseline = Annotated[
    Path | None,
    Option(
        metavar="FILE",
        help="Accept all that is found now: write it as a baseline, and exit 0.",
        rich_help_panel=_RESULT,
    ),
]
Reports = Annotated[
    list[str] | None,
    Option(
        "--report",
        metavar="FORMAT:PATH",
        help="Also write the result as [b]json[/b], [b]sarif[/b], [b]junit[/b], [b]github[/b], "
        "[b]gitlab[/b], [b]md[/b] or [b]html[/b] to a path; - is stdout. Repeatable.",
        rich_help_panel=_RESULT,
    ),
]
Measure = Annotated[
    bool,
    Option(
        "--measure",
        help="Also run each model: constant response, line artifacts and context error, on "
        "[b]--data[/b] or on scenes.",
        rich_help_panel=_RULES,
    ),
]
Budget = Annotated[
    str | None,
    Option(
        metavar="EXPR",
        help="Limits that each model must keep: 'errors<=0,warn:warnings<=3'; of what --measure "
        "gives: constant_response, line_artifacts, context_ne.",
        rich_help_panel=_RESULT,
    ),
]
Strict = Annotated[
    bool,
    Option("--strict", help="Warnings of the budget count as missed.", rich_help_panel=_RESULT),
]
Full = Annotated[
    bool,
    Option(
        "--full", help="Also say why each finding matters and what to do.", rich_help_panel=_RESULT
    ),
]
