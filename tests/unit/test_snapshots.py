"""Tests which facts about the original model_dir a snapshot keeps."""

import dataclasses
import errno
import gzip
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from ckptcheck.checkpoint import graph_file
from ckptcheck.checkpoint.graphs import read_graph
from ckptcheck.checkpoint.locate import locate
from ckptcheck.checkpoint.snapshot import MARKER
from ckptcheck.checks import run_check
from ckptcheck.errors import UsageError
from ckptcheck.inspection import inspect
from ckptcheck.options import CheckSpec
from ckptcheck.snapshots import snapshot
from ckptcheck.verification import verify

from ..support import FIXTURES, as_a_user, folder_of_all, run_cli
from .test_files import POINTER, put

SOURCE = FIXTURES / "hidden_dropout" / "tf215"
DATA = "model.ckpt-10.data-00000-of-00001"


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    shutil.copytree(str(SOURCE), str(tmp_path / "base"))
    return tmp_path / "base"


def rules_of(groups: Any) -> Any:
    found = {finding.rule for group in groups for finding in group.findings}
    return found - {"index-data-mtime-gap"}  # which depends on when the fixture was checked out


@pytest.mark.parametrize("fault", ["older", "outside"])
def test_what_the_state_file_of_the_model_dir_does_is_not_forgotten(
    fault: str, model_dir: Path, tmp_path: Path
) -> None:
    """The state file of a snapshot names the checkpoint in the snapshot."""
    if fault == "older":
        put(model_dir, name="model.ckpt-20")
    else:
        shutil.copytree(str(model_dir), str(tmp_path / "other"))
        named = tmp_path / "other" / "model.ckpt-10"
        (model_dir / "checkpoint").write_text(f'model_checkpoint_path: "{named}"\n')
    rule = {"older": "newer-checkpoint", "outside": "checkpoint-moved"}[fault]
    done = run_cli("snapshot", "base", "snap", cwd=tmp_path)
    assert (done.code, f"warning[{rule}]" in done.err) == (0, True)
    found = inspect(str(tmp_path / "snap"))
    assert rules_of(found.groups) == set()
    assert "the state file names" in found.not_judged[1]
    again = snapshot(str(tmp_path / "snap"), str(tmp_path / "again"))
    assert rules_of(again.groups) == set()
    assert inspect(str(tmp_path / "again")).not_judged == found.not_judged


