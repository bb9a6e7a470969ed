"""From a check's specification to a checkpoint's index and a trace of all its modes."""

import dataclasses
import json
import os
from typing import (
    Any,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Type,
    TypeVar,
    Union,
)

from ..errors import UnknownFeaturesError, UsageError
from ..model_dir import Located
from ..options import CheckSpec
from ..protocol import (
    PROBE,
    TRAIN,
    UNLABELED,
    CheckpointIndex,
    Environment,
    Failure,
    ModeTrace,
    SavedGraph,
    TraceRequest,
    to_json,
)
from ..results import Features, Launch, Trace
from ..tracer import temporary
from .features import (
    Found,
    Guess,
    Inputs,
    find,
    keys_are_missed,
    names_depend_on_keys,
)
from .process import Tracer

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class TraceMemo:
    """What one check found out that others of the same checkpoint and model_fn need not ask again.

    Attributes:
        index: what TensorFlow lists of the checkpoint, or why it cannot; None where there is none.
        graph: what the saved graph holds, or why it cannot be read; None where there is none.
        guess: the features; None where they were given, or not known yet.
        names: whether the code wants the names of TensorFlow 1: ``v1``, else ``native``.
        tpu: whether it wants the params that TPUEstimator adds.
    """

    index: Union[CheckpointIndex, Failure, None]
    graph: Union[SavedGraph, Failure, None]
    guess: Optional[Guess] = None
    names: str = "native"
    tpu: bool = False

    @property
    def graph_name(self) -> str:
        """The name of the file that holds the saved graph, "" for none."""
        return os.path.basename(self.graph.file) if isinstance(self.graph, SavedGraph) else ""


def memo_of(located: Located, tracer: Tracer, timeout: float) -> TraceMemo:
    """What TensorFlow reads of a checkpoint and its saved graph, asked for side by side.

    No trace reads these files again, so they may be removed after this.

    Raises:
        UsageError: reading the checkpoint did not come to its end.
    """
    tracer.forget()
    asked = {tracer.send("saved-graph", timeout, files=list(located.graphs)): "graph"}
    if located.exists:
        asked[tracer.send("checkpoint", timeout, prefix=located.prefix)] = "index"
    replies: Dict[str, Any] = {}
    while len(replies) < len(asked):
        number, reply = tracer.receive(timeout)
        replies[asked[number]] = reply
    index = replies.get("index")
    if isinstance(index, Failure) and index.kind != "raised":
        raise UsageError(f"reading {located.prefix}: {index.message}")
    return TraceMemo(
        _understood(tracer, CheckpointIndex, index),
        _understood(tracer, SavedGraph, replies["graph"]),
    )


def _understood(tracer: Tracer, cls: Type[T], reply: Any) -> Union[T, Failure, None]:
    """A reply as a value of a class. A failure or None is returned as it is."""
    if reply is None or isinstance(reply, Failure):
        return reply
    return tracer.understood(cls, reply)


@dataclasses.dataclass(frozen=True)
class Traced:
    """What the tracer found out for one check.

    Attributes:
        index: what the checkpoint holds; None where TensorFlow cannot read it or it is not there.
        unreadable: why it cannot, None where it can.
        trace: all modes; None where there is no checkpoint to read and no way to find the features.
        not_judged: what could not be known.
        listed: what TensorFlow lists of the checkpoint; None where it cannot.
        known: see :class:`TraceMemo`.
    """

    index: Optional[CheckpointIndex]
    unreadable: Optional[Failure]
    trace: Optional[Trace]
    not_judged: Tuple[str, ...]
    listed: Optional[CheckpointIndex] = None
    known: Optional[TraceMemo] = None

    @property
    def raised(self) -> bool:
        """Whether the code raised in a mode."""
        failures = (mode.failure for mode in self.trace.modes) if self.trace else ()
        return any(failure is not None and failure.kind == "raised" for failure in failures)


class _WithFeatures(NamedTuple):
    """The traces of modes, the features as the report shows them, and as each mode got them."""

    traces: Mapping[str, ModeTrace]
    features: Features
    inputs: Mapping[str, Inputs]


