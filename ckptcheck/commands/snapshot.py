"""``ckptcheck snapshot MODEL_DIR OUT``."""

import os

import typer

from ..output import write_out
from ..reporters.files_text import render_groups
from ..reporters.options import Options
from ..reporters.words import bytes_text
from ..results import Finding
from ..sanitize import escaped, printable
from ..snapshots import snapshot
from .terminal import MODEL_DIR, new_app

app = new_app()


@app.command()
def snapshot_command(
    model_dir: str = MODEL_DIR,
    out: str = typer.Argument(..., metavar="OUT", show_default=False),
) -> None:
    """Writes a small copy of MODEL_DIR to the new directory OUT, without the data.

    It serves as MODEL_DIR in checks, where the model_dir itself is not at hand, as in CI. What is
    wrong with MODEL_DIR is said, and kept in OUT, but does not fail the command.
    """
    made = snapshot(model_dir, out)
    sizes = [os.path.getsize(os.path.join(made.folder, name)) for name in made.names]
    where = printable(escaped(made.folder), 2000)
    write_out(f"{where}: {len(made.names)} files, {bytes_text(sum(sizes))}\n")
    said = [item for item in made.groups if _matters(item.findings[0])]
    typer.echo(render_groups(said, made.not_judged, Options()), err=True, nl=False)


def _matters(finding: Finding) -> bool:
    """Whether it has to be known of a snapshot: without a graph, a check needs --features."""
    return finding.severity != "note" or finding.rule == "missing-saved-graph"
