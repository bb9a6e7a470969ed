"""The whole page: its head, its parts, its style and its script."""

import base64
import hashlib
import pkgutil
from itertools import chain
from typing import Iterator, List, Optional, Tuple
from xml.etree.ElementTree import Element

from ...results import CHECK, INSPECT, LINT, VERIFY, Group, Report
from ...runs import Run, Runs
from .. import text_lint
from ..options import Options
from ..text_runs import broken, counted, totals
from ..words import checkpoint_text, times_text
from . import check, files, findings
from .markup import Child, e, lowered, raw, written


def document(runs: Runs, options: Options) -> str:
    """Returns the results of any command as one page.

    The page needs no other file and no network. Its policy allows its own style and script, and
    nothing else.
    """
    body = _single(runs.single, options) if runs.single else _several(runs, options)
    style, script = _asset("page.css"), _asset("page.js")
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"style-src {_source(style)}; script-src {_source(script)}; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    head = e(
        "head",
        e("meta", charset="utf-8"),
        e("meta", http_equiv="Content-Security-Policy", content=policy),
        e("meta", name="viewport", content="width=device-width, initial-scale=1"),
        e("meta", name="color-scheme", content="light dark"),
        e("title", _title(runs)),
        e("link", rel="icon", href=_ICONS[runs.ok]),
        raw("style", style),
    )
    return written(e("html", head, e("body", body, raw("script", script)), lang="en"))


def _asset(name: str) -> str:
    data = pkgutil.get_data(__package__, name)
    if data is None:
        raise FileNotFoundError(f"{name} is missing beside {__name__}")
    return data.decode("ascii")


def _source(text: str) -> str:
    digest = hashlib.sha256(text.encode("ascii")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Ccircle cx='8' cy='8' r='6' fill='%23{}'/%3E%3C/svg%3E"
)
_ICONS = {True: _ICON.format("2c8a57"), False: _ICON.format("c8372d")}


def _title(runs: Runs) -> str:
    state = "passes" if runs.ok else "fails"
    if runs.single is None:
        return f"ckptcheck: {times_text(len(runs.runs), 'check')}, {state}"
    return f"ckptcheck {runs.single.command}: {_subject(runs.single)}"


def _subject(report: Report) -> str:
    """Returns the checkpoint or the directory that a report is about; of ``lint``, its result."""
    if report.command == LINT:
        return text_lint.last_line(report)
    if report.checkpoint is not None:
        return checkpoint_text(report, report.checkpoint.prefix)
    return report.contents.prefix or report.model_dir


_Part = Tuple[str, str, List[Element]]
"""A part of a report: the end of its id, its title, and its content."""


def _single(report: Report, options: Options) -> Iterator[Element]:
    parts = _parts(report, options, "")
    yield _top([(id_, title) for id_, title, _ in parts])
    yield e("main", _about(report, "h1"), (_section(part, "") for part in parts))


def _top(links: List[Tuple[str, str]]) -> Element:
    nav = e("nav", (e("a", title, href=f"#{id_}") for id_, title in links), aria_label="parts")
    return e("header", e("b", "ckptcheck"), nav, class_="top")


def _about(report: Report, tag: str) -> Element:
    """Returns what a report is about."""
    index = report.checkpoint
    facts = [f"ckptcheck {report.command}"]
    if index is not None:
        facts += [] if index.step is None else [f"step {index.step}"]
        facts.append(times_text(len(index.variables), "variable"))
    elif report.command == CHECK:
        facts.append("no checkpoint read")
    into: Child = (
        [" ", e("small", "into"), " ", e("code", report.target)] if report.target else None
    )
    return e(
        "header",
        e(tag, _subject(report) if report.command == LINT else e("code", _subject(report)), into),
        e("p", ", ".join(facts), class_="quiet"),
        class_="about",
    )


def _section(part: _Part, prefix: str) -> Element:
    id_, title, content = part
    heading = e("h2", title, id=f"{prefix}{id_}-title")
    return e(
        "section", heading, content, id=f"{prefix}{id_}", aria_labelledby=f"{prefix}{id_}-title"
    )


