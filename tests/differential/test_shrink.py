"""Tests of shrinking: smaller cases are valid, and keep the disagreement."""

import dataclasses
import random
from typing import List

import pytest

from ..support import needs_estimator
from . import model as models
from . import parts
from .campaign import attempt
from .compose import compose
from .edits import ChangeBlock, Edit, RemovePart
from .regressions import PLAIN
from .shrink import Case, shrink, smaller_cases
from .source import Number
from .test_differential import sides  # noqa: F401 (a fixture)
from .trial import Composed, Sides


def _drawn(seed: int) -> models.Model:
    return compose(random.Random(f"shrink {seed}"))


@pytest.mark.parametrize("seed", range(20))
def test_every_smaller_case_is_another_one_that_compiles(seed: int) -> None:
    case: Case = (Composed(_drawn(seed), "v1"), (RemovePart("a"), RemovePart("b")))
    found = list(smaller_cases(case))
    assert found and case not in found
    for composed, _ in found:
        compile(models.source(composed.model), "model.py", "exec")
        compile(composed.model.inputs.train_source(), "train.py", "exec")


@pytest.mark.parametrize("seed", [seed for seed in range(24) if _drawn(seed).parts])
def test_what_is_left_is_what_matters(seed: int) -> None:
    """One part and one edit matter. All other parts and edits are removed."""
    model = _drawn(seed)
    wanted = type(random.Random(seed).choice(model.parts))
    edit: Edit = RemovePart("matters")

    def still(case: Case) -> bool:
        return edit in case[1] and any(type(part) is wanted for part in case[0].model.parts)

    case: Case = (Composed(model, "v1"), (RemovePart("a"), edit, RemovePart("b")))
    composed, edits = shrink(case, still, 2000)
    assert edits == (edit,)
    assert [type(part) for part in composed.model.parts] == [wanted]
    assert composed.behavior == ""
    plain = dataclasses.replace(PLAIN, blocks=composed.model.blocks)
    assert composed.model == dataclasses.replace(plain, inputs=composed.model.inputs)
    assert not composed.model.inputs.columns


def test_attempts_have_an_end() -> None:
    tried: List[Case] = []

    def still(case: Case) -> bool:
        tried.append(case)
        return True

    shrink((Composed(_drawn(0)), ()), still, 3)
    assert len(tried) == 3


@needs_estimator
def test_a_case_is_made_small_by_what_the_estimator_does(sides: Sides) -> None:  # noqa: F811
    """One of two blocks gets a scope with another name, so that the restore fails."""
    renamed = parts.MatMul("m", Number(4))
    model = dataclasses.replace(
        PLAIN,
        blocks=(
            models.Block("renamed", (renamed,), "scope"),
            models.Block("other", (parts.Embedding("ids", Number(5), Number(3)),), ""),
        ),
        optimizer="momentum",
    )
    edits = (ChangeBlock("renamed", "scope", "another"),)

    def still(case: Case) -> bool:
        outcome = attempt(case, sides)
        return outcome is not None and outcome.truth["predict"] == "fails at restore"

    small, left = shrink((Composed(model), edits), still, 8)
    assert left == edits
    assert [block.label for block in small.model.blocks] == ["renamed"]
    assert still((small, left))
