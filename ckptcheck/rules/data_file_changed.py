"""A file that the code reads has changed since the checkpoint was saved.

The record of the checkpoint has digests of files that the code reads, such as a vocabulary.
ckptcheck finds their paths in the params, the flags, the global variables of the project's modules
and the graph, and takes those that you name in ``data_files``. It compares small text files line by
line. If words of a vocabulary are on other lines than before, they have other ids, and the model
gives wrong predictions without an error. Such a change is a warning. Other changes are notes. If
the file is outside of the project and only the record names it, ckptcheck does not show its lines.

What to do: restore the file of the training run. If only training reads the file, do nothing.
"""

import collections
from dataclasses import replace
from typing import Iterator, List, NamedTuple, Sequence

from ..origins import DataContent
from ..results import Finding
from .base import Facts, Rule, finding, some_names
from .examples import NOW, with_record


def find(facts: Facts) -> Iterator[Finding]:
    """Finds files that the code reads and whose content differs from the record."""
    if facts.record is None or facts.origins is None:
        return
    now = {content.path: content for content in facts.origins.data_files}
    for then in facts.record.origins.data_files:
        content = now.get(then.path)
        if content is None or _is_unread(then) or _same(then, content):
            continue
        words = _words_changed(then, content)
        shows = then.path not in facts.origins.private
        yield finding(
            f"{then.path}: {_text(then, content, words, shows)}",
            severity="warning" if words.moves_ids else "note",
            subject=then.path,
            data={
                "file": then.path,
                "added": words.added if shows else None,
                "removed": words.removed if shows else None,
                "reordered": words.reordered,
                "content": f"{content.size}:{content.digest[:12]}",
            },
        )


def _is_unread(content: DataContent) -> bool:
    return not content.digest and not content.size


def _same(then: DataContent, now: DataContent) -> bool:
    """Whether two contents are the same, as far as they were read."""
    if then.size != now.size or _is_unread(now):
        return False
    return then.digest == now.digest or not (then.digest and now.digest)


class _Words(NamedTuple):
    """How the lines of a vocabulary changed.

    Attributes:
        added: the lines that are new.
        removed: the lines that are gone.
        reordered: whether the lines that stay have another order.
        moves_ids: whether a word of a vocabulary has another id now.
    """

    added: List[str]
    removed: List[str]
    reordered: bool
    moves_ids: bool


_NO_WORDS = _Words([], [], False, False)


def _words_changed(then: DataContent, now: DataContent) -> _Words:
    if then.words is None or now.words is None:
        return _NO_WORDS
    old, new = collections.Counter(then.words), collections.Counter(now.words)
    removed, added = list((old - new).elements()), list((new - old).elements())
    stayed = [word for word in then.words if word in new], [w for w in now.words if w in old]
    is_vocabulary = len(old) == len(then.words)
    moves_ids = is_vocabulary and tuple(now.words[: len(then.words)]) != then.words
    return _Words(added, removed, (not added and not removed) or stayed[0] != stayed[1], moves_ids)


def _text(then: DataContent, now: DataContent, words: _Words, shows: bool) -> str:
    if _is_unread(now):
        return "the file is missing, or it cannot be read"
    parts = [
        f"{_counted(words.added, shows)} added" if words.added else "",
        f"{_counted(words.removed, shows)} removed" if words.removed else "",
        "the lines are in another order" if words.reordered else "",
    ]
    said = ", ".join(part for part in parts if part)
    return said or f"its content changed ({then.size} bytes then, {now.size} bytes now)"


def _counted(words: Sequence[str], shows: bool) -> str:
    count = "1 line" if len(words) == 1 else f"{len(words)} lines"
    return f"{count} ({some_names([repr(word[:50]) for word in words])})" if shows else count


def _with(*words: str) -> DataContent:
    return DataContent("vocabulary.txt", sum(map(len, words)), "-".join(words), words)


RULE = Rule(
    severity="warning",
    category="data",
    find=find,
    title="1 file that the code reads changed since the checkpoint was saved",
    titles="{} files that the code reads changed since the checkpoint was saved",
    good=lambda: with_record(
        replace(NOW, data_files=(_with("a", "b"),)), replace(NOW, data_files=(_with("a", "b"),))
    ),
    bad=lambda: with_record(
        replace(NOW, data_files=(_with("a", "b"),)), replace(NOW, data_files=(_with("b", "c"),))
    ),
)
