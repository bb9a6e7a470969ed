"""What the commands share: how they print and how they end."""

import contextlib
import os
import shutil
import sys
from pathlib import Path
from typing import Any, Dict, Sequence, Union

from .. import __version__
from ..config.toml_file import OWN_FILE, SHARED_FILE, find_file
from ..errors import UsageError
from ..exit_codes import EXIT_FINDINGS, EXIT_NOTHING_CHECKED, EXIT_OK, EXIT_USAGE
from ..output import append_to_file, write_file, write_out
from ..reporters import Options, render
from ..results import Report
from ..runs import Runs


def of_terminal(**form: Any) -> Options:
    """Returns the options of a report for standard output, such as colors and width."""
    terminal = sys.stdout.isatty()
    columns = shutil.get_terminal_size((80, 24)).columns
    width = max(60, min(columns, 120)) if terminal else 80
    # See no-color.org: the variable counts if it is not empty.
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return Options(color=terminal and not plain, width=width, **form)


def finish(found: Union[Report, Runs], output: str, files: Sequence[str] = (), **form: Any) -> None:
    """Writes what a command found, and ends the command with its exit code; see :func:`emit`.

    Raises:
        typer.Exit: the report is written.
        UsageError: it cannot be written.
    """
    import typer

    emit(found, output, files, **form)
    raise typer.Exit(exit_code(found))


def emit(found: Union[Report, Runs], output: str, files: Sequence[str] = (), **form: Any) -> None:
    """Prints what a command found, and writes it to files.

    Args:
        found: the report, or the reports of several checks.
        output: the name of the format for standard output.
        files: formats for files, each as ``FORMAT=FILE``.
        form: options of the report.

    Raises:
        UsageError: it cannot be written somewhere. It is written everywhere else.
    """
    runs = Runs.of(found) if isinstance(found, Report) else found
    places = _places(runs)
    plain = Options(**form, **places)
    outputs = [tuple(item.split("=", 1)) for item in files]
    with contextlib.ExitStack() as writes:  # it calls all of them, the last one first
        for format, path in outputs[::-1]:
            writes.callback(write_file, path, render(runs, format, plain))
        summary = os.environ.get("GITHUB_STEP_SUMMARY")
        if summary and GITHUB in (output, *(format for format, _ in outputs)):
            writes.callback(append_to_file, summary, render(runs, MARKDOWN, plain))
        writes.callback(write_out, render(runs, output, of_terminal(**form, **places)))


GITHUB, MARKDOWN = "github", "markdown"
"""The first format writes the job summary in the second format."""


def _places(runs: Runs) -> Dict[str, Any]:
    """Returns the options that say where files are, for formats that need it."""
    try:
        folder = os.getcwd()
    except OSError:  # the working directory was removed, so relative paths do not work
        folder = os.sep
    root = _root(folder)
    reports = [run.report for run in runs.runs if run.report is not None]
    targets = {(report.app_dir, report.target) for report in reports if report.target}
    files = {target: _file_of_target(*target) for target in targets}
    return {
        "version": __version__,
        "folder": folder,
        "root": root,
        "sources": {target: file for target, file in files.items() if file},
        "anchor": _anchor(folder, root),
    }


def _root(folder: str) -> str:
    """Returns the directory of the git repository; the directory itself outside of one."""
    above = (folder, *map(str, Path(folder).parents))
    return next((path for path in above if os.path.exists(os.path.join(path, ".git"))), folder)


def _anchor(folder: str, root: str) -> str:
    """Returns a file of the repository: the configuration, or else one that most projects have."""
    with contextlib.suppress(UsageError):  # only some commands need a valid configuration
        file = find_file(folder)
        if file.startswith(os.path.join(root, "")):
            return file
    try:
        with os.scandir(root) as entries:
            names = [entry.name for entry in entries if entry.is_file()]
    except OSError:
        names = []
    usual = [name for name in _USUAL if name in names]
    shown = sorted(name for name in names if not name.startswith("."))
    return os.path.join(root, next(iter([*usual, *shown]), OWN_FILE))


_USUAL = (SHARED_FILE, "setup.py", "setup.cfg", "requirements.txt", "README.md")


def _file_of_target(app_dir: str, target: str) -> str:
    """Returns the file of TARGET; "" if it is no path, and no module in the directory."""
    module = target.rpartition(":")[0]
    below = os.path.join(app_dir, module.replace(".", os.sep))
    names = (module, below + ".py", os.path.join(below, "__init__.py"))
    return next((name for name in names if os.path.isfile(name)), "")


def exit_code(found: Union[Report, Runs]) -> int:
    """Returns the exit code of a report, or the worst of several. No format changes it."""
    runs = Runs.of(found) if isinstance(found, Report) else found
    if any(run.problem for run in runs.runs):
        return EXIT_USAGE
    reports = [run.report for run in runs.runs if run.report is not None]
    if any(report.checked and not report.ok for report in reports):
        return EXIT_FINDINGS
    if any(not report.checked for report in reports):
        return EXIT_NOTHING_CHECKED
    return EXIT_OK if runs.ok else EXIT_FINDINGS


def tell(text: str) -> None:
    """Writes to standard error, unless it is closed."""
    with contextlib.suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()
