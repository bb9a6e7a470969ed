"""The findings of a report: groups, each with what to do, and findings that are accepted."""

import dataclasses
import json
import shlex
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple
from xml.etree.ElementTree import Element

from ...catalogue import catalogue
from ...changes import Change
from ...results import SEVERITIES, Accepted, Advice, Finding, Group, Outcome, Position, Report
from ...rules import role_of
from ...rules.base import MISSING, UNUSED
from ...sanitize import escaped
from ..layout import first_of
from ..text_findings import HEADERS, compares, comparison, created_at, effect
from ..text_runs import counted
from ..words import spec_text
from .markup import Child, e, exact, prose

_MOST_SHOWN = 12
_MOST_FOLDED = 1000
_LONGEST_COPIED = 20000


def group_id(prefix: str, place: int) -> str:
    """Returns the id of a group. Links use it."""
    return f"{prefix}finding-{place + 1}"


def counts(found: Sequence[Group]) -> Element:
    """Returns how many groups there are of each severity."""
    return e("p", counted(found), class_="quiet")


def groups(report: Report, found: Sequence[Group], prefix: str = "") -> Iterator[Element]:
    """Yields an article for each group.

    Args:
        report: the report that they are part of.
        found: the groups.
        prefix: the beginning of their ids.
    """
    checked = {verdict.mode for verdict in report.verdicts}
    for place, item in enumerate(found):
        first = item.findings[0]
        modes = {mode for finding in item.findings for mode in finding.modes}
        some = _in_order(report, modes) if modes < checked else []
        said = effect(item.findings) or ", ".join(mode.upper() for mode in some)
        yield e(
            "article",
            e(
                "header",
                e("span", first.severity, class_="tag"),
                e("h3", item.title),
                e("code", first.rule, class_="rule"),
            ),
            e("p", said, class_="effect") if said else None,
            _content(item, report.drift.changes),
            _advice(item),
            _explanation(first.rule),
            id=group_id(prefix, place),
            class_=f"finding {first.severity}",
        )


def _in_order(report: Report, modes: Iterable[str]) -> List[str]:
    return [verdict.mode for verdict in report.verdicts if verdict.mode in modes]


def _content(item: Group, changes: Sequence[Change]) -> Iterator[Child]:
    renames = _renames(item)
    compared = [finding for finding in item.findings if compares(finding)]
    if renames:
        yield _table(("in the checkpoint", "in the model", "both"), renames)
    elif compared:
        yield _table(HEADERS, comparison(compared))
    if compared:
        at_run = [f for f in compared if Outcome.FAILS_AT_RUN in f.outcomes.values()]
        for error in dict.fromkeys(filter(None, (f.data.get("error") for f in at_run))):
            yield e("p", "The run raises: ", e("code", str(error)))
        yield _places(created_at(compared))
    others = [finding for finding in item.findings if not compares(finding)]
    yield from _folded([_message(finding, changes) for finding in others], "ul", "message")


def _renames(item: Group) -> List[List[str]]:
    """Returns the old and the new name of each variable, if the group is a renaming."""
    pairs = list(zip(item.findings[1::2], item.findings[::2]))
    if not all(map(compares, item.findings)) or not all(
        role_of(old) == UNUSED and role_of(new) == MISSING for old, new in pairs
    ):
        return []
    return [[old.variable, new.variable, spec_text(new.model)] for old, new in pairs]


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> Element:
    """Returns a table, whose first rows are always visible."""
    shown, _ = first_of(rows, _MOST_SHOWN)
    folded, more = first_of(rows[len(shown) :], _MOST_FOLDED)
    head = e("thead", e("tr", (e("th", header, scope="col") for header in headers)))
    rest: Child = None
    if folded:
        body = e("table", e("tbody", map(_tr, folded)))
        rest = e("details", e("summary", f"{len(folded):,} more"), body, _left_out(more))
    return e("div", e("table", head, e("tbody", map(_tr, shown))), rest, class_="compared")


def _tr(cells: Sequence[str]) -> Element:
    return e("tr", (e("td", e("code", cell)) for cell in cells))


def _left_out(count: int) -> Child:
    return e("p", f"and {count:,} more", class_="quiet") if count else None


def _folded(items: Sequence[Child], tag: str, kind: str) -> Iterator[Element]:
    """Yields a list whose first items are always visible."""
    shown, _ = first_of(items, _MOST_SHOWN)
    folded, more = first_of(items[len(shown) :], _MOST_FOLDED)
    if shown:
        yield e(tag, (e("li", item) for item in shown), class_=kind)
    if folded:
        rest = e(tag, (e("li", item) for item in folded), class_=kind)
        yield e("details", e("summary", f"{len(folded):,} more"), rest, _left_out(more))


def _places(places: Sequence[str]) -> Child:
    if not places:
        return None
    shown, more = first_of(places, _MOST_SHOWN)
    code = [[", " if number else "", e("code", place)] for number, place in enumerate(shown)]
    return e("p", "Created at ", code, f" and {more} more" if more else "", class_="quiet")