def trace_check(
    spec: CheckSpec,
    located: Located,
    tracer: Tracer,
    known: TraceMemo,
    index: Optional[CheckpointIndex] = None,
    rehearses: bool = True,
) -> Traced:
    """Traces one check.

    Args:
        spec: what to check.
        located: the checkpoint that a restore would load.
        tracer: a running tracer.
        known: what :func:`memo_of` gave, or what a check with other params found out.
        index: what the checkpoint holds, where that is known already.
        rehearses: whether the run after the restore is rehearsed where shapes differ.

    Raises:
        UsageError: the interpreter, the target, or the features are not there.
    """
    tracer.forget()
    return _Tracing(spec, located, tracer, known, index, rehearses).run()


class _Tracing:
    """One check's conversation with the tracer."""

    def __init__(
        self,
        spec: CheckSpec,
        located: Located,
        tracer: Tracer,
        known: TraceMemo,
        index: Optional[CheckpointIndex],
        rehearses: bool,
    ) -> None:
        self._spec = spec
        self._located = located
        self._tracer = tracer
        self._index = index
        self._listed: Optional[CheckpointIndex] = None
        self._names = known.names
        self._vain_v1 = 0
        self._tpu = known.tpu
        self._strategy = False
        self._rehearses = rehearses
        self._known = known
        self._guess: Optional[Guess] = None
        self._rehearsing = False
        self._environment = Environment("", "")
        self._launch = Launch("", "")
        self._doubts: List[str] = []
        self._graph_problem = ""

    def run(self) -> Traced:
        self._environment = self._tracer.hello()
        unreadable = self._take_index()
        graph = self._saved_graph()
        self._strategy = graph is not None and graph.strategy
        self._launch = _launch(self._spec.behavior, self._environment, graph)
        try:
            found = self._trace_given() if self._explicit else self._trace_found(graph)
        except UnknownFeaturesError as error:
            if self._index is not None:
                raise
            return Traced(None, unreadable, None, (f"the model: {error.problem}",))
        _raise_usage(found.traces.values())
        traces, features = self._rehearsed(found), found.features
        trace = Trace(
            tuple(traces[mode] for mode in self._spec.modes),
            self._described(traces),
            _traced_launch(self._launch, traces),
            features,
        )
        nothing = () if self._index else (_NOTHING_READ,)
        doubts = (*nothing, *self._doubts, *_not_judged(graph, traces, self._explicit))
        known = dataclasses.replace(
            self._known, guess=self._guess, names=self._names, tpu=self._tpu
        )
        return Traced(self._index, unreadable, trace, doubts, self._listed, known)

    @property
    def _explicit(self) -> bool:
        return bool(self._spec.input_fn) or self._spec.features is not None

    def _take_index(self) -> Optional[Failure]:
        """Keeps what the checkpoint holds, or returns why nobody can read it."""
        reply = self._known.index
        if isinstance(reply, Failure):
            if self._index is not None and reply.type == _NOT_TEXT:
                return None
            if _UNSEEN in reply.message and os.path.isfile(self._located.prefix + ".index"):
                raise UsageError(self._unseen(self._located.prefix + ".index"))
            self._index = None
            return reply
        if reply is not None:
            self._listed = reply
            self._index = self._index or self._listed
        return None

    def _unseen(self, path: str) -> str:
        return (
            f"the Python that has TensorFlow does not see {path}: MODEL_DIR, and for a snapshot or "
            f"a remote one the temporary directory ({temporary.parent()}, which TMPDIR names), "
            "have to be the same files to it"
        )

    def _saved_graph(self) -> Optional[SavedGraph]:
        reply = self._known.graph
        if isinstance(reply, Failure):
            self._graph_problem = reply.message
            return None
        return reply

    def _request(self, mode: str, inputs: Inputs) -> TraceRequest:
        spec = self._spec
        default = "v1" if _major(self._environment) < 2 else "v2"
        return TraceRequest(
            mode=mode,
            target=spec.target,
            params={},  # see Tracer.use_params
            params_type=spec.params_type,
            app_dir=spec.app_dir,
            model_dir=self._located.model_dir,
            scratch_dir="",
            flags=spec.flags,
            features=inputs.features,
            labels=inputs.labels,
            taken_names=inputs.taken_names,
            input_fn=spec.input_fn,
            names=self._names,
            behavior="" if self._launch.behavior == default else self._launch.behavior,
            checkpoint=self._index.variables if self._index else (),
            tpu=self._tpu,
            strategy=self._strategy and mode == TRAIN,
            rehearse=self._rehearsing,
            guessed=not self._explicit,
        )

    def _ask(self, wanted: Mapping[str, Inputs]) -> Dict[str, ModeTrace]:
        """Traces modes, with the params that TPUEstimator adds where it is one's model_fn."""
        traces = self._ask_by_names(wanted)
        if self._tpu or not any(map(_misses_tpu_params, traces.values())):
            return traces
        self._tpu = True
        again = self._ask_by_names(wanted)
        if any(trace.tpu_spec for trace in again.values()):
            return again
        self._tpu = False
        return traces

    def _ask_by_names(self, wanted: Mapping[str, Inputs]) -> Dict[str, ModeTrace]:
        """Traces modes, with the names of TensorFlow 1 where the code wants them."""
        traces = self._ask_once(wanted)
        _raise_usage(traces.values())  # no other guess at the features would help
        failed = [trace for trace in traces.values() if _may_want_v1(trace)]
        if self._names == "v1" or _major(self._environment) < 2 or not failed:
            return traces
        wants_v1 = any(trace.wants_v1 for trace in failed)
        if not wants_v1 and self._vain_v1 >= _MOST_VAIN:
            return traces
        self._names = "v1"
        again = self._ask_once(wanted)
        if wants_v1 or _fewer_failures(again, traces):
            return again
        self._names = "native"
        self._vain_v1 += 1
        return traces

    def _ask_once(self, wanted: Mapping[str, Inputs]) -> Dict[str, ModeTrace]:
        self._tracer.use_params(self._spec.params)
        longest_first = sorted(wanted, key=lambda mode: mode != TRAIN)
        asked = {
            self._tracer.send(
                "trace",
                self._spec.timeout,
                trace=to_json(self._request(mode, wanted[mode])),
                memory_limit=self._spec.memory_limit,
            ): mode
            for mode in longest_first
        }
        traces: Dict[str, ModeTrace] = {}
        while len(traces) < len(asked):
            number, reply = self._tracer.receive(self._spec.timeout * len(asked))
            mode = asked[number]
            if isinstance(reply, Failure):
                traces[mode] = ModeTrace(mode, failure=reply)
            else:
                trace = self._tracer.understood(ModeTrace, reply)
                traces[mode] = dataclasses.replace(trace, mode=mode)
        return traces

    def _rehearsed(self, found: "_WithFeatures") -> Dict[str, ModeTrace]:
        """The traces, those of modes once more in which the restore lets other shapes through.

        What is not traced to its end that time keeps what shapes alone tell.
        """
        wanted = {mode: found.inputs[mode] for mode, t in found.traces.items() if t.other_shapes}
        if not wanted or not self._rehearses:
            return dict(found.traces)
        self._rehearsing = True
        again = self._ask_once(wanted)
        for mode, trace in again.items():
            if trace.failure is not None:
                self._doubts.append(_LOST.format(mode.upper(), trace.failure.message))
        return {**found.traces, **{m: trace for m, trace in again.items() if not trace.failure}}

    def _trace_given(self) -> "_WithFeatures":
        """The modes with the features that the user gave."""
        given = {mode: self._given(mode) for mode in self._spec.modes}
        traces = self._ask(given)
        source = "input-fn" if self._spec.input_fn else "features-file"
        labeled_first = sorted(self._spec.modes, key=lambda mode: mode in UNLABELED)
        best_first = [traces[mode] for mode in labeled_first]
        seen = next((trace for trace in best_first if trace.failure is None), best_first[0])
        labels = next((t.labels for t in (seen, *best_first) if t.labels is not None), None)
        return _WithFeatures(traces, Features(source, seen.features, labels), given)

    def _given(self, mode: str) -> Inputs:
        if self._spec.features is None:
            return Inputs(None, None)
        features, labels = self._spec.features.of(mode)
        return Inputs(features, None if mode in UNLABELED else labels)

    def _trace_found(self, graph: Optional[SavedGraph]) -> "_WithFeatures":
        """The modes with the features that the saved graph shows."""
        if graph is None:
            raise self._no_graph()
        modes = _with_reference(self._spec.modes)
        found = find(graph, modes, self._ask, self._known.guess)
        _raise_usage(found.traces.values())
        unfit = any(_is_unfit(trace) for trace in found.traces.values())
        if found.guess is None or unfit or not found.complete or names_depend_on_keys(found.traces):
            raise self._not_found(found, graph)
        self._guess = found.guess
        self._doubts.extend(_assumed(found.guess))
        if not found.alike and all(t.failure is None for t in found.traces.values()):
            self._doubts.append(_ANOTHER_USE)
        shared = _named_after_inputs(found.guess.pool.names, found.traces.values())
        if shared:
            self._doubts.append(_NAMED_AFTER_INPUTS.format(", ".join(shared[:_MOST_SHARED])))
        features, labels = _plain_inputs(found.guess)
        traces = {mode: found.traces[mode] for mode in self._spec.modes}
        inputs = {mode: found.guess.inputs(mode) for mode in self._spec.modes}
        return _WithFeatures(traces, Features("saved-graph", features, labels), inputs)

    def _no_graph(self) -> UnknownFeaturesError:
        """What to say where there is no saved graph: with the keys that the code names."""
        empty: Any = {PROBE: {"pool": []}}
        traces = self._ask_once(dict.fromkeys(self._spec.modes, Inputs(empty, None)))
        _raise_usage(traces.values())
        keys = _named_keys(traces.values())
        names = _file_names(self._located.graphs)
        there = [path for path in self._located.graphs if _can_hold_a_graph(path)]
        if there and not self._graph_problem:
            raise UsageError(self._unseen(there[0]))
        if self._graph_problem:
            problem = f"the saved graph ({names}) cannot be read: {self._graph_problem}"
        else:
            problem = f"no saved graph beside the checkpoint ({names}) to find the features in"
        return UnknownFeaturesError(problem, _advice(template(dict.fromkeys(keys), None)))

    def _not_found(self, found: Found, graph: SavedGraph) -> UnknownFeaturesError:
        features: Any = {}
        labels: Any = None
        if found.guess is not None:
            features, labels = _plain_inputs(found.guess)
        features = features or dict.fromkeys(_named_keys(found.traces.values()))
        problem = f"the features cannot be told from the saved graph ({graph.file}): {_why(found)}"
        return UnknownFeaturesError(problem, _advice(template(features, labels)))

    def _described(self, traces: Mapping[str, ModeTrace]) -> Environment:
        stand_ins = list(self._environment.stand_ins)
        for trace in traces.values():
            stand_ins.extend(item for item in trace.stand_ins if item not in stand_ins)
        v1 = self._names == "v1" or _major(self._environment) < 2
        return dataclasses.replace(
            self._environment, tf_api="v1" if v1 else "v2", stand_ins=tuple(stand_ins)
        )


