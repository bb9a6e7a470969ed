"""Files in the model_dir changed while the code was traced.

In a trace, ``config.model_dir`` is a temporary copy: the real files stay as they are, whatever a
model_fn writes, changes or removes there. Code that takes the path of the real model_dir from its
params, its flags, or a state file can still write there: a summary writer, a vocabulary, a dump of
the params. It does the same in every PREDICT and EVAL. ckptcheck compares names, sizes and
modification times before and after the trace; it does not restore or remove anything.

A training run may write to the same directory at the same time. If there are signs of one (a
checkpoint is saved, or an existing event file grows), this rule ignores the files that training
runs write: checkpoints, the state file, event files, ``graph.pbtxt``, profiles, ``eval`` and
``export`` directories. Since the code may have written such files itself, the report lists the ones
that changed.

What to do: write where a session runs (a hook, a host_call), or write below ``config.model_dir``,
which is a copy during a check.
"""

from typing import Iterator, List

from ..model_dir import ChangeKind, FileChange
from ..results import Finding
from .base import CODE, Facts, Rule
from .examples import facts

_MOST_NAMES = 5
_VERBS = {
    ChangeKind.WRITTEN: "appeared",
    ChangeKind.CHANGED: "changed",
    ChangeKind.REMOVED: "vanished",
}


def check(facts: Facts) -> Iterator[Finding]:
    """Finds files that were written, changed or removed: one finding for each kind of change."""
    for kind, verb in _VERBS.items():
        names = [change.name for change in facts.changes if change.kind == kind]
        if names:
            yield RULE.finding(
                facts,
                f"{_listed(names)} {verb} in {facts.located.model_dir}",
                subject=kind,
                detail=tuple(names) if len(names) > _MOST_NAMES else (),
                hint="find out what writes there: the code, or a training run at the same time",
                data={"files": names, "change": kind.value},
            )


def _listed(names: List[str]) -> str:
    rest = len(names) - _MOST_NAMES
    shown = ", ".join(names[:_MOST_NAMES])
    return f"{shown} and {rest} more" if rest > 0 else shown


RULE = Rule(
    id="model-dir-changed",
    severity="warning",
    summary="Files in the model_dir changed while the code was traced.",
    check=check,
    category=CODE,
    needs=(CODE,),
    title="files in the model_dir changed while the code was traced",
    bad=lambda: facts(changes=(FileChange("events.out.tfevents.1", ChangeKind.WRITTEN),)),
)
