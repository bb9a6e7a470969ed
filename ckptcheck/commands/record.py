"""``ckptcheck record MODEL_DIR TARGET PARAMS``."""

import os
from typing import Any, Dict

import typer

from .. import __version__
from ..config.reading import find_document, read_configuration
from ..config.value import layered
from ..errors import PythonError
from ..options import RecordSpec, from_command_line, options_of
from ..output import write_out
from ..recording import record
from ..reporters import render
from ..reporters.words import bytes_text
from ..sanitize import printable
from .checking import AUDIBLE
from .hints import verify_order
from .parsing import help_text, new_app, takes
from .progress import Status
from .terminal import exit_code, of_terminal

app = new_app()
_DETAILS = """The record says what the checkpoint was trained with: the params, the features, the
restore plan and the graph of each mode, digests of the source code, and versions (docs/record.md).
It is one file, MODEL_DIR/model.ckpt-N.ckptcheck.json. Later checks say what has changed since.

This command runs a check first. It writes nothing if the code does not fit the checkpoint, differs
from an existing record, or computes something else than the saved graph, unless you give --force.
It is the only command that writes into MODEL_DIR.

Exit codes: 0 the record is written; 1 no record is written, because the code does not fit or
differs, or because of --fail-on; 2 an argument is wrong, or ckptcheck could not complete the
command; 3 nothing to record.
"""


@app.command(help=help_text("record", _DETAILS))
@takes(RecordSpec)
def record_command(context: typer.Context, given: Dict[str, Any]) -> None:
    """Runs the command."""
    verify_order(given)
    known = options_of(RecordSpec)
    configuration = read_configuration(find_document(), ())
    defaults = configuration.defaults.items()
    configured = {name: value for name, value in defaults if name in known}
    flags = {"flags": context.obj.flags} if context.obj.flags else {}
    spec = from_command_line(RecordSpec, layered(AUDIBLE, configured, given, flags))
    with Status() as status:
        try:
            report = record(spec, __version__, say=status.say)
        except PythonError as error:
            raise error.at("" if "python" in given else configuration.python_at) from None
    if report.written.names:
        path = os.path.join(report.written.folder, *report.written.names)
        write_out(f"{printable(path, 2000)}: {bytes_text(os.path.getsize(path))}\n")
        return
    typer.echo(render(report, options=of_terminal()), err=True, nl=False)
    forced = " --force writes it anyway." if report.checkpoint and report.trace else ""
    typer.echo(f"No record was written.{forced}", err=True)
    raise typer.Exit(exit_code(report))
