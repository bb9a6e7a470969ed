"""Which checkpoint a restore would load from what the user named."""

import os
from pathlib import Path
from typing import List

import pytest

from ckptcheck.checkpoint import existing
from ckptcheck.checkpoint.existing import checkpoints_in
from ckptcheck.checkpoint.graphs import read_graph
from ckptcheck.checkpoint.locate import locate
from ckptcheck.checkpoint.snapshot import MARKER
from ckptcheck.errors import UsageError
from ckptcheck.inspection import inspect
from ckptcheck.model_dir import Absence, Found, Missing, Named, Unnamed, step_of

from ..support import as_a_user, folder_of_all

V1_MAGIC = bytes.fromhex("57fb808b247547db")


def put(folder: Path, name: str = "model.ckpt-10", shards: int = 1) -> Path:
    """The files of a checkpoint; what is in them does not matter here."""
    folder.mkdir(parents=True, exist_ok=True)
    for suffix in ["index", "meta"]:
        (folder / f"{name}.{suffix}").write_bytes(b"")
    for shard in range(shards):
        (folder / f"{name}.data-{shard:05d}-of-{shards:05d}").write_bytes(b"")
    return folder / name


def state(folder: Path, latest: str) -> None:
    (folder / "checkpoint").write_text(f'model_checkpoint_path: "{latest}"\n', "utf-8")


def the_named(named: str) -> Named:
    found = locate(named)
    assert isinstance(found, Named)
    return found


def the_found(named: str) -> Found:
    found = locate(named)
    assert isinstance(found, Found)
    return found


def the_missing(named: str) -> Missing:
    found = locate(named)
    assert isinstance(found, Missing)
    return found


