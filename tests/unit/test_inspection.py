"""inspect, verify and snapshot: no TensorFlow is needed or imported."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import pytest

from ckptcheck.checkpoint.crc32c import crc32c, masked
from ckptcheck.checkpoint.examine import examine as examine_files
from ckptcheck.checkpoint.locate import locate
from ckptcheck.checkpoint.snapshot import MARKER
from ckptcheck.checkpoint.table import MAGIC
from ckptcheck.checks import run_check
from ckptcheck.errors import UsageError
from ckptcheck.inspection import inspect
from ckptcheck.options import CheckSpec
from ckptcheck.reporters import Options, render
from ckptcheck.reporters.words import age_text, bytes_text
from ckptcheck.results import DataRead, Report, Verified
from ckptcheck.snapshots import snapshot
from ckptcheck.verification import verify

from ..checkpoints import writer
from ..support import FIXTURES, PROJECT, digest, run_cli
from .test_files import STEP, put

SOURCE = FIXTURES / "hidden_dropout" / "tf215"


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    shutil.copytree(str(SOURCE), str(tmp_path / "base"))
    return tmp_path / "base"


def rules_of(found: Any) -> List[str]:
    """Returns the rules of all findings, except the one about the time of the checkout."""
    findings = [finding for group in found.groups for finding in group.findings]
    return sorted({finding.rule for finding in findings} - {"index-data-mtime-gap"})


def test_inspect(model_dir: Path) -> None:
    found = inspect(str(model_dir))
    assert (found.ok, found.checked) == (True, True)
    assert (found.contents.shards, found.contents.snapshot) == (1, False)
    assert found.why == "Estimator loads model.ckpt-10: the state file names it"
    assert [(item.step, item.loaded) for item in found.checkpoints] == [(10, True)]
    assert found.contents.graph is not None
    assert (found.contents.graph.tensorflow, found.contents.graph.behavior) == ("2.15.1", "v2")
    roles = [row.role for row in found.contents.variables]
    counts = [roles.count(role) for role in ("weight", "optimizer", "global_step")]
    assert counts == [4, 10, 1]
    assert found.findings == ()


def test_the_kind_of_variables_of_tensorflow_1() -> None:
    graph = inspect(str(FIXTURES / "hidden_dropout" / "tf115")).contents.graph
    assert graph is not None and (graph.tensorflow, graph.behavior) == ("1.15.5", "v1")


INDEX, META, DATA = ("index", "meta", "data-00000-of-00001")


def _file(model_dir: Path, ending: str, step: int = 10) -> Path:
    return model_dir / f"model.ckpt-{step}.{ending}"


def _moved(model_dir: Path) -> None:
    (model_dir / "checkpoint").write_text('model_checkpoint_path: "/old/model.ckpt-10"\n')


def _renamed(model_dir: Path) -> None:
    for path in list(model_dir.glob("model.ckpt-10.*")):
        path.rename(str(path).replace("ckpt-10", "ckpt-11"))
    (model_dir / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-11"\n')


def _longer(model_dir: Path) -> None:
    with open(str(_file(model_dir, DATA)), "ab") as file:
        file.write(b"more")


FAULTS: Dict[str, Tuple[Callable[[Path], Any], str]] = {
    "no state": (lambda m: (m / "checkpoint").unlink(), "no-checkpoint"),
    "missing": (lambda m: _file(m, DATA).unlink(), "unreadable-checkpoint"),
    "short": (lambda m: os.truncate(str(_file(m, DATA)), 100), "unreadable-checkpoint"),
    "index": (lambda m: _file(m, INDEX).write_bytes(b"x" * 100), "unreadable-checkpoint"),
    "moved": (_moved, "checkpoint-moved"),
    "renamed": (_renamed, "step-mismatch"),
    "newer": (lambda m: put(m, name="model.ckpt-20"), "newer-checkpoint"),
    "meta": (lambda m: _file(m, META).unlink(), "missing-saved-graph"),
    "empty meta": (lambda m: _file(m, META).write_bytes(b""), "missing-saved-graph"),
    "orphan": (lambda m: _file(m, DATA, 20).write_bytes(b""), "data-without-index"),
    "no index": (lambda m: _file(m, INDEX).unlink(), "checkpoint-moved"),
    "stranger": (lambda m: _file(m, "data-00000-of-00002").write_bytes(b""), "leftover-files"),
    "longer": (_longer, "leftover-files"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults(fault: str, model_dir: Path) -> None:
    make, rule = FAULTS[fault]
    make(model_dir)
    found = inspect(str(model_dir))
    assert rules_of(found) == [rule]
    assert found.ok == (found.findings[0].severity != "error")
    render(found)


def test_verify_of_a_model_dir_of_which_nothing_is_loaded(model_dir: Path) -> None:
    (model_dir / "checkpoint").unlink()
    found = verify(str(model_dir))
    assert (found.ok, found.checked, found.last_good) == (False, True, "")
    assert rules_of(found.verified[0]) == ["no-checkpoint"]
    every = verify(str(model_dir), all_checkpoints=True, fail_on="error")
    assert every.last_good == str(model_dir / "model.ckpt-10")


def test_an_index_that_is_gone_is_named(model_dir: Path) -> None:
    (model_dir / "model.ckpt-10.index").unlink()
    (finding,) = inspect(str(model_dir)).findings
    assert "which has data files but no index" in finding.message
    assert finding.hint.startswith(f"copy {model_dir / 'model.ckpt-10.index'} ")


@pytest.mark.parametrize("named", ["model.ckpt-10.index", "best", "model.ckpt-77"])
def test_the_headline_and_the_finding_say_the_same(named: str, model_dir: Path) -> None:
    (model_dir / "best").mkdir()
    (model_dir / "model.ckpt-77.data-00000-of-00001").write_bytes(b"")
    (model_dir / "checkpoint").write_text(f'model_checkpoint_path: "{named}"\n')
    found = inspect(str(model_dir))
    assert found.findings[0].message.startswith(found.why)


def test_the_state_file_itself_is_no_checkpoint(model_dir: Path) -> None:
    with pytest.raises(
        UsageError, match=f"is a state file. Give its directory instead: {model_dir}"
    ):
        inspect(str(model_dir / "checkpoint"))


def test_a_directory_in_the_place_of_the_graph(model_dir: Path) -> None:
    (model_dir / "model.ckpt-10.meta").unlink()
    (model_dir / "model.ckpt-10.meta").mkdir()
    (finding,) = [f for f in inspect(str(model_dir)).findings if f.rule == "missing-saved-graph"]
    assert "cannot be read (it is a directory)" in finding.message


@pytest.mark.parametrize("name", ["model\n.ckpt-10", "model.ckpt\n-10", "model.ckpt-10\n"])
def test_names_of_several_lines(name: str, model_dir: Path) -> None:
    for path in list(model_dir.glob("model.ckpt-10.*")):
        path.rename(model_dir / path.name.replace("model.ckpt-10", name))
    (model_dir / "checkpoint").unlink()
    assert [item.prefix for item in inspect(str(model_dir)).checkpoints] == [str(model_dir / name)]


def test_an_object_based_checkpoint_is_said_to_be_none_of_estimators(model_dir: Path) -> None:
    put(model_dir, more={"_CHECKPOINTABLE_OBJECT_GRAPH": writer.entry(7, (), size=0)})
    found = inspect(str(model_dir))
    assert found.why == "the state file names model.ckpt-10, which is object-based"
    (finding,) = [f for f in found.findings if f.rule == "object-based-checkpoint"]
    assert (
        finding.severity == "note"
        and "Estimator can load it only into a model made by" in finding.message
    )


def test_a_saved_model_is_called_one(model_dir: Path) -> None:
    (model_dir / "checkpoint").unlink()
    (model_dir / "variables").mkdir()
    for path in list(model_dir.glob("model.ckpt-10.*")):
        path.rename(model_dir / "variables" / path.name.replace("model.ckpt-10", "variables"))
    (model_dir / "saved_model.pb").write_bytes(b"")
    found = inspect(str(model_dir))
    assert found.checked is False
    (finding,) = found.findings
    variables = str(model_dir / "variables" / "variables")
    assert "SavedModel" in finding.message and variables in finding.hint
    assert inspect(variables).checked
    with pytest.raises(
        UsageError, match=f"a graph, not a checkpoint; its variables are in {variables}"
    ):
        inspect(str(model_dir / "saved_model.pb"))


@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
def test_what_keras_saves_is_said_to_be_so(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(UsageError, match="Keras"):
        inspect(str(tmp_path / name))


def test_an_empty_directory(tmp_path: Path) -> None:
    found = inspect(str(tmp_path))
    assert (found.ok, found.checked) == (False, False)
    assert verify(str(tmp_path)).checked is False


def test_a_first_version(tmp_path: Path) -> None:
    (tmp_path / "model.ckpt-7").write_bytes(writer.table([(b"", writer.field(1, b""))]))
    found = inspect(str(tmp_path / "model.ckpt-7"))
    assert "V1" in found.not_judged[0]
    assert (found.ok, found.checked) == (False, False)
    (summary,) = found.checkpoints
    assert (os.path.basename(summary.prefix), summary.step, summary.loaded) == (
        "model.ckpt-7",
        7,
        True,
    )
    assert summary.size == (tmp_path / "model.ckpt-7").stat().st_size
    assert "*   model.ckpt-7" in render(found)
    with pytest.raises(UsageError, match="V1"):
        verify(str(tmp_path / "model.ckpt-7"))
    with pytest.raises(UsageError, match="Remove --deep"):
        run_check(CheckSpec(str(tmp_path / "model.ckpt-7"), "module:model_fn", {}, deep=True))


def test_first_versions_are_listed_without_a_state_file(tmp_path: Path) -> None:
    table = writer.table([(b"", writer.field(1, b""))])
    for name in ("model.ckpt-7", "model.ckpt-8-00000-of-00002", "model.ckpt-8-00001-of-00002"):
        (tmp_path / name).write_bytes(table)
    for name in ("model.ckpt-7.meta", "model.ckpt-8.meta", "model.ckpt-9.meta", "notes", "no.meta"):
        (tmp_path / name).write_bytes(b"")
    found = inspect(str(tmp_path))
    assert [os.path.basename(item.prefix) for item in found.checkpoints] == [
        "model.ckpt-7",
        "model.ckpt-8-?????-of-00002",
    ]
    assert [item.size for item in found.checkpoints] == [len(table), 2 * len(table)]
    assert [finding.rule for finding in found.findings] == ["no-checkpoint"]
    verified = verify(str(tmp_path), all_checkpoints=True)
    assert (verified.ok, verified.checked, len(verified.not_judged)) == (False, True, 2)
    assert rules_of(verified.verified[0]) == ["no-checkpoint"]


def test_text_is_as_wide_as_it_may_be(model_dir: Path) -> None:
    found = inspect(str(model_dir))
    for show_all in (False, True):
        text = render(found, "text", Options(show_all=show_all))
        lines = text.splitlines()
        assert max(len(line) for line in lines if str(model_dir) not in line) <= 80
        assert any(line.startswith("dense/kernel") for line in lines)
    assert "dense/kernel + 2 slots" in render(found)
    assert "dense/kernel/Adam_1" in render(found, "text", Options(show_all=True))


def test_names_that_could_harm_a_terminal(tmp_path: Path) -> None:
    prefix = put(tmp_path, more={"\x1b[31mred\n": writer.entry(1, (0,))})
    text = render(inspect(prefix))
    assert "\x1b" not in text and "\\x1b[31mred\\n" in text


@pytest.mark.parametrize(
    "name",
    [
        "_temp/",
        "my_temp/",
        "old_ckpts_temp/",
        "train.tfrecord.part_3",
        "run.tempstate1",
        "index.tempstate.txt",
    ],
)
def test_files_of_others_are_not_left_over(name: str, model_dir: Path) -> None:
    if name.endswith("/"):
        (model_dir / name).mkdir()
    else:
        (model_dir / name).write_bytes(b"")
    assert rules_of(inspect(str(model_dir))) == []


def test_all_checkpoints_of_a_directory_where_estimator_loads_none(model_dir: Path) -> None:
    """All checkpoints may be good, but a training run would still start at step 0."""
    (model_dir / "checkpoint").unlink()
    found = verify(str(model_dir), all_checkpoints=True)
    assert [(item.prefix, item.ok) for item in found.verified] == [
        ("", False),
        (str(model_dir / "model.ckpt-10"), True),
    ]
    assert rules_of(found.verified[0]) == ["no-checkpoint"]
    assert (found.ok, found.last_good) == (False, str(model_dir / "model.ckpt-10"))
    (model_dir / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-99"\n')
    found = verify(str(model_dir), all_checkpoints=True)
    assert [item.ok for item in found.verified] == [False, True]
    assert rules_of(found.verified[0]) == ["checkpoint-moved"]


def test_a_checkpoint_that_is_gone_before_it_is_read(
    model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training runs remove old checkpoints. The other checkpoints are verified."""
    for path in model_dir.glob("model.ckpt-10.*"):
        shutil.copy(str(path), str(model_dir / path.name.replace("-10.", "-5.")))

    def examine(prefix: str, *rest: Any) -> Any:
        for path in model_dir.glob("model.ckpt-5.*"):
            path.unlink()
        return examine_files(prefix, *rest)

    monkeypatch.setattr("ckptcheck.verification.examine", examine)
    found = verify(str(model_dir), all_checkpoints=True)
    assert [item.step for item in found.verified] == [10]
    assert found.ok


