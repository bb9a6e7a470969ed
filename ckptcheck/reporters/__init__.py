"""The output formats: one file for each. A format turns a report into text.

Every module here that has a ``FORMAT`` is a format: its ``FORMAT`` is what ``--format`` names, and
its ``render(report, options)`` writes a report of any command. Adding a file adds a format.
"""

import functools
import importlib
import pkgutil
import types
from typing import Callable, Dict, Mapping

from ..results import Report
from .options import Options

__all__ = ["Options", "formats", "render"]


@functools.lru_cache(maxsize=None)
def formats() -> Mapping[str, Callable[[Report, Options], str]]:
    """Returns the function that writes each format, by the name of the format."""
    found: Dict[str, Callable[[Report, Options], str]] = {}
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        if hasattr(module, "FORMAT"):
            found[module.FORMAT] = module.render
    return types.MappingProxyType(dict(sorted(found.items())))


_PLAIN = Options()


def render(report: Report, format: str = "text", options: Options = _PLAIN) -> str:
    """Writes a report.

    Args:
        report: the report of any command.
        format: one of :func:`formats`.
        options: the form of the report.

    Raises:
        KeyError: there is no such format.
    """
    return formats()[format](report, options)
