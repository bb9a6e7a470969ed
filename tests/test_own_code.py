"""Traced code may replace functions, and its objects may do anything. The verdict must stay right.

The code of a model_fn shares its process with the tracer. Its changes of Python's modules and of
itself must not change the verdict, and must not prevent the reply.
"""

from pathlib import Path
from typing import Any, Dict, Iterator

import pytest

from ckptcheck.checks import run_check
from ckptcheck.client.process import Tracer
from ckptcheck.errors import UsageError
from ckptcheck.features_file import feature_file
from ckptcheck.options import CheckSpec
from ckptcheck.results import Report

from .support import copy_fixture, needs_tensorflow

pytestmark = needs_tensorflow

PARAMS = {"num_hidden": 128, "dropout_rate": 0.3}


@pytest.fixture(scope="module")
def tracer() -> Iterator[Tracer]:
    with Tracer(None, 120, quiet=True) as started:
        yield started


@pytest.fixture
def hostile(tmp_path: Path, tracer: Tracer) -> Any:
    project = copy_fixture("hidden_dropout", tmp_path)

    def checked(code: str, **fields: Any) -> Report:
        body = "".join(f"    {line}\n" for line in code.splitlines())
        project.write("hostile.py", HEAD + body + TAIL)
        spec = CheckSpec(
            str(project.model_dir),
            "hostile:model_fn",
            PARAMS,
            modes=("predict",),
            app_dir=str(project.root),
            timeout=60,
            **fields,
        )
        return run_check(spec, tracer)

    return checked


HEAD = """
import model
import builtins, copy, dataclasses, dis, importlib, inspect, json, json.encoder, linecache, os, re
import shutil, signal, sys, sysconfig, tempfile, threading, time, types, typing


def wrong(*args, **kwargs):
    raise RuntimeError("replaced")


class Evil:
    def __getattribute__(self, name):
        raise RuntimeError("evil")

    __repr__ = __str__ = __iter__ = __len__ = __eq__ = __hash__ = __bool__ = wrong


def model_fn(features, labels, mode, params):
    spec = model.model_fn(features, labels, mode, params)
"""
TAIL = """    return spec
"""

REPLACED = [
    "json.dumps",
    "json.loads",
    "json.JSONEncoder",
    "json.JSONEncoder.encode",
    "json.JSONEncoder.iterencode",
    "json.JSONEncoder.default",
    "os.write",
    "os.read",
    "os.close",
    "os.fstat",
    "os.stat",
    "os.getpid",
    "os.getcwd",
    "os._exit",
    "os.path",
    "os.path.join",
    "os.path.normpath",
    "os.path.relpath",
    "os.path.exists",
    "os.environ",
    "os.sep",
    "sys.exit",
    "sys._getframe",
    "sys.stdout",
    "sys.stderr",
    "sys.settrace",
    "sys.modules['json']",
    "time.time",
    "time.monotonic",
    "time.sleep",
    "builtins.open",
    "builtins.print",
    "builtins.__import__",
    "re.sub",
    "re.search",
    "dataclasses.fields",
    "dataclasses.replace",
    "dataclasses.is_dataclass",
    "copy.deepcopy",
    "inspect.signature",
    "dis.get_instructions",
    "linecache.getline",
    "typing.get_type_hints",
    "signal.signal",
    "threading.Thread",
    "tempfile.mkdtemp",
]


@pytest.mark.parametrize("name", REPLACED)
def test_a_function_of_python_is_replaced(hostile: Any, name: str) -> None:
    """The verdict does not change, unless TensorFlow needs the function to build the graph."""
    assert_restores_or_raised(hostile(f"{name} = wrong"), name in NEEDED)


@pytest.mark.parametrize("name", REPLACED)
def test_a_replaced_function_does_not_hide_what_the_code_raises(hostile: Any, name: str) -> None:
    report = hostile(f"{name} = wrong\nparams.get('absent', 3)\nraise ValueError('mine')")
    (finding,) = [item for item in report.findings if item.severity == "error"]
    assert (finding.rule, finding.message) == ("model-fn-raised", "ValueError: mine")
    assert finding.location is not None and finding.location.file.endswith("hostile.py")


NEEDED = (
    *("os.path", "os.path.normpath", "os.environ", "sys._getframe", "time.time", "copy.deepcopy"),
    *("sys.settrace(wrong)", "sys.setprofile(wrong)"),
    *("builtins.__import__", "sys.modules.clear()"),
)
"""Functions that a version of TensorFlow calls after the model_fn, to finish the Scaffold."""


def assert_restores_or_raised(report: Report, may_raise: bool) -> None:
    errors = [finding for finding in report.findings if finding.severity == "error"]
    if not may_raise or not errors:
        assert verdict(report) == "restores", errors
        return
    (finding,) = errors
    assert finding.rule in ("model-fn-raised", "scaffold-raised")
    its = (
        "RuntimeError: replaced",
        "AttributeError: 'function' object has",
        "AttributeError: module 'sys' has",
    )
    assert finding.message.startswith(its)


DISTURBED = [
    "sys.settrace(wrong)",
    "sys.setprofile(wrong)",
    "sys.setrecursionlimit(150)",
    "signal.signal(signal.SIGTERM, wrong); os.kill(os.getpid(), 0)",
    "sys.modules.clear()",
    "import gc; gc.callbacks.append(wrong)",
    "import warnings; warnings.simplefilter('error')",
    "sys.stdout = sys.stderr = Evil()",
    "os.environ.clear()",
    "os.chdir('/')",
    "json.encoder.c_make_encoder = None",
]


