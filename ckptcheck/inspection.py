"""The command ``inspect``: lists what a model_dir holds, without TensorFlow and without code."""

import dataclasses
import os
from typing import Dict, Tuple

from .checkpoint.bundle import Bundle
from .checkpoint.examine import Examined
from .checkpoint.files import Listing, by_checkpoint
from .checkpoint.locate import checkpoints_of
from .checkpoint.remote import LocalView, local_view
from .checkpoint.snapshot import list_model_dir
from .checkpoint.v1_format import files_of, is_first_version, without_pattern
from .errors import UsageError
from .file_facts import failing, file_facts, loaded_prefix, why_loaded
from .groups import group
from .model_dir import Located, step_of
from .results import INSPECT, CheckpointSummary, Contents, Report, VariableRow
from .rules import run_rules
from .rules.roles import roles
from .settled import Look, settled_look


def inspect(model_dir: str, fail_on: str = "error") -> Report:
    """Lists the checkpoints, variables and inputs in a model_dir, without reading the data.

    Args:
        model_dir: a model_dir, a checkpoint's prefix, or one of its files.
        fail_on: the lowest severity of a finding that makes the report not ok.

    Raises:
        UsageError: ``model_dir`` does not exist, or cannot be read.
    """
    with local_view(model_dir) as place:
        look = settled_look(place, lambda located, examined: _summaries(located))
        return _shown(_inspected(look, fail_on), place)


def _shown(found: Report, place: LocalView) -> Report:
    """Returns a report with the remote paths that the user knows."""
    if place.read is not None:  # the data exists, but is remote
        rest = () if found.contents.snapshot else found.not_judged
        contents = dataclasses.replace(found.contents, snapshot=False)
        not_judged = (*rest, *place.not_judged)
        found = dataclasses.replace(found, contents=contents, not_judged=not_judged)
    return place.shown(found)


def _inspected(look: Look[Tuple[CheckpointSummary, ...]], fail_on: str) -> Report:
    located, examined = look.located, look.examined
    findings = run_rules(file_facts(located, examined))
    bundle = examined.bundle
    checked = bool(located.prefix or located.candidates) and not examined.first_version
    return Report(
        INSPECT,
        ok=checked and not failing(findings, fail_on),
        checked=checked,
        model_dir=located.model_dir,
        groups=group(findings),
        not_judged=_not_judged(examined),
        why=why_loaded(located, bundle),
        checkpoints=look.more,
        contents=Contents(
            prefix=loaded_prefix(located) if bundle else "",
            variables=_rows(bundle) if bundle else (),
            shards=bundle.num_shards if bundle else 0,
            object_based=bool(bundle and bundle.object_based),
            snapshot=bool(examined.files and examined.files.snapshot),
            graph=examined.graph,
        ),
    )


def _summaries(located: Located) -> Tuple[CheckpointSummary, ...]:
    loaded = loaded_prefix(located)
    prefixes = checkpoints_of(located)
    if loaded and not located.elsewhere and loaded not in prefixes:
        prefixes.append(loaded)  # a directory listing does not recognize its name
    folders = {os.path.dirname(prefix) for prefix in prefixes}
    files = {folder: by_checkpoint(_listed(located, folder)) for folder in folders}
    return tuple(
        _summary(prefix, files[os.path.dirname(prefix)], prefix == loaded) for prefix in prefixes
    )


def _listed(located: Located, folder: str) -> Listing:
    try:
        return list_model_dir(folder)
    except OSError as error:
        raise UsageError(f"MODEL_DIR {located.model_dir} cannot be read: {error.strerror}")


def _summary(prefix: str, files: Dict[str, Listing], loaded: bool) -> CheckpointSummary:
    base = os.path.basename(without_pattern(prefix))
    mine = {name: facts for name, facts in files.get(base, {}).items() if name != base}
    indexes = [base + ".index"]
    if is_first_version(prefix):
        indexes = [os.path.basename(path) for path in files_of(prefix)]
        mine.update((name, files[name][name]) for name in indexes if name in files)
    written = max((mine[name].modified for name in indexes if name in mine), default=0)
    return CheckpointSummary(
        prefix,
        step_of(prefix),
        written or None,
        sum(facts.size for facts in mine.values()),
        loaded,
    )


def _rows(bundle: Bundle) -> Tuple[VariableRow, ...]:
    parts: Dict[str, Tuple[int, int]] = {}
    for part in bundle.parts:
        size, count = parts.get(part.name, (0, 0))
        parts[part.name] = (size + part.size, count + 1)
    shapes = {item.name: item.shape for item in bundle.tensors}
    role = roles(shapes, shapes)
    index = bundle.checkpoint_index()
    return tuple(
        VariableRow(spec, role[spec.name], *parts.get(spec.name, (item.size, 1)))
        for spec, item in zip(index.variables, bundle.tensors)
    )


def _not_judged(examined: Examined) -> Tuple[str, ...]:
    found = []
    if examined.first_version:
        found.append(examined.problem + ": only TensorFlow can list it")
    if examined.files is not None and examined.files.snapshot:
        found.append("the data: this is a snapshot, which has none")
        found.extend(examined.files.left_out)
    return tuple(found)
