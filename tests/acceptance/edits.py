"""Edits that people make between training and restoring.

An edit is a function that gets a Workspace. Most functions here return an edit. An edit raises an
error if it finds nothing to change. Otherwise, after a change of the fixture, a case could test the
unchanged code without notice.
"""

import glob
import os
import shutil
import textwrap
from typing import Any, Callable, Dict, Sequence

from ckptcheck.checkpoint.bundle import read_bundle
from ckptcheck.checkpoint.table import table_blocks

from ..checkpoints import writer
from .workspace import Workspace, read_json, write_json

Edit = Callable[[Workspace], None]


def set_params(**values: Any) -> Edit:
    """Give params other values, or add them."""

    def edit(workspace: Workspace) -> None:
        params = read_json(workspace.path("params.json"))
        if all(params.get(name) == value for name, value in values.items()):
            raise AssertionError(f"the params are so already: {values}")
        params.update(values)
        write_json(workspace.path("params.json"), params)

    return edit


def remove_param(name: str) -> Edit:
    """Leave a param out, so that the code's default is used."""

    def edit(workspace: Workspace) -> None:
        params = read_json(workspace.path("params.json"))
        del params[name]
        write_json(workspace.path("params.json"), params)

    return edit


def set_argv(*argv: str) -> Edit:
    """Start the user's script with other flags."""

    def edit(workspace: Workspace) -> None:
        if read_json(workspace.path("argv.json")) == list(argv):
            raise AssertionError("the flags are so already")
        write_json(workspace.path("argv.json"), list(argv))

    return edit


def replace_in(filename: str, old: str, new: str) -> Edit:
    """Replace a text of a file. The file must have this text exactly once."""

    def edit(workspace: Workspace) -> None:
        path = workspace.path(filename.format(module=workspace.module))
        with open(path) as f:
            text = f.read()
        if text.count(old) != 1:
            raise AssertionError(f"{text.count(old)} times in {path}: {old!r}")
        with open(path, "w") as f:
            f.write(text.replace(old, new))

    return edit


def replace(old: str, new: str) -> Edit:
    """Replace a text of the model's code."""
    return replace_in("{module}.py", old, new)


def append(text: str) -> Edit:
    """Add a text at the end of the model's code."""

    def edit(workspace: Workspace) -> None:
        with open(workspace.path(workspace.module + ".py"), "a") as f:
            f.write(text)

    return edit


def write_file(filename: str, text: str) -> Edit:
    """Add a file to the code's folder."""

    def edit(workspace: Workspace) -> None:
        with open(workspace.path(filename), "w") as f:
            f.write(text)

    return edit


def copy_model_dir(name: str) -> Edit:
    """Copy the unchanged model_dir into the directory of the code."""

    def edit(workspace: Workspace) -> None:
        shutil.copytree(workspace.model_dir, workspace.path(name))

    return edit


def replace_input(old: str, new: str) -> Edit:
    """Replace a text of the input_fn's module. The case then needs `--input-fn`."""
    return replace_in("train.py", old, new)


def wrap_in_scope(scope: str, arguments: str = "") -> Edit:
    """Put the whole body of model_fn into a variable_scope."""

    def edit(workspace: Workspace) -> None:
        path = workspace.path(workspace.module + ".py")
        with open(path) as f:
            text = f.read()
        head, signature, body = text.partition("\ndef model_fn(")
        if not signature:
            raise AssertionError("no model_fn at the module's level in " + path)
        first, _, rest = body.partition("\n")
        line = f"    with tf.variable_scope({scope}{arguments}):\n"
        with open(path, "w") as f:
            f.write(head + signature + first + "\n" + line + textwrap.indent(rest, "    "))

    return edit


def change_optimizer(old: str, new: str) -> Edit:
    """Replace the constructor call of the optimizer by another one."""
    return replace("tf.train." + old, "tf.train." + new)


def _change_checkpoint(change: Dict[str, Any]) -> Edit:
    def edit(workspace: Workspace) -> None:
        workspace.changes.append(change)

    return edit


def drop_variable(key: str) -> Edit:
    """The checkpoint lacks a variable."""
    return _change_checkpoint({"do": "drop", "key": key})


