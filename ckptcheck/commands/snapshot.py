"""``ckptcheck snapshot MODEL_DIR OUT``."""

import os

import typer

from ..output import write_out
from ..reporters import render
from ..reporters.words import bytes_text
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
    typer.echo(render(made.report), err=True, nl=False)
