"""Tests the hooks with pre-commit in a user's repository."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator

import pytest

from .support import FIXTURES as THEIRS
from .support import PROJECT, SAVED_BY, Run, environment

pytest.importorskip("pre_commit", reason="NOT TESTED: pre-commit is not installed")

CONFIGURATION = """[[check]]
name = "base"
model-dir = "runs"
target = "model:model_fn"
params = "params.json"
"""
HOOKS = "repos:\n- repo: {repo}\n  rev: {revision}\n  hooks:\n  - id: ckptcheck\n"
_PARTS = ("ckptcheck", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")


def git(folder: Path, *words: str, check: bool = True) -> str:
    """Runs git with a test user."""
    who = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    command = ["git", *who, *words]
    ended = subprocess.run(
        command, cwd=str(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=check
    )
    return ended.stdout.decode("utf-8")


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A repository of ckptcheck with one commit, as pre-commit clones it."""
    folder = tmp_path_factory.mktemp("released")
    for name in _PARTS:
        source = PROJECT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(str(source), str(folder / name), ignore=ignored)
        else:
            shutil.copy(str(source), str(folder / name))
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "release")
    yield folder


class User:
    """A repository with Estimator code, a checkpoint that git ignores, and the hook."""

    def __init__(self, root: Path, hooks: Path, home: Path) -> None:
        self.root = root
        fixture = THEIRS / "hidden_dropout"
        root.mkdir()
        for name in ("model.py", "params.json"):
            shutil.copy(str(fixture / name), str(root / name))
        shutil.copytree(str(fixture / SAVED_BY), str(root / "runs"))
        self.write("ckptcheck.toml", CONFIGURATION)
        self.write(".gitignore", "runs/\n")
        revision = git(hooks, "rev-parse", "HEAD").strip()
        self.write(".pre-commit-config.yaml", HOOKS.format(repo=hooks, revision=revision))
        git(root, "init", "-q")
        git(root, "add", "-A")
        git(root, "commit", "-qm", "start")
        # The environment of the tests is active, and it has TensorFlow.
        binaries = os.path.dirname(sys.executable)
        self.env: Dict[str, str] = environment(
            PRE_COMMIT_HOME=str(home), PATH=f"{binaries}{os.pathsep}{os.environ['PATH']}"
        )
        self.env.pop("PYTHONPATH", None)

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text, "utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text("utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def hook(self) -> Run:
        """Runs pre-commit on what is staged."""
        git(self.root, "add", "-A")
        command = [sys.executable, "-m", "pre_commit", "run"]
        ended = subprocess.run(command, cwd=str(self.root), env=self.env, capture_output=True)
        return Run(ended.returncode, ended.stdout.decode("utf-8"), ended.stderr.decode("utf-8"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the directory where pre-commit installs the hook, once for all tests."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def user(tmp_path: Path, released: Path, home: Path) -> User:
    return User(tmp_path / "user", released, home)


def test_a_commit_that_breaks_the_restore_is_blocked_with_cause_and_fix(user: User) -> None:
    user.write("params.json", '{"num_hidden": 64, "dropout_rate": 0.3}')
    run = user.hook()
    assert run.code == 1, run
    assert "SILENTLY WRONG" in run.out or "FAILS at restore" in run.out
    assert "set num_hidden to 128" in run.out.replace("\n  ", " ")
    user.write("params.json", '{"num_hidden": 128, "dropout_rate": 0.3, "learning_rate": 0.001}')
    run = user.hook()
    assert run.code == 0, run
    assert "1 check: 1 passed" in run.out


def test_warnings_are_seen_although_the_hook_passes(user: User) -> None:
    user.edit("model.py", "tf.nn.relu", "tf.nn.tanh")
    run = user.hook()
    assert run.code == 0, run
    assert "relu -> tanh" in run.out


def test_a_commit_that_touches_nothing_of_a_check_does_not_start_it(user: User) -> None:
    user.write("README.md", "words")
    run = user.hook()
    assert run.code == 0
    assert "no files to check" in run.out


def test_a_clone_without_the_model_dir(user: User) -> None:
    shutil.rmtree(str(user.root / "runs"))
    user.edit("model.py", "tf.nn.relu", "tf.nn.tanh")
    run = user.hook()
    assert run.code == 1
    assert "runs" in run.out
    user.write("ckptcheck.toml", CONFIGURATION + 'if-missing = "skip"\n')
    run = user.hook()
    assert run.code == 0, run
    assert "base: skipped: runs does not exist" in run.out


def test_the_hook_of_lint_reads_the_files_of_the_commit(user: User) -> None:
    lint = "  - id: ckptcheck-lint\n    args: [--exclude, legacy]\n"
    user.edit(".pre-commit-config.yaml", "  - id: ckptcheck\n", lint)
    lost = "import tensorflow as tf\n\ntf.estimator.Estimator(model_fn).train(input_fn)\n"
    user.write("train.py", lost)
    git(user.root, "add", "-A")
    git(user.root, "commit", "-qm", "unchanged files are not linted")
    (user.root / "legacy").mkdir()
    user.write("legacy/old.py", lost)
    run = user.hook()
    assert run.code == 0 and "Passed" in run.out, run
    user.write("new.py", lost)
    run = user.hook()
    assert run.code == 1, run
    assert "new.py:3:1: warning[temporary-model-dir]" in run.out
    assert "old.py" not in run.out and "train.py" not in run.out
