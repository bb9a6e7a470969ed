"""Models of the catalogue that are fixtures."""

import json
import os
from typing import Any, Dict, Sequence, Tuple

from .entries import Edit, Model

FIXTURES = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(__file__))), "fixtures")


def fixture_model(
    fixture: str, edits: Sequence[Edit], before: Sequence[Tuple[str, str]] = ()
) -> Model:
    """A fixture and its edits.

    Args:
        fixture: its folder in fixtures/.
        edits: the edits.
        before: replacements before the training. They make random ops reproducible.
    """
    folder = os.path.join(FIXTURES, fixture)
    with open(os.path.join(folder, "model.py")) as f:
        source = f.read()
    for old, new in before:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    with open(os.path.join(folder, "params.json")) as f:
        params: Dict[str, Any] = json.load(f)
    return Model(f"fixture_{fixture}", source, params, tuple(edits), fixture)
