"""A function that checks a model_fn with some code, with the cache."""

import time
from pathlib import Path
from typing import Any, Iterator, List

import pytest

from ckptcheck.cache.kept import Cache
from ckptcheck.checks import run_check
from ckptcheck.client.process import Tracer
from ckptcheck.options import CheckSpec

from ..support import copy_fixture
from .special import HEAD, PARAMS


@pytest.fixture(scope="module")
def tracer() -> Iterator[Tracer]:
    with Tracer(None, 120, quiet=True) as started:
        yield started


@pytest.fixture
def said_of(tmp_path: Path, tracer: Tracer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Returns a function that checks a model_fn with some code. It returns what the cache says.

    Its attribute ``report`` is the last report.
    """
    project = copy_fixture("hidden_dropout", tmp_path)

    def check(code: str, **fields: Any) -> List[str]:
        body = "".join(f"    {line}\n" for line in code.splitlines())
        text = HEAD + body + "    return spec\n" + fields.pop("top", "")
        project.write("special.py", text)
        said: List[str] = []
        used = fields.pop("tracer", tracer)
        python = fields.pop("python", None)
        kind = fields.pop("cache", Cache)
        spec = CheckSpec(
            fields.pop("model_dir", str(project.model_dir)),
            "special:model_fn",
            fields.pop("params", PARAMS),
            modes=("predict",),
            app_dir=str(project.root),
            python=python,
            **fields,
        )
        time.sleep(0.1)  # traces are not kept if a file changes just before the check
        found.report = run_check(spec, used, cache=kind(str(tmp_path / "cache"), said.append))
        return said

    found: Any = check
    return found
