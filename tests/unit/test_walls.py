"""Import rules that the contracts of import-linter in pyproject.toml cannot express."""

import ast
import functools
import sys
from pathlib import Path
from typing import Dict, Iterator, Set

import pytest

import ckptcheck

PACKAGE = Path(ckptcheck.__file__).resolve().parent
FILES = sorted(PACKAGE.rglob("*.py"))


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Set[str]:
    """The absolute names of all modules that a file imports, inside functions too."""
    return set(_imports(ast.parse(path.read_text("utf-8")), path))


def _imports(tree: ast.AST, path: Path) -> Iterator[str]:
    package = module_of(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            if node.module:
                yield name
            for alias in node.names:
                if node.level and (not node.module or _is_module(name, alias.name)):
                    yield f"{name}.{alias.name}"
        elif isinstance(node, ast.Call) and _called(node.func) in ("import_module", "__import__"):
            # The text is `s` in Python 3.7 and `value` since, where reading `s` is deprecated.
            texts = [getattr(a, "value", None) or getattr(a, "s", None) for a in node.args[:1]]
            yield from (text for text in texts if isinstance(text, str))


def _is_module(package: str, name: str) -> bool:
    folder = PACKAGE.parent.joinpath(*package.split("."))
    return (folder / (name + ".py")).is_file() or (folder / name).is_dir()


def _called(function: ast.AST) -> str:
    return getattr(function, "attr", getattr(function, "id", ""))


@functools.lru_cache(maxsize=None)
def all_imports() -> Dict[str, Set[str]]:
    """What each module of the package imports."""
    return {module_of(path): imports_of(path) for path in FILES}


def inside(module: str, *rooms: str) -> bool:
    return any(module == room or module.startswith(room + ".") for room in rooms)


def test_imports_are_seen() -> None:
    """The parser of this file finds relative and absolute imports, and import functions."""
    assert "ckptcheck.protocol" in all_imports()["ckptcheck.rules.base"]
    assert "ckptcheck.rules.examples" in all_imports()["ckptcheck.rules.shape_mismatch"]
    assert "ckptcheck.tracer.compat" in all_imports()["ckptcheck.tracer.trace"]
    assert "tensorflow" in all_imports()["ckptcheck.tracer.compat"]
    assert "ckptcheck.reporters.layout" in all_imports()["ckptcheck.reporters.text"]


IN_TRAINING = {f"ckptcheck.records.{name}" for name in ("estimator", "hook", "inputs", "training")}
"""Modules that run in the training process, which has imported TensorFlow.

They use tracer modules.
"""


def test_only_compat_imports_tensorflow() -> None:
    """Modules that watch TensorFlow's functions may also import it.

    Calls of import functions count, too.
    """
    found = all_imports().items()
    importing = {m for m, names in found if any(inside(name, "tensorflow") for name in names)}
    watching = {"ckptcheck.tracer.watch_graph", "ckptcheck.tracer.watch_tensorflow"}
    assert importing == {"ckptcheck.tracer.compat", *watching, *IN_TRAINING}


def test_what_of_the_tracer_is_used_outside() -> None:
    """Both sides use ``temporary`` to make directories and to remove those of the other side.

    Records use ``target`` to find the file of TARGET.
    """
    shared = {"ckptcheck.tracer", "ckptcheck.tracer.temporary"}
    for module, names in all_imports().items():
        own = inside(module, "ckptcheck.tracer") or module == "ckptcheck.records.targets"
        if not own and module not in IN_TRAINING:
            used = {name for name in names if inside(name, "ckptcheck.tracer")}
            assert used <= shared, module


def test_the_tracer_needs_the_standard_library_and_tensorflow_alone() -> None:
    """It runs in the user's interpreter, which has no package of ckptcheck's."""
    standard = getattr(sys, "stdlib_module_names", None)
    if standard is None:
        pytest.skip("Python before 3.10 has no list of its standard library")
    for module in (module for module in all_imports() if inside(module, "ckptcheck.tracer")):
        tops = {name.partition(".")[0] for name in all_imports()[module]}
        assert tops <= set(standard) | {"tensorflow", "google", "tf_keras", "ckptcheck"}, module


def test_rules_do_no_input_or_output() -> None:
    """Rules are pure functions of the facts.

    A contract forbids imports of modules, and this test calls.
    """
    for path in (PACKAGE / "rules").glob("*.py"):
        calls = [n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Call)]
        assert not [
            call for call in calls if _called(call.func) in ("open", "print", "exec", "eval")
        ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_file_is_python_3_7(path: Path) -> None:
    """The tracer's text runs in the user's interpreter, and the command in old environments."""
    text = path.read_text("utf-8")
    tree = (
        ast.parse(text, feature_version=(3, 7)) if sys.version_info >= (3, 8) else ast.parse(text)
    )
    assert isinstance(tree, ast.Module)
