"""Tests which actions of the code prevent that its trace is kept."""

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from ckptcheck.client.process import Tracer

from ..support import MAJOR, needs_tensorflow
from .special import LINE, PARAMS

pytestmark = needs_tensorflow

UNSTABLE = {
    "now()": "reads the clock (time.time)",
    "time.perf_counter()": "reads the clock (time.perf_counter)",
    "time.localtime()": "reads the clock (time.localtime)",
    "time.strftime('%Y')": "reads the clock (time.strftime)",
    "when.now()": "reads the clock (datetime.now)",
    "datetime.datetime.utcnow()": "reads the clock (datetime.utcnow)",
    "time.clock_gettime(time.CLOCK_REALTIME)": "reads the clock (time.clock_gettime)",
    "os.times()": "reads the clock (os.times)",
    "timeit.default_timer()": "reads the clock (timeit.default_timer)",
    "uuid.uuid1()": "reads the clock (uuid.uuid1)",
    "datetime.date.today()": "reads the clock (time.time)",
    "random.random()": "draws random numbers (random.random)",
    "random.Random().random()": "draws random numbers (random.Random without a seed)",
    "random.seed(version=2); random.random()": "draws random numbers (random.random)",
    "random.seed(); random.random()": "draws random numbers (random.random)",
    "np.random.rand(3)": "draws random numbers (numpy.random.rand)",
    "np.random.RandomState().rand(3)": "draws random numbers (os.urandom)",
    "np.random.default_rng().random()": "draws random numbers (os.urandom)",
    "uuid.uuid4()": "draws random numbers (os.urandom)",
    "secrets.token_hex()": "draws random numbers (os.urandom)",
    "os.urandom(2)": "draws random numbers (os.urandom)",
    "os.getpid()": "uses its process id (os.getpid)",
    "os.uname()": "asks for the name of this machine (os.uname)",
    "platform.node()": "asks for the name of this machine (platform.node)",
    "platform.uname()": "asks for the name of this machine (platform.uname)",
    "uuid.getnode()": "asks for the name of this machine (uuid.getnode)",
    "shutil.disk_usage('/')": "asks for the disk of this machine (os.statvfs)",
    "os.getloadavg()": "asks for the load of this machine (os.getloadavg)",
    "os.sysconf('SC_AVPHYS_PAGES')": "asks for the memory of this machine (os.sysconf)",
    "resource.getrusage(resource.RUSAGE_SELF)": (
        "asks how much time and memory it has used (resource.getrusage)"
    ),
    "os.getppid()": "uses its process id (os.getppid)",
    "ssl.RAND_bytes(2)": "draws random numbers (ssl.RAND_bytes)",
    "socket.gethostname()": "asks for the name of this machine",
    "subprocess.call(['true'])": "starts another process",
    "os.system('true')": "starts another process",
    "os.popen('true').read()": "starts another process",
    "if os.fork() == 0: os._exit(0)": "starts another process",
    "socket.socket().connect_ex(('127.0.0.1', 9))": "uses the network",
    "socket.getaddrinfo('localhost', 9)": "uses the network",
    "ctypes.CDLL('libc.so.6')": "loads a native library",
    "open('/proc/meminfo').read()": "reads /proc/meminfo",
    "tf.compat.v1.Session()": "runs a session, which may read files unseen",
}


@pytest.mark.parametrize("code", UNSTABLE)
def test_the_line_that_makes_a_trace_unstable_is_said(said_of: Any, code: str) -> None:
    last = said_of(code)[-1]
    assert last.startswith("not kept in the cache: ")
    assert last.endswith(f"{os.sep}special.py:{LINE} {UNSTABLE[code]}")


def test_a_thread_that_goes_on(said_of: Any) -> None:
    code = "threading.Thread(target=threading.Event().wait, daemon=True, name='mine').start()"
    assert said_of(code)[-1] == ("not kept in the cache: the code leaves a thread running (mine)")


def test_a_function_that_is_watched_is_replaced(said_of: Any) -> None:
    (_, last) = said_of("os.listdir = lambda path='.': []")
    assert last == "not kept in the cache: the code replaces os.listdir"


@pytest.mark.skipif(MAJOR < 2, reason="nothing runs eagerly in TensorFlow 1")
def test_an_op_that_reads_files_at_once(said_of: Any, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("a")
    top = f"WORDS = tf.io.read_file({str(tmp_path / 'words.txt')!r})\n"
    assert "reads files in the op ReadFile" in said_of("pass", top=top, behavior="v2")[-1]


@pytest.mark.skipif(MAJOR < 2, reason="nothing runs eagerly in TensorFlow 1")
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("tf.compat.v2.random.uniform([])", "may draw random numbers in the op RandomUniform"),
        (
            "tf.random.fixed_unigram_candidate_sampler([[0]], 1, 1, True, 1, vocab_file='/absent')",
            "reads files in the op FixedUnigramCandidateSampler",
        ),
        ("tf.compat.v2.timestamp()", "may draw random numbers in the op Timestamp"),
        ("tf.function(lambda: tf.io.read_file('/absent'))()", "may read files in the op __infer"),
    ],
)
def test_an_op_that_depends_on_more_than_the_code(said_of: Any, code: str, reason: str) -> None:
    top = f"try:\n    {code}\nexcept tf.errors.NotFoundError:\n    pass\n"
    assert reason in said_of("pass", top=top, behavior="v2")[-1]


