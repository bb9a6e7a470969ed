"""Sizes, ages and counts as people write them."""


def bytes_text(size: float) -> str:
    """A size as people write it: ``12.3 KiB``."""
    if size == 1:
        return "1 byte"
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def age_text(seconds: float) -> str:
    """How long ago something was, in its largest unit."""
    if seconds < 0:
        return "just now" if seconds > -60 else "in the future"
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = int(seconds // length)
        if count:
            return "{} {}{} ago".format(count, unit, "" if count == 1 else "s")
    return "just now"


def times_text(count: int, noun: str) -> str:
    """A count and what is counted: ``1 tensor``, ``2,000 tensors``."""
    return "{:,} {}{}".format(count, noun, "" if count == 1 else "s")
