"""Checks that a TensorFlow checkpoint restores into Estimator code, before a restore is tried."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import Tracer, check, inspect, lint, record, snapshot, verify
    from .errors import UsageError
    from .records.hook import RecordHook, RecordListener
    from .records.training import write_record
    from .results import Finding, Report, Verdict

__version__ = "0.1.0"

__all__ = [
    "Finding",
    "RecordHook",
    "RecordListener",
    "Report",
    "Tracer",
    "UsageError",
    "Verdict",
    "__version__",
    "check",
    "inspect",
    "lint",
    "record",
    "snapshot",
    "verify",
    "write_record",
]

_HOMES = {
    "Finding": "results",
    "RecordHook": "records.hook",  # the module needs TensorFlow
    "RecordListener": "records.hook",
    "Report": "results",
    "UsageError": "errors",
    "Verdict": "results",
    "write_record": "records.training",
}


def __getattr__(name: str) -> Any:
    """Imports a name at its first use. A command that only reads files needs few modules."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module("." + _HOMES.get(name, "api"), __name__), name)
