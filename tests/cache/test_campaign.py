"""A short version of the campaign: each kind of edit once."""

import os
from pathlib import Path
from typing import Iterator

import pytest

from ..support import needs_tensorflow
from .campaign import Campaign, chosen
from .edits import EDITS

pytestmark = needs_tensorflow


@pytest.fixture
def unchanged_process() -> Iterator[None]:
    """Restores what a campaign changes in this process."""
    here, variables = os.getcwd(), dict(os.environ)
    yield
    os.chdir(here)
    os.environ.clear()
    os.environ.update(variables)


@pytest.mark.usefixtures("unchanged_process")
def test_a_check_with_the_cache_says_what_one_without_it_says(tmp_path: Path) -> None:
    campaign = Campaign(tmp_path, seed=5)
    outcomes = list(campaign.run(chosen(len(EDITS), seed=5)))
    assert [(item.edit, item.problem) for item in outcomes if item.problem] == []
    assert sum(item.hit for item in outcomes) >= sum(not edit.matters for edit in EDITS.values())
