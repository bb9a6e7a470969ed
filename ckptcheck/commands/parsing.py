"""Makes the command line of a command from its list of options."""

import functools
import inspect
from typing import Any, Callable, Dict, List, Optional

import typer

from ..errors import UsageError
from ..option_values import either, one_of
from ..options import Option, options_of
from ..reporters import formats
from . import COMMANDS


def new_app() -> typer.Typer:
    """Returns a command line whose errors are exceptions and whose help is plain text."""
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def help_text(command: str, details: str) -> str:
    """Returns the help of a command: its sentence, and more."""
    return f"{COMMANDS[command]}\n\n{details}"


def takes(cls: type) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Adds a parameter to a command's function for each option of a list.

    The function gets what the user gave as a dict, ``given``.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        options = {name: opt for name, opt in options_of(cls).items() if opt.flag != "--"}
        _, *own = inspect.signature(function).parameters.values()

        @functools.wraps(function)
        def run(**values: Any) -> None:
            given: Dict[str, Any] = {name: values.pop(name) for name in options}
            function({k: v for k, v in given.items() if v is not None}, **values)

        others = [item.replace(kind=inspect.Parameter.KEYWORD_ONLY) for item in own]
        parameters = [*map(_parameter, options.values()), *others]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {item.name: item.annotation for item in parameters}
        return run

    return decorate


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
        declared = typer.Option(shown, *names, metavar=metavar, help=text)
    else:
        shown = ... if option.required else None
        declared = typer.Argument(shown, metavar=option.flag, help=option.help, show_default=False)
    return inspect.Parameter(
        option.name, inspect.Parameter.KEYWORD_ONLY, default=declared, annotation=kind
    )


def _verified_format(value: str) -> str:
    try:
        return one_of(*formats())(value)
    except UsageError as error:
        raise UsageError(f"--format {error}") from None


FORMAT = typer.Option(
    "text",
    "--format",
    metavar="FORMAT",
    callback=_verified_format,
    help=f"Print the report as {either(formats())}.",
)
"""The option of commands that print a report."""


OVERRIDES = typer.Option(
    [],
    "--set",
    metavar="KEY=VALUE",
    help=f"Override a param; key.sub=value sets a nested one. {_REPEATED}",
)
"""The option of commands that take params."""
