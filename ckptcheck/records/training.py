"""Writes records in the training process. No error here may end the training.

Importing this module does not import TensorFlow. It uses the standard library, and TensorFlow when
training code has imported it.
"""

import functools
import logging
import os
from typing import Any, Callable, Dict, Optional, Sequence, Union

from ..origins import Origins
from ..protocol import TRAIN
from ..tracer.data_contents import texts_in
from ..tracer.provenance import origins_of
from .estimator import running_estimator, step_prefix
from .inputs import KnownInputs, known_inputs, recorded_mode, texts_of
from .params import as_mapping, params_type_of, recorded_params
from .targets import module_of, target_of
from .value import TRAINING, Record, RecordedMode
from .writer import index_digest, remove_orphans, write

_LOGGER = logging.getLogger("ckptcheck")


def write_record(
    prefix: Union[str, "os.PathLike[str]"],
    model_fn: Callable[..., Any],
    params: Any = None,
    *,
    step: Optional[int] = None,
    target: str = "",
    redact: Sequence[str] = (),
    data_files: Sequence[str] = (),
) -> str:
    """Writes the record of a checkpoint that this process has saved.

    Args:
        prefix: the checkpoint, such as ``runs/base/model.ckpt-1000``.
        model_fn: the model_fn.
        params: its params.
        step: the global step.
        target: TARGET for checks; by default, the module and name of ``model_fn``.
        redact: the keys of params whose values must not be in the record.
        data_files: data files that neither params nor code name.

    Returns:
        The path of the record.

    Raises:
        FileNotFoundError: there is no such checkpoint.
        OSError: the record cannot be written.
    """
    prefix = os.fspath(prefix)
    if not os.path.isfile(prefix + ".index"):
        raise FileNotFoundError(
            f"there is no checkpoint {prefix}: expected the path without an ending, such as "
            "runs/base/model.ckpt-1000"
        )
    known = Training(model_fn, params, target, redact, data_files)
    return write(prefix, known.record(prefix, step))


class Training:
    """What the training process knows about a model. It finds out each thing once."""

    def __init__(
        self,
        model_fn: Callable[..., Any],
        params: Any,
        target: str,
        redact: Sequence[str],
        data_files: Sequence[str],
    ) -> None:
        self._model_fn = model_fn
        self._target = target
        self._params = recorded_params(params, redact)
        self._params_type = params_type_of(params)
        self._texts = list(texts_in(dict(as_mapping(params))))
        self._data_files = list(data_files)
        self._origins: Optional[Origins] = None
        self.inputs: Optional[KnownInputs] = None
        self._mode: Optional[RecordedMode] = None

    def look(self, model_dir: str = "") -> Origins:
        """Reads sources and data files, at the first call.

        Args:
            model_dir: a directory whose files do not count as data files.
        """
        import tensorflow
        from tensorflow.compat.v1 import get_default_graph

        if self._origins is None:
            module = module_of(self._model_fn)
            names = [*self._texts, *texts_of(get_default_graph())]
            files = self._data_files
            self._origins = origins_of(tensorflow, module, names, (), files, model_dir)
        return self._origins

    def note_graph(self, graph: Any, prefix: str) -> None:
        """Keeps the inputs of TRAIN, at the first call.

        It also keeps the graph if the saver does not write it beside the checkpoint.

        Args:
            graph: the graph of the session.
            prefix: a checkpoint that was saved.
        """
        if self.inputs is not None and self._mode is None:
            keeps_graph = not os.path.exists(prefix + ".meta")
            self._mode = recorded_mode(graph, self.inputs, keeps_graph)

    def record(self, prefix: str, step: Optional[int]) -> Record:
        """Returns the record of a checkpoint.

        Raises:
            OSError: the index of the checkpoint cannot be read.
        """
        from .. import __version__

        modes: Dict[str, RecordedMode] = {TRAIN: self._mode} if self._mode is not None else {}
        return Record(
            checkpoint=os.path.basename(prefix),
            step=step,
            index_digest=index_digest(prefix),
            writer=TRAINING,
            ckptcheck=__version__,
            origins=self.look(os.path.dirname(prefix)),
            target=self._target or target_of(self._model_fn),
            params_type=self._params_type,
            params=self._params,
            modes=modes,
        )


def record_listener(
    model_fn: Callable[..., Any],
    params: Any = None,
    *,
    model_dir: str = "",
    target: str = "",
    redact: Sequence[str] = (),
    data_files: Sequence[str] = (),
) -> Any:
    """Returns a CheckpointSaverListener that writes a record beside each checkpoint.

    ::

        estimator.train(
            input_fn, saving_listeners=[ckptcheck.record_listener(model_fn, params)]
        )

    It removes the records of checkpoints that are deleted. If a record cannot be written, it logs
    one warning, and training goes on.

    Args:
        model_fn: the model_fn.
        params: its params.
        model_dir: where the checkpoints are; by default, the model_dir of the Estimator.
        target: TARGET for checks; by default, the module and name of ``model_fn``.
        redact: the keys of params whose values must not be in the record.
        data_files: data files that neither params nor code name.
    """
    from tensorflow.compat.v1.train import CheckpointSaverListener

    warner = _Warner()
    given = (target, redact, data_files)
    saving = _Saving(functools.partial(Training, model_fn, params, *given), model_dir)

    class RecordListener(CheckpointSaverListener):  # type: ignore[misc]
        """Writes a record at each save."""

        def begin(self) -> None:
            warner.attempt(saving.begin)

        def after_save(self, session: Any, global_step_value: Any) -> None:
            warner.attempt(saving.after_save, session.graph, int(global_step_value))

    return RecordListener()


class _Warner:
    """Turns all errors into one warning."""

    def __init__(self) -> None:
        self._warned = False

    def attempt(self, act: Callable[..., object], *arguments: Any) -> None:
        """Calls a function. If it raises an exception, logs a warning, but only the first time."""
        try:
            act(*arguments)
        except Exception as error:  # a record is never worth a training run
            if not self._warned:
                self._warned = True
                text = "ckptcheck: no record of the checkpoint was written (%s: %s)"
                _LOGGER.warning(text, type(error).__name__, error)


class _Saving:
    """The records of one training run."""

    def __init__(self, make: Callable[[], Training], model_dir: str) -> None:
        self._make = make
        self._given = os.fspath(model_dir)
        self._training: Optional[Training] = None
        self._model_dir = ""

    def begin(self) -> None:
        """Looks at the Estimator that starts to train."""
        running = running_estimator()
        self._model_dir = self._given or (running.model_dir if running is not None else "")
        self._training = self._make()
        if running is not None:
            self._training.inputs = known_inputs(running.features, running.labels)
        self._training.look(self._model_dir)

    def after_save(self, graph: Any, step: int) -> None:
        """Writes the record of the checkpoint that was saved."""
        if self._training is None:
            self.begin()
        assert self._training is not None
        prefix = step_prefix(self._model_dir, step)
        self._training.note_graph(graph, prefix)
        write(prefix, self._training.record(prefix, step))
        remove_orphans(os.path.dirname(prefix))
