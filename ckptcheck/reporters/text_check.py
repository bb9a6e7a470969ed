"""What is said of a check alone: the headline, the verdicts, the plan and the last line."""

from typing import Dict, Iterator, List, Optional, Sequence

from tabulate import tabulate

from ..protocol import EVAL, EXPORT, PREDICT, TRAIN, Read
from ..results import RESTORES, UNTRACEABLE, Report, Trace, Verdict, natural_key, shape_text
from .layout import painted, table, wrapped
from .options import Options
from .text_findings import first_hint, verdict_text
from .words import bytes_text, spec_text, structure_text, times_text


def headline(report: Report, options: Options) -> str:
    """What was checked, and how."""
    index = report.checkpoint
    if index is None:
        what = f"{report.model_dir}: no checkpoint read"
    else:
        step = "" if index.step is None else f"step {index.step}, "
        what = f"{index.prefix} ({step}{times_text(len(index.variables), 'variable')})"
    lines = [wrapped(f"{what} into {report.target}", options)]
    if report.data is not None:
        read = times_text(report.data.tensors, "tensor")
        lines.append(f"  data read: {read}, {bytes_text(report.data.size)}")
    if report.trace is not None:
        lines.extend(wrapped(line, options, "  ") for line in _how(report.trace))
    return "\n".join(lines)


def _how(trace: Trace) -> Iterator[str]:
    environment, launch, features = trace.environment, trace.launch, trace.features
    kind = {"v1": "reference", "v2": "resource"}[launch.behavior]
    yield (
        f"TensorFlow {environment.tensorflow} ({environment.tf_api} names), Python "
        f"{environment.python}; {kind} variables: {launch.reason}"
    )
    if features.spec is None and not trace.plans:
        return
    source = {"saved-graph": "the saved graph", "input-fn": "--input-fn"}
    text = "features from {}: {}".format(
        source.get(features.source, "--features"), structure_text(features.spec)
    )
    if features.labels is not None:
        text += f"; labels: {structure_text(features.labels)}"
    yield text


def verdicts(report: Report, options: Options) -> str:
    """A line for each mode."""
    rows = []
    for verdict in report.verdicts:
        color = "good" if verdict.verdict == RESTORES else "error"
        text = painted(verdict_text(verdict.verdict, verdict.at), color, options)
        reads = times_text(verdict.reads, "tensor") + " read" if verdict.reads else ""
        rows.append(["  " + verdict.mode.upper(), text, reads])
    return tabulate(rows, tablefmt="plain", disable_numparse=True)


def conclusion(report: Report, options: Options) -> str:
    """The last line: what will restore, and what to do first."""
    if not report.checked:
        text = f"Nothing was checked: {first_hint(report) or 'nothing was checked'}"
    elif any(verdict.verdict != RESTORES for verdict in report.verdicts):
        text = f"{_summary(report.verdicts)} First: {first_hint(report)}"
    else:
        modes = ", ".join(verdict.mode.upper() for verdict in report.verdicts)
        if report.ok:
            return painted(wrapped(f"{modes} will restore.", options), "good", options)
        text = f"{modes} will restore, but the check fails. First: {first_hint(report)}"
    return painted(wrapped(text, options), "error", options)


def _summary(found: Sequence[Verdict]) -> str:
    """Which modes will not restore, and of which nobody knows."""
    wrong = [v.mode.upper() for v in found if v.verdict not in (RESTORES, UNTRACEABLE)]
    unknown = [v.mode.upper() for v in found if v.verdict == UNTRACEABLE]
    parts = []
    if wrong:
        parts.append("{} will not restore correctly.".format(", ".join(wrong)))
    if unknown:
        parts.append("{} cannot be judged.".format(", ".join(unknown)))
    return " ".join(parts)


_LETTERS = {PREDICT: "P", EVAL: "E", TRAIN: "T", EXPORT: "X"}


def plan(report: Report, options: Options) -> str:
    """With ``--show-plan``: what each mode restores."""
    if not options.show_plan or report.trace is None:
        return ""
    rows = list(_plan_rows(report, report.trace))
    headers = ["key", "checkpoint", "model", "sink", "in"]
    legend = "what each mode restores (in P = PREDICT, E = EVAL, T = TRAIN, X = export)\n"
    return legend + table(rows, headers, options.width)


def _plan_rows(report: Report, trace: Trace) -> Iterator[List[str]]:
    index = report.checkpoint
    stored = {spec.name: spec for spec in index.variables} if index else {}
    modes: Dict[str, Dict[str, None]] = {}
    reads: Dict[str, Read] = {}
    for mine in trace.plans:
        for read in mine.reads:
            reads.setdefault(read.key, read)
            modes.setdefault(read.key, {})[_LETTERS[mine.mode]] = None
    for key in sorted(set(reads) | set(stored), key=natural_key):
        found = reads.get(key)
        declared = "-" if found is None else f"{found.dtype} {shape_text(found.shape)}"
        letters = "".join(modes.get(key, {"-": None}))
        yield [key, spec_text(stored.get(key)), declared, _sink(found), letters]


def _sink(read: Optional[Read]) -> str:
    """Where a read goes, and what TensorFlow verifies of its shape."""
    if read is None:
        return "-"
    return read.sink if read.check == "none" else f"{read.sink}/{read.check}"
