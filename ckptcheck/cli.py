"""The command line: which command, and what becomes of its errors."""

import importlib
import io
import os
import sys
from typing import List, Optional, Sequence, Tuple

from .errors import UsageError
from .exit_codes import EXIT_FINDINGS, EXIT_USAGE
from .harmless import escaped, printable, shortened

FILE_COMMANDS = ("inspect", "snapshot", "verify")
"""A first word that is one of these is a command of its own; ``./inspect`` is a directory."""


def main(argv: Optional[Sequence[str]] = None) -> None:
    """Runs the command line and ends the process with its exit code."""
    _write_anything()
    words, flags = split_flags(sys.argv[1:] if argv is None else argv)
    try:
        _run(words, flags)
    except UsageError as error:
        sys.stderr.write(f"ckptcheck: error: {_harmless(str(error) + _meant(words))}\n")
        sys.exit(EXIT_USAGE)
    except BrokenPipeError:  # the reader of the report, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(EXIT_FINDINGS)
    except Exception as error:
        if "CKPTCHECK_DEBUG" in os.environ:
            raise
        sys.stderr.write(_INTERNAL.format(type(error).__name__, _harmless(str(error))))
        sys.exit(EXIT_USAGE)
    except KeyboardInterrupt:
        sys.stderr.write("ckptcheck: interrupted\n")
        sys.exit(130)


def split_flags(argv: Sequence[str]) -> Tuple[List[str], Tuple[str, ...]]:
    """Cuts a command line at its first ``--``: what is ckptcheck's, and the user's flags."""
    words = list(argv)
    if "--" not in words:
        return words, ()
    at = words.index("--")
    return words[:at], tuple(words[at + 1 :])


def _run(words: List[str], flags: Optional[Sequence[str]]) -> None:
    """Imports the command that is asked for, and no other: what it does not need takes time."""
    if words and words[0] in FILE_COMMANDS:
        command = importlib.import_module(f".commands.{words[0]}", __package__)
        command.app(words[1:], prog_name=f"ckptcheck {words[0]}")
    else:
        from .commands import check

        check.app(words, obj=flags, prog_name="ckptcheck")


def _meant(words: Sequence[str]) -> str:
    """What to say of a MODEL_DIR that is not there and nearly a command."""
    if not words or words[0] in FILE_COMMANDS or os.path.exists(words[0]):
        return ""
    import difflib

    near = difflib.get_close_matches(words[0], FILE_COMMANDS, 1, 0.75)
    return "; did you mean ckptcheck {}?".format(" ".join([near[0], *words[1:]])) if near else ""


def _write_anything() -> None:
    """Escapes what a terminal's encoding does not have, such as the names of variables."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


_INTERNAL = """ckptcheck: internal error: {}: {}
This is a bug of ckptcheck; please report it with what CKPTCHECK_DEBUG=1 prints.
"""


def _harmless(text: str) -> str:
    return "\n".join(printable(shortened(escaped(line)), 2000) for line in text.splitlines())