def test_what_is_not_of_the_data_makes_no_older_one_better() -> None:
    first = Verified(True, "base/model.ckpt-0", 0, DataRead(1, 1), whole=True)
    found = Verified(False, "base/model.ckpt-10", 10, DataRead(1, 1), whole=True)
    both = Report("verify", False, True, "base", verified=(first, found))
    assert both.last_good == "base/model.ckpt-10"


def test_layers_fold(tmp_path: Path) -> None:
    layers = {f"layer_{i}/kernel": writer.entry(1, (0, 4)) for i in range(40)}
    text = render(inspect(put(tmp_path, more=layers)))
    assert "layer_{0..39}/kernel (x40)" in text


def test_sizes_and_ages() -> None:
    assert [bytes_text(n) for n in (0, 1, 1023, 1536, 5 << 20, 3 << 40)] == [
        "0 bytes",
        "1 byte",
        "1023 bytes",
        "1.5 KiB",
        "5.0 MiB",
        "3.0 TiB",
    ]
    assert [age_text(n) for n in (5, 60, 7200, 90000, -500)] == [
        "just now",
        "1 minute ago",
        "2 hours ago",
        "1 day ago",
        "in the future",
    ]


# --- verify ----------------------------------------------------------------------------------


def test_verify_finds_the_last_good_one(model_dir: Path) -> None:
    pytest.importorskip("numpy")
    for step, flip in ((20, False), (30, True)):
        for path in list(model_dir.glob("model.ckpt-10.*")):
            shutil.copyfile(str(path), str(path).replace("ckpt-10", f"ckpt-{step}"))
        if flip:
            with open(str(model_dir / f"model.ckpt-{step}.data-00000-of-00001"), "r+b") as file:
                file.seek(100)
                file.write(b"\xff\xfe")
    found = verify(str(model_dir), all_checkpoints=True, fail_on="error")
    assert [item.ok for item in found.verified] == [True, True, False]
    assert found.last_good == str(model_dir / "model.ckpt-20")
    assert not found.ok
    assert verify(str(model_dir)).ok


