"""``ckptcheck snapshot MODEL_DIR OUT``."""

import os

import typer

from ..harmless import printable
from ..reporters.words import bytes_text
from ..snapshots import snapshot
from ..stdout import write_out
from .terminal import MODEL_DIR, new_app

app = new_app()


@app.command()
def snapshot_command(
    model_dir: str = MODEL_DIR,
    out: str = typer.Argument(..., metavar="OUT", show_default=False),
) -> None:
    """Writes a small copy of MODEL_DIR to the new directory OUT, without the data.

    It serves as MODEL_DIR in checks, where the model_dir itself is not at hand, as in CI.
    """
    made = snapshot(model_dir, out)
    sizes = [os.path.getsize(os.path.join(out, name)) for name in made.names]
    write_out(f"{out}: {len(made.names)} files, {bytes_text(sum(sizes))}\n")
    for group in made.groups:
        first = group.findings[0]
        if first.severity != "note":
            text = f"ckptcheck: {first.severity}[{first.rule}] {printable(first.message, 2000)}"
            typer.echo(text, err=True)
