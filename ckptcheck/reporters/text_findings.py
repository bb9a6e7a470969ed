"""The findings of a report as text."""

import dataclasses
import textwrap
from typing import Dict, Iterator, List, Sequence, Tuple

from ..results import (
    CHECK,
    FAILS,
    RESTORES,
    SILENT,
    UNTRACEABLE,
    VERIFY,
    Finding,
    Group,
    Outcome,
    Report,
)
from ..rules.base import DRIFT
from ..rules.roles import slots_of
from .layout import first_of, folded, table, tagged, wrapped
from .options import Options
from .words import spec_text

MOST_ROWS = 12
"""Rows of a table, and findings that are shown in lines of their own."""
_MOST_PLACES = 3
_VERDICTS = {
    RESTORES: "restores",
    FAILS: "FAILS",
    SILENT: "SILENTLY WRONG",
    UNTRACEABLE: "untraceable",
}


def verdict_text(verdict: str, at: str) -> str:
    """Returns a verdict as text, such as ``FAILS at restore``."""
    return _VERDICTS[verdict] + (f" at {at}" if at else "")


def first_hint(report: Report) -> str:
    """Returns what to do first: the first advice or hint; otherwise, the first explanation.

    Only groups that are as severe as the first one count. If a mode cannot be traced, what is wrong
    in other modes comes first: the model_fn may not have this mode.
    """
    severity = report.groups[0].findings[0].severity if report.groups else ""
    alike = [item for item in report.groups if item.findings[0].severity == severity]
    first = [item for item in alike if not _is_untraceable(item)] or alike
    for item in (*first, *(item for item in alike if item.advice)):
        if item.advice:
            return item.advice[0].text
        for finding in item.findings:
            if finding.hint:
                return finding.hint
    return f"see ckptcheck --explain {first[0].findings[0].rule}" if first else ""


def _is_untraceable(item: Group) -> bool:
    """Whether a group says only that modes cannot be traced."""
    outcomes = {outcome for finding in item.findings for outcome in finding.outcomes.values()}
    return outcomes == {Outcome.UNTRACEABLE}


def of_report(report: Report, options: Options) -> str:
    """Returns the groups of a report, errors first."""
    ends_with_hint = (report.command == CHECK and not report.ok) or (
        report.command == VERIFY and not report.verified
    )
    return groups(report.groups, options, first_hint(report) if ends_with_hint else "")


def not_judged(report: Report, options: Options) -> str:
    """Returns what the command could not find out, in a line for each."""
    return "\n".join(wrapped(f"not judged: {item}", options) for item in report.not_judged)


def groups(found: Sequence[Group], options: Options, said: str = "") -> str:
    """Returns groups as text; ``said`` is a hint to leave out.

    If one fix is the fix of several changes, it comes once, and then the changes.
    """
    blocks: List[str] = []
    for same in _by_fix(found):
        if len(same) > 1:
            blocks.extend(wrapped(line, options) for line in advice_lines(same[0]))
            same = [dataclasses.replace(item, advice=()) for item in same]
        blocks.extend(group_text(item, options, said) for item in same)
    return "\n\n".join(blocks)


def _by_fix(found: Sequence[Group]) -> List[List[Group]]:
    """Puts changes of the computation together that have the same fix."""
    together: Dict[Tuple[object, ...], List[Group]] = {}
    for place, item in enumerate(found):
        shared = item.findings[0].category == DRIFT and item.advice
        key = tuple(one.text for one in item.advice) if shared else (place,)
        together.setdefault(key, []).append(item)
    return list(together.values())


