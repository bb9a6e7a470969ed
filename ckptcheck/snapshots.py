"""Small copies of a model_dir without its data."""

from typing import NamedTuple, Tuple

from .checkpoint.addresses import is_remote, local_path, without_secrets
from .checkpoint.examine import examine
from .checkpoint.locate import locate
from .checkpoint.remote import AtHand, at_hand
from .checkpoint.snapshot import add_said, snapshot_of, written_snapshot
from .errors import UsageError
from .file_facts import file_facts
from .groups import group
from .rules import run_rules
from .rules.base import some_names
from .spec import Finding, Group, Located


class Snapshot(NamedTuple):
    """A small copy of a model_dir.

    Attributes:
        folder: where it is.
        names: the files in it.
        groups: what was found of the model_dir.
        not_judged: what could not be known of it.
    """

    folder: str
    names: Tuple[str, ...]
    groups: Tuple[Group, ...]
    not_judged: Tuple[str, ...]


def snapshot(model_dir: str, out: str) -> Snapshot:
    """Writes a small copy of a model_dir without its data, which serves as MODEL_DIR in checks.

    Raises:
        UsageError: there is no checkpoint that can be copied, or ``out`` is there already.
    """
    if is_remote(out):
        where = without_secrets(out)
        raise UsageError(f"OUT {where} is remote; expected a local directory, to be copied there")
    with at_hand(model_dir) as place:
        return _snapshot(place, local_path(out))


def _snapshot(place: AtHand, out: str) -> Snapshot:
    model_dir = place.path
    located = locate(model_dir)
    if not located.exists:
        raise UsageError(
            f"Estimator loads no checkpoint from {model_dir}, so that there is nothing to make a "
            f"snapshot of: {_instead(located)}"
        )
    examined = examine(located.prefix)
    if examined.bundle is None:
        raise UsageError(f"no snapshot can be made: {examined.problem}")
    contents = snapshot_of(examined.bundle)
    findings = place.shown(tuple(run_rules(file_facts(located, examined))))
    unread = place.shown(place.unread)
    with written_snapshot(contents, out):
        lost = (*_lost(findings, out), *(f"this could not be known: {item}" for item in unread))
        if lost:
            add_said(out, lost)
    return Snapshot(out, tuple(contents), group(findings), unread)


def _instead(located: Located) -> str:
    if located.candidates:
        return "name one of " + ", ".join(located.candidates[-3:])
    if located.saved_model:
        return f"give the variables of the SavedModel: {located.saved_model}"
    if located.below:
        return f"there is none in it, and there are some in {some_names(located.below)}"
    return "there is none in it"


def _lost(findings: Tuple[Finding, ...], out: str) -> Tuple[str, ...]:
    """What a check of the snapshot will not find: its state file names what is beside it."""
    located = locate(out)
    kept = {found.rule for found in run_rules(file_facts(located, examine(located.prefix)))}
    return tuple(
        finding.message
        for finding in findings
        if finding.severity != "note" and finding.rule not in kept
    )
