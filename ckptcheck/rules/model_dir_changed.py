"""Files in the model_dir changed while the code was traced.

In a trace, ``config.model_dir`` is a temporary copy, so the real files stay as they are if the
model_fn writes there. But code can also get the path of the real model_dir from its params, its
flags or a state file, and write there: a summary writer, a vocabulary, a dump of the params. Such
code also writes there in every PREDICT and EVAL. ckptcheck compares names, sizes and modification
times before and after the trace. It does not restore or remove anything.

A training run may write to the same directory at the same time. If a training run seems to be
active (it saves a checkpoint, or an existing event file grows), this rule ignores the files that
training runs write: checkpoints, the state file, event files, ``graph.pbtxt``, profiles, ``eval``
and ``export`` directories. If such files changed, the report lists them under ``not judged``,
because the code may have written them.

What to do: write files only where a session runs (in a hook or a host_call), or below
``config.model_dir``, which is a copy during a check.
"""

from typing import Iterator

from ..model_dir import ChangeKind, FileChange
from ..results import Finding
from .base import Facts, Rule, finding
from .examples import facts

_MOST_NAMES = 5
_VERBS = {
    ChangeKind.WRITTEN: "appeared",
    ChangeKind.CHANGED: "changed",
    ChangeKind.REMOVED: "disappeared",
}


def find(facts: Facts) -> Iterator[Finding]:
    """Finds files that were written, changed or removed: one finding for each kind of change."""
    for kind, verb in _VERBS.items() if facts.trace else ():
        names = [change.name for change in facts.changes if change.kind == kind]
        if names:
            rest = len(names) - _MOST_NAMES
            shown = ", ".join(names[:_MOST_NAMES]) + (f" and {rest} more" if rest > 0 else "")
            yield finding(
                f"{shown} {verb} in {facts.located.model_dir}",
                subject=kind,
                detail=tuple(names) if rest > 0 else (),
                hint="find out what wrote there: the code, or a training run at the same time",
                data={"files": names, "change": kind.value},
            )


RULE = Rule(
    severity="warning",
    category="code",
    find=find,
    title="files in the model_dir changed while ckptcheck traced the code",
    bad=lambda: facts(changes=(FileChange("events.out.tfevents.1", ChangeKind.WRITTEN),)),
)
