"""Tests which changes of files, modules and checkpoints the cache notices."""

import os
import shutil
import sys
import time
import venv
from pathlib import Path
from typing import Any, Callable, Dict

import pytest

from ckptcheck.cache.kept import Cache
from ckptcheck.client.process import Tracer

from ..support import needs_tensorflow
from .special import PARAMS

pytestmark = needs_tensorflow


@pytest.mark.parametrize("code", ["open({!r} + '/log.txt', 'w').close()", "os.chdir({!r})"])
def test_a_directory_that_the_code_needs(said_of: Any, tmp_path: Path, code: str) -> None:
    folder = tmp_path / "logs"
    code = code.format(str(folder))
    assert said_of(code)[-1] == "kept in the cache", "the failure is kept"
    folder.mkdir()
    assert said_of(code)[0] == f"not in the cache: {folder} is new"
    shutil.rmtree(str(folder))
    assert said_of(code)[0] == f"not in the cache: {folder} has changed"


LOOKS: Dict[str, Callable[[Path], object]] = {
    "os.listdir(os.open({!r}, os.O_RDONLY))": lambda folder: (folder / "new").touch(),
    "os.scandir(os.open({!r}, os.O_RDONLY))": lambda folder: (folder / "new").touch(),
    "os.open('one', os.O_RDONLY, dir_fd=os.open({!r}, os.O_RDONLY))": lambda folder: (
        folder / "one"
    ).write_text("new"),
    "file = open({!r} + '/one'); os.fstat(file.fileno())": lambda folder: os.utime(
        str(folder / "one"), (0, 0)
    ),
    "os.path.getctime({!r} + '/one')": lambda folder: os.link(
        str(folder / "one"), str(folder / "two")
    ),
}


@pytest.mark.parametrize("code", LOOKS)
def test_a_look_by_descriptor_or_at_a_time(said_of: Any, tmp_path: Path, code: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "one").write_text("old")
    time.sleep(0.1)
    code, edit = code.format(str(folder)), LOOKS[code]
    assert said_of(code)[-1] == "kept in the cache"
    edit(folder)
    assert said_of(code)[0].startswith(f"not in the cache: {folder}")


HELPER = """
def exists(path):
    return path.stat().st_mtime_ns
"""


@pytest.mark.parametrize("code", ["exists({})", "{}.lstat()", "os.path.getmtime({})", "{}.stat()"])
def test_a_look_at_the_time_of_a_file(said_of: Any, tmp_path: Path, code: str) -> None:
    path = tmp_path / "data.txt"
    path.write_text("one")
    time.sleep(0.1)
    code = "import pathlib\n" + code.format(f"pathlib.Path({str(path)!r})")
    assert said_of(code, top=HELPER)[-1] == "kept in the cache"
    os.utime(str(path), (0, 0))
    assert said_of(code, top=HELPER)[0] == f"not in the cache: {path} has changed"


@pytest.mark.parametrize(
    "code",
    [
        "os.path.isdir(os.curdir); os.path.realpath({0!r}); os.path.exists({0!r})",
        "import pathlib; path = pathlib.Path({0!r}); path.exists(); path.is_dir(); path.resolve()",
        "import pathlib; pathlib.Path({0!r}).is_symlink(); os.path.getsize({0!r})",
        "os.path.islink({0!r}); os.path.lexists({0!r}); os.path.abspath({0!r})",
    ],
)
def test_a_look_that_does_not_tell_the_time(said_of: Any, tmp_path: Path, code: str) -> None:
    path = tmp_path / "data.txt"
    path.write_text("one")
    time.sleep(0.1)
    assert said_of(code.format(str(path)))[-1] == "kept in the cache"
    os.utime(str(path), (0, 0))
    (tmp_path / "new.txt").write_text("")
    assert said_of(code.format(str(path))) == ["taken from the cache"]


