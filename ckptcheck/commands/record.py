"""``ckptcheck record MODEL_DIR TARGET PARAMS``."""

import os
from typing import Any, Dict, List

import typer

from .. import __version__
from ..options import RecordSpec, from_command_line
from ..output import write_out
from ..recording import record
from ..reporters import render
from ..reporters.words import bytes_text
from ..sanitize import printable
from .hints import verify_order
from .parsing import OVERRIDES, help_text, new_app, takes
from .progress import Status
from .terminal import exit_code, of_terminal

app = new_app()
_DETAILS = """The record says what the checkpoint was trained with: the params, the features, the
restore plan and the graph of each mode, digests of the source code, and versions (docs/record.md).
It is one file, MODEL_DIR/model.ckpt-N.ckptcheck.json. Later checks say what has changed since.

This command runs a check first. It writes nothing if the code does not fit the checkpoint, unless
--force is given. It is the only command that writes into MODEL_DIR.

Exit codes: 0 the record is written; 1 the code does not fit; 2 wrong usage; 3 nothing to record.
"""


@app.command(help=help_text("record", _DETAILS))
@takes(RecordSpec)
def record_command(
    given: Dict[str, Any], context: typer.Context, overrides: List[str] = OVERRIDES
) -> None:
    """Runs the command."""
    verify_order(given)
    spec = from_command_line(RecordSpec, {**given, "flags": context.obj})
    with Status() as status:
        report = record(spec, __version__, say=status.say, overrides=overrides)
    if report.written.names:
        path = os.path.join(report.written.folder, *report.written.names)
        write_out(f"{printable(path, 2000)}: {bytes_text(os.path.getsize(path))}\n")
        return
    typer.echo(render(report, options=of_terminal()), err=True, nl=False)
    forced = " --force writes it anyway." if report.checkpoint and report.trace else ""
    typer.echo(f"No record was written.{forced}", err=True)
    raise typer.Exit(exit_code(report))
