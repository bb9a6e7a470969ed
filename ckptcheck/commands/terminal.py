"""What the commands have in common: how they are parsed, how they print, how they end."""

import os
import shutil
import sys
from typing import Any

import typer

from ..exit_codes import EXIT_FINDINGS, EXIT_NOTHING_CHECKED, EXIT_OK
from ..options import verify_choices
from ..output import write_out
from ..reporters import Options, formats
from ..results import SEVERITIES, Report

FORMAT = typer.Option("text", "--format", metavar="FORMAT", help="text or json.")
MODEL_DIR = typer.Argument(..., metavar="MODEL_DIR", show_default=False)


def fail_on_option(default: str) -> Any:
    """The option ``--fail-on``, whose default is another one for each command."""
    return typer.Option(
        default,
        "--fail-on",
        metavar="SEVERITY",
        help="Exit with 1 from this severity on: note, warning or error.",
    )


def new_app() -> typer.Typer:
    """A command line whose errors are one clear message each, with or without rich."""
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def of_terminal(**form: bool) -> Options:
    """How to write for what standard output is."""
    terminal = sys.stdout.isatty()
    columns = shutil.get_terminal_size((80, 24)).columns
    width = max(60, min(columns, 120)) if terminal else 80
    return Options(color=terminal and _colors(), width=width, **form)


def _colors() -> bool:
    """As no-color.org has it: the variable counts where it is not empty."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def finish(text: str, found: Report) -> None:
    """Prints a report and ends the command with its exit code.

    Raises:
        typer.Exit: always, but where the report cannot be written.
        UsageError: it cannot be written.
    """
    write_out(text)
    raise typer.Exit(exit_code(found))


def exit_code(found: Report) -> int:
    """The exit code of a report; it depends on no format."""
    if not found.checked:
        return EXIT_NOTHING_CHECKED
    return EXIT_OK if found.ok else EXIT_FINDINGS


def verify_words(output: str, fail_on: str) -> None:
    """Verifies what ``--format`` and ``--fail-on`` say.

    Raises:
        UsageError: one of them says something else.
    """
    verify_choices("--format", (output,), tuple(formats()))
    verify_choices("--fail-on", (fail_on,), SEVERITIES)
