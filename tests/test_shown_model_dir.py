"""Tests the copy of the model_dir that traced code sees, and that code cannot change the original.

In each run of the command the model_dir must stay as it is, byte for byte, with modes and times.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Iterator

import pytest

from .support import Project, Run, needs_estimator, needs_tensorflow, said, sparse_file

pytestmark = needs_tensorflow

JSON = ("--format", "json", "--quiet")

HEAD = """
import mmap, os, shutil
import tensorflow as tf
from model import model_fn as good_model_fn


def model_fn(features, labels, mode, params, config):
    features["x"]
    if mode == "infer":
        params = use(config, params) or params
    return good_model_fn(features, labels, mode, params)


"""


def check(project: Project, code: str, *arguments: str) -> Run:
    """Checks PREDICT of a model_fn that runs ``code`` with its config."""
    project.write("shown.py", HEAD + code)
    arguments = arguments or JSON
    return project.check("shown:model_fn", "params.json", "--mode", "predict", *arguments)


def verdict(run: Run) -> str:
    """Returns the verdict of PREDICT."""
    assert run.code in (0, 1), run
    return str(run.json["modes"]["predict"]["verdict"])


WAYS = """
def opened(mode):
    def write(path):
        with open(path, mode) as file:
            file.write("MINE")
    return write


def gfile_opened(mode):
    def write(path):
        with tf.io.gfile.GFile(path, mode) as file:
            file.write("MINE")
    return write


def replaced(path):
    with open(path + ".new", "w") as file:
        file.write("MINE")
    os.replace(path + ".new", path)


def mapped(path):
    with open(path, "r+b") as file:
        with mmap.mmap(file.fileno(), 0) as view:
            view[:4] = b"MINE"


def linked(path):
    os.link(path, path + ".link")
    opened("a")(path + ".link")


def copied_over(path):
    source = os.path.join(os.path.dirname(path), "source")
    opened("w")(source)
    tf.io.gfile.copy(source, path, overwrite=True)


def renamed_over(path):
    opened("w")(path + ".new")
    tf.io.gfile.rename(path + ".new", path, overwrite=True)


def above(path):
    return os.path.dirname(path)


ways = {
    "open-w": opened("w"),
    "open-a": opened("a"),
    "open-r+": opened("r+"),
    "truncate": lambda path: os.truncate(path, 0),
    "replace": replaced,
    "rename": lambda path: os.rename(path, path + ".moved"),
    "unlink": os.unlink,
    "chmod": lambda path: os.chmod(path, 0),
    "utime": lambda path: os.utime(path, (1, 1)),
    "mmap": mapped,
    "rmtree": lambda path: shutil.rmtree(above(path)),
    "move": lambda path: shutil.move(above(path), above(path) + "-moved"),
    "link": linked,
    "gfile-w": gfile_opened("w"),
    "gfile-a": gfile_opened("a"),
    "gfile-remove": tf.io.gfile.remove,
    "gfile-rename": lambda path: tf.io.gfile.rename(path, path + ".moved"),
    "gfile-replace": renamed_over,
    "gfile-rmtree": lambda path: tf.io.gfile.rmtree(above(path)),
    "gfile-copy": copied_over,
}


def save(model_dir):
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        v1.get_variable("mine", [3], use_resource=False)
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, os.path.join(model_dir, "model.ckpt"), global_step=10)
        writer = v1.summary.FileWriter(model_dir)
        writer.add_graph(v1.get_default_graph())
        writer.close()


def use(config, params):
    done = []
    for way in sorted(os.listdir(os.path.join(config.model_dir, "ways"))):
        for name in ("small", "large"):
            path = os.path.join(config.model_dir, "ways", way, name)
            if os.path.exists(path):  # else it went with the directory
                ways[way](path)
                done.append(way)
    save(config.model_dir)
    with open(os.path.join(os.path.dirname(__file__), "..", "done"), "w") as file:
        file.write(" ".join(done + ["saved"]))
