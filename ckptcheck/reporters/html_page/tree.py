"""The tree of variables: by scope, foldable, with the slots of a variable below it."""

import dataclasses
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple, Union
from xml.etree.ElementTree import Element

from ...results import natural_key
from ..words import times_text
from .markup import Child, e

_DEEPEST = 24
"""The most nested scopes. A hostile name may consist of slashes."""
_MOST_ROWS = 20000
_MOST_OPEN = 150
"""The most variables that are visible at first."""

PROBLEM = "problem"
"""The state of variables that a warning or an error is about."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """One variable.

    Attributes:
        name: its full name.
        cells: what stands beside the name.
        states: the states by which the filter finds it.
        tone: the severity of the worst finding about it; "" for none.
    """

    name: str
    cells: Tuple[Child, ...]
    states: Tuple[str, ...] = ()
    tone: str = ""


@dataclasses.dataclass
class _Leaf:
    """A variable in its scope."""

    label: str
    entry: Entry
    slots: List[Entry]

    @property
    def all(self) -> Iterator[Entry]:
        """The variable and its slots."""
        yield self.entry
        yield from self.slots


@dataclasses.dataclass
class _Scope:
    """A part of names, with the variables and scopes below it by their labels."""

    label: str
    scopes: Dict[str, "_Scope"] = dataclasses.field(default_factory=dict)
    below: List[Union["_Scope", _Leaf]] = dataclasses.field(default_factory=list)

    def scope(self, label: str) -> "_Scope":
        """Returns the scope with this label, a new one if there is none."""
        if label not in self.scopes:
            self.scopes[label] = _Scope(label)
            self.below.append(self.scopes[label])
        return self.scopes[label]

    @property
    def all(self) -> Iterator[Entry]:
        """Everything below the scope."""
        for item in self.below:
            yield from item.all


@dataclasses.dataclass(frozen=True)
class Columns:
    """What a tree shows.

    Attributes:
        kind: the class of the tree, which decides the widths of its columns.
        headers: the headers of the cells beside the name.
        states: the states of the filter, each with its label.
    """

    kind: str
    headers: Tuple[str, ...]
    states: Mapping[str, str]


def tree(
    entries: Sequence[Entry], slots: Mapping[str, str], columns: Columns, id_: str
) -> Iterator[Element]:
    """Yields the elements of a tree: the filter, the headers, the tree, and what was left out.

    Args:
        entries: all variables. If there are very many, those without a problem are left out.
        slots: the variable of each slot.
        columns: what the tree shows.
        id_: distinguishes the trees of a page.
    """
    kept = _first(entries)
    root = _root(kept, slots)
    yield _tools(kept, columns, id_)
    heads = [e("span", header) for header in ("variable", *columns.headers)]
    yield e("div", heads, class_="row heads", aria_hidden="true")
    least = 0 if len(kept) <= _MOST_OPEN else _least(root)
    yield e(
        "ul",
        _items(root, least, len(root.below) == 1),
        class_=f"tree {columns.kind}",
        aria_label="variables",
    )
    yield e("p", "No variable matches.", class_="none", hidden=True)
    if len(kept) < len(entries):
        more = times_text(len(entries) - len(kept), "more variable")
        yield e("p", f"and {more} without a problem; --format json has all", class_="quiet")


def _first(entries: Sequence[Entry]) -> Sequence[Entry]:
    if len(entries) <= _MOST_ROWS:
        return entries
    worst_first = sorted(entries, key=lambda item: PROBLEM not in item.states)
    return worst_first[:_MOST_ROWS]


def _root(entries: Sequence[Entry], slots: Mapping[str, str]) -> _Scope:
    kept = {entry.name for entry in entries}
    owned: Dict[str, List[Entry]] = {}
    own: List[Entry] = []
    for entry in sorted(entries, key=lambda item: natural_key(item.name)):
        owner = slots.get(entry.name, "")
        if owner in kept and owner not in slots:
            owned.setdefault(owner, []).append(entry)
        else:
            own.append(entry)
    root = _Scope("")
    for entry in own:
        *path, label = entry.name.split("/", _DEEPEST)
        scope = root
        for part in path:
            scope = scope.scope(part)
        scope.below.append(_Leaf(label, entry, owned.get(entry.name, [])))
    return root


def _joined(scope: _Scope) -> _Scope:
    """Joins a scope with its only child if that is a scope, so that both take one line."""
    while len(scope.below) == 1 and isinstance(scope.below[0], _Scope):
        only = scope.below[0]
        scope = _Scope(f"{scope.label}/{only.label}", only.scopes, only.below)
    return scope


_RANKS = {"": 0, "note": 0, "warning": 1, "error": 2}


def _least(root: _Scope) -> int:
    """Returns the least rank of an entry that unfolds the scopes around it."""
    ranks = (_RANKS["warning"], _RANKS["error"])
    return next((rank for rank in ranks if _visible(root, rank) <= _MOST_OPEN), max(ranks) + 1)


def _rank(entries: Iterator[Entry]) -> int:
    return max((_RANKS[entry.tone] for entry in entries), default=0)


def _visible(scope: _Scope, least: int) -> int:
    count = 0
    for item in scope.below:
        count += 1
        if isinstance(item, _Scope) and _rank(item.all) >= least:
            count += _visible(item, least)
    return count


def _items(scope: _Scope, least: int, unfolds: bool = False) -> Iterator[Element]:
    """Yields an item for everything below a scope.

    Args:
        scope: the scope.
        least: the rank that something below a scope must have to unfold it.
        unfolds: whether to unfold each scope directly below, whatever is in it.
    """
    for item in scope.below:
        if isinstance(item, _Leaf):
            yield _leaf(item)
            continue
        below = _joined(item)
        entries = list(below.all)
        label = e("b", below.label or '""', "/")
        head = e("summary", label, e("small", f" {len(entries):,}"), _badges(entries))
        is_open = unfolds or _rank(iter(entries)) >= least
        yield e("li", e("details", head, e("ul", _items(below, least)), open=is_open))


def _leaf(leaf: _Leaf) -> Element:
    if not leaf.slots:
        return _row(leaf.entry, leaf.label)
    count = e("small", " " + times_text(len(leaf.slots), "slot"), _badges(leaf.slots))
    head = e("summary", _cells(leaf.entry, leaf.label, count), class_="row")
    slots = [_row(slot, _slot_label(slot.name, leaf.entry.name)) for slot in leaf.slots]
    return e("li", e("details", head, e("ul", slots)), class_=_classes(leaf.entry, "v"))


def _slot_label(name: str, owner: str) -> str:
    """Returns the name of a slot without the name of its variable, if it begins with it."""
    return name[len(owner) + 1 :] if name.startswith(owner + "/") else name


def _row(entry: Entry, label: str) -> Element:
    return e("li", _cells(entry, label), class_=_classes(entry, "v row"))


def _cells(entry: Entry, label: str, *more: Child) -> Iterator[Element]:
    yield e("span", label or '""', *more)
    for cell in entry.cells:
        yield cell if isinstance(cell, Element) else e("span", cell)


def _classes(entry: Entry, kind: str) -> str:
    return " ".join(filter(None, (kind, entry.tone, *entry.states)))


def _badges(entries: Sequence[Entry]) -> Iterator[Element]:
    """Yields how many errors and warnings there are among variables."""
    for tone in ("error", "warning"):
        count = sum(entry.tone == tone for entry in entries)
        if count:
            yield e("em", " " + times_text(count, tone), class_=tone)


def _tools(entries: Sequence[Entry], columns: Columns, id_: str) -> Element:
    """Returns the controls that filter and fold the tree. They are hidden until the script runs."""
    counts = {state: sum(state in item.states for item in entries) for state in columns.states}
    choices: List[Any] = [_choice("", "all", len(entries), id_, checked=True)]
    choices += [
        _choice(state, label, counts[state], id_) for state, label in columns.states.items()
    ]
    search = e(
        "input",
        type="search",
        placeholder="name of a variable",
        autocomplete="off",
        spellcheck="false",
    )
    return e(
        "div",
        e("label", e("span", "Search"), search, e("kbd", "/", aria_hidden="true"), class_="search"),
        e("fieldset", e("legend", "Show"), choices) if columns.states else None,
        e("output", times_text(len(entries), "variable"), aria_live="polite"),
        e("button", "Unfold all", type="button", data_fold="open"),
        e("button", "Fold all", type="button", data_fold=""),
        class_="tools",
        hidden=True,
    )


def _choice(state: str, label: str, count: int, id_: str, checked: bool = False) -> Element:
    box = e(
        "input", type="radio", name=f"{id_}state", value=state, checked=checked, disabled=not count
    )
    return e("label", box, e("span", label, " ", e("small", f"{count:,}")))
