"""The parts of a page that ``inspect``, ``verify`` and ``snapshot`` have."""

import time
from typing import Iterator
from xml.etree.ElementTree import Element

from ...results import Report, VariableRow, Verified, shape_text
from ...rules.roles import slots_of
from ..options import Options
from ..text_files import (
    CHECKPOINT_HEADERS,
    checkpoint_row,
    checkpoints_head,
    data_text,
    headlines,
    last_line,
    state_of,
    totals,
)
from ..words import bytes_text
from .findings import by_variable, groups
from .markup import Child, e, lowered
from .tree import PROBLEM, Columns, Entry, tree

_COLUMNS = Columns("contents", ("checkpoint", "size", "role", "finding"), {PROBLEM: "problems"})
_MOST_CHECKPOINTS = 1000


def checkpoints(report: Report, options: Options) -> Iterator[Element]:
    """Yields which checkpoint Estimator loads, and the table of all."""
    now = time.time() if options.now is None else options.now
    yield e("p", checkpoints_head(report), class_="conclusion")
    latest = list(reversed(report.checkpoints))[:_MOST_CHECKPOINTS]
    if latest:
        head = e("tr", (e("th", header, scope="col") for header in CHECKPOINT_HEADERS))
        rows = [_checkpoint(checkpoint_row(item, report.model_dir, now)) for item in latest]
        yield e("table", e("thead", head), e("tbody", rows), class_="checkpoints")


def _checkpoint(cells: "list[str]") -> Element:
    loaded, name, *numbers = cells
    mark: Child = e("b", "loaded") if loaded else None
    return e("tr", e("td", mark), e("td", e("code", name)), (e("td", item) for item in numbers))


def contents(report: Report, prefix: str) -> Iterator[Element]:
    """Yields what the inspected checkpoint holds, and its tree of variables."""
    found = report.contents
    yield e("ul", (e("li", line) for line in headlines(found)), class_="plain")
    rows = [e("tr", (e("td", cell) for cell in row)) for row in totals(found.variables)]
    yield e("table", e("tbody", rows), class_="totals")
    worst = by_variable(report.groups, prefix)
    kinds = {row.variable.name: row.role for row in found.variables}
    slots = {name: owner for name, owner in slots_of(kinds).items() if kinds[name] == "optimizer"}
    entries = []
    for row in found.variables:
        finding, id_ = worst.get(row.variable.name, (None, ""))
        link = e("a", finding.rule, href=f"#{id_}") if finding else None
        tone = finding.severity if finding else ""
        states = (PROBLEM,) if tone in ("error", "warning") else ()
        cells = (_spec(row), bytes_text(row.size), row.role.replace("_", " "), link)
        entries.append(Entry(row.variable.name, cells, states, tone))
    yield from tree(entries, slots, _COLUMNS, prefix)


def _spec(row: VariableRow) -> str:
    parts = f" in {row.parts} parts" if row.parts > 1 else ""
    return f"{row.variable.dtype} {shape_text(row.variable.shape)}{parts}"


def verified(report: Report, prefix: str) -> Iterator[Element]:
    """Yields the checkpoints whose data was read, the latest first, and the last good one."""
    tone = "good" if report.ok else "error"
    said = last_line(report) or state_of(report.verified[0])[0]
    yield e("p", e("span", said), class_=f"conclusion {tone}")
    if report.why:
        yield e("p", report.why, class_="quiet")
    for number, item in reversed(list(enumerate(report.verified))):
        yield _verified(report, item, f"{prefix}checkpoint-{number + 1}-")


def _verified(report: Report, item: Verified, prefix: str) -> Element:
    label, tone = state_of(item)
    return e(
        "section",
        e("h3", e("code", item.prefix or "the state file"), e("em", label, class_=tone)),
        e("p", data_text(item.data), class_="quiet"),
        map(lowered, groups(report, item.groups, prefix)),
        class_="verified",
    )
