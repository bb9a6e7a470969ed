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

    def hook(self, *options: str) -> Run:
        """Runs pre-commit on all changes."""
        git(self.root, "add", "-A")
        command = [sys.executable, "-m", "pre_commit", "run", *options]
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


SKIPPED = "skipped all checks: only documents and pictures are staged"


def test_a_commit_that_touches_nothing_of_a_check_does_not_start_it(user: User) -> None:
    user.env.pop("CKPTCHECK_NO_CACHE")
    user.write("params.json", '{"num_hidden": 64, "dropout_rate": 0.3}')
    assert user.hook().code == 1
    git(user.root, "commit", "-qam", "a mistake that is known")
    user.write("README.md", "words")
    user.write("notes.rst", "words")
    run = user.hook()
    assert run.code == 0
    assert SKIPPED in run.out and "(README.md and 1 more)" in run.out, run
    user.write("net.txt", "words")
    assert user.hook().code == 1


def test_a_document_counts_unless_the_cache_knows_that_no_check_reads_it(user: User) -> None:
    user.write("net.md", "128\n")
    user.edit("model.py", "import tensorflow as tf\n", _READS.replace("net.cfg", "net.md"))
    user.edit("model.py", 'params.get("num_hidden", 64)', "_hidden()")
    git(user.root, "add", "-A")
    git(user.root, "commit", "-qm", "the code reads a document")
    user.write("net.md", "64\n")
    run = user.hook()
    assert run.code == 1 and "dense/kernel" in run.out, ("without a cache", run)
    user.env.pop("CKPTCHECK_NO_CACHE")
    run = user.hook()
    assert run.code == 1 and "dense/kernel" in run.out, ("an empty cache", run)
    run = user.hook()
    assert run.code == 1 and "dense/kernel" in run.out, ("a second try", run)
    user.write("net.md", "128\n")
    user.write("other.md", "more words")
    assert user.hook().code == 0
    assert SKIPPED in user.hook().out
    user.write("params.md", (user.root / "params.json").read_text())
    user.edit("ckptcheck.toml", "params.json", "params.md")
    git(user.root, "add", "-A")
    git(user.root, "commit", "-qm", "params in a document")
    user.write("params.md", '{"num_hidden": 128, "dropout_rate": 0.2}')
    for _ in range(2):
        assert "1 check: 1 passed" in user.hook().out, "the configuration names it"
    user.edit("ckptcheck.toml", 'model-dir = "runs"', 'model-dir = "runs"\nagainst = "HEAD"')
    git(user.root, "commit", "-qam", "compares with a commit")
    user.write("other.md", "words")
    assert "1 check: 1 " in user.hook().out, "traces of a commit are not kept"


def test_every_file_that_the_code_reads_starts_the_check(user: User) -> None:
    """The ending of its name does not matter, and a document counts if a kept trace opened it."""
    user.env.pop("CKPTCHECK_NO_CACHE")
    for name in ("net.cfg", "net.md", "other.md"):
        user.write(name, "128\n")
    user.edit("model.py", "import tensorflow as tf\n", _READS)
    user.edit("model.py", 'params.get("num_hidden", 64)', "_hidden()")
    assert user.hook().code == 0
    git(user.root, "commit", "-qm", "the code reads files")
    for name in ("net.cfg", "net.md"):
        user.write(name, "64\n")
        run = user.hook()
        assert run.code == 1 and "dense/kernel" in run.out, (name, run)
        user.write(name, "128\n")
    assert user.hook().code == 0
    for name in ("other.md", "new.md"):
        user.write(name, "64\n")
    run = user.hook()
    assert run.code == 0 and SKIPPED in run.out, run


_READS = """import tensorflow as tf


def _hidden():
    with open("net.cfg") as one, open("net.md") as other:
        return min(int(one.read()), int(other.read()))
"""


def test_a_deleted_module_starts_the_check(user: User) -> None:
    user.write("helper.py", "")
    user.edit("model.py", "import tensorflow as tf", "import helper\nimport tensorflow as tf")
    assert user.hook().code == 0
    git(user.root, "commit", "-qm", "a module")
    git(user.root, "rm", "-q", "helper.py")
    run = user.hook()
    assert run.code == 1 and "No module named 'helper'" in run.out, run


def test_a_changed_link_starts_the_check(user: User) -> None:
    """pre-commit does not count links as files."""
    (user.root / "params.json").rename(user.root / "narrow.json")
    user.write("wide.json", (user.root / "narrow.json").read_text("utf-8").replace("128", "64"))
    for name in ("params.json", "params.md"):
        os.symlink("narrow.json", str(user.root / name))
    user.write("ckptcheck.toml", CONFIGURATION.replace("params.json", "params.md"))
    assert user.hook().code == 0
    git(user.root, "commit", "-qm", "links")
    (user.root / "params.md").unlink()
    os.symlink("wide.json", str(user.root / "params.md"))
    run = user.hook()
    assert run.code == 1 and "num_hidden" in run.out, run


def test_all_files_are_all_checks(user: User) -> None:
    run = user.hook("--all-files")
    assert run.code == 0 and "1 check: 1 passed" in run.out, run
    user.edit(".pre-commit-config.yaml", "id: ckptcheck\n", "id: ckptcheck\n    args: [base]\n")
    run = user.hook("--all-files")
    assert run.code == 0 and "1 check: 1 passed" in run.out, run


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