def rename_variable(key: str, to: str) -> Edit:
    """The checkpoint has a variable under another name."""
    return _change_checkpoint({"do": "rename", "key": key, "to": to})


def resize_variable(key: str, *shape: int) -> Edit:
    """The checkpoint has a variable in another shape."""
    return _change_checkpoint({"do": "resize", "key": key, "shape": list(shape)})


def cast_variable(key: str, dtype: str) -> Edit:
    """The checkpoint has a variable in another dtype."""
    return _change_checkpoint({"do": "cast", "key": key, "dtype": dtype})


def fill_variable(key: str, value: float) -> Edit:
    """All values of a variable in the checkpoint are the same."""
    return _change_checkpoint({"do": "fill", "key": key, "value": value})


def object_based(workspace: Workspace) -> None:
    """tf.train.Checkpoint saved the checkpoint, with the variables as attributes."""
    workspace.changes.append({"do": "object_based"})


def remove_files(pattern: str) -> Edit:
    """Files of the model_dir are gone."""

    def edit(workspace: Workspace) -> None:
        paths = glob.glob(os.path.join(workspace.model_dir, pattern))
        if not paths:
            raise AssertionError("no such file: " + pattern)
        for path in paths:
            os.remove(path)

    return edit


def rename_checkpoint(name: str) -> Edit:
    """The checkpoint's files have another name, and there is no state file."""

    def edit(workspace: Workspace) -> None:
        prefix = workspace.prefix
        for path in glob.glob(glob.escape(prefix) + ".*"):
            os.rename(path, os.path.join(workspace.model_dir, name + path[len(prefix) :]))
        os.remove(os.path.join(workspace.model_dir, "checkpoint"))

    return edit


def truncate(pattern: str, keep: int) -> Edit:
    """A file of the model_dir ends after ``keep`` bytes, as after a full disk."""

    def edit(workspace: Workspace) -> None:
        (path,) = glob.glob(os.path.join(workspace.model_dir, pattern))
        if os.path.getsize(path) <= keep:
            raise AssertionError("too short already: " + path)
        with open(path, "r+b") as f:
            f.truncate(keep)

    return edit


def overwrite(pattern: str, content: bytes) -> Edit:
    """A file of the model_dir holds something else."""

    def edit(workspace: Workspace) -> None:
        (path,) = glob.glob(os.path.join(workspace.model_dir, pattern))
        with open(path, "wb") as f:
            f.write(content)

    return edit


def rewrite_index(change: Callable[[Dict[bytes, bytes]], None]) -> Edit:
    """The index has entries that TensorFlow never writes, but correct checksums."""

    def edit(workspace: Workspace) -> None:
        path = workspace.prefix + ".index"
        with open(path, "rb") as f:
            pairs = [pair for block in table_blocks(f.read()) for pair in block]
        entries = dict(pairs)
        change(entries)
        if entries == dict(pairs):
            raise AssertionError("nothing was changed in " + path)
        with open(path, "wb") as f:
            f.write(writer.table(sorted(entries.items())))

    return edit


def entry_size(key: str, size: int) -> Edit:
    """An entry of the index has another size of a tensor."""

    def change(entries: Dict[bytes, bytes]) -> None:
        entries[key.encode()] += writer.field(5, size)  # protobuf uses the last one of two fields

    return rewrite_index(change)


def entry_shard(key: str, shard: int) -> Edit:
    """An entry of the index names another data file."""

    def change(entries: Dict[bytes, bytes]) -> None:
        entries[key.encode()] += writer.field(3, shard)

    return rewrite_index(change)


def entry_copied(key: str, source: str) -> Edit:
    """The index has the same entry for two tensors, so that both have the same bytes."""

    def change(entries: Dict[bytes, bytes]) -> None:
        entries[key.encode()] = entries[source.encode()]

    return rewrite_index(change)


def shard_count(count: int) -> Edit:
    """The index has another number of data files."""

    def change(entries: Dict[bytes, bytes]) -> None:
        entries[b""] = writer.header(count)

    return rewrite_index(change)


