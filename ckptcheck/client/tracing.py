"""Traces the code of a check: returns the checkpoint's index and a trace of each mode."""

import dataclasses
import os
import re
from functools import partial
from typing import (
    Any,
    Callable,
    Dict,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from ..changes import NO_DRIFT, Drift
from ..encoding.errors import DamagedError
from ..errors import UnknownFeaturesError, UsageError
from ..model_dir import Located
from ..options import CheckSpec
from ..origins import Origins, texts_in
from ..protocol import (
    EXPORT,
    PREDICT,
    PROBE,
    TRAIN,
    UNLABELED,
    CheckpointIndex,
    Environment,
    Failure,
    ModeTrace,
    ProjectCopy,
)
from ..records.value import Record, RecordedMode
from ..results import Features, Trace
from ..traced import EVERYTHING, Traced, Wanted
from ..tracer import temporary
from . import unknown_features
from .answers import Answer, unfit_reads
from .asking import Asker, gives_features
from .attempt import Found
from .certainty import is_certain
from .comparing import compared, compared_with_record, recorded_sides, unknown, with_places
from .feature_doubts import EXPORTED, feature_doubts
from .features import find, names_depend_on_keys, unfit_record
from .guess import Guess, Inputs
from .launch import LaunchContext, launch_context, traced_launch
from .memo import TraceMemo
from .process import Tracer
from .rivals import doubtful_features
from .sources import sources_of


@dataclasses.dataclass(frozen=True)
class LiveTraced(Traced):
    """What the tracer found out for one check, while it is running.

    Attributes:
        known: see :class:`TraceMemo`.
        judge: waits until the tracer has judged the runs after the restore; returns the traces.
            None if there is nothing to judge.
    """

    known: Optional[TraceMemo] = None
    judge: Optional[Callable[[], Tuple[ModeTrace, ...]]] = None


class _WithFeatures(NamedTuple):
    """The answers for the modes, and the features as the report shows them."""

    answers: Mapping[str, Answer]
    features: Features
    drift: Drift
    taken_names: Tuple[str, ...] = ()


def trace_check(
    spec: CheckSpec,
    located: Located,
    tracer: Tracer,
    known: TraceMemo,
    index: Optional[CheckpointIndex] = None,
    record: Optional[Record] = None,
    wanted: Wanted = EVERYTHING,
    copy: Optional[ProjectCopy] = None,
) -> LiveTraced:
    """Traces one check.

    Args:
        spec: what to check.
        located: the checkpoint that a restore would load.
        tracer: a running tracer.
        known: what :func:`memo_of` gave, or what a check with other params found out.
        index: what the checkpoint holds; None if that is not known yet.
        record: the record of the checkpoint; None if there is none.
        wanted: what to find out.
        copy: where the code runs; None for the project itself.

    Raises:
        UsageError: the Python, the target or the features cannot be found.
    """
    environment = tracer.hello()
    held, unreadable = _index(known, index, located)
    context = launch_context(spec.behavior, environment, known.graph)
    asker = Asker(spec, located.model_dir, tracer, known, context, held, wanted.judgement, copy)
    return _Tracing(
        spec, located, known, environment, held, unreadable, context, asker, record, wanted, copy
    ).run()


@dataclasses.dataclass
class _Tracing:
    """Traces the modes of one check.

    It searches for the features unless the user gave them. :class:`Asker` decides which names and
    params a trace gets.
    """

    spec: CheckSpec
    located: Located
    known: TraceMemo
    environment: Environment
    index: Optional[CheckpointIndex]
    unreadable: Optional[Failure]
    context: LaunchContext
    asker: Asker
    record: Optional[Record]
    wanted: Wanted
    copy: Optional[ProjectCopy] = None
    _guess: Optional[Guess] = None
    _doubts: List[str] = dataclasses.field(default_factory=list)

    def run(self) -> LiveTraced:
        listed = None if isinstance(self.known.index, Failure) else self.known.index
        try:
            found = self._trace_given() if gives_features(self.spec) else self._trace_recorded()
        except UnknownFeaturesError as error:
            if self.index is not None:
                raise
            problem = (f"the model: {error.problem}",)
            return LiveTraced(None, self.unreadable, None, problem)
        modes = self._modes(found.answers)
        launch = traced_launch(self.context.launch, modes)
        environment = self._described(modes)
        trace = Trace(modes, environment, launch, found.features, found.taken_names)
        origins = self._origins(found.answers) if self.wanted.origins else None
        known = dataclasses.replace(
            self.known, guess=self._guess, names=self.asker.names, tpu=self.asker.tpu
        )
        nothing = () if self.index else (_NOTHING_READ,)
        doubts = (*nothing, *self._doubts, *self.context.not_judged(gives_features(self.spec)))
        unjudged = any(answer.unjudged for answer in found.answers.values())
        judge = partial(self._judged, found.answers) if unjudged else None
        return LiveTraced(
            index=self.index,
            unreadable=self.unreadable,
            trace=trace,
            doubts=doubts,
            listed=listed,
            drift=found.drift,
            origins=origins,
            known=known,
            judge=judge,
        )

    def _judged(self, answers: Mapping[str, Answer]) -> Tuple[ModeTrace, ...]:
        return self._modes(self.asker.judged(answers))

    def _modes(self, answers: Mapping[str, Answer]) -> Tuple[ModeTrace, ...]:
        """The traces in the order of the report. The search leaves no misfit."""
        traces = (answers[mode].trace for mode in self.spec.modes)
        return tuple(trace for trace in traces if trace is not None)

    def _trace_given(self) -> "_WithFeatures":
        """The modes with the features that the user gave."""
        given = {mode: self._given(mode) for mode in self.spec.modes}
        answers = self.asker.ask(given)
        source = "input-fn" if self.spec.input_fn else "features-file"
        labeled_first = sorted(self.spec.modes, key=lambda mode: mode in UNLABELED)
        best_first = [answers[mode] for mode in labeled_first]
        best = next((answer for answer in best_first if answer.finished), best_first[0])
        all_labels = (answer.seen.labels for answer in (best, *best_first))
        labels = next((labels for labels in all_labels if labels is not None), None)
        if self.wanted.same_inputs:
            drift = self._compared_with_record(answers)
        else:
            drift = self._compared(answers, None, self.known.graph.file if self.known.graph else "")
        return _WithFeatures(answers, Features(source, best.seen.features, labels), drift)

    def _origins(self, answers: Mapping[str, Answer]) -> Optional[Origins]:
        texts = list(texts_in(self.spec.params)) if self.wanted.recorded_params else ()
        graphs = [answer.graph for answer in answers.values()]
        mode = self.spec.modes[-1]
        found = sources_of(self.asker, mode, graphs, self.record, texts, self.copy)
        self._doubts.extend([found.doubt] if found.doubt else [])
        return found.origins

    def _trace_recorded(self) -> "_WithFeatures":
        """The modes with the features in the record; without a record, those in the saved graph.

        The code may have changed since. If it fails with the features in the record, this method
        also searches for the features in the saved graph.
        """
        modes = self._recorded_modes()
        if not modes:
            return self._trace_found()
        if EXPORT in modes and self.record is not None and EXPORT not in self.record.modes:
            self._doubts.append(EXPORTED)
        wanted = {m: Inputs(it.features, it.labels, it.taken_names) for m, it in modes.items()}
        answers = self.asker.ask(wanted)
        shown = modes[min(modes, key=lambda mode: mode in UNLABELED)]
        features = Features("record", shown.features, shown.labels)
        drift = self._compared_with_record(answers)
        found = _WithFeatures(answers, features, drift, shown.taken_names)
        if all(answer.finished for answer in answers.values()):
            return found
        try:
            searched = self._trace_found()
        except UnknownFeaturesError:
            if any(answer.misfit for answer in answers.values()):
                raise
            return found
        if all(answer.finished for answer in searched.answers.values()):
            failed = [mode for mode, answer in answers.items() if not answer.finished]
            self._doubts.append(unfit_record(self.record, failed))
            return searched
        return searched if any(answer.misfit for answer in answers.values()) else found

    def _compared_with_record(self, answers: Mapping[str, Answer]) -> Drift:
        record, graph, modes = self.record, self.known.graph, self.spec.modes
        if not self.wanted.drift:
            return NO_DRIFT
        own = graph if graph is not None and graph.file in self.located.graphs else None
        assert record is not None
        try:
            sides = recorded_sides(record, own)
            made_by, version = record.origins.tensorflow, self.environment.tensorflow
            found = compared_with_record(sides, made_by, answers, modes, version, self.index)
            return self._placed(found, answers, recorded=True)
        except DamagedError as error:
            return unknown(modes, f"a graph is damaged: {error}")

    def _recorded_modes(self) -> Dict[str, RecordedMode]:
        """Returns what the record says of each mode; nothing if it does not know the features.

        A record of the training process has only TRAIN. Other modes count as having the same
        features.
        """
        known = self.record.modes if self.record is not None else {}
        modes: Dict[str, RecordedMode] = {}
        for mode in self.spec.modes:
            found = known.get(mode) or known.get(TRAIN)
            if found is None:
                return {}
            labels = None if mode in UNLABELED else found.labels
            modes[mode] = dataclasses.replace(found, labels=labels)
        return modes

    def _given(self, mode: str) -> Inputs:
        if self.spec.features is None:
            return Inputs(None, None)
        features, labels = self.spec.features.of(mode)
        return Inputs(features, None if mode in UNLABELED else labels)

    def _trace_found(self) -> "_WithFeatures":
        """The modes with the features that the saved graph shows."""
        graph, problem = self.known.graph, self.known.graph_problem
        if graph is not None:
            try:
                modes = _serving(self.spec.modes) if graph.serving else _with_train(self.spec.modes)
                found = find(graph, modes, self.asker.ask, self.known.guess)
                if graph.serving and not set(self.spec.modes) <= set(modes):
                    raise unknown_features.no_labels(self.spec, found, graph.file)
                return self._with_found(found, graph.file)
            except DamagedError as error:
                problem = str(error)
        empty: Any = {PROBE: {"pool": []}}
        answers = self.asker.ask_once(dict.fromkeys(self.spec.modes, Inputs(empty, None)))
        raise unknown_features.no_graph(self.spec, problem, self.located.graphs, answers.values())

    def _with_found(self, found: Found, file: str) -> "_WithFeatures":
        guess, answers = found.guess, found.traces
        failed = [answer for answer in answers.values() if not answer.finished]
        unfit = not all(is_certain(found, answer) for answer in failed)
        if guess is None or unfit or not found.complete or names_depend_on_keys(answers):
            raise unknown_features.not_found(self.spec, found, file, self.asker.out_of_time)
        if self.known.guess is None:  # with known features, only params are tried
            doubtful = doubtful_features(found, self.index, self.asker.ask)
            found = dataclasses.replace(found, doubtful=doubtful)
        if found.doubtful:
            raise unknown_features.not_found(self.spec, found, file)
        self._guess = guess
        other = "" if file in self.located.graphs else file
        ask = self.asker.ask if self.known.guess is None else None
        unfit = any(unfit_reads(answer, self.index) for answer in answers.values())
        self._doubts.extend(feature_doubts(found, guess, other, ask, unfit))
        features = Features("saved-graph", *unknown_features.plain_inputs(guess))
        drift = self._compared(answers, guess, file)
        chosen = {mode: answers[mode] for mode in self.spec.modes}
        return _WithFeatures(chosen, features, drift, guess.pool.names)

    def _compared(self, answers: Mapping[str, Answer], guess: Optional[Guess], file: str) -> Drift:
        graph, modes = self.known.graph, self.spec.modes
        if not self.wanted.drift:
            return NO_DRIFT
        if graph is None or file not in self.located.graphs:
            return unknown(modes, "the checkpoint has no graph of its own")
        version = self.environment.tensorflow
        return self._placed(compared(graph, answers, guess, modes, version, self.index), answers)

    def _placed(self, drift: Drift, answers: Mapping[str, Answer], recorded: bool = False) -> Drift:
        ask = self.asker.places
        return with_places(drift, answers, ask, recorded) if self.wanted.places else drift

    def _described(self, traces: Sequence[ModeTrace]) -> Environment:
        own = (item for trace in traces for item in trace.seen.stand_ins)
        stand_ins = tuple(dict.fromkeys((*self.environment.stand_ins, *own)))
        v1 = self.asker.names == "v1" or self.context.major < 2
        return dataclasses.replace(
            self.environment, tf_api="v1" if v1 else "v2", stand_ins=stand_ins
        )


def _index(
    known: TraceMemo, index: Optional[CheckpointIndex], located: Located
) -> Tuple[Optional[CheckpointIndex], Optional[Failure]]:
    """Returns what the checkpoint holds, or why it cannot be read."""
    reply = known.index
    if not isinstance(reply, Failure):
        return index or reply, None
    if index is not None and reply.type == _NOT_TEXT:
        return index, None
    path = located.prefix + ".index"
    if _UNSEEN.search(reply.message) and os.path.isfile(path):
        raise UsageError(
            f"the Python that has TensorFlow cannot read {path}. It needs access to MODEL_DIR "
            "under the same path, and, for a snapshot or a remote MODEL_DIR, to the temporary "
            f"directory {temporary.parent()} (set TMPDIR to use another)"
        )
    return None, reply


_NOTHING_READ = "whether the code fits a checkpoint: there is none that Estimator can load"

_UNSEEN = re.compile("Failed to (find any|get) matching files")
"""TensorFlow's error for a missing checkpoint."""

_NOT_TEXT = "UnicodeDecodeError"
"""What TensorFlow's Python API raises for names that are not UTF-8. A restore accepts them."""


def _serving(modes: Sequence[str]) -> Tuple[str, ...]:
    """Returns the modes whose features are in the graph of a SavedModel; at least PREDICT."""
    return tuple(mode for mode in modes if mode in UNLABELED) or (PREDICT,)


def _with_train(modes: Sequence[str]) -> Tuple[str, ...]:
    """Adds TRAIN to the modes. TRAIN saved the graph, so it shows which feature is which."""
    return (*modes, TRAIN) if TRAIN not in modes else tuple(modes)
