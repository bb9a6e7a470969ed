"""Tests of origins: digests of functions, files that code reads, the commit of a repository."""

import ast
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest

from ckptcheck.origins import texts_in
from ckptcheck.records.targets import target_of
from ckptcheck.tracer import data_contents, user_code
from ckptcheck.tracer.data_contents import is_below
from ckptcheck.tracer.git_revision import revision_of
from ckptcheck.tracer.source_digests import function_digests, project_of

from ..support import PROJECT, environment, python_of_version

CODE = '''
"""What it does."""
import os
RATE = 0.5

class Net(Base):
    """A net."""
    width = 3

    def call(self, x, *, scale=1.0):
        # a comment
        return x[:, 1:, ...] * scale + 2

def model_fn(features, labels, mode, params):
    """Builds it."""
    def inner(y):
        return f"{y:>{RATE}}" if y else None
    return {"a": inner(params["rate"]), **params}
'''


def digests(code: str) -> Dict[str, str]:
    return function_digests(ast.parse(textwrap.dedent(code)))


def differing(code: str) -> Any:
    then, now = digests(CODE), digests(code)
    return {name for name in {*then, *now} if then.get(name) != now.get(name)}


def test_each_function_has_a_digest() -> None:
    assert set(digests(CODE)) == {"<module>", "Net", "Net.call", "model_fn"}


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("# a comment", "# another", set()),
        ('"""Builds it."""', "'''Builds\n    something else.'''", set()),
        ('"""A net."""\n', "\n\n", set()),
        ('"a": inner', "'a':     inner", set()),
        ("0.5", "0.25", {"<module>"}),
        ("import os", "import sys", {"<module>"}),
        ("width = 3", "width = 4", {"Net"}),
        ("Net(Base)", "Net(Other)", {"Net"}),
        ("+ 2", "- 2", {"Net.call"}),
        ("[:, 1:, ...]", "[:, 2:, ...]", {"Net.call"}),
        ("scale=1.0", "scale=1.5", {"Net.call"}),
        ("if y else", "if not y else", {"model_fn"}),
        (">{RATE}", "<{RATE}", {"model_fn"}),
        ("def model_fn", "def other_fn", {"model_fn", "other_fn"}),
    ],
)
def test_a_digest_changes_with_what_the_code_does(old: str, new: str, names: Any) -> None:
    assert old in CODE
    assert differing(CODE.replace(old, new)) == names


_PRINT = """
import ast, json, sys
from ckptcheck.tracer.source_digests import function_digests
print(json.dumps([function_digests(ast.parse(open(p, "rb").read())) for p in sys.argv[1:]]))
"""


@pytest.mark.parametrize("version", ["3.7", "3.11", "3.13"])
def test_digests_are_the_same_under_each_python(version: str) -> None:
    python = python_of_version(version)
    if python is None:
        pytest.skip(f"NOT TESTED WITH PYTHON {version}: there is none")
    paths = sorted(map(str, (PROJECT / "ckptcheck").rglob("*.py")))
    done = [
        subprocess.run(
            [command, "-c", _PRINT, *paths], env=environment(), stdout=subprocess.PIPE, check=True
        )
        for command in (sys.executable, python)
    ]
    mine, theirs = (json.loads(item.stdout.decode("ascii")) for item in done)
    assert mine == theirs and len(mine) > 200


# --- the modules of a project ----------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package, a module and a script; other modules of that name are not affected."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(user_code, "_HERE", str(tmp_path))
    package = tmp_path / "models_of_test"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "net.py").write_text(
        "import json, os.path\nfrom . import layers\nfrom models_of_test.more import x\n"
        "def model_fn(features):\n    import other_of_test\n"
    )
    (package / "layers.py").write_text("import zlib\n")
    (package / "more.py").write_text("x = 1\n")
    (package / "unused.py").write_text("")
    (tmp_path / "other_of_test.py").write_text("def f(): pass\n")
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_the_modules_that_a_module_imports(project: Path) -> None:
    __import__("models_of_test.net")
    found = project_of("models_of_test.net")
    names = [f"models_of_test{name}" for name in ("", ".layers", ".more", ".net")]
    assert [source.module for source in found.sources] == names
    assert found.sources[3].path == os.path.join("models_of_test", "net.py")
    assert {"json", "os", "zlib"} <= set(found.packages)
    __import__("other_of_test")
    assert [source.module for source in project_of("models_of_test.net").sources][-1] == (
        "other_of_test"
    )