def test_verify_says_what_it_leaves_out(model_dir: Path) -> None:
    pytest.importorskip("numpy")
    (model_dir / "model.ckpt-15").write_bytes(b"x" * 40 + MAGIC)
    (model_dir / "model.ckpt-15.meta").write_bytes(b"")
    (left_out,) = verify(str(model_dir), all_checkpoints=True).not_judged
    assert left_out.startswith(str(model_dir / "model.ckpt-15")) and "V1" in left_out
    assert verify(str(model_dir)).not_judged == ()


def test_one_index_that_is_too_large_is_no_matter_of_the_others(model_dir: Path) -> None:
    pytest.importorskip("numpy")
    with (model_dir / "model.ckpt-9.index").open("wb") as file:
        file.write((model_dir / "model.ckpt-10.index").read_bytes())
        file.truncate((1 << 28) + 1)
    data = "model.ckpt-{}.data-00000-of-00001"
    shutil.copy(str(model_dir / data.format(10)), str(model_dir / data.format(9)))
    found = verify(str(model_dir), all_checkpoints=True)
    assert [Path(item.prefix).name for item in found.verified] == ["model.ckpt-10"]
    assert found.not_judged == (
        f"{model_dir}/model.ckpt-9: its index is too large for ckptcheck to read",
    )
    with pytest.raises(UsageError, match=r"ckpt-9\.index is larger than 256 MiB"):
        verify(str(model_dir / "model.ckpt-9"))


