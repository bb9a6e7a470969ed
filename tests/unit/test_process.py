"""The process of the tracer, with commands that are no Python. No TensorFlow."""

import threading
from typing import Any, List

import pytest

from ckptcheck.client.process import Tracer
from ckptcheck.errors import UsageError


@pytest.mark.parametrize("command", ["sh -c 'exit 7'", "true", "sh -c 'sleep 0.01'"])
def test_an_end_while_the_sources_are_sent_is_one_error(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that sends them may still be at it when the pipe is closed."""
    raised: List[Any] = []
    monkeypatch.setattr(threading, "excepthook", raised.append, raising=False)  # Python 3.8
    for _ in range(40):
        with pytest.raises(UsageError, match="before it answered"), Tracer(command, 10, True) as it:
            it.hello()
    assert not raised


def test_a_child_that_keeps_the_pipe_does_not_keep_us() -> None:
    """It has left the process group, so that killing that does not reach it."""
    tracer = Tracer("sh -c 'setsid sleep 6 & exit 0'", 10, True)
    tracer.close()
    assert tracer._process.returncode is not None
