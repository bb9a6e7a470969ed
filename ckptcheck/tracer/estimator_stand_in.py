"""A small ``tf.estimator`` for TensorFlow 2.16 and later, which removed it.

It has what model_fns use: specs, modes, configs, hooks and export outputs. It cannot train. Using a
name that it lacks raises an error that says so. docs/stand-in.md lists what it has and lacks.
"""

import collections
import inspect
import sys
import types
from typing import Any, Dict, Optional

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


class ModeKeys:
    """The names of the modes, as Estimator has them."""

    TRAIN = "train"
    EVAL = "eval"
    PREDICT = "infer"


_SPEC_FIELDS = (
    "mode",
    "predictions",
    "loss",
    "train_op",
    "eval_metric_ops",
    "export_outputs",
    "training_chief_hooks",
    "training_hooks",
    "scaffold",
    "evaluation_hooks",
    "prediction_hooks",
)


class _Module(types.ModuleType):
    """A module that explains which names it lacks."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        hint = ", or name its model_fn as TARGET" if name == "TPUEstimator" else ""
        raise AttributeError(_LACKING.format(f"{self.__name__}.{name}") + hint)


_LACKING = (
    "{} is not in ckptcheck's stand-in for tf.estimator, which TensorFlow removed in 2.16; trace "
    "with TensorFlow 2.15 or earlier (--python)"
)


_RUN_CONFIG: Dict[str, Any] = {
    "model_dir": None,
    "tf_random_seed": None,
    "save_summary_steps": 100,
    "save_checkpoints_steps": None,
    "save_checkpoints_secs": 600,
    "session_config": None,
    "keep_checkpoint_max": 5,
    "keep_checkpoint_every_n_hours": 10000,
    "log_step_count_steps": 100,
    "train_distribute": None,
    "device_fn": None,
    "protocol": None,
    "eval_distribute": None,
    "experimental_distribute": None,
    "experimental_max_worker_delay_secs": None,
    "session_creation_timeout_secs": 7200,
    "checkpoint_save_graph_def": True,
}
"""The arguments of RunConfig and their defaults; they are also its attributes."""

_OUTSIDE_A_CLUSTER: Dict[str, Any] = {
    "task_type": "worker",
    "task_id": 0,
    "num_worker_replicas": 1,
    "num_ps_replicas": 0,
    "is_chief": True,
    "master": "",
    "evaluation_master": "",
    "global_id_in_cluster": 0,
    "service": None,
}


_TPU_RUN_CONFIG = {
    **_RUN_CONFIG,
    "tpu_config": None,
    "evaluation_master": "",
    "master": "",
    "cluster": None,
}


class RunConfig:
    """The attributes of ``tf.estimator.RunConfig`` with the values it has outside a cluster."""

    _settings = _RUN_CONFIG
    cluster_spec: Any = None

    def __init__(self, *args: Any, **settings: Any) -> None:
        given = dict(zip(_RUN_CONFIG, args), **settings)
        unknown = sorted(set(given) - set(self._settings))
        if unknown:
            raise TypeError(f"RunConfig got an unexpected keyword argument {unknown[0]!r}")
        if given.get("save_checkpoints_steps") is not None:
            given.setdefault("save_checkpoints_secs", None)
        self.__dict__.update(self._settings, **_OUTSIDE_A_CLUSTER)
        self.__dict__.update(given)
        self._given = given

    def replace(self, **settings: Any) -> "RunConfig":
        """A copy with other settings."""
        return type(self)(**{**self._given, **settings})


class TPURunConfig(RunConfig):
    """The attributes of ``tf.estimator.tpu.RunConfig``."""

    _settings = _TPU_RUN_CONFIG

    def __init__(self, tpu_config: Any = None, *args: Any, **settings: Any) -> None:
        names = ("evaluation_master", "master", "cluster")
        given = dict(zip(names, args), **settings)
        super().__init__(tpu_config=tpu_config or TPUConfig(), **given)


_TPU_CONFIG: Dict[str, Any] = {
    "iterations_per_loop": 2,
    "num_shards": None,
    "num_cores_per_replica": None,
    "per_host_input_for_training": 2,
    "tpu_job_name": None,
    "initial_infeed_sleep_secs": None,
    "input_partition_dims": None,
    "eval_training_input_configuration": 2,
    "experimental_host_call_every_n_steps": 1,
    "experimental_allow_per_host_v2_parallel_get_next": False,
    "experimental_feed_hook": None,
}


class TPUConfig:
    """The settings of a TPU. Nothing uses them."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        self.__dict__.update(_TPU_CONFIG)
        given = dict(zip(_TPU_CONFIG, args), **settings)
        where = given.get("per_host_input_for_training")
        if isinstance(where, bool):
            given["per_host_input_for_training"] = 2 if where else 1
        self.__dict__.update(given)


