"""The origins of a model: source code, files that the code reads, and versions of packages.

ckptcheck sends this file to the user's interpreter, like :mod:`.protocol`.
"""

import dataclasses
from typing import Any, Iterator, Mapping, Optional, Tuple


@dataclasses.dataclass(frozen=True)
class SourceFile:
    """A Python module of the user's project.

    Attributes:
        module: the dotted name, such as ``models.net``.
        path: the path of the file, relative to the working directory if the file is inside it.
        digest: of the bytes of the file.
        functions: a digest of each function and method by its qualified name. The entry of a class
            has its other statements, and ``<module>`` has those of the module. Comments, docstrings
            and formatting do not change these digests. Empty if the file cannot be parsed.
    """

    module: str
    path: str
    digest: str
    functions: Mapping[str, str] = dataclasses.field(default_factory=dict, hash=False)


@dataclasses.dataclass(frozen=True)
class DataContent:
    """The content of a file that the code reads, such as a vocabulary.

    Attributes:
        path: as the code names it.
        size: its bytes; 0 if it cannot be read.
        digest: the digest of its bytes, or of its first bytes if it is large; "" if it was not
            read.
        words: its lines, if it is a small vocabulary; else None.
    """

    path: str
    size: int
    digest: str
    words: Optional[Tuple[str, ...]] = None


@dataclasses.dataclass(frozen=True)
class Origins:
    """The origins of a model.

    Attributes:
        python: the version of Python.
        tensorflow: the version of TensorFlow.
        packages: the versions of the packages that the project imports.
        sources: the modules of the project.
        data_files: the files that params, source code or the graph name.
        revision: the commit of the git repository that holds the sources; "" for none.
        private: the files that only a record names, and that are outside of the project. A record
            may come from anyone, so a report must not show the lines of these files.
    """

    python: str
    tensorflow: str
    packages: Mapping[str, str] = dataclasses.field(default_factory=dict, hash=False)
    sources: Tuple[SourceFile, ...] = ()
    data_files: Tuple[DataContent, ...] = ()
    revision: str = ""
    private: Tuple[str, ...] = ()


def texts_in(value: Any, depth: int = 0) -> Iterator[str]:
    """Yields the strings in params, at all levels."""
    if isinstance(value, str):
        yield value
    elif depth < 20:
        items = value.values() if isinstance(value, dict) else value
        if isinstance(value, (dict, list, tuple)):
            for item in items:
                yield from texts_in(item, depth + 1)