def _parts(report: Report, options: Options, prefix: str) -> List[_Part]:
    """Returns the parts of a report that have something to show."""
    is_check = report.command == CHECK
    found: List[Tuple[str, str, Iterator[Element]]] = []
    if is_check:
        found.append(("verdict", "Verdict", check.verdict(report)))
    if report.command == INSPECT:
        found.append(("checkpoints", "Checkpoints", files.checkpoints(report, options)))
    if report.command == VERIFY:
        found.append(("verified", "Verified data", files.verified(report, prefix)))
    if report.groups:
        joined = findings.by_rule(report.groups) if report.command == LINT else report.groups
        groups = findings.groups(report, joined, prefix)
        found.append(("findings", "Findings", chain([findings.counts(report.groups)], groups)))
    if is_check and (report.checkpoint or (report.trace and report.trace.plans)):
        found.append(("variables", "Variables", check.variables(report, prefix)))
    if report.contents.prefix:
        found.append(("variables", "Contents", files.contents(report, prefix)))
    if report.written.names:
        names = (e("li", e("code", name)) for name in report.written.names)
        found.append(("written", "Written", iter([e("p", report.written.folder), e("ul", names)])))
    if report.not_judged:
        items = e("ul", (e("li", item) for item in report.not_judged), class_="plain")
        found.append(("not-judged", "Not judged", iter([items])))
    if is_check:
        found.append(("how", "How it was checked", check.checked_how(report)))
    if report.accepted:
        count = times_text(len(report.accepted), "finding")
        summary = e("summary", f"{count} that the project accepts")
        folded = e("details", summary, findings.accepted(report.accepted))
        found.append(("accepted", "Accepted", iter([folded])))
    listed = [(id_, title, list(content)) for id_, title, content in found]
    return [part for part in listed if part[2]]


def _several(runs: Runs, options: Options) -> Iterator[Element]:
    links = [("overview", "Overview")]
    if runs.groups:
        links.append(("configuration", "Configuration"))
    links += [(_run_id(place), run.name) for place, run in enumerate(runs.runs)]
    yield _top(links[:12])
    yield e(
        "main",
        e("header", e("h1", totals(runs)), class_="about"),
        e("section", _overview(runs), id="overview", aria_label="overview"),
        _configuration(runs.groups),
        (_run(run, _run_id(place), options) for place, run in enumerate(runs.runs)),
    )


def _run_id(place: int) -> str:
    return f"check-{place + 1}"


def _configuration(groups: Tuple[Group, ...]) -> Optional[Element]:
    if not groups:
        return None
    report = Report("", ok=True, checked=True, model_dir="", groups=groups)
    content = list(findings.groups(report, groups, "configuration-"))
    return _section(("configuration", "Configuration", content), "")


def _overview(runs: Runs) -> Element:
    head = e("tr", (e("th", title, scope="col") for title in ("check", "", "modes", "findings")))
    rows = [_overview_row(run, _run_id(place)) for place, run in enumerate(runs.runs)]
    return e("table", e("thead", head), e("tbody", rows), class_="overview")


def _overview_row(run: Run, id_: str) -> Element:
    state, tone = _state(run)
    said = run.problem or run.skipped
    findings = ""
    if run.report is not None:
        said = broken(run.report)
        findings = counted(run.report.all_groups)
    return e(
        "tr",
        e("th", e("a", run.name, href=f"#{id_}"), scope="row"),
        e("td", e("em", state, class_=tone)),
        e("td", said),
        e("td", findings),
    )


def _state(run: Run) -> Tuple[str, str]:
    """Returns the state of a check, and its color."""
    if run.skipped:
        return "skipped", "warning"
    if run.report is None:
        return "could not run", "error"
    if not run.ok:
        return "FAILS", "error"
    word = "passes (accepted)" if run.report.accepted else "passes"
    return word, "warning" if broken(run.report) or run.report.drift.changes else "good"


def _run(run: Run, id_: str, options: Options) -> Element:
    state, tone = _state(run)
    head = e("summary", e("h2", run.name), e("em", state, class_=tone))
    content: Child = e("p", run.problem or run.skipped)
    if run.report is not None:
        parts = _parts(run.report, options, f"{id_}-")
        content = [_about(run.report, "h2"), (_section(part, f"{id_}-") for part in parts)]
    body = lowered(e("div", content, id=id_))
    return e("details", head, body, class_="run", open=not run.ok)
