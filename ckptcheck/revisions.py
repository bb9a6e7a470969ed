"""Copies the files of a git revision, without changing the repository.

``git archive`` would leave out what ``.gitattributes`` excludes from releases, and a checkout would
run hooks and filters. So this module asks git for the objects, and writes the files itself.
"""

import contextlib
import os
import re
import subprocess
import tempfile
from types import TracebackType
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Type

from .errors import MissingThenError, UsageError

_CHUNK = 1 << 20
_PROGRAM, _LINK, _SUBMODULE = "100755", "120000", "160000"
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n.*?oid sha256:(\w{64})", re.S
)
"""The pointer that git stores instead of a file that git-lfs keeps elsewhere."""
_OF_HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
"""The variables that git sets for hooks. They would hide the repository of the directory."""
_COMPILED = "__pycache__"


class Revision(NamedTuple):
    """A commit of a repository.

    Attributes:
        root: the directory of the repository's files.
        commit: the id of the commit.
    """

    root: str
    commit: str


def find_revision(name: str, folder: str) -> Revision:
    """Finds a commit of the repository that a directory belongs to.

    Args:
        name: what the user calls the commit.
        folder: the directory.

    Raises:
        MissingThenError: the repository has no commits.
        UsageError: git is not installed, or finds no repository or no such commit.
    """
    try:
        root = _text(_git(folder, "rev-parse", "--show-toplevel"))
    except _GitError as error:
        raise UsageError(f"{folder} is not in a git repository that can be read: {error}") from None
    try:
        commit = _text(_git(folder, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"))
    except _GitError:
        raise _no_revision(name, root, folder) from None
    return Revision(root, commit)


def _no_revision(name: str, root: str, folder: str) -> UsageError:
    """Returns the error for a commit that git does not have."""
    if not _printed(folder, "rev-list", "--all", "--max-count=1"):
        return MissingThenError(f"the repository {root} has no commits yet, so there is no {name}")
    hint = ""
    if _printed(folder, "rev-parse", "--is-shallow-repository") == "true":
        hint = ". This shallow clone has only the last commits (git fetch --unshallow gets all)"
    expected = "expected a commit, a branch or a tag that git has here"
    return UsageError(f"{name} is not a revision of {root}: {expected}{hint}")


def _printed(folder: str, *arguments: str) -> str:
    """Returns what git prints; "" if it fails."""
    try:
        return _text(_git(folder, *arguments))
    except _GitError:
        return ""


def copy_revision(revision: Revision, into: str) -> List[str]:
    """Writes all files of a commit, and links to the files that git does not track.

    Args:
        revision: the commit.
        into: an empty directory, without links in its path.

    Returns:
        What could not be taken from the commit, for ``not judged``.

    Raises:
        UsageError: git cannot read the commit.
        OSError: a file cannot be written.
    """
    notes: List[str] = []
    try:
        _copy(revision, into, "", notes)
    except _GitError as error:
        raise UsageError(f"git cannot read {revision.commit} in {revision.root}: {error}") from None
    return notes


class _GitError(Exception):
    """Git failed. The message is its own."""


def _git(folder: str, *arguments: str) -> bytes:
    """Runs git, and returns what it prints.

    Raises:
        _GitError: it fails.
        UsageError: there is no git.
    """
    command = ["git", *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=_environment(),
        )
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise UsageError(f"cannot run git ({reason}), which --against needs: install git") from None
    if done.returncode:
        said = _text(done.stderr) or f"exit code {done.returncode}"
        raise _GitError(" ".join(said.split()))
    return done.stdout


def _environment() -> Dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _OF_HOOKS}
    return {**kept, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}


def _text(output: bytes) -> str:
    return os.fsdecode(output).rstrip("\n")


def _copy(revision: Revision, into: str, path: str, notes: List[str]) -> None:
    """Copies a commit. ``path`` is "", or the path of the submodule that the commit belongs to."""
    links: List[Tuple[str, str]] = []
    entries = list(_entries(revision))
    files = [entry for entry in entries if entry[0] != _SUBMODULE]
    submodules = [(name, identity) for mode, identity, name in entries if mode == _SUBMODULE]
    for folder in {os.path.dirname(name) for _, _, name in files}:
        os.makedirs(os.path.join(into, folder), exist_ok=True)
    with _Objects(revision.root, [identity for _, identity, _ in files]) as objects:
        for mode, _, name in files:
            target = os.path.join(into, name)
            if mode == _LINK:
                text = os.fsdecode(b"".join(objects.chunks()))
                links.append((_link_text(text, revision.root, path, name), target))
            else:
                pointer = _written(objects.chunks(), target)
                if mode == _PROGRAM:
                    os.chmod(target, 0o755)
                if pointer:
                    source, note = _content_of(pointer, revision.root, name)
                    os.unlink(target)
                    links.append((source, target))
                    notes.extend([f"{os.path.join(path, name)}: {note}"] if note else [])
    for name, commit in submodules:
        _copy_submodule(revision, name, commit, into, path, notes)
    for source, target in links:  # last, so that no file is written through a link
        os.symlink(source, target)
    _link_untracked(revision.root, into)


def _link_text(text: str, root: str, path: str, name: str) -> str:
    """Returns what a link of the copy holds: the same as in the commit, if it stays in the copy.

    A relative link that leaves the repository leads to the same file as in the working tree.
    """
    folder = os.path.dirname(name)
    reached = os.path.normpath(os.path.join(path, folder, text))
    leaves = not os.path.isabs(text) and reached.split(os.sep)[0] == os.pardir
    return os.path.normpath(os.path.join(root, folder, text)) if leaves else text


def _entries(revision: Revision) -> Iterator[Tuple[str, str, str]]:
    """Yields the mode, the id and the path of each file of a commit."""
    listing = _git(revision.root, "ls-tree", "-r", "-z", "--full-tree", revision.commit)
    for entry in filter(None, listing.split(b"\0")):
        head, _, name = entry.partition(b"\t")
        mode, _, identity = head.decode("ascii").split(" ")
        path = os.fsdecode(name)
        if any(part in ("", ".", "..") or part.lower() == ".git" for part in path.split("/")):
            raise _GitError(f"it has a file with a name that git does not allow: {path}")
        yield mode, identity, path


class _Objects:
    """A process of git that reads objects, in the order in which they were asked for."""

    def __init__(self, root: str, identities: Sequence[str]) -> None:
        with tempfile.TemporaryFile() as asked:
            asked.write("".join(f"{identity}\n" for identity in identities).encode("ascii"))
            asked.seek(0)
            self._process = subprocess.Popen(
                ["git", "cat-file", "--batch", "--buffer"],
                cwd=root,
                stdin=asked,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
            )

    def chunks(self) -> Iterator[bytes]:
        """Yields the content of the next object, which has to be read to its end."""
        answer = self._process.stdout
        assert answer is not None
        head = answer.readline()
        words = head.split()
        if len(words) != 3:
            raise _GitError(f"an object is missing: {_text(head)}")
        left = int(words[2])
        while left:
            data = answer.read(min(left, _CHUNK))
            if not data:
                raise _GitError(f"it ended while it read an object: {_text(head)}")
            left -= len(data)
            yield data
        answer.read(1)  # the end of the line

    def __enter__(self) -> "_Objects":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        if error is not None:
            self._process.kill()
        with self._process:  # closes its pipes, which ends it, and waits
            pass


def _written(chunks: Iterator[bytes], target: str) -> str:
    """Writes a file; returns the id of its content if it is a pointer of git-lfs, else ""."""
    first = b""
    with open(target, "wb") as file:
        for data in chunks:
            first = first or data
            file.write(data)
    pointer = _POINTER.match(first)
    return pointer.group(1).decode("ascii") if pointer else ""


def _content_of(identity: str, root: str, name: str) -> Tuple[str, str]:
    """Returns the file that has the content of a pointer of git-lfs.

    Returns:
        The file, and a note if it may have other content.
    """
    common = os.path.join(root, _text(_git(root, "rev-parse", "--git-common-dir")))
    known = os.path.join(common, "lfs", "objects", identity[:2], identity[2:4], identity)
    if os.path.isfile(known):
        return known, ""
    note = (
        "git-lfs does not have the content at this revision, so ckptcheck used the content in the "
        "working tree"
    )
    return os.path.join(root, name), note


def _copy_submodule(
    revision: Revision, name: str, commit: str, into: str, path: str, notes: List[str]
) -> None:
    root, target = os.path.join(revision.root, name), os.path.join(into, name)
    os.makedirs(target, exist_ok=True)
    if os.path.lexists(os.path.join(root, ".git")):
        try:
            _git(root, "cat-file", "-e", f"{commit}^{{commit}}")
            _copy(Revision(root, commit), target, os.path.join(path, name), notes)
            return
        except _GitError:  # the commit was not fetched
            _link(root, target)
    place = os.path.join(path, name)
    notes.append(f"the submodule {place}: git does not have the commit that this revision names")


def _link_untracked(root: str, into: str) -> None:
    """Links to the files that git does not track, such as data, if the commit has no such file."""
    listing = _git(root, "ls-files", "--others", "--directory", "-z")
    for name in filter(None, map(os.fsdecode, listing.split(b"\0"))):
        _link(os.path.join(root, name.rstrip("/")), os.path.join(into, name.rstrip("/")))


def _link(source: str, target: str) -> None:
    """Makes a link. If both are directories, links the files that the second one lacks."""
    folder, name = os.path.split(target)
    if name in (_COMPILED, ".git") or os.path.realpath(folder) != folder:
        return  # a link of the commit may lead out of the copy
    if os.path.isdir(target) and not os.path.islink(target):
        for name in os.listdir(source) if os.path.isdir(source) else ():
            _link(os.path.join(source, name), os.path.join(target, name))
    elif not os.path.lexists(target):
        with contextlib.suppress(FileExistsError, NotADirectoryError):  # a file has this name
            os.makedirs(folder, exist_ok=True)
            os.symlink(source, target)
