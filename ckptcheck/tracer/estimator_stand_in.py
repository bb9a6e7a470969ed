"""A small ``tf.estimator`` for TensorFlow 2.16 and later, which removed it.

It has the parts that model_fns use: specs, modes, configs, hooks and export outputs. It cannot
train. Using a name that it lacks raises an error that says so. docs/stand-in.md lists what it has
and lacks.
"""

import collections
import copy
import dataclasses
import functools
import inspect
import operator
import sys
import types
from typing import Any, ClassVar, Dict, Optional

FROM_TRAIN = (
    "CheckpointSaverHook",
    "CheckpointSaverListener",
    "FeedFnHook",
    "FinalOpsHook",
    "GlobalStepWaiterHook",
    "LoggingTensorHook",
    "NanLossDuringTrainingError",
    "NanTensorHook",
    "ProfilerHook",
    "SecondOrStepTimer",
    "SessionRunArgs",
    "SessionRunContext",
    "SessionRunHook",
    "SessionRunValues",
    "StepCounterHook",
    "StopAtStepHook",
    "SummarySaverHook",
    "VocabInfo",
)
"""Names taken from ``tf.compat.v1.train``, which still has them."""

_SUBMODULES = ("experimental", "export", "inputs", "tpu", "tpu.experimental")

_LACKING = (
    "{} is not in ckptcheck's stand-in for tf.estimator, which TensorFlow removed in 2.16; trace "
    "with TensorFlow 2.15 or earlier (--python)"
)


class _Module(types.ModuleType):
    """A module that explains which names it lacks."""

    def __init__(self, name: str, *items: Any, **members: Any) -> None:
        super().__init__(name)
        self.__path__: Any = []  # so that its submodules can be imported
        self.__dict__.update(members, **{item.__name__: item for item in items})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        hint = ", or name its model_fn as TARGET" if name == "TPUEstimator" else ""
        raise AttributeError(_LACKING.format(f"{self.__name__}.{name}") + hint)


def _tuple(name: str, fields: str) -> Any:
    """Returns a namedtuple whose fields are None by default."""
    make: Any = collections.namedtuple
    return make(name, fields, defaults=[None] * len(fields.split()))


class ModeKeys:
    """The names of the modes, as Estimator has them."""

    TRAIN = "train"
    EVAL = "eval"
    PREDICT = "infer"


_BY_DEFAULT: Any = object()


@dataclasses.dataclass(eq=False)
class RunConfig:
    """The arguments of ``tf.estimator.RunConfig``, and the values it has outside a cluster."""

    model_dir: Any = None
    tf_random_seed: Any = None
    save_summary_steps: Any = 100
    save_checkpoints_steps: Any = None
    save_checkpoints_secs: Any = _BY_DEFAULT
    session_config: Any = None
    keep_checkpoint_max: Any = 5
    keep_checkpoint_every_n_hours: Any = 10000
    log_step_count_steps: Any = 100
    train_distribute: Any = None
    device_fn: Any = None
    protocol: Any = None
    eval_distribute: Any = None
    experimental_distribute: Any = None
    experimental_max_worker_delay_secs: Any = None
    session_creation_timeout_secs: Any = 7200
    checkpoint_save_graph_def: Any = True

    cluster_spec: ClassVar[Any] = None
    """:func:`build` sets it."""
    task_type = "worker"
    num_worker_replicas = 1
    task_id = num_ps_replicas = global_id_in_cluster = 0
    master = evaluation_master = ""
    is_chief = True
    service = None

    def __post_init__(self) -> None:
        if self.save_checkpoints_secs is _BY_DEFAULT:
            self.save_checkpoints_secs = 600 if self.save_checkpoints_steps is None else None

    def replace(self, **settings: Any) -> "RunConfig":
        """A copy with other settings."""
        if settings.get("save_checkpoints_steps") is not None:
            settings.setdefault("save_checkpoints_secs", None)
        return dataclasses.replace(self, **settings)


@dataclasses.dataclass(eq=False)
class TPUConfig:
    """The arguments of ``tf.estimator.tpu.TPUConfig``. Nothing uses them."""

    iterations_per_loop: Any = 2
    num_shards: Any = None
    num_cores_per_replica: Any = None
    per_host_input_for_training: Any = 2
    tpu_job_name: Any = None
    initial_infeed_sleep_secs: Any = None
    input_partition_dims: Any = None
    eval_training_input_configuration: Any = 2
    experimental_host_call_every_n_steps: Any = 1
    experimental_allow_per_host_v2_parallel_get_next: Any = False
    experimental_feed_hook: Any = None

    def __post_init__(self) -> None:
        if isinstance(self.per_host_input_for_training, bool):
            self.per_host_input_for_training = 2 if self.per_host_input_for_training else 1


