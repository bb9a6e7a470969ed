"""Compares the files of a checkpoint with its index."""

import os
import struct
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import pytest

from ckptcheck.checkpoint.bundle import read_bundle
from ckptcheck.checkpoint.crc32c import crc32c, masked
from ckptcheck.checkpoint.examine import examine
from ckptcheck.checkpoint.files import read_global_step
from ckptcheck.checkpoint.locate import locate
from ckptcheck.model_dir import CheckpointFiles, Named
from ckptcheck.protocol import elements
from ckptcheck.rules.roles import roles, slots_of

from ..checkpoints import writer
from ..support import as_a_user, folder_of_all

STEP = struct.pack("<q", 10)
BIAS = struct.pack("<4f", 1, 2, 3, 4)


def put(
    folder: Path,
    shards: int = 1,
    name: str = "model.ckpt-10",
    more: Optional[Dict[str, bytes]] = None,
    **changes: bytes,
) -> str:
    """Writes a complete checkpoint: a step of 8 bytes, and a bias of 16 bytes in the last shard."""
    last = shards - 1
    offset = 8 if last == 0 else 0
    entries: Dict[bytes, bytes] = {
        b"global_step": writer.entry(9, (), 0, 0, 8, masked(crc32c(STEP))),
        b"bias": writer.entry(1, (4,), last, offset, 16, masked(crc32c(BIAS))),
    }
    changes.update(more or {})
    entries.update({key.encode(): value for key, value in changes.items()})
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.index").write_bytes(writer.index(entries, shards))
    (folder / f"{name}.meta").write_bytes(b"")
    contents = [STEP + BIAS] if last == 0 else [STEP, *([b""] * (shards - 2)), BIAS]
    for number, content in enumerate(contents):
        (folder / f"{name}.data-{number:05d}-of-{shards:05d}").write_bytes(content)
    return str(folder / name)


def look(prefix: str) -> CheckpointFiles:
    examined = examine(prefix)
    assert examined.files is not None, examined.problem
    return examined.files


def kinds(files: CheckpointFiles) -> List[Tuple[str, str]]:
    return [(flaw.variable, flaw.kind) for flaw in files.flaws]


@pytest.mark.parametrize("shards", [1, 2, 5])
def test_a_whole_checkpoint(tmp_path: Path, shards: int) -> None:
    files = look(put(tmp_path, shards))
    assert all(file.complete for file in files.files)
    assert (files.flaws, files.unreferenced, files.remains) == ((), (), ())
    assert (files.global_step, files.saved_graph, files.snapshot) == (10, True, False)
    assert abs(files.data_newer_by) < 60


def test_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert look("model.ckpt-10").global_step == 10


def test_a_missing_file_is_missed_where_a_tensor_is_in_it(tmp_path: Path) -> None:
    """The shards between the first and the last are empty, so a restore does not open them."""
    prefix = put(tmp_path, 3)
    os.remove(prefix + ".data-00001-of-00003")
    assert look(prefix).flaws == ()
    os.remove(prefix + ".data-00002-of-00003")
    files = look(prefix)
    assert kinds(files) == [("bias", "no-file")]
    assert [file.size for file in files.files] == [8, None]


def test_a_short_file(tmp_path: Path) -> None:
    prefix = put(tmp_path)
    with open(prefix + ".data-00000-of-00001", "r+b") as file:
        file.truncate(23)
    files = look(prefix)
    assert kinds(files) == [("bias", "past-end")]
    assert (files.files[0].size, files.files[0].needed) == (23, 24)
    assert files.global_step == 10


def test_a_file_that_is_a_directory(tmp_path: Path) -> None:
    prefix = put(tmp_path)
    os.remove(prefix + ".data-00000-of-00001")
    os.mkdir(prefix + ".data-00000-of-00001")
    files = look(prefix)
    assert files.files[0].problem == "it is a directory"
    assert files.global_step is None


def test_a_file_that_is_a_link_to_itself(tmp_path: Path) -> None:
    """``os.stat`` raises an error for such a link."""
    path = put(tmp_path) + ".data-00000-of-00001"
    os.remove(path)
    os.symlink(path, path)
    found = locate(str(tmp_path / "model.ckpt-10"))
    assert isinstance(found, Named)
    assert found.missing_shards == (os.path.basename(path),)
    assert look(str(tmp_path / "model.ckpt-10")).files[0].size is None


def test_a_file_that_must_not_be_read() -> None:
    with folder_of_all() as folder:
        prefix = put(folder)
        os.chmod(prefix + ".data-00000-of-00001", 0)
        with as_a_user():
            assert look(prefix).files[0].problem == "Permission denied"


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 9\n" % (b"5" * 64)


