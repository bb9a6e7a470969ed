"""The parts of a page that only a check has: verdicts, variables, how it was checked."""

from typing import Dict, Iterator, List, Optional, Sequence, Tuple
from xml.etree.ElementTree import Element

from ...changes import NONE, UNKNOWN
from ...protocol import Shape, VariableSpec, allows
from ...results import RESTORES, Finding, Report, Verdict, shape_text
from ...rules.roles import roles, slots_of
from ..pairs import Pair, pairs
from ..text_check import LETTERS, how, last_line, limits, record_text, said_of_mode
from ..text_files import data_text
from ..words import times_text
from .findings import by_variable
from .markup import Child, e
from .tree import PROBLEM, Columns, Entry, tree

_DRIFT = {
    NONE: "computes the same as {}",
    UNKNOWN: "it is unknown whether this mode computes the same as {}",
}
_STATES = {
    PROBLEM: "problems",
    "missing": "missing",
    "unused": "not read",
    "shape": "other shape",
    "dtype": "other dtype",
}
_COLUMNS = Columns("check", ("checkpoint", "model", "read by", "finding"), _STATES)


def verdict(report: Report) -> Iterator[Element]:
    """Yields the verdict of each mode, and the last line of the text."""
    text, tone = last_line(report)
    yield e("p", e("span", text), class_=f"conclusion {tone}")
    if report.verdicts:
        yield e("ul", (_mode(report, item) for item in report.verdicts), class_="modes")
    yield from (e("p", text, class_="limit") for text in limits(report))


def _mode(report: Report, item: Verdict) -> Element:
    text, tone = said_of_mode(report, item)
    reads = times_text(item.reads, "tensor") + " to restore" if item.reads else ""
    when = f"at {report.against}" if report.against else "when the checkpoint was saved"
    state = report.drift.states.get(item.mode, "") if item.verdict == RESTORES else ""
    compared = _DRIFT.get(state, "").format(when)
    return e(
        "li",
        e("h3", item.mode.upper()),
        e("p", text, class_="said"),
        e("p", "; ".join(filter(None, (reads, compared))), class_="quiet"),
        class_=tone,
    )


def checked_how(report: Report) -> Iterator[Element]:
    """Yields how the code was traced, and which data was read."""
    lines = list(how(report.trace)) if report.trace else []
    if report.record is not None:
        lines.append(record_text(report.record))
    if report.data is not None:
        lines.append(data_text(report.data))
    if lines:
        yield e("ul", (e("li", line) for line in lines), class_="plain")


def variables(report: Report, prefix: str) -> Iterator[Element]:
    """Yields the tree of the variables of checkpoint and model."""
    found = _all_pairs(report)
    worst = by_variable(report.groups, prefix)
    specs = {pair.key: pair.stored or declared for pair, declared in found}
    shapes = {name: spec.shape for name, spec in specs.items() if spec is not None}
    kinds = roles(specs, shapes)
    slots = {name: owner for name, owner in slots_of(specs).items() if kinds[name] == "optimizer"}
    entries = [_entry(report, pair, declared, worst.get(pair.key)) for pair, declared in found]
    letters = ", ".join(f"{LETTERS[item.mode]} = {item.mode.upper()}" for item in report.verdicts)
    yield e("p", f"Read by: {letters}.", class_="quiet")
    yield from tree(entries, slots, _COLUMNS, prefix)


def _all_pairs(report: Report) -> List[Tuple[Pair, Optional[VariableSpec]]]:
    """Returns all pairs, each with what the model declares, even if no restore reads it."""
    declared: Dict[str, VariableSpec] = {}
    for finding in report.findings:
        if finding.model is not None:
            declared.setdefault(finding.variable, finding.model)
    found = pairs(report)
    known = {pair.key for pair in found}
    found += [Pair(name) for name in declared if name not in known]
    return [(pair, pair.declared or declared.get(pair.key)) for pair in found]


def _entry(
    report: Report,
    pair: Pair,
    declared: Optional[VariableSpec],
    worst: Optional[Tuple[Finding, str]],
) -> Entry:
    finding, id_ = worst or (None, "")
    tone = finding.severity if finding else ""
    states = list(_states(report, pair, declared))
    if tone in ("error", "warning"):
        states.append(PROBLEM)
    modes = [item.mode for item in report.verdicts]
    letters = "".join(LETTERS[mode] if mode in pair.modes else "\xb7" for mode in modes)
    link = e("a", finding.rule, href=f"#{id_}") if finding else None
    cells = (*_specs(report, pair.stored, declared), letters, link)
    return Entry(pair.key, cells, tuple(states), tone)


def _states(report: Report, pair: Pair, declared: Optional[VariableSpec]) -> Iterator[str]:
    if report.checkpoint is not None and pair.stored is None:
        yield "missing"
    if report.trace is not None and report.trace.plans and pair.stored and not pair.modes:
        yield "unused"
    if pair.stored and declared:
        if not allows(declared.shape, pair.stored.shape):
            yield "shape"
        if pair.stored.dtype != declared.dtype:
            yield "dtype"


def _unlike(one: Optional[int], other: Optional[int]) -> bool:
    return one is not None and other is not None and one != other


def _specs(
    report: Report, stored: Optional[VariableSpec], declared: Optional[VariableSpec]
) -> Sequence[Element]:
    """Returns the cells of checkpoint and model, and marks the differences."""
    no_checkpoint = "not there" if report.checkpoint else "not known"
    no_model = "not read" if report.trace and report.trace.plans else "not known"
    return (
        _spec(stored, declared, no_checkpoint),
        _spec(declared, stored, no_model),
    )


def _spec(spec: Optional[VariableSpec], other: Optional[VariableSpec], absent: str) -> Element:
    if spec is None:
        return e("i", absent)
    if other is None or (spec.dtype, spec.shape) == (other.dtype, other.shape):
        return e("span", f"{spec.dtype} {shape_text(spec.shape)}")
    dtype: Child = spec.dtype if spec.dtype == other.dtype else e("b", spec.dtype)
    return e("span", dtype, " ", _shape(spec.shape, other.shape))


def _shape(shape: Shape, other: Shape) -> Iterator[Child]:
    """Yields a shape, and marks the sizes that differ from those of another shape."""
    if shape is None or other is None:
        yield shape_text(shape)
        return
    if len(shape) != len(other):
        yield e("b", shape_text(shape))
        return
    yield "["
    for place, (mine, theirs) in enumerate(zip(shape, other)):
        text = "?" if mine is None else str(mine)
        yield ", " if place else ""
        yield e("b", text) if _unlike(mine, theirs) else text
    yield "]"
