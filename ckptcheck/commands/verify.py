"""``ckptcheck verify MODEL_DIR``."""

import typer

from ..reporters import render
from ..verification import verify
from .progress import Bar
from .terminal import FORMAT, MODEL_DIR, fail_on_option, finish, new_app, of_terminal, verify_words

app = new_app()


@app.command()
def verify_command(
    model_dir: str = MODEL_DIR,
    all_checkpoints: bool = typer.Option(
        False,
        "--all-checkpoints",
        help="Verify every checkpoint of the directory: which is the last good one?",
    ),
    output: str = FORMAT,
    fail_on: str = fail_on_option("warning"),
) -> None:
    """Reads all data of the checkpoint: checksums, NaN and infinite values, untrained ones.

    Needs no TensorFlow, but the extra ckptcheck[deep].
    """
    verify_words(output, fail_on)
    with Bar() as bar:
        found = verify(model_dir, all_checkpoints, fail_on, bar.show)
    finish(render(found, output, of_terminal()), found)
