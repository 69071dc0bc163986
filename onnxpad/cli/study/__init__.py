"""``onnxpad study …``: what the paper shows, for any model. One file a command."""

import typer

app = typer.Typer(
    help="See what padding does inside models, without judgement: the paper's figures, for yours.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
