"""How a report is to be written."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Options:
    """What the command line says about the form of a report.

    Attributes:
        show_plan: adds the whole table of what each mode reads.
        color: uses a terminal's colours.
        width: columns of the output.
    """

    show_plan: bool = False
    color: bool = False
    width: int = 80
