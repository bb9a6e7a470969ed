"""What is said of files: the checkpoints of a directory, what one holds, whether data is whole."""

import shlex
import time
from typing import Dict, Iterator, List, Sequence, Tuple

from tabulate import tabulate

from ..results import (
    CheckpointSummary,
    Contents,
    InputSpec,
    Report,
    VariableRow,
    Verified,
    natural_key,
    shape_text,
)
from ..rules.roles import slots_of
from .layout import folded, painted, table, wrapped
from .options import Options
from .text_findings import group_text
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
    """The checkpoints of a directory, and which of them Estimator loads."""
    now = time.time() if options.now is None else options.now
    count = len(found.checkpoints)
    why = found.why[:1].upper() + found.why[1:] if found.why.startswith("the ") else found.why
    head = "{}: {} checkpoint{}. {}".format(
        found.model_dir, count or "no", "" if count == 1 else "s", why
    )
    rows = [_checkpoint(item, found.model_dir, now) for item in found.checkpoints]
    rest = len(rows) - _MOST_ROWS
    if rest > 1:
        older = [row for row in rows[:rest] if row[0]]
        rows = [["", f"({rest - len(older)} older ones)", "", "", ""], *older, *rows[rest:]]
    if not rows:
        return wrapped(head, options)
    headers = ["", "checkpoint", "step", "written", "on disk"]
    lines = [wrapped(head, options), table(rows, headers, options.width, names=1)]
    if not any(item.loaded for item in found.checkpoints):
        last = shlex.quote(found.checkpoints[-1].prefix)
        lines.append(wrapped(f"to see what is in the last one: ckptcheck inspect {last}", options))
    return "\n".join(lines)


def _checkpoint(item: CheckpointSummary, model_dir: str, now: float) -> List[str]:
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
    """What the inspected checkpoint holds."""
    found = report.contents
    if not found.prefix:
        return ""
    parts = [_headline(found, options), _totals(found.variables)]
    return "\n\n".join([*parts, _variables(found.variables, options)])


def _headline(found: Contents, options: Options) -> str:
    kind = "object-based (tf.train.Checkpoint, Keras)" if found.object_based else "name-based"
    lines = [f"{found.prefix}: {kind}, {times_text(found.shards, 'data file')}"]
    if found.snapshot:
        lines[0] += "; a snapshot, without data"
    if found.graph is not None:
        saved = found.graph.tensorflow or "an unknown version"
        variables = {"v1": "reference variables", "v2": "resource variables"}
        kind = variables.get(found.graph.behavior, "its kind of variables is not known")
        under = "; under a distribution strategy" if found.graph.strategy else ""
        lines.append(f"saved graph: by TensorFlow {saved}; {kind}{under}")
        lines.extend(_inputs(found.graph.inputs))
    return "\n".join(wrapped(line, options) for line in lines)


def _inputs(inputs: Sequence[InputSpec]) -> Iterator[str]:
    shown = [_input(spec) for spec in inputs[:_MOST_INPUTS]]
    if len(inputs) > len(shown):
        shown.append(f"and {len(inputs) - len(shown)} more")
    if shown:
        yield "its features and labels: " + ", ".join(shown)


def _input(spec: InputSpec) -> str:
    kind = f"sparse {spec.dtype}" if spec.sparse else spec.dtype
    return kind if spec.shape is None else f"{kind} {shape_text(spec.shape)}"


def _totals(rows: Sequence[VariableRow]) -> str:
    lines = []
    for role, label in [*_ROLES.items(), ("", "all")]:
        mine = [row for row in rows if role in ("", row.role)]
        if mine:
            lines.append(
                [
                    label,
                    times_text(len(mine), "tensor"),
                    times_text(sum(row.variable.elements or 0 for row in mine), "value"),
                    bytes_text(sum(row.size for row in mine)),
                ]
            )
    return tabulate(lines, tablefmt="plain", disable_numparse=True)


def _variables(rows: Sequence[VariableRow], options: Options) -> str:
    lines = list(_unfolded(rows) if options.show_all else _folded(rows))
    headers = ["variable", "dtype", "shape", "size"]
    if options.show_all or len(lines) <= _MOST_ROWS + 1:
        return table(lines, headers, options.width)
    shown = table(lines[:_MOST_ROWS], headers, options.width)
    return f"{shown}\nand {len(lines) - _MOST_ROWS} more (--all shows all)"


def _unfolded(rows: Sequence[VariableRow]) -> Iterator[List[str]]:
    for row in sorted(rows, key=lambda item: natural_key(item.variable.name)):
        yield _line(row.variable.name, [row])


def _folded(rows: Sequence[VariableRow]) -> Iterator[List[str]]:
    """Variables that are alike in one line, and slots with the variable that they belong to."""
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
    """Which of several checkpoints Estimator loads, and why."""
    return wrapped(f"{report.model_dir}: {report.why}", options) if report.why else ""


def verified(report: Report, options: Options) -> str:
    """The checkpoints whose data was read, each with what is wrong with it."""
    return "\n\n".join(_verified(item, options) for item in report.verified)


def _verified(item: Verified, options: Options) -> str:
    label, color = _state(item)
    read = f"{times_text(item.data.tensors, 'tensor')}, {bytes_text(item.data.size)} read"
    head = f"{item.prefix}: {read}:" if item.prefix else "what Estimator loads:"
    head = wrapped(head, options)
    fits = len(head.rpartition("\n")[2]) + len(f" {label}") <= options.width
    lines = [head + (" " if fits else "\n  ") + painted(label, color, options)]
    lines.extend(group_text(group, options) for group in item.groups)
    return "\n".join(lines)


def _state(item: Verified) -> Tuple[str, str]:
    """What a checkpoint is, and the color of that."""
    if item.ok:
        return "good", "good"
    return ("data good, with findings", "warning") if item.whole else ("NOT GOOD", "error")


def conclusion(found: Report, options: Options) -> str:
    """Of several verified checkpoints, which is the last good one."""
    if not found.verified:
        return wrapped(f"Nothing was verified: {found.model_dir} holds no checkpoint", options)
    if len(found.verified) == 1:
        return ""
    good = [item for item in found.verified if item.whole]
    if not good:
        return wrapped("None of them is good.", options)
    last = good[-1]
    but = "" if last.ok else "; its data is good, and what was found is said above"
    return wrapped(f"The last good one is {last.prefix}{but}.", options)
