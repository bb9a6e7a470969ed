"""The command line: chooses the command, and turns its errors into messages and exit codes."""

import contextlib
import importlib
import io
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, List, Optional, Sequence, Tuple

from .cache.lines import Lines
from .checkpoint.addresses import without_secrets
from .commands import COMMANDS, CommandLine
from .commands.hints import ABOUT, RUN_CODE, about_option, nearly_a_command, verify_words
from .errors import UsageError
from .exit_codes import EXIT_INTERRUPTED, EXIT_USAGE
from .output import write_out
from .sanitize import printable

if TYPE_CHECKING:
    from .commands.checking import Arguments

COMPLETION = "_CKPTCHECK_COMPLETE"
"""The environment variable that the shell sets to complete a command line."""
CHECK = "check"
"""The command if the command line does not begin with a command."""


def main(argv: Optional[Sequence[str]] = None) -> None:
    """Runs the command line.

    Raises:
        SystemExit: always, with the exit code, after all output is written.
    """
    _write_anything()
    if threading.current_thread() is threading.main_thread():  # only it may set handlers
        _end_by_signals()
    words, flags = split_flags(sys.argv[1:] if argv is None else argv)
    try:
        if COMPLETION in os.environ:
            importlib.import_module(".commands.completion", __package__).complete()
        code = _run(words, flags)
        if code == EXIT_INTERRUPTED:  # typer has caught the interrupt
            _interrupted()
        sys.exit(code)
    except UsageError as error:
        _tell(f"ckptcheck: error: {_printable(str(error) + nearly_a_command(words))}\n")
        sys.exit(EXIT_USAGE)
    except Exception as error:
        if "CKPTCHECK_DEBUG" in os.environ:
            raise
        _tell(_INTERNAL.format(type(error).__name__, _printable(str(error))))
        sys.exit(EXIT_USAGE)
    except KeyboardInterrupt:
        sys.exit(_interrupted())


def _end_by_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup lets SIGHUP be ignored
            signal.signal(number, _ended)


def _ended(number: int, frame: object) -> None:
    """Ends with the signal's exit code, but removes temporary directories first."""
    raise SystemExit(128 + number)


def _tell(text: str) -> None:
    """Writes to standard error. If that fails, only the exit code says what happened."""
    with contextlib.suppress(OSError):
        sys.stderr.write(text)


def _interrupted() -> int:
    _tell("ckptcheck: interrupted\n")
    return EXIT_INTERRUPTED


def split_flags(argv: Sequence[str]) -> Tuple[List[str], Tuple[str, ...]]:
    """Splits the command line at its first ``--``, if the command calls code.

    Returns:
        The words for ckptcheck, and the flags for the code. Other commands have no flags.
    """
    words = list(argv)
    if "--" not in words or words[0] in set(COMMANDS) - set(RUN_CODE):
        return words, ()
    at = words.index("--")
    return words[:at], tuple(words[at + 1 :])


def _run(words: List[str], flags: Sequence[str]) -> int:
    """Imports and runs the command; importing all of them would take time.

    Returns:
        The exit code.
    """
    verify_words(words)
    name, rest = CHECK, words
    if words and words[0] in COMMANDS:
        name, *rest = words
    elif words and words[0].partition("=")[0] in ABOUT:
        name = "about"
    if name == CHECK:
        known = _known(rest)
        if known is not None:
            return _run_parsed(known, flags)
    prog = "ckptcheck" if name == "about" else f"ckptcheck {name}"
    app = importlib.import_module(f".commands.{name}", __package__).app
    line = CommandLine(rest, flags)
    try:
        return app(rest, obj=line, prog_name=prog, standalone_mode=False) or 0
    except Exception as error:
        problem = getattr(error, "format_message", None)  # an error of the parser
        if problem is None:
            raise
        text = problem().rstrip(".")
        raise UsageError(
            f"{text[:1].lower()}{text[1:]}; see {prog} --help{about_option(name, error)}"
        ) from None
    finally:
        write_out()


def _known(words: Sequence[str]) -> Optional["Arguments"]:
    """Returns how a command line was parsed before; None if this is not known."""
    found = Lines(words).known()
    if found is None or not isinstance(found.get("given"), dict):
        return None
    from .commands.checking import Arguments

    try:
        return Arguments(**found)
    except TypeError:  # another version of ckptcheck has written it
        return None


def _run_parsed(known: "Arguments", flags: Sequence[str]) -> int:
    """Runs a check whose command line was parsed before, without the parser."""
    from .commands.checking import check

    try:
        return check(known, flags)
    finally:
        write_out()


def _write_anything() -> None:
    """Makes standard output and error escape characters that their encoding lacks.

    Replaces a closed standard output or error by /dev/null.
    """
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


_INTERNAL = """ckptcheck: internal error: {}: {}
This is a bug in ckptcheck. Please report it. Run the command again with the environment variable
CKPTCHECK_DEBUG=1, and attach the output.
"""


def _printable(text: str) -> str:
    return "\n".join(printable(line, 2000) for line in without_secrets(text).splitlines())
