"""Texts that others wrote, such as names in files, so that a terminal shows them and no more."""

import re

_LONG_WORD = re.compile(r"\S{201,}")
_HEAD, _TAIL = 80, 60


def shortened(text: str) -> str:
    """A text with its very long words cut in the middle: a name of 10 kB says little.

    What is left of different words differs.
    """
    return _LONG_WORD.sub(_shortened_word, text)


def _shortened_word(match: "re.Match[str]") -> str:
    word = match.group()
    import hashlib  # it loads OpenSSL, and such words are rare

    mark = hashlib.sha256(word.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{word[:_HEAD]}…[{len(word)}:{mark}]…{word[-_TAIL:]}"


def escaped(text: str) -> str:
    """A text without anything that moves a cursor, reorders what is beside it, or is not seen."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def harmless_lines(text: str) -> str:
    """What another program printed: its lines stay lines, and nothing in it steers a terminal."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(escaped(line.replace("\t", "    ")) for line in lines)


def printable(text: str, most: int = 300) -> str:
    """A name from an untrusted file as one harmless piece of a line."""
    safe = escaped(text)
    return safe if len(safe) <= most else safe[: most - 1] + "…"
