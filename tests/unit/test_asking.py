"""The requests of one check, with a tracer that answers from a list."""

from typing import Any, Dict, List, Set, Tuple

import pytest

from ckptcheck.client.asking import Asker
from ckptcheck.client.guess import Inputs
from ckptcheck.client.launch import launch_context
from ckptcheck.client.memo import TraceMemo
from ckptcheck.client.process import Tracer
from ckptcheck.codec import decoded, to_json
from ckptcheck.errors import UsageError
from ckptcheck.options import CheckSpec
from ckptcheck.protocol import (
    Environment,
    Failure,
    FailureKind,
    FinishedTrace,
    Judgement,
    RestorePlan,
    RunError,
)

REFUSED = RunError(("w",), "MatMul", "the sizes differ")
NOTE = "what is assumed"


class Answering:
    """A fake tracer. Its traces need a judgement, and its forks end like real forks."""

    def __init__(self, judgement: Any) -> None:
        self.judgement = judgement
        self.asked: List[str] = []
        self.names: List[str] = []
        self.traced: List[int] = []
        self.said: List[str] = []

    def say(self, text: str) -> None:
        """Keeps a message."""
        self.said.append(text)

    def use_params(self, params: Any) -> None:
        """Takes the params."""

    left = 300.0

    def send(self, do: str, share: float = 1.0, **fields: Any) -> int:
        """Takes a request."""
        self.asked.append(fields["trace"]["mode"])
        self.names.append(fields["trace"]["names"])
        return len(self.asked)

    def receive(self, numbers: Set[int]) -> Tuple[int, Any]:
        """Answers with a trace, then with the judgement, unless the mode was traced again."""
        number = min(numbers)
        mode = self.asked[number - 1]
        if number not in self.traced:
            self.traced.append(number)
            return number, to_json(FinishedTrace(mode, RestorePlan(mode, ()), unjudged=True))
        assert mode not in self.asked[number:], "its fork has ended"
        return number, self.judgement

    def understood(self, cls: Any, reply: Any) -> Any:
        """Decodes a reply."""
        return decoded(cls, reply)


def asker_of(tracer: Answering) -> Asker:
    environment = Environment("2.15.1", "3.11.7")
    spec = CheckSpec("model_dir", "net:model_fn", {}, modes=("eval",))
    context = launch_context("", environment, None)
    untyped: Any = tracer
    typed: Tracer = untyped
    return Asker(spec, "model_dir", typed, TraceMemo(None, None), context, None, True)


def judged(asker: Asker, traces: Dict[str, Any]) -> Any:
    return asker.judged(traces)["eval"].outcome


def test_a_judgement_becomes_part_of_the_trace() -> None:
    tracer = Answering(to_json(Judgement("eval", (REFUSED,), (NOTE,))))
    asker = asker_of(tracer)
    traces = asker.ask_once({"eval": Inputs(None, None)})
    assert traces["eval"].unjudged
    found = judged(asker, traces)
    assert (found.plan.run_errors, found.notes, found.unjudged) == ((REFUSED,), (NOTE,), False)
    assert tracer.asked == ["eval"]


def test_an_earlier_trace_is_asked_for_once_more() -> None:
    """The search may return to an earlier guess. The fork of that guess ended at the next trace."""
    tracer = Answering(to_json(Judgement("eval", (REFUSED,), ())))
    asker = asker_of(tracer)
    first = asker.ask_once({"eval": Inputs({"x": 1}, None)})
    asker.names = "v1"
    asker.ask_once({"eval": Inputs({"y": 1}, None)})
    assert judged(asker, first).plan.run_errors == (REFUSED,)
    assert tracer.asked == ["eval"] * 3
    assert tracer.names == ["native", "v1", "native"], "as it was asked for first"


def test_a_run_that_cannot_be_judged_fails_the_trace() -> None:
    failure = Failure(FailureKind.CRASHED, "", "the signal SIGSEGV ended the process")
    asker = asker_of(Answering(failure))
    traces = asker.ask_once({"eval": Inputs(None, None)})
    assert judged(asker, traces).failure == failure


def test_a_run_that_cannot_be_shown_its_files_is_an_error() -> None:
    """A dry run may be the first that opens a file, such as the vocabulary of a table."""
    asker = asker_of(Answering(Failure(FailureKind.USAGE, "", "vocab.txt is a FIFO")))
    traces = asker.ask_once({"eval": Inputs(None, None)})
    with pytest.raises(UsageError, match=r"vocab\.txt is a FIFO"):
        judged(asker, traces)


def test_what_is_traced_is_said_with_its_modes() -> None:
    tracer = Answering(to_json(Judgement("eval", (), ())))
    asker = asker_of(tracer)
    asker.ask_once({"eval": Inputs(None, None)})
    asker.ask_once({})
    assert tracer.said == ["tracing model_fn in EVAL"]


class Raising(Answering):
    """A fake tracer of a model_fn that raises."""

    def receive(self, numbers: Set[int]) -> Tuple[int, Any]:
        """Answers with the failure."""
        return min(numbers), self.judgement


def test_code_that_raised_is_not_traced_again_with_the_same_inputs() -> None:
    tracer = Raising(Failure(FailureKind.RAISED, "KeyError", "'x'"))
    asker = asker_of(tracer)
    first = asker.ask_once({"eval": Inputs({"y": 1}, None)})
    again = asker.ask_once({"eval": Inputs({"y": 1}, None)})
    assert (again, tracer.asked) == (first, ["eval"])
    asker.ask_once({"eval": Inputs({"y": 2}, None)})
    asker.ask_once({"eval": Inputs({"y": 1}, None, ("y",))})
    asker.names = "v1"
    asker.ask_once({"eval": Inputs({"y": 1}, None)})
    assert tracer.asked == ["eval"] * 4


def test_code_that_timed_out_is_traced_again() -> None:
    tracer = Raising(Failure(FailureKind.TIMED_OUT, "", "still running"))
    asker = asker_of(tracer)
    for _ in range(2):
        asker.ask_once({"eval": Inputs(None, None)})
    assert tracer.asked == ["eval"] * 2
