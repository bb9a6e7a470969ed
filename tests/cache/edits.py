"""The edits of the campaign. Each says whether it can matter to a check."""

import json
import os
import random
import shutil
from typing import Callable, Dict, NamedTuple

from ..support import FIXTURES
from .project import EditedProject


class Edit(NamedTuple):
    """An edit of a project.

    Attributes:
        apply: makes the edit.
        matters: whether a check may depend on it.
        restarts: whether only a new tracer process sees the edit.
    """

    apply: Callable[[EditedProject, random.Random], object]
    matters: bool = True
    restarts: bool = False


def _number(rng: random.Random) -> str:
    return f"MORE = {rng.randint(0, 2)}\n"


def _module(name: str) -> Callable[[EditedProject, random.Random], object]:
    return lambda project, rng: project.write(name, _number(rng))


def _lines(name: str, most: int) -> Callable[[EditedProject, random.Random], object]:
    return lambda project, rng: project.write(name, "w\n" * rng.randint(1, most))


def _absent_file(project: EditedProject, rng: random.Random) -> None:
    path = project.root / "absent.json"
    if path.exists():
        path.unlink()
    else:
        project.write("absent.json", json.dumps({"more": rng.randint(0, 2)}))


def _absent_module(project: EditedProject, rng: random.Random) -> None:
    """Makes a module that shadows a module of a library, or removes that module."""
    _toggled(project, "shadowed.py", _number(rng))


def _shadow_by_package(project: EditedProject, rng: random.Random) -> None:
    if (project.root / "shadowed").exists():
        shutil.rmtree(str(project.root / "shadowed"))
    else:
        project.write("shadowed/__init__.py", _number(rng))


def _toggled(project: EditedProject, name: str, text: str) -> None:
    path = project.root / name
    if path.exists():
        path.unlink()
    else:
        project.write(name, text)


def _variable(project: EditedProject, rng: random.Random) -> None:
    os.environ["CAMPAIGN_MORE"] = str(rng.randint(0, 2))


def _other_variable(project: EditedProject, rng: random.Random) -> None:
    os.environ["CAMPAIGN_OTHER"] = str(rng.random())


def _upgrade(project: EditedProject, rng: random.Random) -> None:
    version = f"{rng.randint(1, 9)}.{rng.randint(0, 9)}"
    for old in project.packages.glob("fakedist-*"):
        shutil.rmtree(str(old))
    project.write(f"../env/site-packages/fakedist-{version}.dist-info/METADATA", version)
    project.write("../env/site-packages/fakedist/__init__.py", _number(rng))


def _package_in_place(project: EditedProject, rng: random.Random) -> None:
    """Edits an installed file, and keeps its size and time."""
    _in_place(str(project.packages / "fakedist" / "__init__.py"), rng)


def _same_size_and_time(project: EditedProject, rng: random.Random) -> None:
    name = rng.choice(("helper.py", "lazy/parts.py", "settings.py", "spaces/one.py"))
    _in_place(str(project.root / name), rng)


def _in_place(path: str, rng: random.Random) -> None:
    info = os.stat(path)
    with open(path, "r+") as file:
        file.write(_number(rng))
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def _link(project: EditedProject, rng: random.Random) -> None:
    path = str(project.root / "link.txt")
    os.unlink(path)
    os.symlink(rng.choice(("zero.txt", "two.txt")), path)


def _equal_params(project: EditedProject, rng: random.Random) -> None:
    params = json.loads((project.root / "params.json").read_text())
    items = list(params.items())
    rng.shuffle(items)
    indent = rng.choice((None, 1, 4))
    project.write("params.json", json.dumps(dict(items), indent=indent) + " " * rng.randint(0, 3))


def _params(project: EditedProject, rng: random.Random) -> None:
    params = json.loads((project.root / "params.json").read_text())
    params["more"] = rng.randint(0, 2)
    params["learning_rate"] = rng.choice((0.1, 0.2))
    if rng.random() < 0.3:
        params["name"] = rng.choice(("dense", "other"))
    project.write("params.json", json.dumps(params))


