"""Fills in the features file that ckptcheck prints, as its user would."""

import json
from typing import Any, Mapping

from ckptcheck.errors import UnknownFeaturesError
from ckptcheck.features_file import FILL_IN


def filled_in(error: UnknownFeaturesError, real: Mapping[str, Any]) -> Any:
    """Returns the features file in a message, completed: what is real replaces the marks.

    A marked key that the real features do not have is removed, and a key that they have is added.

    Args:
        error: the message. It ends with the file, unless no file could describe the features; then
            the file of the real ones is returned.
        real: the features and labels of the input_fn, as a features file.
    """
    _, brace, text = str(error).partition("\n{")
    return _filled(json.loads(brace + text), real) if brace else real


def _filled(node: Any, real: Any) -> Any:
    if isinstance(node, list) and isinstance(real, list):
        return [_filled(*pair) for pair in zip(node, real)] + real[len(node) :]
    if real is None or not isinstance(node, dict) or isinstance(node.get("dtype"), str):
        return real if real is None or _is_marked(node) else node
    if not isinstance(real, dict):
        return real
    named = {key: value for key, value in node.items() if key[:1] != FILL_IN}
    known = {key: value for key, value in named.items() if key in real or not _is_marked(value)}
    return {**real, **{key: _filled(value, real.get(key)) for key, value in known.items()}}


def _is_marked(node: Any) -> bool:
    return isinstance(node, dict) and node.get("dtype") == FILL_IN
