"""``ckptcheck lint FILES``."""

from typing import Any, Dict, List

import typer

from ..config.reading import find_severities
from ..linting.run import lint
from ..options import LintSpec, from_command_line
from .parsing import FORMAT, OUTPUT, exit_codes, help_text, new_app, takes
from .terminal import finish

app = new_app()
_DETAILS = f"""Finds mistakes that break checkpoints later. Reads only the syntax of the code:
imports none of it, and needs no TensorFlow.

A comment ignores a finding in its statement: # ckptcheck: ignore[rule]

{exit_codes("no Python files")}
"""


@app.command(help=help_text("lint", _DETAILS))
@takes(LintSpec)
def lint_command(
    context: typer.Context,
    given: Dict[str, Any],
    output: str = FORMAT,
    outputs: List[str] = OUTPUT,
) -> None:
    """Runs the command."""
    spec = from_command_line(LintSpec, given)
    finish(lint(spec, find_severities()), output, outputs)
