"""Tests commands during a save: the save happens each time a command looks at a file.

No TensorFlow.
"""

import builtins
import contextlib
import os
import shutil
import time
from pathlib import Path
from typing import Any, Callable, Iterator, List, Tuple

import pytest

from ckptcheck import settled as module
from ckptcheck.errors import UsageError
from ckptcheck.inspection import inspect
from ckptcheck.snapshots import snapshot
from ckptcheck.verification import verify

from ..checkpoints.saves import GRAPH, Saves, Step

_MOST_POINTS = 2000


@pytest.fixture
def saves(tmp_path: Path) -> Saves:
    return Saves(tmp_path / "base")


class Points:
    """Counts how often files are looked at, and does something at some of these points."""

    def __init__(self) -> None:
        self.passed = 0
        self._busy = False
        self._steps: List[Tuple[int, Step]] = []

    def at(self, point: int, steps: List[Step], every: int) -> None:
        """Plans the first step at a point, and each next step ``every`` points later."""
        self._steps = [(point + number * every, step) for number, step in enumerate(steps)]

    def __call__(self) -> None:
        """Is called before each look at a file."""
        if self._busy:
            return
        self._busy = True
        while self._steps and self._steps[0][0] <= self.passed:
            self._steps.pop(0)[1]()
        self.passed += 1
        self._busy = False


@contextlib.contextmanager
def watched(points: Points) -> Iterator[None]:
    """Calls ``points`` before each look at a file, until the context ends."""

    def before(function: Callable[..., Any]) -> Callable[..., Any]:
        def replaced(*arguments: Any, **options: Any) -> Any:
            points()
            return function(*arguments, **options)

        return replaced

    with pytest.MonkeyPatch.context() as patch:
        for name in ("stat", "lstat", "open", "scandir", "listdir", "access"):
            patch.setattr(os, name, before(getattr(os, name)))
        patch.setattr(builtins, "open", before(builtins.open))
        yield


def inspected(saves: Saves) -> List[str]:
    found = inspect(str(saves.folder))
    (loaded,) = [item for item in found.checkpoints if item.loaded]
    assert (found.ok, found.checked) == (True, True)
    assert found.contents.prefix == loaded.prefix
    graph = found.contents.graph
    assert graph is not None and graph.file == found.contents.prefix + ".meta"
    assert loaded.written is not None and loaded.size > len(GRAPH)
    assert found.why.startswith(f"Estimator loads {os.path.basename(loaded.prefix)}: ")
    return [finding.rule for group in found.groups for finding in group.findings]


def verified(saves: Saves, all_checkpoints: bool = False) -> List[str]:
    found = verify(str(saves.folder), all_checkpoints)
    loaded = [item for item in found.verified if item.loaded]
    assert [(item.ok, item.data.tensors) for item in loaded] == [(True, 2)]
    assert found.checked
    groups = [group for item in found.verified for group in item.groups]
    return [finding.rule for group in groups for finding in group.findings]


def verified_all(saves: Saves) -> List[str]:
    return verified(saves, all_checkpoints=True)


def copied(saves: Saves) -> List[str]:
    out = saves.folder.parent / "snapshot"
    made = snapshot(str(saves.folder), str(out))
    assert sorted(name.split(".")[-2:] for name in made.written.names if name[:5] == "model") == [
        [made.written.names[0].split(".")[-2], "index"],
        ["meta", "gz"],
    ]
    found = inspect(str(out))
    assert found.contents.prefix and found.contents.graph is not None
    shutil.rmtree(str(out))
    groups = (*made.groups, *found.groups)
    return [finding.rule for group in groups for finding in group.findings]


COMMANDS = [inspected, verified, verified_all, copied]