class InputPipelineConfig:
    """Where a TPU's input runs."""

    PER_SHARD_V1 = 1
    PER_HOST_V1 = 2
    PER_HOST_V2 = 3
    BROADCAST = 4
    SLICED = 5


class Estimator:
    """Keeps the arguments of an Estimator."""

    session_config: Any = None
    """For a RunConfig that sets none; :func:`build` fills it in."""

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
        import copy

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
            sys.modules[f"{name}.{below}"] = _at(module, below)
    sys.modules["tensorflow.compat.v2.estimator"] = module


def _at(module: Any, dotted: str) -> Any:
    for part in dotted.split("."):
        module = getattr(module, part)
    return module


def build(tensorflow: Any) -> Any:
    """Returns the stand-in as a module."""
    module: Any = _Module("tf.estimator")
    module.__path__ = []  # so that its submodules can be imported
    train = tensorflow.compat.v1.train
    for name in FROM_TRAIN:
        setattr(module, name, getattr(train, name))
    RunConfig.cluster_spec = train.ClusterSpec({})
    Estimator.session_config = tensorflow.compat.v1.ConfigProto(allow_soft_placement=True)
    for item in (ModeKeys, RunConfig, Estimator, add_metrics):
        setattr(module, item.__name__, item)
    module.export = _export()
    spec = _estimator_spec(tensorflow, module.export.ExportOutput)
    module.EstimatorSpec = spec
    for name, fields in _RECORDS.items():
        setattr(module, name, _record(name, fields))
    module.tpu = _tpu(spec)
    module.inputs = _inputs(tensorflow)
    module.experimental = _Module("tf.estimator.experimental")
    return module


_RECORDS = {
    "TrainSpec": "input_fn max_steps hooks saving_listeners",
    "EvalSpec": "input_fn steps name hooks exporters start_delay_secs throttle_secs",
    "WarmStartSettings": "ckpt_to_initialize_from vars_to_warm_start var_name_to_vocab_info "
    "var_name_to_prev_var_name",
}


def _inputs(tensorflow: Any) -> Any:
    module: Any = _Module("tf.estimator.inputs")

    def numpy_input_fn(x: Any, y: Any = None, batch_size: int = 128, *_: Any, **__: Any) -> Any:
        def placeholder(array: Any) -> Any:
            dtype = tensorflow.as_dtype(array.dtype)
            return tensorflow.compat.v1.placeholder(dtype, [None, *array.shape[1:]])

        def each(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: placeholder(array) for key, array in value.items()}
            return placeholder(value)

        def input_fn() -> Any:
            return each(x) if y is None else (each(x), each(y))

        return input_fn

    module.numpy_input_fn = numpy_input_fn
    return module


