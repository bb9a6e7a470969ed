"""``ckptcheck inspect MODEL_DIR``."""

from typing import Any, Dict, List

import typer

from ..inspection import inspect
from ..options import InspectSpec, from_command_line
from .outputs import folders_of, verify_outputs
from .parsing import FORMAT, OUTPUT, exit_codes, help_text, new_app, takes
from .terminal import finish

app = new_app()
_DETAILS = f"""Verifies the index and the sizes of the data files. Needs no TensorFlow.

{exit_codes("no checkpoint")}
"""


@app.command(help=help_text("inspect", _DETAILS))
@takes(InspectSpec)
def inspect_command(
    context: typer.Context,
    given: Dict[str, Any],
    show_all: bool = typer.Option(False, "--all", help="Show a line for each variable."),
    output: str = FORMAT,
    outputs: List[str] = OUTPUT,
) -> None:
    """Runs the command."""
    spec = from_command_line(InspectSpec, given)
    verify_outputs(outputs, lambda: folders_of(spec.model_dir))
    report = inspect(spec.model_dir, spec.fail_on)
    finish(report, output, outputs, show_all=show_all)