def test_a_package_that_is_installed_in_another_directory(said_of: Any, tmp_path: Path) -> None:
    """``pip install -e`` does this: a new file adds a directory to ``sys.path``."""
    environment = tmp_path / "environment"
    python = str(environment / "bin" / "python")
    venv.create(str(environment), symlinks=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "own.pth").write_text("".join(f"{path}\n" for path in sys.path if path))
    (tmp_path / "libraries").mkdir()
    (tmp_path / "libraries" / "added.py").write_text("")
    time.sleep(0.1)  # traces are not kept if a file changes just before the tracer starts
    with Tracer(python, 120, quiet=True) as tracer:
        said = said_of("import added", tracer=tracer, python=python)
    assert said[-1] == "kept in the cache", "the failure is kept"
    (packages / "__editable__.mine.pth").write_text(str(tmp_path / "libraries"))
    with Tracer(python, 120, quiet=True) as tracer:
        said = said_of("import added", tracer=tracer, python=python)
    assert said[0] == f"not in the cache: {packages} has changed"


@pytest.mark.parametrize("name", ["sitecustomize", "json", "usercustomize"])
def test_a_module_that_python_imports_first(
    said_of: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = tmp_path / "first"
    folder.mkdir()
    paths = [str(folder), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    time.sleep(0.1)  # traces are not kept if a file changes just before the tracer starts
    with Tracer(None, 120, quiet=True) as own:
        assert said_of("pass", tracer=own)[-1] == "kept in the cache"
        (folder / f"{name}.py").write_text("")
        said = said_of("pass", tracer=own)
    assert said[0] == f"not in the cache: the modules in {folder} have changed"


def test_a_checkpoint_that_changes_after_its_traces_were_found(
    said_of: Any, tmp_path: Path
) -> None:
    class Saving(Cache):
        def find(self, asked: Any, name: str) -> Any:
            kept = super().find(asked, name)
            path = asked.located.prefix + ".meta"
            os.replace(shutil.copy(path, str(tmp_path / "copy")), path)
            with open(path, "ab") as file:
                file.write(b"\0")
            return kept

    assert said_of("pass")[-1] == "kept in the cache"
    said = said_of("pass", cache=Saving)
    assert said[:2] == [
        "taken from the cache",
        "not in the cache: the checkpoint has changed meanwhile",
    ]


def test_a_new_checkpoint_whose_graph_has_the_features(said_of: Any, tmp_path: Path) -> None:
    assert said_of("pass")[-1] == "kept in the cache"
    own = next(tmp_path.rglob("model.ckpt-*.index")).with_suffix("")
    folder = own.parent
    (folder / "graph.pbtxt").unlink()
    for path in folder.glob(own.name + ".*"):
        shutil.copy(str(path), str(folder / path.name.replace(own.name, "averaged-1")))
    for path in folder.glob("averaged-1.meta*"):
        path.unlink()
    averaged = str(folder / "averaged-1")
    assert said_of("pass", model_dir=averaged)[-1] == "kept in the cache"
    assert said_of("pass", model_dir=averaged) == ["taken from the cache"]
    for path in folder.glob(own.name + ".*"):
        shutil.copy(str(path), str(folder / path.name.replace(own.name, "model.ckpt-20")))
    state = 'model_checkpoint_path: "{0}"\nall_model_checkpoint_paths: "model.ckpt-10"\n'
    state += 'all_model_checkpoint_paths: "{0}"\n'
    (folder / "checkpoint").write_text(state.format("model.ckpt-20"))
    assert said_of("pass", model_dir=averaged)[0].startswith("not in the cache: ")


def test_the_order_of_params_counts_if_the_code_reads_them_all(said_of: Any) -> None:
    turned = dict(reversed(list(PARAMS.items())))
    assert said_of("pass")[-1] == "kept in the cache"
    assert said_of("pass", params=turned) == ["taken from the cache"]
    assert said_of("list(params)")[-1] == "kept in the cache"
    assert said_of("list(params)", params=turned)[0] == (
        "not in the cache: the params are in another order"
    )


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="the system has no /dev/shm")
def test_a_file_in_shared_memory(said_of: Any) -> None:
    import numpy as np

    path = f"/dev/shm/ckptcheck-test-{os.getpid()}.npy"
    code = f"np.load({path!r})"
    try:
        np.save(path, np.zeros(3))
        time.sleep(0.1)
        assert said_of(code)[-1] == "kept in the cache"
        np.save(path, np.zeros(4))
        assert said_of(code)[0] == f"not in the cache: {path} has changed"
    finally:
        os.unlink(path)
