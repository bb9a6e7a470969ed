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
    (message,) = _messages(copy, "foreign-checkpoint")
    assert f"the state file lists {listed[0]}, {listed[1]}, {listed[2]} and 1 more" in message
    assert "TRAIN will delete" in message

    _train(copy, 4, keep=2)
    assert _steps(trained) == []


def test_the_line_that_is_advised_deletes_nothing(trained: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(str(trained), str(copy))
    _state(copy, str(trained / "model.ckpt-3"), (str(trained / "model.ckpt-2"),))
    findings = inspect(str(copy)).findings
    assert [item.rule for item in findings] == ["checkpoint-moved", "foreign-checkpoint"]
    line = 'model_checkpoint_path: "model.ckpt-3"'
    advised = f"put only this line into {copy / 'checkpoint'}: {line}"
    assert {item.hint for item in findings} == {advised}
    before = _steps(trained)
    (copy / "checkpoint").write_text(line + "\n")
    assert inspect(str(copy)).findings == ()

    _train(copy, 4, keep=2)
    assert _steps(trained) == before


def test_a_checkpoint_below_is_advised_by_its_path(trained: Path, tmp_path: Path) -> None:
    below = trained / "best"
    below.mkdir()
    for path in trained.glob("model.ckpt-3.*"):
        path.rename(below / path.name)
    other = tmp_path / "other"
    shutil.copytree(str(trained), str(other))
    _state(trained, "best/model.ckpt-3", (str(other / "model.ckpt-1"),))
    (hint,) = [f.hint for f in inspect(str(trained)).findings if f.rule == "foreign-checkpoint"]
    line = 'model_checkpoint_path: "best/model.ckpt-3"'
    assert hint == f"put only this line into {trained / 'checkpoint'}: {line}"
    (trained / "checkpoint").write_text(line + "\n")
    assert inspect(str(trained)).findings == ()
    _train(trained, 1, keep=5)
    assert (trained / "model.ckpt-4.index").exists()


def test_of_two_directories_the_one_that_is_listed_loses_its_checkpoints(
    trained: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(str(trained), str(copy))
    names = tuple(f"model.ckpt-{step}" for step in (1, 2, 3))
    _state(copy, "model.ckpt-1", tuple(str(trained / name) for name in names))
    (message,) = _messages(copy, "newer-checkpoint")
    assert message.endswith("the directory also has model.ckpt-3")
    (message,) = _messages(copy, "foreign-checkpoint")
    assert ", ".join(str(trained / name) for name in names) in message
    _train(copy, 1, keep=1)
    assert (copy / "model.ckpt-3.index").exists()
    assert _steps(trained) == ["model.ckpt-0.index", "model.ckpt-3.index"]  # one for each save


@pytest.mark.parametrize("path", ["{}", "{folder}/{}", "./{}", "{folder}/../first/{}"])
def test_newer_checkpoints_that_are_listed_are_deleted(trained: Path, path: str) -> None:
    for file in trained.glob("model.ckpt-[23].*"):
        file.rename(str(file).replace("ckpt-", "ckpt-9"))
    names = tuple(path.format(f"model.ckpt-{step}", folder=trained) for step in (1, 92, 93))
    _state(trained, names[0], names)
    (message,) = _messages(trained, "newer-checkpoint")
    assert message.endswith(
        "the directory also has model.ckpt-93; TRAIN will delete model.ckpt-92, model.ckpt-93"
    )
    _train(trained, 4, keep=1)
    assert not (trained / "model.ckpt-92.index").exists()
    assert not (trained / "model.ckpt-93.index").exists()
