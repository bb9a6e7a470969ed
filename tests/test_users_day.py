"""A day of a user: from the first training run to a change that the project accepts."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .support import FIXTURES, PROJECT, needs_estimator
from .test_hooks import HOOKS, User, git, home, released  # noqa: F401 - fixtures

TRAIN = """import json
import sys

import numpy as np
import tensorflow as tf

sys.path.insert(0, {tools!r})
import _train

with _train.tf1_names():
    import model


def input_fn():
    x = np.linspace(-1, 1, 100, dtype=np.float32).reshape(100, 1)
    dataset = tf.data.Dataset.from_tensor_slices(({{"x": x}}, np.sin(3 * x)))
    return dataset.batch(100).repeat()


with open("params.json") as file:
    params = json.load(file)
tf.estimator.Estimator(model.model_fn, "runs", params=params).train(input_fn, steps=5)
"""

pytestmark = needs_estimator


@pytest.fixture
def user(tmp_path: Path, released: Path, home: Path) -> User:  # noqa: F811
    """A clone without a checkpoint and without a configuration."""
    made = User(tmp_path / "user", released, home)
    shutil.rmtree(str(made.root / "runs"))
    (made.root / "ckptcheck.toml").unlink()
    made.write("train.py", TRAIN.format(tools=str(FIXTURES)))
    made.write(".gitignore", "runs/\n.ckptcheck_cache/\n")
    made.env.pop("CKPTCHECK_NO_CACHE", None)
    return made


def commit(user: User, message: str) -> "subprocess.CompletedProcess[bytes]":
    """Commits all changes, as a user does: the hook that is installed runs."""
    git(user.root, "add", "-A")
    who = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    command = ["git", *who, "commit", "-m", message]
    return subprocess.run(
        command, cwd=str(user.root), env=user.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def text_of(done: "subprocess.CompletedProcess[bytes]") -> str:
    return done.stdout.decode("utf-8").replace("\n  ", " ")


def run(user: User, *words: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, *words],
        cwd=str(user.root),
        env={**user.env, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def ckptcheck(user: User, *words: str) -> "subprocess.CompletedProcess[bytes]":
    return run(user, "-m", "ckptcheck", *words)


def test_a_day(user: User) -> None:
    assert run(user, "-m", "pre_commit", "install").returncode == 0
    trained = run(user, "train.py")
    assert trained.returncode == 0, trained
    assert ckptcheck(user, "init").returncode == 0
    done = commit(user, "configure ckptcheck")
    assert done.returncode == 0, done

    user.write("params.json", '{"num_hidden": 64, "dropout_rate": 0.3}')
    done = commit(user, "a smaller layer")
    assert done.returncode != 0, "an edit that breaks the restore is blocked"
    assert "set num_hidden to 128 in the params" in text_of(done), "with cause and fix"

    user.write("params.json", '{"num_hidden": 128, "dropout_rate": 0.3}')
    user.write("notes.txt", "the layer stays as it is")
    done = commit(user, "a note")
    assert done.returncode == 0, done
    ckptcheck(user)  # the hook has another environment, so it has its own entry in the cache
    again = ckptcheck(user, "-v")
    assert "taken from the cache" in text_of(again), "nothing changed that the check depends on"

    user.edit("model.py", "tf.nn.relu", "tf.nn.tanh")
    done = commit(user, "tanh")
    assert done.returncode == 0, done
    assert "relu -> tanh" in text_of(done), "it restores and computes something else: told"

    user.write("params.json", '{"num_hidden": 64, "dropout_rate": 0.3}')
    assert commit(user, "a smaller layer").returncode != 0
    assert ckptcheck(user, "--write-baseline").returncode == 0
    done = commit(user, "a smaller layer, on purpose")
    assert done.returncode == 0, done

    done = ckptcheck(user, "--output", "sarif=out.sarif")
    assert done.returncode == 0, done
    results = json.loads((user.root / "out.sarif").read_text("utf-8"))["runs"][0]["results"]
    mine = [result for result in results if result["ruleId"] == "shape-mismatch"]
    assert mine, "what the baseline accepts is in the file"
    assert all(result.get("suppressions") for result in mine), "as accepted"
