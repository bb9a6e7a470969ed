"""``ckptcheck`` with ``--help``, ``--version``, ``--list-rules`` or ``--explain``."""

import difflib
from typing import Any, List, Optional

import typer
from typer.core import TyperGroup

from .. import __version__
from ..catalogue import catalogue
from ..errors import UsageError
from ..output import write_out
from . import COMMANDS
from .parsing import exit_codes, new_app

_HELP = f"""Checks whether a TensorFlow checkpoint will restore into Estimator code.

ckptcheck MODEL_DIR TARGET PARAMS is short for ckptcheck check MODEL_DIR TARGET PARAMS. If your
MODEL_DIR has the name of a command, write it as a path, such as ./check.

ckptcheck COMMAND --help shows the arguments, options and exit codes of a command.

{exit_codes("nothing to check")}
"""


class _Group(TyperGroup):
    """The command line for the completion: without the name of a command, it is a check."""

    def resolve_command(self, ctx: Any, args: List[str]) -> Any:
        named = args if args[0] in self.commands else ["check", *args]
        return super().resolve_command(ctx, named)

    def get_params(self, ctx: Any) -> Any:
        """Gives the options of the completion help texts like those of the other options."""
        found: List[Any] = super().get_params(ctx)
        for item in found:
            item.help = _COMPLETION.get(item.name, item.help)
        return found


_COMPLETION = {
    "install_completion": "Install the completion of commands in your shell and exit.",
    "show_completion": "Show the script that completes commands in your shell and exit.",
}


app = new_app(completion=True, cls=_Group)


def _version(context: typer.Context, value: bool) -> None:
    if value and not context.resilient_parsing:  # a completion only parses
        write_out(f"ckptcheck {__version__}\n")
        raise typer.Exit()


def _list_rules(context: typer.Context, value: bool) -> None:
    if value and not context.resilient_parsing:
        rules = catalogue().values()
        write_out("".join(f"{rule.id:26} {rule.severity:8} {rule.summary}\n" for rule in rules))
        raise typer.Exit()


def _rules(incomplete: str) -> List[str]:
    return [name for name in catalogue() if name.startswith(incomplete)]


def _explain(context: typer.Context, value: Optional[str]) -> None:
    if value is None or context.resilient_parsing:
        return
    rules = catalogue()
    if value not in rules:
        near = difflib.get_close_matches(value, rules, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        known = "ckptcheck --list-rules lists all rules"
        raise UsageError(f"--explain {value}: there is no such rule; {meant}{known}")
    rule = rules[value]
    write_out(f"{rule.id} ({rule.severity})\n\n{rule.explanation}\n")
    raise typer.Exit()


@app.callback(help=_HELP)
def about(
    explain: Optional[str] = typer.Option(
        None,
        "--explain",
        metavar="RULE",
        callback=_explain,
        help="Explain a rule and exit.",
        autocompletion=_rules,
    ),
    list_rules: bool = typer.Option(
        False, "--list-rules", callback=_list_rules, help="List the rules and exit."
    ),
    version: bool = typer.Option(
        False, "--version", callback=_version, help="Show the version and exit."
    ),
) -> None:
    """Does nothing, because each option has a callback that ends the command."""


for _name, _summary in COMMANDS.items():
    app.command(_name, help=_summary)(lambda: None)  # the help lists it; it runs from its module
