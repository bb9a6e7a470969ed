"""Which files are linted, how they are read, and comments that ignore findings."""

import itertools
import os
import textwrap
from pathlib import Path
from typing import Any, List

import pytest

import ckptcheck
from ckptcheck.errors import UsageError
from ckptcheck.linting.rules import LintRule, all_rules
from ckptcheck.linting.source import LARGEST_FILE, python_files
from ckptcheck.results import Position, Report

from .linted import found

BAD = "import tensorflow as tf\ntf.estimator.Estimator(f).train(g)\n"


@pytest.fixture(autouse=True)
def _in_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(path: str, text: str = BAD) -> str:
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8")
    return path


def lint(*files: str, **options: Any) -> Report:
    return ckptcheck.lint(list(files), **options)


def places(report: Report) -> List[str]:
    return [f"{f.location.file}:{f.location.line}" for f in report.findings if f.location]


def test_what_is_not_the_users_is_skipped() -> None:
    write("app/train.py")
    write("script")
    for folder in (
        ".git",
        ".venv",
        "venv",
        "node_modules",
        "__pycache__",
        "build",
        "site-packages",
    ):
        write(f"{folder}/train.py")
        write(f"app/{folder}/train.py")
    write("environment/pyvenv.cfg", "")
    write("environment/lib/train.py")
    assert python_files(["."], []) == [os.path.join("app", "train.py")]
    assert python_files(["script", "app", "app/train.py"], []) == ["app/train.py", "script"]


def test_patterns_exclude_files_and_directories() -> None:
    for path in ("a/train.py", "a/model_pb2.py", "b/train.py"):
        write(path)
    assert python_files(["."], ["*_pb2.py", "b"]) == ["a/train.py"]
    assert python_files(["."], ["a/*", "b/"]) == []
    assert python_files(["."], ["./a", "./b/train.py"]) == []


@pytest.mark.parametrize("pattern", ["legacy", "app/legacy", "old.py", "./app", "app/*", "*.py"])
def test_patterns_exclude_files_that_are_given(pattern: str) -> None:
    old = write("app/legacy/old.py")
    assert python_files([old, os.path.abspath(old)], [pattern]) == []
    assert python_files(["app/legacy"], [pattern]) == []
    report = lint(old, exclude=[pattern])
    assert (report.ok, report.checked, report.files) == (True, True, 0)
    write("new")
    assert python_files([old, "new"], [pattern]) == ["new"]


def test_directories_above_the_working_directory_are_not_excluded(tmp_path: Path) -> None:
    path = os.path.abspath(write("train.py"))
    assert python_files([path], [tmp_path.name]) == [path]


def test_a_loop_of_links_ends() -> None:
    write("a/train.py")
    os.symlink("..", "a/up")
    assert python_files(["."], []) == ["a/train.py"]


@pytest.mark.parametrize("path", ["missing.py", "missing/"])
def test_a_path_that_does_not_exist_is_an_error(path: str) -> None:
    with pytest.raises(UsageError, match="cannot be linted: No such file"):
        lint(path)


def test_a_pipe_is_an_error() -> None:
    os.mkfifo("pipe.py")
    with pytest.raises(UsageError, match="expected Python files or directories"):
        lint("pipe.py")
    assert not lint(".").checked


def test_a_directory_without_python_files() -> None:
    write("notes.txt", "")
    report = lint(".")
    assert (report.ok, report.checked, report.files) == (False, False, 0)


