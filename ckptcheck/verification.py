"""The command ``verify``: reads and verifies the data of checkpoints, without TensorFlow."""

import contextlib
import os
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from .checkpoint.bundle import has_huge_index
from .checkpoint.data_files import ReadRange
from .checkpoint.data_scan import scan
from .checkpoint.examine import Examined, examine
from .checkpoint.existing import step_and_name
from .checkpoint.files import Listing, by_checkpoint, list_folder
from .checkpoint.held import NOTHING_HELD, Held, data_held, lacks
from .checkpoint.locate import checkpoints_of, locate, named_alone
from .checkpoint.marks import marks_of
from .checkpoint.remote import LocalView, local_view
from .checkpoint.snapshot import list_model_dir
from .checkpoint.state_file import STATE_FILE
from .checkpoint.v1_format import is_first_version
from .errors import UsageError, being_written
from .file_facts import (
    Count,
    Progress,
    data_read,
    data_size,
    file_facts,
    loaded_prefix,
    why_loaded,
)
from .groups import group
from .model_dir import Located, Named, Unnamed, step_of
from .results import VERIFY, Report, Verified, failing
from .rules import role_of, run_rules
from .rules.base import UNSOUND
from .settled import Doubt, doubt_of, is_fresh, settled, wait_while


def verify(
    model_dir: str,
    all_checkpoints: bool = False,
    fail_on: str = "warning",
    progress: Optional[Progress] = None,
) -> Report:
    """Reads all data of a checkpoint.

    It verifies the checksums, and finds NaN, infinite and constant values.

    Args:
        model_dir: a model_dir, a checkpoint's prefix, or one of its files.
        all_checkpoints: whether to read every checkpoint in the directory.
        fail_on: the lowest severity of a finding that makes a checkpoint not good.
        progress: is called while data is read; see :data:`.file_facts.Progress`.

    Raises:
        UsageError: ``model_dir`` does not exist, has no data, or cannot be read; or a package is
            missing.
    """
    with local_view(model_dir, every_step=all_checkpoints) as place:
        return place.shown(_verify(place, all_checkpoints, fail_on, progress))


def _verify(
    place: LocalView, all_checkpoints: bool, fail_on: str, progress: Optional[Progress]
) -> Report:
    for _ in range(_MOST_TRIES):
        with contextlib.ExitStack() as stack:
            seen = _seen(place, all_checkpoints, stack)
            results = _results(seen, place, fail_on, progress)
        if results is not None:
            break
    else:
        raise being_written(place.path)
    located = seen.located
    loaded = next((item.examined.bundle for item in seen.checkpoints if item.loaded), None)
    return Report(
        VERIFY,
        ok=bool(results) and all(item.ok for item in results),
        checked=bool(results),
        model_dir=located.model_dir,
        groups=() if results else group(run_rules(file_facts(located, Examined()))),
        verified=tuple(results),
        fail_on=fail_on,
        why=why_loaded(located, loaded) if all_checkpoints else "",
        not_judged=_not_judged(located, place, all_checkpoints, results),
    )


_MOST_TRIES = 5
"""How many times ``verify`` reads data if the data changes while it is read."""


class _Checkpoint(NamedTuple):
    """A checkpoint to verify.

    Attributes:
        prefix: the path that ``Saver.restore`` takes; "" if the state file names none.
        located: its place, as if the user had named it. Findings about the state file would say
            nothing about its data.
        examined: the state of its files.
        read: the function that reads remote data; None if the data is local.
        loaded: whether a restore would load it.
        held: the open data files; empty unless it is loaded and local.
    """

    prefix: str
    located: Located
    examined: Examined
    read: Optional[ReadRange]
    loaded: bool
    held: Held

    def has_index(self) -> bool:
        """Whether the index exists, even as a broken link."""
        return "\0" not in self.prefix and os.path.lexists(self.prefix + ".index")


