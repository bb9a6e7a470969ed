"""The command line: which command, and what becomes of its errors."""

import contextlib
import functools
import importlib
import io
import os
import signal
import sys
import threading
from typing import List, Optional, Sequence, Tuple

from .checkpoint.addresses import without_secrets
from .errors import UsageError
from .exit_codes import EXIT_INTERRUPTED, EXIT_USAGE
from .output import write_out
from .sanitize import escaped, printable, shortened

FILE_COMMANDS = ("inspect", "snapshot", "verify")
"""A first word that is one of these is a command of its own; ``./inspect`` is a directory."""

_OPTIONS = ("explain", "list-rules", "help", "version")
_CHECKS = ("check", "lint")
"""What other linters call what is done here without a command."""
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
"""By option and command: what to write instead of an option that the command has not."""


def main(argv: Optional[Sequence[str]] = None) -> None:
    """Runs the command line and raises SystemExit with its exit code.

    By then all that it prints has been written.
    """
    _write_anything()
    if threading.current_thread() is threading.main_thread():  # no other may
        _end_by_signals()
    words, flags = split_flags(sys.argv[1:] if argv is None else argv)
    try:
        _run(words, flags)
    except UsageError as error:
        _tell(f"ckptcheck: error: {_harmless(str(error) + _meant(words))}\n")
        sys.exit(EXIT_USAGE)
    except Exception as error:
        if "CKPTCHECK_DEBUG" in os.environ:
            raise
        _tell(_INTERNAL.format(type(error).__name__, _harmless(str(error))))
        sys.exit(EXIT_USAGE)
    except KeyboardInterrupt:
        sys.exit(_interrupted())
    except SystemExit as end:
        if end.code == EXIT_INTERRUPTED:  # as typer ends a command that is interrupted
            _interrupted()
        raise


def _end_by_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup lets SIGHUP be ignored
            signal.signal(number, _ended)


def _ended(number: int, frame: object) -> None:
    """Ends as the signal would, and not before temporary directories are gone."""
    raise SystemExit(128 + number)


def _tell(text: str) -> None:
    """Writes to standard error; where that cannot be written the exit code is all there is."""
    with contextlib.suppress(OSError):
        sys.stderr.write(text)


def _interrupted() -> int:
    _tell("ckptcheck: interrupted\n")
    return EXIT_INTERRUPTED


def split_flags(argv: Sequence[str]) -> Tuple[List[str], Tuple[str, ...]]:
    """Cuts a check's command line at its first ``--``: what is ckptcheck's, and the flags."""
    words = list(argv)
    if "--" not in words or words[0] in FILE_COMMANDS:
        return words, ()
    at = words.index("--")
    return words[:at], tuple(words[at + 1 :])


def _run(words: List[str], flags: Optional[Sequence[str]]) -> None:
    """Imports the command that is asked for, and no other: what it does not need takes time."""
    _verify_words(words)
    if words and words[0] in FILE_COMMANDS:
        command = importlib.import_module(f".commands.{words[0]}", __package__)
        run = functools.partial(command.app, words[1:], prog_name=f"ckptcheck {words[0]}")
    else:
        from .commands import check

        run = functools.partial(check.app, words, obj=flags, prog_name="ckptcheck")
    try:
        run()
    finally:
        write_out()


def _verify_words(words: Sequence[str]) -> None:
    """Says what to write instead of what is another command's, or another linter's.

    Raises:
        UsageError: there is such a word.
    """
    if words and not os.path.exists(words[0]):
        rest = " ".join(words[1:])
        if words[0] in _OPTIONS:
            raise UsageError(f"no command {words[0]}: did you mean ckptcheck --{' '.join(words)}?")
        if words[0] in _CHECKS and rest:
            raise UsageError(f"no command {words[0]}: did you mean ckptcheck {rest}?")
    elif len(words) == 1 and words[0] not in FILE_COMMANDS:
        raise UsageError(
            f"TARGET is missing: expected MODEL_DIR TARGET PARAMS, such as ckptcheck {words[0]} "
            f"models.net:model_fn params.json; the files alone are for ckptcheck inspect {words[0]}"
        )
    command = words[0] if words and words[0] in FILE_COMMANDS else "check"
    for word in words:
        instead = _INSTEAD.get(word, {}).get(command)
        if instead:
            raise UsageError(f"no option {word}: {instead}")


def _meant(words: Sequence[str]) -> str:
    """What to say of a MODEL_DIR that is not there and nearly a command."""
    if not words or words[0] in FILE_COMMANDS or os.path.exists(words[0]):
        return ""
    import difflib

    near = difflib.get_close_matches(words[0], FILE_COMMANDS, 1, 0.75)
    return "; did you mean ckptcheck {}?".format(" ".join([near[0], *words[1:]])) if near else ""


def _write_anything() -> None:
    """Escapes what a terminal's encoding does not have, such as the names of variables.

    What has no standard output or error gets one that nobody reads.
    """
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


_INTERNAL = """ckptcheck: internal error: {}: {}
This is a bug of ckptcheck; please report it with what CKPTCHECK_DEBUG=1 prints.
"""


def _harmless(text: str) -> str:
    lines = without_secrets(text).splitlines()
    return "\n".join(printable(shortened(escaped(line)), 2000) for line in lines)
