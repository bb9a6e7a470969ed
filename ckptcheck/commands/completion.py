"""The completion of the command line in bash, zsh and fish, by typer.

The script of ``ckptcheck --show-completion`` runs ``ckptcheck`` with an environment variable that
holds the command line. Only in this case, all commands are imported.
"""

import importlib
from typing import Any

from typer.main import get_command

from . import COMMANDS
from .about import app


def complete() -> None:
    """Prints the completions.

    Raises:
        SystemExit: always.
    """
    group: Any = get_command(app)
    for name in COMMANDS:
        module = importlib.import_module(f".{name}", __package__)
        group.commands[name] = get_command(module.app)
    group.main([], prog_name="ckptcheck")
