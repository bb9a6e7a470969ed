"""Reports for the tests of the page, made without TensorFlow."""

import dataclasses
from typing import Iterator, List, Sequence, Tuple

from ckptcheck.changes import CHANGED, Change, Drift
from ckptcheck.groups import group
from ckptcheck.protocol import (
    MODES,
    CheckpointIndex,
    Environment,
    FinishedTrace,
    Read,
    ReadCheck,
    ReadSink,
    RestorePlan,
    VariableSpec,
)
from ckptcheck.results import (
    Accepted,
    Advice,
    Broken,
    Features,
    Finding,
    Group,
    Launch,
    Outcome,
    RecordUse,
    Report,
    Trace,
)
from ckptcheck.runs import Run, Runs
from ckptcheck.uses import Location

LAYER = (
    "attention/self/query",
    "attention/self/key",
    "attention/self/value",
    "attention/output/dense",
    "attention/output/LayerNorm",
    "intermediate/dense",
    "output/dense",
    "output/LayerNorm",
)
SLOTS = ("", "/Adam", "/Adam_1")


def names() -> Iterator[str]:
    """Yields the variables of an endless transformer, each with its slots."""
    layer = 0
    while True:
        for part in LAYER:
            for last in ("kernel", "bias"):
                for slot in SLOTS:
                    yield f"encoder/layer_{layer}/{part}/{last}{slot}"
        layer += 1


def transformer(count: int, problems: int) -> Report:
    """A check of a model with many variables, some of which have another shape."""
    stored = [
        VariableSpec(name, (768, 768) if "kernel" in name else (768,), "float32")
        for _, name in zip(range(count), names())
    ]
    every = max(1, count // problems)
    model = [
        dataclasses.replace(spec, shape=tuple(512 for _ in spec.shape or ()))
        if place % every == 0
        else spec
        for place, spec in enumerate(stored)
    ]
    plans = [RestorePlan(mode, tuple(reads(model, mode != "predict"))) for mode in MODES]
    outcomes = dict.fromkeys(MODES, Outcome.SILENTLY_WRONG)
    wrong = [
        Finding(
            "shape-mismatch",
            "error",
            "the shapes differ",
            MODES,
            outcomes,
            "restore",
            spec.name,
            there,
            spec,
        )
        for there, spec in zip(stored, model)
        if there != spec
    ]
    return check(stored, plans, group(wrong))


def reads(model: Sequence[VariableSpec], slots: bool) -> Iterator[Read]:
    """What a mode reads: the weights, and maybe the slots."""
    for spec in model:
        role = "slot" if "Adam" in spec.name else "weight"
        if slots or role == "weight":
            yield Read(
                spec.name,
                spec.name,
                spec.shape,
                spec.dtype,
                "",
                ReadSink.ASSIGN,
                ReadCheck.NONE,
                role,
            )


def check(
    stored: Sequence[VariableSpec], plans: Sequence[RestorePlan], groups: Tuple[Group, ...]
) -> Report:
    """The report of a check whose modes are silently wrong."""
    trace = Trace(
        tuple(FinishedTrace(plan.mode, plan) for plan in plans),
        Environment("2.15.1", "3.11.7", "v1"),
        Launch("v2", "the default of TensorFlow 2.15.1"),
        Features("saved-graph", {"x": {"dtype": "float32", "shape": [None, 1]}}),
    )
    return Report(
        "check",
        ok=not groups,
        checked=True,
        model_dir="runs/base",
        groups=groups,
        target="net:model_fn",
        checkpoint=CheckpointIndex(
            "runs/base/model.ckpt-10", 10, tuple(sorted(stored, key=lambda spec: spec.name))
        ),
        trace=trace,
        verdicts=tuple(
            Broken(plan.mode, Outcome.SILENTLY_WRONG, len(plan.reads)) for plan in plans
        ),
    )


def full(name: str) -> Report:
    """Returns a report with an untrusted name in each field that can have one."""
    stored = VariableSpec(name, (2, 3), "float32")
    model = VariableSpec(name, (2, 4), "float32")
    place = Location(name, 8)
    outcomes = dict.fromkeys(MODES, Outcome.SILENTLY_WRONG)
    wrong = Finding(
        "shape-mismatch",
        "error",
        f"{name} differs",
        MODES,
        outcomes,
        "restore",
        name,
        stored,
        model,
        place,
        hint=name,
    )
    change = Change(
        "op-changed",
        f"activation after {name}",
        {"op": name},
        {"value": [name]},
        MODES,
        (name,),
        (name,),
        place,
    )
    drifted = Finding(
        "op-changed",
        "warning",
        name,
        MODES,
        category="drift",
        subject=change.text,
        location=place,
        data={"what": change.text, "then": change.then, "now": change.now},
    )
    raised = Finding("model-fn-raised", "error", name, ("train",), detail=(name,), location=place)
    advice = Advice("params", f"set {name}", {"key": name}, True)
    plan = RestorePlan("train", tuple(reads([model], True)))
    report = check(
        [stored],
        [plan],
        (
            Group(f"{name} has another shape", (wrong,), (advice,)),
            Group(f"activation after {name}", (drifted,)),
            Group(name, (raised,)),
        ),
    )
    return dataclasses.replace(
        report,
        model_dir=name,
        target=name,
        not_judged=(name,),
        drift=Drift((change,), {"train": CHANGED}),
        record=RecordUse(name, "training", ("params",)),
        accepted=(Accepted(wrong, "ignore", name), Accepted(raised, "baseline")),
    )


def several(name: str = "base") -> Runs:
    """The results of four checks: one fails, one passes, one is skipped, one could not run."""
    bad = transformer(48, 6)
    good = dataclasses.replace(
        bad, ok=True, groups=(), accepted=(Accepted(bad.findings[0], "baseline"),)
    )
    own: List[Finding] = [Finding("unused-variable", "warning", f"the ignore of {name} is unused")]
    return Runs(
        (
            Run(name, bad),
            Run("passes", good),
            Run("skipped", None, skipped=f"{name} does not exist"),
            Run("crashed", None, problem="the tracer crashed"),
        ),
        (Group("1 ignore matches nothing", tuple(own)),),
        ok=False,
    )
