"""Every case, of the fixtures and of the models that are trained when the test runs."""

from typing import List

from .cases import FIXTURE_CASES, Case
from .hard_cases import HARD_CASES

CASES: List[Case] = FIXTURE_CASES + HARD_CASES
