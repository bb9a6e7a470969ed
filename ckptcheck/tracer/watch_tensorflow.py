"""Watches which files code looks at through TensorFlow, which opens them in C++."""

import functools
import os
import re
import sys
from typing import Any, Callable

from ..seen import Look
from .watch import Watch
from .watch_files import wrapped
from .watch_graph import note_pattern, watch_new_ops

_LOOKS = {
    "FileExists": Look.KIND,
    "IsDirectory": Look.KIND,
    "ReadFileToString": Look.CONTENT,
    "BufferedInputStream": Look.CONTENT,
    "CreateBufferedInputStream": Look.CONTENT,
    "CopyFile": Look.CONTENT,
    "GetChildren": Look.NAMES,
    "Stat": Look.STAT,
}
_RECORD_READERS = ("RecordIterator", "RandomRecordReader", "PyRecordReader_New")
_CHANGES = ("CreateDir", "RecursivelyCreateDir", "DeleteFile", "RenameFile", "DeleteRecursively")
_WRITERS = ("WritableFile", "CreateWritableFile", "WriteStringToFile")
_READING_OPS = re.compile(
    r"ReadFile|MatchingFiles|.*Dataset(V\d)?|.*Reader(V2)?|Restore(V2|Slice)?"
    r"|InitializeTableFromTextFile(V2)?|LoadAndRemapMatrix|.*FromFile.*|LoadTPU.*"
    r"|GenerateVocabRemapping|FixedUnigramCandidateSampler|ImmutableConst"
)
_CHANCE_OPS = re.compile(
    r"Random(?!Dataset).*|(Parameterized)?TruncatedNormal|Multinomial|Timestamp|Stateful(Random|"
    r"Standard|Truncated|Uniform).*|NonDeterministicInts"
)
_CALLED_FUNCTIONS = re.compile(r"__(inference|forward|backward)_.*|(Stateful)?PartitionedCall")
_EAGER_OPS = {
    "reads files": _READING_OPS,
    "may draw random numbers": _CHANCE_OPS,
    "may read files": _CALLED_FUNCTIONS,
}


def watch_tensorflow(watch: Watch) -> None:
    """Watches from now on, in this process."""
    from tensorflow.python.lib.io import file_io, tf_record

    files: Any = getattr(file_io, "_pywrap_file_io", None) or file_io.pywrap_tensorflow
    for name, look in _LOOKS.items():
        _replace(files, name, functools.partial(watch.note, look=look))
    for name in _CHANGES:
        _replace(files, name, lambda path: watch.note(path, Look.KIND))
    for name in _WRITERS:
        _replace(files, name, watch.note_written)
    _replace(files, "GetMatchingFiles", functools.partial(note_pattern, watch))
    records: Any = getattr(tf_record, "_pywrap_record_io", None) or tf_record.pywrap_tensorflow
    for name in _RECORD_READERS:
        _replace(records, name, functools.partial(watch.note, look=Look.CONTENT))
    _watch_checkpoint_readers(watch)
    _watch_libraries(watch)
    _watch_eager_ops(watch)
    _watch_sessions(watch)
    _watch_hdf5(watch)
    watch_new_ops(watch)


def _replace(module: Any, name: str, note: Callable[[Any], object]) -> None:
    original = getattr(module, name, None)
    if original is None:  # this version of TensorFlow does not have the function
        return

    def call(*args: Any, **named: Any) -> Any:
        for path in [*args, *named.values()][:1]:
            note(path)
        return original(*args, **named)

    setattr(module, name, wrapped(original, call))


def _watch_checkpoint_readers(watch: Watch) -> None:
    module: Any = None
    for name in (
        "tensorflow.python.training.py_checkpoint_reader",
        "tensorflow.python.pywrap_tensorflow_internal",
    ):
        found = sys.modules.get(name)
        if hasattr(found, "CheckpointReader"):
            module = found
    if module is None:
        watch.give_up("uses a TensorFlow whose CheckpointReader ckptcheck does not find")
        return
    _replace(module, "CheckpointReader", lambda prefix: _note_checkpoint(watch, prefix))


def _note_checkpoint(watch: Watch, prefix: Any) -> None:
    """Notes a checkpoint that code reads. Its data files may be large: their state counts."""
    text = os.fsdecode(prefix)
    folder, name = os.path.split(text)
    watch.note(text, Look.CONTENT)
    watch.note(text + ".index", Look.CONTENT)
    watch.note(folder or ".", Look.NAMES)
    with watch.paused():
        names = os.listdir(folder or ".") if os.path.isdir(folder or ".") else []
    for other in names:
        if other.startswith(name + ".data-"):
            watch.note(os.path.join(folder, other), Look.CONTENT)


def _watch_libraries(watch: Watch) -> None:
    from tensorflow.python.framework import load_library

    _replace(load_library.py_tf, "TF_LoadLibrary", lambda path: watch.note(path, Look.CONTENT))


def _watch_eager_ops(watch: Watch) -> None:
    """Watches for ops that run eagerly, and read files or depend on chance."""
    module: Any = sys.modules.get("tensorflow.python.pywrap_tfe")
    if module is None:
        module = sys.modules.get("tensorflow.python.pywrap_tensorflow")
    for name in ("TFE_Py_FastPathExecute", "TFE_Py_Execute"):
        original = getattr(module, name)

        def call(*args: Any, original: Any = original) -> Any:
            for op in args[1:3]:
                name = op.decode("utf-8", "replace") if type(op) is bytes else op
                for what, ops in _EAGER_OPS.items():
                    if type(name) is str and ops.fullmatch(name):
                        line = watch.user_line()
                        watch.give_up(f"{what} in the op {name}, which runs eagerly", line)
            return original(*args)

        setattr(module, name, wrapped(original, call))


def _watch_sessions(watch: Watch) -> None:
    from tensorflow.python.client import session

    kind: Any = session.BaseSession
    original = kind.__init__

    def __init__(self: Any, *args: Any, **named: Any) -> None:  # noqa: N807
        line = watch.user_line()
        if line:
            watch.give_up("runs a session, which may read files unseen", line)
        original(self, *args, **named)

    kind.__init__ = wrapped(original, __init__)


def _watch_hdf5(watch: Watch) -> None:
    files: Any = sys.modules.get("h5py._hl.files")
    if files is None:
        return
    original = files.File.__init__

    def __init__(self: Any, name: Any, *args: Any, **named: Any) -> None:  # noqa: N807
        if isinstance(name, (str, bytes, os.PathLike)):
            watch.note(name, Look.CONTENT)
        original(self, name, *args, **named)

    files.File.__init__ = wrapped(original, __init__)
