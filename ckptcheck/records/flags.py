"""The command-line flags of a training run (absl, ``tf.flags``)."""

import re
import sys
from typing import Any, Collection, Iterator, Sequence, Tuple

from .params import is_secret

_FLAG = re.compile(r"--(?!flagfile\b|undefok\b)[A-Za-z_][\w.-]*(=.*)?")
"""Flags that may be in a record. ``--flagfile`` is left out, because absl reads the named file."""


def recorded_flags(modules: Collection[str], redacted: Sequence[str]) -> Tuple[str, ...]:
    """Returns the flags whose value is not the default, as arguments.

    Args:
        modules: the modules of the project. The flags of other modules are left out.
        redacted: the names of flags to leave out, besides those that look secret.
    """
    absl: Any = sys.modules.get("absl.flags")
    if absl is None or not absl.FLAGS.is_parsed():
        return ()
    found = [
        text
        for module, flags in absl.FLAGS.flags_by_module_dict().items()
        if module in modules
        for flag in flags
        if flag.value != flag.default and not is_secret(flag.name, flag.value, set(redacted))
        for text in _arguments(flag)
    ]
    return tuple(sorted(found))


def _arguments(flag: Any) -> Iterator[str]:
    """Yields the arguments that give a flag its value; a flag that is a list can need several."""
    lines = str(flag.serialize()).split("\n")
    return iter(lines if all(map(is_flag, lines)) else ())


def undefined_ok(flags: Sequence[str]) -> str:
    """Returns an argument that makes absl accept flags that TARGET does not define.

    The training script, or modules that only the script imports, may define them.
    """
    names = (flag.lstrip("-").partition("=")[0] for flag in flags)
    return f"--undefok={','.join(dict.fromkeys(names))}"


def is_flag(text: str) -> bool:
    """Whether a text is an argument that sets a flag."""
    return _FLAG.fullmatch(text) is not None
