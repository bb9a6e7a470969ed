"""Each case's output is what its file holds, to the character."""

import sys
from pathlib import Path

import pytest

from .. import consumers
from .cases import CASES, Case
from .output import COMPARED, FILES, file_of, outputs_of


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_output_is_what_the_files_hold(case: Case, tmp_path: Path) -> None:
    """If the change is intended, run python -m tests.golden --update."""
    if case.check and not COMPARED:
        pytest.skip("reports of checks are compared with TensorFlow 2.15.1 on Python 3.11 only")
    folder = tmp_path / "project"
    folder.mkdir()
    found = outputs_of(case, folder)
    if sys.version_info < (3, 8):  # ElementTree sorts attributes before Python 3.8
        found = {name: text for name, text in found.items() if name not in ("html", "junit")}
    for name, text in found.items():
        assert text == file_of(case, name).read_text("utf-8"), name


@pytest.mark.parametrize("path", sorted(FILES.glob("*.sarif")), ids=lambda path: path.name)
def test_code_scanning_accepts_each_file(path: Path) -> None:
    (run,) = consumers.sarif(path.read_text("utf-8"))["runs"]
    assert run["results"]


def test_each_file_is_the_output_of_a_case() -> None:
    known = {file_of(case, name).name for case in CASES.values() for name in case.formats}
    assert {path.name for path in FILES.iterdir()} == known
