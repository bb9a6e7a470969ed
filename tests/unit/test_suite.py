"""Tests of running several checks, without TensorFlow."""

from typing import Any

import pytest

from ckptcheck import suite
from ckptcheck.commands.terminal import exit_code
from ckptcheck.config.value import Configuration, ConfiguredCheck
from ckptcheck.options import SuiteSpec
from ckptcheck.results import CHECK, Report
from ckptcheck.suite import run_suite

CHECKS = tuple(
    ConfiguredCheck(name, name, {"model_dir": name, "target": "net:model_fn"}) for name in "ab"
)


def test_an_internal_error_costs_one_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def run_check(spec: Any, *others: Any, **options: Any) -> Report:
        if spec.model_dir == "a":
            raise TypeError("no such thing: https://me:password@host/a")
        return Report(CHECK, True, True, spec.model_dir)

    monkeypatch.setattr(suite, "run_check", run_check)
    monkeypatch.delenv("CKPTCHECK_DEBUG", raising=False)
    configuration = Configuration(tables=("a", "b"), checks=CHECKS)
    found = run_suite(configuration, CHECKS, SuiteSpec(), {})
    first, second = found.runs
    assert first.problem.startswith("internal error: TypeError: no such thing")
    assert "CKPTCHECK_DEBUG=1" in first.problem and "password" not in first.problem
    assert second.report is not None and second.ok
    assert exit_code(found) == 2
    monkeypatch.setenv("CKPTCHECK_DEBUG", "1")
    with pytest.raises(TypeError):
        run_suite(configuration, CHECKS, SuiteSpec(), {})
