"""The commands: parse, call, print, exit code. Only the command that is run is imported.

To add a command, add a module with an ``app`` and a line below.
"""

COMMANDS = {
    "check": "Check that a checkpoint restores into a model_fn.",
    "inspect": "Show what a model_dir holds and what Estimator loads.",
    "verify": "Read all data of a checkpoint and verify it.",
    "snapshot": "Write a small copy of a model_dir, for checks in CI.",
    "record": "Write a record of a checkpoint, for later checks.",
}
"""The first sentence of each command's help, by the command."""