def flip_data(key: str) -> Edit:
    """One bit of a tensor's data is flipped."""

    def edit(workspace: Workspace) -> None:
        (item,) = [item for item in read_bundle(workspace.prefix).tensors if item.name == key]
        with open(workspace.prefix + ".data-00000-of-00001", "r+b") as f:
            f.seek(item.offset)
            byte = f.read(1)[0]
            f.seek(item.offset)
            f.write(bytes([byte ^ 1]))

    return edit


def data_of_another_save(workspace: Workspace) -> None:
    """The data file has the right size, but other values."""
    (path,) = glob.glob(workspace.prefix + ".data-*")
    size = os.path.getsize(path)
    with open(path, "wb") as f:
        f.write(bytes(size))


def add_file(name: str, content: bytes = b"left over") -> Edit:
    """One more file in the model_dir."""

    def edit(workspace: Workspace) -> None:
        with open(os.path.join(workspace.model_dir, name), "wb") as f:
            f.write(content)

    return edit


def longer(pattern: str) -> Edit:
    """A file of the model_dir has more bytes at its end."""

    def edit(workspace: Workspace) -> None:
        (path,) = glob.glob(os.path.join(workspace.model_dir, pattern))
        with open(path, "ab") as f:
            f.write(b"behind the end")

    return edit


def rename_step(workspace: Workspace) -> None:
    """The checkpoint has been renamed to another step."""
    for path in glob.glob(workspace.prefix + ".*"):
        os.rename(path, path.replace("model.ckpt-10", "model.ckpt-77"))
    _write_state(workspace, "model.ckpt-77")


def older_index(workspace: Workspace) -> None:
    """The index is a day older than the data."""
    path = workspace.prefix + ".index"
    yesterday = os.path.getmtime(path) - 86400
    os.utime(path, (yesterday, yesterday))


def replace_by_directory(pattern: str) -> Edit:
    """A directory replaces a file of the model_dir."""

    def edit(workspace: Workspace) -> None:
        (path,) = glob.glob(os.path.join(workspace.model_dir, pattern))
        os.remove(path)
        os.mkdir(path)

    return edit


def _write_state(workspace: Workspace, prefix: str, others: Sequence[str] = ()) -> None:
    lines = [f'model_checkpoint_path: "{prefix}"']
    lines += [f'all_model_checkpoint_paths: "{p}"' for p in [*list(others), prefix]]
    with open(os.path.join(workspace.model_dir, "checkpoint"), "w") as f:
        f.write("\n".join(lines) + "\n")


def state_lists_gone(workspace: Workspace) -> None:
    """The state file names the checkpoint, and lists others in a directory that is gone."""
    gone = os.path.join(workspace.root, "gone", "model.ckpt-5")
    _write_state(workspace, os.path.basename(workspace.prefix), [gone])


def state_lists_gone_below(workspace: Workspace) -> None:
    """The state file lists others in a missing directory below the model_dir."""
    _write_state(workspace, os.path.basename(workspace.prefix), ["gone/model.ckpt-5"])


def state_lists_missing(workspace: Workspace) -> None:
    """The state file also lists a deleted checkpoint."""
    _write_state(workspace, os.path.basename(workspace.prefix), ["model.ckpt-5"])


def state_doubled_slash(workspace: Workspace) -> None:
    """The state file has the path of a saver that got ``model_dir//model.ckpt``."""
    folder, name = os.path.split(os.path.abspath(workspace.prefix))
    _write_state(workspace, folder + "//" + name)


def state_up_and_down(workspace: Workspace) -> None:
    """The path in the state file goes through a missing directory: ``gone/../model.ckpt``."""
    _write_state(workspace, "gone/../" + os.path.basename(workspace.prefix))


def state_pattern(workspace: Workspace) -> None:
    """The state file has a pattern that matches the checkpoint's files."""
    name = os.path.basename(workspace.prefix)
    _write_state(workspace, name[:-1] + "?")


def state_gone_pattern(workspace: Workspace) -> None:
    """The state file names a missing directory that is a glob pattern, in an existing directory."""
    name = os.path.basename(workspace.prefix)
    _write_state(workspace, os.path.join(workspace.root, "lr[0.1]", name))


def state_lists_gone_pattern(workspace: Workspace) -> None:
    """The state file names the checkpoint, and lists one in the missing glob directory."""
    gone = os.path.join(workspace.root, "lr[0.1]", "model.ckpt-5")
    _write_state(workspace, os.path.basename(workspace.prefix), [gone])


