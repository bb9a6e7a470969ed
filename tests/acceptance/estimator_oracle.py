"""What the real tf.estimator.Estimator does with a model_dir: the truth that ckptcheck is held to.

Nothing of ckptcheck is imported here. For each mode the Estimator really predicts, evaluates or
trains one step, in a process of its own and on a copy of the model_dir of its own, and the
verdict follows from what TensorFlow did: what it raised and when, and, when nothing raised,
whether every variable in the session is what the checkpoint holds and what the code declares.

    python estimator_oracle.py REQUEST.json     do one request, write the file that it names as out
    python estimator_oracle.py --serve          one path of a request per line on stdin

Answers go to a file and not to stdout, because TensorFlow prints there. Serving forks a child per
request from a process that has imported TensorFlow and has never opened a session: importing it
again for every case would be most of the time that the suite takes.
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
"""After some errors a MonitoredSession restores into a new session and tries again, without end."""

# How far a run came; an exception is judged by the last of them. LOOKUP is the time in which
# PREDICT and EVAL ask for the latest checkpoint, before they build anything.
BUILD, LOOKUP, SESSION, RUN, DONE = "build", "lookup", "session", "run", "done"


class OracleError(Exception):
    """The oracle itself is at fault; never to be taken for something that TensorFlow did."""


class TriedAgainError(Exception):
    """The run raises and starts again for ever: for its user it never gets any further."""


class Restores:
    """Every Saver.restore of this process: which saver, which prefix, what the prefix held.

    The tensors are read at the moment of the restore, because training saves again under the same
    prefix before any hook of ours can look.
    """

    def __init__(self) -> None:
        self.savers: List[Tuple[Any, Dict[str, Array], Dict[str, Array]]] = []
        self.sessions: List[Any] = []
        self.prefix: Optional[str] = None
        self.started: Callable[[], None] = lambda: None
        self._original: Callable[..., Any] = v1.train.Saver.restore

    def watch(self) -> None:
        """Let this object see each restore from now on."""
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
        """Start over, for another run in this process."""
        v1.train.Saver.restore = self._original
        self.savers = []
        self.sessions = []
        self.prefix = None

    def expected(self) -> Iterator[Tuple[Any, str, Array]]:
        """Each variable that a restore wrote, its key, and the value it must have now."""
        for saver, tensors, parts in self.savers:
            for key, variable in _saved_variables(saver):
                value = parts.get(variable.name, tensors.get(key))
                if value is None:
                    raise OracleError(f"restored, yet not in the checkpoint: {key}")
                yield variable, key, _reshaped(value, variable) if saver._reshape else value


def _read_checkpoint(prefix: Any) -> Dict[str, Array]:
    """All tensors under the prefix but those that cannot be read: to restore them raises."""
    try:
        reader = v1.train.NewCheckpointReader(str(prefix))
        names = list(reader.get_variable_to_shape_map())
    except Exception:  # whatever it is, the real restore will say it in its own words
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
    """What the checkpoint holds for each part of the partitioned variables, by its own name.

    A saver that names the parts one by one stores a tensor with nothing but that part in it, and
    no reader of whole tensors can read it.
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
        except tf.errors.OpError:  # whatever it is, the real restore will say it in its own words
            return {}


def _reshaped(value: Array, variable: Any) -> Array:
    """What Saver(reshape=True) makes of a tensor: there the code asks for another shape."""
    return value.reshape(variable.shape.as_list())


def _same(left: Array, right: Array) -> bool:
    """Equal element by element, where NaN equals NaN."""
    left, right = np.asarray(left), np.asarray(right)
    if left.shape != right.shape:
        return False
    equal = left == right
    if left.dtype.kind in "fc":
        equal = equal | ((left != left) & (right != right))
    return bool(np.all(equal))


Hook: Any = v1.train.SessionRunHook


class Observer(Hook):  # type: ignore[misc]
    """Goes along with the Estimator and notes how far it came and what is in the variables."""

    def __init__(self, restores: Restores) -> None:
        self.restores = restores
        self.restores.started = self.begin  # an export has no hooks
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
                continue  # set by init ops, or TensorFlow would have reported it uninitialized
            key, wanted = known[variable.name]
            why = _difference(session.run(variable), wanted, variable.shape)
            if why:
                yield {"variable": variable.op.name, "key": key, "why": why}


