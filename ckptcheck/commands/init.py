"""``ckptcheck init``."""

import os

import typer

from ..config.toml_file import OWN_FILE, find_file
from ..errors import UsageError
from ..output import write_file, write_out
from ..project_files import first_configuration, project_files
from .parsing import help_text, new_app

app = new_app()
_DETAILS = f"""It looks for model_dirs, model_fns, params files and records in the working
directory, and writes {OWN_FILE}. Review the file, then run ckptcheck.

Exit codes: 0 the file is written; 2 there is a configuration already, or nothing to configure.
"""


@app.command(help=help_text("init", _DETAILS))
def init_command(
    show: bool = typer.Option(False, "--stdout", help="Print the configuration; write no file."),
) -> None:
    """Runs the command."""
    try:
        folder = os.getcwd()
    except OSError as error:  # it was removed
        raise UsageError(f"the working directory cannot be used: {error.strerror}") from None
    existing = find_file(folder)
    if existing and not show:
        raise UsageError(
            f"{os.path.relpath(existing)} has a configuration already. --stdout prints the one "
            "that init would write"
        )
    text = first_configuration(folder, project_files(folder))
    if show:
        write_out(text)
        return
    write_file(OWN_FILE, text)
    count = text.count("[[check]]")
    checks = "1 check" if count == 1 else f"{count} checks"
    write_out(f"{OWN_FILE}: {checks}. Review it, then run ckptcheck\n")
