"""The part of a record about the files that the code reads."""

import dataclasses
import re
from typing import Any, List

from ..origins import DataContent, Origins, texts_in
from .params import as_mapping
from .value import RecordedParams

_MOST_WORDS = 50000
"""The most lines that a record holds of all files. It takes 0.1 s to write them."""
_SECRET_FILE = re.compile(
    r"(^|/)\.\w|secret|password|credential|private|\.(pem|key)$", re.IGNORECASE
)


def recorded_origins(origins: Origins, params: Any, recorded: RecordedParams) -> Origins:
    """Returns the origins that a record holds.

    It leaves out the files that only redacted params name, such as a file with credentials. It
    leaves out the lines of private files and of files whose name looks secret. If there are too
    many lines, it also leaves out those of the last files.

    Args:
        origins: what the model comes from.
        params: its params.
        recorded: what the record holds of them.
    """
    known = set(texts_in(recorded.values))
    redacted = set(texts_in(dict(as_mapping(params)))) - known
    files: List[DataContent] = []
    left = _MOST_WORDS
    for file in origins.data_files:
        words = file.words or ()
        hidden = file.path in origins.private or _SECRET_FILE.search(file.path)
        if hidden or len(words) > left:
            file = dataclasses.replace(file, words=None)
        else:
            left -= len(words)
        if file.path not in redacted:
            files.append(file)
    return dataclasses.replace(origins, data_files=tuple(files), private=())
