"""Lines, colors, tables and folded variables of the text format.

Names in files and code are not to be trusted. All text goes through :func:`wrapped` or
:func:`table`, which escape it; nothing else does.
"""

import textwrap
from typing import Dict, List, Sequence, Tuple

from tabulate import tabulate

from ..groups import fold
from ..sanitize import printable
from .options import Options

_COLORS = {"error": "31;1", "warning": "33;1", "note": "36", "good": "32;1"}
_SHORTEST_NAME = 16
"""A name in a table keeps so many characters, even where the line becomes too long."""
_NUMBERS = ("step", "on disk", "size")
_PADDING = 2
"""What tabulate adds to the width of a header, and what stands between columns."""
_LONGEST_TEXT = 2000


def wrapped(text: str, options: Options, indent: str = "", hang: str = "  ") -> str:
    """A text, escaped, in lines of the width that there is.

    Args:
        text: one paragraph.
        options: the form of the report.
        indent: what stands before the first line; the others are as far to the right.
        hang: what stands before each line but the first, after that.
    """
    return textwrap.fill(
        printable(text, _LONGEST_TEXT),
        options.width,
        initial_indent=indent,
        subsequent_indent=" " * len(indent) + hang,
        break_long_words=False,
        break_on_hyphens=False,
    )


def painted(text: str, color: str, options: Options) -> str:
    """A text that was laid out, in a color where there are colors."""
    return f"\x1b[{_COLORS[color]}m{text}\x1b[0m" if options.color else text


def tagged(severity: str, rule: str, title: str, options: Options) -> str:
    """The headline of a group of findings."""
    tag = f"{severity}[{rule}]"
    return painted(tag, severity, options) + wrapped(f"{tag} {title}", options)[len(tag) :]


def table(rows: Sequence[Sequence[str]], headers: Sequence[str], width: int, names: int = 0) -> str:
    """A table of escaped texts. If it is too wide, one column is cut: a long name keeps its end.

    Args:
        rows: of texts.
        headers: one for each column.
        width: columns of the output.
        names: which column has the names.
    """
    rows = [[printable(cell, _LONGEST_TEXT) for cell in row] for row in rows]
    others = sum(
        max([len(header) + _PADDING, *(len(row[column]) for row in rows)]) + _PADDING
        for column, header in enumerate(headers)
        if column != names
    )
    most = max(_SHORTEST_NAME, width - others)
    short = [[*row[:names], _ending(row[names], most), *row[names + 1 :]] for row in rows]
    align = ["right" if header in _NUMBERS else "left" for header in headers]
    return tabulate(short, list(headers), tablefmt="simple", disable_numparse=True, colalign=align)


def _ending(name: str, most: int) -> str:
    return name if len(name) <= most else "…" + name[len(name) - most + 1 :]


def folded(names: Sequence[str], slots: Dict[str, str]) -> List[Tuple[str, Tuple[str, ...]]]:
    """Lines for variables: those that differ in one number together, and slots with their owner.

    Args:
        names: of variables that are alike, none of them a slot.
        slots: slots, each with the variable that it belongs to.

    Returns:
        Labels such as ``layer_{0..3}/kernel (x4) + 8 slots``, with all the names that they stand
        for.
    """
    own: Dict[str, List[str]] = {}
    for slot, owner in slots.items():
        own.setdefault(owner, []).append(slot)
    lines = []
    for label, members in fold(names):
        mine = [slot for member in members for slot in sorted(own.get(member, ()))]
        times = f" (x{len(members)})" if len(members) > 1 else ""
        lines.append((label + times + _slots_text(len(mine)), (*members, *mine)))
    return lines


def _slots_text(count: int) -> str:
    if not count:
        return ""
    return f" + {count} slot" + ("" if count == 1 else "s")
