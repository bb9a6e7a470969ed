"""What the documents say is what the code does."""

import re
from pathlib import Path

import pytest

from ckptcheck.options import DEFAULT_TIMEOUT
from ckptcheck.rules import all_rules
from docs import generate_rules, generate_stand_in
from tests.acceptance.all_cases import CASES
from tests.differential.regressions import REGRESSIONS
from tests.support import PROJECT


def test_the_rules_document_is_what_the_rules_say() -> None:
    """If this fails: python docs/generate_rules.py."""
    assert generate_rules.TARGET.read_text("utf-8") == generate_rules.render()


def test_the_stand_ins_document_is_what_its_tables_say() -> None:
    """If this fails: python docs/generate_stand_in.py."""
    assert generate_stand_in.TARGET.read_text("utf-8") == generate_stand_in.render()


def test_the_readme_begins_with_the_two_commands() -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", read("README.md"), re.DOTALL | re.MULTILINE)
    install_and_check, install_and_test = (block.strip() for block in blocks[:2])
    assert "pip install" in install_and_check and "ckptcheck fixtures/" in install_and_check
    assert "pip install" in install_and_test and "pytest" in install_and_test
    assert "\n" not in install_and_check + install_and_test


def test_every_file_that_a_document_links_to_is_there() -> None:
    for document in [*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md"), *PROJECT.glob("*/*.md")]:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text("utf-8")):
            assert (document.parent / link).exists(), (document.name, link)


def test_facts_name_cases_that_there_are() -> None:
    cases = {case.id for case in CASES} | set(REGRESSIONS)
    named = re.findall(r"`([a-z]+(?:-[a-z0-9]+)+)`", read("docs/facts.md"))
    assert len(named) > 20
    assert [name for name in named if name not in cases] == []


def test_rules_that_documents_name_are_there() -> None:
    documents = [*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md")]
    text = "".join(path.read_text("utf-8") for path in documents)
    named = set(re.findall(r"(?:error|warning|note)\[([a-z-]+)\]", text))
    assert len(named) > 2 and named <= set(all_rules())


@pytest.mark.parametrize(
    ("path", "runs"),
    [
        ("models/net.py", True),
        ("params.json", True),
        ("conf/params.yaml", True),
        ("runs/base/checkpoint", True),
        ("checkpoint", True),
        ("pyproject.toml", True),
        ("README.md", False),
        ("runs/base/checkpoint.bak", False),
        ("logo.png", False),
    ],
)
def test_the_hook_runs_for_what_a_check_depends_on(path: str, runs: bool) -> None:
    found = re.search(r"^  files: (.+)$", read(".pre-commit-hooks.yaml"), re.MULTILINE)
    assert found is not None
    assert bool(re.search(found.group(1), path)) is runs


def test_the_hook_is_given_no_file_names() -> None:
    text = read(".pre-commit-hooks.yaml")
    for line in ("language: system", "pass_filenames: false", "require_serial: true"):
        assert line in text


def test_the_default_timeout_is_minutes() -> None:
    """It is there for what never ends, and must not end what is only slow."""
    assert 60 <= DEFAULT_TIMEOUT <= 3600


def read(name: str) -> str:
    """A file of the project as text."""
    return (PROJECT / Path(name)).read_text("utf-8")
