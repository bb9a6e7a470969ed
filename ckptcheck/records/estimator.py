"""Finds the running training: the session, its savers, and the Estimator."""

import os
import sys
from types import FrameType
from typing import Any, Iterator, NamedTuple, Optional, Tuple

from ..tracer.user_code import is_user_file

_MOST_FRAMES = 100


class Running(NamedTuple):
    """A training run.

    Attributes:
        savers: the hooks that save checkpoints; none in a worker that is not the chief.
        estimator: the Estimator that trains; None if there is none.
        features: what its input_fn returned.
        labels: the labels that its input_fn returned; None if there are none.
    """

    savers: Tuple[Any, ...]
    estimator: Any = None
    features: Any = None
    labels: Any = None


def running(hook: Any, saver_type: type) -> Optional[Running]:
    """Returns the training run whose session calls ``begin`` of a hook.

    TensorFlow does not tell a hook who has called it. Each version from 1.15 on has the hooks in an
    attribute of the session, and features and labels in the local variables of one function of
    Estimator.

    Args:
        hook: the hook.
        saver_type: the type of hooks that save checkpoints.

    Returns:
        None if no session has called ``begin``.
    """
    found: Optional[Running] = None
    for frame in _callers():
        names = frame.f_locals
        caller = names.get("self")
        hooks: Any = getattr(caller, "_hooks", None)
        is_session = isinstance(hooks, (list, tuple)) and any(one is hook for one in hooks)
        if found is None and is_session:
            found = Running(tuple(one for one in hooks if isinstance(one, saver_type)))
        elif "features" in names and "labels" in names and hasattr(caller, "_call_model_fn"):
            features, labels = names["features"], names["labels"]
            return found and found._replace(estimator=caller, features=features, labels=labels)
    return found


def saver_of(listener: Any) -> Any:
    """Returns the hook that saves checkpoints and calls ``begin`` of a listener; None if none."""
    for frame in _callers():
        caller = frame.f_locals.get("self")
        listeners: Any = getattr(caller, "_listeners", None)
        if isinstance(listeners, (list, tuple)) and any(one is listener for one in listeners):
            return caller
    return None


def _callers() -> Iterator[FrameType]:
    frame: Optional[FrameType] = sys._getframe(1)
    for _ in range(_MOST_FRAMES):
        if frame is None:
            return
        yield frame
        frame = frame.f_back


def model_fn_of(estimator: Any) -> Any:
    """Returns the model_fn that an Estimator was given.

    A TPUEstimator calls it in a function of its own.
    """
    function = estimator._model_fn
    code = getattr(function, "__code__", None)
    if code is None or is_user_file(code.co_filename):
        return function
    held = dict(zip(code.co_freevars, function.__closure__ or ()))
    return held["model_fn"].cell_contents if "model_fn" in held else function


def saved_prefix(saver: Any, step: int) -> str:
    """Returns the checkpoint that a hook has just saved.

    Raises:
        ValueError: the directory is remote, or has no such checkpoint.
    """
    from tensorflow.compat.v1.train import latest_checkpoint

    folder = str(saver._checkpoint_dir)
    if "://" in folder:
        raise ValueError(f"{folder} is remote: records can only be written to local directories")
    for prefix in (latest_checkpoint(folder) or "", f"{saver._save_path}-{step}"):
        number = prefix.rpartition("-")[2]  # some savers add leading zeros
        if number.isdigit() and int(number) == step and os.path.exists(prefix + ".index"):
            return str(prefix)
    raise ValueError(f"{folder} has no checkpoint of step {step}")