def the_unnamed(named: str) -> Unnamed:
    found = locate(named)
    assert isinstance(found, Unnamed)
    return found


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``runs/base`` with one checkpoint, seen from the directory above."""
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "runs" / "base")
    state(tmp_path / "runs" / "base", "model.ckpt-10")
    return tmp_path / "runs" / "base"


def test_a_directory(runs: Path) -> None:
    found = the_found("runs/base")
    assert found.prefix == "runs/base/model.ckpt-10"
    assert (found.exists, found.elsewhere) == (True, False)
    assert found.model_dir == "runs/base"
    assert found.candidates == ("runs/base/model.ckpt-10",)
    assert found.graphs == ("runs/base/model.ckpt-10.meta", "runs/base/graph.pbtxt")
    assert found.missing_shards == ()


def test_a_directory_with_a_slash_behind_it(runs: Path) -> None:
    found = locate("runs/base/")
    assert os.path.normpath(found.prefix) == "runs/base/model.ckpt-10"
    assert (found.exists, found.elsewhere) == (True, False)


def test_an_absolute_directory(runs: Path) -> None:
    assert locate(str(runs)).prefix == str(runs / "model.ckpt-10")


def test_the_working_directory(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runs)
    found = locate(".")
    assert os.path.normpath(found.prefix) == "model.ckpt-10"
    assert (found.exists, found.elsewhere) == (True, False)


def test_a_prefix_in_the_working_directory(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runs)
    found = locate("model.ckpt-10")
    assert (found.prefix, found.model_dir) == ("model.ckpt-10", ".")
    assert isinstance(found, Named)


@pytest.mark.parametrize("suffix", ["", ".index", ".meta", ".data-00000-of-00001"])
def test_a_prefix_or_one_of_its_files(runs: Path, suffix: str) -> None:
    """Tab completion in the shell leads to the name of a file."""
    found = locate("runs/base/model.ckpt-10" + suffix)
    assert found.prefix == "runs/base/model.ckpt-10"
    assert isinstance(found, Named)


def test_a_named_checkpoint_is_taken_whatever_the_state_file_says(runs: Path) -> None:
    put(runs, "model.ckpt-5")
    assert locate("runs/base/model.ckpt-5").prefix == "runs/base/model.ckpt-5"


def test_the_state_file_decides_and_not_the_highest_step(runs: Path) -> None:
    put(runs, "model.ckpt-20")
    found = the_found("runs/base")
    assert found.prefix == "runs/base/model.ckpt-10"
    assert found.candidates == ("runs/base/model.ckpt-10", "runs/base/model.ckpt-20")


def test_an_absolute_path_to_this_directory(runs: Path) -> None:
    state(runs, str(runs / "model.ckpt-10"))
    found = locate("runs/base")
    assert (found.prefix, found.elsewhere) == ("runs/base/model.ckpt-10", False)
    assert found.exists


def test_an_absolute_path_through_a_link_is_this_directory(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(runs, target_is_directory=True)
    state(runs, str(tmp_path / "link" / "model.ckpt-10"))
    assert not locate("runs/base").elsewhere


def test_an_absolute_path_to_another_directory_that_exists(runs: Path, tmp_path: Path) -> None:
    """TensorFlow loads from that directory, and not from the given one."""
    other = put(tmp_path / "old")
    state(runs, str(other))
    found = locate("runs/base")
    assert (found.prefix, found.exists, found.elsewhere) == (str(other), True, True)


def test_an_absolute_path_to_a_directory_that_moved(runs: Path, tmp_path: Path) -> None:
    state(runs, str(tmp_path / "gone" / "model.ckpt-10"))
    found = the_missing("runs/base")
    assert (found.folder_exists, found.elsewhere) == (False, True)


def test_a_checkpoint_that_was_deleted(runs: Path) -> None:
    state(runs, "model.ckpt-99")
    found = the_missing("runs/base")
    assert found.prefix == "runs/base/model.ckpt-99"
    assert found.folder_exists
    assert found.candidates == ("runs/base/model.ckpt-10",)


@pytest.mark.parametrize("named", ["best", "."])
def test_a_state_file_that_names_a_directory(named: str, runs: Path) -> None:
    (runs / "best").mkdir(parents=True)
    state(runs, named)
    assert the_missing("runs/base").absence is Absence.NOT_A_CHECKPOINT


def test_a_relative_path_to_a_directory_below(runs: Path) -> None:
    put(runs / "best")
    state(runs, "best/model.ckpt-10")
    found = locate("runs/base")
    assert (found.prefix, found.elsewhere) == ("runs/base/best/model.ckpt-10", False)


def test_no_state_file(runs: Path) -> None:
    (runs / "checkpoint").unlink()
    found = the_unnamed("runs/base")
    assert (found.prefix, found.exists, found.state) == ("", False, None)
    assert found.candidates == ("runs/base/model.ckpt-10",)


def test_a_state_file_that_cannot_be_parsed(runs: Path) -> None:
    (runs / "checkpoint").write_bytes(b"\0\0\0")
    found = the_unnamed("runs/base")
    assert found.state is not None and found.state.problem


def test_an_empty_directory(tmp_path: Path) -> None:
    found = locate(str(tmp_path))
    assert (found.prefix, found.exists, found.candidates) == ("", False, ())


@pytest.mark.parametrize("literal", [r"a\0b", "a\0b", r"\377\376", r"a\nb", "x" * 5000])
def test_names_that_no_file_can_have(runs: Path, literal: str) -> None:
    """An untrusted state file can have a null byte. ckptcheck must not fail."""
    state(runs, literal)
    found = locate("runs/base")
    assert not found.exists
    assert read_graph(found.graphs) is None  # the search for a graph also gets this name


def test_a_missing_shard(runs: Path) -> None:
    put(runs, "model.ckpt-20", shards=3)
    (runs / "model.ckpt-20.data-00001-of-00003").unlink()
    found = the_named("runs/base/model.ckpt-20")
    assert found.missing_shards == ("model.ckpt-20.data-00001-of-00003",)


def test_all_shards_missing(runs: Path) -> None:
    (runs / "model.ckpt-10.data-00000-of-00001").unlink()
    assert the_found("runs/base").missing_shards == ("model.ckpt-10.data-00000-of-00001",)


def test_shards_of_another_checkpoint_do_not_count(runs: Path) -> None:
    """``model.ckpt-1`` is a part of the name of ``model.ckpt-10``."""
    put(runs, "model.ckpt-1", shards=2)
    assert the_named(str(runs / "model.ckpt-1")).missing_shards == ()
    assert the_named(str(runs / "model.ckpt-10")).missing_shards == ()


def test_a_v1_checkpoint_is_one_file(tmp_path: Path) -> None:
    (tmp_path / "model.ckpt-7").write_bytes(b"\0" * 40 + V1_MAGIC)
    state(tmp_path, "model.ckpt-7")
    for found in (the_found(str(tmp_path)), the_named(str(tmp_path / "model.ckpt-7"))):
        assert found.prefix == str(tmp_path / "model.ckpt-7")
        assert found.missing_shards == ()


@pytest.mark.parametrize("data", [b"", b"text", b"\0" * 48, V1_MAGIC[:-1]])
def test_a_file_that_is_no_checkpoint(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "weights.bin").write_bytes(data)
    with pytest.raises(UsageError, match=r"weights.bin is a file, but not a checkpoint: expected"):
        locate(str(tmp_path / "weights.bin"))


def test_nothing_of_that_name(runs: Path) -> None:
    with pytest.raises(UsageError) as caught:
        locate("runs/base/model.ckpt-11")
    assert "no directory or checkpoint runs/base/model.ckpt-11" in str(caught.value)
    assert "runs/base holds model.ckpt-10" in str(caught.value)


def test_no_directory_above_it(runs: Path) -> None:
    with pytest.raises(
        UsageError, match=r"no directory runs/bsae/model.ckpt-10: expected a model_dir"
    ):
        locate("runs/bsae/model.ckpt-10")


def test_no_name_at_all(runs: Path) -> None:
    """An empty shell variable must not check the working directory instead."""
    with pytest.raises(UsageError):
        locate("")


def test_checkpoints_stand_by_step_and_not_by_letter(tmp_path: Path) -> None:
    for step in (9, 100, 20):
        put(tmp_path, f"model.ckpt-{step}")
    put(tmp_path, "best")
    names = [os.path.basename(prefix) for prefix in checkpoints_in(str(tmp_path))]
    assert names == ["best", "model.ckpt-9", "model.ckpt-20", "model.ckpt-100"]


@pytest.mark.parametrize(
    ("prefix", "step"),
    [("a/model.ckpt-10", 10), ("model.ckpt", None), ("a-5/model.ckpt", None), ("ckpt-0", 0)],
)
def test_the_step_is_in_the_name(prefix: str, step: int) -> None:
    assert step_of(prefix) == step


def test_a_directory_that_is_a_pattern(tmp_path: Path) -> None:
    """TensorFlow globs: measured with latest_checkpoint of 1.15.5 and 2.15.1."""
    folder = tmp_path / "lr[0.1]"
    folder.mkdir()
    (folder / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-1"\n')
    (folder / "model.ckpt-1.index").write_bytes(b"")
    assert not locate(str(folder)).exists
    with pytest.raises(UsageError, match="treats it as a glob pattern"):
        locate(str(folder / "model.ckpt-1"))
    (tmp_path / "lr0").mkdir()
    (tmp_path / "lr0" / "model.ckpt-1.index").write_bytes(b"")
    assert locate(str(folder)).exists  # the checkpoint of another directory matches


def test_a_state_file_that_names_a_file(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-1.meta"\n')
    (tmp_path / "model.ckpt-1.index").write_bytes(b"")
    (tmp_path / "model.ckpt-1.meta").write_bytes(b"")
    assert the_missing(str(tmp_path)).absence is Absence.NOT_A_CHECKPOINT


def test_a_piece_of_a_checkpoint_is_none(tmp_path: Path) -> None:
    (tmp_path / "model.ckpt-20.part-00000-of-00001.index").write_bytes(b"")
    assert locate(str(tmp_path)).candidates == ()


def test_a_number_that_is_no_step() -> None:
    assert step_of("model.ckpt-" + "9" * 5000) is None


def test_a_state_file_goes_up_by_the_text_and_not_by_links(tmp_path: Path) -> None:
    for folder in ("runs/run6", "data/run6", "data/run7"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "model.ckpt-1.index").write_bytes(b"")
    (tmp_path / "runs" / "current").symlink_to(tmp_path / "data" / "run7")
    state = 'model_checkpoint_path: "../run6/model.ckpt-1"\n'
    (tmp_path / "runs" / "current" / "checkpoint").write_text(state)
    found = locate(str(tmp_path / "runs" / "current"))
    assert found.prefix == str(tmp_path / "runs" / "run6" / "model.ckpt-1")


def test_what_a_state_file_lists(tmp_path: Path) -> None:
    for folder in ("base", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "model.ckpt-1.index").write_bytes(b"")
    paths = ["model.ckpt-1", "model.ckpt-0", "gone/m-1", "../other/model.ckpt-1", "../other/m-9"]
    lines = [f'all_model_checkpoint_paths: "{path}"' for path in paths]
    state = "\n".join(['model_checkpoint_path: "model.ckpt-1"', *lines])
    (tmp_path / "base" / "checkpoint").write_text(state)
    found = the_found(str(tmp_path / "base"))
    assert found.listed_elsewhere == (str(tmp_path / "other" / "model.ckpt-1"),)
    assert found.listed_nowhere == (str(tmp_path / "base" / "gone"),)


def test_a_snapshot_asks_no_other_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other directories belong to the original model_dir. Here, one may be a mount that hangs."""
    (tmp_path / MARKER).write_text('{"version": 1, "checkpoints": {}}')
    (tmp_path / "checkpoint").write_text('all_model_checkpoint_paths: "/elsewhere/m-1"\n')
    asked: List[str] = []
    monkeypatch.setattr(existing, "folder_exists", asked.append)
    assert isinstance(locate(str(tmp_path)), Unnamed) and asked == []


