"""``ckptcheck`` with ``--help``, ``--version``, ``--list-rules`` or ``--explain``."""

import difflib
from typing import Optional

import typer

from .. import __version__
from ..errors import UsageError
from ..output import write_out
from ..rules import all_rules
from . import COMMANDS
from .parsing import new_app

_HELP = """Checks whether a TensorFlow checkpoint will restore into Estimator code.

ckptcheck MODEL_DIR TARGET PARAMS is short for ckptcheck check MODEL_DIR TARGET PARAMS. If your
MODEL_DIR has the name of a command, write ./check.

ckptcheck COMMAND --help shows the arguments and options of a command.

Exit codes: 0 no errors; 1 errors; 2 wrong usage; 3 nothing to check.
"""

app = new_app()


def _version(value: bool) -> None:
    if value:
        write_out(f"ckptcheck {__version__}\n")
        raise typer.Exit()


def _list_rules(value: bool) -> None:
    if value:
        rules = all_rules().values()
        write_out("".join(f"{rule.id:26} {rule.severity:8} {rule.summary}\n" for rule in rules))
        raise typer.Exit()


def _explain(value: Optional[str]) -> None:
    if value is None:
        return
    rules = all_rules()
    if value not in rules:
        near = difflib.get_close_matches(value, rules, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise UsageError(
            f"--explain {value}: no such rule; {meant}ckptcheck --list-rules lists them"
        )
    rule = rules[value]
    write_out(f"{rule.id} ({rule.severity})\n\n{rule.explanation}\n")
    raise typer.Exit()


@app.callback(help=_HELP)
def about(
    explain: Optional[str] = typer.Option(
        None, "--explain", metavar="RULE", callback=_explain, help="Explain a rule and exit."
    ),
    list_rules: bool = typer.Option(
        False, "--list-rules", callback=_list_rules, help="List the rules and exit."
    ),
    version: bool = typer.Option(
        False, "--version", callback=_version, help="Show the version and exit."
    ),
) -> None:
    """Does nothing: each option ends the command."""


for _name, _summary in COMMANDS.items():
    app.command(_name, help=_summary)(lambda: None)  # the help lists it; it runs from its module
