"""The commands: parse, call, print, exit code. Only the command that is run is imported.

To add a command, add a module with an ``app`` and a line below.
"""

from typing import NamedTuple, Sequence


class CommandLine(NamedTuple):
    """What follows the name of a command.

    Attributes:
        words: the words for ckptcheck.
        flags: the flags for the code.
    """

    words: Sequence[str]
    flags: Sequence[str]


COMMANDS = {
    "check": "Check that a checkpoint restores into a model_fn.",
    "init": "Write a first configuration for the checks of a project.",
    "inspect": "Show what a model_dir holds and what Estimator loads.",
    "verify": "Read all data of a checkpoint and verify it.",
    "snapshot": "Write a small copy of a model_dir, for checks in CI.",
    "lint": "Find mistakes in Estimator code.",
    "record": "Write a record of a checkpoint, for later checks.",
    "cache": "Show or clear the cache of earlier checks.",
}
"""The first sentence of each command's help, by the command."""
