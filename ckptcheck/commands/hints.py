"""Says what to write instead of a command line that nobody means."""

import difflib
import os
from typing import Sequence

from ..errors import UsageError
from ..option_values import looks_like_target
from . import COMMANDS

ABOUT = ("--help", "--version", "--list-rules", "--explain")
"""Options of ckptcheck itself, when they come first."""

_CHECK_WORDS = ("lint",)
"""What other linters call a check."""
_ALL = "ckptcheck verify --all-checkpoints reads them all"
_JSON = dict.fromkeys(("check", "inspect", "verify"), "--format json writes JSON")
_INSTEAD = {
    "--json": _JSON,
    "--deep": {
        "inspect": "ckptcheck verify reads the data",
        "verify": "verify reads all data without it",
    },
    "--all-checkpoints": {"check": _ALL, "inspect": f"all are listed; {_ALL}"},
}
"""What to write instead of an option that a command does not have, by option and command."""


def verify_words(words: Sequence[str]) -> None:
    """Refuses words of another command or another linter.

    Raises:
        UsageError: there is such a word.
    """
    if not words or words[0] in ABOUT:
        return
    if words[0] in COMMANDS:
        _verify_not_a_model_dir(words)
    elif os.path.exists(words[0]):
        _verify_not_alone(words)
    else:
        _verify_first(words)
    command = words[0] if words[0] in COMMANDS else "check"
    for place, word in enumerate(words[1:], 1):
        instead = _INSTEAD.get(word, {}).get(command)
        if instead:
            raise UsageError(f"no option {word}: {instead}")
        if word in ABOUT[1:]:
            meant = " ".join(words[place : place + (2 if word == "--explain" else 1)])
            raise UsageError(f"{word} has to come first: ckptcheck {meant}")


def _verify_not_a_model_dir(words: Sequence[str]) -> None:
    name, *rest = words
    if rest and looks_like_target(rest[0]) and os.path.exists(name):
        raise UsageError(
            f"{name} is a command; for the MODEL_DIR of this name, write ./{name}: "
            f"ckptcheck ./{' '.join(words)}"
        )


def _verify_not_alone(words: Sequence[str]) -> None:
    if len(words) == 1:
        raise UsageError(
            f"TARGET is missing: expected MODEL_DIR TARGET PARAMS, such as ckptcheck {words[0]} "
            f"models.net:model_fn params.json; to look at the files alone, use ckptcheck inspect "
            f"{words[0]}"
        )


def _verify_first(words: Sequence[str]) -> None:
    option = f"--{words[0]}"
    if option in ABOUT:
        raise UsageError(f"no command {words[0]}: did you mean ckptcheck --{' '.join(words)}?")
    if words[0] in _CHECK_WORDS and words[1:]:
        rest = " ".join(words[1:])
        raise UsageError(f"no command {words[0]}: did you mean ckptcheck check {rest}?")


def nearly_a_command(words: Sequence[str]) -> str:
    """Returns what to add to an error about a MODEL_DIR whose name is nearly that of a command."""
    if not words or words[0] in COMMANDS or os.path.exists(words[0]):
        return ""
    near = difflib.get_close_matches(words[0], COMMANDS, 1, 0.75)
    return "; did you mean ckptcheck {}?".format(" ".join([near[0], *words[1:]])) if near else ""