def _message(finding: Finding, changes: Sequence[Change]) -> Iterator[Child]:
    place = finding.location
    if place:
        column = f":{place.column}" if isinstance(place, Position) else ""
        yield [e("code", f"{place.file}:{place.line}{column}", class_="place"), " "]
    change = next((c for c in changes if (c.kind, c.text) == (finding.rule, finding.subject)), None)
    then, now = (_side(finding.data.get(side)) for side in ("then", "now"))
    if isinstance(finding.data.get("then"), dict) and (then or now):
        yield _then_and_now(then, now)
        if change is not None:
            yield _nodes(change)
            return
    yield finding.message
    if {"param", "was", "now"} <= set(finding.data):
        yield _then_and_now(*(_json(finding.data[side]) for side in ("was", "now")))
    yield from _folded([e("code", line) for line in finding.detail], "ul", "detail")


def _side(side: Any) -> str:
    """Returns what a change was or is, such as ``relu`` of ``{"op": "relu"}``."""
    if not isinstance(side, dict):
        return ""
    return ", ".join(item if isinstance(item, str) else _json(item) for item in side.values())


def _json(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value)


def _then_and_now(then: str, now: str) -> Element:
    return e(
        "dl",
        e("div", e("dt", "when it was saved"), e("dd", e("code", then or "nothing"))),
        e("div", e("dt", "now"), e("dd", e("code", now or "nothing"))),
        class_="drift",
    )


def _nodes(change: Change) -> Element:
    """Returns the nodes of both graphs that differ, folded."""
    count = len(change.old) + len(change.new)
    title = "The node that differs" if count == 1 else f"The {count:,} nodes that differ"
    sides = (("saved graph", change.old), ("graph of the code", change.new))
    lists = [
        e("div", e("dt", side), [e("dd", e("code", name)) for name in names[:_MOST_FOLDED]])
        for side, names in sides
        if names
    ]
    return e("details", e("summary", title), e("dl", lists, class_="drift nodes"))


def _advice(item: Group) -> Iterator[Child]:
    for advice in item.advice:
        yield e(
            "div",
            e("p", e("b", "Fix: " if advice.verified else "Try: "), advice.text),
            _copies(advice),
            class_="advice",
        )
    if not item.advice:
        for hint in dict.fromkeys(finding.hint for finding in item.findings if finding.hint):
            yield e("div", e("p", e("b", "Try: "), hint), class_="advice")


def _copies(advice: Advice) -> Iterator[Element]:
    """Yields the texts to copy for an advice about params."""
    if not advice.set:
        return
    values = [f"{key}={json.dumps(value)}" for key, value in advice.set.items()]
    options = " ".join(f"--set {shlex.quote(escaped(value))}" for value in values)
    for label, text in (
        ("params", json.dumps(_nested(advice.set))),
        ("as options, to try the fix", options),
    ):
        if len(text) <= _LONGEST_COPIED:
            button = e("button", "Copy", type="button", data_copy=True, hidden=True)
            yield e("div", e("span", label), exact("code", text), button, class_="copy")


def _nested(values: Mapping[str, Any]) -> Dict[str, Any]:
    """Returns params as their file has them: a dot in a key leads into another object."""
    found: Dict[str, Any] = {}
    for key, value in values.items():
        *path, last = key.split(".")
        at = found
        for part in path:
            at = at.setdefault(part, {})
        at[last] = value
    return found


def _explanation(rule: str) -> Optional[Element]:
    known = catalogue().get(rule)
    if known is None:
        return None
    parts = known.explanation.split("\n\n")
    paragraphs = [e("p", prose(" ".join(part.split("\n")))) for part in parts]
    return e("details", e("summary", "Why, and what to do"), paragraphs, class_="why")


def by_rule(found: Sequence[Group]) -> List[Group]:
    """Joins the groups of each rule and severity, since ``lint`` has one for each finding."""
    joined: Dict[Tuple[str, str], Group] = {}
    for item in found:
        kind = (item.findings[0].rule, item.findings[0].severity)
        before = joined[kind].findings if kind in joined else ()
        joined[kind] = dataclasses.replace(item, findings=(*before, *item.findings))
    order = {severity: place for place, severity in enumerate(reversed(SEVERITIES))}
    return sorted(joined.values(), key=lambda item: order[item.findings[0].severity])


def accepted(items: Sequence[Accepted]) -> Iterator[Child]:
    """Yields the findings that the project accepts."""
    by = {"ignore": "ignored", "baseline": "in the baseline"}
    yield from _folded([_accepted(item, by[item.by]) for item in items], "ul", "message")


def _accepted(item: Accepted, by: str) -> Iterator[Child]:
    yield e("code", item.finding.rule, class_="rule")
    yield f" {by}{': ' + item.reason if item.reason else ''}"
    yield e("p", e("code", item.finding.variable), " ", item.finding.message)


def by_variable(found: Sequence[Group], prefix: str) -> Dict[str, Tuple[Finding, str]]:
    """Returns the worst finding about each variable, and the id of its group.

    Groups are sorted, so that the first finding is the worst.
    """
    worst: Dict[str, Tuple[Finding, str]] = {}
    for place, item in enumerate(found):
        for finding in item.findings:
            if finding.variable:
                worst.setdefault(finding.variable, (finding, group_id(prefix, place)))
    return worst
