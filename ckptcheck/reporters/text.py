"""``--format text``: for people, readable at 80 columns."""

from typing import Callable, Dict, Tuple

from ..results import CHECK, INSPECT, SNAPSHOT, VERIFY, Report
from . import text_check, text_files, text_findings
from .layout import wrapped
from .options import Options

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


def render(report: Report, options: Options) -> str:
    """Returns the report as text; "" if it is empty."""
    sections = (
        *_SECTIONS[report.command],
        text_findings.groups,
        text_check.plan,
        text_check.drift,
        _not_judged,
        *_ENDS.get(report.command, ()),
    )
    blocks = [section(report, options) for section in sections]
    return "".join(block + "\n" for block in ["\n\n".join(filter(None, blocks))] if block)


def _not_judged(report: Report, options: Options) -> str:
    return "\n".join(wrapped(f"not judged: {item}", options) for item in report.not_judged)