def test_severities() -> None:
    write("train.py")
    assert not lint("train.py").ok
    assert lint("train.py", fail_on="error").ok
    assert ckptcheck.lint("train.py", fail_on="error").files == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"import tensorflow\nprint 'hi'\n", "line 2"),
        (b"import tensorflow\ndef f(:\n", "line 2"),
        (b"# -*- coding: no-such -*-\nimport tensorflow\n", "no-such"),
        (b"import tensorflow\n# \xff\n", "not Python 3 code"),
        (b"import tensorflow\nx = 1\0\n", "null bytes"),
        (b"import tensorflow\nx = " + b"(" * 5000 + b")" * 5000, "train.py"),
        (b"import tensorflow\n" + b"#" * LARGEST_FILE, "larger than 4 MiB"),
    ],
    ids=["python-2", "broken", "encoding", "not-utf-8", "null", "nested", "large"],
)
def test_a_file_that_cannot_be_parsed_is_named(data: bytes, reason: str) -> None:
    Path("train.py").write_bytes(data)
    report = lint("train.py")
    assert report.findings == () and report.ok and report.files == 0
    (note,) = report.not_judged
    assert note.startswith("train.py: ") and reason in note


def test_a_broken_file_that_is_not_about_tensorflow_is_nobodys_business() -> None:
    write("broken.py", "def f(:\n")
    assert lint(".").not_judged == ()


def test_encodings_line_ends_and_columns() -> None:
    code = (
        "# -*- coding: latin-1 -*-\r\nimport tensorflow as tf\r\nö = 1; tf.estimator.Estimator(f)"
    )
    Path("train.py").write_bytes(code.encode("latin-1"))
    (finding,) = lint("train.py").findings
    assert isinstance(finding.location, Position)
    assert (finding.location.line, finding.location.column) == (3, 8)
    Path("train.py").write_bytes(b"\xef\xbb\xbf" + BAD.encode())
    assert places(lint("train.py")) == ["train.py:2"]


def test_a_file_that_is_not_given_is_read_if_it_is_imported() -> None:
    write("model.py", "import tensorflow as tf\n\n\ndef model_fn(features, mode):\n    pass\n")
    code = "import tensorflow as tf\nfrom model import model_fn\nfrom settings import *\n"
    write("app/train.py", code + "tf.estimator.Estimator(model_fn, 'runs/a').train(f)\n")
    write("app/serve.py", code + "tf.estimator.Estimator(model_fn, 'runs/b').predict(f)\n")
    write("settings.py", BAD)
    assert places(lint("app")) == ["app/serve.py:4"]
    assert lint("app/train.py").ok  # findings in settings.py are not reported


def test_code_is_not_run() -> None:
    write("train.py", BAD + "import ckptcheck_no_such_module\nopen('made', 'w')\n")
    lint(".")
    assert not os.path.exists("made")


def test_files_that_are_not_about_tensorflow_are_read_if_a_rule_needs_them() -> None:
    model = "import tensorflow as tf\ndef model_fn(features, labels, mode):\n    return features\n"
    write("model.py", model)
    write("train.py", _TRAIN.format("runs/a", "train"))
    write("serve.py", _TRAIN.format("runs/b", "predict"))
    assert places(lint(".")) == ["serve.py:5"]
    write("copy_it.py", "# runs/b\n'runs/b'\nprint('runs/bb')\n")
    assert places(lint(".")) == ["serve.py:5"]
    write("copy_it.py", "import sh\nsh.rsync('-a', 'host:runs/a/', 'runs/b/')\n")
    assert lint(".").ok
    write("copy_it.py", "print 'runs/b'\n")  # Python 2
    assert lint(".").ok


def test_a_seed_in_a_file_that_is_not_about_tensorflow() -> None:
    name = "import random\nimport tensorflow as tf\n\n\ndef f(x):\n"
    name += "    return tf.layers.dense(x, 1, name='d%d' % random.randint(0, 9))\n"
    write("model.py", name)
    assert places(lint(".")) == ["model.py:6"]
    assert lint("model.py").ok
    write("main.py", "import random\nimport model\nrandom.seed(3)\n")
    assert lint(".").ok


# --- Comments --------------------------------------------------------------------------------

HEAD = "import tensorflow as tf\n"


@pytest.mark.parametrize(
    "comment",
    [
        "# ckptcheck: ignore[temporary-model-dir]",
        "#ckptcheck:ignore[ temporary-model-dir ]",
        "# noqa: E501  # ckptcheck: ignore[temporary-model-dir]",
        "# ckptcheck: ignore[temporary-model-dir] it is a demonstration",
    ],
)
def test_a_comment_ignores_a_finding_on_its_line(comment: str) -> None:
    assert found({"a.py": HEAD + f"tf.estimator.Estimator(f).train(g)  {comment}\n"}) == []


