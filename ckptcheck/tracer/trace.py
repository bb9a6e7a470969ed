"""Traces one mode as Estimator would build it, without a session."""

from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from ..protocol import (
    EVAL,
    EXPORT,
    PREDICT,
    TRAIN,
    FailedTrace,
    Failure,
    FailureKind,
    FinishedTrace,
    Judgement,
    Misfit,
    Observed,
    Reply,
    TraceRequest,
)
from ..uses import Location
from . import after_restore, compat, custom_saveables, flags, graph_text, scaffold, scratch, target
from .failures import StructureMismatch, UsageError, failure_of, missing_tensorflow_name
from .inputs import ESTIMATOR_MODES, Inputs
from .params import Watcher, build_params
from .restore_plan import as_op, locations_of, restore_of

_CALLING_INPUT_FN = "calling input_fn"
_BATCH_SIZE = 8
"""The batch size in TPUEstimator's params if the features do not tell it."""


def trace_mode(tensorflow: Any, request: TraceRequest, send: Callable[[Reply], Any]) -> Reply:
    """Traces one mode. An exception of the user's code becomes a failure in the reply.

    Args:
        tensorflow: the module.
        request: what to trace.
        send: sends a trace whose run is still to be judged. The judgement is then returned.
    """
    tracer = _ModeTracer(tensorflow, request)
    reply = tracer.outcome()
    if tracer.judge is None or not isinstance(reply, FinishedTrace):
        return reply
    send(reply)
    with tracer.graph.as_default():
        return tracer.judge()


