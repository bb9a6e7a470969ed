"""A short campaign, and tests of the parts of the campaign."""

import dataclasses
import random
from pathlib import Path
from typing import Iterator, List, Set

import pytest

from ..acceptance.harness import UnfitError
from ..drift.entries import edited
from ..support import needs_estimator
from . import drift
from . import model as models
from .campaign import Campaign, Options, attempt, describe
from .compose import compose
from .edits import Drawer, apply_code, apply_params
from .regressions import ASKED, REGRESSIONS
from .trial import Sides, train
from .trial import edit as edit_trained

SEED = 20240


def _drawn(seed: int) -> models.Model:
    return compose(random.Random(f"test {seed}"))


@pytest.mark.parametrize("first", range(0, 300, 100))
def test_composed_source_compiles(first: int) -> None:
    for seed in range(first, first + 100):
        model = _drawn(seed)
        compile(models.source(model), "model.py", "exec")
        compile(model.inputs.train_source(), "train.py", "exec")


def test_a_seed_is_always_the_same_model() -> None:
    assert [_drawn(seed) for seed in range(20)] == [_drawn(seed) for seed in range(20)]


def test_edits_apply_to_what_they_were_drawn_for() -> None:
    for seed in range(200):
        model = _drawn(seed)
        given = models.params(model)
        drawer = Drawer(random.Random(seed), model, dict(given), {}, 2)
        edits = drawer.edits()
        compile(models.source(apply_code(model, edits)), "model.py", "exec")
        apply_params(dict(given), edits)


@pytest.fixture(scope="module")
def sides() -> Iterator[Sides]:
    """Yields both sides. If there is no Estimator, skips the test and says why."""
    try:
        both = Sides()
    except UnfitError as reason:
        pytest.skip(f"NOT COMPARED WITH TENSORFLOW: {reason}")
    yield both
    both.close()


@needs_estimator
@pytest.mark.parametrize("name", sorted(REGRESSIONS))
def test_what_was_wrong_once(name: str, sides: Sides) -> None:
    outcome = attempt(REGRESSIONS[name], sides)
    assert outcome is not None
    assert outcome.said == outcome.truth, describe(REGRESSIONS[name], outcome)


@pytest.mark.parametrize("name", sorted(ASKED))
def test_what_was_wrong_once_and_is_asked_for(name: str, sides: Sides) -> None:
    outcome = attempt(ASKED[name], sides)
    assert outcome is not None
    assert "cannot find the features" in outcome.unanswered, describe(ASKED[name], outcome)
    assert outcome.said == outcome.truth, "with the features file that it printed, filled in"


@needs_estimator
def test_names_that_depend_on_another_mode_s_input_fn_are_not_judged(
    sides: Sides, tmp_path: Path
) -> None:
    composed, edits = REGRESSIONS["named-after-the-inputs"]
    trained = train(composed, str(tmp_path / "trained"), sides)
    spec = edit_trained(trained, edits, str(tmp_path / "trial"), sides).check
    doubts = sides.checker.check(dataclasses.replace(spec, input_fn="")).not_judged
    assert any(
        doubt.startswith("whether these variables have the same names in each mode: count_1.")
        for doubt in doubts
    )
    assert sides.checker.check(spec).not_judged == ()


def test_drift_models_and_edits_compile() -> None:
    kinds: Set[str] = set()
    for number in range(60):
        model = drift.draw_model(SEED, number)
        assert model == drift.draw_model(SEED, number)
        for edit in (None, *model.edits):
            compile(edited(model, edit)[0], "model.py", "exec")
        kinds.update(edit.kind for edit in model.edits)
    assert kinds == {drift.SILENT, drift.INNOCENT}


@needs_estimator
@pytest.mark.nightly
def test_a_short_campaign_of_drift(tmp_path: Path) -> None:
    said: List[str] = []
    tally = drift.run(16, SEED, None, str(tmp_path), 0.0, said.append)
    assert not tally.disagreements, "\n".join(said)
    assert sum(tally.counts.values()) >= 12, "\n".join([*said, *tally.lines()])


@needs_estimator
def test_a_short_campaign() -> None:
    said: List[str] = []
    try:
        tally = Campaign(Options(12, SEED, jobs=2, shrinks=False), said.append).run()
    except UnfitError as reason:
        pytest.skip(f"NOT COMPARED WITH TENSORFLOW: {reason}")
    assert not tally.disagreements, "\n".join(said)
    assert tally.trials >= 9, "\n".join([*said, *tally.lines()])
