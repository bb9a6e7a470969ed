"""All differences between the versions of TensorFlow, in one file.

Three things differ for code written for ``tf.estimator``:

* Names. Most code says ``import tensorflow as tf`` and ``tf.layers.dense``, which works only in
  TensorFlow 1. With TensorFlow 2, :func:`use_v1_names` makes ``tensorflow`` mean
  ``tensorflow.compat.v1``, but only for the user's modules.
* TensorFlow 2.16 and later have no ``tf.estimator``. :mod:`.estimator_stand_in` replaces it.
* TensorFlow 2.16 and later use Keras 3. model_fns need Keras 2, which is the package tf_keras.

The report names each part of TensorFlow that was replaced.
"""

import base64
import builtins
import importlib
import os
import sys
import warnings
from typing import Any, Callable, Iterable, List, Optional, Sequence, Tuple

from ..protocol import EVAL, TRAIN
from .failures import UsageError
from .user_code import is_user_file

_FIRST_WITHOUT_ESTIMATOR = (2, 16)
_DISTRIBUTIONS = (
    "tensorflow",
    "tensorflow-cpu",
    "tensorflow-macos",
    "tensorflow-intel",
    "tensorflow-rocm",
    "tf-nightly",
    "tf-nightly-cpu",
)


def import_tensorflow() -> Any:
    """Imports TensorFlow without its log output and, from 2.16 on, with Keras 2.

    Raises:
        UsageError: the interpreter has no TensorFlow, or it cannot be imported.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if _version_before_import() >= _FIRST_WITHOUT_ESTIMATOR:
        os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tensorflow = importlib.import_module("tensorflow")
            version = tensorflow.__version__
            _load_estimator(tensorflow)
            _know_eagerness()
    except ModuleNotFoundError as error:
        if error.name == "tensorflow":
            raise UsageError(_NO_TENSORFLOW.format(sys.executable))
        raise UsageError(_BROKEN_TENSORFLOW.format(sys.executable, error))
    except Exception as error:
        raise UsageError(_BROKEN_TENSORFLOW.format(sys.executable, error))
    tensorflow.compat.v1.logging.set_verbosity("ERROR")
    warnings.filterwarnings("ignore", message=r"`tf\.")  # the warning that tf.layers is deprecated
    if version_of(version) >= _FIRST_WITHOUT_ESTIMATOR:
        from . import estimator_stand_in

        estimator_stand_in.install(tensorflow)
    return tensorflow


def _know_eagerness() -> None:
    """Makes TensorFlow's test faster that decides whether code runs eagerly.

    TensorFlow makes this test for each hash of a variable, and enters contexts each time.
    ``tf.layers`` hashes all variables whenever it makes one, so the time of a trace would grow with
    the square of the number of variables.
    """
    from tensorflow.python.eager import context
    from tensorflow.python.framework import ops

    found_out = ops.executing_eagerly_outside_functions

    def known() -> bool:
        open_question = context.executing_eagerly() or ops.get_default_graph().building_function
        return bool(open_question and found_out())

    ops.executing_eagerly_outside_functions = known


def _load_estimator(tensorflow: Any) -> None:
    """Imports ``tf.estimator``, which TensorFlow 2 imports at its first use.

    Every trace uses it, so importing it once here saves time in each fork. The
    behavior (v1 or v2) is not set yet, but the imported modules do not depend on it.
    """
    if version_of(tensorflow.__version__) < _FIRST_WITHOUT_ESTIMATOR:
        for api in (tensorflow, v1(tensorflow)):
            api.estimator.RunConfig  # noqa: B018


_NO_TENSORFLOW = (
    "{} has no TensorFlow. Install it there (pip install tensorflow), or name the Python that has "
    "it with --python"
)
_BROKEN_TENSORFLOW = "{} cannot import TensorFlow: {}. Name a Python that can with --python"


def _version_before_import() -> Tuple[int, ...]:
    """TensorFlow's version by its metadata: TF_USE_LEGACY_KERAS must be set before the import."""
    if sys.version_info < (3, 9):  # no TensorFlow from 2.16 on runs there
        return (0,)
    from importlib import metadata

    for name in _DISTRIBUTIONS:
        try:
            return version_of(metadata.version(name))
        except metadata.PackageNotFoundError:
            continue
    return (0,)


