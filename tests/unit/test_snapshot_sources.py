"""A snapshot is refreshed with --force, and a check says when it is older than its model_dir."""

import json
import os
import shutil
from pathlib import Path
from typing import Any, List

import pytest

from ckptcheck.checkpoint.snapshot import MARKER, without_source
from ckptcheck.errors import UsageError
from ckptcheck.inspection import inspect
from ckptcheck.results import Finding
from ckptcheck.snapshots import snapshot

from ..support import FIXTURES, digest, run_cli

SOURCE = FIXTURES / "hidden_dropout" / "tf215"
RETRAINED = FIXTURES / "hidden_dropout" / "tf115"
"""A model_dir with the same variables and other values."""
OTHER = FIXTURES / "linear" / "tf215"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a model_dir, in the working directory, and a snapshot in another folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(str(SOURCE), "runs/base")
    os.mkdir("ci")
    snapshot("runs/base", "ci/base")
    return tmp_path


def stale(folder: str = "ci/base") -> List[Finding]:
    return [found for found in inspect(folder).findings if found.rule == "stale-snapshot"]


def save(step: int, saved: Path = RETRAINED) -> None:
    """Replaces the checkpoint of the model_dir, as a training run that keeps one does."""
    for path in Path("runs/base").iterdir():
        path.unlink()
    for path in saved.glob("model.ckpt-10.*"):
        shutil.copy(str(path), "runs/base/" + path.name.replace("-10.", f"-{step}."))
    Path("runs/base/checkpoint").write_text(f'model_checkpoint_path: "model.ckpt-{step}"\n')


def test_a_fresh_snapshot_is_not_stale(project: Path) -> None:
    assert stale() == []
    marker = json.loads((project / "ci/base" / MARKER).read_text())
    assert marker["checkpoints"]["model.ckpt-10"]["source"] == "../../runs/base"


def test_times_do_not_matter(project: Path) -> None:
    for path in (project / "runs/base").iterdir():
        os.utime(str(path))
    assert stale() == []


def test_a_later_save_of_the_same_variables_is_a_note(project: Path) -> None:
    save(20)
    (found,) = stale()
    assert (found.severity, found.key) == ("note", "stale-snapshot:snapshot")
    assert found.message == (
        "ci/base is a snapshot of runs/base, where Estimator now loads model.ckpt-20"
    )
    assert found.hint == "run ckptcheck snapshot --force runs/base ci/base"


def test_a_later_save_of_other_variables_is_a_warning(project: Path) -> None:
    save(20, OTHER)
    (found,) = stale()
    assert found.severity == "warning"
    assert found.message.endswith("loads model.ckpt-20, which has other variables")


def test_a_training_run_anew_with_the_same_step_is_seen(project: Path) -> None:
    save(10, OTHER)
    assert [found.severity for found in stale()] == ["warning"]


def test_the_hint_refreshes_it(project: Path) -> None:
    save(20)
    (found,) = stale()
    assert found.hint.startswith("run ckptcheck ")
    done = run_cli(*found.hint.split()[2:], cwd=project)
    assert (done.code, done.out.partition(":")[0]) == (0, "ci/base")
    assert stale() == []
    assert inspect("ci/base").contents.prefix == "ci/base/model.ckpt-20"
    assert os.listdir("ci") == ["base"]
    assert not any(name.startswith("model.ckpt-10") for name in os.listdir("ci/base"))


def test_a_clone_without_the_model_dir_says_nothing(project: Path) -> None:
    shutil.rmtree("runs")
    assert stale() == []


@pytest.mark.parametrize("damage", ["state", "index", "empty"])
def test_a_model_dir_that_cannot_be_compared_says_nothing(damage: str, project: Path) -> None:
    save(20)
    if damage == "state":
        Path("runs/base/checkpoint").write_text("{")
    elif damage == "index":
        Path("runs/base/model.ckpt-20.index").write_bytes(b"\0" * 100)
    else:
        shutil.rmtree("runs/base")
        os.mkdir("runs/base")
    assert stale() == []


