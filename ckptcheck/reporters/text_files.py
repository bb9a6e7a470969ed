"""The parts of a text report that ``inspect`` and ``verify`` have."""

import shlex
import time
from typing import Dict, Iterator, List, Sequence, Tuple

from ..results import (
    CheckpointSummary,
    Contents,
    DataRead,
    InputSpec,
    Report,
    VariableRow,
    Verified,
    natural_key,
    shape_text,
)
from ..rules.roles import slots_of
from .layout import columns, first_of, folded, painted, table, wrapped
from .options import Options
from .text_findings import first_hint, group_text
from .words import age_text, bytes_text, times_text

_MOST_ROWS = 24
_MOST_INPUTS = 12
_ROLES = {
    "weight": "weights",
    "optimizer": "optimizer state",
    "global_step": "global step",
    "other": "other",
}


def checkpoints(found: Report, options: Options) -> str:
    """Returns the checkpoints of a directory, and which one Estimator loads."""
    now = time.time() if options.now is None else options.now
    head = wrapped(f"{found.model_dir}: {checkpoints_head(found)}", options)
    rows = [checkpoint_row(item, found.model_dir, now) for item in found.checkpoints]
    rest = len(rows) - _MOST_ROWS
    if rest > 1:
        older = [row for row in rows[:rest] if row[0]]
        rows = [["", f"({rest - len(older)} older ones)", "", "", ""], *older, *rows[rest:]]
    if not rows:
        return head
    lines = [head, table(rows, CHECKPOINT_HEADERS, options.width, names=1)]
    if not any(item.loaded for item in found.checkpoints):
        last = shlex.quote(found.checkpoints[-1].prefix)
        lines.append(
            wrapped(f"to list the variables of the last one: ckptcheck inspect {last}", options)
        )
    return "\n".join(lines)


def checkpoints_head(found: Report) -> str:
    """Returns how many checkpoints a directory has, and which one Estimator loads, and why."""
    why = found.why[:1].upper() + found.why[1:] if found.why.startswith("the ") else found.why
    return f"{times_text(len(found.checkpoints), 'checkpoint')}. {why}"


CHECKPOINT_HEADERS = ("", "checkpoint", "step", "written", "on disk")
"""Of the table of all checkpoints."""


def checkpoint_row(item: CheckpointSummary, model_dir: str, now: float) -> List[str]:
    """Returns the line of a checkpoint in the table of all checkpoints.

    Args:
        item: the checkpoint.
        model_dir: the directory that the names are relative to.
        now: the time that its age is relative to, in seconds since 1970.
    """
    folder, _, name = item.prefix.rpartition("/")
    beside = model_dir.rstrip("/") + "/"
    if folder.startswith(beside):  # in a directory below
        name = item.prefix[len(beside) :]
    return [
        "*" if item.loaded else "",
        name,
        "-" if item.step is None else str(item.step),
        "-" if item.written is None else age_text(now - item.written),
        bytes_text(item.size),
    ]


def contents(report: Report, options: Options) -> str:
    """Returns what the inspected checkpoint holds."""
    found = report.contents
    if not found.prefix:
        return ""
    rows = found.variables
    headline = "\n".join(wrapped(line, options) for line in headlines(found))
    sizes = columns(totals(rows))
    return "\n\n".join([headline, sizes, _variables(rows, options)])


def headlines(found: Contents) -> List[str]:
    """Returns of what kind a checkpoint is, and what its saved graph says."""
    kind = "object-based (tf.train.Checkpoint, Keras)" if found.object_based else "name-based"
    lines = [f"{found.prefix}: {kind}, {times_text(found.shards, 'data file')}"]
    if found.snapshot:
        lines[0] += "; a snapshot, without data"
    if found.graph is not None:
        saved = found.graph.tensorflow or "an unknown version"
        variables = {"v1": "reference variables", "v2": "resource variables"}
        kind = variables.get(found.graph.behavior, "unknown kind of variables")
        under = "; under a distribution strategy" if found.graph.strategy else ""
        lines.append(f"saved graph: written by TensorFlow {saved}; {kind}{under}")
        shown, more = first_of(found.graph.inputs, _MOST_INPUTS)
        if shown:
            rest = [f"and {more} more"] if more else []
            lines.append("its features and labels: " + ", ".join([*map(_input, shown), *rest]))
    return lines


