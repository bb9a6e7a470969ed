"""Tests that the documents agree with the code."""

import ast
import inspect
import json
import re
from pathlib import Path
from typing import Any, Iterator, Set

import pytest

from ckptcheck.catalogue import catalogue
from ckptcheck.options import DEFAULT_TIMEOUT
from docs import generate_report_svg, generate_rules, generate_stand_in
from tests.acceptance.all_cases import CASES
from tests.differential.regressions import REGRESSIONS
from tests.drift.catalogue import ENTRIES
from tests.golden.output import FILES, with_placeholders
from tests.support import PROJECT


def test_the_rules_document_is_what_the_rules_say() -> None:
    """If this fails: python docs/generate_rules.py."""
    assert generate_rules.TARGET.read_text("utf-8") == generate_rules.render()


def test_the_stand_ins_document_is_what_its_tables_say() -> None:
    """If this fails: python docs/generate_stand_in.py."""
    assert generate_stand_in.TARGET.read_text("utf-8") == generate_stand_in.render()


def test_the_picture_of_a_report_shows_what_a_check_prints() -> None:
    """If this fails: python docs/generate_report_svg.py, with TensorFlow 2.15.1."""
    golden = generate_report_svg.GOLDEN.read_text("utf-8").replace("--- exit code 1\n", "")
    picture = generate_report_svg.TARGET.read_text("utf-8")
    shown = with_placeholders(generate_report_svg.text_of(picture), PROJECT)
    assert shown.splitlines() == [line for line in golden.splitlines() if line]


def test_the_readme_begins_with_the_two_commands() -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", read("README.md"), re.DOTALL | re.MULTILINE)
    install_and_check, install_and_test = (block.strip() for block in blocks[:2])
    assert "pip install" in install_and_check and "ckptcheck fixtures/" in install_and_check
    assert "pip install" in install_and_test and "pytest" in install_and_test
    assert "\n" not in install_and_check + install_and_test


def test_every_file_and_heading_that_a_document_links_to_is_there() -> None:
    for document in [*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md"), *PROJECT.glob("*/*.md")]:
        for link in re.findall(r"\]\((?!https?:)([^)]+)\)", document.read_text("utf-8")):
            name, _, heading = link.partition("#")
            linked = document.parent / name if name else document
            assert linked.exists(), (document.name, link)
            if heading:
                assert heading in _headings(linked), (document.name, link)


def _headings(document: Path) -> Set[str]:
    """The fragments under which a site such as GitHub shows the headings of a document."""
    titles = re.findall(r"^#+ (.+)$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


OPTION = re.compile(r"(?<![\w-])--[a-z][a-z_-]+")


def test_documents_name_the_options_that_there_are() -> None:
    """The golden help texts have all options."""
    helps = "".join(path.read_text("utf-8") for path in FILES.glob("help*.txt"))
    there_are = set(OPTION.findall(helps))
    options = "".join(read(f"docs/{name}.md") for name in ("options", "files", "lint"))
    reference = set(OPTION.findall(options))
    assert there_are - reference == set()
    others = [read("README.md"), *(path.read_text("utf-8") for path in _user_documents())]
    of_the_code = {"--hidden_units"}
    assert set(OPTION.findall("".join(others))) - there_are - of_the_code == set()


def _user_documents() -> Iterator[Path]:
    """Yields the documents for users that only name options of ckptcheck."""
    for path in sorted((PROJECT / "docs").glob("*.md")):
        if path.name != "speed.md":
            yield path


def test_the_json_document_names_the_keys_that_there_are() -> None:
    """The keys come from the golden reports. Some objects have keys of the user's model instead."""
    keys: Set[str] = set()
    for path in FILES.glob("*.json"):
        keys |= _keys(json.loads(path.read_text("utf-8")))
    named = set(re.findall(r"`([a-z_]+)`", read("docs/json.md")))
    assert len(keys) > 30
    assert keys - named - {"predict", "eval", "train", "export"} == set()


def _keys(value: Any) -> Set[str]:
    if isinstance(value, list):
        return {key for item in value for key in _keys(item)}
    if not isinstance(value, dict):
        return set()
    users = ("spec", "labels", "set", "data", "locations")
    below = [item for key, item in value.items() if key not in users]
    return set(value) | _keys(below)


def test_contributing_names_the_modules_that_there_are() -> None:
    section = read("CONTRIBUTING.md").partition("## Architecture")[2].partition("## ")[0]
    rows = re.findall(r"^\| (`.+?`) \|", section, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(.+?)`", row)}
    assert [name for name in sorted(named) if not (PROJECT / "ckptcheck" / name).exists()] == []
    packages = {f"{path.parent.name}/" for path in PROJECT.glob("ckptcheck/*/__init__.py")}
    assert packages <= named


SECTION = re.compile(r"^ +(Attributes|Args):$", re.MULTILINE)
ENTRY = re.compile(r" {5,}(\w+): ")
"""A line of a docstring that looks like an entry of a section, and is indented further."""


@pytest.mark.parametrize("package", ["ckptcheck", "tests", "docs"])
def test_entries_of_docstrings_begin_where_their_section_does(package: str) -> None:
    """An entry that is indented further is shown as part of the entry above."""
    wrong = [
        f"{path.relative_to(PROJECT)}: {node.name}: {entry}"
        for path in sorted((PROJECT / package).rglob("*.py"))
        if SECTION.search(path.read_text("utf-8"))
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, (ast.ClassDef, ast.FunctionDef))
        for entry in _entries_too_far_in(node)
    ]
    assert wrong == []