_STATEMENTS = [
    """
    tf.print(  # in
        "a text",  # in
        # in
        tf.estimator.Estimator(  # in
            f  # in
        ).train(g)  # in
    )  # in
    """,
    """
    # out
    with session(  # in
        tf.estimator.Estimator(f).train(g)  # in
    ):  # in
        # out
        x = 1  # out
    # out
    """,
    """
    x = 1; tf.estimator.Estimator(f).train(  # in
        g); y = 1  # in
    y = 2  # out
    """,
    """
    try:  # in
        x = 1  # out
    except tf.estimator.Estimator(f).train(g):  # in
        x = 2  # out
    """,
]


@pytest.mark.parametrize("code", _STATEMENTS)
def test_a_comment_on_any_line_of_the_statement(code: str) -> None:
    lines = (HEAD + textwrap.dedent(code)).splitlines()
    for number, line in enumerate(lines):
        if line.endswith(("# in", "# out")):
            comment = line.replace("# ", "# ckptcheck: ignore[temporary-model-dir] ")
            expected = ["temporary-model-dir", "unused-ignore"] * line.endswith("# out")
            text = "\n".join([*lines[:number], comment, *lines[number + 1 :]])
            assert sorted(item.partition(" ")[0] for item in found({"a.py": text})) == expected


def test_one_comment_ignores_several_rules() -> None:
    code = """
    import tensorflow as tf


    def model_fn(features, labels, mode, params):
        for n in params["n"]:
            if mode == "train":
                net = tf.layers.dense(n, 8){}
        return tf.layers.dense(n, 8)
    """
    both = ["unnamed-layer-in-branch a.py:8", "unnamed-layer-in-loop a.py:8"]
    assert found({"a.py": code.format("")}) == both
    comment = "  # ckptcheck: ignore[unnamed-layer-in-loop, unnamed-layer-in-branch]"
    assert found({"a.py": code.format(comment)}) == []
    comment = "  # ckptcheck: ignore[unnamed-layer-in-loop]"
    assert found({"a.py": code.format(comment)}) == both[:1]


@pytest.mark.parametrize(
    ("comment", "words"),
    [
        ("ignore[temporary-model-dir]", "finds nothing here"),
        ("ignore[temporary-model]", "did you mean temporary-model-dir?"),
        ("ignore[shape-mismatch]", "there is no lint rule"),
        ("ignore", "names no rule"),
        ("ignore[]", "names no rule"),
    ],
)
def test_a_comment_that_ignores_nothing_is_a_finding(comment: str, words: str) -> None:
    write("train.py", f"x = 1  # ckptcheck: {comment}\n")
    (finding,) = lint(".").findings
    assert finding.rule == "unused-ignore" and finding.severity == "warning"
    assert words in f"{finding.message}; {finding.hint}"


def test_a_text_is_not_a_comment() -> None:
    write("train.py", "x = '# ckptcheck: ignore[temporary-model-dir]'\n")
    assert lint(".").ok


def test_a_comment_about_other_files_may_be_right_if_files_are_missing() -> None:
    write("serve.py", "x = 1  # ckptcheck: ignore[model-dir-mismatch]\n")
    assert lint("serve.py").ok
    assert not lint(".").ok