@pytest.mark.parametrize("every", [0, 1, 9, 25])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_save_at_every_point_of_a_command(
    saves: Saves, command: Any, every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The save happens at once or in steps. Its intermediate states must not cause findings."""
    monkeypatch.setattr(module, "_FRESH_SECONDS", 10.0)
    for point in range(_MOST_POINTS):
        points = Points()
        points.at(point, saves.steps(), every)
        with watched(points):
            rules = command(saves)
        # Allowed: a note about a running save, and an older snapshot.
        assert set(rules) <= {"leftover-files", "stale-snapshot"}, point
        assert "stale-snapshot" not in rules or command is copied, point
        if points.passed <= point:
            break
        while points._steps:  # the remaining steps of the save
            points._steps.pop(0)[1]()
    assert point > 20


@pytest.mark.parametrize(
    "command", [inspect, verify, lambda named: snapshot(named, named + "-out")]
)
def test_a_directory_that_is_written_all_the_time(
    saves: Saves, command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends soon, and says what to do."""
    monkeypatch.setattr(module, "_MOST_TRIES", 5)
    original = module.look_at

    def look_at(named: str) -> Any:
        located, _ = original(named)
        Path(located.prefix + ".index").write_bytes(b"0" * (10 + tries.pop()))
        return original(named)

    tries = list(range(20))
    monkeypatch.setattr(module, "look_at", look_at)
    monkeypatch.setattr("ckptcheck.verification.locate", lambda named: look_at(named)[0])
    with pytest.raises(UsageError) as error:
        command(str(saves.folder))
    assert str(error.value).startswith(f"{saves.folder} is being written: its files")
    assert len(tries) == 15


@pytest.mark.parametrize(
    "command", [inspect, verify, lambda named: snapshot(named, named + "-out")]
)
def test_a_checkpoint_that_was_named_and_is_removed(saves: Saves, command: Any) -> None:
    """ckptcheck never uses another checkpoint instead of the removed one."""
    for point in range(_MOST_POINTS):
        named = saves.prefix
        points = Points()
        points.at(point, saves.steps(), 0)
        try:
            with watched(points):
                found = command(named)
        except UsageError as error:
            text = str(error)
            gone = f"{named} was removed while ckptcheck read it, perhaps by a training run" in text
            assert gone or text.startswith(f"no directory or checkpoint {named}: "), (point, text)
        else:
            if command in (inspect, verify):
                seen = (*found.checkpoints, *found.verified)
                prefixes = {item.prefix for item in seen if item.loaded}
                assert (found.ok, prefixes) == (True, {named}), point
            shutil.rmtree(named + "-out", ignore_errors=True)
        if points.passed <= point:
            break
    assert point > 20


def test_what_is_wrong_and_stays_is_found_at_once(
    saves: Saves, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ckptcheck looks only once, because nothing saves there."""
    looks: List[str] = []
    original = module.look_at

    def look_at(named: str) -> Any:
        looks.append(named)
        return original(named)

    monkeypatch.setattr(module, "look_at", look_at)
    os.remove(saves.prefix + ".data-00000-of-00001")
    found = inspect(str(saves.folder))
    assert [item.rule for item in found.findings] == ["unreadable-checkpoint"]
    assert len(looks) == 1


@pytest.mark.parametrize("age", [0.0, 60.0])
def test_a_graph_that_does_not_come(
    saves: Saves, age: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ckptcheck waits for the graph only if the save is new.

    After that, it reports the missing graph.
    """
    waits: List[float] = []
    clock = [1000.0]
    monkeypatch.setattr(module, "_FRESH_SECONDS", 10.0)
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock[0] += seconds

    monkeypatch.setattr(time, "sleep", sleep)
    os.remove(saves.prefix + ".meta")
    written = os.stat(saves.prefix + ".index").st_mtime - age
    os.utime(saves.prefix + ".index", (written, written))
    found = inspect(str(saves.folder))
    assert "missing-saved-graph" in [item.rule for item in found.findings]
    assert (sum(waits) >= 5.0) == (age == 0.0)
    assert sum(waits) < 6.0
