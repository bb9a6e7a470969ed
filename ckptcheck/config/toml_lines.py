"""Finds the line of each key in a TOML document, which parsers of TOML do not tell."""

import re
from typing import Dict, Iterator, List, Tuple, Union

Key = Tuple[Union[str, int], ...]
"""The way to a value: names of keys, and the places of tables in an array."""

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""+'
    r"|'''.*?'''+"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|[\[\]{}=\n]"
    r"|[^\s\[\]{}=#\"']+"
    r"|[^\S\n]+",
    re.DOTALL,
)
_PART = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'|[^.\s]+')


def lines_of(text: str) -> Dict[Key, int]:
    """Returns the line of each table and key of a valid TOML document, counted from 1.

    Keys inside of inline tables are not listed: they are on the line of their table, or near it.
    """
    found: Dict[Key, int] = {}
    table: Key = ()
    counts: Dict[Key, int] = {}
    for number, statement in _statements(text):
        header = re.fullmatch(r"\[(\[)?(.*?)\]?\]", statement, re.DOTALL)
        if header is None:
            found.setdefault(table + _parts(statement.partition("=")[0]), number)
            continue
        table = _placed(_parts(header.group(2)), counts)
        if header.group(1):
            counts[table] = counts.get(table, -1) + 1
            table += (counts[table],)
        found.setdefault(table, number)
    return found


def _placed(parts: Key, counts: Dict[Key, int]) -> Key:
    """Adds the indices of arrays of tables to the path of a table."""
    way: Key = ()
    for part in parts[:-1]:
        way += (part,)
        if way in counts:
            way += (counts[way],)
    return way + parts[-1:]


def _statements(text: str) -> Iterator[Tuple[int, str]]:
    """Yields each header and each ``key =`` with its line."""
    number, depth, start = 1, 0, 1
    pieces: List[str] = []
    in_value = False
    for token in _TOKEN.findall(text):
        if token == "\n" and depth == 0:
            if pieces:
                yield start, "".join(pieces).strip()
            pieces, in_value = [], False
        elif token.startswith("#") or (not pieces and token.isspace()):
            pass
        elif not in_value:
            start = start if pieces else number
            pieces.append(token)
            in_value = token == "="
        elif token in ("[", "{"):
            depth += 1
        elif token in ("]", "}"):
            depth -= 1
        number += token.count("\n")
    if pieces:
        yield start, "".join(pieces).strip()


def _parts(text: str) -> Key:
    return tuple(part.strip("\"'") for part in _PART.findall(text.strip()))
