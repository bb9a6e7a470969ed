"""Finds likely mistakes in a command line, and says what to write instead."""

import difflib
import os
from typing import Mapping, Sequence

from ..errors import UsageError
from ..option_values import looks_like_target
from . import COMMANDS

ABOUT = (
    *("--help", "--version", "--list-rules", "--explain"),
    *("--install-completion", "--show-completion"),
)
"""Options of ckptcheck itself; they have to come first."""

_ALL = "ckptcheck verify --all-checkpoints reads them all"
EXPECTED = (
    "expected MODEL_DIR TARGET PARAMS, in this order, such as "
    "ckptcheck runs/base models.net:model_fn params.json"
)
"""How to call the commands that run code."""
RUN_CODE = ("check", "record")

_JSON = dict.fromkeys(("check", "inspect", "verify"), "--format json writes JSON")
_INSTEAD = {
    "--json": _JSON,
    "--deep": {
        "inspect": "ckptcheck verify reads the data",
        "verify": "ckptcheck verify always reads all data",
    },
    "--all": {"verify": "--all-checkpoints verifies all checkpoints in the directory"},
    "--all-checkpoints": {"check": _ALL, "inspect": f"ckptcheck inspect lists them all; {_ALL}"},
}
"""What to write instead of an option that a command does not have, by option and command."""


def verify_words(words: Sequence[str]) -> None:
    """Refuses words that the command does not take, but that users are likely to try.

    Raises:
        UsageError: the command line has such a word. The message says what to write instead.
    """
    if not words or words[0] in ABOUT:
        return
    first, rest = words[0], words[1:]
    if first in COMMANDS:
        if rest and looks_like_target(rest[0]) and os.path.exists(first):
            raise UsageError(
                f"{first} is a command. To check a MODEL_DIR of this name, write ./{first}: "
                f"ckptcheck ./{' '.join(words)}"
            )
    elif f"--{first}" in ABOUT and not os.path.exists(first):
        raise UsageError(f"no command {first}: did you mean ckptcheck --{' '.join(words)}?")
    _verify_command_is_first(words)
    command = first if first in COMMANDS else "check"
    for place, word in enumerate(rest, 1):
        instead = _INSTEAD.get(word, {}).get(command)
        if instead:
            raise UsageError(f"no option {word}: {instead}")
        if command in ("inspect", "verify") and looks_like_target(word):
            raise UsageError(
                f"ckptcheck {command} reads only files and takes no TARGET, such as {word}. To "
                "check code, run ckptcheck MODEL_DIR TARGET PARAMS"
            )
        if word in ABOUT[1:]:
            meant = " ".join(words[place : place + (2 if word == "--explain" else 1)])
            raise UsageError(f"{word} has to come first: ckptcheck {meant}")


def _verify_command_is_first(words: Sequence[str]) -> None:
    """Refuses a command after options, because it would be read as MODEL_DIR.

    Raises:
        UsageError: the command is not the first word.
    """
    place = next((i for i, word in enumerate(words) if not word.startswith("-")), 0)
    name = words[place]
    if place and name in COMMANDS and not os.path.exists(name):
        others = [*words[:place], *words[place + 1 :]]
        raise UsageError(f"{name} has to come first: ckptcheck {' '.join([name, *others])}")


def nearly_a_command(words: Sequence[str]) -> str:
    """Returns an addition to the error if MODEL_DIR is similar to the name of a command."""
    if not words or words[0] in COMMANDS or os.path.exists(words[0]):
        return ""
    near = difflib.get_close_matches(words[0], COMMANDS, 1, 0.75)
    return "; did you mean ckptcheck {}?".format(" ".join([near[0], *words[1:]])) if near else ""


def verify_order(given: Mapping[str, str]) -> None:
    """Refuses MODEL_DIR, TARGET and PARAMS in the wrong order, because other errors would mislead.

    Raises:
        UsageError: an argument is in the place of another argument.
    """
    model_dir, target, params = (given.get(name, "") for name in ("model_dir", "target", "params"))
    problem = ""
    if os.path.isdir(target):
        problem = f"TARGET {target} is a directory"
    elif os.path.isdir(params):
        problem = f"PARAMS {params} is a directory"
    elif looks_like_target(params):
        problem = f"PARAMS {params} looks like a TARGET, not a params file"
    elif os.path.isfile(target) and not target.endswith(".py"):
        problem = f"TARGET {target} is a file, but not Python code"
    elif looks_like_target(model_dir):
        problem = f"MODEL_DIR {model_dir} looks like a TARGET, not a directory"
    if problem:
        raise UsageError(f"{problem}: {EXPECTED}")


def looks_like_place(word: str) -> bool:
    """Whether a word is a MODEL_DIR, a TARGET or PARAMS, and not the name of a check."""
    exists = os.path.exists(word) or os.path.exists(word + ".index")
    return exists or word in ("", "-") or any(part in word for part in ("/", ":", ".json", "ckpt"))


def no_check(name: str, names: Sequence[str], file: str) -> UsageError:
    """Returns the error for a name that no check of a configuration file has."""
    near = difflib.get_close_matches(name, names, 1)
    meant = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(names)}"
    return UsageError(
        f"no check {name} in {os.path.relpath(file)}, and no such file or directory: {meant}"
    )


def about_option(command: str, error: Exception) -> str:
    """Returns what to add to the parser's error about an option that a command does not have."""
    unknown = type(error).__name__ == "NoSuchOption" and command in RUN_CODE
    return "; put the flags of your code after --" if unknown else ""
