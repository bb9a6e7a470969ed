"""``--format text``: for people, readable at 80 columns."""

import collections
from typing import Callable, Dict, Iterable, List, Tuple

from ..results import CHECK, INSPECT, LINT, SNAPSHOT, VERIFY, Report
from ..runs import Runs
from . import text_check, text_files, text_findings, text_lint, text_runs
from .layout import wrapped
from .options import Options
from .words import times_text

FORMAT = "text"

_Section = Callable[[Report, Options], str]
_SECTIONS: Dict[str, Tuple[_Section, ...]] = {
    CHECK: (text_check.headline, text_check.verdicts),
    INSPECT: (text_files.checkpoints, text_files.contents),
    VERIFY: (text_files.why, text_files.verified),
    SNAPSHOT: (),
}
"""The sections before the findings, by command."""
_ENDS: Dict[str, Tuple[_Section, ...]] = {
    CHECK: (text_check.conclusion,),
    VERIFY: (text_files.conclusion,),
}
"""The last sections, by command."""


def render(runs: Runs, options: Options) -> str:
    """Returns the results as text; "" if there are none. Several checks end with a table."""
    if runs.single is not None and runs.single.command == LINT:
        return text_lint.render(runs.single, options)
    if runs.single is not None:
        return _joined(_report(runs.single, options))
    blocks = [text_runs.run(run, options, _report) for run in runs.runs]
    own = text_findings.groups(runs.groups, options)
    return _joined([*blocks, own, text_runs.summary(runs, options)])


def _joined(blocks: Iterable[str]) -> str:
    text = "\n\n".join(filter(None, blocks))
    return text + "\n" if text else ""


def _report(report: Report, options: Options, brief: bool = False) -> List[str]:
    always = (text_findings.not_judged, _accepted)
    sections = (
        *_SECTIONS[report.command],
        text_findings.of_report,
        text_check.plan,
        text_check.drift,
        *always,
        *_ENDS.get(report.command, ()),
    )
    return [section(report, options) for section in (always if brief else sections)]


def _accepted(report: Report, options: Options) -> str:
    """Returns how many findings the project accepts."""
    if not report.accepted:
        return ""
    counts = collections.Counter(_BY[item.by] for item in report.accepted)
    by = " and ".join(f"{count} by {what}" for what, count in sorted(counts.items()))
    total = times_text(len(report.accepted), "finding")
    return wrapped(f"accepted: {total} ({by}); --no-ignores shows all", options)


_BY = {"ignore": "ignores", "baseline": "the baseline"}