SIZES = (
    "tf.io.read_file({!r})",
    "tf.compat.v1.import_graph_def(tf.compat.v1.GraphDef.FromString(graph), name='', "
    "return_elements=['ReadFile:0'])[0]",
)


@pytest.mark.parametrize("text", SIZES)
def test_an_op_that_reads_a_file_for_a_shape(said_of: Any, tmp_path: Path, text: str) -> None:
    path = tmp_path / "elsewhere.txt"
    path.write_text("abc")
    made = f"with tf.Graph().as_default() as made: tf.io.read_file({str(path)!r})"
    code = (
        f"{made}\ngraph = made.as_graph_def().SerializeToString()\nwith tf.Graph().as_default():\n"
    )
    code += f"    text = {text.format(str(path))}\n"
    code += "    assert tf.fill([tf.strings.length(text)], 0.).shape[0] == 3"
    assert said_of(code)[-1] == "kept in the cache"
    path.write_text("abcd")
    assert said_of(code)[0] == f"not in the cache: {path} has changed"


@pytest.mark.parametrize(
    ("code", "last"),
    [
        (
            "tf.io.read_file(tf.strings.join([os.sep, 'absent']))",
            f"special.py:{LINE} computes the name of the file that ReadFile reads",
        ),
        ("tf.io.read_file(tf.compat.v1.placeholder(tf.string, []) + '.txt')", "kept in the cache"),
        (
            "tf.data.Dataset.from_tensors(['a']).map(lambda name: tf.io.read_file(name[0] + 'b'))",
            "kept in the cache",
        ),
    ],
)
def test_an_op_that_reads_a_file_with_a_computed_name(said_of: Any, code: str, last: str) -> None:
    assert said_of(code)[-1].endswith(last)
    assert said_of.report.trace.modes[0].failure is None


def test_a_file_of_records(said_of: Any, tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"")
    code = f"list(tf.compat.v1.io.tf_record_iterator({str(path)!r}))"
    assert said_of(code)[-1] == "kept in the cache"
    path.write_bytes(b"no record")
    assert said_of(code)[0] == f"not in the cache: {path} has changed"


def test_a_process_that_cannot_say_what_it_depends_on(said_of: Any) -> None:
    assert "PREDICT" in said_of("os._exit(3)")[-1]


def test_a_tracer_that_is_lost_while_a_fix_is_tried(said_of: Any) -> None:
    code = "if params['num_hidden'] == 128: os.kill(os.getppid(), 9)"
    with Tracer(None, 120, quiet=True) as own:
        said = said_of(code, tracer=own, params=dict(PARAMS, num_hidden=64))
    assert said[-1] == (
        "not kept in the cache: the process that runs the code ended while ckptcheck tried other "
        "params"
    )
    assert said_of.report.trace.modes[0].failure is None


def test_too_many_files(said_of: Any) -> None:
    last = said_of("for n in range(20001): os.path.exists(f'/absent/{n}')")[-1]
    assert last == "not kept in the cache: the code looks at more than 20,000 files"


LAZY = """
class Names:
    def get(self, name):
        raise {}
class Lazy:
    __dict__ = Names()
import sys
sys.modules['lazy'] = Lazy()
"""


@pytest.mark.parametrize(
    ("error", "last"),
    [
        ("ImportError", "kept in the cache"),
        (
            "KeyboardInterrupt",
            "not kept in the cache: a process did not report what the code depends on",
        ),
    ],
)
def test_an_object_that_cannot_be_looked_at(said_of: Any, error: str, last: str) -> None:
    assert said_of(LAZY.format(error).strip())[-1] == last
    assert said_of.report.trace.modes[0].failure is None


STABLE = [
    "random.seed(1); random.random()",
    "random.Random(1).random()",
    "np.random.seed(1); np.random.rand(3)",
    "np.random.RandomState(1).rand(3)",
    "logging.getLogger('mine').info('now')",
    "tempfile.mkdtemp()",
    "tf.keras.layers.Dropout(0.5)(tf.zeros([1, 2]), training=True)",
    "time.gmtime(0); time.strftime('%Y', time.gmtime(0)); time.ctime(0)",
    "datetime.datetime(2020, 1, 2).strftime('%Y'); when.fromtimestamp(0)",
    "os.environ.get('ABSENT'); os.path.expanduser('~')",
    "threading.Thread(target=int).start()",
    "open(os.devnull).read()",
    "platform.system(); platform.machine(); os.cpu_count(); os.sysconf('SC_PAGE_SIZE')",
    "isinstance(when.utcfromtimestamp(0), datetime.datetime)",
]


