"""Tests of a commit that can change no check: what git has staged, and what the cache knows."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, List, Sequence

import pytest

from ckptcheck.cache.dependencies import Dependencies
from ckptcheck.cache.documents import is_document, remember_documents
from ckptcheck.cache.lines import Lines
from ckptcheck.cache.store import FOLDER, Store
from ckptcheck.cli import main
from ckptcheck.exit_codes import EXIT_OK, EXIT_USAGE
from ckptcheck.staged import why_skipped

from ..support import PROJECT, environment

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
    assert bool(why_skipped({})) is not matters


def test_the_line_names_what_is_staged(repository: Repository) -> None:
    repository.stage("a.md")
    start = "ckptcheck: skipped all checks: only documents and pictures are staged "
    assert why_skipped({}) == start + "(a.md)\n"
    repository.stage("b.md", "c.png")
    assert why_skipped({}) == start + "(a.md and 2 more)\n"


def test_a_deleted_file_counts(repository: Repository) -> None:
    repository.write("helper.py")
    repository.commit()
    repository.git("rm", "-q", "docs/old.md")
    assert why_skipped({})
    repository.git("rm", "-q", "helper.py")
    assert not why_skipped({})


def test_a_renamed_file_is_two_files(repository: Repository) -> None:
    repository.write("helper.py", "words\n" * 9)
    repository.commit()
    repository.git("mv", "helper.py", "helper.md")
    assert not why_skipped({})


def test_a_link_counts_whatever_its_name_is(repository: Repository) -> None:
    (repository.root / "link.md").symlink_to("docs/old.md")
    repository.git("add", "-A")
    assert not why_skipped({})
    repository.commit()
    (repository.root / "link.md").unlink()
    repository.stage("link.md")
    assert not why_skipped({}), "its type has changed"


def test_a_submodule_counts(repository: Repository, tmp_path: Path) -> None:
    commit = "1" * 40
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{commit},lib.md")
    assert not why_skipped({})


def test_nothing_staged_and_no_repository(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write("a.md")
    assert not why_skipped({}), "as pre-commit run --all-files"
    repository.stage("a.md")
    assert why_skipped({})
    with monkeypatch.context() as patched:
        patched.setenv("PRE_COMMIT_FROM_REF", "HEAD~1")
        assert not why_skipped({}), "pre-commit run --from-ref is about other files"
    with monkeypatch.context() as patched:
        patched.setenv("PATH", "/gone")
        assert not why_skipped({})
    monkeypatch.setenv("GIT_DIR", "/gone")
    assert not why_skipped({})


def test_the_first_commit(tmp_path: Path, repository: Repository) -> None:
    repository.git("update-ref", "-d", "HEAD")
    assert not why_skipped({}), "it has the configuration"
    repository.git("rm", "-q", "--cached", "ckptcheck.toml")
    assert why_skipped({})


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
    assert not why_skipped({})


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ('params = "params.md"\n', "params.md"),
        ('params = "conf/{name}.md"\n', "conf/gone.md"),
        ('params = "conf/*"\n', "conf/README.md"),
        ('params = {words = "./words.rst"}\n', "words.rst"),
    ],
)
def test_a_document_that_the_configuration_names(
    more: str, name: str, repository: Repository
) -> None:
    repository.write("ckptcheck.toml", CHECK + more)
    repository.commit()
    repository.stage("other.md")
    assert why_skipped({})
    repository.stage(name)
    assert not why_skipped({})


def test_patterns_of_ignores_are_no_files(repository: Repository) -> None:
    ignore = '[[ignore]]\nvariable = "*"\nreason = "a test"\n'
    repository.write("ckptcheck.toml", CHECK + ignore)
    repository.commit()
    repository.stage("a.md")
    assert why_skipped({})


@pytest.mark.parametrize("text", ["", "timeout = 3\n", "check = 3\n", "[[check]\n"])
def test_a_configuration_without_checks_is_for_the_command(
    text: str, repository: Repository
) -> None:
    repository.write("ckptcheck.toml", text)
    repository.commit()
    repository.stage("a.md")
    found = why_skipped({})
    assert bool(found) is (text == "check = 3\n")


def remember(folder: Path, root: Path, *looks: str) -> None:
    """Writes an entry that depends on paths, each with a look: ``content docs/a.md``."""
    pairs = [look.split(" ") for look in looks]
    files = [(str(root / path), look, "x") for look, path in pairs]
    remember_documents(Store(str(folder)), "one", Dependencies(files, [], "", {}))


@pytest.mark.parametrize(
    ("looks", "names", "skips"),
    [
        (["content docs/old.md"], ["docs/old.md"], False),
        (["content docs/old.md"], ["docs/new.md", "old.md"], True),
        (["content net.py"], ["docs/old.md"], True),
        (["names docs"], ["docs/old.md"], True),
        (["names docs"], ["docs/new.md"], False),
        (["names docs"], ["docs/more/new.md"], False),
        (["stats docs"], ["docs/old.md"], False),
        (["link docs/new.md"], ["docs/new.md"], False),
    ],
)
@pytest.mark.parametrize("where", ["", "option", "key", "variable"])
def test_a_document_that_a_kept_trace_depends_on(
    looks: List[str],
    names: List[str],
    skips: bool,
    where: str,
    repository: Repository,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = {}
    folder = tmp_path_factory.mktemp("kept") if where else repository.root / FOLDER
    if where == "option":
        given["cache_dir"] = str(folder)
    elif where == "variable":
        monkeypatch.setenv("CKPTCHECK_CACHE_DIR", str(folder))
    elif where == "key":
        repository.write("ckptcheck.toml", CHECK + f'cache-dir = "{folder}"\n')
        repository.commit()
    remember(folder, repository.root, *looks)
    for name in names:
        repository.write(name, "other words")
    repository.git("add", "-A")
    assert bool(why_skipped(given)) is skips


def test_a_trace_that_no_longer_reads_a_document(repository: Repository) -> None:
    remember(repository.root / FOLDER, repository.root, "content docs/old.md")
    remember(repository.root / FOLDER, repository.root, "content net.py")
    repository.stage("docs/old.md")
    repository.write("docs/old.md", "other words")
    repository.git("add", "-A")
    assert why_skipped({})


def test_a_damaged_cache(repository: Repository) -> None:
    repository.stage("a.md")
    store = Store(str(repository.root / FOLDER))
    for value in ({"files": 3}, {"files": [3]}, {}):
        store.write("documents", "one", dict(value))
        assert why_skipped({})
    (repository.root / FOLDER / "documents-one.z").write_bytes(b"x")
    assert why_skipped({})


def ran(capfd: pytest.CaptureFixture[str], *words: str) -> Any:
    with pytest.raises(SystemExit) as ended:
        main(words)
    out, err = capfd.readouterr()
    return ended.value.code, out, err


@pytest.mark.parametrize(
    "words", [["--staged"], ["check", "--staged"], ["check", "--staged", "a", "--jobs", "2"]]
)
def test_the_command_says_one_line(
    words: Sequence[str], repository: Repository, capfd: pytest.CaptureFixture[str]
) -> None:
    repository.stage("a.md")
    code, out, err = ran(capfd, *words)
    assert (code, out) == (EXIT_OK, "")
    assert err.startswith("ckptcheck: skipped all checks: ") and err.count("\n") == 1
    repository.stage("a.py")
    code, out, err = ran(capfd, *words)
    assert code == EXIT_USAGE and "runs/gone" in out


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


@pytest.mark.parametrize("words", [["check", "--staged"], ["check", "--staged", "a"]])
def test_it_imports_neither_the_parser_nor_the_checks(
    words: List[str], repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit of documents waits for it."""
    monkeypatch.delenv("CKPTCHECK_NO_CACHE", raising=False)
    remember(repository.root / FOLDER, repository.root, "names docs")
    Lines(words[1:]).remember({"given": {"staged": True, "model_dir": "a"}})
    repository.stage("a.md")
    program = f"import sys; sys.argv[1:] = {words}; import ckptcheck.cli as c\n"
    program += "try: c.main()\n"
    program += "finally: print(sorted(m for m in sys.modules if m in ('typer', 'ckptcheck.suite')))"
    env = environment(PYTHONPATH=str(PROJECT))
    env.pop("CKPTCHECK_NO_CACHE", None)
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert b"skipped all checks" in done.stderr
    assert done.stdout.decode() == "[]" + os.linesep