def test_a_directory_that_is_removed_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "runs").mkdir()

    def listed(folder: str) -> List[str]:
        os.rmdir(folder)
        return []

    monkeypatch.setattr(existing, "checkpoints_in", listed)
    with pytest.raises(UsageError, match="runs cannot be read: No such file or directory"):
        locate(str(tmp_path / "runs"))


def test_a_pattern_in_a_directory_of_the_state_file(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "m-2.index").write_bytes(b"")
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "s?b/m-2"')
    assert the_missing(str(tmp_path)).absence is Absence.NOT_A_CHECKPOINT


def test_of_several_series_estimators_own_is_suggested(tmp_path: Path) -> None:
    for name in ("model.ckpt-10", "model.ckpt-20", "bert_model.ckpt-1000000"):
        put(tmp_path, name=name)
    (hint,) = [
        item.hint for item in inspect(str(tmp_path)).findings if item.rule == "no-checkpoint"
    ]
    assert hint.endswith('"model.ckpt-20"')
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "C:\\\\runs\\\\model.ckpt-10"')
    assert _hint(tmp_path, "checkpoint-moved").endswith('"model.ckpt-10"')


def _hint(model_dir: Path, rule: str) -> str:
    (hint,) = [item.hint for item in inspect(str(model_dir)).findings if item.rule == rule]
    return hint


