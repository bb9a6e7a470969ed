"""Makes the rules about code that failed while it was traced: one rule for each kind of failure."""

import difflib
import re
from typing import Dict, Iterator, List, Tuple

from ..codec import to_json
from ..protocol import FailedTrace, Failure, FailureKind, ModeTrace
from ..results import Finding, Outcome
from ..uses import Location
from .base import Facts, Rule, finding, some_names
from .examples import failed


def failure_rule(
    title: str,
    example: Failure,
    also: Tuple[FailureKind, ...] = (),
    outcome: Outcome = Outcome.UNTRACEABLE,
) -> Rule:
    """Returns a rule that finds failures of one kind.

    Args:
        title: the headline of a group, with ``{}`` for the modes.
        example: a failure of this kind.
        also: other kinds of failure that the rule finds.
        outcome: what the failure does to its modes.
    """

    def find(facts: Facts) -> Iterator[Finding]:
        """Finds failures; modes that fail alike share one finding."""
        alike: Dict[Failure, List[ModeTrace]] = {}
        for trace in facts.traces:
            if trace.failure is not None and trace.failure.kind in (example.kind, *also):
                alike.setdefault(trace.failure, []).append(trace)
        for failure, traces in alike.items():
            yield _finding(facts, failure, traces, outcome)

    return Rule(
        severity="error",
        category="code",
        find=find,
        title=lambda first: title.format(", ".join(first.modes).upper()),
        bad=lambda: failed(example),
    )


def _finding(facts: Facts, failure: Failure, traces: List[ModeTrace], outcome: Outcome) -> Finding:
    modes = tuple(trace.mode for trace in traces)
    last = failure.frames[-1] if failure.frames else None
    return finding(
        f"{failure.type}: {failure.message}" if failure.type else failure.message,
        modes=modes,
        outcomes=dict.fromkeys(modes, outcome),
        subject="{}@{}".format(failure.type or failure.kind.value, "+".join(modes)),
        location=Location(last.file, last.line) if last else None,
        detail=tuple(
            f"{frame.file}:{frame.line} in {frame.function}: {frame.text}"
            for frame in failure.frames
        ),
        hint=_missing_argument(failure)
        or _missing_param(facts, traces[0])
        or _missing_feature(facts, failure)
        or _missing_file(facts, failure)
        or "; ".join(traces[0].notes)
        or _missing_module(failure)
        or _other_modes(facts, failure.kind, modes),
        data=to_json(failure),
    )


def _missing_argument(failure: Failure) -> str:
    """Returns a hint if the input_fn needs an argument that Estimator does not pass, else ""."""
    missing = re.search(r"missing \d+ required (positional|keyword-only) argument", failure.message)
    if failure.kind is not FailureKind.INPUT_FN or failure.frames or not missing:
        return ""
    return (
        "Estimator passes only mode, params and config to an input_fn: write a function that "
        "passes the other arguments, and name that function"
    )


def _missing_file(facts: Facts, failure: Failure) -> str:
    """Returns a hint if the code did not find a file that a snapshot leaves out, else ""."""
    model_dir = facts.located.model_dir
    if failure.type not in ("FileNotFoundError", "NotFoundError"):
        return ""
    if facts.files is None or not facts.files.snapshot or model_dir not in failure.message:
        return ""
    return (
        f"only the checkpoint files of {model_dir} are available: copy the files that the code "
        "reads into the snapshot; if the model_dir is remote, check a local copy of all its files"
    )


def _missing_param(facts: Facts, trace: ModeTrace) -> str:
    """Returns a hint if the code did not find a key in the params, else ""."""
    key = trace.missing_param if isinstance(trace, FailedTrace) else ""
    if not key:
        return ""
    near = difflib.get_close_matches(key, list(facts.params), 1, 0.6)
    rename = f", or rename {near[0]!r} to {key!r}" if near else ""
    return f"add {key!r} to the params{rename}"


def _missing_feature(facts: Facts, failure: Failure) -> str:
    """Returns a hint if the code did not find a key in the features that the user gave, else ""."""
    given = facts.trace.features if facts.trace is not None else None
    source = _GIVEN.get(given.source) if given is not None else None
    if failure.type != "KeyError" or given is None or source is None:
        return ""
    key = failure.message.strip("'\"")
    if not isinstance(given.spec, dict) or key in given.spec:
        return ""
    return f"if {key!r} is a feature, add it to {source}, which has {some_names(list(given.spec))}"


_GIVEN = {"features-file": "the features file", "input-fn": "the result of the input_fn"}
"""What the user gave, by the source of the features."""


def _missing_module(failure: Failure) -> str:
    """Returns a hint if the code imports a module that is not there, else ""."""
    missing = re.search(r"No module named '([\w.]+)'", failure.message)
    if failure.type != "ModuleNotFoundError" or not missing:
        return ""
    return (
        f"install {missing.group(1)} for the Python that has TensorFlow (--python). If it is your "
        "own module, name its directory with --app-dir"
    )


def _other_modes(facts: Facts, kind: FailureKind, modes: Tuple[str, ...]) -> str:
    traced = {trace.mode for trace in facts.traces if trace.failure is None}
    others = [mode for mode in facts.modes if mode in traced and mode not in modes]
    first = _FIRST.get(kind, "fix the error")
    if not others:
        return f"{first}, then check again"
    options = " ".join("--mode " + mode for mode in others)
    return f"{first}, or check only the other modes: {options}"


_RUN_ALONE = "run the module without ckptcheck to see why the process ends"
_FIRST = {
    FailureKind.CRASHED: _RUN_ALONE,
    FailureKind.EXITED: _RUN_ALONE,
    FailureKind.TIMED_OUT: "allow more time (--timeout), or do less in the import and in model_fn",
    FailureKind.OUT_OF_MEMORY: "load data in the input_fn, or set a larger --memory-limit",
    FailureKind.NO_RESULT: "write only into files that the code opened, or make the graph smaller",
}
"""What to do first about failures for which "fix the error" does not help."""
