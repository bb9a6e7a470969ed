"""Asks the tracer to trace modes, with the names and the params that the code needs."""

import dataclasses
import json
from typing import Any, Dict, Mapping, Optional, Sequence, Set, Union

from ..codec import to_json
from ..errors import NoSuchCodeError, UsageError
from ..options import CheckSpec
from ..origins import Origins
from ..protocol import (
    TRAIN,
    CheckpointIndex,
    FailedTrace,
    Failure,
    FailureKind,
    FinishedTrace,
    Judgement,
    Misfit,
    ModeTrace,
    ProjectCopy,
    TraceRequest,
)
from ..uses import Location
from .answers import Answer
from .guess import Inputs
from .launch import LaunchContext
from .memo import TraceMemo
from .process import Tracer


def gives_features(spec: CheckSpec) -> bool:
    """Whether the user gave the features."""
    return bool(spec.input_fn) or spec.features is not None


class Asker:
    """One check's requests to the tracer.

    Attributes:
        names: what ``import tensorflow`` means to the code: ``native`` or ``v1``.
        tpu: whether to add TPUEstimator's params to the params.
    """

    def __init__(
        self,
        spec: CheckSpec,
        model_dir: str,
        tracer: Tracer,
        known: TraceMemo,
        context: LaunchContext,
        index: Optional[CheckpointIndex],
        judges_run: bool,
        copy: Optional[ProjectCopy] = None,
    ) -> None:
        """Prepares the requests.

        Args:
            spec: what to check.
            model_dir: the directory of the checkpoint.
            tracer: a running tracer.
            known: what other checks found out.
            context: what the launch script decides.
            index: what the checkpoint holds; None if it cannot be read.
            judges_run: whether to judge the run after the restore if shapes differ.
            copy: where the code runs; None for the project itself.
        """
        self.names = known.names
        self.tpu = known.tpu
        self._judges_run = judges_run
        self._copy = copy
        self._spec = spec
        self._model_dir = model_dir
        self._tracer = tracer
        self._context = context
        self._variables = index.variables if index else ()
        self._vain_v1 = 0
        self._latest: Dict[str, int] = {}
        self._requests: Dict[int, TraceRequest] = {}
        self._raised: Dict[str, Answer] = {}
        self._rounds = 0
        self._answered: Set[str] = set()
        self.out_of_time = False
        """Whether the search for features took too long, or took too many rounds."""

    def _request(self, mode: str, inputs: Inputs) -> TraceRequest:
        spec = self._spec
        return TraceRequest(
            mode=mode,
            target=spec.target or "",
            params={},  # see Tracer.use_params
            params_type=spec.params_type,
            app_dir=spec.app_dir,
            model_dir=self._model_dir,
            scratch_dir="",
            flags=spec.flags,
            features=inputs.features,
            labels=inputs.labels,
            taken_names=inputs.taken_names,
            input_fn=spec.input_fn,
            names=self.names,
            behavior=self._context.asked_behavior,
            checkpoint=self._variables,
            tpu=self.tpu,
            strategy=self._context.strategy and mode == TRAIN,
            judges_run=self._judges_run,
            guessed=not gives_features(spec),
            copy=self._copy,
        )

    def ask(self, wanted: Mapping[str, Inputs]) -> Dict[str, Answer]:
        """Traces modes. Adds the params of TPUEstimator if the model_fn needs them.

        Returns:
            The answers; empty if the search for features has taken too long. If the time is too
            short to trace a mode again, its earlier answer counts.
        """
        if self._rounds and (not self._tracer.left or self._rounds > _MOST_ROUNDS):
            self.out_of_time = True
            return {}
        before = set(self._answered)
        traces = self._ask_with_params(wanted)
        if any(trace.timed_out and mode in before for mode, trace in traces.items()):
            self.out_of_time = True
            return {}
        return traces

    def _ask_with_params(self, wanted: Mapping[str, Inputs]) -> Dict[str, Answer]:
        """Traces modes. Adds the params of TPUEstimator if the code needs them."""
        traces = self._ask_by_names(wanted)
        missing = any(map(_misses_tpu_params, traces.values()))
        if self.tpu or not missing or not self._tracer.left:
            return traces
        self.tpu = True
        again = self._ask_by_names(_in_time(wanted, traces))
        again = {**traces, **again}
        if any(trace.seen.tpu_spec for trace in again.values()):
            return again
        self.tpu = False
        return traces

    def _ask_by_names(self, wanted: Mapping[str, Inputs]) -> Dict[str, Answer]:
        """Traces modes. Uses the names of TensorFlow 1 if the code needs them."""
        traces = self.ask_once(wanted)
        failed = [trace for trace in traces.values() if _may_want_v1(trace)]
        if self.names == "v1" or self._context.major < 2 or not failed or not self._tracer.left:
            return traces
        wants_v1 = any(_wants_v1(trace) for trace in failed)
        if not wants_v1 and self._vain_v1 >= _MOST_VAIN:
            return traces
        self.names = "v1"
        again = {**traces, **self.ask_once(_in_time(wanted, traces))}
        if wants_v1 or _failures(again) < _failures(traces):
            return again
        self.names = "native"
        self._vain_v1 += 1
        return traces

    def ask_once(self, wanted: Mapping[str, Inputs]) -> Dict[str, Answer]:
        """Traces modes once, with the current names and params.

        A mode that raised with the same inputs before is not traced again.

        Raises:
            UsageError: the tracer cannot find what the user named. Another guess would not help.
        """
        keys = {mode: self._key(mode, inputs) for mode, inputs in wanted.items()}
        new = [mode for mode in wanted if keys[mode] not in self._raised]
        if not new:
            return {mode: self._raised[keys[mode]] for mode in wanted}
        self._rounds += 1
        modes = ", ".join(map(str.upper, new))
        attempt = f" (attempt {self._rounds})" if self._rounds > 1 else ""
        self._tracer.say(f"tracing model_fn in {modes}{attempt}")
        found = self._answers({mode: self._request(mode, wanted[mode]) for mode in new})
        self._raised.update((keys[mode], found[mode]) for mode in new if found[mode].raised)
        return {mode: found.get(mode) or self._raised[keys[mode]] for mode in wanted}

    def _key(self, mode: str, inputs: Inputs) -> str:
        given = [inputs.features, inputs.labels, inputs.taken_names]
        return json.dumps([mode, self.names, self.tpu, given])

    def _answers(self, wanted: Mapping[str, TraceRequest]) -> Dict[str, Answer]:
        self._tracer.use_params(self._spec.params or {})
        longest_first = sorted(wanted, key=lambda mode: mode != TRAIN)
        share = 1.0 if len(wanted) == 1 or self._answered.issuperset(wanted) else _SHARE
        asked = {
            self._tracer.send(
                "trace",
                share,
                trace=to_json(wanted[mode]),
                memory_limit=self._spec.memory_limit,
            ): mode
            for mode in longest_first
        }
        self._requests.update((number, wanted[mode]) for number, mode in asked.items())
        self._latest.update((mode, number) for number, mode in asked.items())
        # If the user gave the features, there is no guess, and so no misfit.
        hint = ModeTrace if gives_features(self._spec) else Union[ModeTrace, Misfit]
        traces: Dict[str, Answer] = {}
        while asked:
            number, reply = self._tracer.receive(set(asked))
            mode = asked.pop(number)
            traces[mode] = Answer(self._outcome(mode, reply, hint), number)
        self._answered.update(mode for mode, trace in traces.items() if not trace.timed_out)
        return _verified(traces)

    def judged(self, traces: Mapping[str, Answer]) -> Dict[str, Answer]:
        """Waits until the tracer has judged the run of each trace.

        If a mode is traced again, the tracer ends the judgement of its earlier run. This method
        then sends the request for that trace again.

        Raises:
            UsageError: a run needs a file that the code cannot be shown.
        """
        lost = {
            mode: self._requests[trace.number]
            for mode, trace in traces.items()
            if trace.unjudged and trace.number != self._latest[mode]
        }
        again = self._answers(lost) if lost else {}
        found = {**traces, **again}
        for mode, trace in traces.items():
            if found[mode].timed_out and mode in again:
                found[mode] = _not_judged(trace)
        for mode, trace in found.items():
            if not (isinstance(trace.outcome, FinishedTrace) and trace.unjudged):
                continue
            _, reply = self._tracer.receive({trace.number})
            outcome = self._outcome(mode, reply, Union[ModeTrace, Judgement])
            if isinstance(outcome, Judgement):
                found[mode] = Answer(trace.outcome.judged(outcome))
            else:
                late = Answer(outcome)
                found[mode] = _not_judged(trace) if late.timed_out else late
        return _verified(found)

    def origins(self, mode: str, wanted: Mapping[str, Sequence[str]]) -> Union[Origins, Failure]:
        """Asks for the origins of the code; see :func:`..tracer.provenance.origins_of_target`.

        Args:
            mode: a mode that was traced.
            wanted: what to look at.
        """
        request = dataclasses.replace(self._requests[self._latest[mode]], judges_run=False)
        asked = {"trace": to_json(request), "wanted": to_json(wanted)}
        number = self._tracer.send("origins", **asked)
        _, reply = self._tracer.receive({number})
        return reply if isinstance(reply, Failure) else self._tracer.understood(Origins, reply)

    def places(self, answer: Answer, names: Sequence[str]) -> Mapping[str, Location]:
        """Asks which lines of the user's code make some ops.

        Args:
            answer: the trace that has the ops. Its mode is traced again in the same way.
            names: the names of the ops.

        Returns:
            The lines, by the name of the op; none if the trace does not finish this time.
        """
        request = self._requests[answer.number]
        request = dataclasses.replace(request, judges_run=False, places=tuple(names))
        number = self._tracer.send(
            "trace", trace=to_json(request), memory_limit=self._spec.memory_limit
        )
        _, reply = self._tracer.receive({number})
        outcome = self._outcome(answer.mode, reply, Union[ModeTrace, Misfit])
        return outcome.seen.places if isinstance(outcome, FinishedTrace) else {}

    def _outcome(self, mode: str, reply: Any, hint: Any) -> Any:
        if isinstance(reply, Failure):
            return FailedTrace(mode, reply)
        return dataclasses.replace(self._tracer.understood(hint, reply), mode=mode)