def test_no_snapshot_is_left_without_what_was_found(
    model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    put(model_dir, name="model.ckpt-20")
    monkeypatch.setattr("ckptcheck.snapshots.add_records", interrupted)
    with pytest.raises(KeyboardInterrupt):
        snapshot(str(model_dir), str(tmp_path / "a" / "snap"))
    assert [path.name for path in tmp_path.iterdir()] == ["base"]


def test_a_model_dir_without_faults_is_not_spoken_of(model_dir: Path, tmp_path: Path) -> None:
    snapshot(str(model_dir), str(tmp_path / "snap"))
    assert len(inspect(str(tmp_path / "snap")).not_judged) == 1
    assert "said" not in (tmp_path / "snap" / MARKER).read_text()


def test_data_that_cannot_be_read_is_not_missing(model_dir: Path, tmp_path: Path) -> None:
    (model_dir / DATA).unlink()
    os.mkfifo(str(model_dir / DATA))
    (model_dir / "model.ckpt-10.data-00001-of-00001").mkdir()
    snapshot(str(model_dir), str(tmp_path / "snap"))
    messages = [finding.message for finding in inspect(str(tmp_path / "snap")).findings]
    assert any("cannot be read (it is not a regular file)" in message for message in messages)
    assert not any("is missing" in message for message in messages)


@pytest.mark.parametrize(
    "changes",
    [
        {"global_step": "1e999"},
        {"files": '{"x": {"size": 1e999, "modified": 1}}'},
        {"files": '{"x": {"size": 1, "modified": 1e999}}'},
        {"files": '{"x": {"size": 1, "modified": NaN}}'},
        {"said": '"text"'},
        {"files": '{"model.ckpt-10.index": {"size": 1%s, "modified": 1}}' % ("0" * 400)},
        {"files": '{"model.ckpt-10.index": {"size": -1, "modified": 1}}'},
        {"files": r'{"a\u0000b": {"size": 1, "modified": 1}}'},
        {"files": r'{"\ud800": {"size": 1, "modified": 1}}'},
        {"files": '{"../x": {"size": 1, "modified": 1}}'},
    ],
    ids=["step", "size", "time", "no time", "said", "large", "less", "nul", "half", "elsewhere"],
)
def test_a_marker_with_values_that_are_none(changes: Any, model_dir: Path, tmp_path: Path) -> None:
    snapshot(str(model_dir), str(tmp_path / "snap"))
    fields = {"global_step": "10", "files": "{}", "said": "[]", **changes}
    text = ", ".join(f"{json.dumps(name)}: {value}" for name, value in fields.items())
    marker = f'{{"version": 1, "checkpoints": {{"model.ckpt-10": {{{text}}}}}}}'
    (tmp_path / "snap" / MARKER).write_text(marker)
    for look in (inspect, verify):
        with pytest.raises(UsageError, match="is damaged, or from another version of ckptcheck"):
            look(str(tmp_path / "snap"))


@pytest.mark.parametrize("state", [True, False])
def test_a_damaged_marker_is_told_by_every_command(
    state: bool, model_dir: Path, tmp_path: Path
) -> None:
    """TensorFlow never reads the marker, so no verdict says that TensorFlow fails."""
    snapshot(str(model_dir), str(tmp_path / "snap"))
    (tmp_path / "snap" / MARKER).write_text("{\n")
    if not state:
        (tmp_path / "snap" / "checkpoint").unlink()
    (tmp_path / "params.json").write_text("{}")
    said = (
        f"snap/{MARKER} is damaged, or from another version of ckptcheck: make the snapshot again"
    )
    check = ["snap", "module:model_fn", "params.json"]
    for words in (["inspect", "snap"], ["verify", "snap"], check):
        done = run_cli(*words, cwd=tmp_path)
        assert (done.code, done.err) == (2, f"ckptcheck: error: {said}\n")


def test_deep_of_a_snapshot_is_no_check(model_dir: Path, tmp_path: Path) -> None:
    """The same holds for ``verify`` of a snapshot, because there is no data to read."""
    snapshot(str(model_dir), str(tmp_path / "snap"))
    spec = CheckSpec(str(tmp_path / "snap"), "module:model_fn", {}, deep=True)
    with pytest.raises(UsageError, match="Remove --deep"):
        run_check(spec)


# --- The compressed saved graph ------------------------------------------------------------


def test_the_graph_is_packed_and_the_same_at_any_time(
    model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = snapshot(str(model_dir), str(tmp_path / "one"))
    monkeypatch.setattr("time.time", lambda: 1e9)
    snapshot(str(model_dir), str(tmp_path / "two"))
    assert (
        "model.ckpt-10.meta.gz" in made.written.names
        and "model.ckpt-10.meta" not in made.written.names
    )
    content = (tmp_path / "one" / "model.ckpt-10.meta.gz").read_bytes()
    assert content == (tmp_path / "two" / "model.ckpt-10.meta.gz").read_bytes()
    whole = (model_dir / "model.ckpt-10.meta").read_bytes()
    assert gzip.decompress(content) == whole and len(content) < len(whole) / 3
    found = inspect(str(tmp_path / "one"))
    assert found.contents.graph is not None and found.contents.graph.tensorflow == "2.15.1"


def test_the_graph_of_a_snapshot_is_that_of_the_model_dir(model_dir: Path, tmp_path: Path) -> None:
    """The graph is compressed, or not as in older snapshots. Reading it writes no file."""
    snapshot(str(model_dir), str(tmp_path / "snap"))
    before = read_graph(locate(str(model_dir)).graphs)
    assert before is not None and len(before.nodes) == 440
    path = tmp_path / "snap" / "model.ckpt-10.meta"
    expected = dataclasses.replace(before, file=str(path))
    assert read_graph(locate(str(tmp_path / "snap")).graphs) == expected
    (tmp_path / "snap" / "model.ckpt-10.meta.gz").unlink()
    path.write_bytes((model_dir / path.name).read_bytes())
    assert read_graph(locate(str(tmp_path / "snap")).graphs) == expected


def test_a_snapshot_of_a_snapshot_has_the_same_graph(model_dir: Path, tmp_path: Path) -> None:
    snapshot(str(model_dir), str(tmp_path / "one"))
    snapshot(str(tmp_path / "one"), str(tmp_path / "two"))
    name = "model.ckpt-10.meta.gz"
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize("fault", ["short", "longer", "other", "bomb"])
def test_a_packed_graph_that_is_none(
    fault: str, model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot(str(model_dir), str(tmp_path / "snap"))
    path = tmp_path / "snap" / "model.ckpt-10.meta.gz"
    content = path.read_bytes()
    faults = {"short": content[:-9], "longer": content + b"x", "other": b"x" * 40}
    path.write_bytes(faults.get(fault, gzip.compress(bytes(1 << 20))))
    if fault == "bomb":
        monkeypatch.setattr(graph_file, "_LARGEST_UNPACKED", 1 << 19)
    assert inspect(str(tmp_path / "snap")).contents.graph is None
    with pytest.raises(UsageError, match=r"10\.meta\.gz cannot be decompressed"):
        read_graph(locate(str(tmp_path / "snap")).graphs)


def test_a_packed_graph_in_a_model_dir_is_nobodys_business(model_dir: Path) -> None:
    (model_dir / "model.ckpt-10.meta").unlink()
    (model_dir / "model.ckpt-10.meta.gz").write_bytes(b"x" * 40)
    graph = read_graph(locate(str(model_dir)).graphs)
    assert graph is not None and graph.file == str(model_dir / "graph.pbtxt")


def test_a_snapshot_that_cannot_be_written_leaves_nothing(
    model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: str, mode: Any) -> Any:
        if path.endswith(MARKER):
            raise OSError(errno.ENOSPC, "No space left on device", path)
        return open(path, mode)

    monkeypatch.setattr("ckptcheck.checkpoint.snapshot.open", full, raising=False)
    (tmp_path / "empty").mkdir()
    for name in ("out", "empty", "new/and/deep", "new/"):
        with pytest.raises(UsageError, match="No space left"):
            snapshot(str(model_dir), str(tmp_path / name) + "/" * name.endswith("/"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["base", "empty"]
    assert list((tmp_path / "empty").iterdir()) == []


def test_what_nobody_may_list_is_left_alone(model_dir: Path) -> None:
    """The directory may be a checkpoint with files of the same names."""
    with folder_of_all() as folder:
        other = folder / "other"
        shutil.copytree(str(model_dir), str(other))
        source = folder / "base"
        shutil.copytree(str(model_dir), str(source))
        before = sorted(path.name for path in other.iterdir())
        for path in (other, *other.iterdir()):
            os.chown(str(path), 65534, 65534)
        other.chmod(0o300)
        with as_a_user(), pytest.raises(UsageError, match="other cannot be read: Permission"):
            snapshot(str(source), str(other))
        other.chmod(0o700)
        assert sorted(path.name for path in other.iterdir()) == before


def test_an_interrupted_snapshot_takes_away_no_files_of_others(
    model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    shutil.copytree(str(model_dir), str(other))
    before = sorted(path.name for path in other.iterdir())

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ckptcheck.checkpoint.snapshot.os.listdir", interrupted)
    with pytest.raises(KeyboardInterrupt):
        snapshot(str(model_dir), str(other))
    monkeypatch.undo()
    assert sorted(path.name for path in other.iterdir()) == before


def test_an_address_of_this_machine(model_dir: Path, tmp_path: Path) -> None:
    made = snapshot(f"file://{model_dir}", f"file://{tmp_path}/out")
    assert made.written.folder == str(tmp_path / "out")
    assert inspect(made.written.folder).ok


def test_a_graph_that_is_none_goes_along_with_the_one_that_is_read(
    model_dir: Path, tmp_path: Path
) -> None:
    (model_dir / "model.ckpt-10.meta").write_bytes(b"xx")
    (model_dir / "graph.pbtxt").write_text("node {}")
    made = snapshot(str(model_dir), str(tmp_path / "out"))
    assert {"model.ckpt-10.meta.gz", "graph.pbtxt.gz"} <= set(made.written.names)
    said = [[f.message for f in inspect(str(d)).findings] for d in (model_dir, tmp_path / "out")]
    assert said[0] == said[1] and "contains no graph" in said[0][0]


def test_a_graph_that_git_has_elsewhere(model_dir: Path, tmp_path: Path) -> None:
    (model_dir / "graph.pbtxt").write_text("node {}")
    (model_dir / "model.ckpt-10.meta").write_bytes(POINTER)
    snapshot(str(model_dir), str(tmp_path / "out"))
    said = [[f.message for f in inspect(str(d)).findings] for d in (model_dir, tmp_path / "out")]
    assert said[0] == said[1] and "git lfs pull" in said[0][0]
    (model_dir / "graph.pbtxt").unlink()
    with pytest.raises(UsageError, match=r"cannot make a snapshot.*10\.meta: .*git lfs pull"):
        snapshot(str(model_dir), str(tmp_path / "other"))


def test_all_graphs_up_to_the_one_that_is_read_are_local_view(
    model_dir: Path, tmp_path: Path
) -> None:
    (model_dir / "graph.pbtxt").write_text("node {}")
    for content, expected in ((None, "model.ckpt-10.meta"), (b"xx", "graph.pbtxt")):
        if content:
            (model_dir / "model.ckpt-10.meta").write_bytes(content)
        out = tmp_path / f"out-{len(content or b'')}"
        snapshot(str(model_dir), str(out))
        graph = read_graph(locate(str(out)).graphs)
        assert graph is not None and graph.file == str(out / expected)


def test_a_snapshot_without_a_graph_says_so(model_dir: Path, tmp_path: Path) -> None:
    (model_dir / "model.ckpt-10.meta").unlink()
    (model_dir / "graph.pbtxt").unlink()
    done = run_cli("snapshot", "base", "snap", cwd=tmp_path)
    assert done.code == 0 and "note[missing-saved-graph]" in done.err


def test_files_of_others_are_not_taken_away(model_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    mine = tmp_path / "out" / "model.ckpt-10.index"
    mine.write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        snapshot(str(model_dir), str(tmp_path / "out"))
    assert mine.read_text() == "mine"


def test_the_other_graph_of_a_snapshot(model_dir: Path, tmp_path: Path) -> None:
    (model_dir / "model.ckpt-10.meta").unlink()
    (model_dir / "graph.pbtxt").write_text("node {}")
    snapshot(str(model_dir), str(tmp_path / "out"))
    (note,) = [f.message for f in inspect(str(tmp_path / "out")).findings]
    assert "ckptcheck reads graph.pbtxt instead" in note