class _Seen(NamedTuple):
    """The checkpoints to verify, as they were at one time.

    Attributes:
        located: what the user named.
        checkpoints: all checkpoints to verify.
        at_rest: whether no file of the loaded checkpoint changed before its data files were open.
    """

    located: Located
    checkpoints: Sequence[_Checkpoint]
    at_rest: bool


def _seen(place: LocalView, all_checkpoints: bool, stack: contextlib.ExitStack) -> _Seen:
    def look() -> _Seen:
        stack.close()
        located = locate(place.path)
        loaded = loaded_prefix(located)
        folders = [os.path.dirname(loaded)] if loaded else []
        marks = marks_of(folders)
        prefixes = _prefixes(located, loaded, all_checkpoints)
        checkpoints = _checkpoints(place, located, loaded, prefixes, stack)
        return _Seen(located, checkpoints, marks_of(folders) == marks)

    return settled(place, look, _doubt)


def _doubt(seen: _Seen) -> Doubt:
    """Judges the checkpoint that the state file names, and the latest checkpoint.

    A training run may be saving the latest checkpoint now. It may also remove older checkpoints at
    any time, so ``verify`` judges those only after it has read them.
    """
    if not seen.checkpoints:
        return doubt_of(seen.located, Examined())
    doubts = []
    for item in seen.checkpoints:
        if item.loaded or item.prefix == seen.located.prefix or item is seen.checkpoints[-1]:
            bundle, files = item.examined.bundle, item.examined.files
            lost = item.loaded and lacks(item.held, bundle, files)
            doubts.append(doubt_of(item.located, item.examined, lost))
    return max(doubts, key=lambda doubt: (doubt.wrong, doubt.patience))


def _results(
    seen: _Seen, place: LocalView, fail_on: str, progress: Optional[Progress]
) -> Optional[Sequence[Verified]]:
    """Reads the data; returns None if it changed in the meantime, so that it must be read again.

    Raises:
        UsageError: the checkpoint that the user named was removed.
    """
    report = Count(progress, sum(data_size(item.examined.bundle) for item in seen.checkpoints))
    end = 0
    waited = False
    results, gone = [], []
    for item in seen.checkpoints:
        result = _verified(item, fail_on, report)
        end += data_size(item.examined.bundle)
        report(max(end - report.done, 0))  # counts skipped data as read
        was_there = item.prefix in seen.located.candidates or bool(
            seen.located.exists and item.prefix
        )
        passing = not item.held.descriptors and not place.read
        if passing and result.groups and not waited:
            waited = True  # waits only once, since many checkpoints may be damaged
            # A training run removes old checkpoints right after it writes the state file.
            if is_fresh(os.path.join(seen.located.model_dir, STATE_FILE)):
                wait_while(item.has_index)
        if passing and was_there and not item.has_index():
            gone.append(item)  # a training run keeps only the last few checkpoints
        elif result.groups and item.held.descriptors and (not seen.at_rest or item.held.changed()):
            return None
        else:
            results.append(result)
    if any(item.loaded for item in gone) or (gone and not any(item.prefix for item in results)):
        if not isinstance(seen.located, Named):
            return None
        raise UsageError(
            f"{gone[0].prefix} was removed while ckptcheck read it, perhaps by a training run"
        )
    return results


def _prefixes(located: Located, loaded: str, all_checkpoints: bool) -> List[str]:
    """Returns the checkpoints to verify, the latest last.

    They include the checkpoint that the state file names, even in another directory. A checkpoint
    that does not exist comes first. "" means that the state file names none, which is a finding.
    """
    named = loaded or located.prefix
    found = [prefix for prefix in checkpoints_of(located) if not _why_left_out(prefix)]
    if not all_checkpoints or not found:
        return [named] if named or located.candidates else []
    if named in found or (located.exists and is_first_version(named)):
        return found
    return sorted([named, *found], key=step_and_name) if loaded else [named, *found]