def _estimator_spec(tensorflow: Any, export_output: Any) -> Any:
    make_tuple: Any = collections.namedtuple
    base: Any = make_tuple("EstimatorSpec", _SPEC_FIELDS)

    class EstimatorSpec(base):  # type: ignore[misc]
        """The fields of EstimatorSpec and its first checks."""

        def __new__(cls, mode: str, *args: Any, **kwargs: Any) -> Any:
            given = dict(zip(_SPEC_FIELDS[1:], args), **kwargs)
            unknown = sorted(set(given) - set(_SPEC_FIELDS))
            if unknown:
                raise TypeError(f"EstimatorSpec got an unexpected argument {unknown[0]!r}")
            if mode == ModeKeys.TRAIN and given.get("train_op") is None:
                raise ValueError("Missing train_op.")
            if mode in (ModeKeys.TRAIN, ModeKeys.EVAL) and given.get("loss") is None:
                raise ValueError("Missing loss.")
            if mode == ModeKeys.PREDICT and given.get("predictions") is None:
                raise ValueError("Missing predictions.")
            _verify_outputs(given.get("export_outputs"), export_output)
            values = {name: given.get(name) for name in _SPEC_FIELDS[1:]}
            for name in values:
                if name.endswith("_hooks"):
                    values[name] = tuple(values[name] or ())
            if values["scaffold"] is None:
                values["scaffold"] = tensorflow.compat.v1.train.Scaffold()
            return super().__new__(cls, mode, **values)

    return EstimatorSpec


def _verify_outputs(outputs: Any, export_output: Any) -> None:
    """Checks export_outputs as the constructor of EstimatorSpec does."""
    if outputs is None:
        return
    if not isinstance(outputs, dict):
        raise TypeError(f"export_outputs must be dict, given: {outputs}")
    for value in outputs.values():
        if not isinstance(value, export_output):
            raise TypeError(
                f"Values in export_outputs must be ExportOutput objects. Given: {value}"
            )


def _record(name: str, fields: str, base: type = object) -> Any:
    """Returns a class that keeps its arguments, under the names that TensorFlow uses."""
    names = fields.split()

    def keep(self: Any, *args: Any, **kwargs: Any) -> None:
        unknown = sorted(set(kwargs) - set(names))
        if unknown or len(args) > len(names):
            raise TypeError(f"{name} got an unexpected argument {(unknown or args[-1:])[0]!r}")
        self.__dict__.update(dict.fromkeys(names))
        self.__dict__.update(zip(names, args))
        self.__dict__.update(kwargs)

    return type(name, (base,), {"__init__": keep})


def _export() -> Any:
    module: Any = _Module("tf.estimator.export")
    module.ExportOutput = _record("ExportOutput", "")
    for name, fields in (
        ("PredictOutput", "outputs"),
        ("ClassificationOutput", "scores classes"),
        ("RegressionOutput", "value"),
        ("EvalOutput", "loss predictions metrics"),
    ):
        setattr(module, name, _record(name, fields, module.ExportOutput))
    for name, fields in (
        ("ServingInputReceiver", "features receiver_tensors receiver_tensors_alternatives"),
        ("TensorServingInputReceiver", "features receiver_tensors receiver_tensors_alternatives"),
    ):
        setattr(module, name, _record(name, fields))
    return module


def _call_host_side(pair: Any) -> Any:
    """Calls the function of eval_metrics or host_call with its tensors, as TensorFlow on a CPU."""
    if not pair:
        return None
    function, tensors = pair
    return function(**tensors) if isinstance(tensors, dict) else function(*tensors)


_HOOKS = ("training_hooks", "evaluation_hooks", "prediction_hooks")


def _tpu(spec: Any) -> Any:
    module: Any = _Module("tf.estimator.tpu")
    module.__path__ = []
    fields = (
        "mode predictions loss train_op eval_metrics export_outputs scaffold_fn host_call "
        "training_hooks evaluation_hooks prediction_hooks"
    )
    base = _record("TPUEstimatorSpec", fields)

    def as_estimator_spec(self: Any) -> Any:
        metrics = _call_host_side(self.eval_metrics)
        _call_host_side(self.host_call)
        return spec(
            self.mode,
            predictions=self.predictions,
            loss=self.loss,
            train_op=self.train_op,
            eval_metric_ops=metrics,
            export_outputs=self.export_outputs,
            scaffold=self.scaffold_fn() if self.scaffold_fn else None,
            **{name: getattr(self, name) for name in _HOOKS},
        )

    base.as_estimator_spec = as_estimator_spec
    module.TPUEstimatorSpec = base
    module.RunConfig = TPURunConfig
    module.TPUConfig = TPUConfig
    module.InputPipelineConfig = InputPipelineConfig
    module.experimental = _Module("tf.estimator.tpu.experimental")
    return module