def _difference(actual: Array, wanted: Array, declared: Any) -> str:
    """Why a restored variable is not what it should be, or the empty string."""
    if not declared.is_compatible_with(np.shape(actual)):
        return f"has shape {list(np.shape(actual))}, declared {declared}"
    if not _same(actual, wanted):
        return "is not the checkpoint's value"
    return ""


def _import_the_rest() -> None:
    """What TensorFlow imports when it is first used."""
    _ = (v1.estimator.Estimator, v1.keras.layers.Dense, v1.layers.dense)


def _import_model(name: str, tf1_names: bool) -> Any:
    """The user's module; `import tensorflow` in it means TensorFlow 1's names if asked for.

    Only the import statement is redirected, and only while the module is imported: variables and
    control flow behave as TensorFlow's own default has it.
    """
    if not tf1_names or TF_MAJOR < 2:
        return importlib.import_module(name)
    _import_the_rest()  # what it imports itself must be the real tensorflow
    real = sys.modules["tensorflow"]
    sys.modules["tensorflow"] = v1
    try:
        return importlib.import_module(name)
    finally:
        sys.modules["tensorflow"] = real


def _enter(request: Dict[str, Any]) -> None:
    """Be the process that a user would have started in the code's folder."""
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
    """The script's input_fn for a mode; TPUEstimator wants one that takes params."""

    def with_params(params: Any) -> Any:
        called()
        return script.input_fn(mode, params)

    def without() -> Any:
        called()
        return script.input_fn(mode)

    takes = "params" in inspect.signature(script.input_fn).parameters
    return with_params if takes else without


def _export(estimator: Any, train: Any, observer: Observer, scratch: str) -> None:
    """Export for serving, load what was exported as a server does, and answer one request."""
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
    """The tensors that a server answers with; a signature that does not fit its input has none."""
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
    """One batch or one step of this mode."""
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
    """What TensorFlow says, without the stacks of the graph's construction around it."""
    text = str(raised).split("\n\nOriginal stack trace for")[0]
    noise = ("  ", "Detected at node", "Stack trace for op definition")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(noise)]
    return "\n".join(lines)[:3000]


def _attempt(request: Dict[str, Any], mode: str, model_dir: str) -> Dict[str, Any]:
    """Run one mode to its end or to its exception, and say what was seen."""
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
    """Make sure that the run goes well with freshly initialized variables.

    Otherwise it is not the checkpoint that breaks it, or not the checkpoint alone, and no verdict
    would be the right one: such a case has to be written in another way.
    """
    if mode == "export":  # it takes no fresh variables, and its request is one that PREDICT got
        return
    empty = os.path.join(request["scratch"], mode + "-empty")
    os.mkdir(empty)
    control = _attempt(request, mode, empty)
    if control["error"]:
        message = "the run raises with a checkpoint:\n{}\nand without any:\n{}"
        raise OracleError(message.format(error, control["error"]))


def _left_empty(error: Optional[str]) -> bool:
    """Whether a run read a variable that nothing had filled."""
    says = ("uninitialized value", "Could not find variable", "was uninitialized")
    return bool(error) and any(words in str(error) for words in says)


def _verdict(request: Dict[str, Any], mode: str, seen: Dict[str, Any]) -> Dict[str, Any]:
    """The verdict of the design's section 4, out of what was seen."""
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
    """One mode, on a copy of the model_dir. Call it in a process that then ends."""
    _enter(request)
    bare = request["model_dir"].rstrip("/")
    slashes = request["model_dir"][len(bare) :]
    name = os.path.basename(bare)  # TensorFlow may find a pattern in it
    model_dir = os.path.join(request["scratch"], mode, name)
    shutil.copytree(bare, model_dir, symlinks=True)
    seen = _attempt(request, mode, model_dir + slashes)
    if seen["oracle_error"]:
        return seen
    result = _verdict(request, mode, seen)
    result.update(seen)
    return result


