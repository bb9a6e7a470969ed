"""The cases: which command runs on which copy of a fixture.

Each case has one output file for each format, such as ``files/<name>.txt``.
"""

import dataclasses
import os
import random
import shutil
from pathlib import Path
from typing import Callable, Dict, Iterator, Optional, Sequence, Tuple

from ..checkpoints.writer import entry, index
from ..support import run_cli
from ..test_fixtures import ARGUMENTS

BASE = "runs/base"
"""The model_dir of each copy."""

Edit = Callable[[Path], None]


@dataclasses.dataclass(frozen=True)
class Case:
    """One command on one copy of a fixture.

    Attributes:
        name: of the output files.
        words: the command's arguments.
        fixture: the fixture that is copied; "" for an empty directory.
        edit: changes the copy before the command runs.
        saved_by: the model_dir of the fixture to copy to ``runs/base``.
        formats: the formats in which its output is compared.
        check: whether the command traces code, so that its output depends on TensorFlow.
    """

    name: str
    words: Tuple[str, ...]
    fixture: str = ""
    edit: Optional[Edit] = None
    saved_by: str = "tf215"
    formats: Tuple[str, ...] = ("text",)
    check: bool = False


# --- Edits -----------------------------------------------------------------------------------


def _code(old: str, new: str) -> Edit:
    def edit(root: Path) -> None:
        path = root / "model.py"
        text = path.read_text("utf-8")
        assert old in text, (path, old)
        path.write_text(text.replace(old, new), "utf-8")

    return edit


def _params(text: str) -> Edit:
    return lambda root: _write(root / "params.json", text)


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")


def _file(root: Path, end: str) -> Path:
    (found,) = (root / BASE).glob("*" + end)
    return found


def _flip(end: str, count: int, first: int = 0) -> Edit:
    """Flips the same bits of a file each time."""

    def edit(root: Path) -> None:
        path = _file(root, end)
        data = bytearray(path.read_bytes())
        drawn = random.Random(17)
        for _ in range(count):
            data[drawn.randrange(first, len(data))] ^= 1 << drawn.randrange(8)
        path.write_bytes(bytes(data))

    return edit


def _cut(end: str) -> Edit:
    return lambda root: os.truncate(_file(root, end), _file(root, end).stat().st_size // 2)


def _remove(end: str) -> Edit:
    return lambda root: _file(root, end).unlink()


def _state(text: str) -> Edit:
    return lambda root: _write(root / BASE / "checkpoint", text)


def _no_checkpoint(root: Path) -> None:
    shutil.rmtree(root / BASE)
    (root / BASE).mkdir()


def _renamed(step: int) -> Edit:
    """Copies the checkpoint under the name of another step."""

    def edit(root: Path) -> None:
        for path in sorted((root / BASE).glob("model.ckpt-10.*")):
            shutil.copy(str(path), str(path).replace("ckpt-10.", f"ckpt-{step}."))

    return edit


def _old_data(root: Path) -> None:
    path = _file(root, ".data-00000-of-00001")
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 86400))


def _not_a_number(root: Path) -> None:
    """Writes a checkpoint with one NaN weight and a correct checksum."""
    _no_checkpoint(root)
    path = root / BASE / "model.ckpt-1.data-00000-of-00001"
    path.write_bytes(_NAN)
    path = root / BASE / "model.ckpt-1.index"
    path.write_bytes(index({b"w": entry(size=4, crc=_CRC)}))
    _state('model_checkpoint_path: "model.ckpt-1"\n')(root)


def _snapshot(root: Path) -> None:
    made = run_cli("snapshot", BASE, "made", cwd=root)
    assert made.code == 0, made
    shutil.rmtree(root / BASE)
    (root / "made").rename(root / BASE)


# --- Checks ----------------------------------------------------------------------------------