def _entries_too_far_in(node: Any) -> Iterator[str]:
    """Yields the names in a class or function that a docstring explains too far to the right."""
    lines = inspect.cleandoc(ast.get_docstring(node) or "").splitlines()
    further_in = [found.group(1) for found in map(ENTRY.match, lines) if found]
    if further_in:
        inside = list(ast.walk(node))
        names = {item.attr for item in inside if isinstance(item, ast.Attribute)}
        names |= {item.arg for item in inside if isinstance(item, ast.arg)}
        names |= {item.id for item in inside if isinstance(item, ast.Name)}
        yield from (name for name in further_in if name in names)


def test_facts_name_cases_that_there_are() -> None:
    cases = {case.id for case in CASES} | set(REGRESSIONS) | set(ENTRIES)
    named = re.findall(r"`([a-z]+(?:-[a-z0-9]+)+)`", read("docs/facts.md"))
    assert len(named) > 20
    assert [name for name in named if name not in cases] == []


def test_rules_that_documents_name_are_there() -> None:
    documents = [*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md")]
    text = "".join(path.read_text("utf-8") for path in documents)
    named = set(re.findall(r"(?:finding|rule) `([a-z-]+)`|--explain ([a-z-]+)", text))
    names = {name for pair in named for name in pair if name}
    assert len(names) > 2 and names <= set(catalogue())


def test_the_hook_starts_at_each_commit() -> None:
    """pre-commit compares ``files:`` neither with deleted files nor with links."""
    hook = read(".pre-commit-hooks.yaml").partition("ckptcheck-lint")[0]
    assert "  entry: ckptcheck check --staged\n" in hook
    assert "  always_run: true" in hook and "  files:" not in hook


def test_the_hook_is_given_no_file_names() -> None:
    text = read(".pre-commit-hooks.yaml")
    for line in ("language: python", "pass_filenames: false", "require_serial: true"):
        assert line in text


def test_the_default_timeout_is_minutes() -> None:
    """The timeout is for code that never ends. It must not stop code that is only slow."""
    assert 60 <= DEFAULT_TIMEOUT <= 3600


def read(name: str) -> str:
    """A file of the project as text."""
    return (PROJECT / Path(name)).read_text("utf-8")