def train(request: Dict[str, Any], _: str) -> Dict[str, Any]:
    """Train a model as its own script would have, and say what the checkpoint then holds."""
    _enter(request)
    if TF_MAJOR > 1:  # the initializers of tf.layers draw their seeds from Keras's generator
        tf.keras.utils.set_random_seed(1)
    estimator, script = _estimator(request, request["model_dir"])
    estimator.train(_input_fn(script, "train", lambda: None), steps=script.STEPS)
    for path in glob.glob(os.path.join(glob.escape(request["model_dir"]), "events.out.*")):
        os.remove(path)
    tensors = _read_checkpoint(v1.train.latest_checkpoint(request["model_dir"]))
    return {"variables": {key: [v.dtype.name, list(v.shape)] for key, v in tensors.items()}}


def _write_json(path: str, value: Any) -> None:
    """All at once, so that a reader never sees half a document."""
    with open(path + ".part", "w") as f:
        json.dump(value, f, indent=1, sort_keys=True)
    os.rename(path + ".part", path)


def _fork(work: Callable[[], Any], log: str, out: str) -> int:
    """Do the work in a child whose prints go to the log and whose result goes to a file."""
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
        os._exit(code)  # no atexit handlers of a parent that goes on


def _wait(pid: int, deadline: float) -> str:
    """Wait for a child; how it ended, if not well."""
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
    """A child's result; one that died without any is an error of this run, never a verdict."""
    if os.path.exists(out):
        with open(out) as f:
            return json.load(f)  # type: ignore[no-any-return]
    with open(log) as f:
        return {"oracle_error": problem + "\n" + f.read()[-4000:]}


def _fork_each(
    names: Sequence[str], work: Callable[[str], Dict[str, Any]], scratch: str
) -> Dict[str, Dict[str, Any]]:
    """One child per name, at the same time, and their results."""
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

    The .meta file stays as it was: it is the training run's graph, and the point of these edits is
    a checkpoint that the code does not expect.
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
    """Save what tf.train.Checkpoint would save, under a prefix that is given to the letter."""
    checkpoint = v1.train.Checkpoint(**{key.replace("/", "_"): v for key, v in variables.items()})
    written = checkpoint.write(prefix + "-objects", session=session)
    for path in glob.glob(glob.escape(written) + ".*"):
        os.rename(path, path.replace(written, prefix))


def _changed(tensors: Dict[str, Array], change: Dict[str, Any]) -> Dict[str, Array]:
    """One change to what a checkpoint holds; the key must be there."""
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
    """A mode, named ``MODE-control``, in an empty model_dir: no checkpoint is to blame for it."""
    _enter(request)
    model_dir = os.path.join(request["scratch"], name)
    os.mkdir(model_dir)
    return _attempt(request, name.partition("-")[0], model_dir)


def _judge_all(request: Dict[str, Any]) -> Dict[str, Dict[str, Any]]:
    """All modes; TRAIN when the others are done.

    Where the state file names another directory, TRAIN restores from there, saves in its own
    model_dir, and then deletes the old checkpoint from the other directory, as it keeps only the
    newest ones. No copy of the model_dir protects that one.
    """
    work = functools.partial(judge, request)
    first = [mode for mode in request["modes"] if mode != "train"]
    modes = _fork_each(first, work, request["scratch"])
    modes.update(_fork_each(("train",), work, request["scratch"]))
    return modes


def handle(path: str) -> None:
    """Do what the request in this file says and write the answer to the file that it names."""
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
        work = functools.partial({"rewrite": _rewrite, "train": train}[request["do"]], request)
        answer = _fork_each([request["do"]], work, request["scratch"])[request["do"]]
    _write_json(request["out"], answer)


def has_estimator() -> bool:
    """tf.estimator is gone from TensorFlow 2.16 on; there is nothing to ask then."""
    try:
        return hasattr(v1.estimator, "Estimator")
    except (AttributeError, ImportError):
        return False


def serve(requests: TextIO, answers: TextIO) -> None:
    """Answer each line of requests with one line, when its answer is in its file."""
    fit = has_estimator()
    if fit:
        _import_the_rest()
    gc.collect()
    gc.freeze()  # else each child's collector goes through all that TensorFlow has imported
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
