"""Runs the real tf.estimator.Estimator on a model_dir. ckptcheck must agree with its verdicts.

This file imports nothing of ckptcheck. In each mode, the Estimator predicts, evaluates or trains
one step, in its own process and on its own copy of the model_dir. If TensorFlow raises, the verdict
depends on the error and its time. If not, it depends on whether each variable in the session has
the value in the checkpoint and the shape and dtype in the code.

    python estimator_oracle.py REQUEST.json handle one request; write the file in its field "out"
    python estimator_oracle.py --serve read paths of requests from stdin, one per line

Answers go to a file and not to stdout, because TensorFlow prints there. The server forks a child
for each request. It has imported TensorFlow, and has never opened a session. To import TensorFlow
for each case would take most of the time.
"""

import contextlib
import copy
import functools
import gc
import glob
import importlib
import inspect
import json
import os
import shutil
import signal
import sys
import time
import traceback
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    Optional,
    Sequence,
    TextIO,
    Tuple,
)

import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]
else:
    Array = np.ndarray  # NumPy for Python 3.7 takes no type arguments

v1 = tf.compat.v1
TF_MAJOR = int(tf.__version__.split(".")[0])
MODE_TIMEOUT_SECONDS = 120
MOST_SESSIONS = 5
"""The most sessions of a run. After some errors, a MonitoredSession restores again, without end."""

# The phases of a run. The last phase decides the meaning of an exception. In LOOKUP, PREDICT and
# EVAL look for the latest checkpoint, before they build the graph.
BUILD, LOOKUP, SESSION, RUN, DONE = "build", "lookup", "session", "run", "done"


class OracleError(Exception):
    """An error of the oracle itself, and not of TensorFlow."""


class TriedAgainError(Exception):
    """The run raises and starts again, without end."""


class Restores:
    """Records each Saver.restore in this process: the saver, the prefix, and the tensors there.

    It reads the tensors during the restore, because training saves under the same prefix again
    before a hook can read them.
    """

    def __init__(self) -> None:
        self.savers: List[Tuple[Any, Dict[str, Array], Dict[str, Array]]] = []
        self.sessions: List[Any] = []
        self.prefix: Optional[str] = None
        self.started: Callable[[], None] = lambda: None
        self._original: Callable[..., Any] = v1.train.Saver.restore

    def watch(self) -> None:
        """Record each restore from now on."""
        original = self._original
        seen = self

        def restore(saver: Any, sess: Any, save_path: Any) -> Any:
            seen._count(sess)
            tensors = _read_checkpoint(save_path)
            parts = _read_parts(saver, save_path)
            seen.started()
            result = original(saver, sess, save_path)
            seen.savers.append((saver, tensors, parts))
            seen.prefix = seen.prefix or str(save_path)
            return result

        v1.train.Saver.restore = restore

    def _count(self, session: Any) -> None:
        if session not in self.sessions:
            self.sessions.append(session)
        if len(self.sessions) > MOST_SESSIONS:
            raise TriedAgainError(f"restored into {len(self.sessions)} sessions")

    def forget(self) -> None:
        """Remove all records, before another run in this process."""
        v1.train.Saver.restore = self._original
        self.savers = []
        self.sessions = []
        self.prefix = None

    def expected(self) -> Iterator[Tuple[Any, str, Array]]:
        """Yield each restored variable, its key, and its expected value."""
        for saver, tensors, parts in self.savers:
            for key, variable in _saved_variables(saver):
                value = parts.get(variable.name, tensors.get(key))
                if value is None:
                    raise OracleError(f"restored, yet not in the checkpoint: {key}")
                yield variable, key, _reshaped(value, variable) if saver._reshape else value


def _read_checkpoint(prefix: Any) -> Dict[str, Array]:
    """Return all tensors under the prefix, except unreadable ones. Their restore raises anyway."""
    try:
        reader = v1.train.NewCheckpointReader(str(prefix))
        names = list(reader.get_variable_to_shape_map())
    except Exception:  # the real restore will raise the same error
        return {}
    found = {}
    for name in names:
        with contextlib.suppress(Exception):
            found[name] = np.asarray(reader.get_tensor(name))
    return found