_SHARE = 0.5
"""If several modes are traced for the first time, each may take this part of the time that is left.
If one mode does not end, the others still have time."""
_MOST_ROUNDS = 30
_MOST_VAIN = 2
"""How many times to try the names of TensorFlow 1 if no error shows that the code needs them."""

TPU_PARAMS = ("batch_size", "use_tpu", "context")
"""The params that TPUEstimator adds. It adds ``context`` on a TPU only."""


def _verified(traces: Dict[str, Answer]) -> Dict[str, Answer]:
    """Returns the traces, unless the tracer cannot find what the user named."""
    for trace in traces.values():
        if trace.failure is not None and trace.failure.kind in _WRONG_ARGUMENTS:
            raise _WRONG_ARGUMENTS[trace.failure.kind](trace.failure.message)
    return traces


_WRONG_ARGUMENTS = {FailureKind.USAGE: UsageError, FailureKind.NO_SUCH_CODE: NoSuchCodeError}
_NOT_JUDGED = (
    "whether {} raises an error in the run after the restore, because of shapes that differ: there "
    "was not enough time to try it (--timeout)"
)


def _not_judged(trace: Answer) -> Answer:
    """Returns a trace whose run was not judged in time."""
    assert isinstance(trace.outcome, FinishedTrace)
    note = _NOT_JUDGED.format(trace.mode.upper())
    return Answer(trace.outcome.judged(Judgement(trace.mode, (), (note,))))


def _in_time(wanted: Mapping[str, Inputs], traces: Mapping[str, Answer]) -> Dict[str, Inputs]:
    """Returns the modes that ended in time. A second trace of the others would time out, too."""
    return {mode: given for mode, given in wanted.items() if not traces[mode].timed_out}


_MAY_WANT_V1 = (FailureKind.RAISED, FailureKind.INPUT_FN, FailureKind.NO_SPEC)


def _may_want_v1(trace: Answer) -> bool:
    failure = trace.failure
    return failure is not None and failure.kind in _MAY_WANT_V1


def _wants_v1(trace: Answer) -> bool:
    return isinstance(trace.outcome, FailedTrace) and bool(trace.outcome.wants_v1)


def _misses_tpu_params(trace: Answer) -> bool:
    """Whether the model_fn asked for params of TPUEstimator and did not find them."""
    return any(not read.found and read.key in TPU_PARAMS for read in trace.seen.params.reads)


def _failures(traces: Mapping[str, Answer]) -> int:
    return sum(map(_may_want_v1, traces.values()))