def version_of(text: str) -> Tuple[int, ...]:
    """Returns ``(2, 15)`` for ``2.15.1``, and ``(0,)`` for text that is not a version."""
    parts = text.split(".")[:2]
    if not all(part.isdigit() for part in parts):
        return (0,)
    return tuple(int(part) for part in parts)


def stood_in(tensorflow: Any) -> Tuple[str, ...]:
    """Returns the parts that are replaced for all code: ``tf.estimator`` if it is missing."""
    if version_of(tensorflow.__version__) < _FIRST_WITHOUT_ESTIMATOR:
        return ()
    return ("tf.estimator: this TensorFlow does not have it",)


def v1(tensorflow: Any) -> Any:
    """TensorFlow's v1 API, under any version."""
    return tensorflow.compat.v1


def run_config(tensorflow: Any, model_dir: str, asked: Callable[[], None]) -> Any:
    """The config of a model_fn, with the session_config that Estimator sets by default.

    Args:
        tensorflow: the module.
        model_dir: the model_dir of the config.
        asked: is called whenever code reads the model_dir of the config or of a copy of it.
    """
    session_config = v1(tensorflow).ConfigProto(allow_soft_placement=True)
    plain: Any = v1(tensorflow).estimator.RunConfig
    config = plain(model_dir=model_dir, session_config=session_config)

    def get(self: Any, name: str) -> Any:
        if name in _HOLD_THE_MODEL_DIR:
            asked()
        return plain.__getattribute__(self, name)

    names = {"__getattribute__": get, "__module__": plain.__module__, "__doc__": plain.__doc__}
    config.__class__ = type(plain.__name__, (plain,), names)
    return config


_HOLD_THE_MODEL_DIR = ("model_dir", "_model_dir", "__dict__")


def graph_of_function(graph: Any, function: Any, shapes: List[Any]) -> Any:
    """A FunctionDef as a GraphDef, in which its arguments are placeholders.

    Args:
        graph: where the functions that it calls are.
        function: the FunctionDef.
        shapes: the shapes of the arguments.
    """
    from tensorflow.python.framework import function_def_to_graph

    plain = type(function)()
    plain.CopyFrom(function)
    for place in plain.arg_attr:
        plain.arg_attr[place].attr.pop("_output_shapes", None)
    with graph.as_default():
        definition, _ = function_def_to_graph.function_def_to_graph_def(plain, shapes)
    for node in definition.node:
        node.attr.pop("_output_shapes", None)
    return definition


def reopen(graph: Any) -> None:
    """Allows ops to be added again to a graph that a Scaffold has finalized.

    TensorFlow has no public function for this. The private name is the same from 1.15 to 2.21.
    """
    graph._unsafe_unfinalize()


def reroute(old: Any, new: Any) -> None:
    """Replaces a tensor in all its consumers, except in the op that makes the new tensor."""
    for op in old.consumers():
        for place, given in enumerate(op.inputs):
            if given is old and op is not new.op:
                op._update_input(place, new)


def set_control_inputs(op: Any, others: Sequence[Any]) -> None:
    """Replaces the control inputs of an op."""
    op._remove_all_control_inputs()
    op._add_control_inputs(others)


def use_behavior(tensorflow: Any, behavior: str) -> None:
    """Switches to reference (``v1``) or resource (``v2``) variables; "" leaves the default."""
    major = version_of(tensorflow.__version__)[0]
    if behavior == "v1" and major >= 2:
        v1(tensorflow).disable_v2_behavior()
    if behavior == "v2" and major < 2:
        v1(tensorflow).enable_v2_behavior()


def use_strategy_variables(tensorflow: Any) -> None:
    """Makes resource variables, as a distribution strategy does under any behavior."""
    v1(tensorflow).enable_resource_variables()