def _is_variable(thing: Any) -> bool:
    return isinstance(thing, v1.Variable) or hasattr(thing, "_save_slice_info")


def _key_and_parts(key: Optional[str], thing: Any) -> Iterator[Tuple[str, Any]]:
    """The (key, variable) pairs of one element of a saver's var_list."""
    if isinstance(thing, (list, tuple)) or type(thing).__name__ == "PartitionedVariable":
        for part in thing:
            yield from _key_and_parts(key, part)
    elif _is_variable(thing):
        info = thing._save_slice_info
        name = info.full_name if info else thing.op.name
        yield (key if key is not None else name), thing


def _saved_variables(saver: Any) -> Iterator[Tuple[str, Any]]:
    """The (key, variable) pairs of a saver. Tables and iterators in its list are not variables."""
    var_list = saver._var_list
    pairs = var_list.items() if isinstance(var_list, dict) else ((None, v) for v in var_list or [])
    for key, thing in pairs:
        yield from _key_and_parts(key, thing)


def _read_parts(saver: Any, prefix: Any) -> Dict[str, Array]:
    """Return the value of each part of the partitioned variables, by the name of the part.

    If a saver names each part, it stores each part as its own tensor. A reader of whole tensors
    cannot read these.
    """
    variables = [(k, v) for k, v in _saved_variables(saver) if v._save_slice_info is not None]
    if not variables:
        return {}
    with tf.Graph().as_default(), v1.Session() as session:
        reads = {
            variable.name: tf.raw_ops.RestoreV2(
                prefix=str(prefix),
                tensor_names=[key],
                shape_and_slices=[variable._save_slice_info.spec],
                dtypes=[variable.dtype.base_dtype],
            )[0]
            for key, variable in variables
        }
        try:
            return dict(session.run(reads))
        except tf.errors.OpError:  # the real restore will raise the same error
            return {}


def _reshaped(value: Array, variable: Any) -> Array:
    """Return a tensor as Saver(reshape=True) restores it, in the shape that the code declares."""
    return value.reshape(variable.shape.as_list())


def _same(left: Array, right: Array) -> bool:
    """Whether two arrays are equal. NaN counts as equal to NaN."""
    left, right = np.asarray(left), np.asarray(right)
    if left.shape != right.shape:
        return False
    equal = left == right
    if left.dtype.kind in "fc":
        equal = equal | ((left != left) & (right != right))
    return bool(np.all(equal))


Hook: Any = v1.train.SessionRunHook


class Observer(Hook):  # type: ignore[misc]
    """A hook that notes the phase of the run and the values of the variables."""

    def __init__(self, restores: Restores) -> None:
        self.restores = restores
        self.restores.started = self.begin  # an export runs no hooks, so the restore calls begin
        self.stage = BUILD
        self.mismatches: List[Dict[str, str]] = []
        self.oracle_error: Optional[str] = None

    def begin(self) -> None:
        if self.stage == BUILD:
            self.stage = SESSION

    def after_create_session(self, session: Any, coord: Any) -> None:
        """After the restore and the initializers, before the first step."""
        self.stage = RUN
        try:
            self.mismatches = list(self._compare(session))
        except Exception:
            self.oracle_error = traceback.format_exc()

    def after_run(self, run_context: Any, run_values: Any) -> None:
        self.stage = DONE

    def _compare(self, session: Any) -> Iterator[Dict[str, str]]:
        known: Dict[str, Tuple[str, Array]] = {}
        for variable, key, value in self.restores.expected():
            known[variable.name] = (key, value)
        for variable in v1.global_variables():
            if variable.name not in known:
                continue  # init ops have set it; otherwise, TensorFlow would report it
            key, wanted = known[variable.name]
            why = _difference(session.run(variable), wanted, variable.shape)
            if why:
                yield {"variable": variable.op.name, "key": key, "why": why}


