"""The hook and the listener that write records in training. This module imports TensorFlow."""

from typing import Any, Callable, Optional, Sequence

from tensorflow.compat.v1.train import (
    CheckpointSaverHook,
    CheckpointSaverListener,
    SessionRunHook,
)

from .estimator import running, saver_of
from .training import Saving, Warner


class _Recorder:
    """What the hook and the listener share. :class:`RecordHook` describes the arguments."""

    def __init__(
        self,
        params: Any = None,
        model_fn: Optional[Callable[..., Any]] = None,
        *,
        target: str = "",
        redact: Sequence[str] = (),
        data_files: Sequence[str] = (),
    ) -> None:
        self._warner = Warner()
        self._saving = Saving(params, model_fn, target, redact, data_files)

    def begin(self) -> None:
        """Looks at the training run, before its session is made."""
        self._warner.attempt(self._begin)

    def _begin(self) -> None:
        raise NotImplementedError


class RecordHook(_Recorder, SessionRunHook):  # type: ignore[misc]
    """Writes a record beside each checkpoint that a training run saves.

    ::

        estimator.train(input_fn, hooks=[ckptcheck.RecordHook()])

    It works in the hooks of ``Estimator.train``, ``TrainSpec`` and ``MonitoredTrainingSession``. In
    a cluster, each process can have it: the chief saves the checkpoints and writes the records.

    It removes the records of checkpoints that are deleted. If a record cannot be written, it logs
    one warning, and training goes on.

    Args:
        params: the params; by default, those of the Estimator.
        model_fn: the function that builds the model; by default, that of the Estimator.
        target: TARGET for checks; by default, the module and name of the model_fn.
        redact: the keys of params whose values must not be in the record.
        data_files: files that the code reads, but that neither params nor code name.
    """

    def _begin(self) -> None:
        found = running(self, CheckpointSaverHook)
        if found is None:
            raise ValueError("RecordHook belongs in the hooks of a training run")
        if found.savers:
            self._saving.begin(found)
        for saver in found.savers:
            listener = _Listener(saver, self._saving, self._warner)
            saver._listeners = [listener, *saver._listeners]


class RecordListener(_Recorder, CheckpointSaverListener):  # type: ignore[misc]
    """Writes the same records as :class:`RecordHook`, and takes the same arguments.

    ::

        estimator.train(input_fn, saving_listeners=[ckptcheck.RecordListener()])
    """

    _listener: "Optional[_Listener]" = None

    def _begin(self) -> None:
        saver = saver_of(self)
        found = running(saver, CheckpointSaverHook) if saver is not None else None
        if found is None:
            raise ValueError("RecordListener belongs in the saving_listeners of a training run")
        self._saving.begin(found)
        self._listener = _Listener(saver, self._saving, self._warner)

    def after_save(self, session: Any, global_step_value: Any) -> None:
        """Writes the record of a checkpoint that was saved."""
        if self._listener is not None:
            self._listener.after_save(session, global_step_value)


class _Listener(CheckpointSaverListener):  # type: ignore[misc]
    """Writes a record at each save."""

    def __init__(self, saver: Any, saving: Saving, warner: Warner) -> None:
        self._saver = saver
        self._saving = saving
        self._warner = warner

    def after_save(self, session: Any, global_step_value: Any) -> None:
        step = int(global_step_value)
        self._warner.attempt(self._saving.after_save, session.graph, self._saver, step)
