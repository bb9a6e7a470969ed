"""Inspections and verifications as text, readable at 80 columns."""

import shlex
import time
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from tabulate import tabulate

from ..results import (
    CheckpointSummary,
    Group,
    InputSpec,
    Inspection,
    VariableRow,
    Verification,
    Verified,
    natural_key,
    shape_text,
)
from ..rules.roles import slots_of
from ..sanitize import printable
from .layout import folded, painted, table, tagged, wrapped
from .options import Options
from .words import age_text, bytes_text, times_text

_MOST_ROWS = 24
_MOST_FINDINGS = 12
_MOST_INPUTS = 12
_ROLES = {
    "weight": "weights",
    "optimizer": "optimizer state",
    "global_step": "global step",
    "other": "other",
}


def render_inspection(
    found: Inspection, options: Options, show_all: bool = False, now: Optional[float] = None
) -> str:
    """An inspection as text.

    Args:
        found: what to write.
        options: the form.
        show_all: writes a line for each variable instead of folding those that are alike.
        now: the time that ages are reckoned from; by default the present.
    """
    now = time.time() if now is None else now
    blocks = [_checkpoints(found, options, now)]
    if found.prefix:
        blocks.append(_headline(found, options))
        blocks.append(_totals(found.variables))
        blocks.append(_variables(found.variables, options, show_all))
    blocks.extend(_group(item, options) for item in found.groups)
    blocks.append(_not_judged(found.not_judged, options))
    return "\n\n".join(block for block in blocks if block) + "\n"


def render_verification(found: Verification, options: Options) -> str:
    """A verification as text."""
    blocks = [_wrapped(f"{found.model_dir}: {found.why}", options) if found.why else ""]
    blocks.extend(_verified(item, options) for item in found.checkpoints)
    blocks.append(_not_judged(found.not_judged, options))
    blocks.append(_conclusion(found, options))
    return "\n\n".join(block for block in blocks if block) + "\n"


def render_groups(groups: Sequence[Group], not_judged: Sequence[str], options: Options) -> str:
    """What was found, and could not be known, where nothing else is shown."""
    blocks = [*(_group(item, options) for item in groups), _not_judged(not_judged, options)]
    return "".join(block + "\n" for block in blocks if block)


# --- Pieces ----------------------------------------------------------------------------------


def _wrapped(text: str, options: Options, indent: str = "") -> str:
    return wrapped(printable(text, 2000), options, indent)


def _not_judged(items: Sequence[str], options: Options) -> str:
    return "\n".join(_wrapped(f"not judged: {item}", options) for item in items)


def _table(
    rows: Sequence[Sequence[str]], headers: Sequence[str], options: Options, names: int = 0
) -> str:
    safe = [[printable(cell, 2000) for cell in row] for row in rows]
    return table(safe, headers, options.width, names)


def _checkpoints(found: Inspection, options: Options, now: float) -> str:
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
        return _wrapped(head, options)
    headers = ["", "checkpoint", "step", "written", "on disk"]
    lines = [_wrapped(head, options), _table(rows, headers, options, names=1)]
    if not any(item.loaded for item in found.checkpoints):
        last = shlex.quote(found.checkpoints[-1].prefix)
        lines.append(_wrapped(f"to see what is in the last one: ckptcheck inspect {last}", options))
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


def _headline(found: Inspection, options: Options) -> str:
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
    return "\n".join(_wrapped(line, options) for line in lines)


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


def _variables(rows: Sequence[VariableRow], options: Options, show_all: bool) -> str:
    lines = list(_unfolded(rows) if show_all else _folded(rows))
    headers = ["variable", "dtype", "shape", "size"]
    if show_all or len(lines) <= _MOST_ROWS + 1:
        return _table(lines, headers, options)
    shown = _table(lines[:_MOST_ROWS], headers, options)
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


def _group(item: Group, options: Options) -> str:
    first = item.findings[0]
    title = printable(item.title, 2000)
    lines = [tagged(first.severity, first.rule, title, options)]
    for finding in item.findings[:_MOST_FINDINGS]:
        lines.append(_wrapped(finding.message, options, "  "))
    rest = len(item.findings) - _MOST_FINDINGS
    if rest > 0:
        lines.append(f"  and {rest} more")
    if first.hint:
        lines.append(_wrapped("try: " + first.hint, options, "  "))
    return "\n".join(lines)


def _verified(item: Verified, options: Options) -> str:
    label, color = _state(item)
    read = f"{times_text(item.tensors, 'tensor')}, {bytes_text(item.size)} read"
    head = f"{item.prefix}: {read}:" if item.prefix else "what Estimator loads:"
    head = _wrapped(head, options)
    fits = len(head.rpartition("\n")[2]) + len(f" {label}") <= options.width
    lines = [head + (" " if fits else "\n  ") + painted(label, color, options)]
    lines.extend(_group(group, options) for group in item.groups)
    return "\n".join(lines)


def _state(item: Verified) -> Tuple[str, str]:
    """What a checkpoint is, and the colour of that."""
    if item.ok:
        return "good", "good"
    return ("data good, with findings", "warning") if item.whole else ("NOT GOOD", "error")


def _conclusion(found: Verification, options: Options) -> str:
    if not found.checkpoints:
        return _wrapped(f"Nothing was verified: {found.model_dir} holds no checkpoint", options)
    if len(found.checkpoints) == 1:
        return ""
    if not found.last_good:
        return _wrapped("None of them is good.", options)
    (last,) = [item for item in found.checkpoints if item.prefix == found.last_good]
    but = "" if last.ok else "; its data is good, and what was found is said above"
    return _wrapped(f"The last good one is {found.last_good}{but}.", options)
