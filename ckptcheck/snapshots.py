"""Small copies of a model_dir without its data."""

from typing import List

from .checkpoint.examine import examine
from .checkpoint.locate import locate
from .checkpoint.remote import at_hand, is_remote
from .checkpoint.snapshot import write_snapshot
from .errors import UsageError
from .file_facts import latest_names


def snapshot(model_dir: str, out: str) -> List[str]:
    """Writes a small copy of a model_dir without its data, which serves as MODEL_DIR in checks.

    Returns:
        The names of the files in it.

    Raises:
        UsageError: there is no checkpoint that can be copied, or ``out`` is there already.
    """
    if is_remote(out):
        raise UsageError(f"OUT {out} is remote; expected a local directory, to be copied there")
    with at_hand(model_dir) as place:
        return _snapshot(place.path, out)


def _snapshot(model_dir: str, out: str) -> List[str]:
    located = locate(model_dir)
    if not located.exists:
        raise UsageError(
            f"Estimator loads no checkpoint from {model_dir}, so that there is nothing to make a "
            f"snapshot of: name one of {latest_names(located)}"
        )
    examined = examine(located.prefix)
    if examined.bundle is None:
        raise UsageError(f"no snapshot can be made: {examined.problem}")
    return write_snapshot(examined.bundle, out)