_MOST_VAIN = 2
"""How often the names of TensorFlow 1 are tried on a mere guess; after that, what raises does so
for another reason."""

_NOTHING_READ = "whether the model fits a checkpoint: none would be read"

_UNSEEN = "Failed to find any matching files"
"""What TensorFlow says of a checkpoint that is not there."""

_NOT_TEXT = "UnicodeDecodeError"
"""What TensorFlow's Python raises at names that are no UTF-8, which it restores all the same."""


def _advice(example: str) -> str:
    return (
        "Say what they are with --input-fn module:input_fn, or with --features and a file such as "
        f"this one, whose dtypes and shapes may be wrong:\n{example}"
    )


TPU_PARAMS = ("batch_size", "use_tpu", "context")
"""What TPUEstimator adds to the params that model_fn gets; the last on a TPU only."""

_STRATEGY = "the graph was saved under a distribution strategy, whose TRAIN has resource variables"
_NOT_DISTRIBUTED = (
    "what the distribution strategy changes besides the kind of TRAIN's variables; of a model_fn, "
    "whether EVAL has one (eval_distribute; name the Estimator or its factory as TARGET)"
)

_ITERATORS = (
    "the iterators of the input_fn, which the saved graph restored with the variables (--input-fn "
    "shows whether it still does)"
)

