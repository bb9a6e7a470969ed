"""Whether the data of checkpoints is what was saved, without TensorFlow."""

import dataclasses
import os
from typing import Callable, Dict, Iterator, Optional, Tuple

from .checkpoint.deep import scan
from .checkpoint.examine import Examined, examine
from .checkpoint.first_version import is_first_version
from .checkpoint.locate import locate
from .checkpoint.names import step_of
from .checkpoint.remote import AtHand, ReadRange, at_hand
from .errors import UsageError
from .file_facts import (
    Count,
    Progress,
    data_read,
    data_size,
    failing,
    file_facts,
    loaded_prefix,
    why_loaded,
)
from .groups import group
from .rules import run_rules
from .spec import Located, Verification, Verified


def verify(
    model_dir: str,
    all_checkpoints: bool = False,
    fail_on: str = "warning",
    progress: Optional[Progress] = None,
) -> Verification:
    """Reads all data of a checkpoint: checksums, values that are not finite, constant ones.

    Args:
        model_dir: a model_dir, a checkpoint's prefix, or one of its files.
        all_checkpoints: reads every checkpoint of the directory.
        fail_on: the severity from which on a checkpoint is not good.
        progress: see :data:`.file_facts.Progress`.

    Raises:
        UsageError: there is nothing of that name, or a package for this is missing.
    """
    with at_hand(model_dir) as place:
        return place.shown(_verify(place, all_checkpoints, fail_on, progress))


def _verify(
    place: AtHand, all_checkpoints: bool, fail_on: str, progress: Optional[Progress]
) -> Verification:
    model_dir = place.path
    located = locate(model_dir)
    prefixes = (
        []
        if not all_checkpoints
        else [prefix for prefix in located.candidates if not is_first_version(prefix)]
    )
    loaded = loaded_prefix(located) or located.prefix
    if loaded and loaded not in prefixes and not (prefixes and is_first_version(loaded)):
        prefixes.append(loaded)  # of another directory, or the only one
    if not prefixes and located.candidates:
        prefixes = [""]  # a finding says that Estimator loads none of them
    examined = {prefix: _examined(prefix) for prefix in prefixes}
    report = Count(progress, sum(data_size(item.bundle) for item in examined.values()))
    end = 0
    seen: Dict[str, Verified] = {}
    for number, (prefix, item) in enumerate(examined.items(), 1):
        one, read = _named(located, prefix), place.reader_of(prefix)
        alone = item if number == len(examined) else _of_its_own(item)
        seen[prefix] = _verified(one, alone, fail_on, report, read, located)
        end += data_size(item.bundle)
        report(max(end - report.done, 0))  # what cannot be read needs no reading
    gone = [] if place.read else [name for name, item in examined.items() if _is_gone(name, item)]
    results = tuple(item for prefix, item in seen.items() if prefix not in gone)
    if gone and not results:
        raise UsageError(f"{gone[0]} was removed while it was read (by a training run?): try again")
    return Verification(
        ok=bool(results) and all(item.ok for item in results),
        checked=bool(results),
        model_dir=located.model_dir,
        checkpoints=results,
        why=_why(located, examined) if all_checkpoints else "",
        not_judged=(*_left_out(located, place), *_of_saved_model(located))
        if all_checkpoints
        else _of_saved_model(located),
    )


def _why(located: Located, examined: Dict[str, Examined]) -> str:
    loaded = examined.get(located.prefix)
    return why_loaded(located, loaded.bundle if loaded else None)


def _of_saved_model(located: Located) -> Tuple[str, ...]:
    if not located.saved_model:
        return ()
    return (f"the variables of the SavedModel: give {located.saved_model} to verify them",)


def _of_its_own(examined: Examined) -> Examined:
    """Without what is said of the directory, which is said once, beside the last checkpoint."""
    if examined.files is None:
        return examined
    files = dataclasses.replace(examined.files, remains=(), without_index=())
    return dataclasses.replace(examined, files=files)


def _left_out(located: Located, place: AtHand) -> Iterator[str]:
    yield from place.not_judged
    for prefix in filter(is_first_version, located.candidates):
        yield f"{prefix}: it is of the V1 format, which only TensorFlow reads"


def _examined(prefix: str) -> Examined:
    return examine(prefix) if prefix and "\0" not in prefix else Examined()


def _is_gone(prefix: str, examined: Examined) -> bool:
    """Whether a checkpoint was there, and no longer is: a training run keeps the last few."""
    return examined.bundle is not None and not os.path.isfile(prefix + ".index")


def _named(located: Located, prefix: str) -> Located:
    """One checkpoint as if it had been named: what the state file says is no matter of its data."""
    if prefix and "\0" not in prefix and os.path.isfile(prefix + ".index"):
        return locate(prefix + ".index")
    exists = located.exists and located.prefix == prefix
    explicit = located.explicit or located.prefix != prefix
    return dataclasses.replace(located, prefix=prefix, exists=exists, explicit=explicit)


def _verified(
    located: Located,
    examined: Examined,
    fail_on: str,
    report: Callable[[int], None],
    read: Optional[ReadRange],
    of_directory: Located,
) -> Verified:
    bundle = examined.bundle
    if read is None and examined.files is not None and examined.files.snapshot:
        raise UsageError(f"{located.model_dir} is a snapshot, which has no data to verify")
    if examined.first_version:
        raise UsageError(f"{examined.problem}: its data cannot be verified")
    scans = scan(bundle, report, read=read) if bundle else None
    data = data_read(bundle, scans)
    findings = run_rules(file_facts(located, examined, scans))
    return Verified(
        ok=located.exists and not failing(findings, fail_on),
        prefix=located.prefix,
        step=step_of(located.prefix),
        tensors=data.tensors,
        size=data.size,
        groups=group(findings),
        loaded=loaded_prefix(of_directory) == located.prefix,
    )
