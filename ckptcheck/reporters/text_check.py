"""The parts of a text report that only a check has: headline, verdicts, plan, conclusion."""

from typing import Dict, Iterator, List, Tuple

from ..changes import CHANGED, UNKNOWN, Change
from ..data_limits import limit_text
from ..protocol import EVAL, EXPORT, PREDICT, TRAIN, ReadCheck, ReadSink
from ..results import (
    RESTORES,
    UNTRACEABLE,
    RecordUse,
    Report,
    Trace,
    Verdict,
)
from .layout import columns, painted, table, wrapped
from .options import Options
from .pairs import Pair, pairs
from .text_findings import first_hint, verdict_text
from .words import bytes_text, checkpoint_text, spec_text, structure_text, times_text


def headline(report: Report, options: Options) -> str:
    """Returns what was checked, and how."""
    index = report.checkpoint
    if index is None:
        what = f"{report.model_dir} (no checkpoint read)"
    else:
        step = "" if index.step is None else f"step {index.step}, "
        name = checkpoint_text(report, index.prefix)
        what = f"{name} ({step}{times_text(len(index.variables), 'variable')})"
    lines = [wrapped(f"{what} into {report.target}", options)]
    if report.data is not None:
        read = times_text(report.data.tensors, "tensor")
        lines.append(f"  data read: {read}, {bytes_text(report.data.size)}")
    if report.record is not None:
        lines.append(wrapped(record_text(report.record), options, "  "))
    if report.trace is not None:
        lines.extend(wrapped(line, options, "  ") for line in how(report.trace))
    return "\n".join(lines)


def record_text(use: RecordUse) -> str:
    """Returns who wrote a record, and what the check took from it."""
    writer = "the training process" if use.writer == "training" else "ckptcheck record"
    names = {"target": "TARGET", "params": "PARAMS", "flags": "the flags"}
    *most, last = [names[item] for item in use.used] or [""]
    taken = " and ".join(filter(None, (", ".join(most), last)))
    return f"record (written by {writer}): {use.file}" + (f"; {taken} from it" if taken else "")


def how(trace: Trace) -> Iterator[str]:
    """Yields how the code was traced: the versions, the variables, and the features."""
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
        text, color = said_of_mode(report, verdict)
        text = painted(text, color, options)
        reads = times_text(verdict.reads, "tensor") + " to restore" if verdict.reads else ""
        rows.append(["  " + verdict.mode.upper(), text, reads])
    lines = [wrapped(text, options, "  ") for text in limits(report)]
    return "\n".join([columns(rows), *lines])


def said_of_mode(report: Report, verdict: Verdict) -> Tuple[str, str]:
    """Returns the verdict of a mode as text, and its color."""
    text = verdict_text(verdict.verdict, verdict.at)
    if verdict.mode in _drifted(report, CHANGED):
        return f"{text}, computes something else", "warning"
    return text, "good" if verdict.verdict == RESTORES else "error"


def limits(report: Report) -> Iterator[str]:
    """Yields a sentence for each limit of the data: which modes fail beyond it."""
    modes: Dict[str, List[str]] = {}
    for verdict in report.verdicts:
        for limit in verdict.data_limits:
            modes.setdefault(limit_text(limit), []).append(verdict.mode.upper())
    for text, mine in modes.items():
        fail = "fails" if len(mine) == 1 else "fail"
        yield f"{', '.join(mine)} {fail} if {text}"


def conclusion(report: Report, options: Options) -> str:
    """Returns the last line: what will restore, and what to do first."""
    text, color = last_line(report)
    return painted(wrapped(text, options), color, options)


def last_line(report: Report) -> Tuple[str, str]:
    """Returns what will restore, and what to do first; and its color."""
    if not report.checked:
        text = f"There is no checkpoint to check. First: {first_hint(report)}"
    elif any(verdict.verdict != RESTORES for verdict in report.verdicts):
        found = report.verdicts
        wrong = [v.mode.upper() for v in found if v.verdict not in (RESTORES, UNTRACEABLE)]
        unknown = [v.mode.upper() for v in found if v.verdict == UNTRACEABLE]
        text = f"{', '.join(wrong)} will not restore correctly. " if wrong else ""
        text += f"{', '.join(unknown)} cannot be traced. " if unknown else ""
        accepted = "The project accepts this."
        text += accepted if report.ok else f"First: {first_hint(report)}"
        return text, "warning" if report.ok else "error"
    else:
        modes = ", ".join(verdict.mode.upper() for verdict in report.verdicts)
        if report.ok:
            text = " ".join([f"{modes} will restore.", *_compared(report)])
            return text, "warning" if report.drift.changes else "good"
        text = f"{modes} will restore, but the check fails. First: {first_hint(report)}"
    return text, "error"


def _drifted(report: Report, state: str) -> List[str]:
    """Returns the modes that restore and whose computation is in a state."""
    restoring = [item.mode for item in report.verdicts if item.verdict == RESTORES]
    return [mode for mode in restoring if report.drift.states.get(mode) == state]


def _compared(report: Report) -> Iterator[str]:
    """Yields which modes compute something else, and which could not be compared."""
    for state, one, many in _COMPARED:
        modes = [mode.upper() for mode in _drifted(report, state)]
        when = f"at {report.against}" if report.against else "when the checkpoint was saved"
        if modes:
            yield (one if len(modes) == 1 else many).format(", ".join(modes), when)


_COMPARED = (
    (CHANGED, "{} computes something else than {}.", "{} compute something else than {}."),
    (
        UNKNOWN,
        "It is unknown whether {} computes the same as {}.",
        "It is unknown whether {} compute the same as {}.",
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


LETTERS = {PREDICT: "P", EVAL: "E", TRAIN: "T", EXPORT: "X"}
"""Stand for the modes in a table."""


def plan(report: Report, options: Options) -> str:
    """Returns what each mode restores, if ``--show-plan`` is given."""
    if not options.show_plan or report.trace is None:
        return ""
    rows = [_plan_row(pair) for pair in pairs(report)]
    headers = ["key", "checkpoint", "model", "into", "in"]
    legend = (
        "What each mode restores (P = PREDICT, E = EVAL, T = TRAIN, X = export)\n"
        "into: what receives the tensor, and after a slash what TensorFlow verifies\n"
    )
    return legend + table(rows, headers, options.width)


_SINKS = {
    ReadSink.ASSIGN: "variable",
    ReadSink.TABLE: "table",
    ReadSink.ITERATOR: "iterator",
    ReadSink.OPAQUE: "other op",
}
_VERIFIED = {
    ReadCheck.SLICE: "shape",
    ReadCheck.ASSIGN: "shape",
    ReadCheck.RESHAPE: "size",
    ReadCheck.TABLE: "shape",
    ReadCheck.INITIALIZED: "initialized",
    ReadCheck.NONE: "",
}


def _plan_row(pair: Pair) -> List[str]:
    read = pair.read
    if read is None:
        return [pair.key, spec_text(pair.stored), "-", "-", "-"]
    into = "/".join(filter(None, (_SINKS[read.sink], _VERIFIED[read.check])))
    letters = "".join(LETTERS[mode] for mode in pair.modes)
    return [pair.key, spec_text(pair.stored), spec_text(pair.declared), into, letters]
