"""Rewrites the paths in options, so that they start from another directory."""

import os
from typing import Any, Callable

from ..checkpoint.addresses import is_remote

PATHS = ("model_dir", "params", "features", "app_dir", "cache_dir")
"""The options that are paths."""
_CODE = ("target", "input_fn", "params_type")
"""The options that may be ``path/to/file.py:attr``."""


def moved(key: str, value: Any, move: Callable[[str], str]) -> Any:
    """Returns the value of an option, with another path if it has one.

    Args:
        key: the name of the option.
        value: its value.
        move: returns the path from the other directory.
    """
    if not isinstance(value, str) or not value:
        return value
    if key in _CODE:
        place, _, attribute = value.rpartition(":")
        is_path = place.endswith(".py") and not os.path.isabs(place)
        return f"{move(place)}:{attribute}" if is_path else value
    is_path = key in PATHS or (key == "python" and "/" in value and " " not in value)
    return move(value) if is_path and value != "-" and not is_remote(value) else value