"""


def names_of_ways() -> Iterator[str]:
    """The keys of ``ways``."""
    for line in WAYS.partition("ways = {\n")[2].partition("}")[0].splitlines():
        yield line.split('"')[1]


def test_no_way_of_writing_reaches_the_model_dir(project: Project, tmp_path: Path) -> None:
    """This holds for Python and TensorFlow, and for files of all sizes."""
    ways = project.model_dir / "ways"
    large = sparse_file(tmp_path / "large", 100 << 20, b"end")
    for way in names_of_ways():
        (ways / way).mkdir(parents=True)
        (ways / way / "small").write_bytes(b"x" * 1024)
        os.link(str(large), str(ways / way / "large"))
    run = check(project, WAYS)  # it verifies the model_dir
    assert verdict(run) == "restores", run.json["findings"]
    assert [
        finding["rule"] for finding in run.json["findings"] if finding["severity"] != "note"
    ] == []
    done = (tmp_path / "done").read_text().split()
    assert set(done) == {*names_of_ways(), "saved"}


# --- what it sees ------------------------------------------------------------------------------

READ_THE_END = """
def use(config, params):
    path = os.path.join(config.model_dir, "data", "vocabulary")
    size = os.path.getsize(path)
    with tf.io.gfile.GFile(path, "rb") as file:
        file.seek(size - 3)
        units = int(file.read(3))
    return dict(params, num_hidden=units)
"""


@pytest.mark.parametrize("size", [1 << 10, 300 << 20])
def test_the_content_of_a_file_decides(project: Project, tmp_path: Path, size: int) -> None:
    """The code sees the real content, even in a linked directory and for large files."""
    (tmp_path / "data").mkdir()
    sparse_file(tmp_path / "data" / "vocabulary", size, b"128")
    (project.model_dir / "data").symlink_to(tmp_path / "data")
    run = check(project, READ_THE_END)
    assert verdict(run) == "restores"
    sparse_file(tmp_path / "data" / "vocabulary", size, b"129")
    assert verdict(check(project, READ_THE_END)) in ("fails", "silent")


READ_THE_CHECKPOINT = """
def use(config, params):
    prefix = os.path.join(config.model_dir, "model.ckpt-10")
    bias = tf.train.load_checkpoint(prefix).get_tensor("dense/bias")
    tf.compat.v1.train.init_from_checkpoint(prefix, {})
    return dict(params, num_hidden=len(bias))
"""


def test_the_checkpoint_can_be_read(project: Project) -> None:
    assert verdict(check(project, READ_THE_CHECKPOINT)) == "restores"


COPIES_OF_THE_CONFIG = """
import copy


def use(config, params):
    assert isinstance(config, tf.estimator.RunConfig)
    assert type(config).__name__ == "RunConfig"
    path = config.model_dir
    assert os.path.isdir(path)
    assert copy.deepcopy(config).model_dir == path
    other = config.replace(save_summary_steps=7)
    assert (other.model_dir, other.save_summary_steps) == (path, 7)
    assert config.replace(model_dir="/other").model_dir == "/other"
    assert config.keep_checkpoint_max == 5
    assert not hasattr(config, "there_is_no_such_setting")
"""


def test_the_config_is_one_of_estimators(project: Project) -> None:
    """The config notices if code reads its model_dir. Otherwise, it is a normal RunConfig."""
    assert verdict(check(project, COPIES_OF_THE_CONFIG)) == "restores"


OPEN = """
def use(config, params):
    with open(os.path.join(config.model_dir, {!r}), "rb") as file:
        file.read(8)
"""
LIST = """
def use(config, params):
    assert {!r} in os.listdir(config.model_dir)