_LOST = (
    "in a dry run, whether the run after the restore raises in {}: the code {}. TensorFlow's shape "
    "functions alone judged it"
)

_NAMED_AFTER_INPUTS = (
    "whether {} has that name in each mode: it is numbered because the input_fn of TRAIN makes an "
    "op of the same name (--input-fn shows how it is named elsewhere)"
)
_MOST_SHARED = 3

_ASSUMED = (
    "whether {} in the saved graph: the order of the keys says so, and no name confirms it "
    "(--input-fn or --features makes sure)"
)
_MOST_ASSUMED = 3

_ANOTHER_USE = (
    "whether each feature is the right tensor: the model_fn uses them otherwise than it did when "
    "the graph was saved, so only their order told them apart (--input-fn or --features makes sure)"
)


def _assumed(guess: Guess) -> Iterator[str]:
    """What to say of keys that nothing in the saved graph names."""
    pairs = [f"{key} is {leaf.name}" for key, leaf in guess.assumed]
    rest = len(pairs) - _MOST_ASSUMED
    if rest > 1:
        pairs[_MOST_ASSUMED:] = [f"and so on for {rest} more keys"]
    if pairs:
        yield _ASSUMED.format(", ".join(pairs))


def _with_reference(modes: Sequence[str]) -> Tuple[str, ...]:
    """The modes with TRAIN, the mode of the saved graph, by which the features are told apart."""
    return (*modes, TRAIN) if TRAIN not in modes else tuple(modes)


