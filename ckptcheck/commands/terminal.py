"""What the commands share: how they print and how they end."""

import os
import shutil
import sys

import typer

from ..exit_codes import EXIT_FINDINGS, EXIT_NOTHING_CHECKED, EXIT_OK
from ..output import write_out
from ..reporters import Options, render
from ..results import Report


def of_terminal(**form: bool) -> Options:
    """Returns the form of a report that suits standard output."""
    terminal = sys.stdout.isatty()
    columns = shutil.get_terminal_size((80, 24)).columns
    width = max(60, min(columns, 120)) if terminal else 80
    # See no-color.org: the variable counts if it is not empty.
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return Options(color=terminal and not plain, width=width, **form)


def finish(found: Report, output: str, **form: bool) -> None:
    """Prints a report and ends the command with its exit code.

    Args:
        found: the report.
        output: the name of the format.
        form: options of the report.

    Raises:
        typer.Exit: the report is written.
        UsageError: it cannot be written.
    """
    write_out(render(found, output, of_terminal(**form)))
    raise typer.Exit(exit_code(found))


def exit_code(found: Report) -> int:
    """Returns the exit code of a report. It does not depend on the format."""
    if not found.checked:
        return EXIT_NOTHING_CHECKED
    return EXIT_OK if found.ok else EXIT_FINDINGS