def _features(project: EditedProject, rng: random.Random) -> None:
    document = json.loads((project.root / "features.json").read_text())
    document["features"]["x"]["shape"] = [rng.choice((None, 4)), rng.randint(1, 2)]
    project.write("features.json", json.dumps(document))
    project.arguments["features"] = rng.choice((None, "features.json"))


def _flags(project: EditedProject, rng: random.Random) -> None:
    project.arguments["flags"] = rng.choice(((), ("--more=1",), ("--more=0",)))


def _saved_again(project: EditedProject, rng: random.Random) -> None:
    shutil.rmtree(str(project.root / "base"))
    saved = FIXTURES / "linear" / rng.choice(("tf115", "tf215"))
    shutil.copytree(str(saved), str(project.root / "base"))


def _graph(project: EditedProject, rng: random.Random) -> None:
    for path in (project.root / "base").glob("*.meta"):
        data = path.read_bytes()
        path.write_bytes(data[: rng.randint(0, len(data))] if rng.random() < 0.5 else data + b"\0")
        if rng.random() < 0.3:
            path.unlink()


def _touch(project: EditedProject, rng: random.Random) -> None:
    for name in ("model.py", "helper.py", "vocabulary.txt", "lazy/parts.py"):
        os.utime(str(project.root / name), (0, rng.randint(10**8, 10**9)))


def _glob(project: EditedProject, rng: random.Random) -> None:
    _toggled(project, f"parts/{rng.randint(2, 4)}.txt", "")


def _numbers(project: EditedProject, rng: random.Random) -> None:
    import numpy

    numpy.save(str(project.root / "numbers.npy"), numpy.full(3, rng.randint(0, 1)))


def _cached_bytecode(project: EditedProject, rng: random.Random) -> None:
    """Writes bytecode, as a run of the code does."""
    import py_compile

    for name in ("model.py", "helper.py"):
        py_compile.compile(str(project.root / name))


EDITS: Dict[str, Edit] = {
    "helper": Edit(_module("helper.py")),
    "lazy submodule": Edit(_module("lazy/parts.py")),
    "executed file": Edit(_module("settings.py")),
    "namespace package": Edit(_module("spaces/one.py")),
    "namespace package gets a file": Edit(lambda p, rng: _toggled(p, "spaces/__init__.py", "")),
    "vocabulary": Edit(_lines("vocabulary.txt", 4)),
    "file read by TensorFlow": Edit(_lines("labels.txt", 3)),
    "file read by numpy": Edit(_numbers),
    "absent data file": Edit(_absent_file),
    "listed directory": Edit(_glob),
    "environment variable": Edit(_variable, restarts=True),
    "upgraded package": Edit(_upgrade, restarts=True),
    "package edited in place": Edit(_package_in_place, restarts=True),
    "same size and time": Edit(_same_size_and_time),
    "symbolic link": Edit(_link),
    "params": Edit(_params),
    "module that shadows": Edit(_absent_module),
    "package that shadows": Edit(_shadow_by_package),
    "features file": Edit(_features),
    "flags": Edit(_flags),
    "saved again": Edit(_saved_again),
    "saved graph": Edit(_graph),
    "params of equal meaning": Edit(_equal_params, matters=False),
    "README": Edit(lambda p, rng: p.write("README.md", str(rng.random())), matters=False),
    "unrelated module": Edit(
        lambda p, rng: p.write(f"other{rng.randint(0, 3)}.py", str(rng.random())), matters=False
    ),
    "modification time": Edit(_touch, matters=False),
    "other variable": Edit(_other_variable, matters=False),
    "file beside": Edit(
        lambda p, rng: p.write(f"lazy/{rng.randint(0, 3)}.md", str(rng.random())), matters=False
    ),
    "bytecode": Edit(_cached_bytecode, matters=False),
}
"""The edits, by name."""
