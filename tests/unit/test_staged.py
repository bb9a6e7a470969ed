"""Tests of what git has staged: only documents and pictures, or other files, too."""

import os
import subprocess
from pathlib import Path
from typing import Any, Sequence

import pytest

from ckptcheck.cli import main
from ckptcheck.exit_codes import EXIT_USAGE
from ckptcheck.staged import is_document, staged_documents

CHECK = '[[check]]\nname = "a"\nmodel-dir = "runs/gone"\ntarget = "net:model_fn"\n'


class Repository:
    """The repository of a project, in the working directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "-q")
        self.write("ckptcheck.toml", CHECK)
        self.write("docs/old.md", "words")
        self.commit()

    def git(self, *words: str) -> None:
        who = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *words], cwd=str(self.root), check=True, capture_output=True)

    def write(self, name: str, text: str = "words") -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", "x")

    def stage(self, *names: str) -> None:
        for name in names:
            self.write(name)
        self.git("add", "-A")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.delenv("PRE_COMMIT_FROM_REF", raising=False)
    monkeypatch.delenv("CKPTCHECK_CACHE_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    return Repository(tmp_path)


@pytest.mark.parametrize(
    ("path", "matters"),
    [
        *(("models/net.py", True), ("params.json", True), ("conf/params.yaml", True)),
        *(("runs/base/checkpoint", True), ("checkpoint", True), ("pyproject.toml", True)),
        *(("data/vocab.txt", True), ("data/vocab_en", True), ("requirements.txt", True)),
        *(("net.cfg", True), ("Makefile", True), (".gitmodules", True), ("license.py", True)),
        *(("README.md", False), ("docs/README", False), ("docs/a.rst", False)),
        *(("logo.PNG", False), ("LICENSE", False), ("license.txt", False)),
        *(("runs/base/checkpoint.bak", True), ("a\nb.md", False)),
    ],
)
def test_documents_and_pictures_can_matter_to_no_check(
    path: str, matters: bool, repository: Repository
) -> None:
    assert is_document(path) is not matters
    repository.stage(path, "docs/other.md")
    assert bool(staged_documents()) is not matters


def test_the_paths_are_absolute(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.stage("a.md", "docs/b.png")
    monkeypatch.chdir("docs")
    root = os.path.realpath(str(tmp_path))
    assert staged_documents() == [os.path.join(root, name) for name in ("a.md", "docs/b.png")]


def test_a_deleted_file_counts(repository: Repository) -> None:
    repository.write("helper.py")
    repository.commit()
    repository.git("rm", "-q", "docs/old.md")
    assert staged_documents()
    repository.git("rm", "-q", "helper.py")
    assert not staged_documents()


def test_a_renamed_file_is_two_files(repository: Repository) -> None:
    repository.write("helper.py", "words\n" * 9)
    repository.commit()
    repository.git("mv", "helper.py", "helper.md")
    assert not staged_documents()


def test_a_link_counts_whatever_its_name_is(repository: Repository) -> None:
    (repository.root / "link.md").symlink_to("docs/old.md")
    repository.git("add", "-A")
    assert not staged_documents()
    repository.commit()
    (repository.root / "link.md").unlink()
    repository.stage("link.md")
    assert not staged_documents(), "its type has changed"


def test_a_submodule_counts(repository: Repository, tmp_path: Path) -> None:
    commit = "1" * 40
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},lib.md")
    assert not staged_documents()


def test_nothing_staged_and_no_repository(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write("a.md")
    assert not staged_documents(), "as pre-commit run --all-files"
    repository.stage("a.md")
    assert staged_documents()
    with monkeypatch.context() as patched:
        patched.setenv("PRE_COMMIT_FROM_REF", "HEAD~1")
        assert not staged_documents(), "pre-commit run --from-ref is about other files"
    with monkeypatch.context() as patched:
        patched.setenv("PATH", "/gone")
        assert not staged_documents()
    monkeypatch.setenv("GIT_DIR", "/gone")
    assert not staged_documents()


def test_the_first_commit(tmp_path: Path, repository: Repository) -> None:
    repository.git("update-ref", "-d", "HEAD")
    assert not staged_documents(), "it has the configuration"
    repository.git("rm", "-q", "--cached", "ckptcheck.toml")
    assert staged_documents()


def test_settings_of_the_user_do_not_change_the_list(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.git("config", "diff.relative", "true")
    repository.git("config", "diff.renames", "copies")
    repository.git("config", "diff.noprefix", "true")
    repository.write("below/ckptcheck.toml", CHECK)
    repository.commit()
    repository.stage("net.py", "below/a.md")
    monkeypatch.chdir("below")
    assert not staged_documents()


def ran(capfd: pytest.CaptureFixture[str], *words: str) -> Any:
    with pytest.raises(SystemExit) as ended:
        main(words)
    out, err = capfd.readouterr()
    return ended.value.code, out, err


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["check", "--staged", "./runs", "net:model_fn"], "--staged is for configured checks"),
        (["check", "--staged", "--write-baseline"], "--staged and --write-baseline cannot be"),
        (["check", "--staged", "b"], "no check b in ckptcheck.toml"),
        (["check", "--staged", "--stage"], "no such option: --stage"),
        (["inspect", "--staged", "runs"], "no such option: --staged"),
    ],
)
def test_a_wrong_command_line_is_not_skipped(
    words: Sequence[str],
    problem: str,
    repository: Repository,
    capfd: pytest.CaptureFixture[str],
) -> None:
    repository.stage("a.md")
    code, _, err = ran(capfd, *words)
    assert code == EXIT_USAGE and problem in err, err
