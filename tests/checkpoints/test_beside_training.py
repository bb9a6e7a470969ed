"""A training run saves while a check looks at its model_dir."""

import os
import shutil
from pathlib import Path
from typing import Any, Callable, Iterator, List

import pytest

from ckptcheck import traces
from ckptcheck.checks import run_check
from ckptcheck.client import memo, tracing
from ckptcheck.client.process import Tracer
from ckptcheck.errors import UsageError
from ckptcheck.options import CheckSpec
from ckptcheck.results import Report

from ..support import Project, needs_estimator, needs_tensorflow

pytestmark = [needs_tensorflow]

WRITES = """
import tensorflow as tf
from model import model_fn as original


def model_fn(features, labels, mode, params):
    writer = tf.summary.FileWriter(params["model_dir"], tf.get_default_graph())
    writer.flush()
    return original(features, labels, mode, params)
"""


@pytest.fixture(scope="module")
def tracer() -> Iterator[Tracer]:
    with Tracer(None, 120, quiet=True) as started:
        yield started


class Training:
    """A training run that saves the same checkpoint again under new names."""

    def __init__(self, model_dir: Path) -> None:
        self.model_dir = model_dir
        self.saves = 0

    def save(self) -> None:
        """Saves, and removes the last checkpoint, as with keep_checkpoint_max=1."""
        self.saves += 1
        name = f"save{self.saves}.ckpt-10"
        for path in sorted(self.model_dir.glob("*.ckpt-10.*")):
            shutil.copy2(str(path), str(path.with_name(name + path.name.partition("ckpt-10")[2])))
            path.unlink()
        (self.model_dir / "checkpoint").write_text(f'model_checkpoint_path: "{name}"\n')

    def name(self) -> str:
        """The name of the checkpoint that is there now."""
        return f"save{self.saves}.ckpt-10" if self.saves else "model.ckpt-10"


@pytest.fixture
def training(project: Project) -> Training:
    return Training(project.model_dir)


def check(project: Project, tracer: Tracer, target: str = "model:model_fn", **more: Any) -> Report:
    params = {"num_hidden": 128, "dropout_rate": 0.3, "model_dir": str(project.model_dir)}
    app_dir = str(project.root)
    model_dir = more.pop("model_dir", str(project.model_dir))
    spec = CheckSpec(model_dir=model_dir, target=target, params=params, app_dir=app_dir, **more)
    return run_check(spec, tracer)


def assert_right(report: Report, name: str) -> None:
    """Verifies that the report is about this checkpoint, without findings about the training."""
    rules = {finding.rule for finding in report.findings}
    assert rules <= {"defaulted-param", "compat-shim", "index-data-mtime-gap", "unused-param"}, (
        rules
    )
    assert report.ok
    assert report.checkpoint is not None
    assert os.path.basename(report.checkpoint.prefix) == name
    assert {verdict.verdict for verdict in report.verdicts} == {"restores"}


def around(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    before: Callable[[int], None] = lambda number: None,
    after: Callable[[int], None] = lambda number: None,
) -> List[int]:
    """Does something before and after each call of a function of a check; returns the calls."""
    module = {"memo_of": memo, "trace_check": tracing, "state_after": traces}[name]
    original = getattr(module, name)
    calls: List[int] = []

    def replaced(*arguments: Any, **options: Any) -> Any:
        calls.append(len(calls))
        before(calls[-1])
        try:
            return original(*arguments, **options)
        finally:
            after(calls[-1])

    monkeypatch.setattr(module, name, replaced)
    return calls


@pytest.mark.parametrize("saves", [1, 3])
def test_the_checkpoint_is_replaced_before_tensorflow_reads_it(
    project: Project,
    tracer: Tracer,
    training: Training,
    monkeypatch: pytest.MonkeyPatch,
    saves: int,
) -> None:
    """The check then uses the checkpoint that the state file names now."""
    calls = around(
        monkeypatch, "memo_of", before=lambda number: training.save() if number < saves else None
    )
    assert_right(check(project, tracer), f"save{saves}.ckpt-10")
    assert len(calls) == saves + 1


@pytest.mark.parametrize("deep", [False, True])
def test_the_checkpoint_is_replaced_once_it_was_read(
    project: Project,
    tracer: Tracer,
    training: Training,
    monkeypatch: pytest.MonkeyPatch,
    deep: bool,
) -> None:
    """The check has already read the files that it needs, or holds them open."""
    calls = around(monkeypatch, "memo_of", after=lambda number: training.save())
    report = check(project, tracer, deep=deep)
    assert_right(report, "model.ckpt-10")
    assert len(calls) == 1
    assert (report.data is not None and report.data.tensors == 15) == deep


BESIDE = "The code or a training run may have changed them"


@pytest.mark.parametrize("moment", ["trace_check", "state_after"])
def test_what_a_training_saves_is_not_said_of_the_code(
    project: Project,
    tracer: Tracer,
    training: Training,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
) -> None:
    around(monkeypatch, moment, before=lambda number: training.save())
    report = check(project, tracer)
    assert_right(report, "model.ckpt-10")
    (said,) = [text for text in report.not_judged if BESIDE in text]
    names = "checkpoint, model.ckpt-10.data-00000-of-00001, model.ckpt-10.index and"
    assert said.startswith(f"whether the code writes into the model_dir: {names}")


