"""Each case's output is what its file holds, to the character."""

from pathlib import Path

import pytest

from .cases import Case
from .output import COMPARED, FILES, file_of, output_of, outputs


@pytest.mark.parametrize(
    ("case", "output"), [pytest.param(*item, id=file_of(*item).name) for item in outputs()]
)
def test_output_is_what_the_file_holds(case: Case, output: str, tmp_path: Path) -> None:
    """If a change is meant: python -m tests.golden --update."""
    if case.check and not COMPARED:
        pytest.skip("reports of checks are compared with TensorFlow 2.15.1 on Python 3.11 only")
    assert output_of(case, output, tmp_path) == file_of(case, output).read_text("utf-8")


def test_each_file_is_the_output_of_a_case() -> None:
    assert {path.name for path in FILES.iterdir()} == {file_of(*item).name for item in outputs()}
