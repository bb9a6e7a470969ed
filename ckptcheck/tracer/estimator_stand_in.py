"""A small ``tf.estimator`` for TensorFlow 2.16 and later, which have none.

It holds what model_fns touch: specs, modes, configs, hooks and export outputs. It does not train.
A name that it lacks is an error that says so.
"""

import collections
import sys
import types
from typing import Any, Dict, Optional

from .failures import UsageError


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
    """A module whose missing names are explained."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(
            f"{self.__name__}.{name} is not in ckptcheck's stand-in for tf.estimator, which "
            "TensorFlow removed in 2.16; trace with TensorFlow 2.15 or earlier (--python)"
        )


class RunConfig:
    """The fields of ``tf.estimator.RunConfig`` with the values it has outside a cluster."""

    def __init__(self, model_dir: Optional[str] = None, **settings: Any) -> None:
        values: Dict[str, Any] = {
            "tf_random_seed": 1,
            "save_summary_steps": 100,
            "save_checkpoints_steps": None,
            "save_checkpoints_secs": 600,
            "session_config": None,
            "keep_checkpoint_max": 5,
            "keep_checkpoint_every_n_hours": 10000,
            "log_step_count_steps": 100,
            "train_distribute": None,
            "eval_distribute": None,
            "device_fn": None,
            "protocol": None,
            "cluster_spec": None,
            "task_type": "worker",
            "task_id": 0,
            "num_worker_replicas": 1,
            "num_ps_replicas": 0,
            "is_chief": True,
            "master": "",
            "evaluation_master": "",
            "global_id_in_cluster": 0,
            "service": None,
            "cluster": None,
            "tpu_config": None,
        }
        values.update(settings, model_dir=model_dir)
        self.__dict__.update(values)

    def replace(self, **settings: Any) -> "RunConfig":
        """A copy with other settings."""
        return type(self)(**{**self.__dict__, **settings})


class TPUConfig:
    """Settings of a TPU: kept, never acted on."""

    def __init__(self, iterations_per_loop: int = 2, num_shards: Any = None, **kw: Any) -> None:
        self.__dict__.update(kw, iterations_per_loop=iterations_per_loop, num_shards=num_shards)


class Estimator:
    """Holds what an Estimator is made of."""

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
        self._config: Any = config or RunConfig(model_dir=model_dir)

    @property
    def params(self) -> Any:
        """The params, a deep copy as Estimator gives it."""
        import copy

        return copy.deepcopy(self._params)

    @property
    def config(self) -> Any:
        """The RunConfig."""
        return self._config

    @property
    def model_dir(self) -> Any:
        """Where the checkpoints would be."""
        return self._config.model_dir


def install(tensorflow: Any) -> None:
    """Puts the stand-in where TensorFlow had ``tf.estimator``."""
    module = _build(tensorflow)
    for owner in (tensorflow, tensorflow.compat.v1, tensorflow.compat.v2):
        owner.estimator = module
    sys.modules["tensorflow.estimator"] = module
    sys.modules["tensorflow.compat.v1.estimator"] = module
    sys.modules["tensorflow.compat.v2.estimator"] = module


def _build(tensorflow: Any) -> Any:
    module: Any = _Module("tf.estimator")
    train = tensorflow.compat.v1.train
    for name in (
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
        "WarmStartSettings",
    ):
        if hasattr(train, name):
            setattr(module, name, getattr(train, name))
    for item in (ModeKeys, RunConfig, Estimator):
        setattr(module, item.__name__, item)
    spec = _estimator_spec(tensorflow)
    module.EstimatorSpec = spec
    module.TrainSpec = _record("TrainSpec", "input_fn max_steps hooks")
    module.EvalSpec = _record("EvalSpec", "input_fn steps name hooks exporters")
    module.export = _export()
    module.tpu = _tpu(tensorflow, spec)
    return module


def _estimator_spec(tensorflow: Any) -> Any:
    make_tuple: Any = collections.namedtuple
    base: Any = make_tuple("EstimatorSpec", _SPEC_FIELDS)

    class EstimatorSpec(base):  # type: ignore[misc]
        """The fields of EstimatorSpec, with the checks that Estimator makes first."""

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
            values = {name: given.get(name) for name in _SPEC_FIELDS[1:]}
            for name in values:
                if name.endswith("_hooks"):
                    values[name] = tuple(values[name] or ())
            if values["scaffold"] is None:
                values["scaffold"] = tensorflow.compat.v1.train.Scaffold()
            return super().__new__(cls, mode, **values)

    return EstimatorSpec


def _record(name: str, fields: str) -> Any:
    """A class that keeps its keyword arguments."""
    names = fields.split()

    def keep(self: Any, *args: Any, **kwargs: Any) -> None:
        self.__dict__.update(dict.fromkeys(names))
        self.__dict__.update(zip(names, args))
        self.__dict__.update(kwargs)

    return type(name, (), {"__init__": keep})


def _export() -> Any:
    module: Any = _Module("tf.estimator.export")
    for name, fields in (
        ("PredictOutput", "outputs"),
        ("ClassificationOutput", "scores classes"),
        ("RegressionOutput", "value"),
        ("EvalOutput", "loss predictions metrics"),
        ("ServingInputReceiver", "features receiver_tensors receiver_tensors_alternatives"),
        ("TensorServingInputReceiver", "features receiver_tensors"),
    ):
        setattr(module, name, _record(name, fields))
    return module


def _tpu(tensorflow: Any, spec: Any) -> Any:
    module: Any = _Module("tf.estimator.tpu")
    fields = (
        "mode predictions loss train_op eval_metrics export_outputs scaffold_fn host_call "
        "training_hooks evaluation_hooks prediction_hooks"
    )
    base = _record("TPUEstimatorSpec", fields)

    def as_estimator_spec(self: Any) -> Any:
        metrics = None
        if self.eval_metrics:
            metric_fn, tensors = self.eval_metrics
            metrics = metric_fn(**tensors) if isinstance(tensors, dict) else metric_fn(*tensors)
        return spec(
            self.mode,
            predictions=self.predictions,
            loss=self.loss,
            train_op=self.train_op,
            eval_metric_ops=metrics,
            export_outputs=self.export_outputs,
            scaffold=self.scaffold_fn() if self.scaffold_fn else None,
            training_hooks=self.training_hooks,
            evaluation_hooks=self.evaluation_hooks,
            prediction_hooks=self.prediction_hooks,
        )

    base.as_estimator_spec = as_estimator_spec
    module.TPUEstimatorSpec = base
    for item in (RunConfig, TPUConfig):
        setattr(module, item.__name__, item)
    module.InputPipelineConfig = _record("InputPipelineConfig", "")
    module.TPUEstimator = _tpu_estimator
    return module


def _tpu_estimator(*args: Any, **kwargs: Any) -> Any:
    raise UsageError(
        "TPUEstimator is not in ckptcheck's stand-in for tf.estimator: name its model_fn as the "
        "target, or trace with TensorFlow 2.15 or earlier (--python)"
    )
