"""Reads the record of a checkpoint. The file is not trusted."""

import dataclasses
import os
import stat
from typing import Any, Mapping, Optional

from .. import json_values
from ..errors import UsageError
from ..features_file import feature_file
from ..option_values import name as name_of
from ..protocol import ALL_MODES
from .flags import is_flag
from .value import FORMAT, TRACED, TRAINING, VERSION, Record, record_of
from .writer import index_digest, record_path

LARGEST_RECORD = 256 << 20
_MOST_NAMES = 1000000
_MOST_FILES = 2000


@dataclasses.dataclass(frozen=True)
class Recorded:
    """The record of a checkpoint, if there is one.

    Attributes:
        file: the path of the record; "" if there is none.
        record: the record; None if there is none, or it cannot be used.
        problem: why it cannot be used; "" if it can, or there is none.
    """

    file: str = ""
    record: Optional[Record] = None
    problem: str = ""


def read_record(prefix: str) -> Recorded:
    """Reads the record of a checkpoint."""
    path = record_path(prefix)
    if not prefix or not os.path.lexists(path):
        return Recorded()
    try:
        record = _verified(_parsed(_read(path)), prefix)
        return Recorded(path, record)
    except _UnusableError as error:
        return Recorded(path, problem=str(error))
    except OSError as error:
        return Recorded(path, problem=str(error.strerror or error))


class _UnusableError(Exception):
    """A record cannot be used."""


def _read(path: str) -> str:
    if not stat.S_ISREG(os.stat(path).st_mode):  # opening a pipe could block
        raise _UnusableError("it is not a regular file")
    with open(path, "rb") as file:
        data = file.read(LARGEST_RECORD + 1)
    if len(data) > LARGEST_RECORD:
        raise _UnusableError(f"it is larger than {LARGEST_RECORD >> 20} MiB")
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        raise _UnusableError("it is damaged: it is not JSON") from None


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        document = json_values.parse(text)
    except ValueError:
        raise _UnusableError("it is damaged: it is not JSON") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise _UnusableError("it is not a record of ckptcheck")
    version = document.get("version")
    if type(version) is not int or version > VERSION:
        raise _UnusableError("it is from a newer version of ckptcheck")
    return document


def _verified(document: Mapping[str, Any], prefix: str) -> Record:
    try:
        record = record_of(document)
        _verify_values(record)
    except (TypeError, ValueError, UsageError, RecursionError):
        raise _UnusableError("it is damaged: a part of it has the wrong form") from None
    if record.checkpoint != os.path.basename(prefix):
        raise _UnusableError(f"it belongs to another checkpoint, {record.checkpoint}")
    if record.index_digest != index_digest(prefix):
        raise _UnusableError("it belongs to another save: the index of the checkpoint has changed")
    return record


def _verify_values(record: Record) -> None:
    """Verifies what the types do not say.

    Raises:
        ValueError: the record holds an impossible value.
        UsageError: the same.
    """
    if record.writer not in (TRAINING, TRACED) or not set(record.modes) <= set(ALL_MODES):
        raise ValueError(record.writer)
    if len((*record.origins.sources, *record.origins.data_files)) > _MOST_FILES:
        raise ValueError("too many files")
    if record.target:
        name_of("model_fn")(record.target)
    name_of("make_params", "dict", "attr")(record.params_type)
    if not all(map(is_flag, record.flags)):
        raise ValueError("not a flag")
    for mode in record.modes.values():
        feature_file({"features": mode.features, "labels": mode.labels})
        if len(mode.taken_names) > _MOST_NAMES:
            raise ValueError(len(mode.taken_names))
    if record.params is not None:
        json_values.plain(record.params.values, "params")
