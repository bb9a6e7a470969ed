"""The user's command line flags: absl's and ``tf.flags``."""

import sys
from typing import Sequence, Tuple

from .failures import UsageError


def set_command_line(program: str, flags: Sequence[str]) -> None:
    """Makes ``sys.argv`` hold only the user's flags.

    Flags parse it at their first use, which may be while the user's module is imported.
    """
    sys.argv = [program, *flags]


def parse_flags() -> Tuple[str, ...]:
    """Parses absl's flags, as ``app.run`` would have.

    Returns:
        Notes: required flags that were not given. Their value is None.

    Raises:
        UsageError: a flag is unknown or has a wrong value.
    """
    module = sys.modules.get("absl.flags")
    if module is None or module.FLAGS.is_parsed():
        return ()
    values = module.FLAGS
    try:
        rest = values(sys.argv)
    except (module.UnrecognizedFlagError, module.IllegalFlagValueError) as error:
        if len(sys.argv) > 1:
            raise UsageError(f"{error} (in the flags after --)")
        values.mark_as_parsed()
        return (f"the code requires flags that were not given after --: {error}",)
    if len(rest) > 1:
        raise UsageError(f"not a flag: {rest[1]} (only flags are allowed after --)")
    return ()