BOTH = ("text", "json")
ALL = (*BOTH, "github", "gitlab", "html", "junit", "markdown", "sarif")
TARGET = "model:model_fn"
ONE_LAYER = "hidden = tf.layers.dropout("


def _check(
    name: str,
    fixture: str,
    edit: Optional[Edit] = None,
    words: Sequence[str] = (),
    formats: Sequence[str] = BOTH,
    saved_by: str = "tf215",
) -> Case:
    arguments = tuple(words or ARGUMENTS[fixture])
    return Case(
        f"check-{name}", (BASE, *arguments), fixture, edit, saved_by, tuple(formats), check=True
    )


def _drifted(root: Path) -> None:
    """Edits parts that variables do not show: the activation, the dropout and the optimizer."""
    _code("tf.nn.relu", "tf.nn.tanh")(root)
    _code('params.get("dropout_rate", 0.2)', "0.5")(root)
    _code("AdamOptimizer", "GradientDescentOptimizer")(root)


def _checks() -> Iterator[Case]:
    for fixture in sorted(ARGUMENTS):
        yield _check(fixture, fixture)
    text = ("text",)
    missing = "params_without_num_hidden.json"
    dropout, linear = "hidden_dropout", "linear"
    yield _check("older-tensorflow", dropout, saved_by="tf115", formats=text)
    yield _check("silent", dropout, words=(TARGET, missing), formats=ALL)
    yield _check("silent-plan", dropout, words=(TARGET, missing, "--show-plan"))
    yield _check("fails", dropout, words=(TARGET, missing, "--behavior", "v1"))
    yield _check("one-mode", dropout, words=(TARGET, missing, "--mode", "eval"), formats=text)
    yield _check("export", dropout, words=(TARGET, "params.json", "--mode", "export"))
    yield _check("renamed-scope", dropout, _code(_HIDDEN, _IN_SCOPE))
    yield _check("missing-variable", dropout, _code(ONE_LAYER, _ONE_MORE + ONE_LAYER))
    yield _check("unused-variable", dropout, _code("hidden, 1)", 'features["x"], 1)'))
    yield _check("dtype", linear, _code('features["x"]', 'tf.cast(features["x"], tf.float64)'))
    yield _check("optimizer", linear, _code("AdamOptimizer", "AdagradOptimizer"))
    yield _check("drift", dropout, _drifted, (TARGET, "params.json", "--show-drift"), ALL)
    yield _check("partitions", "partitioned", _params(_LARGER_VOCABULARY))
    yield _check("unknown-param", dropout, _params('{"num_hiden": 128, "dropout_rate": 0.3}'))
    yield _check("flags-default", "flags", words=(TARGET,))
    yield _check("factory-params", "factory", _params(_WIDER), formats=text)
    yield _check("raised", linear, _code("loss = ", "loss = params['no_such']\n    loss = "))
    yield _check("crashed", linear, _code("loss = ", "import os; os._exit(5)\n    loss = "))
    yield _check("no-spec", linear, _code(_SPEC, "return dict(mode=mode, "))
    yield _check("no-checkpoint", linear, _no_checkpoint)
    yield _check("no-state-file", linear, _remove("checkpoint"))
    yield _check("moved", linear, _state(f'model_checkpoint_path: "{_ELSEWHERE}"\n'))
    yield _check("newer-checkpoint", linear, _renamed(20))
    yield _check("no-data", linear, _remove(".data-00000-of-00001"))
    yield _check("cut-data", linear, _cut(".data-00000-of-00001"), formats=text)
    yield _check("cut-index", linear, _cut(".index"))
    yield _check("no-graph", linear, _remove(".meta"))
    yield _check("snapshot", linear, _snapshot)
    yield from _configured()
    deep = (TARGET, "params.json", "--deep")
    yield _check("deep", "batch_norm", words=deep)
    yield _check("deep-damaged", linear, _flip("-00001", 1), words=deep)


