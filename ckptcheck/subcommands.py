"""The commands that look at files alone: ``inspect``, ``verify`` and ``snapshot``.

``ckptcheck MODEL_DIR TARGET`` is the command without a word of its own; a model_dir that is called
like one of these is written ``./inspect``.
"""

import os
import shutil
import sys
from typing import Dict, Optional, Sequence, Union

import typer

from .config import SEVERITIES
from .errors import UsageError
from .inspection import inspect, snapshot, verify
from .reporters import files_json, files_text
from .reporters.options import Options
from .spec import Inspection, Verification

EXIT_OK, EXIT_FINDINGS, EXIT_NOTHING_CHECKED = 0, 1, 3

_FORMAT = typer.Option("text", "--format", help="text or json.")
_MODEL_DIR = typer.Argument(..., metavar="MODEL_DIR", show_default=False)


def run(name: str, words: Sequence[str]) -> None:
    """Runs one of the commands; ends the process with its exit code."""
    _APPS[name](list(words), prog_name=f"ckptcheck {name}")


def _app() -> typer.Typer:
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


inspect_app, verify_app, snapshot_app = _app(), _app(), _app()
_APPS: Dict[str, typer.Typer] = {
    "inspect": inspect_app,
    "verify": verify_app,
    "snapshot": snapshot_app,
}


@inspect_app.command()
def inspect_command(
    model_dir: str = _MODEL_DIR,
    show_all: bool = typer.Option(False, "--all", help="A line for each variable."),
    output: str = _FORMAT,
    fail_on: str = typer.Option("error", help="Exit with 1 from this severity on."),
) -> None:
    """Shows what is in MODEL_DIR, which checkpoint Estimator loads, and whether it is whole.

    Reads no weights and needs no TensorFlow.
    """
    _verify_words(output, fail_on)
    found = inspect(model_dir, fail_on)
    if output == "json":
        text = files_json.render_inspection(found)
    else:
        text = files_text.render_inspection(found, _options(), show_all)
    sys.stdout.write(text)
    raise typer.Exit(_exit_code(found))


@verify_app.command()
def verify_command(
    model_dir: str = _MODEL_DIR,
    all_checkpoints: bool = typer.Option(
        False, "--all-checkpoints", help="Verify every checkpoint: which is the last good one?"
    ),
    output: str = _FORMAT,
    fail_on: str = typer.Option("warning", help="A checkpoint is not good from this severity on."),
) -> None:
    """Reads all data of the checkpoint: checksums, NaN and infinite values, untrained ones.

    Needs no TensorFlow, but the extra ckptcheck[deep].
    """
    _verify_words(output, fail_on)
    with _Bar() as bar:
        found = verify(model_dir, all_checkpoints, fail_on, bar.show)
    if output == "json":
        text = files_json.render_verification(found)
    else:
        text = files_text.render_verification(found, _options())
    sys.stdout.write(text)
    raise typer.Exit(_exit_code(found))


@snapshot_app.command()
def snapshot_command(
    model_dir: str = _MODEL_DIR,
    out: str = typer.Argument(..., metavar="OUT", show_default=False),
) -> None:
    """Writes a small copy of MODEL_DIR to the new directory OUT, without the data.

    It serves as MODEL_DIR in checks, where the model_dir itself is not at hand, as in CI.
    """
    names = snapshot(model_dir, out)
    sizes = [os.path.getsize(os.path.join(out, name)) for name in names]
    typer.echo(f"{out}: {len(names)} files, {files_text.bytes_text(sum(sizes))}")


def _verify_words(output: str, fail_on: str) -> None:
    if output not in ("text", "json"):
        raise UsageError(f"--format {output}: expected text or json")
    if fail_on not in SEVERITIES:
        raise UsageError("--fail-on {}: expected {}".format(fail_on, " or ".join(SEVERITIES)))


def _options() -> Options:
    terminal = sys.stdout.isatty()
    columns = shutil.get_terminal_size((80, 24)).columns
    width = max(60, min(columns, 120)) if terminal else 80
    return Options(False, terminal and "NO_COLOR" not in os.environ, width)


def _exit_code(found: Union[Inspection, Verification]) -> int:
    if not found.checked:
        return EXIT_NOTHING_CHECKED
    return EXIT_OK if found.ok else EXIT_FINDINGS


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
