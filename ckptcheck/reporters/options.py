"""Options of the output formats."""

import dataclasses
from typing import Mapping, Optional, Tuple


@dataclasses.dataclass(frozen=True)
class Options:
    """The form of a report.

    Attributes:
        show_plan: adds the whole table of what each mode reads.
        show_drift: adds all nodes that differ from those of the saved graph.
        show_all: writes a line for each variable instead of folding those that are alike.
        color: uses a terminal's colors.
        width: columns of the output.
        now: the time that ages are relative to, in seconds since 1970; None for the present.
        root: the directory of the repository, to which CI formats make paths relative.
        folder: the working directory, to which relative paths in a report are relative.
        version: of ckptcheck; "" if it is not known.
        sources: the file of each TARGET that has one, by its directory (--app-dir) and TARGET.
        anchor: the file at which findings are shown that are about no file of the repository.
    """

    show_plan: bool = False
    show_drift: bool = False
    show_all: bool = False
    color: bool = False
    width: int = 80
    now: Optional[float] = None
    root: str = "."
    folder: str = "."
    version: str = ""
    sources: Mapping[Tuple[str, str], str] = dataclasses.field(default_factory=dict)
    anchor: str = "ckptcheck.toml"
