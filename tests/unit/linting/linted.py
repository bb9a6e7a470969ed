"""Lints code that tests write."""

import ast
import textwrap
from typing import Dict, List, Union

from ckptcheck.linting.run import lint_modules
from ckptcheck.linting.source import ignores_in
from ckptcheck.linting.syntax import Module
from ckptcheck.results import Finding

HEAD = "import tensorflow as tf\n"


def modules(files: Dict[str, str]) -> List[Module]:
    """Parses files; their paths are below the working directory."""
    parsed = []
    for path, code in files.items():
        text = textwrap.dedent(code)
        parsed.append(Module(path, text, ast.parse(text), ignores_in(text)))
    return parsed


def findings(code: Union[str, Dict[str, str]]) -> List[Finding]:
    """Lints one file, after a line that imports TensorFlow, or several."""
    files = {"model.py": HEAD + textwrap.dedent(code)} if isinstance(code, str) else code
    return lint_modules(modules(files))


def found(code: Union[str, Dict[str, str]]) -> List[str]:
    """The rules that find something, each with its file and line."""
    return [
        f"{item.rule} {item.location.file}:{item.location.line}"
        for item in findings(code)
        if item.location is not None
    ]


def rules(code: Union[str, Dict[str, str]]) -> List[str]:
    """The rules that find something."""
    return [item.rule for item in findings(code)]


def model(body: str) -> str:
    """Returns the code of a model_fn with these statements."""
    lines = "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
    return f"def model_fn(features, labels, mode, params):\n    net = features\n{lines}"