def _configured() -> Iterator[Case]:
    """Two checks of a configuration, one of which fails unless the project accepts it."""
    for name, more in (("", ""), ("-accepted", _ACCEPTED)):
        edit = _configuration(_CONFIGURATION + more)
        formats = ("text",) if more else BOTH
        yield Case(
            f"configured{name}", ("check",), "hidden_dropout", edit, formats=formats, check=True
        )


def _configuration(text: str) -> Edit:
    return lambda root: _write(root / "ckptcheck.toml", text)


_CONFIGURATION = f"""modes = ["predict"]

[[check]]
name = "good"
model-dir = "{BASE}"
target = "model:model_fn"
params = "params.json"

[[check]]
name = "wide"
model-dir = "{BASE}"
target = "model:model_fn"
params = "params.json"
set = {{num_hidden = 64}}
"""
_ACCEPTED = """
[[ignore]]
rule = "shape-mismatch"
reason = "the hidden layer is trained again"

[[ignore]]
rule = "dtype-mismatch"
check = "good"
reason = "there was one"
"""
_WRONG = """timeuot = 3

[[check]]
name = "a"
target = "no colon"
"""
_NAN = b"\x00\x00\xc0\x7f"
_CRC = 0xE0A9B148  # masked, as in an index
_SPEC = "return tf.estimator.EstimatorSpec(mode, "
_HIDDEN = '    hidden = tf.layers.dense(features["x"], params.get("num_hidden", 64), activation'
_IN_SCOPE = '    with tf.variable_scope("net"):\n    ' + _HIDDEN
_ONE_MORE = "hidden = tf.layers.dense(hidden, 128, name='extra')\n    "
_LARGER_VOCABULARY = """{"shards": 3, "vocab_size": 60, "embedding_dim": 4, "num_classes": 3,
 "learning_rate": 0.1}"""
_WIDER = """{"num_units": 16, "num_layers": 2, "num_labels": 3, "vocab_size": 40,
 "learning_rate": 0.01}"""
_ELSEWHERE = "/no/such/runs/base/model.ckpt-10"


# --- Files -----------------------------------------------------------------------------------


def _files(command: str, name: str, fixture: str, edit: Optional[Edit] = None, *words: str) -> Case:
    formats: Tuple[str, ...] = ("text",) if command == "snapshot" else BOTH
    name = f"{command}-{name}"
    formats = ALL if name in _IN_ALL_FORMATS else formats
    return Case(name, (command, BASE, *words), fixture, edit, formats=formats)


_IN_ALL_FORMATS = ("inspect-newer-checkpoint", "verify-not-finite")


def _file_commands() -> Iterator[Case]:
    for fixture in ("feature_columns", "hidden_dropout", "partitioned"):
        yield _files("inspect", fixture, fixture)
    two = f'model_checkpoint_path: "model.ckpt-10"\nall_model_checkpoint_paths: "{_ELSEWHERE}"\n'
    edits: Dict[str, Edit] = {
        "no-checkpoint": _no_checkpoint,
        "no-state-file": _remove("checkpoint"),
        "moved": _state(f'model_checkpoint_path: "{_ELSEWHERE}"\n'),
        "listed-elsewhere": _state(two),
        "newer-checkpoint": _renamed(20),
        "no-data": _remove(".data-00000-of-00001"),
        "cut-data": _cut(".data-00000-of-00001"),
        "cut-index": _cut(".index"),
        "flipped-index": _flip(".index", 3),
        "no-graph": _remove(".meta"),
        "damaged-graph": _cut(".meta"),
        "left-over": _remove(".index"),
        "old-data": _old_data,
        "snapshot": _snapshot,
    }
    for name, edit in edits.items():
        yield _files("inspect", name, "linear", edit)
    yield _files("inspect", "all", "hidden_dropout", None, "--all")
    yield _files("verify", "good", "linear")
    yield _files("verify", "batch-norm", "batch_norm")
    yield _files("verify", "flipped-data", "linear", _flip("-00001", 2))
    yield _files("verify", "not-finite", "linear", _not_a_number)
    for name in ("cut-data", "no-data", "no-checkpoint"):
        yield _files("verify", name, "linear", edits[name])
    yield _files("verify", "all", "linear", _renamed(20), "--all-checkpoints")
    yield _files("snapshot", "good", "linear", None, "made")
    yield _files("snapshot", "no-graph", "linear", _remove(".meta"), "made")
    yield _files("snapshot", "newer-checkpoint", "linear", _renamed(20), "made")