def _difference(actual: Array, wanted: Array, declared: Any) -> str:
    """Return how a restored variable differs from its expected value; "" if it is equal."""
    if not declared.is_compatible_with(np.shape(actual)):
        return f"has shape {list(np.shape(actual))}, declared {declared}"
    if not _same(actual, wanted):
        return "is not the checkpoint's value"
    return ""


def _import_the_rest() -> None:
    """Import the modules that TensorFlow imports at its first use."""
    _ = (v1.estimator.Estimator, v1.keras.layers.Dense, v1.layers.dense)


def _import_model(name: str, tf1_names: bool) -> Any:
    """Import the user's module; ``tf1_names`` gives its `import tensorflow` TensorFlow 1's names.

    Only import statements are redirected, and only during the import of the module. Variables and
    control flow keep TensorFlow's default behavior.
    """
    if not tf1_names or TF_MAJOR < 2:
        return importlib.import_module(name)
    _import_the_rest()  # TensorFlow's own imports must get the real tensorflow
    real = sys.modules["tensorflow"]
    sys.modules["tensorflow"] = v1
    try:
        return importlib.import_module(name)
    finally:
        sys.modules["tensorflow"] = real


def _enter(request: Dict[str, Any]) -> None:
    """Set this process up like a process that the user starts in the directory of the code."""
    os.chdir(request["code"])
    sys.path.insert(0, request["code"])
    sys.argv = ["run.py", *list(request.get("argv", []))]
    if request.get("behavior") == "v1":
        v1.disable_v2_behavior()


def _estimator(request: Dict[str, Any], model_dir: str) -> Tuple[Any, Any]:
    """The fixture's Estimator on this model_dir, and its train module."""
    module = _import_model(request["module"], request["tf1_names"])
    train = importlib.import_module("train")
    with open(request["params"]) as f:
        params = json.load(f)
    return train.make_estimator(model_dir, params, module), train


def _input_fn(script: Any, mode: str, called: Callable[[], None]) -> Callable[..., Any]:
    """Return the script's input_fn for a mode. TPUEstimator needs one with an argument params."""

    def with_params(params: Any) -> Any:
        called()
        return script.input_fn(mode, params)

    def without() -> Any:
        called()
        return script.input_fn(mode)

    takes = "params" in inspect.signature(script.input_fn).parameters
    return with_params if takes else without


def _export(estimator: Any, train: Any, observer: Observer, scratch: str) -> None:
    """Export the model, load it as a server does, and answer one request."""
    input_fn = _input_fn(train, "predict", lambda: None)
    batch = _first_batch(input_fn)

    def receiver() -> Any:
        observer.stage = BUILD
        placeholders = {
            key: v1.placeholder(value.dtype, [None, *value.shape[1:]], name=key)
            for key, value in batch.items()
        }
        return tf.estimator.export.ServingInputReceiver(placeholders, placeholders)

    observer.stage = LOOKUP
    folder = estimator.export_saved_model(os.path.join(scratch, "exported"), receiver)
    observer.stage = RUN
    with tf.Graph().as_default(), v1.Session() as session:
        meta = v1.saved_model.load(session, ["serve"], folder)
        observer.after_create_session(session, None)
        session.run(_served(meta), {f"{key}:0": value for key, value in batch.items()})
    observer.stage = DONE


def _served(meta: Any) -> List[str]:
    """Return the output tensors of a signature; [] if the signature does not fit the input."""
    signatures = meta.signature_def.values()
    names = [info.name for signature in signatures for info in signature.outputs.values()]
    if not any(names):
        raise OracleError("the export has no signature that a server could answer")
    return [name for name in names if name]


def _first_batch(input_fn: Callable[..., Any]) -> Dict[str, Array]:
    """The first features that an input_fn gives; they must be a dict."""
    with tf.Graph().as_default(), v1.Session() as session:
        features, _ = v1.data.make_one_shot_iterator(input_fn()).get_next()
        return dict(session.run(features))


