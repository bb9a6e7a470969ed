"""``ckptcheck check MODEL_DIR TARGET``."""

from typing import Any, Dict, List

import typer

from ..checks import run_check
from ..options import CheckSpec, from_command_line, options_of
from .hints import verify_order
from .parsing import FORMAT, OVERRIDES, help_text, new_app, takes
from .progress import Bar, Status
from .terminal import finish

app = new_app()
_DETAILS = f"""Nothing is restored. The code is imported and model_fn is called, in a process of its
own.

-- FLAGS: {options_of(CheckSpec)["flags"].help}

Exit codes: 0 no errors; 1 errors; 2 wrong usage; 3 nothing to check.
"""


@app.command(help=help_text("check", _DETAILS))
@takes(CheckSpec)
def check_command(
    given: Dict[str, Any],
    context: typer.Context,
    overrides: List[str] = OVERRIDES,
    output: str = FORMAT,
    show_plan: bool = typer.Option(
        False, "--show-plan", help="List everything that each mode restores."
    ),
    show_drift: bool = typer.Option(
        False, "--show-drift", help="List all nodes that differ from those of the saved graph."
    ),
) -> None:
    """Runs the command."""
    verify_order(given)
    spec = from_command_line(CheckSpec, {**given, "flags": context.obj})
    with Bar() as bar, Status() as status:
        report = run_check(spec, progress=bar.show, say=status.say, overrides=overrides)
    finish(report, output, show_plan=show_plan, show_drift=show_drift)
