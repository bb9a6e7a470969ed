"""Writes records in the training process. No error here may end the training.

Importing this module does not import TensorFlow. It uses the standard library, and TensorFlow when
training code has imported it.
"""

import logging
import os
import sys
from typing import Any, Callable, Dict, List, Optional, Sequence, Union

from ..origins import Origins, texts_in
from ..protocol import TRAIN
from ..tracer.provenance import origins_of
from ..tracer.source_digests import module_name
from ..tracer.user_code import is_user_file
from .estimator import Running, model_fn_of, saved_prefix
from .files import recorded_origins
from .flags import recorded_flags
from .inputs import KnownInputs, known_inputs, recorded_mode, texts_of
from .params import params_type_of, recorded_params
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
        model_fn: the function that builds the model.
        params: its params; None if they are not known.
        step: the global step.
        target: TARGET for checks; by default, the module and name of ``model_fn``.
        redact: the keys of params whose values must not be in the record.
        data_files: files that the code reads, but that neither params nor code name.

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
    """The facts about a model that the training process knows. It looks up each part only once."""

    def __init__(
        self,
        model_fn: Optional[Callable[..., Any]],
        params: Any,
        target: str,
        redact: Sequence[str],
        data_files: Sequence[str],
    ) -> None:
        self._model_fn = model_fn
        self._target = target
        self._given = params
        self._params = recorded_params(params, redact)
        self._params_type = params_type_of(params)
        self._redacted = tuple(redact)
        self._data_files = list(data_files)
        self._origins: Optional[Origins] = None
        self.inputs: Optional[KnownInputs] = None
        self._mode: Optional[RecordedMode] = None

    def look(self, model_dir: str = "") -> Origins:
        """Reads the sources and the files that the code reads, at the first call.

        Args:
            model_dir: a directory whose files do not count.
        """
        import tensorflow
        from tensorflow.compat.v1 import get_default_graph

        if self._origins is None:
            module = module_of(self._model_fn)
            names = [*texts_in(self._params.values), *texts_of(get_default_graph())]
            files = self._data_files
            found = origins_of(tensorflow, module, names, (), files, model_dir)
            self._origins = recorded_origins(found, self._given, self._params)
        return self._origins

    def _flag_modules(self) -> List[str]:
        """Returns the modules whose flags count. The flags of a script have its path."""
        modules = [
            name
            for name, module in list(sys.modules.items())
            if is_user_file(getattr(module, "__file__", None))
        ]
        path = getattr(sys.modules["__main__"], "__file__", None)
        sources = {source.module for source in self.look().sources}
        is_script = path is not None and module_name("__main__", path) in sources
        return [*modules, sys.argv[0]] if is_script else modules

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
            params=None if self._given is None else self._params,
            flags=recorded_flags(self._flag_modules(), self._redacted),
            modes=modes,
        )


class Warner:
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


class Saving:
    """The records of one training run.

    Args:
        params: the params; None for those of the Estimator.
        model_fn: the model_fn; None for that of the Estimator.
        target: as for :func:`write_record`.
        redact: the same.
        data_files: the same.
    """

    def __init__(
        self,
        params: Any,
        model_fn: Optional[Callable[..., Any]],
        target: str,
        redact: Sequence[str],
        data_files: Sequence[str],
    ) -> None:
        self._params = params
        self._model_fn = model_fn
        self._given = (target, tuple(redact), tuple(data_files))
        self._training: Optional[Training] = None

    def begin(self, run: Running) -> None:
        """Looks at a run that starts to train."""
        params, model_fn = self._params, self._model_fn
        if run.estimator is not None:
            params = run.estimator.params if params is None else params
            model_fn = model_fn or model_fn_of(run.estimator)
        self._training = Training(model_fn, params, *self._given)
        if run.estimator is not None:
            self._training.inputs = known_inputs(run.features, run.labels)
        self._training.look(str(run.savers[0]._checkpoint_dir))

    def after_save(self, graph: Any, saver: Any, step: int) -> None:
        """Writes the record of the checkpoint that was saved."""
        assert self._training is not None
        prefix = saved_prefix(saver, step)
        self._training.note_graph(graph, prefix)
        write(prefix, self._training.record(prefix, step))
        remove_orphans(os.path.dirname(prefix))