def _run(mode: str, estimator: Any, train: Any, observer: Observer, scratch: str) -> None:
    """Run one batch or one step of this mode."""
    if mode == "export":
        _export(estimator, train, observer, scratch)
        return

    def called() -> None:
        observer.stage = BUILD

    input_fn = _input_fn(train, mode, called)
    observer.stage = LOOKUP
    if mode == "train":
        estimator.train(input_fn, steps=1, hooks=[observer])
    elif mode == "eval":
        estimator.evaluate(input_fn, steps=1, hooks=[observer])
    else:
        next(iter(estimator.predict(input_fn, hooks=[observer])))


def _short(raised: BaseException) -> str:
    """Return TensorFlow's message without the stack traces of the graph's construction."""
    text = str(raised).split("\n\nOriginal stack trace for")[0]
    noise = ("  ", "Detected at node", "Stack trace for op definition")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(noise)]
    return "\n".join(lines)[:3000]


def _attempt(request: Dict[str, Any], mode: str, model_dir: str) -> Dict[str, Any]:
    """Run one mode until its end or an exception, and return the observations."""
    restores = Restores()
    observer = Observer(restores)
    error: Optional[str] = None
    restores.watch()
    try:
        estimator, train = _estimator(request, model_dir)
        _run(mode, estimator, train, observer, os.path.dirname(model_dir.rstrip("/")))
    except (Exception, SystemExit) as raised:
        error = f"{type(raised).__name__}: {_short(raised)}"
        traceback.print_exc()
    finally:
        seen = restores.prefix
        restores.forget()
    return {
        "stage": observer.stage,
        "error": error,
        "loaded": seen,
        "mismatches": observer.mismatches,
        "oracle_error": observer.oracle_error,
    }


def _blame_the_restore(request: Dict[str, Any], mode: str, error: str) -> None:
    """Verify that the run works with freshly initialized variables.

    If it does not, the checkpoint is not the only reason for the error. No verdict is right. Such
    a case must be written in another way.
    """
    if mode == "export":  # an export needs a checkpoint; PREDICT has the same inputs
        return
    empty = os.path.join(request["scratch"], mode + "-empty")
    os.mkdir(empty)
    control = _attempt(request, mode, empty)
    if control["error"]:
        message = "the run raises with a checkpoint:\n{}\nand without any:\n{}"
        raise OracleError(message.format(error, control["error"]))


def _left_empty(error: Optional[str]) -> bool:
    """Whether a run read an uninitialized variable."""
    says = ("uninitialized value", "Could not find variable", "was uninitialized")
    return bool(error) and any(words in str(error) for words in says)


def _verdict(request: Dict[str, Any], mode: str, seen: Dict[str, Any]) -> Dict[str, Any]:
    """Returns the verdict that follows from what the run did."""
    if seen["error"] and seen["stage"] == BUILD:
        return {"verdict": "untraceable"}
    if seen["error"] and seen["stage"] in (LOOKUP, SESSION):
        return {"verdict": "fails", "at": "restore"}
    wrong = bool(seen["mismatches"]) or seen["loaded"] is None or _left_empty(seen["error"])
    if seen["error"] and wrong:
        _blame_the_restore(request, mode, seen["error"])
        return {"verdict": "fails", "at": "run"}
    return {"verdict": "silent" if wrong else "restores"}


def judge(request: Dict[str, Any], mode: str) -> Dict[str, Any]:
    """Judge one mode on a copy of the model_dir. Call this in a process that ends afterwards."""
    _enter(request)
    bare = request["model_dir"].rstrip("/")
    slashes = request["model_dir"][len(bare) :]
    name = os.path.basename(bare)  # TensorFlow may treat the name as a glob pattern
    model_dir = os.path.join(request["scratch"], mode, name)
    shutil.copytree(bare, model_dir, symlinks=True)
    seen = _attempt(request, mode, model_dir + slashes)
    if seen["oracle_error"]:
        return seen
    result = _verdict(request, mode, seen)
    result.update(seen)
    return result