def test_pointers_of_git_lfs(tmp_path: Path) -> None:
    """The message for a pointer says how to fetch the file."""
    prefix = put(tmp_path)
    Path(prefix + ".meta").write_bytes(POINTER)
    data = Path(prefix + ".data-00000-of-00001")
    data.write_bytes(POINTER)
    (found,) = look(prefix).files
    assert found.size is None and "git lfs pull" in found.problem
    assert {flaw[1] for flaw in kinds(look(prefix))} == {"no-file"}
    assert "git lfs pull" in look(prefix).graph_problem
    data.write_bytes(STEP + BIAS + POINTER)
    assert look(prefix).files[0].problem == ""
    Path(prefix + ".index").write_bytes(POINTER)
    assert "git lfs pull" in examine(prefix).problem


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        (writer.entry(1, (4,), 0, 8, 12), "size"),
        (writer.entry(1, (4,), 0, 8, 20), "size"),
        (writer.entry(7, (40,), 0, 8, 16), "size"),
        (writer.entry(1, (4,), 1, 8, 16), "no-shard"),
        (writer.entry(1, (4,), 0, 4, 16), "overlap"),
        (writer.entry(1, (4,), 0, (1 << 63) - 1, 16), "past-end"),
        (writer.entry(1, (4,), slices=[((0, 2),)]), "missing-part"),
    ],
)
def test_entries_that_cannot_be(tmp_path: Path, entry: bytes, kind: str) -> None:
    found = [flaw.kind for flaw in look(put(tmp_path, bias=entry)).flaws]
    assert kind in found


def test_tensors_without_bytes_overlap_nothing(tmp_path: Path) -> None:
    prefix = put(tmp_path, nothing=writer.entry(1, (0,), 0, 4, 0))
    assert look(prefix).flaws == ()


def test_a_tensor_inside_another(tmp_path: Path) -> None:
    prefix = put(tmp_path, x=writer.entry(4, (2,), 0, 9, 2), y=writer.entry(4, (2,), 0, 12, 2))
    assert kinds(look(prefix)) == [("x", "overlap"), ("y", "overlap")]


def test_left_over_files(tmp_path: Path) -> None:
    prefix = put(tmp_path)
    names = [
        "model.ckpt-10.data-00000-of-00002",
        "model.ckpt-10.data-00001-of-00001",
        "model.ckpt-10.data-00000-of-00001.tempstate123",
        "model.ckpt-100.data-00000-of-00002",
        "events.out.tfevents.1",
    ]
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / ("model.ckpt-20_temp_" + "0a" * 16)).mkdir()
    files = look(prefix)
    assert files.unreferenced == tuple(names[:2])
    assert files.remains == (names[2], "model.ckpt-20_temp_" + "0a" * 16 + "/")


def test_times(tmp_path: Path) -> None:
    prefix = put(tmp_path)
    os.utime(prefix + ".index", (1000, 1000))
    os.utime(prefix + ".data-00000-of-00001", (9000, 9000))
    assert look(prefix).data_newer_by == 8000


def test_a_link_to_nowhere_has_no_time(tmp_path: Path) -> None:
    prefix = put(tmp_path)
    os.remove(prefix + ".data-00000-of-00001")
    os.symlink(tmp_path / "gone", prefix + ".data-00000-of-00001")
    assert look(prefix).data_newer_by == 0


@pytest.mark.parametrize("change", ["value", "dtype", "nothing"])
def test_a_global_step_that_is_not_sure(tmp_path: Path, change: str) -> None:
    changes: Dict[str, Any] = {}
    if change == "dtype":
        changes["global_step"] = writer.entry(3, (2,), 0, 0, 8, 1)
    prefix = put(tmp_path, **changes)
    if change == "value":
        Path(prefix + ".data-00000-of-00001").write_bytes(struct.pack("<q", 11) + BIAS)
    if change == "nothing":
        os.remove(prefix + ".data-00000-of-00001")
    damaged = "global_step" if change == "value" else ""
    assert read_global_step(read_bundle(prefix)) == (None, damaged)


def test_what_cannot_be_examined(tmp_path: Path) -> None:
    (tmp_path / "a.index").write_bytes(b"text")
    found = examine(str(tmp_path / "a"))
    assert found.bundle is None and found.files is None and not found.first_version
    assert "a.index: it has 4 bytes" in found.problem
    (tmp_path / "b").write_bytes(writer.table([(b"", writer.field(1, b""))]))
    assert examine(str(tmp_path / "b")).first_version


