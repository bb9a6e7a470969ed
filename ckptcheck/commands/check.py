"""``ckptcheck check [MODEL_DIR] TARGET PARAMS``, and ``ckptcheck check [NAME ...]``."""

from typing import Any, Dict, List

import typer

from ..cache.lines import Lines
from ..options import AgainstSpec, SuiteSpec, options_of
from .checking import Arguments, check
from .parsing import FORMAT, OUTPUT, exit_codes, help_text, new_app, takes

app = new_app()
_DETAILS = f"""ckptcheck restores nothing. It imports the code and calls model_fn, in a separate
process.

Without arguments, ckptcheck runs all checks of the configuration ([tool.ckptcheck] in
pyproject.toml, or ckptcheck.toml). ckptcheck check NAME ... runs the checks with these names.

-- FLAGS: {options_of(AgainstSpec)["flags"].help}

{exit_codes("nothing to check")}
"""


@app.command(help=help_text("check", _DETAILS), context_settings={"allow_extra_args": True})
@takes(AgainstSpec, SuiteSpec)
def check_command(
    context: typer.Context,
    given: Dict[str, Any],
    output: str = FORMAT,
    outputs: List[str] = OUTPUT,
    show_plan: bool = typer.Option(
        False, "--show-plan", help="List everything that each mode restores."
    ),
    show_drift: bool = typer.Option(
        False, "--show-drift", help="List all nodes that differ from those of the saved graph."
    ),
    verbose: bool = typer.Option(
        False, "--verbose", "-v", help="Say whether the cache was used, and why not."
    ),
) -> None:
    """Runs the command."""
    parsed = Arguments(given, context.args, output, outputs, show_plan, show_drift, verbose)
    code = check(parsed, context.obj.flags)
    Lines(context.obj.words).remember(parsed._asdict())
    raise typer.Exit(code)
