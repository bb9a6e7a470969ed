"""``ckptcheck`` with an option that is about ckptcheck itself: help, version, rules."""

import difflib
from typing import Optional

import typer

from .. import __version__
from ..errors import UsageError
from ..output import write_out
from ..rules import all_rules
from . import COMMANDS
from .parsing import new_app

_HELP = """Checks that a TensorFlow checkpoint restores into Estimator code, before a restore is
tried.

ckptcheck MODEL_DIR TARGET PARAMS is short for ckptcheck check MODEL_DIR TARGET PARAMS. A MODEL_DIR
with the name of a command is written ./check.

ckptcheck COMMAND --help shows the arguments and options of a command.

Exit codes: 0 consistent; 1 findings; 2 wrong usage; 3 nothing to check.
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
    """Has options that end the command."""


for _name, _summary in COMMANDS.items():
    app.command(_name, help=_summary)(lambda: None)  # the help lists it; it runs from its module
