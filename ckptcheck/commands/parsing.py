"""Makes the command line of a command from its list of options."""

import functools
import inspect
import os
from typing import Any, Callable, Dict, List, Optional, Sequence

import typer

from ..errors import UsageError
from ..option_values import OneOf, either, modes
from ..options import Option, options_of
from ..protocol import ALL_MODES
from ..reporters import formats
from . import COMMANDS
from .outputs import kind_of_source


def new_app(completion: bool = False, cls: Any = None) -> typer.Typer:
    """Returns a command line whose errors are exceptions and whose help is plain text.

    Args:
        completion: whether it has the options that install the completion of the shell.
        cls: the class of the command; None for typer's own.
    """
    return typer.Typer(
        add_completion=completion, pretty_exceptions_enable=False, rich_markup_mode=None, cls=cls
    )


def help_text(command: str, details: str) -> str:
    """Returns the help of a command: its sentence, and more."""
    return f"{COMMANDS[command]}\n\n{details}"


def exit_codes(nothing: str) -> str:
    """Returns the exit codes of a command that fails by its findings, for its help.

    Args:
        nothing: why the exit code is 3.
    """
    return (
        "Exit codes: 0 no finding fails the command; 1 a finding is at least as severe as "
        "--fail-on; 2 an argument is wrong, or ckptcheck could not complete the command; "
        f"3 {nothing}."
    )


def takes(*lists: type) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Adds a parameter to a command's function for each option of some lists.

    The function gets the context, and what the user gave as a dict, ``given``.

    Args:
        lists: the lists of options.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        every = [options_of(cls) for cls in lists]
        options = {name: o for known in every for name, o in known.items() if o.flag != "--"}
        _, _, *own = inspect.signature(function).parameters.values()

        @functools.wraps(function)
        def run(context: typer.Context, **values: Any) -> None:
            given: Dict[str, Any] = {name: values.pop(name) for name in options}
            # Before click 8.2, an argument that takes any number of words counts as given.
            empty = {name for name, value in given.items() if value is None or value == []}
            was_given = {name for name in given if _was_given(context, name)} - empty
            function(context, {name: given[name] for name in given if name in was_given}, **values)

        context = inspect.Parameter(
            "context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context
        )
        others = [item.replace(kind=inspect.Parameter.KEYWORD_ONLY) for item in own]
        shown = list(map(_parameter, options.values()))
        parameters = [context, *shown, *others]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {item.name: item.annotation for item in parameters}
        return run

    return decorate


def _was_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


_REPEATED = "Repeat the option for more than one."


def _parameter(option: "Option[Any, Any]") -> inspect.Parameter:
    default = option.default
    kind: Any = bool if isinstance(default, bool) else str if option.required else Optional[str]
    shown: Any = None
    if isinstance(default, tuple):
        kind, shown = List[str], list(default)
    elif isinstance(default, bool):
        shown = False
    elif default and not option.required:
        shown = default if isinstance(default, str) else f"{default:g}"
    names = [name for name in (option.flag, option.short) if name.startswith("-")]
    if names:
        metavar = None if kind is bool else option.metavar
        text = f"{option.help} {_REPEATED}" if isinstance(default, tuple) else option.help
        declared = typer.Option(
            shown, *names, metavar=metavar, help=text, autocompletion=completion(_words(option))
        )
    else:
        shown = ... if option.required else None
        declared = typer.Argument(shown, metavar=option.flag, help=option.help, show_default=False)
    return inspect.Parameter(
        option.name, inspect.Parameter.KEYWORD_ONLY, default=declared, annotation=kind
    )


def _words(option: "Option[Any, Any]") -> Sequence[str]:
    """Returns the words that an option takes; none if it takes others, too."""
    return ALL_MODES if option.read is modes else getattr(option.read, "allowed", ())


def completion(words: Sequence[str]) -> Optional[Callable[[str], List[str]]]:
    """Returns a function that completes one of some words; None if there are none."""

    def complete(incomplete: str) -> List[str]:
        return [word for word in words if word.startswith(incomplete)]

    return complete if words else None


def _verified_format(value: str) -> str:
    try:
        return OneOf(*formats())(value)
    except UsageError as error:
        raise UsageError(f"--format {error}") from None


FORMAT = typer.Option(
    "text",
    "--format",
    metavar="FORMAT",
    callback=_verified_format,
    autocompletion=completion(list(formats())),
    help=f"Print the report as {either(formats())}.",
)
"""The option of commands that print a report."""


def _verified_outputs(values: List[str]) -> List[str]:
    files: Dict[str, str] = {}
    for value in values:
        name, equals, path = value.partition("=")
        problem = _problem_of_output(name, path) if equals else ": expected FORMAT=FILE"
        other = files.setdefault(os.path.realpath(path), value) if not problem else value
        if problem or other != value:
            raise UsageError(f"--output {value}{problem or f': {other} writes the same file'}")
    return values


def _problem_of_output(name: str, path: str) -> str:
    """Returns why a format cannot be written to a file; "" if it can."""
    if name not in formats():
        return f": no format {name}, expected {either(formats())}"
    folder = os.path.dirname(path) or os.curdir
    if path == "-":
        return f": --format {name} writes to standard output"
    if not path or "\0" in path or os.path.isdir(path):
        return ": expected the name of a file after the ="
    kind = kind_of_source(path)
    if kind:
        return f": it would replace {kind}; give another file"
    try:
        there = os.path.isdir(os.path.realpath(folder))
    except OSError as error:
        return f": the working directory cannot be used: {error.strerror}"
    return "" if there else f": there is no directory {folder}"


OUTPUT = typer.Option(
    [],
    "--output",
    metavar="FORMAT=FILE",
    callback=_verified_outputs,
    autocompletion=completion([f"{name}=" for name in formats()]),
    help=f"Also write the report to a file, in any format, such as sarif=out.sarif. {_REPEATED}",
)
"""The option of commands that print a report: more formats, in files."""
