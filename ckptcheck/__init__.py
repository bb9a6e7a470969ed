"""Checks that a TensorFlow checkpoint restores into Estimator code, before a restore is tried."""

from .check import check
from .errors import UsageError
from .spec import Finding, Report, Verdict

__version__ = "0.1.0"

__all__ = ["Finding", "Report", "UsageError", "Verdict", "__version__", "check"]
