"""``ckptcheck check MODEL_DIR TARGET``."""

import os
from typing import Any, Dict, List, Mapping

import typer

from ..checks import run_check
from ..errors import UsageError
from ..option_values import looks_like_target
from ..options import CheckSpec, from_command_line, options_of
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
    _verify_order(given)
    spec = from_command_line(CheckSpec, {**given, "flags": context.obj})
    with Bar() as bar, Status() as status:
        report = run_check(spec, progress=bar.show, say=status.say, overrides=overrides)
    finish(report, output, show_plan=show_plan, show_drift=show_drift)


def _verify_order(given: Mapping[str, str]) -> None:
    """Refuses arguments in another order; their own errors would be misleading.

    Raises:
        UsageError: an argument can only be another one.
    """
    model_dir, target, params = (given.get(name, "") for name in ("model_dir", "target", "params"))
    problem = ""
    if os.path.isdir(target):
        problem = f"TARGET {target} is a directory"
    elif os.path.isdir(params):
        problem = f"PARAMS {params} is a directory"
    elif looks_like_target(params):
        problem = f"PARAMS {params} looks like a TARGET, not a params file"
    elif looks_like_target(model_dir):
        problem = f"MODEL_DIR {model_dir} looks like a TARGET, not a directory"
    if problem:
        raise UsageError(
            f"{problem}: expected MODEL_DIR TARGET PARAMS, in this order, such as "
            "ckptcheck runs/base models.net:model_fn params.json"
        )