def _is_unfit(trace: ModeTrace) -> bool:
    """Whether a trace ended because the guessed structure of the features was wrong."""
    return trace.failure is not None and trace.failure.kind == "structure"


def _can_hold_a_graph(path: str) -> bool:
    """Whether the tracer should have read a graph in it, by its size."""
    return os.path.isfile(path) and 0 < os.path.getsize(path) <= 1 << 30


def _file_names(paths: Sequence[str]) -> str:
    return " or ".join(dict.fromkeys(map(os.path.basename, paths))) or "no .meta file"


def _major(environment: Environment) -> int:
    head = environment.tensorflow.partition(".")[0]
    return int(head) if head.isdigit() else 2


def _may_want_v1(trace: ModeTrace) -> bool:
    failure = trace.failure
    return failure is not None and failure.kind in ("raised", "input-fn", "no-spec")


def _misses_tpu_params(trace: ModeTrace) -> bool:
    """Whether the model_fn asked for what TPUEstimator adds to the params, in vain."""
    return any(not read.found and read.key in TPU_PARAMS for read in trace.params.reads)


def _fewer_failures(mine: Mapping[str, ModeTrace], theirs: Mapping[str, ModeTrace]) -> bool:
    def failures(traces: Mapping[str, ModeTrace]) -> int:
        return sum(_may_want_v1(trace) for trace in traces.values())

    return failures(mine) < failures(theirs)


def _raise_usage(traces: Any) -> None:
    for trace in traces:
        if trace.failure is not None and trace.failure.kind == "usage":
            raise UsageError(trace.failure.message)


