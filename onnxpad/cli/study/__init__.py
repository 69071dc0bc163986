"""``onnxpad study …``: what the paper shows, for any model. One file a command."""

import typer

from onnxpad.cli.study import (
    everything,
    foveation,
    kernels,
    maps,
    modes,
    position,
    shift,
    sizes,
    sweep,
)

app = typer.Typer(
    help="Show what padding does inside models, the paper's figures for yours; no judgement.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
app.command("foveation")(foveation.foveation)
app.command("sizes")(sizes.sizes)
app.command("kernels")(kernels.kernels)
app.command("maps")(maps.maps)
app.command("modes")(modes.modes)
app.command("sweep")(sweep.sweep)
app.command("position")(position.position)
app.command("shift")(shift.shift)
app.command("all")(everything.everything)
