"""What TRAIN does to the checkpoints that a state file lists."""

import shutil
from pathlib import Path
from typing import Any, List, Tuple

import pytest

from ckptcheck.inspection import inspect

from ..support import needs_estimator, needs_tensorflow

pytestmark = [needs_tensorflow, needs_estimator]


def _steps(folder: Path) -> List[str]:
    return sorted(path.name for path in folder.glob("*.index"))


def _train(model_dir: Path, steps: int, keep: int) -> None:
    import tensorflow as tf

    v1 = tf.compat.v1

    def model_fn(features: Any, labels: Any, mode: str) -> Any:
        step = v1.train.get_or_create_global_step()
        weight = v1.get_variable("weight", (), tf.float32)
        loss = tf.reduce_mean(tf.abs(weight - features["x"]))
        train = v1.train.GradientDescentOptimizer(0.1).minimize(loss, step)
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train)

    config = tf.estimator.RunConfig(
        model_dir=str(model_dir), save_checkpoints_steps=1, keep_checkpoint_max=keep
    )
    estimator = tf.estimator.Estimator(model_fn, config=config)
    estimator.train(
        lambda: tf.data.Dataset.from_tensors(({"x": [1.0]}, [1.0])).repeat(), steps=steps
    )


def _messages(model_dir: Path, rule: str) -> List[str]:
    return [item.message for item in inspect(str(model_dir)).findings if item.rule == rule]


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    model_dir = tmp_path / "first"
    _train(model_dir, 3, keep=5)
    assert len(_steps(model_dir)) == 4
    return model_dir


def _state(model_dir: Path, latest: str, listed: Tuple[str, ...]) -> None:
    lines = [f'model_checkpoint_path: "{latest}"']
    lines.extend(f'all_model_checkpoint_paths: "{path}"' for path in listed)
    (model_dir / "checkpoint").write_text("\n".join(lines) + "\n")


def test_a_copy_deletes_the_checkpoints_of_the_original_that_it_lists(
    trained: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(str(trained), str(copy))
    listed = tuple(str(trained / f"model.ckpt-{step}") for step in range(4))
    _state(copy, "model.ckpt-3", listed)
    (message,) = _messages(copy, "listed-elsewhere")
    assert f"the state file lists {listed[0]}, {listed[1]}, {listed[2]} and 1 more" in message
    assert "TRAIN deletes them" in message

    _train(copy, 4, keep=2)
    assert _steps(trained) == []


def test_the_line_that_is_advised_deletes_nothing(trained: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(str(trained), str(copy))
    _state(copy, str(trained / "model.ckpt-3"), (str(trained / "model.ckpt-2"),))
    findings = inspect(str(copy)).findings
    advised = 'let model_checkpoint_path: "model.ckpt-3" be all that is in '
    assert {item.hint for item in findings if item.rule == "checkpoint-moved"} == {
        f"{advised}{copy / 'checkpoint'}"
    }
    before = _steps(trained)
    (copy / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-3"\n')
    assert inspect(str(copy)).findings == ()

    _train(copy, 4, keep=2)
    assert _steps(trained) == before


def test_newer_checkpoints_that_are_listed_are_deleted(trained: Path) -> None:
    names = tuple(f"model.ckpt-{step}" for step in (1, 2, 3))
    _state(trained, "model.ckpt-1", names)
    (message,) = _messages(trained, "newer-checkpoint")
    assert message.endswith(
        "the directory holds model.ckpt-3, and TRAIN will delete model.ckpt-2, model.ckpt-3, "
        "which it lists"
    )
    _train(trained, 1, keep=1)
    assert not (trained / "model.ckpt-3.index").exists()
