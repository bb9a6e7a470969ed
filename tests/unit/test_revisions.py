"""Tests of copies of git revisions: their content, and that nothing else changes."""

import hashlib
import os
import subprocess
from pathlib import Path
from typing import List

import pytest

from ckptcheck.errors import MissingThenError, UsageError
from ckptcheck.revisions import Revision, copy_revision, find_revision

from ..support import digest


class Repository:
    """A repository, and copies of its revisions."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True)
        self.git("init", "-q")

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        words = ["git", "-c", "user.name=x", "-c", "user.email=x@localhost", *arguments]
        done = subprocess.run(
            words, cwd=str(self.root), input=stdin, check=True, capture_output=True
        )
        return done.stdout.decode("utf-8").strip()

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def commit(self) -> Revision:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "x")
        return find_revision("HEAD", str(self.root))

    def copy(self, revision: Revision, name: str = "copy") -> "Copy":
        into = self.root.parent / name
        into.mkdir()
        before = digest(self.root)
        notes = copy_revision(revision, os.path.realpath(str(into)))
        assert digest(self.root) == before, "the repository was changed"
        return Copy(into, notes)


class Copy:
    def __init__(self, root: Path, notes: List[str]) -> None:
        self.root = root
        self.notes = notes

    def text(self, name: str) -> str:
        return (self.root / name).read_text("utf-8")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


def test_files_are_as_the_revision_has_them(repository: Repository) -> None:
    repository.write("net.py", "one")
    repository.write("a b/d\u00e9j\u00e0 \n.py", "named")
    repository.write("empty", "")
    script = repository.write("run.sh", "#!/bin/sh")
    script.chmod(0o755)
    repository.write("later/gone.py", "gone")
    (repository.root / "link.py").symlink_to("net.py")
    repository.write(".gitattributes", "net.py export-ignore\n*.py eol=crlf ident\n")
    first = repository.commit()
    repository.write("net.py", "two")
    repository.write("new.py", "new")
    (repository.root / "later" / "gone.py").unlink()
    repository.commit()
    repository.write("net.py", "three")
    found = repository.copy(first)
    assert found.notes == []
    assert (found.text("net.py"), found.text("link.py"), found.text("empty")) == ("one", "one", "")
    assert found.text("a b/d\u00e9j\u00e0 \n.py") == "named"
    assert found.text("later/gone.py") == "gone"
    assert not (found.root / "new.py").exists()
    assert (found.root / "link.py").is_symlink()
    assert os.access(str(found.root / "run.sh"), os.X_OK)


def test_files_that_git_does_not_track_are_linked(repository: Repository) -> None:
    repository.write("net.py", "one")
    repository.write("data/known.txt", "known")
    first = repository.commit()
    repository.git("rm", "-q", "--cached", "data/known.txt")
    repository.write(".gitignore", "data\nruns\n__pycache__\n")
    repository.write("data/known.txt", "now")
    repository.write("data/words.txt", "words")
    repository.write("runs/base/checkpoint", "x")
    repository.write("made/by/hand.txt", "made")
    repository.write("__pycache__/net.pyc", "compiled")
    found = repository.copy(first)
    assert found.text("data/known.txt") == "known"
    assert found.text("data/words.txt") == "words"
    assert found.text("made/by/hand.txt") == "made"
    assert (found.root / "runs").is_symlink()
    assert not (found.root / "__pycache__").exists()


def test_relative_links_that_leave_the_repository(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("words", "utf-8")
    repository.write("net.py", "one")
    repository.write("data/..words/a.txt", "inside")
    for name, target in (
        ("out.txt", "../words.txt"),
        ("data/out.txt", "../../words.txt"),
        ("data/net.py", "../net.py"),
        ("in.txt", "data/..words/a.txt"),
    ):
        (repository.root / name).symlink_to(target)
    first = repository.commit()
    repository.write("net.py", "two")
    (tmp_path / "elsewhere").mkdir()
    found = repository.copy(first, "elsewhere/copy")
    assert (found.text("out.txt"), found.text("data/out.txt")) == ("words", "words")
    assert (found.text("data/net.py"), found.text("in.txt")) == ("one", "inside")
    assert os.readlink(str(found.root / "data/net.py")) == "../net.py"


def test_no_link_is_made_outside_of_the_copy(repository: Repository, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (repository.root / "data").symlink_to(outside)
    first = repository.commit()
    (repository.root / "data").unlink()
    repository.write("data/words.txt", "words")
    repository.copy(first)
    assert list(outside.iterdir()) == []


def test_a_file_where_a_directory_is_now(repository: Repository) -> None:
    repository.write("data", "a file")
    first = repository.commit()
    (repository.root / "data").unlink()
    repository.write("data/tracked.txt", "x")
    repository.commit()
    repository.write("data/words.txt", "words")
    assert repository.copy(first).text("data") == "a file"


def test_files_of_git_lfs(repository: Repository) -> None:
    content = b"large"
    known = hashlib.sha256(content).hexdigest()
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 5\n"
    repository.write("known.bin", pointer.format(known))
    repository.write("unknown.bin", pointer.format("0" * 64))
    first = repository.commit()
    store = repository.root / ".git" / "lfs" / "objects" / known[:2] / known[2:4]
    store.mkdir(parents=True)
    (store / known).write_bytes(content)
    repository.write("unknown.bin", "of now")
    found = repository.copy(first)
    assert (found.text("known.bin"), found.text("unknown.bin")) == ("large", "of now")
    assert len(found.notes) == 1
    assert found.notes[0].startswith("unknown.bin: git-lfs does not have the content")


def test_submodules(repository: Repository, tmp_path: Path) -> None:
    library = Repository(tmp_path / "library")
    library.write("layers.py", "one")
    library.commit()
    allowed = ("-c", "protocol.file.allow=always")
    repository.git(*allowed, "submodule", "add", str(library.root), "lib/layers")
    first = repository.commit()
    repository.write("lib/layers/layers.py", "two")
    repository.write("lib/layers/data.txt", "data")
    found = repository.copy(first)
    assert (found.text("lib/layers/layers.py"), found.notes) == ("one", [])
    assert found.text("lib/layers/data.txt") == "data"
    repository.git("update-index", "--cacheinfo", f"160000,{'1' * 40},lib/layers")
    repository.git("commit", "-q", "-m", "not fetched")
    found = repository.copy(find_revision("HEAD", str(repository.root)), "second")
    assert found.text("lib/layers/layers.py") == "two"
    assert found.notes[0].startswith("the submodule lib/layers: git does not have the commit")


def test_names_that_git_does_not_allow(repository: Repository) -> None:
    blob = repository.git("hash-object", "-w", "--stdin", stdin=b"evil")
    tree = repository.git("mktree", stdin=f"100644 blob {blob}\t..\n".encode())
    commit = repository.git("commit-tree", tree, "-m", "x")
    with pytest.raises(UsageError, match="a name that git does not allow"):
        repository.copy(Revision(str(repository.root), commit))
    assert not (repository.root.parent.parent / "evil").exists()


def test_what_git_says_is_passed_on(repository: Repository, tmp_path: Path) -> None:
    with pytest.raises(MissingThenError, match=r"has no commits yet, so there is no HEAD$"):
        find_revision("HEAD", str(repository.root))
    revision = repository.commit()
    with pytest.raises(UsageError, match=r"nothing is not a revision of .+ that git has here$"):
        find_revision("nothing", str(repository.root))
    repository.git("clone", "-q", "--depth=1", f"file://{repository.root}", "shallow")
    with pytest.raises(UsageError, match="This shallow clone has only the last commits"):
        find_revision("HEAD~1", str(repository.root / "shallow"))
    assert find_revision(revision.commit[:9], str(repository.root)) == revision
    gone = Revision(revision.root, "1" * 40)
    with pytest.raises(UsageError, match=f"git cannot read {'1' * 40}"):
        repository.copy(gone)
    with pytest.raises(UsageError, match=r"is not in a git repository that can be read: .+"):
        find_revision("HEAD", os.path.join(str(repository.root), ".git"))
