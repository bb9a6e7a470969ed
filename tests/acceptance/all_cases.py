"""All cases: those of the fixtures, and those of models that the test itself trains."""

from typing import List

from .cases import FIXTURE_CASES, Case
from .found_cases import FOUND_CASES
from .given_cases import GIVEN_CASES
from .hard_cases import HARD_CASES

CASES: List[Case] = FIXTURE_CASES + FOUND_CASES + GIVEN_CASES + HARD_CASES
