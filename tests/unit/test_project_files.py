"""What ``ckptcheck init`` finds in a project."""

import os
from pathlib import Path

import pytest

import ckptcheck.project_files
from ckptcheck.errors import UsageError
from ckptcheck.project_files import first_configuration, project_files

from ..support import run_cli

MODEL_FN = "def model_fn(features, labels, mode, params):\n    pass\n"


def write(root: Path, name: str, text: str = "") -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def test_what_a_project_has(tmp_path: Path) -> None:
    write(tmp_path, "runs/base/checkpoint")
    write(tmp_path, "runs/old/model.ckpt-3.index")
    write(tmp_path, "models/__init__.py")
    write(tmp_path, "models/net.py", MODEL_FN + "def input_fn(mode):\n    pass\n")
    write(tmp_path, "scripts/train.py", MODEL_FN.replace("model_fn", "my_model"))
    write(tmp_path, "broken.py", "def model_fn(features, mode:\n")
    write(tmp_path, "conf/params.json", "{}")
    write(tmp_path, "conf/list.json", "[]")
    write(tmp_path, ".venv/net.py", MODEL_FN)
    write(tmp_path, "__pypackages__/net.py", MODEL_FN)
    write(tmp_path, "myenv/pyvenv.cfg")
    write(tmp_path, "myenv/net.py", MODEL_FN)
    found = project_files(str(tmp_path))
    assert found.model_dirs == ("runs/base", "runs/old")
    assert found.targets == ("models.net:model_fn", "scripts/train.py:my_model")
    assert found.params == ("conf/params.json",)
    assert found.complete


def test_the_nearest_code_and_likely_params_come_first(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path, f"{name}/runs/checkpoint")
        write(tmp_path, f"{name}/net.py", MODEL_FN)
        write(tmp_path, f"{name}/labels.json", "{}")
        write(tmp_path, f"{name}/hparams.json", "{}")
    text = first_configuration(str(tmp_path), project_files(str(tmp_path)))
    _, first, second = text.split("[[check]]")
    for block, name in ((first, "a"), (second, "b")):
        assert f'model-dir = "{name}/runs"' in block
        assert f'\ntarget = "{name}/net.py:model_fn"' in block
        assert f'\nparams = "{name}/hparams.json"' in block
        assert "labels.json" not in block
    assert 'name = "runs"' in first
    assert 'name = "runs-2"' in second


def test_code_with_the_name_of_the_model_dir_comes_first(tmp_path: Path) -> None:
    write(tmp_path, "census_checkpoint/DeepFM/checkpoint")
    for name in ("AFM", "DeepFM", "FFM", "FM", "NFM", "PNN"):
        write(tmp_path, f"model/{name}/{name}.py", MODEL_FN)
    lines = first_configuration(str(tmp_path), project_files(str(tmp_path))).splitlines()
    assert 'target = "model/DeepFM/DeepFM.py:model_fn"' in lines
    assert "# 2 more candidates are not shown" in lines


def test_each_check_has_a_name_of_its_own_that_a_configuration_can_have(tmp_path: Path) -> None:
    for folder in ("-a", "a", "a-2", "b/a", "--"):
        write(tmp_path, f"{folder}/checkpoint")
    text = first_configuration(str(tmp_path), project_files(str(tmp_path)))
    names = [line for line in text.splitlines() if line.startswith("name")]
    assert names == [f'name = "{name}"' for name in ("check", "a", "a-2", "a-2-2", "a-3")]


def test_a_project_without_code_or_params(tmp_path: Path) -> None:
    write(tmp_path, "runs/checkpoint")
    text = first_configuration(str(tmp_path), project_files(str(tmp_path)))
    assert '# target = "models.net:model_fn"  # none was found' in text


def test_a_directory_that_toml_cannot_name(tmp_path: Path) -> None:
    folder = os.path.join(str(tmp_path), "runs-\udcff")
    try:
        os.mkdir(folder)
    except OSError:
        pytest.skip("this file system has only names in UTF-8")
    open(os.path.join(folder, "checkpoint"), "wb").close()
    with pytest.raises(UsageError, match="the names of their directories are not UTF-8"):
        first_configuration(str(tmp_path), project_files(str(tmp_path)))
    write(tmp_path, "runs/checkpoint")
    open(os.path.join(str(tmp_path), "runs", "\udcff.json"), "wb").close()
    done = run_cli("init", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    text = (tmp_path / "ckptcheck.toml").read_text("utf-8")
    assert text.count("[[check]]") == 1
    assert "# Left out, because the name is not UTF-8: runs-\\udcff\n" in text
    inside = project_files(folder)
    assert 'name = "check"' in first_configuration(folder, inside)


def test_links(tmp_path: Path) -> None:
    """A linked directory has the name of the link, unless it is in the project under its own."""
    project = tmp_path / "project"
    write(project, "runs/base/checkpoint")
    write(tmp_path, "store/big/checkpoint")
    for name, to in {
        "a-link": "runs",
        "more": "../store",
        "more-again": "../store",
        "runs/base/all": "../..",
        "runs/base/model.ckpt-1.index": "gone",
        "gone/model.ckpt-1.index": "gone",
    }.items():
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).symlink_to(to)
    found = project_files(str(project))
    assert found.model_dirs == ("runs/base", "more/big")
    assert 'model-dir = "more/big"' in first_configuration(str(project), found)


def test_an_export_is_no_model_dir(tmp_path: Path) -> None:
    write(tmp_path, "runs/checkpoint")
    write(tmp_path, "runs/export/123/saved_model.pb")
    write(tmp_path, "runs/export/123/variables/variables.index")
    write(tmp_path, "variables/checkpoint")
    assert project_files(str(tmp_path)).model_dirs == ("runs", "variables")


def test_a_project_with_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ckptcheck.project_files, "_MOST_FILES", 2)
    for name in ("a/1", "a/2", "b/checkpoint"):
        write(tmp_path, name)
    found = project_files(str(tmp_path))
    with pytest.raises(UsageError, match=f"no checkpoint in the first 2 files of {tmp_path}: "):
        first_configuration(str(tmp_path), found)
    write(tmp_path, "a/checkpoint")
    (tmp_path / "a/1").unlink()
    text = first_configuration(str(tmp_path), project_files(str(tmp_path)))
    assert "# The search ended after 2 files: there may be more checkpoints.\n" in text


def test_a_project_without_checkpoints(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no checkpoint in"):
        first_configuration(str(tmp_path), project_files(str(tmp_path)))