def _input(spec: InputSpec) -> str:
    kind = f"sparse {spec.dtype}" if spec.sparse else spec.dtype
    return kind if spec.shape is None else f"{kind} {shape_text(spec.shape)}"


def totals(rows: Sequence[VariableRow]) -> List[List[str]]:
    """Returns a line for each role, and one for all variables."""
    lines = []
    for role, label in [*_ROLES.items(), ("", "all")]:
        mine = [row for row in rows if role in ("", row.role)]
        if mine:
            tensors = times_text(len(mine), "tensor")
            values = times_text(sum(row.variable.elements or 0 for row in mine), "value")
            lines.append([label, tensors, values, bytes_text(sum(row.size for row in mine))])
    return lines


def _variables(rows: Sequence[VariableRow], options: Options) -> str:
    headers = ["variable", "dtype", "shape", "size"]
    if options.show_all:
        rows = sorted(rows, key=lambda item: natural_key(item.variable.name))
        return table([_line(row.variable.name, [row]) for row in rows], headers, options.width)
    shown, more = first_of(list(_folded(rows)), _MOST_ROWS)
    text = table(shown, headers, options.width)
    return f"{text}\nand {more} more (--all shows all)" if more else text


def _folded(rows: Sequence[VariableRow]) -> Iterator[List[str]]:
    """Yields the lines of variables; each joins similar variables and their slots."""
    by_name = {row.variable.name: row for row in rows}
    slots = {
        name: owner
        for name, owner in slots_of(by_name).items()
        if by_name[name].role == "optimizer"
    }
    kinds: Dict[Tuple[object, ...], List[str]] = {}
    for name in sorted(by_name, key=natural_key):
        if name not in slots:
            row = by_name[name]
            kind = (row.variable.dtype, row.variable.shape, row.role, row.parts)
            kinds.setdefault(kind, []).append(name)
    lines = [line for names in kinds.values() for line in folded(names, slots)]
    for label, names in sorted(lines, key=lambda line: natural_key(line[1][0])):
        yield _line(label, [by_name[name] for name in names])


def _line(label: str, rows: Sequence[VariableRow]) -> List[str]:
    first = rows[0]
    shape = shape_text(first.variable.shape)
    if first.parts > 1:
        shape += f" in {first.parts} parts"
    return [label, first.variable.dtype, shape, bytes_text(sum(row.size for row in rows))]


def why(report: Report, options: Options) -> str:
    """Returns text about which of several checkpoints Estimator loads, and why."""
    return wrapped(f"{report.model_dir}: {report.why}", options) if report.why else ""


def verified(report: Report, options: Options) -> str:
    """Returns text about the checkpoints whose data was read, each with its findings."""
    return "\n\n".join(_verified(item, options) for item in report.verified)


def _verified(item: Verified, options: Options) -> str:
    label, color = state_of(item)
    head = f"{item.prefix}: {data_text(item.data)}:" if item.prefix else "the state file:"
    head = wrapped(head, options)
    fits = len(head.rpartition("\n")[2]) + len(f" {label}") <= options.width
    lines = [head + (" " if fits else "\n  ") + painted(label, color, options)]
    lines.extend(group_text(group, options) for group in item.groups)
    return "\n".join(lines)


def state_of(item: Verified) -> Tuple[str, str]:
    """Returns whether a verified checkpoint is good, and the color of this."""
    if item.ok:
        return "good", "good"
    return ("data good, with findings", "warning") if item.whole else ("NOT GOOD", "error")


def data_text(data: DataRead) -> str:
    """Formats how much data was read: ``5 tensors, 1.2 KiB read``."""
    return f"{times_text(data.tensors, 'tensor')}, {bytes_text(data.size)} read"


def conclusion(found: Report, options: Options) -> str:
    """Returns which of several verified checkpoints is the last good one."""
    return wrapped(last_line(found), options)


def last_line(found: Report) -> str:
    """Returns which of several verified checkpoints is the last good one; "" for a single one."""
    if not found.verified:
        return f"There is no checkpoint to verify. First: {first_hint(found)}"
    if len(found.verified) == 1:
        return ""
    last = next((item for item in reversed(found.verified) if item.whole), None)
    if last is None:
        return "No checkpoint is good."
    if not last.ok:
        return f"The last checkpoint with good data is {last.prefix}, but it has findings."
    return f"The last good checkpoint is {last.prefix}."
