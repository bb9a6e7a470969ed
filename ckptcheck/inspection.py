"""The command ``inspect``: lists what a model_dir holds, without TensorFlow and without code."""

import os
from typing import Dict, Tuple

from .checkpoint.bundle import Bundle
from .checkpoint.files import Listing, by_checkpoint
from .checkpoint.locate import checkpoints_of
from .checkpoint.remote import LocalView, local_view
from .checkpoint.snapshot import list_model_dir
from .checkpoint.v1_format import files_of, is_first_version
from .errors import UsageError
from .file_facts import file_facts, loaded_prefix, why_loaded
from .groups import group
from .model_dir import Located, step_of, without_pattern
from .results import INSPECT, CheckpointSummary, Contents, Report, VariableRow, failing
from .rules import run_rules
from .rules.roles import roles
from .settled import settled_look


def inspect(model_dir: str, fail_on: str = "error") -> Report:
    """Lists the checkpoints, variables and inputs in a model_dir, without reading the data.

    Args:
        model_dir: a model_dir, a checkpoint's prefix, or one of its files.
        fail_on: the lowest severity of a finding that makes the report not ok.

    Raises:
        UsageError: ``model_dir`` does not exist, or cannot be read.
    """
    with local_view(model_dir) as place:
        return place.shown(_report(place, fail_on))


def _report(place: LocalView, fail_on: str) -> Report:
    located, examined, checkpoints = settled_look(place, lambda found, _: _summaries(found))
    findings = run_rules(file_facts(located, examined))
    bundle, files = examined.bundle, examined.files
    checked = bool(located.prefix or located.candidates) and not examined.first_version
    not_judged = []
    if examined.first_version:
        not_judged.append(f"{examined.problem}: only TensorFlow can read it")
    snapshot = files is not None and files.snapshot and place.read is None
    if files is not None and snapshot:
        not_judged += ["the data: a snapshot has no data files", *files.left_out]
    return Report(
        INSPECT,
        ok=checked and not failing(findings, fail_on),
        checked=checked,
        model_dir=located.model_dir,
        fail_on=fail_on,
        groups=group(findings),
        not_judged=(*not_judged, *place.not_judged),
        why=why_loaded(located, bundle),
        checkpoints=checkpoints,
        contents=Contents(
            prefix=loaded_prefix(located) if bundle else "",
            variables=_rows(bundle) if bundle else (),
            shards=bundle.num_shards if bundle else 0,
            object_based=bool(bundle and bundle.object_based),
            snapshot=snapshot,
            graph=examined.graph,
        ),
    )


def _summaries(located: Located) -> Tuple[CheckpointSummary, ...]:
    loaded = loaded_prefix(located)
    prefixes = checkpoints_of(located)
    if loaded and not located.elsewhere and loaded not in prefixes:
        prefixes.append(loaded)  # a directory listing does not recognize its name
    folders = {os.path.dirname(prefix) for prefix in prefixes}
    try:
        files = {folder: by_checkpoint(list_model_dir(folder)) for folder in folders}
    except OSError as error:
        raise UsageError(f"MODEL_DIR {located.model_dir} cannot be read: {error.strerror}")
    return tuple(
        _summary(prefix, files[os.path.dirname(prefix)], prefix == loaded) for prefix in prefixes
    )


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
