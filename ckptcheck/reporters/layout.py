"""Lines, colors, tables and folded variables of the text format.

Names in files and code are untrusted, so all text must go through :func:`wrapped` or :func:`table`,
which escape it.
"""

import os
import re
import textwrap
from typing import Dict, List, Sequence, Tuple, TypeVar

from ..groups import fold
from ..sanitize import printable
from .options import Options
from .words import times_text

T = TypeVar("T")

_COLORS = {"error": "31;1", "warning": "33;1", "note": "36", "good": "32;1", "bold": "1"}
_SHORTEST_NAME = 16
"""The least number of characters of a name in a table, even if the line becomes too long."""
_NUMBERS = ("step", "on disk", "size")
_COLOR = re.compile("\x1b\\[\\d*m")
_PADDING = 2
"""The number of spaces that tabulate adds to a header, and that it puts between columns."""
_LONGEST_TEXT = 2000


def wrapped(text: str, options: Options, indent: str = "", hang: str = "  ") -> str:
    """Escapes a text, and wraps it to the width of the output.

    Args:
        text: one paragraph.
        options: the form of the report.
        indent: the text before the first line; the other lines are indented as far.
        hang: more indentation of each line but the first.
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
    """Colors a text that is already laid out, if the output has colors."""
    return f"\x1b[{_COLORS[color]}m{text}\x1b[0m" if options.color else text


def tagged(severity: str, rule: str, title: str, options: Options) -> str:
    """Returns the headline of a group of findings."""
    tag = f"{severity}[{rule}]"
    return painted(tag, severity, options) + wrapped(f"{tag} {title}", options)[len(tag) :]


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Returns texts in aligned columns, without headers. The texts may have colors."""
    cells = [[text.strip() for text in row] for row in rows]
    widths = [max(map(_visible, column)) for column in zip(*cells)]
    lines = (
        "  ".join(text + " " * (width - _visible(text)) for text, width in zip(row, widths))
        for row in cells
    )
    return "\n".join(line.rstrip() for line in lines)


def _visible(text: str) -> int:
    """Returns the width of a text on a terminal."""
    return len(_COLOR.sub("", text))


def table(rows: Sequence[Sequence[str]], headers: Sequence[str], width: int, names: int = 0) -> str:
    """Returns a table of escaped texts.

    If it is too wide, long names lose their beginning, or, if two names would then be equal, as
    much of their middle as possible.

    Args:
        rows: of texts.
        headers: one for each column.
        width: columns of the output.
        names: which column has the names.
    """
    cells = [[printable(cell, _LONGEST_TEXT) for cell in row] for row in rows]
    others = sum(
        max([len(header) + _PADDING, *(len(row[column]) for row in cells)]) + _PADDING
        for column, header in enumerate(headers)
        if column != names
    )
    most = max(_SHORTEST_NAME, width - others)
    short = _distinct([row[names] for row in cells], most)
    for row in cells:
        row[names] = short[row[names]]
    align = ["right" if header in _NUMBERS else "left" for header in headers]
    from tabulate import tabulate  # a check that has no table does without it

    return tabulate(cells, list(headers), tablefmt="simple", disable_numparse=True, colalign=align)


def _distinct(names: Sequence[str], most: int) -> Dict[str, str]:
    """Returns a short text for each name. No two texts are equal if there is a way."""
    begin = os.path.commonprefix(names)  # noqa: RUF071, it compares characters
    common = len(begin) if len(set(names)) > 1 else 0
    texts: Dict[str, str] = {}
    for head in range(most):
        texts = {name: _cut(name, common, head, most) for name in names}
        if len(set(texts.values())) == len(texts):
            return texts
    return texts


def _cut(name: str, common: int, head: int, most: int) -> str:
    """Cuts a name if it is too long.

    Args:
        name: the name.
        common: how many characters all names begin with.
        head: how many characters to keep after these.
        most: how many characters the text may have.
    """
    if len(name) <= most:
        return name
    begin = name[common : common + head]
    begin = f"…{begin}…" if begin and common else f"{begin}…"
    return begin + name[len(name) - max(most - len(begin), 0) :]


def folded(names: Sequence[str], slots: Dict[str, str]) -> List[Tuple[str, Tuple[str, ...]]]:
    """Returns lines for variables. One line joins variables that differ in one number, and slots.

    Args:
        names: of variables that are alike, none of them a slot.
        slots: slots, each with the variable that it belongs to.

    Returns:
        Labels such as ``layer_{0..3}/kernel (x4) + 8 slots``, each with all its names.
    """
    own: Dict[str, List[str]] = {}
    for slot, owner in slots.items():
        own.setdefault(owner, []).append(slot)
    lines = []
    for label, members in fold(names):
        mine = [slot for member in members for slot in sorted(own.get(member, ()))]
        if len(members) > 1:
            label += f" (x{len(members)})"
        if mine:
            label += f" + {times_text(len(mine), 'slot')}"
        lines.append((label, (*members, *mine)))
    return lines


def first_of(items: Sequence[T], most: int) -> Tuple[Sequence[T], int]:
    """Returns the first items, and how many more there are. It never leaves out only one."""
    shown = items if len(items) <= most + 1 else items[:most]
    return shown, len(items) - len(shown)