def test_the_directory_above_names_those_that_hold_checkpoints(tmp_path: Path) -> None:
    for folder in ("runs/base", "runs/empty", "runs/other"):
        (tmp_path / folder).mkdir(parents=True)
    for folder in ("runs/base", "runs/other"):
        (tmp_path / folder / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-1"')
        (tmp_path / folder / "model.ckpt-1.index").write_bytes(b"")
    runs = str(tmp_path / "runs")
    assert (
        _hint(tmp_path / "runs", "no-checkpoint")
        == f"give one of these as MODEL_DIR: {runs}/base, {runs}/other"
    )


def test_data_files_alone(tmp_path: Path) -> None:
    (tmp_path / "model.ckpt-1.data-00000-of-00001").write_bytes(b"")
    (finding,) = inspect(str(tmp_path)).findings
    assert "data files without an index: model.ckpt-1.data-00000-of-00001" in finding.message
    assert finding.hint.startswith("copy the index")


def test_the_variables_of_a_saved_model_are_not_given_a_state_file(tmp_path: Path) -> None:
    (tmp_path / "variables").mkdir()
    (tmp_path / "saved_model.pb").write_bytes(b"x")
    put(tmp_path / "variables", "variables")
    variables = str(tmp_path / "variables" / "variables")
    hint = _hint(tmp_path / "variables", "no-checkpoint")
    assert hint == f"check the variables of the SavedModel: give {variables} as MODEL_DIR"


@pytest.mark.parametrize("named", ["base", "./base", "base/", "{}/base", "link"])
@pytest.mark.parametrize("path", ["{name}", "{folder}/base/{name}", "{folder}/link/{name}"])
def test_checkpoints_are_spelled_alike_whatever_the_state_file_says(
    named: str, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for step in (10, 20):
        put(tmp_path / "base", f"model.ckpt-{step}")
    (tmp_path / "link").symlink_to("base")
    old, new = (path.format(folder=tmp_path, name=f"model.ckpt-{step}") for step in (10, 20))
    text = f'model_checkpoint_path: "{old}" all_model_checkpoint_paths: ["{old}", "{new}"]'
    (tmp_path / "base" / "checkpoint").write_text(text)
    named = named.format(tmp_path)
    found = locate(named)
    assert found.candidates == found.listed_here and len(found.candidates) == 2
    assert found.prefix == found.candidates[0] == os.path.join(named, "model.ckpt-10")
    messages = [item.message for item in inspect(named).findings if item.rule == "newer-checkpoint"]
    assert len(messages) == 1 and "TRAIN will delete model.ckpt-20" in messages[0]


def test_a_checkpoint_below_is_spelled_as_the_directory_is(runs: Path) -> None:
    put(runs / "best", "model.ckpt-5")
    state(runs, f"{runs}//best/../best/model.ckpt-5")
    assert locate("runs/base").prefix == "runs/base/best/model.ckpt-5"


@pytest.mark.parametrize("closed", ["", "home"])
def test_a_directory_that_must_not_be_entered_is_there(closed: str) -> None:
    """TensorFlow 1 raises for a missing directory, but skips this one (measured with 1.15.5)."""
    with folder_of_all() as folder:
        base, home = folder / "base", folder / "home"
        put(base)
        put(home / "run")
        path = home / "run" / "model.ckpt-10"
        state(base, str(path))
        with (base / "checkpoint").open("a") as f:
            f.write(f'all_model_checkpoint_paths: "{path}"')
        (home if closed else home / "run").chmod(0)
        with as_a_user():
            found = the_missing(str(base))
            said = [item.rule for item in inspect(str(base)).findings]
        (home if closed else home / "run").chmod(0o755)
        assert found.folder_exists
        assert "checkpoint-moved" in said
        state(base, "model.ckpt-10")
        with (base / "checkpoint").open("a") as f:
            f.write(f'all_model_checkpoint_paths: "{path}"')
        (home if closed else home / "run").chmod(0)
        with as_a_user():
            assert the_found(str(base)).listed_nowhere == ()
        (home if closed else home / "run").chmod(0o755)


def test_a_pattern_is_looked_for_where_it_begins(tmp_path: Path) -> None:
    state(tmp_path, f"{tmp_path}/lr[0.1]/model.ckpt-1")
    assert the_missing(str(tmp_path)).folder_exists
    state(tmp_path, f"{tmp_path}/gone/lr[0.1]/model.ckpt-1")
    assert not the_missing(str(tmp_path)).folder_exists


def test_a_directory_to_rename_however_its_path_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "lr[0.1]" / "run"
    put(folder)
    state(folder, f"{folder}/model.ckpt-10")
    monkeypatch.chdir(tmp_path)
    for named in (folder, "lr[0.1]/run", "lr[0.1]/run//"):
        found = the_missing(str(named))
        assert found.absence is Absence.GLOB
        hint = _hint(Path(named), "checkpoint-moved")
        assert hint.startswith(
            f"rename the directory {tmp_path}/lr[0.1], and put only this line into "
        ), hint
        assert hint.endswith(
            f'{found.model_dir}/checkpoint: model_checkpoint_path: "model.ckpt-10"'
        )
    state(folder, "model.ckpt-10")
    assert _hint(Path("lr[0.1]/run"), "checkpoint-moved") == "rename the directory lr[0.1]"


@pytest.mark.parametrize("slashes", ["", "/", "//", "///"])
def test_slashes_behind_a_model_dir(tmp_path: Path, slashes: str) -> None:
    put(tmp_path)
    state(tmp_path, "model.ckpt-10")
    found = the_found(f"{tmp_path}{slashes}")
    assert (found.model_dir, found.prefix) == (str(tmp_path), f"{tmp_path}/model.ckpt-10")
    assert found.double_slash is (len(slashes) > 1)
    assert locate(f"{tmp_path}{slashes or '/'}model.ckpt-10").prefix == found.prefix


def test_a_directory_that_is_gone_is_not_to_be_renamed(tmp_path: Path) -> None:
    put(tmp_path)
    state(tmp_path, f"{tmp_path}/lr[0.1]/model.ckpt-10")
    assert _hint(tmp_path, "checkpoint-moved").endswith('"model.ckpt-10"')


def test_a_link_to_nothing_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to("model.ckpt-9")
    state(tmp_path, "latest")
    found = the_missing(str(tmp_path))
    assert (found.absence, found.link) == (Absence.BROKEN_LINK, str(tmp_path / "model.ckpt-9"))
    assert _hint(tmp_path, "checkpoint-moved").startswith(f"fetch {tmp_path}/model.ckpt-9")


def test_an_index_that_was_not_fetched_though_its_data_was(tmp_path: Path) -> None:
    put(tmp_path)
    index = tmp_path / "model.ckpt-10.index"
    index.unlink()
    index.symlink_to("../annex/5f")
    state(tmp_path, "model.ckpt-10")
    assert _hint(tmp_path, "checkpoint-moved").startswith(f"fetch {tmp_path.parent}/annex/5f")


def test_of_a_series_that_is_not_estimators_own_the_latest_is_suggested(tmp_path: Path) -> None:
    for name in ("model.ckpt-10", "tuned.ckpt-20", "other.ckpt-30"):
        put(tmp_path, name)
    state(tmp_path, "/gone/tuned.ckpt-25")
    assert _hint(tmp_path, "checkpoint-moved").endswith('"tuned.ckpt-20"')


def test_a_checkpoint_of_another_directory_is_not_swapped_for_an_older_one(tmp_path: Path) -> None:
    put(tmp_path / "base", "model.ckpt-10")
    put(tmp_path / "other", "model.ckpt-50")
    state(tmp_path / "base", f"{tmp_path}/other/model.ckpt-50")
    hint = _hint(tmp_path / "base", "checkpoint-moved")
    assert hint.startswith(f"copy the files of {tmp_path}/other/model.ckpt-50 to {tmp_path}/base")
    assert hint.endswith('"model.ckpt-50"')


def test_a_doubled_slash_is_a_rule_of_its_own(runs: Path) -> None:
    put(runs / "best", "model.ckpt-5")
    state(runs, "best//model.ckpt-5")
    (found,) = [f for f in inspect(str(runs)).findings if f.rule == "double-slash"]
    assert found.hint.startswith("put only this line into ")
    assert found.hint.endswith(': model_checkpoint_path: "best/model.ckpt-5"')
    assert "checkpoint-moved" not in {f.rule for f in inspect(str(runs)).findings}


def test_a_name_with_a_quote_is_advised_as_a_text_that_can_be_read(tmp_path: Path) -> None:
    put(tmp_path, 'a"b-10')
    state(tmp_path, "gone")
    assert _hint(tmp_path, "checkpoint-moved").endswith('model_checkpoint_path: "a\\"b-10"')


def test_the_variables_of_a_saved_model_from_within(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"x")
    put(tmp_path / "variables", "variables")
    monkeypatch.chdir(tmp_path / "variables")
    assert the_unnamed(".").saved_model == str(tmp_path / "variables" / "variables")