@pytest.mark.parametrize("at_work", [False, True])
def test_what_the_code_writes_is_said_while_no_training_is_at_work(
    project: Project,
    tracer: Tracer,
    training: Training,
    monkeypatch: pytest.MonkeyPatch,
    at_work: bool,
) -> None:
    """The code's event file looks like one of a training run."""
    project.write("writes.py", WRITES)
    if at_work:
        around(monkeypatch, "trace_check", before=lambda number: training.save())
    report = check(project, tracer, "writes:model_fn")
    found = [item.message for item in report.findings if item.rule == "model-dir-changed"]
    doubts = [text for text in report.not_judged if BESIDE in text]
    assert (len(found), len(doubts)) == ((0, 1) if at_work else (1, 0))
    assert all("events.out.tfevents." in message for message in found)


SAVES = """
from model import model_fn as original


def model_fn(features, labels, mode, params):
    with open(params["model_dir"] + "/checkpoint", "a") as file:
        file.write(chr(10))
    return original(features, labels, mode, params)
"""


def test_no_training_is_claimed_where_the_code_may_have_saved(
    project: Project, tracer: Tracer
) -> None:
    project.write("saves.py", SAVES)
    report = check(project, tracer, "saves:model_fn")
    (said,) = [text for text in report.not_judged if "writes into the model_dir" in text]
    assert said == (
        "whether the code writes into the model_dir: checkpoint changed while ckptcheck traced the "
        "code. " + BESIDE
    )


READS = """
from model import model_fn as original


def model_fn(features, labels, mode, params):
    with open(params["model_dir"] + "/checkpoint") as file:
        if "save1." in file.read():
            raise OSError("what it names is gone")
    return original(features, labels, mode, params)
"""


def test_code_that_reads_what_a_training_removes(
    project: Project, tracer: Tracer, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code is traced again. An error that it raises each time is reported."""
    project.write("reads.py", READS)
    calls = around(monkeypatch, "trace_check", before=lambda number: training.save())
    assert_right(check(project, tracer, "reads:model_fn"), "model.ckpt-10")
    assert len(calls) == 2
    project.write("reads.py", READS.replace("save1.", "ckpt"))
    rules = {finding.rule for finding in check(project, tracer, "reads:model_fn").findings}
    assert "model-fn-raised" in rules
    assert len(calls) == 5


def test_a_checkpoint_that_is_replaced_again_and_again(
    project: Project, tracer: Tracer, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ckptcheck.settled._MOST_TRIES", 4)
    calls = around(monkeypatch, "memo_of", before=lambda number: training.save())
    with pytest.raises(
        UsageError,
        match=r"model_dir is being written: its files changed each "
        "time",
    ):
        check(project, tracer)
    assert len(calls) == 4


def test_a_checkpoint_that_was_named_and_is_removed(
    project: Project, tracer: Tracer, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = str(project.model_dir / "model.ckpt-10")
    around(monkeypatch, "memo_of", before=lambda number: training.save())
    with pytest.raises(UsageError) as error:
        check(project, tracer, model_dir=named)
    assert str(error.value).startswith(
        f"{named} was removed while ckptcheck read it, perhaps by a traini"
    )


def test_what_is_damaged_is_found_beside_a_training_too(
    project: Project, tracer: Tracer, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This also works if the file was removed before its data is read."""
    (data,) = project.model_dir.glob("*.data-*")
    content = bytearray(data.read_bytes())
    content[100] ^= 1
    data.write_bytes(bytes(content))
    around(monkeypatch, "memo_of", after=lambda number: None if number else training.save())
    rules = {finding.rule for finding in check(project, tracer, deep=True).findings}
    assert "corrupt-tensor" in rules


@needs_estimator
def test_the_order_in_which_a_save_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It must be the order in tests/checkpoints/saves.py."""
    import tensorflow as tf
    from tensorflow.python.lib.io import file_io

    v1 = tf.compat.v1
    done: List[str] = []

    def recorded(name: str, word: str) -> None:
        original = getattr(file_io, name)

        def replaced(path: str, *arguments: Any, **options: Any) -> Any:
            there = sorted(path.name for path in tmp_path.glob("model.ckpt-1.*"))
            done.append(f"{word} {os.path.basename(path)} {len(there)}")
            return original(path, *arguments, **options)

        monkeypatch.setattr(file_io, name, replaced)

    with v1.Graph().as_default(), v1.Session() as session:
        variable = v1.get_variable("weight", initializer=1.0)
        session.run(variable.initializer)
        saver = v1.train.Saver(max_to_keep=1)
        saver.save(session, str(tmp_path / "model.ckpt"), global_step=0)
        recorded("atomic_write_string_to_file", "write")
        recorded("delete_file", "delete")
        saver.save(session, str(tmp_path / "model.ckpt"), global_step=1)
    assert [line for line in done if ".tmp" not in line] == [
        "write checkpoint 2",  # data and index are there
        "delete model.ckpt-0.meta 2",
        "delete model.ckpt-0.index 2",
        "delete model.ckpt-0.data-00000-of-00001 2",
        "write model.ckpt-1.meta 2",
    ]


@needs_estimator
def test_a_real_training_beside_all_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    from .beside_training import run

    monkeypatch.setattr("ckptcheck.settled._FRESH_SECONDS", 10.0)  # as it is outside of tests
    said: List[str] = []
    assert run(3, 0.2, said.append) == 0, "\n".join(said)
    assert said[-1].startswith("beside a training that was seen to save at least ")
