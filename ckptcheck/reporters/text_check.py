"""The parts of a text report that only a check has: headline, verdicts, plan, conclusion."""

from typing import Dict, Iterator, List

from tabulate import tabulate

from ..changes import CHANGED, UNKNOWN, Change
from ..protocol import EVAL, EXPORT, PREDICT, TRAIN, Read
from ..results import (
    RESTORES,
    UNTRACEABLE,
    RecordUse,
    Report,
    Trace,
    limit_text,
    natural_key,
    shape_text,
)
from .layout import painted, table, wrapped
from .options import Options
from .text_findings import first_hint, verdict_text
from .words import bytes_text, spec_text, structure_text, times_text


def headline(report: Report, options: Options) -> str:
    """Returns what was checked, and how."""
    index = report.checkpoint
    if index is None:
        what = f"{report.model_dir} (no checkpoint read)"
    else:
        step = "" if index.step is None else f"step {index.step}, "
        what = f"{index.prefix} ({step}{times_text(len(index.variables), 'variable')})"
    lines = [wrapped(f"{what} into {report.target}", options)]
    if report.data is not None:
        read = times_text(report.data.tensors, "tensor")
        lines.append(f"  data read: {read}, {bytes_text(report.data.size)}")
    if report.record is not None:
        lines.append(wrapped(_record_text(report.record), options, "  "))
    if report.trace is not None:
        lines.extend(wrapped(line, options, "  ") for line in _how(report.trace))
    return "\n".join(lines)


def _record_text(use: RecordUse) -> str:
    writer = "the training process" if use.writer == "training" else "ckptcheck record"
    names = {"target": "TARGET", "params": "PARAMS", "flags": "the flags"}
    *most, last = [names[item] for item in use.used] or [""]
    taken = " and ".join(filter(None, (", ".join(most), last)))
    return f"record (written by {writer}): {use.file}" + (f"; {taken} from it" if taken else "")


def _how(trace: Trace) -> Iterator[str]:
    environment, launch, features = trace.environment, trace.launch, trace.features
    kind = {"v1": "reference", "v2": "resource"}[launch.behavior]
    yield (
        f"TensorFlow {environment.tensorflow} ({environment.tf_api} API), Python "
        f"{environment.python}; {kind} variables: {launch.reason}"
    )
    if features.spec is None and not trace.plans:
        return
    sources = {
        "saved-graph": "the saved graph",
        "input-fn": "--input-fn",
        "record": "the record",
    }
    source = sources.get(features.source, "--features")
    labels = "" if features.labels is None else f"; labels: {structure_text(features.labels)}"
    yield f"features from {source}: {structure_text(features.spec)}{labels}"


def verdicts(report: Report, options: Options) -> str:
    """Returns a line for each mode."""
    rows = []
    for verdict in report.verdicts:
        color = "good" if verdict.verdict == RESTORES else "error"
        text = verdict_text(verdict.verdict, verdict.at)
        if verdict.mode in _drifted(report, CHANGED):
            text, color = f"{text}, computes something else", "warning"
        text = painted(text, color, options)
        reads = times_text(verdict.reads, "tensor") + " read" if verdict.reads else ""
        rows.append(["  " + verdict.mode.upper(), text, reads])
    return "\n".join(
        [tabulate(rows, tablefmt="plain", disable_numparse=True), *_limits(report, options)]
    )


def _limits(report: Report, options: Options) -> Iterator[str]:
    """Yields the data with which modes raise, each with its modes."""
    modes: Dict[str, List[str]] = {}
    for verdict in report.verdicts:
        for limit in verdict.data_limits:
            modes.setdefault(limit_text(limit), []).append(verdict.mode.upper())
    for text, mine in modes.items():
        fail = "fails" if len(mine) == 1 else "fail"
        yield wrapped(f"{', '.join(mine)} {fail} where {text}", options, "  ")


def conclusion(report: Report, options: Options) -> str:
    """Returns the last line: what will restore, and what to do first."""
    if not report.checked:
        text = f"Nothing was checked: {first_hint(report)}"
    elif any(verdict.verdict != RESTORES for verdict in report.verdicts):
        found = report.verdicts
        wrong = [v.mode.upper() for v in found if v.verdict not in (RESTORES, UNTRACEABLE)]
        unknown = [v.mode.upper() for v in found if v.verdict == UNTRACEABLE]
        text = f"{', '.join(wrong)} will not restore correctly. " if wrong else ""
        text += f"{', '.join(unknown)} cannot be judged. " if unknown else ""
        text += f"First: {first_hint(report)}"
    else:
        modes = ", ".join(verdict.mode.upper() for verdict in report.verdicts)
        if report.ok:
            text = " ".join([f"{modes} will restore.", *_compared(report)])
            color = "warning" if report.drift.changes else "good"
            return painted(wrapped(text, options), color, options)
        text = f"{modes} will restore, but the check fails. First: {first_hint(report)}"
    return painted(wrapped(text, options), "error", options)


def _drifted(report: Report, state: str) -> List[str]:
    """Returns the modes that restore and whose computation is in a state."""
    restoring = [item.mode for item in report.verdicts if item.verdict == RESTORES]
    return [mode for mode in restoring if report.drift.states.get(mode) == state]


def _compared(report: Report) -> Iterator[str]:
    """Yields which modes compute something else, and which could not be compared."""
    for state, one, many in _COMPARED:
        modes = [mode.upper() for mode in _drifted(report, state)]
        if modes:
            yield (one if len(modes) == 1 else many).format(", ".join(modes))


_COMPARED = (
    (
        CHANGED,
        "{} computes something else than when the checkpoint was saved.",
        "{} compute something else than when the checkpoint was saved.",
    ),
    (
        UNKNOWN,
        "It is unknown whether {} computes the same as when the checkpoint was saved.",
        "It is unknown whether {} compute the same as when the checkpoint was saved.",
    ),
)


def drift(report: Report, options: Options) -> str:
    """Returns the nodes that differ from those of the saved graph, with ``--show-drift``."""
    if not options.show_drift or not report.drift.changes:
        return ""
    rows = [row for change in report.drift.changes for row in _nodes(change)]
    legend = "The nodes that differ from the saved graph (- saved, + now)\n"
    return legend + table(rows, ["node", "", "change"], options.width)


def _nodes(change: Change) -> Iterator[List[str]]:
    for sign, names in (("-", change.old), ("+", change.new)):
        for name in names:
            yield [name, sign, change.text]


_LETTERS = {PREDICT: "P", EVAL: "E", TRAIN: "T", EXPORT: "X"}


def plan(report: Report, options: Options) -> str:
    """Returns what each mode restores, if ``--show-plan`` is given."""
    if not options.show_plan or report.trace is None:
        return ""
    rows = list(_plan_rows(report, report.trace))
    headers = ["key", "checkpoint", "model", "sink", "in"]
    legend = "What each mode restores (P = PREDICT, E = EVAL, T = TRAIN, X = export)\n"
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
        row = [key, spec_text(stored.get(key)), "-", "-", "-"]
        if key in reads:
            read = reads[key]
            sink = read.sink if read.check == "none" else f"{read.sink}/{read.check}"
            row[2:] = [f"{read.dtype} {shape_text(read.shape)}", sink, "".join(modes[key])]
        yield row