def test_verify_of_all_says_what_is_loaded_and_speaks_of_the_directory_once(
    model_dir: Path,
) -> None:
    pytest.importorskip("numpy")
    for path in list(model_dir.glob("model.ckpt-10.*")):
        shutil.copyfile(str(path), str(path).replace("ckpt-10", "ckpt-20"))
    (model_dir / "model.ckpt-30.data-00000-of-00001").write_bytes(b"")
    found = verify(str(model_dir), all_checkpoints=True, fail_on="error")
    assert [item.loaded for item in found.verified] == [True, False]
    rules = [
        [finding.rule for group in item.groups for finding in group.findings]
        for item in found.verified
    ]
    assert [names.count("data-without-index") for names in rules] == [0, 1]
    assert found.why == "Estimator loads model.ckpt-10: the state file names it"
    assert f"{model_dir}: {found.why}"[:60] in render(found, "text", Options(width=400))
    (model_dir / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-99"\n')
    found = verify(str(model_dir), all_checkpoints=True, fail_on="error")
    assert "model.ckpt-99, which does not exist" in found.why
    assert not any(item.loaded for item in found.verified)


def test_verify_of_a_saved_model_says_where_its_variables_are(model_dir: Path) -> None:
    (model_dir / "checkpoint").unlink()
    (model_dir / "variables").mkdir()
    for path in list(model_dir.glob("model.ckpt-10.*")):
        path.rename(model_dir / "variables" / path.name.replace("model.ckpt-10", "variables"))
    (model_dir / "saved_model.pb").write_bytes(b"")
    found = verify(str(model_dir))
    assert not found.checked
    assert f"verify {model_dir / 'variables' / 'variables'} " in found.not_judged[0]


def test_the_progress_of_what_cannot_be_read_ends_at_its_end(model_dir: Path) -> None:
    pytest.importorskip("numpy")
    os.truncate(str(model_dir / "model.ckpt-10.data-00000-of-00001"), 100)
    seen: List[Any] = []
    verify(str(model_dir), progress=lambda *done: seen.append(done))
    assert seen[-1][0] == seen[-1][1]


def test_verify_of_a_name_that_no_file_can_have(model_dir: Path) -> None:
    pytest.importorskip("numpy")
    (model_dir / "checkpoint").write_text('model_checkpoint_path: "a\\000b"\n')
    assert not verify(str(model_dir)).ok


def test_right_checksums_tell_that_nothing_is_mixed(model_dir: Path) -> None:
    pytest.importorskip("numpy")
    data = model_dir / "model.ckpt-10.data-00000-of-00001"
    data.write_bytes(data.read_bytes() + b"more")
    os.utime(str(model_dir / "model.ckpt-10.index"), (1e9, 1e9))
    rules = {finding.rule for finding in inspect(str(model_dir)).findings}
    assert rules == {"leftover-files", "index-data-mtime-gap"}
    assert verify(str(model_dir), fail_on="note").ok
    data.write_bytes(data.read_bytes()[5:])
    os.utime(str(model_dir / "model.ckpt-10.index"), (1e9, 1e9))
    seen, read = inspect(str(model_dir)), verify(str(model_dir)).verified[0]
    for groups, advice in ((seen.groups, "with ckptcheck verify"), (read.groups, "")):
        (mixed,) = [f for g in groups for f in g.findings if f.rule == "index-data-mtime-gap"]
        assert mixed.hint.endswith(advice) and bool(mixed.hint) is bool(advice)


def test_verify_reads_the_named_one(model_dir: Path) -> None:
    pytest.importorskip("numpy")
    seen: List[Any] = []
    found = verify(str(model_dir / "model.ckpt-10"), progress=lambda *done: seen.append(done))
    assert (found.ok, found.verified[0].data.tensors) == (True, 15)
    assert seen[-1] == (found.verified[0].data.size, found.verified[0].data.size)


# --- snapshots -------------------------------------------------------------------------------


def test_a_snapshot(model_dir: Path, tmp_path: Path) -> None:
    before = digest(model_dir)
    names = snapshot(str(model_dir), str(tmp_path / "snap")).written.names
    assert digest(model_dir) == before
    assert sorted(names) == sorted(os.listdir(str(tmp_path / "snap")))
    assert not list((tmp_path / "snap").glob("*.data-*"))
    found = inspect(str(tmp_path / "snap"))
    assert (found.ok, found.contents.snapshot, found.findings) == (True, True, ())
    assert found.contents.variables == inspect(str(model_dir)).contents.variables
    assert "snapshot" in found.not_judged[0]
    with pytest.raises(UsageError, match="is a snapshot"):
        verify(str(tmp_path / "snap"))


def test_data_beside_the_marker_of_a_snapshot(model_dir: Path, tmp_path: Path) -> None:
    """A user has copied the files of the checkpoint into the snapshot."""
    pytest.importorskip("numpy")
    snapshot(str(model_dir), str(tmp_path / "snap"))
    for path in model_dir.glob("model.ckpt-10.*"):
        shutil.copy(str(path), str(tmp_path / "snap"))
    assert not inspect(str(tmp_path / "snap")).contents.snapshot
    assert verify(str(tmp_path / "snap"), fail_on="error").ok


def test_a_graph_that_cannot_be_copied(model_dir: Path, tmp_path: Path) -> None:
    (model_dir / "model.ckpt-10.meta").unlink()
    os.mkfifo(str(model_dir / "model.ckpt-10.meta"))
    names = snapshot(str(model_dir), str(tmp_path / "snap")).written.names
    assert "model.ckpt-10.meta" not in names and "model.ckpt-10.index" in names


def test_a_snapshot_to_another_machine(model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(model_dir)
    before = digest(model_dir)
    with pytest.raises(UsageError, match="to a local directory"):
        snapshot(str(model_dir), "memory://ci")
    assert digest(model_dir) == before


def test_files_that_are_named_as_an_index_and_are_none(model_dir: Path) -> None:
    (model_dir / "vectors.index").write_bytes(b"x" * 300)
    (model_dir / "folder.index").mkdir()
    assert len(inspect(str(model_dir)).checkpoints) == 1
    shutil.copy(str(model_dir / "model.ckpt-10.index"), str(model_dir / "lonely.index"))
    assert len(inspect(str(model_dir)).checkpoints) == 2


@pytest.mark.parametrize("named", ["./model.ckpt-10", "model.ckpt-10"])
def test_a_checkpoint_is_listed_once(
    named: str, model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(model_dir)
    (model_dir / "checkpoint").write_text(f'model_checkpoint_path: "{named}"\n')
    assert len(inspect(str(model_dir)).checkpoints) == 1
    assert len(inspect(named).checkpoints) == 1


def test_a_checkpoint_in_a_directory_below(model_dir: Path) -> None:
    (model_dir / "best").mkdir()
    for path in list(model_dir.glob("model.ckpt-10.*")):
        path.rename(model_dir / "best" / path.name)
    (model_dir / "checkpoint").write_text('model_checkpoint_path: "best/model.ckpt-10"\n')
    found = inspect(str(model_dir))
    (listed,) = found.checkpoints
    assert (found.ok, rules_of(found), listed.loaded) == (True, [], True)
    assert listed.size > 10000 and listed.written


def test_epochs_in_names(model_dir: Path) -> None:
    for path in list(model_dir.glob("model.ckpt-10.*")):
        path.rename(str(path).replace("model.ckpt-10", "epoch-3"))
    (model_dir / "checkpoint").write_text('model_checkpoint_path: "epoch-3"\n')
    assert rules_of(inspect(str(model_dir))) == []


def test_a_link_to_itself(model_dir: Path) -> None:
    index = model_dir / "model.ckpt-10.index"
    index.unlink()
    index.symlink_to(index.name)
    (finding,) = inspect(str(model_dir)).findings
    assert finding.rule == "checkpoint-moved" and finding.hint.startswith("copy ")


def test_a_snapshot_of_a_snapshot_is_one(model_dir: Path, tmp_path: Path) -> None:
    snapshot(str(model_dir), str(tmp_path / "one"))
    snapshot(str(tmp_path / "one"), str(tmp_path / "two"))
    found = inspect(str(tmp_path / "two"))
    assert (found.contents.snapshot, found.findings) == (True, ())


def test_a_snapshot_remembers_what_was_missing(model_dir: Path, tmp_path: Path) -> None:
    os.truncate(str(model_dir / "model.ckpt-10.data-00000-of-00001"), 100)
    snapshot(str(model_dir), str(tmp_path / "snap"))
    assert rules_of(inspect(str(tmp_path / "snap"))) == ["unreadable-checkpoint"]


def test_a_snapshot_of_a_strange_name(tmp_path: Path) -> None:
    name = 'größe "1"\t-10'
    prefix = put(tmp_path / "base", name=name)
    snapshot(prefix, str(tmp_path / "snap"))
    assert os.path.basename(locate(str(tmp_path / "snap")).prefix) == name


@pytest.mark.parametrize("there", ["file", "full", "below a file"])
def test_a_place_that_is_taken(there: str, model_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if there == "full":
        out.mkdir()
        (out / "mine").write_text("mine")
    else:
        out.write_text("mine")
    target = str(out / "deeper") if there == "below a file" else str(out)
    before = digest(tmp_path)
    with pytest.raises(UsageError):
        snapshot(str(model_dir), target)
    assert digest(tmp_path) == before


def test_a_marker_of_a_newer_version(model_dir: Path) -> None:
    (model_dir / MARKER).write_text('{"version": 2}')
    (model_dir / "model.ckpt-10.data-00000-of-00001").unlink()
    with pytest.raises(UsageError, match="newer version of ckptcheck: upgrade ckptcheck"):
        inspect(str(model_dir))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"version": 0}', "\xff", '{"version": 1, "checkpoints": {}}', "[" * 9999],
)
def test_a_marker_that_is_none(text: str, model_dir: Path) -> None:
    """The marker does not count if there is data, because it describes a directory without data."""
    (model_dir / MARKER).write_text(text, encoding="latin-1")
    assert rules_of(inspect(str(model_dir))) == []
    (model_dir / "model.ckpt-10.data-00000-of-00001").unlink()
    if "checkpoints" in text:
        assert rules_of(inspect(str(model_dir))) == ["unreadable-checkpoint"]
        return
    with pytest.raises(UsageError, match="is damaged, or from another version of ckptcheck"):
        inspect(str(model_dir))


def test_a_first_version_beside_a_checkpoint_of_its_name(model_dir: Path) -> None:
    """TensorFlow 1.15 and 2.15 restore the V2 one, whichever saver asks."""
    (model_dir / "model.ckpt-10").write_bytes(writer.table([(b"", writer.field(1, b""))]))
    assert [item.step for item in inspect(str(model_dir)).checkpoints] == [10]
    verified = verify(str(model_dir), all_checkpoints=True)
    assert ([item.step for item in verified.verified], verified.not_judged) == ([10], ())


def test_nothing_to_make_a_snapshot_of(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match="ckptcheck cannot make a snapshot: Estimator loads no checkpoint"
    ):
        snapshot(str(tmp_path), str(tmp_path / "snap"))
    assert not (tmp_path / "snap").exists()


# --- The command line ------------------------------------------------------------------------


def test_the_command_line(model_dir: Path, tmp_path: Path) -> None:
    found = run_cli("inspect", "base", "--format", "json", cwd=tmp_path)
    assert found.code == 0
    assert len(found.json["checkpoint"]["variables"]) == 15
    assert run_cli("snapshot", "base", "snap", cwd=tmp_path).code == 0
    assert run_cli("snapshot", "base", "snap", cwd=tmp_path).code == 2
    os.remove(str(model_dir / "model.ckpt-10.data-00000-of-00001"))
    assert run_cli("inspect", "base", cwd=tmp_path).code == 1
    damaged = run_cli("snapshot", "base", "damaged", cwd=tmp_path)
    assert damaged.code == 0
    assert (
        "error[unreadable-checkpoint] the checkpoint's files are incomplete or unreadable"
        in damaged.err
    )
    assert "the data file model.ckpt-10.data" in damaged.err
    assert run_cli("inspect", "nothing", cwd=tmp_path).code == 2
    (tmp_path / "inspect").mkdir()
    assert run_cli("inspect", "./inspect", cwd=tmp_path).code == 3
    assert run_cli("inspect", "base", "--format", "xml", cwd=tmp_path).code == 2
    help_text = run_cli("verify", "--help", cwd=tmp_path)
    assert help_text.code == 0 and "--all-checkpoints" in help_text.out


def test_verify_on_the_command_line(model_dir: Path, tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    found = run_cli("verify", "base", "--format", "json", cwd=tmp_path)
    assert (found.code, found.json["last_good"]) == (0, "base/model.ckpt-10")
    assert run_cli("verify", "base", "--all-checkpoints", cwd=tmp_path).code == 0


def test_without_numpy_there_is_one_message(model_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise ImportError('no numpy here')\n")
    found = run_cli(
        "verify",
        "base",
        cwd=tmp_path,
        env=dict(os.environ, PYTHONPATH=os.pathsep.join([str(tmp_path), str(PROJECT)])),
    )
    assert found.code == 2
    assert found.err.count("\n") == 1 and "pip install numpy" in found.err


@pytest.mark.parametrize(
    "words",
    [["--list-rules"], ["--help"], ["--explain", "step-mismatch"], ["inspect", str(SOURCE)]],
)
def test_nothing_heavy_is_imported(words: List[str]) -> None:
    heavy = {"tensorflow", "numpy", "fsspec"}
    if words[0] != "inspect":  # which computes checksums
        heavy.add("google_crc32c")
    code = (
        "import sys\nfrom ckptcheck.cli import main\n"
        f"try:\n main({words!r})\nexcept SystemExit: pass\n"
        f"heavy = {heavy} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=str(PROJECT), stdout=subprocess.PIPE, check=False
    )
    assert done.returncode == 0


def test_json_is_json(model_dir: Path) -> None:
    found = run_cli("inspect", str(model_dir), "--format", "json", cwd=PROJECT)
    assert json.loads(found.out)["version"] == 1


# --- the one that Estimator loads ------------------------------------------------------------


def test_the_loaded_checkpoint_of_a_directory_below_is_verified(model_dir: Path) -> None:
    """A good checkpoint in the directory has the same name."""
    below = model_dir / "sub"
    below.mkdir()
    for path in model_dir.glob("model.ckpt-10.*"):
        shutil.copy(str(path), str(below))
    (data,) = below.glob("*.data*")
    data.write_bytes(bytes(data.stat().st_size))
    (model_dir / "checkpoint").write_text('model_checkpoint_path: "sub/model.ckpt-10"\n')
    found = verify(str(model_dir), all_checkpoints=True)
    names = [os.path.relpath(item.prefix, str(model_dir)) for item in found.verified]
    judged = [(item.ok, item.loaded) for item in found.verified]
    assert dict(zip(names, judged)) == {
        "model.ckpt-10": (True, False),
        "sub/model.ckpt-10": (False, True),
    }
    assert "Estimator loads sub/model.ckpt-10" in found.why
    assert "*   sub/model.ckpt-10" in render(inspect(str(model_dir)))


@pytest.mark.parametrize("name", ["./model.ckpt-10", "../base/model.ckpt-10", "{}/model.ckpt-10"])
def test_the_loaded_checkpoint_by_another_path(model_dir: Path, name: str) -> None:
    named = name.format(model_dir)
    (model_dir / "checkpoint").write_text(f'model_checkpoint_path: "{named}"\n')
    (verified,) = verify(str(model_dir), all_checkpoints=True).verified
    found = inspect(str(model_dir))
    prefix = found.contents.prefix
    assert (verified.loaded, verified.prefix) == (True, prefix)
    assert [(item.prefix, item.loaded) for item in found.checkpoints] == [(prefix, True)]


def test_the_mark_of_a_long_name(model_dir: Path) -> None:
    long = "m" * 110 + ".ckpt-10"
    for path in model_dir.glob("model.ckpt-10.*"):
        path.rename(model_dir / path.name.replace("model.ckpt-10", long))
    (model_dir / "checkpoint").write_text(f'model_checkpoint_path: "{long}"\n')
    text = render(inspect(str(model_dir)))
    (row,) = [line for line in text.splitlines() if line.startswith("* ")]
    assert row.startswith("*   …m") and "m.ckpt-10 " in row and len(row) <= 80


def test_how_to_see_one_of_those_that_estimator_does_not_load(model_dir: Path) -> None:
    (model_dir / "checkpoint").unlink()
    hint = "ckptcheck inspect " + str(model_dir / "model.ckpt-10")
    assert hint in render(inspect(str(model_dir)), "text", Options(width=500))
    (model_dir / "model.ckpt-10.index").write_bytes(b"")
    broken = inspect(str(model_dir / "model.ckpt-10"))
    assert "ckptcheck inspect" not in render(broken, "text", Options(width=500))


def test_what_may_be_deleted_is_told_apart(model_dir: Path) -> None:
    """No file of a running save may be deleted."""
    (model_dir / "model.ckpt-10.data-00000-of-00002").write_bytes(b"")
    remains = [
        "model.ckpt-30.index_.gstmp",
        "model.ckpt-30.data-00000-of-00001.6eF5a2b1",
        "model.ckpt-20.data-00000-of-00001.tempstate123",
        "checkpoint.tmp" + "0a" * 16,
        ".model.ckpt-10.index.Xy12ab",
    ]
    for name in remains:
        (model_dir / name).write_bytes(b"")
    (verified,) = verify(str(model_dir)).verified
    hints = {
        finding.data["file"]: group.findings[0].hint
        for group in verified.groups
        for finding in group.findings
    }
    assert "checksums" in hints.pop("model.ckpt-10.data-00000-of-00002")
    assert hints == dict.fromkeys(remains, "delete it when no training run or copy is running")


def test_the_last_good_one_is_the_latest_wherever_it_lies(model_dir: Path) -> None:
    pytest.importorskip("numpy")
    (model_dir / "best").mkdir()
    put(model_dir / "best", name="model.ckpt-50")
    (model_dir / "checkpoint").write_text('model_checkpoint_path: "best/model.ckpt-50"\n')
    found = verify(str(model_dir), all_checkpoints=True, fail_on="error")
    assert [item.step for item in found.verified] == [10, 50]
    assert found.last_good == str(model_dir / "best" / "model.ckpt-50")


def test_what_is_listed_below_the_directory_is_verified_too(model_dir: Path) -> None:
    """The loaded checkpoint may be damaged although the checkpoint before it is good."""
    pytest.importorskip("numpy")
    listed = [f"best/model.ckpt-{step}" for step in (40, 50)]
    (model_dir / "best").mkdir()
    for name in listed:
        put(model_dir / "best", name=os.path.basename(name))
    os.truncate(str(model_dir / (listed[1] + ".data-00000-of-00001")), 0)
    names = [f'model_checkpoint_path: "{listed[1]}"']
    names.extend(f'all_model_checkpoint_paths: "{name}"' for name in [*listed, "best/model.ckpt-3"])
    (model_dir / "checkpoint").write_text("\n".join(names))
    found = verify(str(model_dir), all_checkpoints=True, fail_on="error")
    assert [(item.step, item.ok) for item in found.verified] == [
        (10, True),
        (40, True),
        (50, False),
    ]
    assert found.last_good == str(model_dir / listed[0])
    shown = inspect(str(model_dir)).checkpoints
    assert [(item.step, item.loaded) for item in shown] == [(10, False), (40, False), (50, True)]


def test_epochs_in_names_make_no_data_bad(tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    for epoch in (1, 2):
        put(tmp_path, name=f"model.ckpt-{epoch}")
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-2"\n')
    found = verify(str(tmp_path), all_checkpoints=True)
    assert [(item.ok, item.whole) for item in found.verified] == [(False, True)] * 2
    assert found.last_good == str(tmp_path / "model.ckpt-2")


def test_what_macos_keeps_beside_a_file_is_no_checkpoint(model_dir: Path, tmp_path: Path) -> None:
    """In macOS's archives and copies, each file has a ``._`` file."""
    pytest.importorskip("numpy")
    shadow = b"\0\5\x16\7\0\2\0\0Mac OS X        \0\2".ljust(4096, b"\0")
    before = inspect(str(model_dir))
    for path in list(model_dir.iterdir()):
        (model_dir / f"._{path.name}").write_bytes(shadow)
    after = inspect(str(model_dir))
    assert (after.checkpoints, after.groups) == (before.checkpoints, before.groups)
    assert verify(str(model_dir), all_checkpoints=True, fail_on="error").ok
    for path in model_dir.glob("[!.]*"):
        path.unlink()
    assert not inspect(str(model_dir)).checked
    assert "holds no checkpoint" in inspect(str(model_dir)).findings[0].message
    assert "without an index" not in inspect(str(model_dir)).findings[0].message


def test_the_variables_of_a_saved_model_that_were_verified_are_not_left_out(
    tmp_path: Path,
) -> None:
    pytest.importorskip("numpy")
    (tmp_path / "saved_model.pb").write_bytes(b"x")
    put(tmp_path / "variables", name="variables")
    found = verify(str(tmp_path / "variables"), all_checkpoints=True, fail_on="error")
    assert [item.prefix for item in found.verified if item.ok] == [
        str(tmp_path / "variables" / "variables")
    ]
    assert found.not_judged == ()


def test_without_a_state_file_nothing_is_loaded(model_dir: Path) -> None:
    pytest.importorskip("numpy")
    (model_dir / "checkpoint").unlink()
    found = verify(str(model_dir), all_checkpoints=True, fail_on="error")
    assert [item.loaded for item in found.verified] == [False, False]


def test_the_number_of_a_checkpoint_manager_is_no_step(tmp_path: Path) -> None:
    key = "{}/.ATTRIBUTES/VARIABLE_VALUE"
    step = writer.entry(9, (), 0, 0, 8, masked(crc32c(STEP)))
    entries = {key.format(name): step for name in ("global_step", "save_counter")}
    put(tmp_path, name="model.ckpt-1", more={**entries, "_CHECKPOINTABLE_OBJECT_GRAPH": step})
    assert "step-mismatch" not in rules_of(inspect(str(tmp_path / "model.ckpt-1")))
    entries.pop(key.format("save_counter"))
    put(tmp_path, name="model.ckpt-2", more=entries)
    assert "step-mismatch" in rules_of(inspect(str(tmp_path / "model.ckpt-2")))


def test_data_of_another_save_of_the_same_size(model_dir: Path) -> None:
    """The global step shows it, because each save has another value of it."""
    data = model_dir / "model.ckpt-10.data-00000-of-00001"
    data.write_bytes(bytes(data.stat().st_size))
    (found,) = [f for f in inspect(str(model_dir)).findings if f.rule == "corrupt-tensor"]
    assert found.variable == "global_step" and "two saves" in found.message


def test_a_saved_model_without_variables_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"")
    (finding,) = inspect(str(tmp_path)).findings
    nothing = "it is a SavedModel without variables, so there is nothing to restore"
    assert finding.message.endswith(nothing)


def test_the_newest_export_is_the_one_to_check(tmp_path: Path) -> None:
    for name in ("export/best/1700000009", "export/best/1700000010", "export/latest/999"):
        folder = tmp_path / name / "variables"
        folder.mkdir(parents=True)
        (tmp_path / name / "saved_model.pb").write_bytes(b"")
        (folder / "variables.index").write_bytes(b"")
    (finding,) = inspect(str(tmp_path)).findings
    newest = tmp_path / "export/best/1700000010/variables/variables"
    assert finding.message.endswith("it holds 3 SavedModels")
    given = f"check the variables of the newest SavedModel: give {newest} as MODEL_DIR"
    assert finding.hint == given
