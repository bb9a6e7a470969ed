"""``--format text``: for people, readable at 80 columns."""

import dataclasses
import textwrap
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from tabulate import tabulate

from ..protocol import EVAL, EXPORT, PREDICT, TRAIN, Read, VariableSpec
from ..results import (
    FAILS,
    RESTORES,
    SILENT,
    UNTRACEABLE,
    Finding,
    Group,
    Report,
    Verdict,
    natural_key,
    shape_text,
)
from ..rules.roles import slots_of
from ..sanitize import escaped, printable, shortened
from .layout import folded, painted, table, tagged, wrapped
from .options import Options
from .words import bytes_text, times_text

_MOST_ROWS = 12
_LONGEST_TEXT = 2000
_VERDICTS = {
    RESTORES: "restores",
    FAILS: "FAILS",
    SILENT: "SILENTLY WRONG",
    UNTRACEABLE: "untraceable",
}


def render(report: Report, options: Options) -> str:
    """The report as text."""
    return _Writer(_harmless(report), options).text()


def _harmless(value: Any) -> Any:
    """A value with all its texts escaped: names in files and code are not to be trusted."""
    if isinstance(value, str):
        return printable(shortened(escaped(value)), _LONGEST_TEXT)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: _harmless(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return dataclasses.replace(value, **fields)
    if isinstance(value, dict):
        return {_harmless(key): _harmless(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_harmless(item) for item in value)
    return value


class _Writer:
    def __init__(self, report: Report, options: Options) -> None:
        self._report = report
        self._options = options

    def text(self) -> str:
        blocks = [self._headline(), self._verdicts()]
        blocks.extend(self._group(item) for item in self._report.groups)
        if self._options.show_plan:
            blocks.append(self._plan())
        blocks.extend([self._not_judged(), self._last_line()])
        return "\n\n".join(block for block in blocks if block) + "\n"

    def _paint(self, text: str, color: str) -> str:
        return painted(text, color, self._options)

    def _wrap(self, text: str, indent: str = "", hang: str = "  ") -> str:
        return wrapped(text, self._options, indent, hang)

    def _headline(self) -> str:
        report = self._report
        index = report.checkpoint
        if index is None:
            what = f"{report.model_dir}: no checkpoint read"
        else:
            step = "" if index.step is None else f"step {index.step}, "
            what = f"{index.prefix} ({step}{times_text(len(index.variables), 'variable')})"
        lines = [self._wrap(f"{what} into {report.target}")]
        if report.data is not None:
            read = times_text(report.data.tensors, "tensor")
            lines.append(f"  data read: {read}, {bytes_text(report.data.size)}")
        lines.extend(self._wrap(line, "  ") for line in self._how())
        return "\n".join(lines)

    def _how(self) -> Iterator[str]:
        trace = self._report.trace
        if trace is None:
            return
        environment, launch = trace.environment, trace.launch
        kind = {"v1": "reference", "v2": "resource"}[launch.behavior]
        yield (
            f"TensorFlow {environment.tensorflow} ({environment.tf_api} names), Python "
            f"{environment.python}; {kind} variables: {launch.reason}"
        )
        source = {"saved-graph": "the saved graph", "input-fn": "--input-fn"}
        features = trace.features
        if features.spec is None and all(mode.failure for mode in trace.modes):
            return
        text = "features from {}: {}".format(
            source.get(features.source, "--features"), structure_text(features.spec)
        )
        if features.labels is not None:
            text += f"; labels: {structure_text(features.labels)}"
        yield text

    def _verdicts(self) -> str:
        if not self._report.verdicts:
            return ""
        rows = [["  " + v.mode.upper(), self._verdict(v), _reads(v)] for v in self._report.verdicts]
        return tabulate(rows, tablefmt="plain", disable_numparse=True)

    def _verdict(self, verdict: Verdict) -> str:
        text = _VERDICTS[verdict.verdict]
        if verdict.at:
            text += f" at {verdict.at}"
        return self._paint(text, "good" if verdict.verdict == RESTORES else "error")

    def _group(self, item: Group) -> str:
        first = item.findings[0]
        lines = [tagged(first.severity, first.rule, item.title, self._options)]
        effect = _effect(item.findings)
        if effect:
            lines.append(self._wrap(effect, "  "))
        lines.extend(self._body(item.findings))
        lines.extend(
            self._wrap("{}: {}".format("fix" if a.verified else "try", a.text), "  ")
            for a in item.advice
        )
        hint = "" if item.advice else first.hint
        if hint and hint != _first_hint(self._report):  # that one ends the report
            lines.append(self._wrap("try: " + hint, "  "))
        return "\n".join(lines)

    def _body(self, findings: Sequence[Finding]) -> Iterator[str]:
        with_specs = [finding for finding in findings if _has_spec(finding)]
        if with_specs:
            yield textwrap.indent(_spec_table(with_specs, self._options.width - 2), "  ")
            yield from self._messages(with_specs)
        for finding in findings:
            if not _has_spec(finding):
                yield from self._message(finding)

    def _message(self, finding: Finding) -> Iterator[str]:
        place = finding.location
        where = f"{place.file}:{place.line}: " if place else ""
        yield self._wrap(where + finding.message, "  ")
        for line in _few(finding.detail):
            yield self._wrap(line, "    at ", "")

    def _messages(self, findings: Sequence[Finding]) -> Iterator[str]:
        """What the table does not show of the run, each thing once."""
        said = dict.fromkeys(_of_the_run(finding.message) for finding in findings)
        for text in filter(None, said):
            yield self._wrap(text, "  ")

    def _plan(self) -> str:
        trace = self._report.trace
        if trace is None:
            return ""
        index = self._report.checkpoint
        stored = {spec.name: spec for spec in index.variables} if index else {}
        rows = list(_plan_rows(trace.plans, stored))
        headers = ["key", "checkpoint", "model", "sink", "in"]
        legend = "what each mode restores (in P = PREDICT, E = EVAL, T = TRAIN, X = export)\n"
        return legend + table(rows, headers, self._options.width)

    def _not_judged(self) -> str:
        lines = [self._wrap("not judged: " + item) for item in self._report.not_judged]
        return "\n".join(lines)

    def _last_line(self) -> str:
        report = self._report
        if not report.checked:
            text = _first_hint(report) or "nothing was checked"
            return self._paint(self._wrap("Nothing was checked: " + text), "error")
        bad = [v.mode.upper() for v in report.verdicts if v.verdict != RESTORES]
        if not bad:
            modes = ", ".join(v.mode.upper() for v in report.verdicts)
            if report.ok:
                return self._paint(self._wrap(f"{modes} will restore."), "good")
            text = f"{modes} will restore, but the check fails. First: {_first_hint(report)}"
            return self._paint(self._wrap(text), "error")
        text = f"{_summary(report.verdicts)} First: {_first_hint(report)}"
        return self._paint(self._wrap(text), "error")


def _few(lines: Sequence[str]) -> Iterator[str]:
    rest = len(lines) - _MOST_ROWS
    yield from lines[: _MOST_ROWS if rest > 1 else None]
    if rest > 1:
        yield f"and {rest} more"


def _has_spec(finding: Finding) -> bool:
    """Whether a finding compares the checkpoint with the model."""
    return finding.checkpoint is not None or finding.model is not None


def _reads(verdict: Verdict) -> str:
    return times_text(verdict.reads, "tensor") + " read" if verdict.reads else ""


def _effect(findings: Sequence[Finding]) -> str:
    """What a group does to the modes, in one line."""
    words: Dict[str, List[str]] = {}
    for finding in findings:
        for mode, outcome in finding.outcomes.items():
            text = _VERDICTS[outcome.verdict] + (" at " + outcome.at if outcome.at else "")
            if mode.upper() not in words.setdefault(text, []):
                words[text].append(mode.upper())
    return "; ".join("{}: {}".format(", ".join(modes), text) for text, modes in words.items())


def _summary(verdicts: Sequence[Verdict]) -> str:
    """Which modes will not restore, and of which nobody knows."""
    wrong = [v.mode.upper() for v in verdicts if v.verdict not in (RESTORES, UNTRACEABLE)]
    unknown = [v.mode.upper() for v in verdicts if v.verdict == UNTRACEABLE]
    parts = []
    if wrong:
        parts.append("{} will not restore correctly.".format(", ".join(wrong)))
    if unknown:
        parts.append("{} cannot be judged.".format(", ".join(unknown)))
    return " ".join(parts)


def _first_hint(report: Report) -> str:
    """What to do first: the first group's advice, else its hint, else where it is explained."""
    for item in report.groups:
        if item.advice:
            return item.advice[0].text
        for finding in item.findings:
            if finding.hint:
                return finding.hint
        return f"see ckptcheck --explain {item.findings[0].rule}"
    return ""


def _of_the_run(message: str) -> str:
    """What TensorFlow will say of the run, or what has to hold for it to say nothing."""
    for begin in ("the run raises: ", "nothing raises as long as "):
        _, found, rest = message.partition(begin)
        if found:
            return begin + rest
    return ""


def _spec_table(findings: Sequence[Finding], width: int) -> str:
    by_specs: Dict[Tuple[str, str], List[str]] = {}
    for finding in findings:
        specs = (_spec(finding.checkpoint), _spec(finding.model))
        by_specs.setdefault(specs, []).append(finding.variable)
    rows: List[List[str]] = []
    for (stored, declared), names in by_specs.items():
        slots = slots_of(names)
        kept = [name for name in names if name not in slots]
        rows.extend([label, stored, declared] for label, _ in folded(kept, slots))
    headers = ["variable", "checkpoint", "model"]
    rest = len(rows) - _MOST_ROWS
    if rest <= 1:
        return table(rows, headers, width)
    shown = table(rows[:_MOST_ROWS], headers, width)
    return f"{shown}\nand {rest} more (--show-plan shows all)"


def _spec(spec: Optional[VariableSpec]) -> str:
    return "-" if spec is None else f"{spec.dtype} {shape_text(spec.shape)}"


_LETTERS = {PREDICT: "P", EVAL: "E", TRAIN: "T", EXPORT: "X"}


def _plan_rows(plans: Sequence[Any], stored: Dict[str, VariableSpec]) -> Iterator[List[str]]:
    modes: Dict[str, str] = {}
    reads: Dict[str, Read] = {}
    for plan in plans:
        for read in plan.reads:
            reads.setdefault(read.key, read)
            letter = _LETTERS[plan.mode]
            if letter not in modes.setdefault(read.key, ""):
                modes[read.key] += letter
    for key in sorted(set(reads) | set(stored), key=natural_key):
        read_or_none = reads.get(key)
        yield [
            key,
            _spec(stored.get(key)),
            _declared(read_or_none),
            _sink(read_or_none),
            modes.get(key, "-"),
        ]


def _sink(read: Optional[Read]) -> str:
    """Where a read goes, and what TensorFlow verifies of its shape."""
    if read is None:
        return "-"
    return read.sink if read.check == "none" else f"{read.sink}/{read.check}"


def _declared(read: Optional[Read]) -> str:
    if read is None:
        return "-"
    return f"{read.dtype} {shape_text(read.shape)}"


def structure_text(structure: Any) -> str:
    """A structure of features in words: ``x float32 [?, 1], ids int64 [?]``."""
    if structure is None:
        return "none"
    if isinstance(structure, list):
        return "[{}]".format(", ".join(map(structure_text, structure)))
    if isinstance(structure.get("dtype"), str) and "shape" in structure:
        shape = structure["shape"]
        sparse = "sparse " if structure.get("sparse") else ""
        sizes = shape_text(None if shape is None else tuple(shape))
        return "{}{} {}".format(sparse, structure["dtype"], sizes)
    if set(structure) == {"tuple"} and isinstance(structure["tuple"], list):
        return "({})".format(", ".join(map(structure_text, structure["tuple"])))
    items = [f"{k!s} {structure_text(v)}" for k, v in structure.items()]
    return ", ".join(items) if items else "none"