def _not_judged(
    located: Located, place: LocalView, all_checkpoints: bool, results: Sequence[Verified]
) -> Tuple[str, ...]:
    found = list(place.not_judged if all_checkpoints else place.unread)
    if all_checkpoints:
        reasons = {prefix: _why_left_out(prefix) for prefix in checkpoints_of(located)}
        found += [f"{prefix}: {reason}" for prefix, reason in reasons.items() if reason]
    if isinstance(located, Unnamed) and located.saved_model:
        verified = {os.path.realpath(item.prefix) for item in results}
        if os.path.realpath(located.saved_model) not in verified:
            name = located.saved_model
            found.append(f"the variables of the SavedModel: ckptcheck verify {name} verifies them")
    return tuple(found)


def _why_left_out(prefix: str) -> str:
    """Returns why ``verify`` leaves out one of several checkpoints; "" if it does not.

    For a single checkpoint, the same reason is a usage error.
    """
    if is_first_version(prefix):
        return "it is of the V1 format, which only TensorFlow reads"
    return "its index is too large for ckptcheck to read" if has_huge_index(prefix) else ""


def _checkpoints(
    place: LocalView,
    located: Located,
    loaded: str,
    prefixes: Sequence[str],
    stack: contextlib.ExitStack,
) -> List[_Checkpoint]:
    files_in = {folder: _files_in(folder) for folder in {os.path.dirname(p) for p in prefixes if p}}
    last_in = {os.path.dirname(prefix): prefix for prefix in prefixes}
    found = []
    for prefix in prefixes:
        folder, base = os.path.split(prefix)
        files = files_in.get(folder, _NO_FILES)
        is_name = "\0" not in prefix
        examined = Examined()
        if prefix and is_name:
            # Looking at the whole directory for each of many checkpoints would take too long.
            mine = files.all if prefix == last_in[folder] else files.of.get(base, {})
            examined = examine(prefix, mine)
        named = located
        if prefix != located.prefix or (is_name and os.path.isfile(prefix + ".index")):
            named = named_alone(located, prefix, files.known.get(base, {}))
        read = place.reader_of(prefix)
        is_loaded = prefix == loaded != ""
        held = NOTHING_HELD
        if is_loaded and read is None:
            held = stack.enter_context(data_held(examined.bundle))
        found.append(_Checkpoint(prefix, named, examined, read, is_loaded, held))
    return found


class _Files(NamedTuple):
    """The files of a directory.

    Attributes:
        all: all files.
        of: the files of each checkpoint, by its name.
        known: the same, with the files that a snapshot records.
    """

    all: Listing
    of: Dict[str, Listing]
    known: Dict[str, Listing]


_NO_FILES = _Files({}, {}, {})


def _files_in(folder: str) -> _Files:
    if "\0" in folder or not os.path.isdir(folder or os.curdir):
        return _NO_FILES
    try:
        listing = list_folder(folder)
        return _Files(listing, by_checkpoint(listing), by_checkpoint(list_model_dir(folder)))
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror}")


def _verified(item: _Checkpoint, fail_on: str, report: Callable[[int], None]) -> Verified:
    """Reads the data of a checkpoint, and runs the rules on its data and files.

    Raises:
        UsageError: there is no data, or no reader for it.
    """
    bundle, files = item.examined.bundle, item.examined.files
    if item.read is None and files is not None and files.snapshot:
        raise UsageError(f"{item.located.model_dir} is a snapshot, which has no data to verify")
    if item.examined.first_version:
        raise UsageError(f"{item.examined.problem}: its data cannot be verified")
    scans = scan(bundle, report, item.read, item.held.descriptors) if bundle else None
    findings = run_rules(file_facts(item.located, item.examined, scans))
    failed = failing(findings, fail_on)
    return Verified(
        ok=item.located.exists and not failed,
        whole=item.located.exists and all(role_of(finding) != UNSOUND for finding in failed),
        prefix=item.prefix,
        step=step_of(item.prefix),
        data=data_read(bundle, scans),
        groups=group(findings),
        loaded=item.loaded,
    )