# --- Lint ------------------------------------------------------------------------------------

_LINTED = """import tensorflow as tf


def model_fn(features, labels, mode, params):
    net = features["x"]
    for units in params["hidden_units"]:
        net = tf.layers.dense(net, units)
    loss = tf.losses.mean_squared_error(labels, tf.layers.dense(net, 1))
    train_op = tf.train.AdamOptimizer().minimize(loss)
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


estimator = tf.estimator.Estimator(model_fn, params={"hidden_units": [8]})
estimator.train(input_fn)  # ckptcheck: ignore[temporary-model-dir]
"""


def _linted(root: Path) -> None:
    _write(root / "train.py", _LINTED)
    _write(root / "old.py", "import tensorflow as tf\nx = = 1\n")


def _lint() -> Iterator[Case]:
    yield Case("lint", ("lint", "."), edit=_linted, formats=BOTH)
    yield Case("lint-good", ("lint", "model.py"), "linear", formats=BOTH)
    yield Case("lint-no-files", ("lint", "runs"), "linear")
    yield Case("usage-lint-no-path", ("lint", "sorce"), "linear")


# --- Words -----------------------------------------------------------------------------------


def _words() -> Iterator[Case]:
    yield Case("help", ("--help",))
    for command in ("check", "init", "inspect", "verify", "snapshot", "record", "lint", "cache"):
        yield Case(f"help-{command}", (command, "--help"))
    yield Case("list-rules", ("--list-rules",))
    yield Case("explain-shape-mismatch", ("--explain", "shape-mismatch"))
    yield Case("explain-newer-checkpoint", ("--explain", "newer-checkpoint"))
    mistakes: Dict[str, Sequence[str]] = {
        "no-arguments": (),
        "no-target": (BASE,),
        "no-model-dir": ("runs/bsae", TARGET, "params.json"),
        "target-without-attr": (BASE, "model", "params.json"),
        "other-order": (TARGET, BASE, "params.json"),
        "params-missing": (BASE, TARGET, "parms.json"),
        "params-no-json": (BASE, TARGET, "model.py"),
        "unknown-option": (BASE, TARGET, "--parms", "params.json"),
        "unknown-mode": (BASE, TARGET, "--mode", "infer"),
        "unknown-format": (BASE, TARGET, "--format", "xml"),
        "set-without-value": (BASE, TARGET, "--set", "num_hidden"),
        "timeout": (BASE, TARGET, "--timeout", "soon"),
        "no-python": (BASE, TARGET, "--python", "/no/such/python"),
        "unknown-rule": ("--explain", "shape-mismach"),
        "unknown-command": ("inspct", BASE),
        "inspect-deep": ("inspect", BASE, "--deep"),
        "snapshot-exists": ("snapshot", BASE, "runs"),
    }
    for name, words in mistakes.items():
        yield Case(f"usage-{name}", tuple(words), "linear")
    yield Case("usage-configuration", (), "linear", _configuration(_WRONG))
    yield Case("usage-verify-snapshot", ("verify", BASE), "linear", _snapshot)
    for name, target in (("no-module", "modle:model_fn"), ("no-attr", "model:model")):
        yield Case(f"usage-{name}", (BASE, target), "linear", check=True)


CASES = {case.name: case for case in (*_checks(), *_file_commands(), *_lint(), *_words())}
