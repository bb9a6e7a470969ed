"""``ckptcheck snapshot MODEL_DIR OUT``."""

import os
from typing import Any, Dict

import typer

from ..options import SnapshotSpec, from_command_line
from ..output import write_out
from ..reporters import render
from ..reporters.words import bytes_text
from ..sanitize import printable
from ..snapshots import snapshot
from .parsing import help_text, new_app, takes

app = new_app()
_DETAILS = """OUT has no weights. Use it as MODEL_DIR in checks on machines that do not have the
model_dir.

Needs no TensorFlow.

With --force, replaces the snapshot in OUT. It never replaces any other directory.

The command prints findings about MODEL_DIR and records them in OUT. They do not fail the command.

Exit codes: 0 the snapshot is written; 2 an argument is wrong, or ckptcheck could not make a
snapshot.
"""


@app.command(help=help_text("snapshot", _DETAILS))
@takes(SnapshotSpec)
def snapshot_command(context: typer.Context, given: Dict[str, Any]) -> None:
    """Runs the command."""
    spec = from_command_line(SnapshotSpec, given)
    report = snapshot(spec.model_dir, spec.out, spec.force)
    made = report.written
    sizes = [os.path.getsize(os.path.join(made.folder, name)) for name in made.names]
    write_out(
        f"{printable(made.folder, 2000)}: {len(made.names)} files, {bytes_text(sum(sizes))}\n"
    )
    typer.echo(render(report), err=True, nl=False)
