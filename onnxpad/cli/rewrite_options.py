"""The options of ``onnxpad rewrite``: one alias each, so that the command reads as a list."""

from pathlib import Path
from typing import Annotated

from typer import Option

_SITES, _RUN, _OUT = "Which sites", "Comparison", "Output"
_MODES = "zero, constant:V, edge, reflect, symmetric, wrap, linear, mean, partial"

Mode = Annotated[str, Option(metavar="MODE", help=f"What to invent: {_MODES}.")]
PlanFile = Annotated[
    Path | None, Option("--plan", metavar="FILE", help="Follow a saved plan in place of --mode.")
]

Halo = Annotated[
    int,
    Option(
        "--halo",
        min=0,
        metavar="N",
        help="Pad the input by N pixels per side instead of the layers, and crop them away again.",
        show_default=False,
    ),
]

Only = Annotated[
    list[str] | None, Option(metavar="GLOB", help="Only sites like this.", rich_help_panel=_SITES)
]
Skip = Annotated[
    list[str] | None, Option(metavar="GLOB", help="No sites like this.", rich_help_panel=_SITES)
]
Set = Annotated[
    list[str] | None,
    Option(
        "--set",
        metavar="GLOB=MODE",
        help="These sites get this mode; later ones win.",
        rich_help_panel=_SITES,
    ),
]
From = Annotated[
    str,
    Option(
        "--from",
        metavar="MODE",
        help="Change the sites that are in this mode now, in place of zero.",
        rich_help_panel=_SITES,
    ),
]
Pools = Annotated[bool, Option("--pools", help="Change pools too.", rich_help_panel=_SITES)]
Fallback = Annotated[
    str,
    Option(metavar="MODE", help="For sites where the mode is refused.", rich_help_panel=_SITES),
]
AllowNoncausal = Annotated[
    bool,
    Option("--allow-noncausal", help="Let causal padding read the future.", rich_help_panel=_SITES),
]

Target = Annotated[
    str,
    Option(
        metavar="cuda|tensorrt",
        help="Build for a runtime that has no integer Pad: pad in front of Q/DQ.",
        rich_help_panel=_SITES,
    ),
]

Place = Annotated[
    str,
    Option(
        metavar="auto|site",
        help="Where padding that copies is done: where it costs least, with the same results, or "
        "where it is read.",
        show_default="a plan's own places, else auto",
        rich_help_panel=_SITES,
    ),
]

Output = Annotated[
    Path | None,
    Option(
        "-o",
        "--output",
        metavar="OUT",
        help="Where to write; by default model.MODE.onnx beside the model.",
        rich_help_panel=_OUT,
    ),
]
SavePlan = Annotated[
    Path | None,
    Option("--save-plan", metavar="FILE", help="Save what was decided.", rich_help_panel=_OUT),
]
DryRun = Annotated[
    bool,
    Option("--dry-run", help="Say what would be done, write no model.", rich_help_panel=_OUT),
]
SelfContained = Annotated[
    bool,
    Option("--self-contained", help="Copy external data beside the output.", rich_help_panel=_OUT),
]
Force = Annotated[
    bool,
    Option("--force", help="Replace a file that onnxpad did not write.", rich_help_panel=_OUT),
]

NoCompare = Annotated[
    bool, Option("--no-compare", help="Do not run the models.", rich_help_panel=_RUN)
]