def test_a_snapshot_of_one_checkpoint_is_not_stale_after_the_next_save(project: Path) -> None:
    snapshot("runs/base/model.ckpt-10", "ci/first")
    for path in RETRAINED.glob("model.ckpt-10.*"):
        shutil.copy(str(path), "runs/base/" + path.name.replace("-10.", "-20."))
    Path("runs/base/checkpoint").write_text('model_checkpoint_path: "model.ckpt-20"\n')
    assert (stale("ci/first"), len(stale())) == ([], 1)


def test_a_source_that_is_not_nearby_is_not_recorded(project: Path) -> None:
    os.mkdir("elsewhere")
    os.chdir("elsewhere")
    snapshot("../runs/base", "made")
    assert "source" not in Path("made", MARKER).read_text()
    snapshot("../runs/base", "../runs/made")  # beside it
    assert '"source": "../base"' in Path("../runs/made", MARKER).read_text()


@pytest.mark.parametrize("source", ["/etc", "a\0b", 3, None])
def test_a_source_that_is_none(source: Any, project: Path) -> None:
    path = project / "ci/base" / MARKER
    document = json.loads(path.read_text())
    document["checkpoints"]["model.ckpt-10"]["source"] = source
    path.write_text(json.dumps(document))
    with pytest.raises(UsageError, match="is damaged, or from another version of ckptcheck"):
        inspect("ci/base")


def test_a_copy_of_a_snapshot_has_no_source(project: Path) -> None:
    data = (project / "ci/base" / MARKER).read_bytes()
    assert b"source" in data and b"source" not in without_source(data)
    for damaged in (b"{", b"[]", b"\xff", b'{"checkpoints": 3}', b'{"checkpoints": {"a": 3}}'):
        assert without_source(damaged) == damaged


# --- --force --------------------------------------------------------------------------------------


def test_force_makes_a_new_snapshot_too(project: Path) -> None:
    snapshot("runs/base", "ci/new", force=True)
    os.mkdir("ci/empty")
    snapshot("runs/base", "ci/empty", force=True)
    assert sorted(os.listdir("ci/new")) == sorted(os.listdir("ci/empty"))


def test_without_force_nothing_is_replaced(project: Path) -> None:
    with pytest.raises(UsageError, match="is a snapshot already: replace it with --force"):
        snapshot("runs/base", "ci/base")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("README.md", "OUT ci/base holds README.md, which is not a file of a snapshot"),
        ("model.ckpt-10.data-00000-of-00001", "holds model.ckpt-10.data-00000-of-00001, which"),
        ("sub/", "OUT ci/base holds sub, which is not a file of a snapshot"),
        ("x.index/", "OUT ci/base holds x.index, which is not a file of a snapshot"),
    ],
)
def test_only_a_snapshot_is_replaced(name: str, said: str, project: Path) -> None:
    path = project / "ci/base" / name
    if name.endswith("/"):
        path.mkdir()
    else:
        path.write_text("mine")
    before = digest("ci")
    with pytest.raises(UsageError, match=said):
        snapshot("runs/base", "ci/base", force=True)
    assert digest("ci") == before


def test_a_directory_that_is_no_snapshot_is_not_replaced(project: Path) -> None:
    before = digest(".")
    for out in ("runs", "ci"):
        with pytest.raises(UsageError, match=f"OUT {out} is not a snapshot: --force replaces"):
            snapshot("runs/base", out, force=True)
    for out in ("runs/base", "ci/base/../../runs/base"):
        with pytest.raises(UsageError, match=f"OUT {out} is MODEL_DIR"):
            snapshot("runs/base", out, force=True)
    assert digest(".") == before


def test_the_old_snapshot_stays_if_the_new_one_cannot_be_made(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digest("ci")
    rename = os.rename

    def fail(old: str, new: str) -> None:
        if ".new-" in old:
            raise OSError(28, "No space left on device")
        rename(old, new)

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(UsageError, match="ci/base cannot be replaced: No space left on device"):
        snapshot("runs/base", "ci/base", force=True)
    after = digest("ci")
    after["."] = before["."]  # its time
    assert after == before


def test_a_link_to_a_snapshot_stays_a_link(project: Path) -> None:
    os.symlink("base", "ci/link")
    os.chmod("ci/base", 0o750)
    save(20)
    snapshot("runs/base", "ci/link", force=True)
    assert os.path.islink("ci/link") and os.stat("ci/base").st_mode & 0o777 == 0o750
    assert inspect("ci/base").contents.prefix == "ci/base/model.ckpt-20"