def test_modules_that_are_asked_for_need_not_be_imported(project: Path) -> None:
    __import__("models_of_test.net")
    others = ["other_of_test", "no_such_module_of_test", "json"]
    found = project_of("models_of_test.net", others)
    assert "other_of_test" in {source.module for source in found.sources}


def test_looking_for_a_module_imports_nothing(project: Path) -> None:
    """The names come from a record, which may come from anyone."""
    package = project / "package_of_test"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit(3)\n")
    (package / "net.py").write_text("def f(): pass\n")
    __import__("models_of_test.net")
    (project / "space_of_test" / "deep").mkdir(parents=True)
    (project / "space_of_test" / "deep" / "net.py").write_text("def g(): pass\n")
    names = ["package_of_test.net", "package_of_test.no", "no_of_test.net", "json.decoder", "a..b"]
    names += ["space_of_test.deep.net", f".{project}/other_of_test"]
    found = {source.module: source for source in project_of("models_of_test.net", names).sources}
    assert set(found["package_of_test.net"].functions) == {"f"}
    assert set(found["space_of_test.deep.net"].functions) == {"g"}
    assert not [name for name in found if "other" in name]
    assert not {"package_of_test.no", "no_of_test.net", "json.decoder"} & set(found)
    assert "package_of_test" not in sys.modules


def test_a_file_that_cannot_be_parsed_has_a_digest_of_its_bytes(project: Path) -> None:
    __import__("models_of_test.net")
    (project / "models_of_test" / "layers.py").write_text("def (:\n")
    (layers,) = (s for s in project_of("models_of_test.net").sources if "layers" in s.module)
    assert layers.digest and not layers.functions


def test_the_target_of_a_model_fn(project: Path) -> None:
    net = __import__("models_of_test.net").net
    assert target_of(net.model_fn) == "models_of_test.net:model_fn"
    net.alias = lambda features: None
    assert target_of(net.alias) == "", "a check could not find it under that name"


# --- files that code reads -------------------------------------------------------------------


def test_files_among_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_code, "_HERE", str(tmp_path))
    (tmp_path / "words.txt").write_bytes(b"a\r\nb\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "array").write_bytes(b"\0\1")
    (tmp_path / "relu").write_bytes(b"not meant")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "graph.pbtxt").touch()
    os.mkfifo(str(tmp_path / "pipe.txt"))
    texts = ["words.txt", "data/array", "relu", "runs/graph.pbtxt", "pipe.txt", "data/", "", "a\0."]
    given = [*texts, "x" * 5000, "\ud800."]
    names = data_contents.data_files_among(given, str(tmp_path / "runs"))
    found = data_contents.read_contents(names)
    assert [(item.path, item.size, item.words) for item in found] == [
        ("data/array", 2, None),
        ("words.txt", 5, ("a", "b")),
    ]
    for name in ("gone.txt", "pipe.txt", "data", "a\0"):
        unread = data_contents.read_content(name)
        assert (unread.size, unread.digest) == (0, "")


def test_large_texts_have_no_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_code, "_HERE", str(tmp_path))
    monkeypatch.setattr(data_contents, "_MOST_WORDS", 3)
    (tmp_path / "words.txt").write_text("a\nb\nc\n")
    assert data_contents.read_content("words.txt").words == ("a", "b", "c")
    (tmp_path / "words.txt").write_text("a\nb\nc\nd\n")
    assert data_contents.read_content("words.txt").words is None
    monkeypatch.setattr(data_contents, "_MOST_READ", 4)
    assert data_contents.read_content("words.txt").size == 8