def train(request: Dict[str, Any], _: str) -> Dict[str, Any]:
    """Train a model as its own script does, and return the contents of the checkpoint."""
    _enter(request)
    if TF_MAJOR > 1:  # initializers of tf.layers take their seeds from Keras's generator
        tf.keras.utils.set_random_seed(1)
    estimator, script = _estimator(request, request["model_dir"])
    estimator.train(_input_fn(script, "train", lambda: None), steps=script.STEPS)
    for path in glob.glob(os.path.join(glob.escape(request["model_dir"]), "events.out.*")):
        os.remove(path)
    tensors = _read_checkpoint(v1.train.latest_checkpoint(request["model_dir"]))
    return {"variables": {key: [v.dtype.name, list(v.shape)] for key, v in tensors.items()}}


def _write_json(path: str, value: Any) -> None:
    """Write a JSON document atomically, so that a reader never sees half of it."""
    with open(path + ".part", "w") as f:
        json.dump(value, f, indent=1, sort_keys=True)
    os.rename(path + ".part", path)


def _fork(work: Callable[[], Any], log: str, out: str) -> int:
    """Run ``work`` in a child process. Its output goes to the log, and its result to a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        _write_json(out, work())
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # without the atexit handlers of the parent, which still runs


def _wait(pid: int, deadline: float) -> str:
    """Wait for a child; return the problem, "" if there is none."""
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return "" if status == 0 else f"the process ended with status {status}"
        if time.time() > deadline:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return f"the process did not end in {MODE_TIMEOUT_SECONDS} s"
        time.sleep(0.02)


def _collect(out: str, log: str, problem: str) -> Dict[str, Any]:
    """Return a child's result; a child without a result is an error of the oracle."""
    if os.path.exists(out):
        with open(out) as f:
            return json.load(f)  # type: ignore[no-any-return]
    with open(log) as f:
        return {"oracle_error": problem + "\n" + f.read()[-4000:]}


def _fork_each(
    names: Sequence[str], work: Callable[[str], Dict[str, Any]], scratch: str
) -> Dict[str, Dict[str, Any]]:
    """Run one child per name, all at the same time, and return their results."""
    children = []
    for name in names:
        out = os.path.join(scratch, name + ".json")
        log = os.path.join(scratch, name + ".log")
        children.append((name, out, log, _fork(functools.partial(work, name), log, out)))
    deadline = time.time() + MODE_TIMEOUT_SECONDS
    results = {}
    for name, out, log, pid in children:
        problem = _wait(pid, deadline)
        results[name] = _collect(out, log, problem)
    return results


def _rewrite(request: Dict[str, Any], _: str) -> Dict[str, Any]:
    """Save other tensors under a checkpoint's prefix, with TensorFlow's own Saver.

    The .meta file stays unchanged, because it is the graph of the training run.
    """
    tensors = _read_checkpoint(request["prefix"])
    if not tensors:
        raise OracleError("nothing to read in {}".format(request["prefix"]))
    changes = [change for change in request["changes"] if change["do"] != "object_based"]
    for change in changes:
        tensors = _changed(tensors, change)
    with tf.Graph().as_default():
        variables = {
            key: v1.get_variable(f"v{i}", initializer=value, use_resource=False)
            for i, (key, value) in enumerate(sorted(tensors.items()))
        }
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            if len(changes) < len(request["changes"]):
                _save_object_based(session, variables, request["prefix"])
            else:
                v1.train.Saver(variables).save(
                    session, request["prefix"], write_meta_graph=False, write_state=False
                )
    return {"variables": sorted(tensors)}


def _save_object_based(session: Any, variables: Dict[str, Any], prefix: str) -> None:
    """Save as tf.train.Checkpoint does, but under exactly this prefix."""
    checkpoint = v1.train.Checkpoint(**{key.replace("/", "_"): v for key, v in variables.items()})
    written = checkpoint.write(prefix + "-objects", session=session)
    for path in glob.glob(glob.escape(written) + ".*"):
        os.rename(path, path.replace(written, prefix))


def _changed(tensors: Dict[str, Array], change: Dict[str, Any]) -> Dict[str, Array]:
    """Apply one change to the tensors of a checkpoint. The key must exist."""
    result = copy.copy(tensors)
    value = result.pop(change["key"])
    if change["do"] == "rename":
        result[change["to"]] = value
    elif change["do"] == "resize":
        result[change["key"]] = np.resize(value, change["shape"])
    elif change["do"] == "cast":
        result[change["key"]] = value.astype(change["dtype"])
    elif change["do"] == "fill":
        result[change["key"]] = np.full_like(value, change["value"])
    elif change["do"] != "drop":
        raise OracleError("no such change: {}".format(change["do"]))
    return result