@pytest.mark.parametrize("code", DISTURBED)
def test_a_process_that_is_disturbed(hostile: Any, code: str) -> None:
    """The verdict is right, or the message is the error of the code. There is no other result."""
    assert_restores_or_raised(hostile(code), code in NEEDED)


DEFAULTS = {
    "Evil()": "<Evil>",
    "[Evil()]": ["<Evil>"],
    "type('Evil', (dict,), {'__iter__': wrong, 'items': wrong, '__len__': wrong})(a=1)": "<Evil>",
    "type('Evil', (list,), {'__iter__': wrong, '__len__': wrong})([1])": "<Evil>",
    "type('Evil', (str,), {'__len__': wrong, '__getitem__': wrong, '__eq__': wrong})('a')": "a",
    "type('Evil', (int,), {'__int__': wrong, '__index__': wrong, '__lt__': wrong})(7)": 7,
    "type('Evil', (float,), {'__float__': wrong, '__repr__': wrong})(0.5)": 0.5,
    "10 ** 6000": "<int>",
    "'x' * (1 << 28)": "x" * 200 + "…",
    "[0] * 50000000": "<list>",
    "cyclic": [[["<list>"]]],
    "{1: 2}": "<dict>",
    "(1, (2, 3))": [1, [2, 3]],
    "wrong": "wrong()",
    "len": "len()",
    "model.tf.float32": "tf.float32",
    "__import__('numpy').int64(64)": 64,
    "__import__('numpy').zeros(3)": "<ndarray>",
}


@pytest.mark.parametrize("default", DEFAULTS)
def test_a_default_of_any_kind(hostile: Any, default: str) -> None:
    """ckptcheck calls no method of the default, because it is an object of the code."""
    report = hostile(f"cyclic = []\ncyclic.append(cyclic)\nparams.get('absent', {default})")
    assert verdict(report) == "restores", report.findings
    reads: Dict[str, Any] = {read.key: read.default for read in traced(report).params.reads}
    assert reads["absent"] == DEFAULTS[default]


def test_keys_of_classes_of_their_own(hostile: Any) -> None:
    code = "Key = type('Key', (str,), {'__radd__': wrong, '__add__': wrong, '__format__': wrong})"
    report = hostile(f"{code}\nparams.get(Key('absent'), 3)\nKey('absent') in params")
    assert verdict(report) == "restores", report.findings
    assert "absent" in [read.key for read in traced(report).params.reads]


def test_more_keys_than_a_report_holds_are_a_look_at_all(hostile: Any) -> None:
    report = hostile("for number in range(100100):\n    params.get(str(number))")
    assert verdict(report) == "restores", report.findings
    use = traced(report).params
    assert use.bulk
    assert len(use.reads) <= 100000


def test_a_report_that_is_too_large_is_said(hostile: Any) -> None:
    report = hostile("for number in range(30000):\n    params.get('x' * 9990 + str(number))")
    (finding,) = [item for item in report.findings if item.severity == "error"]
    assert finding.rule == "model-fn-crashed"
    assert finding.message == "the graph is too large: ckptcheck reads at most 256 MiB about it"


def test_an_endless_message_is_cut(hostile: Any) -> None:
    report = hostile("raise ValueError('x' * (1 << 28))")
    (finding,) = [item for item in report.findings if item.severity == "error"]
    assert finding.message.startswith("ValueError: xxx")
    assert len(finding.message) < 3000


def verdict(report: Report) -> str:
    return report.verdicts[0].verdict


def traced(report: Report) -> Any:
    assert report.trace is not None
    return report.trace.modes[0]


@pytest.mark.parametrize(
    "leaf",
    [
        {"dtype": "float32", "shape": [1 << 62, 1 << 62]},
        {"dtype": "float32", "shape": [(1 << 63) - 1], "sparse": True},
        {"dtype": "float32", "shape": [1] * 300},
        *({"dtype": name, "shape": [None, 1]} for name in ("", "\0", "float33", "float32_ref")),
        *({"dtype": name, "shape": None} for name in ("resource", "variant", "qint8", "string")),
        *({"dtype": name, "shape": [2], "sparse": True} for name in ("resource", "float32_ref")),
    ],
    ids=repr,
)
def test_features_that_tensorflow_refuses(hostile: Any, leaf: Any) -> None:
    """The user gave them, so the result is a usage error or a verdict, and no error of the code."""
    given = feature_file({"features": {"x": leaf}})
    try:
        report = hostile("pass", features=given)
    except UsageError as error:
        assert "features: " in str(error)
        return
    errors = [finding for finding in report.findings if finding.severity == "error"]
    assert all(finding.location is not None for finding in errors), errors


def test_a_feature_named_probe(hostile: Any) -> None:
    x = {"dtype": "float32", "shape": [None, 1]}
    given = feature_file({"features": {"x": x, "probe": x}})
    report = hostile("features['probe']", features=given)
    assert verdict(report) == "restores", report.findings


def test_large_params_arrive(tracer: Tracer, tmp_path: Path) -> None:
    """They are sent in pieces, once for all modes."""
    project = copy_fixture("hidden_dropout", tmp_path)
    body = "    assert len(params['text']) == 5000000 and sum(params['numbers']) == 500000\n"
    project.write("hostile.py", HEAD + body + TAIL)
    params = dict(PARAMS, text="é" * 5000000, numbers=[1] * 500000)
    spec = CheckSpec(
        str(project.model_dir), "hostile:model_fn", params, app_dir=str(project.root), timeout=60
    )
    report = run_check(spec, tracer)
    assert [item.verdict for item in report.verdicts] == ["restores"] * 3, report.findings
