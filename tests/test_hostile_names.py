"""Deceiving names in files and code: ckptcheck escapes them before it prints them.

TensorFlow refuses such names for ops, but takes them as keys of a checkpoint.
"""

import json
import subprocess
import sys
import unicodedata
from typing import Any, Dict, List

import pytest

from .support import Project, assert_civil, environment, needs_tensorflow, run_cli

pytestmark = needs_tensorflow

LONG = "long/" + "x" * 10000
NAMES = {
    "cursor": "up\x1b[2A\x1b[2Khere",
    "newline": "all is well\nerror: none",
    "return": "bad\rgood",
    "bidi": "lenrek\u202e/esned",
    "isolate": "a\u2067b\u2069",
    "mark": "a\u200fb",
    "c1": "c1\x9b2Jx",
    "delete": "rubbed\x7f\x08out",
    "long": LONG + "/kernel",
    "another": LONG + "s/kernel",
}
BYTES = "bytes\udcff\udcfe"
"""A name that is not UTF-8. A checkpoint may have such a name, but a Saver rejects it."""

SAVE = """
import json, sys
import tensorflow as tf
if hasattr(tf.compat.v1, "disable_eager_execution"):
    tf.compat.v1.disable_eager_execution()
names = [name.encode("utf-8", "surrogateescape") for name in json.loads(sys.stdin.read())]
tensors = [tf.constant([1.0, 2.0])] * len(names) + [tf.constant(10, tf.int64)]
save = tf.raw_ops.SaveV2(
    prefix=sys.argv[1],
    tensor_names=names + [b"global_step"],
    shape_and_slices=[""] * len(tensors),
    tensors=tensors,
)
with tf.compat.v1.Session() as session:
    session.run(save)
"""

MODEL = """
import os
import tensorflow as tf

NAMES = {names!r}


def model_fn(features, labels, mode, params):
    v1 = tf.compat.v1
    print("printed \\x1b[2J \\u202e and \\r more", flush=True)
    open(os.path.join(params["real"], "made \\x1b[2J \\u202e\\n"), "w").close()
    open(os.path.join(os.fsencode(params["real"]), b"made \\xff"), "w").close()
    if mode == "eval":
        params["no \\x1b[2J key \\u202e"]
    if mode == "train":
        raise type("Error\\x1b[2J", (Exception,), {{}})("said \\x1b[2J \\u202e\\n" + {long!r})
    value = tf.reduce_mean(features[{feature!r}]) + params.get("a \\x1b[2J param", 1)
    variables = {{
        # an even one is missing, an odd one is read with another shape
        name if place % 2 else name + "?": v1.get_variable("v%d" % place, [3])
        for place, name in enumerate(NAMES)
    }}
    variables["global_step"] = v1.train.get_global_step()
    scaffold = v1.train.Scaffold(saver=v1.train.Saver(variables))
    return v1.estimator.EstimatorSpec(mode, predictions=value, scaffold=scaffold)
"""

FEATURE = "x\x1b[2J\u202e\n"


@pytest.fixture
def deceiving(project: Project) -> Project:
    """A model_dir and a model_fn that are full of such names."""
    for path in project.model_dir.iterdir():
        path.unlink()
    prefix = project.model_dir / "model.ckpt-10"
    done = subprocess.run(
        [sys.executable, "-c", SAVE, str(prefix)],
        input=json.dumps([*NAMES.values(), BYTES]).encode("ascii"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(),
    )
    assert done.returncode == 0, done.stdout.decode("utf-8")
    (project.model_dir / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-10"\n')
    code = MODEL.format(names=list(NAMES.values()), long=LONG, feature=FEATURE)
    project.write("deceive.py", code)
    spec = {"features": {FEATURE: {"dtype": "float32", "shape": [None, 1]}}}
    project.write("features.json", json.dumps(spec))
    project.params({"real": str(project.model_dir), "unused \x1b[2J \u202e": 1})
    return project


ARGUMENTS = ("model_dir", "deceive:model_fn", "params.json", "--features", "features.json")


def steering(text: str) -> List[str]:
    """Returns the control characters and the invisible characters of a text."""
    kinds = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return [c for c in text if c != "\n" and unicodedata.category(c) in kinds]


def test_nothing_reaches_the_terminal(deceiving: Project) -> None:
    """The report, the plan and the code's output have no control characters.

    No name ends a line.
    """
    run = run_cli(*ARGUMENTS, "--show-plan", cwd=deceiving.root, env=deceiving.environment())
    assert_civil(run)
    assert run.code == 1, run
    assert steering(run.out) == []
    assert steering(run.err) == []
    lines = [line.strip() for line in run.out.splitlines()]
    assert not any(line.startswith("error: none") for line in lines)
    for shown in ("\\x1b[2A", "well\\nerror: none", "\\u202e", "\\udcff", "\\x9b2J", "\\u2067"):
        assert shown in run.out, shown
    assert "printed \\x1b[2J \\u202e" in run.err
    assert max(map(len, run.out.splitlines())) < 400
    assert len(run.out) < 30000, "a name of 10 kB was shown whole"


def test_json_keeps_the_true_names(deceiving: Project) -> None:
    run = run_cli(
        *(*ARGUMENTS, "--mode", "predict", "--show-plan", "--format", "json", "--quiet"),
        cwd=deceiving.root,
        env=deceiving.environment(),
    )
    assert_civil(run)
    assert run.code == 1, run
    assert steering(run.out) == []
    assert run.out.isascii()
    by_rule: Dict[str, List[Any]] = {}
    for finding in run.json["findings"]:
        by_rule.setdefault(finding["rule"], []).append(finding["variable"])
    names = list(NAMES.values())
    assert sorted(by_rule["missing-variable"]) == sorted(name + "?" for name in names[::2])
    assert sorted(by_rule["shape-mismatch"]) == sorted(names[1::2])
    assert sorted(by_rule["unused-variable"]) == sorted([BYTES, *names[::2]])
    keys = {read["key"] for plan in run.json["plans"] for read in plan["reads"]}
    assert set(names[1::2]) < keys
    assert run.json["features"]["spec"] == {FEATURE: {"dtype": "float32", "shape": [None, 1]}}
    messages = [finding["message"] for finding in run.json["findings"]]
    assert any("made \x1b[2J \u202e\n" in message for message in messages), messages
    assert any("made \udcff" in message for message in messages)
    assert run.json["modes"]["predict"]["verdict"] == "fails"


def test_the_template_of_features(deceiving: Project) -> None:
    """An error message that quotes keys of the code is escaped, too."""
    run = run_cli(*ARGUMENTS[:3], "--quiet", cwd=deceiving.root, env=deceiving.environment())
    assert_civil(run)
    assert run.code == 2, run
    assert steering(run.err) == []
    assert "--features" in run.err
    assert "x\\u001b[2J\\u202e\\n" in run.err
    (said,) = [line for line in run.err.splitlines() if line.startswith("warning: ")]
    assert said.endswith(": made \\udcff, made \\x1b[2J \\u202e\\n")