def _launch(asked: str, environment: Environment, graph: Optional[SavedGraph]) -> Launch:
    """Which kind of variables the launching script makes, and why that is believed."""
    if asked != "auto":
        return Launch(asked, f"--behavior {asked}")
    major = str(_major(environment))
    default = "v1" if major == "1" else "v2"
    if graph is not None and graph.strategy:
        return Launch(default, f"the default of TensorFlow {environment.tensorflow}; {_STRATEGY}")
    if graph is not None and graph.behavior and graph.tensorflow.partition(".")[0] == major:
        kind = {"v1": "reference", "v2": "resource"}[graph.behavior]
        reason = f"the graph saved by TensorFlow {graph.tensorflow} has {kind} variables"
        return Launch(graph.behavior, reason)
    return Launch(default, f"the default of TensorFlow {environment.tensorflow}")


def _traced_launch(launch: Launch, traces: Mapping[str, ModeTrace]) -> Launch:
    """The launch as it came out: the user's module may switch the behavior by itself."""
    for trace in traces.values():
        if trace.behavior and trace.behavior != launch.behavior:
            return Launch(trace.behavior, "the code itself chooses them")
    return launch


def _not_judged(
    graph: Optional[SavedGraph], traces: Mapping[str, ModeTrace], given: bool
) -> Tuple[str, ...]:
    found: List[str] = []
    if graph is None:
        found.append("no saved graph: the kind of variables that the launching script makes")
    elif graph.strategy:
        found.append(_NOT_DISTRIBUTED)
    if graph is not None and graph.iterators and not given:
        found.append(_ITERATORS)
    for trace in traces.values():
        found.extend(note for note in trace.notes if note not in found)
    return tuple(found)


def _named_after_inputs(names: Sequence[str], traces: Iterable[ModeTrace]) -> List[str]:
    """The variables that are numbered since the input_fn of TRAIN has an op of their name.

    That of another mode may have none: in TensorFlow 1 ``Dataset.repeat`` makes an op ``count``.
    """
    taken = {name.partition("/")[0] for name in names}
    plans = [trace.plan for trace in traces if trace.plan is not None and trace.mode != TRAIN]
    keys = sorted({read.key for plan in plans for read in plan.reads})
    return [key for key in keys if _unnumbered(key.partition("/")[0]) in taken]


def _unnumbered(name: str) -> str:
    """``count`` of ``count_1``; "" of a name without a number."""
    base, _, number = name.rpartition("_")
    return base if number.isdigit() else ""


def _named_keys(traces: Any) -> List[str]:
    keys = {
        str(event.value)
        for trace in traces
        for event in trace.events
        if event.path == ("features",) and event.event in ("key", "named", "maybe-key")
    }
    return sorted(keys)


def _plain_inputs(guess: Guess) -> Tuple[Any, Any]:
    """The structures of features and labels without what is only for the search."""
    inputs = guess.inputs("train")
    return _without_probes(inputs.features), _without_probes(inputs.labels)


def _without_probes(structure: Any) -> Any:
    if isinstance(structure, dict) and PROBE in structure:
        return structure[PROBE].get("known", {})
    return structure


def _why(found: Found) -> str:
    guess = found.guess
    if guess is None:
        return "no tensors that its input_fn could have made"
    if guess.wanting:
        names = [".".join(map(str, path)) for path in guess.wanting]
        return "it has no tensor for {}".format(", ".join(names))
    if found.lacks_labels:
        asked = ", ".join(map(str, guess.features.keys)) or "the features"
        return f"it has a tensor for each of {asked}, and then none for the labels"
    if names_depend_on_keys(found.traces):
        return "the model_fn names variables after keys of its features, which no graph holds"
    if keys_are_missed(found):
        return "the model_fn goes through the keys of its features, which no graph holds"
    return "no structure of its tensors fits what the model_fn asks for"


def template(features: Any, labels: Any) -> str:
    """A ``--features`` file to fill in, with what is known already in it."""
    unknown = {"dtype": "float32", "shape": [None, 1]}
    if isinstance(features, dict):
        features = {key: item or unknown for key, item in features.items()}
    filled = {"features": features or {"x": unknown}, "labels": labels or unknown}
    return json.dumps(filled, indent=2)
