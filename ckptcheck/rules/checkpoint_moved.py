"""The state file points outside the model_dir, or to a checkpoint that is not there.

A state file with absolute paths goes on pointing to where the checkpoint was written. If that place
still exists, TensorFlow loads from there, not from the directory that it was told. If it does not,
TRAIN and an export raise, and PREDICT and EVAL go on with random weights after one line in the log
(where the whole directory is gone, or a link to nothing stands there, TensorFlow 1 raises in all
modes). ``tf.train.Saver`` writes relative paths with ``save_relative_paths=True``, as Estimator
does.

What to do: write the file ``checkpoint`` in the model_dir anew, with a single line that names a
checkpoint beside it, without a directory. Its other lines list what TRAIN deletes as time goes by.
"""

import dataclasses
import os
from typing import Dict, Iterator, Tuple

from ..model_dir import Located, StateFile, pattern_in
from ..protocol import EXPORT, TRAIN
from ..results import Finding, Outcome
from .base import (
    FAILS_AT_RESTORE,
    FAILS_BEFORE_MODEL_FN,
    FILES,
    SILENTLY_WRONG,
    Facts,
    Rule,
    all_modes,
    state_file_fix,
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
            outcomes=_outcomes(facts),
            subject=located.prefix,
            hint=_hint(located),
        )
    elif located.elsewhere and not (located.doubled_slash and facts.major == 1):
        yield Finding(
            rule=RULE.id,
            severity="warning",
            message=f"the state file names {located.prefix}: TensorFlow loads that one"
            + (f", none of those in {located.model_dir}" if located.candidates else ""),
            modes=facts.modes,
            subject=located.prefix,
            hint=state_file_fix(located),
        )


def what_is_named(located: Located) -> str:
    """What the state file names, where that is no checkpoint."""
    if located.names_file and pattern_in(located.prefix):
        return (
            f"TensorFlow takes {located.prefix} for a pattern, finds files that match, and then "
            "opens one of that very name, which is not there"
        )
    if located.names_file:
        return f"the state file names {located.prefix}, which is there and is no checkpoint"
    if located.link:
        return f"the state file names {located.prefix}, where a link to nothing stands"
    if located.hidden:
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
        return NOT_FOUND
    return (
        "TRAIN raises, and PREDICT and EVAL go on with random weights (TensorFlow 1 raises in all "
        "modes)"
    )


NOT_FOUND = "PREDICT and EVAL go on with random weights, TRAIN raises"


def _outcomes(facts: Facts) -> Dict[str, Outcome]:
    located = facts.located
    if located.names_file and not (facts.major == 1 and _names_folder(located.prefix)):
        return dict(all_modes(facts, FAILS_AT_RESTORE))  # it is found, and is no table of tensors
    if facts.major == 1 and located.link:  # it matches, and cannot be opened
        return dict(all_modes(facts, FAILS_AT_RESTORE))
    raises_always = facts.major == 1 and not located.folder_exists
    return not_found(facts, FAILS_BEFORE_MODEL_FN if raises_always else SILENTLY_WRONG)


def _names_folder(prefix: str) -> bool:
    """Whether a path ends as no file's name does, so that TensorFlow 1 finds nothing there."""
    return os.path.basename(prefix) in ("", os.curdir, os.pardir)


def not_found(facts: Facts, looked_for: Outcome = SILENTLY_WRONG) -> Dict[str, Outcome]:
    """The outcomes where TensorFlow does not find what the state file names.

    Args:
        facts: what is known.
        looked_for: what becomes of PREDICT and EVAL, which look for it before they call model_fn.
    """
    special = {TRAIN: FAILS_AT_RESTORE, EXPORT: FAILS_BEFORE_MODEL_FN}
    return {mode: special.get(mode, looked_for) for mode in facts.modes}


def _hint(located: Located) -> str:
    if located.hidden:
        return _renamed(located)
    if located.link and located.link != located.prefix + ".index":
        return f"fetch {located.link}, to which it leads"
    if located.lacks_index:
        return f"copy {located.prefix}.index from where it was written"
    if located.prefix in located.candidates:  # it is named rightly, and cannot be read
        return f"copy {located.prefix}.index again from where it was written"
    return state_file_fix(located)


def _renamed(located: Located) -> str:
    folder = os.path.dirname(located.prefix)
    while not pattern_in(os.path.basename(folder)):
        folder = os.path.dirname(folder)
    moved = located.state is not None and os.path.isabs(located.state.latest)
    return f"rename the directory {folder}" + (f", and {state_file_fix(located)}" if moved else "")


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
    category=FILES,
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