def state_names_slash(workspace: Workspace) -> None:
    """The state file names a directory with a slash at the end."""
    os.mkdir(os.path.join(workspace.model_dir, "best"))
    _write_state(workspace, "best/")


def state_names(path: str) -> Edit:
    """The state file names ``path``."""
    return lambda workspace: _write_state(workspace, path)


def model_dir_with_slashes(workspace: Workspace) -> None:
    """The MODEL_DIR argument ends with slashes."""
    workspace.model_dir += "//"


def state_names_link(workspace: Workspace) -> None:
    """The state file names a link to a deleted checkpoint."""
    os.symlink("model.ckpt-9", os.path.join(workspace.model_dir, "latest"))
    _write_state(workspace, "latest")


def index_linked_to_nothing(workspace: Workspace) -> None:
    """The index is a link to a missing file."""
    index = workspace.prefix + ".index"
    os.remove(index)
    os.symlink(os.path.join(workspace.root, "not", "fetched"), index)


def state_moved(workspace: Workspace) -> None:
    """The state file names the old directory. The model_dir was moved."""
    name = os.path.basename(workspace.prefix)
    _write_state(workspace, os.path.join(workspace.root, "gone", name))


def state_other(workspace: Workspace) -> None:
    """The state file names the original directory. The model_dir is a copy."""
    other = os.path.join(workspace.root, "original")
    shutil.copytree(workspace.model_dir, other)
    _write_state(workspace, os.path.join(other, os.path.basename(workspace.prefix)))


def state_older(workspace: Workspace) -> None:
    """The state file names the older one of two checkpoints, as after an edit by hand."""
    newer = workspace.prefix
    older = os.path.join(os.path.dirname(newer), "model.ckpt-5")
    for path in glob.glob(newer + ".*"):
        shutil.copy(path, path.replace(newer, older))
    _write_state(workspace, os.path.basename(older), [os.path.basename(newer)])


def state_absolute(workspace: Workspace) -> None:
    """The state file names its own directory by an absolute path."""
    _write_state(workspace, workspace.prefix)


def state_names_file(ending: str) -> Edit:
    """The state file names one of the checkpoint's files, as after an edit by hand."""

    def edit(workspace: Workspace) -> None:
        _write_state(workspace, os.path.basename(workspace.prefix) + ending)

    return edit


def state_names_directory(workspace: Workspace) -> None:
    """The state file names a directory in the model_dir."""
    os.mkdir(os.path.join(workspace.model_dir, "best"))
    _write_state(workspace, "best")


def model_dir_named(name: str) -> Edit:
    """The model_dir has another name."""

    def edit(workspace: Workspace) -> None:
        named = os.path.join(workspace.root, name)
        shutil.move(workspace.model_dir, named)
        workspace.model_dir = named

    return edit


def state_missing_step(workspace: Workspace) -> None:
    """The state file names a step without files, and lists a step with files."""
    _write_state(workspace, "model.ckpt-99999", [os.path.basename(workspace.prefix)])


def state_garbage(workspace: Workspace) -> None:
    """The state file cannot be parsed."""
    with open(os.path.join(workspace.model_dir, "checkpoint"), "w") as f:
        f.write("<<<<<<< HEAD\n")


def state_recoded(encoding: str) -> Edit:
    """An editor or a shell wrote the state file in another encoding than UTF-8."""

    def edit(workspace: Workspace) -> None:
        path = os.path.join(workspace.model_dir, "checkpoint")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        with open(path, "w", encoding=encoding) as f:
            f.write("# gr\xf6\xdfer\n" + text)

    return edit


def state_escaped(workspace: Workspace) -> None:
    """The state file also lists a path whose bytes are not UTF-8."""
    _write_state(workspace, os.path.basename(workspace.prefix), ["m\\351del.ckpt-10"])


def state_directory(workspace: Workspace) -> None:
    """A directory has the name of the state file."""
    path = os.path.join(workspace.model_dir, "checkpoint")
    os.remove(path)
    os.mkdir(path)


def state_empty(workspace: Workspace) -> None:
    """The state file is empty."""
    with open(os.path.join(workspace.model_dir, "checkpoint"), "w"):
        pass
