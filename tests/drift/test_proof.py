"""The real Estimator confirms what every entry claims."""

import json
import sys
from pathlib import Path

import pytest

from ..support import needs_estimator
from .catalogue import MODELS
from .scoring import run_prover

pytestmark = [needs_estimator, pytest.mark.nightly]


@pytest.mark.parametrize("name", sorted(MODELS))
def test_estimator_confirms_the_claims(name: str, tmp_path: Path) -> None:
    model = MODELS[name]
    folder = tmp_path / name
    run_prover(model.id, str(folder), [sys.executable])
    proof = json.loads((folder / "proof.json").read_text())
    assert set(proof) == {edit.id for edit in model.edits}
    wrong = {
        edit.id: {"claimed": edit.modes, "seen": proof[edit.id]}
        for edit in model.edits
        if proof[edit.id].get("differ") != list(edit.modes)
    }
    assert not wrong, json.dumps(wrong, indent=1)
