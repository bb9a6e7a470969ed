"""What the files of a model_dir are, without TensorFlow and without the code that made them."""

import dataclasses
import os
import re
from typing import Dict, Tuple

from .checkpoint.bundle import Bundle
from .checkpoint.examine import Examined, examine
from .checkpoint.files import Listing
from .checkpoint.first_version import files_of, is_first_version, without_pattern
from .checkpoint.locate import locate
from .checkpoint.names import step_of
from .checkpoint.remote import AtHand, at_hand
from .checkpoint.snapshot import list_model_dir
from .errors import UsageError
from .file_facts import failing, file_facts, why_loaded
from .groups import group
from .rules import run_rules
from .rules.roles import roles
from .spec import (
    CheckpointSummary,
    Inspection,
    Located,
    VariableRow,
)


def inspect(model_dir: str, fail_on: str = "error") -> Inspection:
    """Says what is in a model_dir.

    Args:
        model_dir: a model_dir, a checkpoint's prefix, or one of its files.
        fail_on: the severity from which on the inspection is not ok.

    Raises:
        UsageError: there is nothing of that name.
    """
    with at_hand(model_dir) as place:
        return _shown(_inspected(place.path, fail_on), place)


def _shown(found: Inspection, place: AtHand) -> Inspection:
    """An inspection with the paths that the user knows."""
    if place.read is not None:  # it has data, though not here
        found = dataclasses.replace(found, snapshot=False, not_judged=place.not_judged)
    return place.shown(found)


def _inspected(model_dir: str, fail_on: str) -> Inspection:
    located = locate(model_dir)
    examined = examine(located.prefix) if located.exists else Examined()
    findings = run_rules(file_facts(located, examined))
    bundle = examined.bundle
    checked = bool(located.prefix or located.candidates) and not examined.first_version
    return Inspection(
        ok=checked and not failing(findings, fail_on),
        checked=checked,
        model_dir=located.model_dir,
        why=why_loaded(located, bundle),
        checkpoints=_summaries(located),
        prefix=located.prefix if bundle else "",
        variables=_rows(bundle) if bundle else (),
        shards=bundle.num_shards if bundle else 0,
        object_based=bool(bundle and bundle.object_based),
        snapshot=bool(examined.files and examined.files.snapshot),
        graph=examined.graph,
        groups=group(findings),
        not_judged=_not_judged(examined),
    )


def _summaries(located: Located) -> Tuple[CheckpointSummary, ...]:
    loaded = os.path.realpath(located.prefix) if located.prefix and located.exists else ""
    prefixes = list(located.candidates)
    known = [os.path.abspath(prefix) for prefix in prefixes]
    if loaded and not located.elsewhere and os.path.abspath(located.prefix) not in known:
        prefixes.append(located.prefix)  # in a directory below, or of a name that no other has
    folders = {os.path.dirname(prefix) for prefix in prefixes}
    listings = {folder: _listed(located, folder) for folder in folders}
    return tuple(_summary(prefix, listings[os.path.dirname(prefix)], loaded) for prefix in prefixes)


def _listed(located: Located, folder: str) -> Listing:
    try:
        return list_model_dir(folder)
    except OSError as error:
        raise UsageError(f"MODEL_DIR {located.model_dir} cannot be read: {error.strerror}")


def _summary(prefix: str, listing: Listing, loaded: str) -> CheckpointSummary:
    indexes = files_of(prefix) if is_first_version(prefix) else [prefix + ".index"]
    own = [os.path.basename(path) for path in indexes]
    files = [facts for name, facts in listing.items() if name in own or _is_of(name, prefix)]
    written = max((facts.modified for name, facts in listing.items() if name in own), default=0)
    return CheckpointSummary(
        prefix,
        step_of(prefix),
        written or None,
        sum(facts.size for facts in files),
        os.path.realpath(prefix) == loaded,
    )


def _is_of(name: str, prefix: str) -> bool:
    """Whether a file belongs to a checkpoint."""
    base = os.path.basename(without_pattern(prefix))
    end = name[len(base) :] if name.startswith(base) else ""
    return re.match(r"\.(index|meta|data-\d{5}-of-\d{5})\Z", end) is not None


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
