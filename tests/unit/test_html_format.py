"""Tests of the page of ``--format html``: its content, and that no name becomes markup."""

import base64
import dataclasses
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ckptcheck import reporters
from ckptcheck.groups import group
from ckptcheck.results import (
    CheckpointSummary,
    Contents,
    DataRead,
    Finding,
    Group,
    Position,
    Report,
    VariableRow,
    Verified,
    Written,
)
from ckptcheck.rules import all_rules
from ckptcheck.rules import examples as made
from ckptcheck.runs import Run, Runs
from ckptcheck.sanitize import printable

from ..page.reports import full, several, transformer
from .test_groups import found
from .test_json_format import report_of

Attributes = List[Tuple[str, Optional[str]]]
VOID = {"meta", "link", "input"}
HARMLESS = frozenset(
    ("html", "head", "meta", "title", "link", "style", "body", "header", "nav", "main", "section")
    + ("article", "h1", "h2", "h3", "h4", "h5", "p", "ul", "li", "dl", "dt", "dd", "div", "span")
    + ("b", "i", "em", "small", "code", "kbd", "a", "details", "summary", "table", "thead", "tbody")
    + ("tr", "th", "td", "label", "input", "fieldset", "legend", "output", "button", "script")
)


class Document(HTMLParser):
    """What a browser's parser sees: elements with their attributes, and texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: List[Tuple[str, Tuple[str, ...]]] = []
        self.attributes: List[Tuple[str, str, str]] = []
        self.texts: List[str] = [""]
        self.open: List[str] = []
        self.own: Dict[str, str] = {"style": "", "script": ""}
        self.feed(text)
        self.close()
        assert self.open == [], "an element is not closed"

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)
        self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.own:
            self.own[self.open[-1]] += data
        else:
            self.texts[-1] += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data!r}")

    def text(self) -> str:
        """All visible text, an element a line."""
        return "\n".join(filter(None, (text.strip("\n") for text in self.texts)))


def squeezed(found: Document) -> str:
    """The visible text without empty lines."""
    return re.sub(r"\n\s*", "\n", found.text())


def page(found: Union[Report, Runs], **options: Any) -> Document:
    return Document(reporters.render(found, "html", reporters.Options(**options)))


# --- Untrusted names ---------------------------------------------------------------------------

PLAIN = "ab"
EVIL = [
    "<script>alert(1)</script>",
    "</code></td></table><img src=x onerror=alert(1)>",
    "</title><base href=//x>",
    "</style><style>*{display:none}",
    "\"'><svg onload=alert(1)>",
    "javascript:alert(1)",
    "<!--",
    "]]>",
    "&lt;&#60;&amp;",
    "&notit;",
    "up\x1b[2A\x00",
    "lenrek\u202egro",
    "\udcff\ud800",
    "\U0001f600 \u00e9 \u4e2d",
    "a\nb\r\nc\td",
    " ",
    "x" * 5000,
]
# Without a slash and digits, a name has no influence on how a report is laid out.
names = st.text(st.characters().filter(lambda c: c not in "/0123456789"), min_size=1, max_size=40)


def assert_same_elements(name: str) -> None:
    makes: Sequence[Callable[[str], Union[Report, Runs]]] = (full, several)
    for make in makes:
        made_of_it = page(make(name))
        assert made_of_it.elements == page(make(PLAIN)).elements
        assert printable(name).strip() in made_of_it.text()


@pytest.mark.parametrize("name", [name for name in EVIL if "/" not in name])
def test_an_evil_name_is_text(name: str) -> None:
    assert_same_elements(name)


@settings(max_examples=60)
@given(st.one_of(names, st.text("<>&\"'=!-;#\x00\x1b\u202e\ud800 scriptonload", min_size=1)))
def test_any_name_is_text(name: str) -> None:
    assert_same_elements(name)


@settings(max_examples=60)
@given(st.text(st.sampled_from("/<>\"'&a0_ \n"), max_size=60))
def test_no_name_brings_an_element_or_an_attribute(name: str) -> None:
    known = {attributes for _, attributes in page(full("scope/layer_0/kernel")).elements}
    allowed = {attribute for attributes in known for attribute in attributes} | {"open"}
    built = page(full(name))
    assert {tag for tag, _ in built.elements} <= HARMLESS
    assert {attribute for _, attributes in built.elements for attribute in attributes} <= allowed
    assert [tag for tag, _ in built.elements].count("script") == 1


@pytest.mark.parametrize("name", EVIL)
def test_links_stay_on_the_page(name: str) -> None:
    for tag, attribute, value in page(full(name)).attributes:
        assert not attribute.startswith("on"), (tag, attribute)
        if attribute in ("href", "src", "action"):
            assert value.startswith(("#", "data:image/svg+xml,%3Csvg"))


@pytest.mark.parametrize("name", EVIL)
def test_the_document_is_ascii_without_control_characters(name: str) -> None:
    """So it survives any encoding of standard output."""
    text = reporters.render(full(name), "html")
    assert text.isascii()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]|&#(1?\d|2\d|3[01]|12[7-9]|1[3-5]\d);", text)


def test_very_long_and_very_deep_names_stay_small() -> None:
    sizes = [len(reporters.render(full(name), "html")) for name in ("x", "/" * 50000, "x " * 50000)]
    assert max(sizes) < min(sizes) + 100000


# --- Policy ------------------------------------------------------------------------------------


def test_only_its_own_style_and_script_are_allowed() -> None:
    built = page(full("x"))
    (policy,) = [value for _, name, value in built.attributes if value.startswith("default-src")]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    for kind in ("style", "script"):
        digest = hashlib.sha256(built.own[kind].encode("utf-8")).digest()
        expected = f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
        assert rules[f"{kind}-src"] == expected
    assert not any(name == "style" for _, name, _ in built.attributes)


def test_nothing_is_loaded() -> None:
    text = reporters.render(full("x"), "html")
    assert "url(" not in text and "@import" not in text
    assert re.findall(r"https?://[^'\" ]+", text) == ["http://www.w3.org/2000/svg"]  # a namespace


# --- What it says ------------------------------------------------------------------------------

RULES = list(all_rules())


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("example", ["good", "bad"])
def test_a_check_says_what_the_text_says(rule: str, example: str) -> None:
    facts = (getattr(all_rules()[rule], example) or made.facts)()
    report = report_of(facts)
    shown = page(report).text()
    text = reporters.render(report, "text", reporters.Options(width=100000))
    assert text.splitlines()[-1] in shown.splitlines(), "the last line is another one"
    for item in report.groups:
        assert printable(item.title, 2000) in shown
        for finding in item.findings:
            assert printable(finding.variable or finding.rule, 2000).split("/")[-1] in shown
    for verdict in report.verdicts:
        assert verdict.mode.upper() in shown


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_is_explained(rule: str) -> None:
    shown = squeezed(page(report_of(all_rules()[rule].bad()))).replace("\n", " ")
    for words in re.split(r"`", all_rules()[rule].explanation):
        assert " ".join(words.split()) in shown


def test_verdicts_come_first_and_errors_before_notes() -> None:
    built = page(report_of(all_rules()["shape-mismatch"].bad()))
    ids = [value for _, name, value in built.attributes if name == "id"]
    assert ids.index("verdict") < ids.index("finding-1") < ids.index("variables")
    severities = [
        value.split()[1]
        for _, name, value in page(full("x")).attributes
        if name == "class" and value.startswith("finding ")
    ]
    assert severities == ["error", "warning", "error"]  # in the order of the report


def test_ids_are_unique_and_links_lead_somewhere() -> None:
    for built in (page(full("x")), page(several()), page(verified())):
        ids = [value for _, name, value in built.attributes if name == "id"]
        assert len(ids) == len(set(ids))
        links = {
            value[1:] for _, name, value in built.attributes if name == "href" and value[0] == "#"
        }
        assert links <= set(ids)


def test_headings_skip_no_level() -> None:
    for built in (page(full("x")), page(several()), page(verified()), page(inspected())):
        levels = [int(tag[1]) for tag, _ in built.elements if re.fullmatch(r"h\d", tag)]
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in zip(levels, levels[1:])), levels


def test_advice_is_copied_as_params_and_as_options() -> None:
    report = full("x")
    (first, *others) = report.groups
    (advice,) = first.advice
    wanted = {"a.b": [1, None], "c": "it's <b>", "long": "y" * 3000}
    advice = dataclasses.replace(advice, set=wanted)
    groups = (dataclasses.replace(first, advice=(advice,)), *others)
    texts = page(dataclasses.replace(report, groups=groups)).texts
    params = {"a": {"b": [1, None]}, "c": "it's <b>", "long": "y" * 3000}
    (copied,) = [json.loads(text) for text in texts if text.startswith('{"a"')]
    assert copied == params
    (options,) = [text for text in texts if text.startswith("--set")]
    assert options.startswith("--set 'a.b=[1, null]' --set 'c=\"it'\"'\"'s <b>\"'")


def test_drift_has_then_and_now_side_by_side() -> None:
    report = report_of(all_rules()["op-changed"].bad())
    shown = page(report).text()
    assert "when it was saved\nrelu" in shown
    assert "now\ntanh" in shown


def test_a_renamed_variable_has_both_names_in_one_row() -> None:
    renamed = found([("old/w", (1,)), ("old/b", (2,))], [("new/w", (1,)), ("new/b", (2,))])
    report = dataclasses.replace(full("x"), groups=group(renamed))
    assert "\nold/b\nnew/b\nfloat32 [2]\nold/w\nnew/w\n" in squeezed(page(report))


def test_many_problems_stay_readable() -> None:
    """The first are visible, more are folded, and the size is bounded."""
    text = reporters.render(transformer(6000, 3000), "html")
    shown = Document(text).text()
    assert re.search(r"\b\d[\d,]* more\b", shown)
    assert len(text) < 6000 * 400


def test_a_huge_checkpoint_keeps_its_problems() -> None:
    report = transformer(24000, 7)
    text = reporters.render(report, "html")
    shown = Document(text).text()
    assert "and 4,000 more variables without a problem" in shown
    count = sum(finding.rule == "shape-mismatch" for finding in report.findings)
    assert f"problems \n{count}" in shown
    assert len(text) < 6000000


def test_several_checks_have_an_overview() -> None:
    shown = page(several()).text()
    assert shown.index("4 checks: 1 passed, 1 failed, 1 could not run, 1 skipped") < shown.index(
        "Findings"
    )
    assert "base does not exist" in shown
    assert "the tracer crashed" in shown
    assert "the ignore of base is unused" in shown
    assert "1 finding that the project accepts" in shown


def test_the_overview_counts_what_the_section_of_a_check_counts() -> None:
    findings = [Finding("shape-mismatch", "error", f"variable {number}") for number in range(9)]
    groups = (
        Group("shapes differ", tuple(findings)),
        Group("a note", (Finding("x", "note", "n"),)),
    )
    report = Report("check", ok=False, checked=True, model_dir="runs", groups=groups)
    shown = page(Runs((Run("a", report), Run("b", report)), ok=False)).text()
    assert shown.count("1 error, 1 note") == 4
    assert "9 errors" not in shown


def test_a_report_of_lint() -> None:
    """The findings of a rule are together, each with its place."""
    places = [Position("model.py", line, 5, line) for line in (3, 8)]
    one, two = (
        Finding("unnamed-layer", "warning", f"layer {place.line}", location=place, hint="name it")
        for place in places
    )
    report = Report(
        "lint",
        ok=True,
        checked=True,
        model_dir="",
        groups=(Group("a layer has no name", (one,)), Group("a layer has no name", (two,))),
        files=1,
    )
    shown = squeezed(page(report))
    assert "Found 2 warnings (1 file linted)." in shown
    assert "\nmodel.py:3:5\nlayer 3\nmodel.py:8:5\nlayer 8\nTry:" in shown
    assert shown.count("a layer has no name") == 1


ROW = VariableRow(made.facts().index.variables[0], "weight", 512, 2)  # type: ignore[union-attr]


def inspected() -> Report:
    one = CheckpointSummary("runs/base/model.ckpt-10", 10, 0.0, 2048, loaded=True)
    contents = Contents("runs/base/model.ckpt-10", (ROW,), 1)
    return Report(
        "inspect",
        ok=True,
        checked=True,
        model_dir="runs/base",
        why="Estimator loads model.ckpt-10",
        checkpoints=(one,),
        contents=contents,
    )


def verified() -> Report:
    wrong = Group("1 tensor is corrupt", (Finding("corrupt-tensor", "error", "w: no match"),))
    bad = Verified(False, "runs/base/model.ckpt-10", 10, DataRead(3, 2048), (wrong,))
    good = Verified(True, "runs/base/model.ckpt-20", 20, DataRead(4, 4096), (), True, True)
    return Report("verify", False, True, "runs/base", verified=(bad, good))


def test_an_inspection() -> None:
    shown = page(inspected(), now=86400.0).text()
    assert "1 checkpoint. Estimator loads model.ckpt-10" in shown
    assert "1 day ago" in shown
    assert "name-based, 1 data file" in shown
    assert "in 2 parts" in shown
    assert "512 bytes" in shown


def test_a_verification() -> None:
    shown = page(verified()).text()
    assert "The last good checkpoint is runs/base/model.ckpt-20." in shown
    assert shown.index("model.ckpt-20\ngood") < shown.index("model.ckpt-10\nNOT GOOD")
    assert "w: no match" in shown


def test_one_verified_checkpoint_and_none() -> None:
    report = verified()
    one = dataclasses.replace(report, ok=True, verified=report.verified[1:])
    assert "good" in page(one).texts
    none = dataclasses.replace(report, verified=(), groups=report.verified[0].groups)
    assert (
        "There is no checkpoint to verify. First: see ckptcheck --explain corrupt-tensor"
        in page(none).text()
    )


def test_a_snapshot() -> None:
    report = Report("snapshot", True, True, "runs", written=Written("made", ("checkpoint",)))
    assert "made\ncheckpoint" in page(report).text()
