"""Makes untrusted text, such as names in files, safe to show in a terminal."""

import re

_LONG_WORD = re.compile(r"\S{201,}")
_HEAD, _TAIL = 80, 60


def shortened(text: str) -> str:
    """Cuts very long words in the middle. Different words still differ."""
    return _LONG_WORD.sub(_shortened_word, text)


def _shortened_word(match: "re.Match[str]") -> str:
    word = match.group()
    import hashlib  # it loads OpenSSL, and such words are rare

    mark = hashlib.sha256(word.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{word[:_HEAD]}…[{len(word)}:{mark}]…{word[-_TAIL:]}"


def escaped(text: str) -> str:
    """Escapes characters that control a terminal, change the order of text, or are invisible."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def harmless_lines(text: str) -> str:
    """Escapes the output of another program, and keeps its lines."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(escaped(line.replace("\t", "    ")) for line in lines)


def printable(text: str, most: int = 300) -> str:
    """Escapes untrusted text, and cuts it to a number of characters."""
    safe = shortened(escaped(text))
    return safe if len(safe) <= most else safe[: most - 1] + "…"
