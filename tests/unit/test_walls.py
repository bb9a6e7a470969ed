"""The walls that the contracts of import-linter in pyproject.toml cannot express."""

import ast
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


IMPORTS: Dict[str, Set[str]] = {module_of(path): imports_of(path) for path in FILES}


def inside(module: str, *rooms: str) -> bool:
    return any(module == room or module.startswith(room + ".") for room in rooms)


def test_imports_are_seen() -> None:
    """Of the parser of this file: relative and absolute ones, and those that are calls."""
    assert "ckptcheck.protocol" in IMPORTS["ckptcheck.rules.base"]
    assert "ckptcheck.rules.examples" in IMPORTS["ckptcheck.rules.shape_mismatch"]
    assert "ckptcheck.tracer.compat" in IMPORTS["ckptcheck.tracer.trace"]
    assert "tensorflow" in IMPORTS["ckptcheck.tracer.compat"]
    assert "ckptcheck.reporters.layout" in IMPORTS["ckptcheck.reporters.text"]


IN_TRAINING = {f"ckptcheck.records.{name}" for name in ("estimator", "hook", "inputs", "training")}
"""What runs in the training process, which has imported TensorFlow. It shares the tracer's code."""


def test_only_compat_imports_tensorflow() -> None:
    """And what reads its op registry. Calls count, which the contracts do not see."""
    importing = {m for m, names in IMPORTS.items() if any(inside(n, "tensorflow") for n in names)}
    assert importing == {"ckptcheck.tracer.compat", *IN_TRAINING}


def test_what_of_the_tracer_is_used_outside() -> None:
    """Both sides make temporary directories, and remove what the other one left.

    A record finds TARGET's file.
    """
    shared = {"ckptcheck.tracer", "ckptcheck.tracer.temporary"}
    for module, names in IMPORTS.items():
        own = inside(module, "ckptcheck.tracer") or module == "ckptcheck.records.targets"
        if not own and module not in IN_TRAINING:
            used = {name for name in names if inside(name, "ckptcheck.tracer")}
            assert used <= shared, module


def test_the_tracer_needs_the_standard_library_and_tensorflow_alone() -> None:
    """It runs in the user's interpreter, which has no package of ckptcheck's."""
    standard = getattr(sys, "stdlib_module_names", None)
    if standard is None:
        pytest.skip("Python before 3.10 has no list of its standard library")
    for module in (module for module in IMPORTS if inside(module, "ckptcheck.tracer")):
        tops = {name.partition(".")[0] for name in IMPORTS[module]}
        assert tops <= set(standard) | {"tensorflow", "google", "tf_keras", "ckptcheck"}, module


def test_rules_do_no_input_or_output() -> None:
    """Pure functions of the facts: a contract forbids modules, and this the calls."""
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
