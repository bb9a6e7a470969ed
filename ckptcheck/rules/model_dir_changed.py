"""Files of the model_dir changed while the code was traced.

In a trace, ``config.model_dir`` is a directory of copies that is thrown away, so what a model_fn
writes, changes or removes there never reaches the real files. Code that knows the path of the real
model_dir from its params, its flags or a state file can still write there: a summary writer, a
vocabulary, a dump of the params. Such code does the same in every PREDICT and EVAL. ckptcheck
compares names, sizes and times before and after the trace. It repairs and removes nothing.

A training run may write to the same directory meanwhile. If there are signs of one (a checkpoint is
saved, or an event file grows), this rule leaves out the files that training runs write:
checkpoints, the state file, event files, ``graph.pbtxt``, profiles, and the directories ``eval``
and ``export``. The code may have written them itself, so the report says which of them changed.

What to do: write where a session runs (a hook, a host_call), or write below ``config.model_dir``.
"""

import dataclasses
from typing import Iterator, List, Tuple

from ..model_dir import FileChange
from ..results import Finding
from .base import CODE, Facts, Rule
from .examples import facts

_MOST_NAMES = 5
_VERBS = {"written": "appeared", "changed": "changed", "removed": "vanished"}


def check(facts: Facts) -> Iterator[Finding]:
    """Finds files that were written, changed or removed: one finding for each of the three."""
    for kind in _VERBS:
        names = [change.name for change in facts.changes if change.kind == kind]
        if names:
            yield Finding(
                rule=RULE.id,
                severity=RULE.severity,
                message=f"{_listed(names)} {_VERBS[kind]} in {facts.located.model_dir}",
                modes=facts.modes,
                subject=kind,
                detail=tuple(names) if len(names) > _MOST_NAMES else (),
                hint="find out what writes there: the code, or a training run",
                data={"change": kind, "files": names},
            )


def _listed(names: List[str]) -> str:
    rest = len(names) - _MOST_NAMES
    shown = ", ".join(names[:_MOST_NAMES])
    return f"{shown} and {rest} more" if rest > 0 else shown


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    return "files of the model_dir changed while the code was traced"


def _bad() -> Facts:
    change = FileChange("events.out.tfevents.1", "written")
    return dataclasses.replace(facts(), changes=(change,))


RULE = Rule(
    id="model-dir-changed",
    severity="warning",
    summary="Files of the model_dir changed while the code was traced.",
    check=check,
    category=CODE,
    needs=(CODE,),
    title=title,
    good=facts,
    bad=_bad,
)
