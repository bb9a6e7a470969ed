"""``ckptcheck verify MODEL_DIR``."""

import sys
from typing import Optional

import typer

from ..reporters import files_json, files_text
from ..verification import verify
from .terminal import FORMAT, MODEL_DIR, finish, new_app, of_terminal, verify_words

app = new_app()


@app.command()
def verify_command(
    model_dir: str = MODEL_DIR,
    all_checkpoints: bool = typer.Option(
        False, "--all-checkpoints", help="Verify every checkpoint: which is the last good one?"
    ),
    output: str = FORMAT,
    fail_on: str = typer.Option("warning", help="A checkpoint is not good from this severity on."),
) -> None:
    """Reads all data of the checkpoint: checksums, NaN and infinite values, untrained ones.

    Needs no TensorFlow, but the extra ckptcheck[deep].
    """
    verify_words(output, fail_on)
    with _Bar() as bar:
        found = verify(model_dir, all_checkpoints, fail_on, bar.show)
    if output == "json":
        text = files_json.render_verification(found)
    else:
        text = files_text.render_verification(found, of_terminal())
    finish(text, found)


class _Bar:
    """A progress bar on standard error, where that is a terminal."""

    def __init__(self) -> None:
        self._bar: Optional[object] = None
        self._done = 0

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.__exit__(*error)  # type: ignore[attr-defined]

    def show(self, done: int, whole: int) -> None:
        """Shows how far it is."""
        if not sys.stderr.isatty() or not whole:
            return
        if self._bar is None:
            bar = typer.progressbar(length=whole, label="reading", file=sys.stderr)
            self._bar = bar.__enter__()
        self._bar.update(done - self._done)  # type: ignore[attr-defined]
        self._done = done