"""


@pytest.mark.parametrize(
    ("name", "kind"), [("extra.txt", "a device"), ("a\x1bpipe", "a FIFO")], ids=["device", "fifo"]
)
def test_what_is_no_regular_file(project: Project, name: str, kind: str) -> None:
    path = project.model_dir / name
    if kind == "a FIFO":
        os.mkfifo(str(path))
    else:
        path.symlink_to("/dev/zero")
    assert verdict(check(project, LIST.format(name))) == "restores"
    run = check(project, OPEN.format(name))
    assert run.code == 2, run
    assert f" is {kind}, not a regular file. If the code does not need" in said(run)
    assert "cannot copy, so there is no verdict: " + name.replace("\x1b", "\\x1b") in said(run)


@pytest.mark.parametrize(
    "code", ["def use(config, params): config.model_dir", "use = lambda *_: 0"]
)
def test_more_entries_than_are_shown(project: Project, code: str) -> None:
    """Missing entries matter only if the code asks for its model_dir."""
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None  # a disk would be slow
    with tempfile.TemporaryDirectory(dir=memory) as name:
        project.temporary, many = Path(name, "temporary"), Path(name, "many")
        for folder in (project.temporary, many):
            folder.mkdir()
        for number in range(20001):
            (many / str(number)).touch()
        (project.model_dir / "many").symlink_to(many)
        project.warm = False  # a warm interpreter would not use this TMPDIR
        run = check(project, code)
    if "model_dir" in code:
        assert run.code == 2, run
        assert "MODEL_DIR holds more than 20,000 files and directories" in said(run)
    else:
        assert verdict(run) == "restores"


# --- room --------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(project: Project) -> Iterator[Path]:
    """A TMPDIR of 1 MiB and 60 files."""
    words = ["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=60", "ckptcheck-test"]
    place = tempfile.mkdtemp()
    try:
        if not shutil.which("mount") or subprocess.call([*words, place], stderr=subprocess.DEVNULL):
            pytest.skip("NOT TESTED: a full TMPDIR needs the right to mount a file system")
        try:
            yield Path(place)
        finally:
            subprocess.check_call(["umount", place])
    finally:
        os.rmdir(place)


def test_a_full_tmpdir(project: Project, small_disk: Path) -> None:
    """ckptcheck never copies a part of a file. Modes whose files fit have a verdict."""
    lines = "".join(f"word {number}\n" for number in range(100000))
    (project.model_dir / "vocabulary.txt").write_text(lines)
    project.write("shown.py", HEAD + OPEN.format("vocabulary.txt"))
    words = ("shown:model_fn", "params.json", "--mode", "predict", *JSON)
    env = project.environment()
    env["TMPDIR"] = str(small_disk)
    run = project.check(*words, env=env)
    assert run.code == 2, run
    assert f"vocabulary.txt (1.04M) is too large to copy to TMPDIR ({small_disk})" in said(run)
    assert os.listdir(str(small_disk)) == []
    project.write("shown.py", HEAD + "use = lambda config, params: None")
    assert verdict(project.check(*words, env=env)) == "restores"
    with contextlib.suppress(OSError), open(str(small_disk / "full"), "wb", 0) as file:
        while True:
            file.write(bytes(1 << 16))
    run = project.check(*words, env=env)
    assert run.code == 2, run
    assert f"cannot copy MODEL_DIR to TMPDIR ({small_disk})" in said(run)


def test_a_tmpdir_without_inodes(project: Project, small_disk: Path) -> None:
    for number in range(80):
        (project.model_dir / str(number)).touch()
    env = project.environment()
    env["TMPDIR"] = str(small_disk)
    run = project.check("model:model_fn", "params.json", "--mode", "predict", *JSON, env=env)
    assert run.code == 2, run
    assert f"cannot copy MODEL_DIR to TMPDIR ({small_disk})" in said(run)
    assert said(run).count("TMPDIR (") == 1
    assert os.listdir(str(small_disk)) == []
    made = _fill(small_disk)
    run = project.check("model:model_fn", "params.json", "--mode", "predict", *JSON, env=env)
    assert run.code == 2, run
    assert "cannot make a temporary directory: No space left on device" in said(run)
    assert f"{small_disk}/ckptcheck-" in said(run) and "set TMPDIR to" in said(run)
    assert len(os.listdir(str(small_disk))) == made


def _fill(disk: Path) -> int:
    """Makes files until the disk is full; returns their number."""
    made = 0
    try:
        while True:
            (disk / str(made)).touch()
            made += 1
    except OSError:
        return made


ESTIMATOR = """
import os
import tensorflow as tf
from model import model_fn as good_model_fn


def model_fn(features, labels, mode, params, config):
    spec = good_model_fn(features, labels, mode, params)
    with open(os.path.join(config.model_dir, "mine.txt"), "w") as file:
        file.write("mine")
    tf.summary.FileWriter(config.model_dir, tf.get_default_graph()).close()
    return spec


def make(**params):
    return tf.estimator.Estimator(model_fn, os.path.abspath("model_dir"), params=params)


def make_tpu(**params):
    config = tf.estimator.tpu.RunConfig(model_dir=os.path.abspath("model_dir"))
    return tf.estimator.tpu.TPUEstimator(
        model_fn, config=config, params=params, use_tpu=False, train_batch_size=8,
        eval_batch_size=8, predict_batch_size=8,
    )
"""


@pytest.mark.parametrize(
    "target", ["shown:make", pytest.param("shown:make_tpu", marks=needs_estimator)]
)
def test_an_estimator_works_on_the_copies(project: Project, target: str) -> None:
    """Its own hooks do too: those of a TPUEstimator write event files."""
    project.write("shown.py", ESTIMATOR)
    run = project.check(target, "params.json", *JSON)
    rules = {found["rule"] for found in run.json["findings"]}
    assert rules <= {"defaulted-param", "compat-shim"}, run
    assert {found["verdict"] for found in run.json["modes"].values()} == {"restores"}, run
