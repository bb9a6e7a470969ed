"""Checks that a TensorFlow checkpoint restores into Estimator code, before a restore is tried."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checks import check
    from .errors import UsageError
    from .results import Finding, Report, Verdict

__version__ = "0.1.0"

__all__ = ["Finding", "Report", "UsageError", "Verdict", "__version__", "check"]

_HOMES = {
    "Finding": "results",
    "Report": "results",
    "UsageError": "errors",
    "Verdict": "results",
    "check": "checks",
}


def __getattr__(name: str) -> Any:
    """Imports what is asked for first here: a command line that only reads files needs little."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module("." + _HOMES[name], __name__), name)
