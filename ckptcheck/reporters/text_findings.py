"""The findings of a report as text."""

import textwrap
from typing import Dict, Iterator, List, Sequence, Tuple

from ..results import CHECK, FAILS, RESTORES, SILENT, UNTRACEABLE, Finding, Group, Outcome, Report
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
    """Returns what to do first: the advice of the first group, its hint, or its explanation."""
    for item in report.groups:
        if item.advice:
            return item.advice[0].text
        for finding in item.findings:
            if finding.hint:
                return finding.hint
        return f"see ckptcheck --explain {item.findings[0].rule}"
    return ""


def groups(report: Report, options: Options) -> str:
    """Returns the groups of a report, errors first."""
    said = first_hint(report) if report.command == CHECK and not report.ok else ""
    return "\n\n".join(group_text(item, options, said) for item in report.groups)


def group_text(item: Group, options: Options, said: str = "") -> str:
    """Returns one group as text.

    Args:
        item: the group.
        options: the form of the report.
        said: a hint to leave out, since the end of the report repeats it.
    """
    first = item.findings[0]
    lines = [tagged(first.severity, first.rule, item.title, options)]
    effect = _effect(item.findings)
    if effect:
        lines.append(wrapped(effect, options, "  "))
    compared = [finding for finding in item.findings if _compares(finding)]
    if compared:
        lines.append(textwrap.indent(_table(compared, options.width - 2), "  "))
        lines.extend(_below_table(compared, options))
    others = [finding for finding in item.findings if not _compares(finding)]
    shown, more = first_of(others, MOST_ROWS)
    lines.extend(line for finding in shown for line in _message(finding, options))
    if more:
        lines.append(f"  and {more} more")
    for advice in item.advice:
        word = "fix" if advice.verified else "try"
        lines.append(wrapped(f"{word}: {advice.text}", options, "  "))
    if first.hint and not item.advice and first.hint != said:
        lines.append(wrapped("try: " + first.hint, options, "  "))
    return "\n".join(lines)


def _effect(findings: Sequence[Finding]) -> str:
    """Returns what a group does to the modes, in one line."""
    modes: Dict[str, Dict[str, None]] = {}
    for finding in findings:
        for mode, outcome in finding.outcomes.items():
            text = verdict_text(outcome.verdict, outcome.at)
            modes.setdefault(text, {})[mode.upper()] = None
    return "; ".join("{}: {}".format(", ".join(mine), text) for text, mine in modes.items())


def _compares(finding: Finding) -> bool:
    """Whether a finding compares the checkpoint with the model."""
    return finding.checkpoint is not None or finding.model is not None


def _table(findings: Sequence[Finding], width: int) -> str:
    by_specs: Dict[Tuple[str, str], List[str]] = {}
    for finding in findings:
        specs = (spec_text(finding.checkpoint), spec_text(finding.model))
        by_specs.setdefault(specs, []).append(finding.variable)
    rows: List[List[str]] = []
    for (stored, declared), names in by_specs.items():
        slots = slots_of(names)
        kept = [name for name in names if name not in slots]
        rows.extend([label, stored, declared] for label, _ in folded(kept, slots))
    headers = ["variable", "checkpoint", "model"]
    shown, more = first_of(rows, MOST_ROWS)
    text = table(shown, headers, width)
    return f"{text}\nand {more} more (--show-plan shows all)" if more else text


def _below_table(findings: Sequence[Finding], options: Options) -> Iterator[str]:
    """Iterates over the errors of the run, and the places where the code creates the variables."""
    at_run = [finding for finding in findings if Outcome.FAILS_AT_RUN in finding.outcomes.values()]
    for error in dict.fromkeys(filter(None, (finding.data.get("error") for finding in at_run))):
        yield wrapped(f"the run raises: {error}", options, "  ")
    weights = [finding for finding in findings if finding.data.get("role") != "slot"] or findings
    found = {(place.file, place.line) for place in (f.location for f in weights) if place}
    places = [f"{file}:{line}" for file, line in sorted(found)]
    if places:
        shown, more = first_of(places, _MOST_PLACES)
        rest = f" and {more} more" if more else ""
        yield wrapped(f"created at {', '.join(shown)}{rest}", options, "  ")


def _message(finding: Finding, options: Options) -> Iterator[str]:
    place = finding.location
    where = f"{place.file}:{place.line}: " if place else ""
    yield wrapped(where + finding.message, options, "  ")
    shown, more = first_of(finding.detail, MOST_ROWS)
    for line in shown:
        yield wrapped(line, options, "    at ", "")
    if more:
        yield f"    and {more} more"