def _control(request: Dict[str, Any], name: str) -> Dict[str, Any]:
    """Run a mode, named ``MODE-control``, in an empty model_dir, without a checkpoint."""
    _enter(request)
    model_dir = os.path.join(request["scratch"], name)
    os.mkdir(model_dir)
    return _attempt(request, name.partition("-")[0], model_dir)


def _inputs(request: Dict[str, Any], _: str) -> Dict[str, Any]:
    """The features and labels of TRAIN, as a features file of ckptcheck."""
    _enter(request)
    _import_model(request["module"], request["tf1_names"])
    with tf.Graph().as_default():
        given = _input_fn(importlib.import_module("train"), "train", lambda: None)()
        if isinstance(given, (tf.data.Dataset, v1.data.Dataset)):
            given = v1.data.make_initializable_iterator(given).get_next()
        features, labels = given if isinstance(given, tuple) else (given, None)
        return {"features": _specs(features), "labels": _specs(labels)}


def _specs(node: Any) -> Any:
    """The structure, with dtype and shape of each tensor."""
    if node is None:
        return None
    if isinstance(node, dict):
        return {key: _specs(item) for key, item in node.items()}
    if isinstance(node, (list, tuple)):
        return [_specs(item) for item in node]
    shape = node.get_shape()
    spec = {"dtype": node.dtype.base_dtype.name, "shape": shape.as_list() if shape else None}
    return dict(spec, sparse=True) if isinstance(node, tf.SparseTensor) else spec


def _judge_all(request: Dict[str, Any]) -> Dict[str, Dict[str, Any]]:
    """Judge all modes, TRAIN last.

    If the state file names another directory, TRAIN restores from there and saves in its own
    model_dir. It then deletes the old checkpoint in the other directory, because it keeps only the
    newest ones. A copy of the model_dir does not protect that checkpoint.
    """
    work = functools.partial(judge, request)
    first = [mode for mode in request["modes"] if mode != "train"]
    modes = _fork_each(first, work, request["scratch"])
    modes.update(_fork_each(("train",), work, request["scratch"]))
    return modes


def handle(path: str) -> None:
    """Handle the request in a file, and write the answer to the file in its field "out"."""
    with open(path) as f:
        request: Dict[str, Any] = json.load(f)
    if request["do"] == "judge":
        modes = _judge_all(request)
        answer: Dict[str, Any] = {"tensorflow": tf.__version__, "modes": modes}
    elif request["do"] == "control":
        work = functools.partial(_control, request)
        names = [mode + "-control" for mode in request["modes"]]
        answer = {"modes": _fork_each(names, work, request["scratch"])}
    else:
        works = {"inputs": _inputs, "rewrite": _rewrite, "train": train}
        work = functools.partial(works[request["do"]], request)
        answer = _fork_each([request["do"]], work, request["scratch"])[request["do"]]
    _write_json(request["out"], answer)


def has_estimator() -> bool:
    """Whether TensorFlow has tf.estimator. TensorFlow 2.16 and later do not."""
    try:
        return hasattr(v1.estimator, "Estimator")
    except (AttributeError, ImportError):
        return False


def serve(requests: TextIO, answers: TextIO) -> None:
    """For each line of requests, write one line after the answer is in its file."""
    fit = has_estimator()
    if fit:
        _import_the_rest()
    gc.collect()
    gc.freeze()  # otherwise, each child's collector visits all imported objects
    answers.write("{} {}\n".format("ready" if fit else "unfit", tf.__version__))
    answers.flush()
    for line in requests:
        handle(line.strip())
        answers.write("done\n")
        answers.flush()


def main() -> None:
    if sys.argv[1:] == ["--serve"]:
        answers = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        serve(sys.stdin, answers)
    else:
        handle(os.path.abspath(sys.argv[1]))


if __name__ == "__main__":
    main()