class _ModeTracer:
    """The state of one trace. A failed trace uses it to report what it saw."""

    def __init__(self, tensorflow: Any, request: TraceRequest) -> None:
        self.tensorflow = tensorflow
        self.request = request
        self.watcher = Watcher()
        self.inputs = Inputs(tensorflow, request.mode)
        self.stand_ins: Tuple[str, ...] = ()
        self.notes: Tuple[str, ...] = ()
        self.graph: Any = None
        self.taken = True
        self.behavior = ""
        self.tpu_spec = False
        self.doing = ""
        self._first_op = 0
        self._restore_op = ""
        self._outputs: Dict[str, str] = {}
        self._train_op = ""
        self.judge: Optional[Callable[[], Judgement]] = None

    def outcome(self) -> Reply:
        mode, inputs = self.request.mode, self.inputs
        try:
            plan = self._trace()
        except StructureMismatch as error:
            return Misfit(mode, str(error), self._seen())
        except target.ImportFailedError as error:
            cause = error.__cause__ or error
            return self._failed(self._failure_of(cause, str(error)), cause)
        except BaseException as error:
            return self._failed(self._failure_of(error, self.doing), error)
        if inputs.recorder.wrong is not None:  # a bare "except:" of the user's code caught it
            return Misfit(mode, str(inputs.recorder.wrong), self._seen())
        if isinstance(plan, Failure):
            return self._failed(plan, None)
        named = () if self.request.places else self.watcher.named(self.request.params)
        return FinishedTrace(mode, plan, self._seen(named), self.behavior, self.judge is not None)

    def _failure_of(self, error: BaseException, doing: str) -> Failure:
        failure = failure_of(error, doing)
        if self.doing != _CALLING_INPUT_FN or failure.kind != "raised":
            return failure
        said = "" if doing == _CALLING_INPUT_FN else doing
        return replace(failure_of(error, said), kind=FailureKind.INPUT_FN)

    def _failed(self, failure: Failure, error: Optional[BaseException]) -> FailedTrace:
        self.inputs.note_names(error)
        name = missing_tensorflow_name(error)
        wants_v1 = ""
        if name and self.request.names == "native":
            wants_v1 = name if compat.has_v1_name(self.tensorflow, name) else ""
        advice = compat.advice_for_missing_name(self.tensorflow, name) if name else ""
        if advice:
            self.notes += (advice,)
        return FailedTrace(self.request.mode, failure, self._seen(), wants_v1)

    def _seen(self, named: Tuple[str, ...] = ()) -> Observed:
        features, labels = self.inputs.structure()
        sends = self._first_op and not self.request.places
        return Observed(
            params=self.watcher.use(self.taken, named),
            events=tuple(self.inputs.recorder.events),
            features=features,
            labels=labels,
            inputs=self.inputs.named(),
            stand_ins=self.stand_ins,
            notes=self.notes,
            tpu_spec=self.tpu_spec,
            graph=self._graph_text() if sends else "",
            first_op=self._first_op,
            restore_op=self._restore_op,
            outputs=tuple(self._outputs.values()),
            output_keys=tuple(self._outputs),
            train_op=self._train_op,
            places=self._places() if self._first_op else {},
        )

    def _graph_text(self) -> str:
        return graph_text.graph_text(self.tensorflow, self.graph, self.request.copy)

    def _places(self) -> Dict[str, Location]:
        """The lines that make the ops in the request."""
        wanted = frozenset(self.request.places)
        ops = self.graph.get_operations() if wanted else ()
        return locations_of({op.name: op for op in ops if op.name in wanted})

    def _trace(self) -> Any:
        request, tf = self.request, self.tensorflow
        compat.use_behavior(tf, request.behavior)
        if request.names == "v1":
            self.stand_ins += compat.use_v1_names(tf)
        flags.set_command_line(request.target.rpartition(":")[0], request.flags)
        found = target.load(request.target, request.app_dir)
        self.notes += flags.parse_flags()
        self.graph = tf.Graph()
        with self.graph.as_default():
            return self._trace_in_graph(found)

    def _trace_in_graph(self, found: Any) -> Any:
        request, tf = self.request, self.tensorflow
        params = self._params()
        model = self._resolve(found, params)
        config = model.config or self._config()
        v1 = compat.v1(tf)
        v1.set_random_seed(getattr(config, "tf_random_seed", None))
        distributed = request.strategy
        if model.is_estimator:
            distributed = compat.runs_under_strategy(config, request.mode)
        if distributed:
            compat.use_strategy_variables(tf)
        step = compat.create_global_step(tf, self.graph)
        if not distributed:
            self.behavior = "v2" if hasattr(step, "handle") else "v1"
        if model.is_estimator:
            params = self._own_params(model.params)
        if request.input_fn:
            self.doing = _CALLING_INPUT_FN
            input_fn = target.load(request.input_fn, request.app_dir, "--input-fn")
            if not callable(input_fn):
                raise UsageError(f"--input-fn {request.input_fn}: it is not callable")
            of_tpu = model.batch_size or (request.tpu and not model.is_estimator)
            if of_tpu and request.mode != EXPORT:  # a server's batches have any size
                _add(params, {"batch_size": model.batch_size or _BATCH_SIZE})
            self.inputs.call_input_fn(input_fn, params, config)
            self.doing = ""
        else:
            for name in request.taken_names:
                self.graph.unique_name(name)
            self.inputs.build(request, model.function)
        if request.guessed:
            self.inputs.watch()
        self._first_op = len(self.graph.get_operations())
        spec = self._call(model, params, config)
        if isinstance(spec, Failure):
            return spec
        return self._plan(spec, config, step)

    def _params(self) -> Any:
        request = self.request
        return build_params(request.params, request.params_type, self.watcher, request.app_dir)

    def _own_params(self, params: Any) -> Any:
        """Returns an Estimator's params: watched if they are a dict, otherwise unchanged."""
        if params is None or isinstance(params, dict):
            return build_params(params or {}, "dict", self.watcher)
        self.watcher.bulk = True
        return deepcopy(params)

    def _resolve(self, found: Any, params: Any) -> target.Model:
        request = self.request
        with self.tensorflow.Graph().as_default():  # ops of a factory do not belong to the model
            if target.factory_took(found):
                self.doing = f"calling {request.target}"
            model = target.resolve(found, request, self._config, params)
        self.doing = ""
        if target.factory_took(found):
            self.watcher.bulk = True
        return model

    def _config(self) -> Any:
        model_dir = self.request.scratch_dir
        asked = partial(scratch.note_asked, model_dir)
        return compat.run_config(self.tensorflow, model_dir, asked)

    def _call(self, model: target.Model, params: Any, config: Any) -> Any:
        """Calls the model_fn by keyword, as Estimator does, and returns an EstimatorSpec."""
        offered = {
            "features": self.inputs.features,
            "labels": self.inputs.labels,
            "mode": ESTIMATOR_MODES[self.request.mode],
            "params": params,
            "config": config,
        }
        self.taken = "params" in model.arguments or model.is_estimator or self.watcher.bulk
        self._check_labels(model)
        if self.request.tpu and not model.is_estimator:
            self._add_tpu_params(params)
        result = model.function(**{name: offered[name] for name in model.arguments})
        if hasattr(result, "as_estimator_spec"):
            self.tpu_spec = True
            given = () if model.is_estimator else self.request.params
            refused = [name for name in ("batch_size", "context") if name in given]
            if refused:
                raise ValueError(_REFUSED.format(" and ".join(refused)))
            result = result.as_estimator_spec()
        if not hasattr(result, "scaffold") or not hasattr(result, "train_op"):
            made = type(result).__name__
            article = "an" if made[0] in "AEIOUaeiou" else "a"
            shown = "None" if result is None else f"{article} {made}"
            text = f"model_fn returned {shown}, not an EstimatorSpec"
            return Failure(FailureKind.NO_SPEC, "", text)
        lacking = [name for name in _NEEDED[self.request.mode] if _is_empty(getattr(result, name))]
        if lacking:
            text = _LACKING.format(" and ".join(lacking), self.request.mode.upper())
            return Failure(FailureKind.NO_SPEC, "", text)
        taken = [name for name in _OWN_METRICS if name in (result.eval_metric_ops or {})]
        if self.request.mode == EVAL and taken:
            raise ValueError(_TAKEN.format(taken[0]))
        return result

    def _add_tpu_params(self, params: Any) -> None:
        """Adds the params that TPUEstimator adds on a CPU, in the same way."""
        added = {"batch_size": self.inputs.batch_size() or _BATCH_SIZE, "use_tpu": False}
        if self.request.mode == EXPORT:  # a server's batches have any size
            del added["batch_size"]
        _add(params, added)
        shown = ", ".join(f"{name} {value}" for name, value in added.items())
        self.stand_ins += (f"params: TPUEstimator adds {shown}",)

    def _check_labels(self, model: target.Model) -> None:
        """Refuses labels that the model_fn has no argument for.

        Raises:
            ValueError: as Estimator raises it.
        """
        given = bool(self.request.input_fn) and self.inputs.labels is not None
        if given and "labels" not in model.arguments:
            raise ValueError("model_fn does not take labels, but input_fn returns labels.")

    def _plan(self, spec: Any, config: Any, step: Any) -> Any:
        request, mode = self.request, self.request.mode
        if self.request.input_fn and self.inputs.of_receiver != (mode == EXPORT):
            self.notes += (_receiver_note(self.request),)
        scaffold.begin_hooks(spec, mode)
        try:
            prepared = scaffold.prepare(self.tensorflow, spec, mode)
        except Exception as error:  # TensorFlow rejects the Scaffold
            return replace(failure_of(error), kind=FailureKind.SCAFFOLD)
        self.notes += scaffold.own_restore(self.tensorflow, prepared.saver)
        fetches = scaffold.fetches(spec, mode, step)
        self._restore_op = scaffold.restore_op(prepared.saver)
        self._outputs = scaffold.outputs(spec, mode)
        self._train_op = getattr(as_op(spec.train_op), "name", "") if mode == TRAIN else ""
        stored = self.request.checkpoint
        restore = restore_of(self.tensorflow, self.graph, mode, prepared, fetches, stored)
        self.notes += _opaque_notes(restore.plan)
        opaque_errors = custom_saveables.errors(self.tensorflow, self.graph, restore, stored)
        changed = after_restore.changed_shapes(restore, stored)
        if changed and request.judges_run:
            tf, graph, inputs = self.tensorflow, self.graph, self.inputs.by_path
            self.judge = partial(
                after_restore.judged, tf, graph, restore, changed, fetches, inputs, request
            )
        return replace(restore.plan, opaque_errors=opaque_errors)


