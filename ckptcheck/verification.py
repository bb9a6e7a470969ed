"""Whether the data of checkpoints is what was saved, without TensorFlow."""

import dataclasses
import os
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

from .checkpoint.deep import scan
from .checkpoint.examine import Examined, examine
from .checkpoint.files import Listing, by_checkpoint, list_folder
from .checkpoint.first_version import is_first_version
from .checkpoint.locate import locate, named_alone
from .checkpoint.remote import AtHand, ReadRange, at_hand
from .checkpoint.snapshot import list_model_dir
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
from .spec import Located, Verification, Verified, step_of


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
    with at_hand(model_dir, every_step=all_checkpoints) as place:
        return place.shown(_verify(place, all_checkpoints, fail_on, progress))


def _verify(
    place: AtHand, all_checkpoints: bool, fail_on: str, progress: Optional[Progress]
) -> Verification:
    located = locate(place.path)
    prefixes = _prefixes(located, all_checkpoints)
    files = {folder: _files_in(folder) for folder in {os.path.dirname(name) for name in prefixes}}
    examined = {
        prefix: _examined(prefix, files[os.path.dirname(prefix)], prefix == prefixes[-1])
        for prefix in prefixes
    }
    report = Count(progress, sum(data_size(item.bundle) for item in examined.values()))
    end = 0
    seen: Dict[str, Verified] = {}
    for prefix, item in examined.items():
        one, read = _named(located, prefix, files), place.reader_of(prefix)
        seen[prefix] = _verified(one, item, fail_on, report, read, located)
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


def _prefixes(located: Located, all_checkpoints: bool) -> List[str]:
    """The checkpoints to verify; "" where a finding says that Estimator loads none of them."""
    loaded = loaded_prefix(located) or located.prefix
    if not all_checkpoints:
        return [loaded] if loaded or located.candidates else []
    found = [prefix for prefix in located.candidates if not is_first_version(prefix)]
    if not found:
        return _prefixes(located, all_checkpoints=False)
    elsewhere = located.exists and loaded not in found and not is_first_version(loaded)
    return [loaded, *found] if elsewhere else found


def _why(located: Located, examined: Dict[str, Examined]) -> str:
    loaded = examined.get(loaded_prefix(located))
    return why_loaded(located, loaded.bundle if loaded else None)


def _of_saved_model(located: Located) -> Tuple[str, ...]:
    if not located.saved_model:
        return ()
    return (f"the variables of the SavedModel: give {located.saved_model} to verify them",)


def _left_out(located: Located, place: AtHand) -> Iterator[str]:
    yield from place.not_judged
    for prefix in filter(is_first_version, located.candidates):
        yield f"{prefix}: it is of the V1 format, which only TensorFlow reads"


class _Files(NamedTuple):
    """The files of a directory: all of them, and by the checkpoint that they are of.

    Attributes:
        all: what is there.
        of: what is there, by checkpoint.
        known: with what a snapshot knows of, by checkpoint.
    """

    all: Listing
    of: Dict[str, Listing]
    known: Dict[str, Listing]


def _files_in(folder: str) -> _Files:
    if "\0" in folder or not os.path.isdir(folder or os.curdir):
        return _Files({}, {}, {})
    try:
        listing = list_folder(folder)
        return _Files(listing, by_checkpoint(listing), by_checkpoint(list_model_dir(folder)))
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror}")


def _examined(prefix: str, files: _Files, is_last: bool) -> Examined:
    """What is said of a checkpoint's files: beside the last one, of the rest in the directory too.

    To look through a whole directory for each checkpoint in it takes too long where it has many.
    """
    if not prefix or "\0" in prefix:
        return Examined()
    mine = files.of.get(os.path.basename(prefix), {})
    return examine(prefix, files.all if is_last else mine)


def _is_gone(prefix: str, examined: Examined) -> bool:
    """Whether a checkpoint was there, and no longer is: a training run keeps the last few."""
    return examined.bundle is not None and not os.path.isfile(prefix + ".index")


def _named(located: Located, prefix: str, files: Dict[str, _Files]) -> Located:
    """One checkpoint as if it had been named: what the state file says is no matter of its data."""
    if prefix and "\0" not in prefix and os.path.isfile(prefix + ".index"):
        folder, base = os.path.split(prefix)
        return named_alone(located, prefix, files[folder].known.get(base, {}))
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