@dataclasses.dataclass(eq=False, init=False)
class TPURunConfig(RunConfig):
    """The arguments of ``tf.estimator.tpu.RunConfig``, in its order."""

    tpu_config: Any = None
    evaluation_master: Any = ""
    master: Any = ""
    cluster: Any = None

    def __init__(
        self,
        tpu_config: Any = None,
        evaluation_master: Any = "",
        master: Any = "",
        cluster: Any = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.tpu_config = tpu_config or TPUConfig()
        self.evaluation_master, self.master, self.cluster = evaluation_master, master, cluster


class InputPipelineConfig:
    """The values that say where a TPU's input_fn runs."""

    PER_SHARD_V1 = 1
    PER_HOST_V1 = 2
    PER_HOST_V2 = 3
    BROADCAST = 4
    SLICED = 5


class ExportOutput:
    """The base class of the outputs of an export."""


def _output(name: str, fields: str) -> Any:
    """Returns a kind of ExportOutput whose fields are None by default."""
    typed = [(field, Any, None) for field in fields.split()]
    return dataclasses.make_dataclass(name, typed, bases=(ExportOutput,), eq=False)


_SPEC_FIELDS = (
    "mode predictions loss train_op eval_metric_ops export_outputs training_chief_hooks "
    "training_hooks scaffold evaluation_hooks prediction_hooks"
)
_NEEDED = {
    ModeKeys.TRAIN: ("train_op", "loss"),
    ModeKeys.EVAL: ("loss",),
    ModeKeys.PREDICT: ("predictions",),
}


class EstimatorSpec(_tuple("EstimatorSpec", _SPEC_FIELDS)):  # type: ignore[misc]
    """The fields of EstimatorSpec and its first checks."""

    new_scaffold: Any = None
    """Makes a Scaffold; :func:`build` sets it."""

    def __new__(cls, mode: str, *args: Any, **kwargs: Any) -> Any:
        """Raises what TensorFlow raises, and makes a Scaffold if none is given."""
        spec = super().__new__(cls, mode, *args, **kwargs)
        for name in _NEEDED.get(mode, ()):
            if getattr(spec, name) is None:
                raise ValueError(f"Missing {name}.")
        _verify_outputs(spec.export_outputs)
        names = [name for name in cls._fields if name.endswith("_hooks")]
        hooks = {name: tuple(getattr(spec, name) or ()) for name in names}
        return spec._replace(scaffold=spec.scaffold or cls.new_scaffold(), **hooks)


def _verify_outputs(outputs: Any) -> None:
    """Checks export_outputs as the constructor of EstimatorSpec does."""
    if outputs is None:
        return
    if not isinstance(outputs, dict):
        raise TypeError(f"export_outputs must be dict, given: {outputs}")
    for value in outputs.values():
        if not isinstance(value, ExportOutput):
            message = f"Values in export_outputs must be ExportOutput objects. Given: {value}"
            raise TypeError(message)


_TPU_SPEC_FIELDS = (
    "mode predictions loss train_op eval_metrics export_outputs scaffold_fn host_call "
    "training_hooks evaluation_hooks prediction_hooks"
)


class TPUEstimatorSpec(_tuple("TPUEstimatorSpec", _TPU_SPEC_FIELDS)):  # type: ignore[misc]
    """The fields of TPUEstimatorSpec."""

    def as_estimator_spec(self) -> Any:
        """Makes an EstimatorSpec, as TensorFlow does on a CPU."""
        shared = set(self._fields).intersection(EstimatorSpec._fields)
        metrics = _call_host_side(self.eval_metrics)
        _call_host_side(self.host_call)
        return EstimatorSpec(
            eval_metric_ops=metrics,
            scaffold=self.scaffold_fn() if self.scaffold_fn else None,
            **{name: getattr(self, name) for name in shared},
        )


def _call_host_side(pair: Any) -> Any:
    """Calls the function of eval_metrics or host_call with its tensors, as TensorFlow on a CPU."""
    if not pair:
        return None
    function, tensors = pair
    return function(**tensors) if isinstance(tensors, dict) else function(*tensors)


class Estimator:
    """Keeps the arguments of an Estimator."""

    session_config: Any = None
    """For a RunConfig that sets none; :func:`build` sets it."""

    def __init__(
        self,
        model_fn: Any,
        model_dir: Optional[str] = None,
        config: Any = None,
        params: Any = None,
        warm_start_from: Any = None,
        **kwargs: Any,
    ) -> None:
        self._model_fn = model_fn
        self._params = dict(params) if isinstance(params, dict) else (params or {})
        config = config or RunConfig()
        changes = {} if model_dir is None else {"model_dir": model_dir}
        if config.session_config is None:
            changes["session_config"] = self.session_config
        self._config: Any = config.replace(**changes)
        self._warm_start_settings = warm_start_from

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise AttributeError(_LACKING.format("tf.estimator.Estimator." + name))

    @property
    def model_fn(self) -> Any:
        """The model_fn with its params bound. add_metrics calls it."""

        def public_model_fn(features: Any, labels: Any, mode: str, config: Any) -> Any:
            offered = {"labels": labels, "mode": mode, "config": config, "params": self.params}
            return self._model_fn(features=features, **_accepted(self._model_fn, offered))

        return public_model_fn

    @property
    def params(self) -> Any:
        """A deep copy of the params, as the real Estimator returns."""
        return copy.deepcopy(self._params)

    @property
    def config(self) -> Any:
        """The RunConfig."""
        return self._config

    @property
    def model_dir(self) -> Any:
        """The directory of the checkpoints."""
        return self._config.model_dir


def _accepted(function: Any, offered: Dict[str, Any]) -> Dict[str, Any]:
    """Returns the offered arguments that a function accepts."""
    names = inspect.signature(function).parameters
    return {name: value for name, value in offered.items() if name in names}


def add_metrics(estimator: Any, metric_fn: Any) -> Any:
    """Returns an Estimator whose EVAL also has the metrics of metric_fn."""

    def new_model_fn(features: Any, labels: Any, mode: str, config: Any) -> Any:
        spec = estimator.model_fn(features, labels, mode, config)
        if mode != ModeKeys.EVAL:
            return spec
        offered = {
            "features": features,
            "labels": labels,
            "predictions": spec.predictions,
            "config": config,
        }
        made = metric_fn(**_accepted(metric_fn, offered))
        return spec._replace(eval_metric_ops={**(spec.eval_metric_ops or {}), **made})

    return Estimator(new_model_fn, config=estimator.config)


def _numpy_input_fn(tensorflow: Any, x: Any, y: Any = None, *_: Any, **__: Any) -> Any:
    """Returns an input_fn that gives placeholders of the arrays' dtypes and shapes."""

    def placeholder(array: Any) -> Any:
        dtype = tensorflow.as_dtype(array.dtype)
        return tensorflow.compat.v1.placeholder(dtype, [None, *array.shape[1:]])

    def each(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: placeholder(array) for key, array in value.items()}
        return placeholder(value)

    return lambda: each(x) if y is None else (each(x), each(y))


def install(tensorflow: Any) -> None:
    """Puts the stand-in where TensorFlow had ``tf.estimator``.

    Also in ``tensorflow.compat.v1.compat``: code whose ``tensorflow`` is ``tensorflow.compat.v1``
    reaches ``tf.compat.v1`` there.
    """
    module = build(tensorflow)
    inner = tensorflow.compat.v1.compat
    for owner in (tensorflow, *(c for at in (tensorflow.compat, inner) for c in (at.v1, at.v2))):
        owner.estimator = module
    for name in ("tensorflow.estimator", "tensorflow.compat.v1.estimator"):
        sys.modules[name] = module
        for below in _SUBMODULES:
            sys.modules[f"{name}.{below}"] = operator.attrgetter(below)(module)
    sys.modules["tensorflow.compat.v2.estimator"] = module


def build(tensorflow: Any) -> Any:
    """Returns the stand-in as a module."""
    train = tensorflow.compat.v1.train
    RunConfig.cluster_spec = train.ClusterSpec({})
    Estimator.session_config = tensorflow.compat.v1.ConfigProto(allow_soft_placement=True)
    EstimatorSpec.new_scaffold = train.Scaffold
    receiver = "features receiver_tensors receiver_tensors_alternatives"
    export = _Module(
        "tf.estimator.export",
        ExportOutput,
        _output("PredictOutput", "outputs"),
        _output("ClassificationOutput", "scores classes"),
        _output("RegressionOutput", "value"),
        _output("EvalOutput", "loss predictions metrics"),
        _tuple("ServingInputReceiver", receiver),
        _tuple("TensorServingInputReceiver", receiver),
    )
    tpu = _Module(
        "tf.estimator.tpu",
        *(InputPipelineConfig, TPUConfig, TPUEstimatorSpec),
        RunConfig=TPURunConfig,
        experimental=_Module("tf.estimator.tpu.experimental"),
    )
    numpy_input_fn = functools.partial(_numpy_input_fn, tensorflow)
    return _Module(
        "tf.estimator",
        *(ModeKeys, RunConfig, Estimator, EstimatorSpec, add_metrics),
        _tuple("TrainSpec", "input_fn max_steps hooks saving_listeners"),
        _tuple("EvalSpec", "input_fn steps name hooks exporters start_delay_secs throttle_secs"),
        _tuple(
            "WarmStartSettings",
            "ckpt_to_initialize_from vars_to_warm_start var_name_to_vocab_info "
            "var_name_to_prev_var_name",
        ),
        **{name: getattr(train, name) for name in FROM_TRAIN},
        experimental=_Module("tf.estimator.experimental"),
        export=export,
        inputs=_Module("tf.estimator.inputs", numpy_input_fn=numpy_input_fn),
        tpu=tpu,
    )
