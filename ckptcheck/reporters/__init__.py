"""The output formats: one file for each. A format turns a report into text.

Every module here that has a ``FORMAT`` is a format. ``FORMAT`` is its name for ``--format``, and
``render(runs, options)`` writes the results of any command. Adding a file adds a format. The
file has the name of the format, or ends with ``_format`` if a standard module has this name.
"""

import functools
import importlib
import importlib.util
import pkgutil
from typing import Callable, Tuple, Union

from ..results import Report
from ..runs import Runs
from .options import Options

__all__ = ["Options", "formats", "render"]


@functools.lru_cache(maxsize=None)
def formats() -> Tuple[str, ...]:
    """Returns the names of all formats, sorted. It imports all of them."""
    names = (info.name for info in pkgutil.iter_modules(__path__) if not info.ispkg)
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return tuple(sorted(module.FORMAT for module in modules if hasattr(module, "FORMAT")))


_PLAIN = Options()


def render(found: Union[Report, Runs], format: str = "text", options: Options = _PLAIN) -> str:
    """Writes the results of a command.

    Args:
        found: the report of a command, or the reports of several checks.
        format: one of :func:`formats`.
        options: the form of the output.

    Raises:
        KeyError: there is no such format.
    """
    runs = Runs.of(found) if isinstance(found, Report) else found
    return _writer(format)(runs, options)


def _writer(format: str) -> Callable[[Runs, Options], str]:
    """Returns the function that writes a format, without importing the others."""
    for name in (format, f"{format}_format"):
        if format.isidentifier() and importlib.util.find_spec(f"{__name__}.{name}") is not None:
            module = importlib.import_module(f"{__name__}.{name}")
            if getattr(module, "FORMAT", "") == format:
                writer: Callable[[Runs, Options], str] = module.render
                return writer
    raise KeyError(format)
