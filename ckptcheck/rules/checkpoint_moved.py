"""The state file points outside the model_dir, or to a checkpoint that is not there.

A state file with absolute paths goes on pointing to where the checkpoint was written. If that place
still exists, TensorFlow loads from there, not from the directory that it was told. If it does not,
TRAIN and an export raise, and PREDICT and EVAL go on with random weights after one line in the log
(where the whole directory is gone, or the index is a link to nothing, TensorFlow 1 raises in all
modes). Where two slashes stand before the checkpoint's name, TensorFlow 1 does not find it either,
and TensorFlow 2 does. ``tf.train.Saver`` writes
relative paths with ``save_relative_paths=True``, as Estimator does.

What to do: write the file ``checkpoint`` in the model_dir anew, with a single line that names a
checkpoint beside it, without a directory. Its other lines list what TRAIN deletes as time goes by.
"""

import dataclasses
import os
import re
from typing import Dict, Iterator, Tuple

from ..spec import EXPORT, TRAIN, Finding, Located, Outcome, StateFile
from .base import (
    FAILS_AT_RESTORE,
    FAILS_BEFORE_MODEL_FN,
    SILENTLY_WRONG,
    Facts,
    Rule,
    all_modes,
    likely,
    name_alone,
    untraced,
)
from .examples import LOCATED, facts, nothing_to_restore


def check(facts: Facts) -> Iterator[Finding]:
    """Finds a state file that points elsewhere or nowhere."""
    located = facts.located
    if located.explicit or not located.prefix:
        return
    if not located.exists:
        yield Finding(
            rule=RULE.id,
            severity=RULE.severity,
            message=what_is_named(located) + untraced(facts, _effect(located)),
            modes=facts.modes,
            outcomes=_nowhere(facts),
            subject=located.prefix,
            hint=_hint(located),
        )
    elif located.doubled_slash and facts.major_or_any < 2:
        yield _unseen(facts)
    elif located.elsewhere:
        yield Finding(
            rule=RULE.id,
            severity="warning",
            message=(
                f"the state file names {located.prefix}: TensorFlow loads that one, not the one "
                f"in {located.model_dir}"
            ),
            modes=facts.modes,
            subject=located.prefix,
            hint=_hint(located),
        )


def _unseen(facts: Facts) -> Finding:
    """TensorFlow 1 compares the path of each file with the text, and no path has two slashes."""
    named = facts.located.state.latest if facts.located.state else ""
    effect = "PREDICT and EVAL go on with random weights, TRAIN raises"
    return Finding(
        rule=RULE.id,
        severity=RULE.severity if facts.modes else "warning",
        message=f"the state file names {named}: TensorFlow 1 does not find what has // before its "
        f"name{untraced(facts, effect)}",
        modes=facts.modes,
        outcomes=_nowhere(facts),
        subject=facts.located.prefix,
        hint=_hint(facts.located),
    )


def what_is_named(located: Located) -> str:
    """What the state file names, where that is no checkpoint."""
    if located.names_file and any(mark in located.prefix for mark in _MARKS):
        return (
            f"TensorFlow takes {located.prefix} for a pattern, finds files that match, and then "
            "opens one of that very name, which is not there"
        )
    if located.names_file:
        return f"the state file names {located.prefix}, which is there and is no checkpoint"
    if located.link:
        return f"the state file names {located.prefix}, whose index is a link to nothing"
    if _is_pattern(located):
        return (
            f"TensorFlow takes {located.prefix} for a pattern, because of the [, *, ? or \\ in it, "
            "and no file matches"
        )
    if located.lacks_index:
        return (
            f"the state file names {located.prefix}, whose index is not there: data files alone "
            "are no checkpoint"
        )
    return f"the state file names {located.prefix}, which is not there"


def _effect(located: Located) -> str:
    if located.names_file:
        return "restoring raises in every mode"
    if located.folder_exists and not located.link:
        return "PREDICT and EVAL go on with random weights, TRAIN raises"
    return (
        "TRAIN raises, and PREDICT and EVAL go on with random weights (TensorFlow 1 raises in all "
        "modes)"
    )


_MARKS = "[*?\\"


def _is_pattern(located: Located) -> bool:
    """Whether the checkpoint is there, though TensorFlow looks for a pattern."""
    there = [os.path.basename(prefix) for prefix in located.candidates]
    return any(mark in located.prefix for mark in _MARKS) and (
        os.path.basename(located.prefix) in there
    )


def _nowhere(facts: Facts) -> Dict[str, Outcome]:
    if facts.located.names_file:  # it is found, and then it is no table of tensors
        return dict(all_modes(facts, FAILS_AT_RESTORE))
    if facts.major < 2 and facts.located.link:  # it matches, and cannot be opened
        return dict(all_modes(facts, FAILS_AT_RESTORE))
    # All but TRAIN look for the checkpoint before they call model_fn.
    raises_always = facts.major < 2 and not facts.located.folder_exists
    looked_for = FAILS_BEFORE_MODEL_FN if raises_always else SILENTLY_WRONG
    special = {TRAIN: FAILS_AT_RESTORE, EXPORT: FAILS_BEFORE_MODEL_FN}
    return {mode: special.get(mode, looked_for) for mode in facts.modes}


def _hint(located: Located) -> str:
    if _is_pattern(located):
        return f"rename the directory {os.path.dirname(located.prefix)}"
    if located.lacks_index:
        return f"copy {located.prefix}.index from where it was written"
    if located.link:
        return f"fetch {located.link}, to which {located.prefix}.index links"
    names = [os.path.basename(prefix) for prefix in located.candidates]
    wanted = re.sub(r"\.(index|meta|data-\d{5}-of-\d{5})$", "", _NAME.split(located.prefix)[-1])
    if not names:
        return f"copy the checkpoint's files to {located.model_dir}, or train again"
    best = wanted if wanted in names else os.path.basename(likely(located))
    if os.path.join(located.model_dir, best) == located.prefix:  # named rightly, and not readable
        return f"copy {located.prefix}.index again from where it was written"
    return name_alone(located, best)


_NAME = re.compile(r"[/\\]")
"""What stands between a directory and a name; in a state file that was written on Windows, too."""


def title(findings: Tuple[Finding, ...]) -> str:
    """The group's headline."""
    if findings[0].severity == "warning":
        return "the state file points outside the model_dir"
    return "the state file points to a checkpoint that is not there"


RULE = Rule(
    id="checkpoint-moved",
    severity="error",
    summary="The state file points outside the model_dir, or to nothing.",
    check=check,
    title=title,
    good=facts,
    bad=lambda: nothing_to_restore(
        dataclasses.replace(
            LOCATED,
            prefix="/old/model.ckpt-10",
            state=StateFile("/old/model.ckpt-10"),
            exists=False,
            folder_exists=False,
        )
    ),
)
