"""``ckptcheck inspect MODEL_DIR``."""

import typer

from ..inspection import inspect
from ..reporters import render
from .terminal import FORMAT, MODEL_DIR, fail_on_option, finish, new_app, of_terminal, verify_words

app = new_app()


@app.command()
def inspect_command(
    model_dir: str = MODEL_DIR,
    show_all: bool = typer.Option(False, "--all", help="A line for each variable."),
    output: str = FORMAT,
    fail_on: str = fail_on_option("error"),
) -> None:
    """Shows what is in MODEL_DIR, which checkpoint Estimator loads, and whether it is whole.

    Reads no weights and needs no TensorFlow.
    """
    verify_words(output, fail_on)
    found = inspect(model_dir, fail_on)
    finish(render(found, output, of_terminal(show_all=show_all)), found)