def runs_under_strategy(config: Any, mode: str) -> bool:
    """Whether a RunConfig names a distribution strategy for a mode; PREDICT never has one."""
    name = {TRAIN: "train_distribute", EVAL: "eval_distribute"}.get(mode, "")
    return getattr(config, name, None) is not None


def use_v1_names(tensorflow: Any) -> Tuple[str, ...]:
    """Makes ``tensorflow`` mean ``tensorflow.compat.v1`` in the user's modules.

    Returns:
        What was replaced, in words.
    """
    v1(tensorflow).disable_v2_tensorshape()
    original = builtins.__import__
    compat_v1 = v1(tensorflow)

    def importer(
        name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
    ) -> Any:
        wanted = level == 0 and (name == "tensorflow" or name.startswith("tensorflow."))
        if wanted and globals is not None and is_user_file(globals.get("__file__")):
            swapped = _in_v1(compat_v1, name, fromlist or ())
            if swapped is not None:
                return swapped
        return original(name, globals, locals, fromlist, level)

    builtins.__import__ = importer
    return (
        "tensorflow: the code gets tensorflow.compat.v1",
        "TensorShape: its dimensions are objects with .value, as in TensorFlow 1",
    )


def _in_v1(compat_v1: Any, name: str, fromlist: Tuple[str, ...]) -> Optional[Any]:
    """Returns the module that an import statement gets; None if Python handles the import."""
    if name.startswith(("tensorflow.compat", "tensorflow.python", "tensorflow.core")):
        return None
    found = _member(compat_v1, name.split(".")[1:])
    if found is None:
        return None
    if not fromlist:
        return compat_v1
    return found if all(item == "*" or hasattr(found, item) for item in fromlist) else None


def _member(module: Any, names: Iterable[str]) -> Optional[Any]:
    """Returns the attribute of a module with a dotted name; None if it is missing."""
    for name in names:
        module = getattr(module, name, None)
    return module


def has_v1_name(tensorflow: Any, dotted: str) -> bool:
    """Whether ``tf.compat.v1`` has a dotted name."""
    return _member(v1(tensorflow), dotted.split(".")) is not None


_ADVICE = {
    "contrib": "tf.contrib exists in TensorFlow 1 only; trace with a Python that has TensorFlow 1 "
    "(--python)",
    "python": "tensorflow.python is internal to TensorFlow and differs between versions; trace "
    "with the version that the code runs on (--python)",
}


def advice_for_missing_name(tensorflow: Any, dotted: str) -> str:
    """Returns advice for a name that neither API of this TensorFlow has; "" without advice."""
    return _ADVICE.get(dotted.partition(".")[0], "")


def op_list(tensorflow: Any, names: Iterable[str]) -> str:
    """The definitions of the ops that TensorFlow has, as an OpList in base64."""
    from tensorflow.core.framework import op_def_pb2
    from tensorflow.python.framework import op_def_registry

    get = getattr(op_def_registry, "get", None) or op_def_registry.get_registered_ops().get
    found = op_def_pb2.OpList()
    found.op.extend(filter(None, map(get, names)))
    return base64.b64encode(found.SerializeToString()).decode("ascii")


def dtype_of_enum(tensorflow: Any, name: str) -> str:
    """TensorFlow's name for a dtype of the enum: ``float32`` for ``DT_FLOAT``."""
    types = importlib.import_module("tensorflow.core.framework.types_pb2")
    return str(tensorflow.as_dtype(types.DataType.Value(name)).name)


def is_dataset(tensorflow: Any, value: Any) -> bool:
    """Whether a value is a Dataset of either API."""
    return isinstance(value, (v1(tensorflow).data.Dataset, tensorflow.compat.v2.data.Dataset))


def create_global_step(tensorflow: Any, graph: Any) -> Any:
    """The global step, made as Estimator makes it, before the input_fn."""
    return v1(tensorflow).train.create_global_step(graph)


def frames_of(op: Any) -> Any:
    """The frames in which an op was made; none if TensorFlow did not keep them.

    ``op.traceback`` has them too, but on TensorFlow 1 it reads the source file of each frame.
    """
    frames = getattr(op, "_traceback", None)
    return (op.traceback if frames is None else frames) or ()
