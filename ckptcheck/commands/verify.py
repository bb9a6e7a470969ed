"""``ckptcheck verify MODEL_DIR``."""

from typing import Any, Dict, List

import typer

from ..options import VerifySpec, from_command_line
from ..verification import verify
from .outputs import folders_of, verify_outputs
from .parsing import FORMAT, OUTPUT, exit_codes, help_text, new_app, takes
from .progress import Bar
from .terminal import finish

app = new_app()
_DETAILS = f"""Verifies checksums. Finds NaN, infinite values, and batch normalizations that
were never updated.

Needs numpy, but no TensorFlow.

{exit_codes("no checkpoint")}
"""


@app.command(help=help_text("verify", _DETAILS))
@takes(VerifySpec)
def verify_command(
    context: typer.Context,
    given: Dict[str, Any],
    output: str = FORMAT,
    outputs: List[str] = OUTPUT,
) -> None:
    """Runs the command."""
    spec = from_command_line(VerifySpec, given)
    verify_outputs(outputs, lambda: folders_of(spec.model_dir))
    with Bar() as bar:
        report = verify(spec.model_dir, spec.all_checkpoints, spec.fail_on, bar.show)
    finish(report, output, outputs)