@pytest.mark.parametrize("code", STABLE)
def test_what_is_the_same_the_next_time_is_kept(said_of: Any, code: str) -> None:
    assert said_of(code) == ["not in the cache", "kept in the cache"]
    assert said_of(code) == ["taken from the cache"]


def test_a_file_that_the_code_makes(said_of: Any, tmp_path: Path) -> None:
    made = str(tmp_path / "made.txt")
    code = f"if not os.path.exists({made!r}):\n    open({made!r}, 'w').close()"
    assert said_of(code)[-1] == f"not kept in the cache: {made} changed during the check"
    assert said_of(code)[-1] == "kept in the cache"


def test_an_installed_package_may_read_the_clock_while_it_is_imported(
    said_of: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    text = "import contextlib, os, time\nSTARTED = time.time(), os.getpid()\n"
    text += "@contextlib.contextmanager\ndef stamp():\n    yield time.time()\n"
    (folder / "asks_at_import.py").write_text(text)
    code = f"import sys; sys.path.insert(0, {str(folder)!r})\nimport asks_at_import"
    time.sleep(0.1)
    with Tracer(None, 120, quiet=True) as own:  # a package is installed before the tracer starts
        assert said_of(code, tracer=own)[-1] == "kept in the cache"
        said = said_of(code + "\nwith asks_at_import.stamp(): pass", tracer=own)
    assert "reads the clock (time.time)" in said[-1]


def test_a_native_library_that_numpy_loads(said_of: Any, tmp_path: Path) -> None:
    import _ctypes

    shutil.copy(_ctypes.__file__, str(tmp_path / "mine.so"))
    said = said_of(f"np.ctypeslib.load_library('mine', {str(tmp_path)!r})")
    assert said[-1].endswith(f"special.py:{LINE} loads a native library")


def test_what_the_watch_replaces_works_as_before(said_of: Any) -> None:
    """If a replaced function did not work, the model_fn would raise."""
    code = """
import copy, inspect, pathlib, pickle
assert pickle.loads(pickle.dumps(os.stat)) is os.stat
assert os.stat in os.supports_follow_symlinks and os.scandir in os.supports_fd
assert isinstance(datetime.datetime(2020, 1, 2), when) and type(when(2020, 1, 2)) is when
assert issubclass(random.SystemRandom, random.Random)
assert inspect.signature(os.stat) is not None and os.stat.__name__ == 'stat'
assert sorted(pathlib.Path(tempfile.mkdtemp()).iterdir()) == []
assert copy.copy(os.environ) is not None and dict(os.environ) == os.environ.copy()
assert [name for name in os.environ] == list(os.environ.keys())
with tempfile.TemporaryDirectory() as folder:
    os.makedirs(os.path.join(folder, 'a', 'b'))
    assert [names for _, names, _ in os.walk(folder)] == [['a'], ['b'], []]
with np.testing.assert_raises(FileNotFoundError):
    os.stat('absent')
spec = spec._replace(predictions=dict(spec.predictions))
"""
    said = said_of(code.strip())
    assert said[-1].startswith(("kept", "not kept in the cache: "))
    assert said_of.report.trace.modes[0].failure is None


def test_what_the_watch_replaces_takes_the_same_names(said_of: Any) -> None:
    code = """
folder = tempfile.mkdtemp()
one, two = os.path.join(folder, 'one'), os.path.join(folder, 'two')
os.mkdir(path=one, mode=0o700)
os.rename(src=one, dst=two)
os.replace(src=two, dst=one)
os.symlink(src=one, dst=two)
assert os.readlink(path=two) == one and os.access(path=two, mode=os.R_OK)
assert os.stat(path=one) == os.stat(path=two, follow_symlinks=True) != os.lstat(path=two)
assert sorted(os.listdir(path=folder)) == sorted(e.name for e in os.scandir(path=folder))
os.chdir(path=folder)
assert len(os.listdir()) == len(list(os.scandir())) == len(os.listdir(None)) == 2
os.unlink(path=two)
file = os.open(path=two, flags=os.O_CREAT | os.O_WRONLY)
assert os.fstat(fd=file) == os.stat(two)
os.link(src=two, dst=os.path.join(one, 'three'))
os.remove(path=os.path.join(one, 'three'))
os.rmdir(path=one)
with open(file=two, mode='w') as file: file.write('')
random.seed(a=1)
np.random.seed(seed=1)
assert len(os.urandom(2)) == 2 and time.localtime() and os.getpid() and os.uname()
"""
    said_of(code.strip())
    assert said_of.report.trace.modes[0].failure is None


def test_what_a_trusted_package_reads(said_of: Any) -> None:
    assert "reads /proc/loadavg" in said_of("np.loadtxt('/proc/loadavg', dtype=str)")[-1]
