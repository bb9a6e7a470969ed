"""The formats of a report."""

from typing import Callable, Dict

from ..results import Report
from . import json_format, text
from .options import Options

FORMATS: Dict[str, Callable[[Report, Options], str]] = {
    "text": text.render,
    "json": json_format.render,
}
"""Every ``--format`` by its name."""
