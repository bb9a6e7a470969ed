"""Finds the configuration file of a project, and reads its TOML."""

import os
import sys
from typing import Any, Dict, Mapping, NamedTuple, Tuple

from ..errors import UsageError
from ..input_files import read_input
from .toml_lines import Key, lines_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

OWN_FILE, SHARED_FILE = "ckptcheck.toml", "pyproject.toml"
_TABLE = ("tool", "ckptcheck")
_DEEPEST = 64


class Document(NamedTuple):
    """A configuration file.

    Attributes:
        file: its absolute path; "" if there is no configuration.
        table: ``[tool.ckptcheck]``, or all of ckptcheck.toml.
        lines: the line of each key of the table.
    """

    file: str
    table: Mapping[str, Any]
    lines: Mapping[Key, int]

    @property
    def is_shared(self) -> bool:
        """Whether other tools also have tables in the file."""
        return os.path.basename(self.file) == SHARED_FILE

    @property
    def names(self) -> Tuple[str, ...]:
        """The names of the tables of checks, even if something in the tables is wrong."""
        checks = self.table.get("check")
        items = checks if isinstance(checks, list) else []
        names = [item.get("name") for item in items if isinstance(item, dict)]
        return tuple(name for name in names if isinstance(name, str))


NO_DOCUMENT = Document("", {}, {})


def find_file(folder: str) -> str:
    """Returns the configuration file of a directory or the nearest one above it; "" for none.

    A pyproject.toml without ``[tool.ckptcheck]`` does not count. The search ends at the root of a
    git repository.
    """
    for _ in range(_DEEPEST):
        own, shared = (os.path.join(folder, name) for name in (OWN_FILE, SHARED_FILE))
        if os.path.isfile(own):
            return own
        if os.path.isfile(shared) and _has_table(shared):
            return shared
        above = os.path.dirname(folder)
        if above == folder or os.path.exists(os.path.join(folder, ".git")):
            break
        folder = above
    return ""


def _has_table(path: str) -> bool:
    """Whether a pyproject.toml mentions ckptcheck; parsing it would take longer."""
    try:
        return b"ckptcheck" in read_input(path) and bool(read_document(path).table)
    except OSError:
        return False


def read_document(path: str) -> Document:
    """Reads a configuration file.

    Raises:
        UsageError: it cannot be read, or it is not TOML.
    """
    try:
        text = read_input(path).decode("utf-8-sig").replace("\r\n", "\n")
        document = tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not TOML: it is not UTF-8 text") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: not TOML: {error}") from None
    lines = lines_of(text)
    if os.path.basename(path) != SHARED_FILE:
        return Document(os.path.abspath(path), document, lines)
    tool = document.get(_TABLE[0], {})
    table = tool.get(_TABLE[1], {}) if isinstance(tool, dict) else {}
    if not table and _TABLE[1] in document:
        raise UsageError(f"{path}: [{_TABLE[1]}]: expected [tool.ckptcheck] in a {SHARED_FILE}")
    if not isinstance(table, dict):
        raise UsageError(f"{path}: tool.ckptcheck: expected a table, such as [tool.ckptcheck]")
    return Document(os.path.abspath(path), table, _below(lines, _TABLE))


def _below(lines: Dict[Key, int], way: Tuple[str, ...]) -> Dict[Key, int]:
    size = len(way)
    return {key[size:]: line for key, line in lines.items() if key[:size] == way}