def test_no_more_is_read_than_agreed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_code, "_HERE", str(tmp_path))
    monkeypatch.setattr(data_contents, "_MOST_READ_IN_ALL", 9)
    for name in ("a.txt", "b.txt", "c.txt"):
        (tmp_path / name).write_text("1234")
    found = data_contents.read_contents(["a.txt", "b.txt", "c.txt"])
    assert [(item.size, bool(item.digest)) for item in found] == [(4, True), (4, True), (4, False)]


def test_what_is_in_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project"
    (project / "data" / ".git").mkdir(parents=True)
    monkeypatch.setattr(user_code, "_HERE", str(project))
    (project / "link.txt").symlink_to(tmp_path / "outside.txt")
    inside = ["words.txt", "data/words.txt", str(project / "words.txt"), "data/../words.txt"]
    outside = [
        "link.txt",
        "../words.txt",
        "/words.txt",
        ".env",
        "data/.git/config",
        "../projects.txt",
    ]
    assert [is_below(name, ["."]) for name in inside] == [True] * len(inside)
    assert [is_below(name, ["."]) for name in outside] == [False] * len(outside)
    assert is_below("../words.txt", [".", ".."])
    assert not is_below("/words.txt", ["/"])


@pytest.mark.parametrize(
    ("text", "is_vocabulary"),
    [
        ("[PAD]\n,\n...\n##ing\n", True),
        ("cat\t0\ndog\t1\n", True),
        ("Bosnia and Herzegovina\nDemocratic Republic of the Congo\n", True),
        ("", True),
        ("a\na\n", False),
        ("39,State-gov,77516\n50,Private,83311\n", False),
        ("1\t2\t3\n", False),
        ("A sentence is no word of any vocabulary.\n", False),
    ],
)
def test_only_vocabularies_have_words(
    text: str, is_vocabulary: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lines of training data must not be in a record."""
    monkeypatch.setattr(user_code, "_HERE", str(tmp_path))
    (tmp_path / "words.txt").write_text(text)
    content = data_contents.read_content("words.txt")
    assert content.words == (tuple(text.splitlines()) if is_vocabulary else None)
    assert content.digest


def test_texts_in_params() -> None:
    deep: Any = "found.txt"
    for _ in range(10):
        deep = {"a": [deep]}
    assert list(texts_in({"x": ("a.txt", 3), "y": {"z": ["b.txt"]}})) == ["a.txt", "b.txt"]
    assert list(texts_in(deep)) == ["found.txt"]


# --- git -------------------------------------------------------------------------------------


def test_the_commit_of_a_repository(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        given = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words]
        done = subprocess.run(given, cwd=str(tmp_path), stdout=subprocess.PIPE, check=True)
        return done.stdout.decode().strip()

    (tmp_path / "src").mkdir()
    path = str(tmp_path / "src" / "net.py")
    Path(path).touch()
    assert revision_of(os.path.join(os.sep, "net.py")) == "", "the root is not in a repository"
    git("init", "-q")
    assert revision_of(path) == "", "there is no commit"
    git("add", ".")
    git("commit", "-q", "-m", "a")
    assert revision_of(path) == git("rev-parse", "HEAD") != ""
    git("pack-refs", "--all")
    assert revision_of(path) == git("rev-parse", "HEAD")
    git("worktree", "add", "-q", "tree", "-b", "other")
    assert revision_of(str(tmp_path / "tree" / "src" / "net.py")) == git("rev-parse", "HEAD")
    git("checkout", "-q", "--detach")
    assert revision_of(path) == git("rev-parse", "HEAD")


@pytest.mark.parametrize("head", ["", "ref: ../../secret", "ref: refs/heads/none", "f" * 39])
def test_a_damaged_repository_has_no_commit(tmp_path: Path, head: str) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text(head)
    (tmp_path / "secret").write_text("no commit")
    assert revision_of(str(tmp_path / "net.py")) == ""
