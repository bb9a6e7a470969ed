"""The command ``snapshot``: makes a small copy of a model_dir without its data."""

import contextlib
import os
from typing import Tuple

from .checkpoint.addresses import is_remote, local_path, without_secrets
from .checkpoint.examine import Examined, examine
from .checkpoint.locate import locate
from .checkpoint.remote import LocalView, local_view
from .checkpoint.snapshot import (
    Contents,
    add_records,
    packed_contents,
    snapshot_of,
    written_snapshot,
)
from .checkpoint.snapshot_replacement import is_filled, replacing
from .checkpoint.snapshot_source import source_of
from .errors import UsageError
from .file_facts import file_facts
from .groups import group
from .model_dir import Located, Unnamed
from .results import SNAPSHOT, Finding, Report, Written
from .rules import role_of, run_rules
from .rules.base import FOR_CHECKS, some_names
from .settled import settled_look


def snapshot(model_dir: str, out: str, force: bool = False) -> Report:
    """Writes a small copy of a model_dir without its data. A check accepts it as MODEL_DIR.

    Args:
        model_dir: a model_dir, a checkpoint's prefix, or one of its files.
        out: the directory to write, which must not exist or must be empty.
        force: replaces a snapshot in ``out``.

    Returns:
        A report that lists what was written, and findings about the model_dir.

    Raises:
        UsageError: there is no checkpoint to copy, or ``out`` is not empty. With ``force``, it may
            be a snapshot.
    """
    if is_remote(out):
        where = without_secrets(out)
        raise UsageError(
            f"OUT {where} is remote. Write the snapshot to a local directory, and copy that "
            "directory"
        )
    with local_view(model_dir) as place:
        return _snapshot(place, local_path(out), force)


def _snapshot(place: LocalView, out: str, force: bool) -> Report:
    source = "" if place.local else source_of(place.path, out)
    if source == os.curdir:
        raise UsageError(f"OUT {out} is MODEL_DIR: give another directory")
    located, examined, contents = settled_look(place, lambda at, seen: _contents(at, seen, source))
    contents = packed_contents(contents)
    findings = place.shown(tuple(run_rules(file_facts(located, examined))))
    unread = place.shown(place.unread)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(replacing(out)) if force and is_filled(out) else out
        stack.enter_context(written_snapshot(contents, folder))
        records = (*_only_here(findings, folder), *unread)
        if records:
            add_records(folder, records)
    return Report(
        SNAPSHOT,
        ok=True,
        checked=True,
        model_dir=place.shown(located.model_dir),
        groups=group([finding for finding in findings if _matters(finding)]),
        not_judged=unread,
        written=Written(out, tuple(contents)),
    )


def _matters(finding: Finding) -> bool:
    """Whether a finding matters for a snapshot. Without a graph, a check needs --features."""
    return finding.severity != "note" or role_of(finding) == FOR_CHECKS


def _contents(located: Located, examined: Examined, source: str) -> Contents:
    """Reads the files of the snapshot; they are not compressed yet.

    Raises:
        UsageError: there is no checkpoint, or it cannot be read.
    """
    if not located.exists:
        raise UsageError(
            "ckptcheck cannot make a snapshot: Estimator loads no checkpoint from "
            + located.model_dir
            + _instead(located)
        )
    if examined.bundle is None:
        raise UsageError(f"ckptcheck cannot make a snapshot: {examined.problem}")
    return snapshot_of(examined.bundle, source)


def _instead(located: Located) -> str:
    if located.candidates:
        return "; give one of its checkpoints: " + ", ".join(located.candidates[-3:])
    if isinstance(located, Unnamed) and located.saved_model:
        return f"; give the variables of the SavedModel: {located.saved_model}"
    if isinstance(located, Unnamed) and located.below:
        return f"; give one of the directories that hold checkpoints: {some_names(located.below)}"
    return ", which has no checkpoint"


def _only_here(findings: Tuple[Finding, ...], out: str) -> Tuple[str, ...]:
    """Returns the messages of findings that a check of the snapshot cannot make itself."""
    located = locate(out)
    kept = {found.rule for found in run_rules(file_facts(located, examine(located.prefix)))}
    return tuple(
        finding.message
        for finding in findings
        if finding.severity != "note" and finding.rule not in kept
    )