_UPDATES = """
import tensorflow as tf


def with_updates(optimizer, loss):
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        return optimizer.minimize(loss, tf.train.get_global_step())
"""
_NORM = """
import tensorflow as tf
{}


def model_fn(features, labels, mode):
    net = tf.layers.batch_normalization(features, training=mode == "train")
    loss = tf.reduce_mean(net)
    train_op = tf.train.AdamOptimizer().minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
"""
_MAKE = """
import tensorflow as tf


def make():
    return tf.estimator.Estimator(model_fn)
"""
_TRAIN = """
import tensorflow as tf
from model import model_fn

tf.estimator.Estimator(model_fn, "{0}").{1}(input_fn)
"""
PROJECTS = {
    "updates": {
        "helpers.py": _UPDATES,
        "model.py": _NORM.format("from helpers import with_updates"),
    },
    "updates-of-a-package": {
        "app/__init__.py": "",
        "app/updates/__init__.py": "from .helpers import *",
        "app/updates/helpers.py": _UPDATES,
        "app/model.py": _NORM.format("import app.updates"),
    },
    "export": {
        "model.py": _MAKE,
        "export.py": "import tensorflow as tf\nfrom model import make\n"
        "make().export_saved_model('out', fn)\n",
    },
    "export-of-another": {
        "model.py": _MAKE + "\n\nmake().train(input_fn)\n",
        "export.py": "import tensorflow as tf\nfrom model import make\n"
        "make().export_saved_model('out', fn)\n",
    },
    "model-dirs": {
        "model.py": "def model_fn(features, labels, mode):\n    return features\n",
        "train_a.py": _TRAIN.format("runs/a", "train"),
        "train_b.py": _TRAIN.format("runs/b", "train"),
        "serve.py": _TRAIN.format("runs/a", "predict"),
    },
}


@pytest.mark.parametrize("project", list(PROJECTS))
def test_files_have_no_finding_that_the_project_does_not_have(project: str) -> None:
    for path, text in PROJECTS[project].items():
        write(path, text)
    assert lint(".").findings == ()
    for number in range(1, len(PROJECTS[project])):
        for files in itertools.combinations(PROJECTS[project], number):
            assert lint(*files).findings == ()


@pytest.mark.parametrize("rule", list(all_rules().values()), ids=list(all_rules()))
def test_a_file_has_no_other_findings_than_in_its_project(rule: LintRule) -> None:
    for path, text in rule.bad.items():
        write(path, text)
    together = {(finding.rule, finding.key) for finding in lint(".").findings}
    for path in rule.bad:
        assert {(finding.rule, finding.key) for finding in lint(path).findings} <= together


def test_a_comment_that_the_project_needs_is_not_unused_in_a_file() -> None:
    comment = "Estimator(model_fn)  # ckptcheck: ignore[temporary-model-dir]"
    write("model.py", _MAKE.replace("Estimator(model_fn)", comment))
    assert lint(".").ok and lint("model.py").ok


def test_updates_in_a_file_that_is_not_imported_do_not_count() -> None:
    write("helpers.py", _UPDATES)
    write("model.py", _NORM.format("import numpy"))
    assert places(lint(".")) == places(lint("model.py")) == ["model.py:9"]


def test_keys_of_equal_findings_differ() -> None:
    write("train.py", HEAD + "tf.estimator.Estimator(f).train(g)\n" * 3)
    keys = [finding.key for finding in lint(".").findings]
    assert len(set(keys)) == 3
    assert keys[0] == "temporary-model-dir:train.py:Estimator"


def test_deep_and_long_code_is_linted() -> None:
    """No function recurses as deep as the code, and the time grows linearly."""
    layers = "    net = tf.layers.dense(net, 1)\n" * 3000
    branches = "    if mode == 0:\n        return net\n" + "".join(
        f"    elif mode == {n}:\n        return net\n" for n in range(1, 900)
    )
    head = "import tensorflow as tf\n\n\ndef model_fn(features, labels, mode, params):\n"
    total = "    net = " + " + ".join(["features"] * 900) + "\n"
    gets = "".join(f"    f{n}(params)\n" for n in range(20)) * 2
    calls = "".join(f"def f{n}(params):\n{gets}\n\n" for n in range(20))
    ends = "tf.estimator.Estimator(model_fn, 'a')\ntf.estimator.Estimator(model_fn, 'a')\n"
    write("train.py", head + total + layers + branches + "\n\n" + calls + ends)
    report = lint(".")
    assert report.findings == () and report.not_judged == ()