_NEEDED: Dict[str, Tuple[str, ...]] = {
    PREDICT: ("predictions",),
    EVAL: ("loss",),
    TRAIN: ("loss", "train_op"),
    EXPORT: (),
}
"""The parts of an EstimatorSpec without which Estimator raises, on 1.15.5 and 2.15.1."""
_LACKING = (
    "model_fn returned an EstimatorSpec without {0}, which Estimator needs in {1}: make it with "
    "the mode that Estimator passes to model_fn"
)


def _add(params: Any, added: Mapping[str, Any]) -> None:
    """Adds params, as TPUEstimator does."""
    for name, value in added.items():
        if isinstance(params, dict):
            params[name] = value
        elif hasattr(params, "set_hparam") and name not in params:
            params.add_hparam(name, value)
        else:
            setattr(params, name, value)


def _is_empty(value: Any) -> bool:
    """Whether a part of an EstimatorSpec was left out. Missing predictions are an empty dict."""
    return value is None or (isinstance(value, dict) and not value)


def _receiver_note(request: TraceRequest) -> str:
    """Returns a note about an input_fn that Estimator does not accept in this mode."""
    if request.mode == EXPORT:
        return (
            "whether the serving_input_receiver_fn fits model_fn: EXPORT was traced with the "
            f"features of the input_fn {request.input_fn} (give the serving_input_receiver_fn with "
            "--mode export --input-fn NAME)"
        )
    return (
        f"whether the input_fn of {request.mode.upper()} fits model_fn: it was traced with the "
        f"features of the serving_input_receiver_fn {request.input_fn}"
    )


_OWN_METRICS = ("loss", "global_step")
_TAKEN = (
    'Metric with name "{}" is not allowed, because Estimator already defines a default metric '
    "with the same name."
)
"""Estimator's own error after the model_fn has returned in EVAL, on 1.15.5 and 2.15.1."""


def _opaque_notes(plan: Any) -> Tuple[str, ...]:
    """Returns notes about reads that only the user's own saveable objects can judge."""
    keys = sorted({read.key for read in plan.reads if read.sink == "opaque"})
    if not keys:
        return ()
    shown = ", ".join(keys[:3]) + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")
    return (
        f"what the code's own saveable objects do with the values of {shown}: only names, dtypes "
        "and shapes are compared",
    )


_REFUSED = (
    "model_fn returned a TPUEstimatorSpec, and TPUEstimator rejects params that contain {}: it "
    "adds them itself. Leave them out of the params; batch sizes are arguments of TPUEstimator"
)