def test_a_hostile_number_of_shards_costs_nothing(tmp_path: Path) -> None:
    prefix = put(tmp_path)
    entries = {b"x": writer.entry(1, (1,), (1 << 31) - 2, 0, 4)}
    Path(prefix + ".index").write_bytes(writer.index(entries, (1 << 31) - 1))
    assert kinds(look(prefix)) == [("x", "no-file")]


def test_elements() -> None:
    assert [elements(shape) for shape in ((), (3,), (2, 0), (2, 3))] == [1, 3, 0, 6]
    assert [elements(shape) for shape in (None, (None,), (2, None))] == [None] * 3


def test_roles() -> None:
    names = {
        "global_step": "global_step",
        "dense/kernel": "weight",
        "dense/kernel/Adam": "optimizer",
        "dense/kernel/Adam_1": "optimizer",
        "OptimizeLoss/dense/kernel/Momentum": "optimizer",
        "beta1_power": "optimizer",
        "bert/word_embeddings": "weight",
        "bert/word_embeddings/adam_m": "optimizer",
        "model/v": "weight",
        "lstm/m": "weight",
        "layer/.OPTIMIZER_SLOT/optimizer/m/.ATTRIBUTES/VARIABLE_VALUE": "optimizer",
        "_CHECKPOINTABLE_OBJECT_GRAPH": "other",
        "wide/bias": "weight",
        "wide/bias/t_0/Adagrad": "optimizer",
        "training/Ftrl/wide/bias/linear": "optimizer",
        "training/Ftrl/learning_rate": "optimizer",
        "training/Ftrl/l1_regularization_strength": "optimizer",
        "training/Ftrl/decay": "optimizer",
        "training/Ftrl/temperature": "weight",
        "SGD/iter": "optimizer",
        "SGD/lr": "optimizer",
        "norm/beta": "weight",
        "schedule/learning_rate": "weight",
        "iter": "weight",
        "MutableHashTable-keys": "other",
        "MutableHashTable-values": "other",
        "model-keys": "weight",
    }
    assert roles(names) == names


def test_slots_and_their_variables() -> None:
    names = ["w", "w/Adam", "part", "part/t_0/Adagrad", "opt/Adam/w/m", "opt/w/kernel", "m"]
    assert slots_of(names) == {
        "w/Adam": "w",
        "part/t_0/Adagrad": "part",
        "opt/Adam/w/m": "w",
    }


def test_roles_of_slots_of_optimizers_with_other_names() -> None:
    names = {
        "gen/w": ("weight", (2, 3)),
        "gen/w/GenAdam": ("optimizer", (2, 3)),
        "gen/w/GenAdam_1": ("optimizer", (2, 3)),
        "gen/w/ExponentialMovingAverage": ("weight", (2, 3)),
        "gen/w/kernel": ("weight", (3, 5)),
        "b": ("weight", (3,)),
        "opt/b/GenAdam": ("optimizer", (3,)),
        "b/mom_opt": ("weight", (3,)),
        "b/ExponentialMovingAverage": ("weight", (3,)),
        "c/ema": ("weight", (3,)),
        "c": ("weight", (3,)),
        "b/ema": ("weight", (3,)),
    }
    expected = {name: role for name, (role, _) in names.items()}
    shapes = {name: shape for name, (_, shape) in names.items()}
    assert roles(names, shapes) == expected
    powers = {"GenAdam/beta1_power": "optimizer", "b/mom_opt": "optimizer"}
    assert roles([*names, "GenAdam/beta1_power"], shapes) == {**expected, **powers}


def test_roles_of_slots_of_one_variable() -> None:
    shapes = {"w": (4,), "w/AdaMax": (4,), "w/LARSOptimizer": (4,), "w/mine": (4,)}
    found = roles(shapes, shapes)
    assert [found[name] for name in shapes] == ["weight", "optimizer", "optimizer", "weight"]


def test_roles_of_names_of_slashes_end_soon() -> None:
    names = {"a" + "/" * 300000 + str(number): None for number in range(20)}
    start = time.process_time()
    assert set(roles(names, names).values()) == {"weight"}
    assert time.process_time() - start < 2


def test_a_device_instead_of_data_is_not_read(tmp_path: Path) -> None:
    prefix = put(tmp_path)
    os.remove(prefix + ".data-00000-of-00001")
    os.symlink("/dev/zero", prefix + ".data-00000-of-00001")
    step = read_global_step(read_bundle(prefix))
    assert step == (None, ""), "zeros would be a damaged step"