def group_text(item: Group, options: Options, said: str = "") -> str:
    """Returns one group as text.

    Args:
        item: the group.
        options: the form of the report.
        said: a hint to leave out, since the end of the report repeats it.
    """
    first = item.findings[0]
    lines = [tagged(first.severity, first.rule, item.title, options)]
    done = effect(item.findings)
    if done:
        lines.append(wrapped(done, options, "  "))
    compared = [finding for finding in item.findings if compares(finding)]
    if compared:
        lines.append(textwrap.indent(_table(compared, options.width - 2), "  "))
        lines.extend(wrapped(line, options, "  ") for line in below_table(compared))
    others = [finding for finding in item.findings if not compares(finding)]
    shown, more = first_of(others, MOST_ROWS)
    lines.extend(line for finding in shown for line in _message(finding, options))
    if more:
        lines.append(f"  and {more} more")
    lines.extend(wrapped(line, options, "  ") for line in advice_lines(item, said))
    return "\n".join(lines)


def advice_lines(item: Group, said: str = "") -> List[str]:
    """Returns what to do about a group, in a line for each way; ``said`` is a hint to leave out."""
    if item.advice:
        return [f"{'fix' if one.verified else 'try'}: {one.text}" for one in item.advice]
    hint = item.findings[0].hint
    return [f"try: {hint}"] if hint and hint != said else []


def effect(findings: Sequence[Finding]) -> str:
    """Returns what a group does to the modes, in one line."""
    modes: Dict[str, Dict[str, None]] = {}
    for finding in findings:
        for mode, outcome in finding.outcomes.items():
            text = verdict_text(outcome.verdict, outcome.at)
            modes.setdefault(text, {})[mode.upper()] = None
    return "; ".join("{}: {}".format(", ".join(mine), text) for text, mine in modes.items())


def compares(finding: Finding) -> bool:
    """Whether a finding compares the checkpoint with the model."""
    return finding.checkpoint is not None or finding.model is not None


def comparison(findings: Sequence[Finding]) -> List[List[str]]:
    """Returns a row for each variable or group of similar ones: name, checkpoint, model."""
    by_specs: Dict[Tuple[str, str], List[str]] = {}
    for finding in findings:
        specs = (spec_text(finding.checkpoint), spec_text(finding.model))
        by_specs.setdefault(specs, []).append(finding.variable)
    rows: List[List[str]] = []
    for (stored, declared), names in by_specs.items():
        slots = slots_of(names)
        kept = [name for name in names if name not in slots]
        rows.extend([label, stored, declared] for label, _ in folded(kept, slots))
    return rows


HEADERS = ("variable", "checkpoint", "model")
"""Of the columns of :func:`comparison`."""


def _table(findings: Sequence[Finding], width: int) -> str:
    shown, more = first_of(comparison(findings), MOST_ROWS)
    text = table(shown, HEADERS, width)
    return f"{text}\nand {more} more (--show-plan shows all)" if more else text


def below_table(findings: Sequence[Finding]) -> Iterator[str]:
    """Yields the errors of the run, and the places where the code creates the variables."""
    at_run = [finding for finding in findings if Outcome.FAILS_AT_RUN in finding.outcomes.values()]
    for error in dict.fromkeys(filter(None, (finding.data.get("error") for finding in at_run))):
        yield f"the run raises: {error}"
    places = created_at(findings)
    if places:
        shown, more = first_of(places, _MOST_PLACES)
        rest = f" and {more} more" if more else ""
        yield f"created at {', '.join(shown)}{rest}"


def created_at(findings: Sequence[Finding]) -> List[str]:
    """Returns the places where the code creates variables; of slots only if there are no others."""
    weights = [finding for finding in findings if finding.data.get("role") != "slot"] or findings
    found = {(place.file, place.line) for place in (f.location for f in weights) if place}
    return [f"{file}:{line}" for file, line in sorted(found)]


def _message(finding: Finding, options: Options) -> Iterator[str]:
    place = finding.location
    where = f"{place.file}:{place.line}: " if place else ""
    yield wrapped(where + finding.message, options, "  ")
    shown, more = first_of(finding.detail, MOST_ROWS)
    for line in shown:
        yield wrapped(line, options, "    at ", "")
    if more:
        yield f"    and {more} more"
