"""The action for GitHub: its schema, and its steps, which run here as GitHub runs them."""

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest
import yaml

from .. import consumers
from ..support import FIXTURES, PROJECT, environment

MODEL_DIR = FIXTURES / "linear" / "tf215"
ACTION: Dict[str, Any] = yaml.safe_load((PROJECT / "action.yml").read_text("utf-8"))
STEPS: List[Dict[str, Any]] = ACTION["runs"]["steps"]


def step(name: str) -> Dict[str, Any]:
    (found,) = [item for item in STEPS if item.get("id") == name]
    return found


class Ended:
    """The results of a run of ckptcheck by the action."""

    def __init__(self, folder: Path, args: str, sarif: str = "out.sarif") -> None:
        script, output = folder / "_temp" / "step.py", folder / "output"
        script.parent.mkdir()
        script.write_text(step("run")["run"], "utf-8")
        env = environment(CKPTCHECK_ARGS=args, CKPTCHECK_SARIF=sarif, GITHUB_OUTPUT=str(output))
        done = subprocess.run(
            [sys.executable, str(script)], cwd=str(folder), env=env, capture_output=True
        )
        self.code, self.out, self.err = done.returncode, done.stdout.decode(), done.stderr.decode()
        pairs = (line.partition("=") for line in output.read_text().splitlines())
        self.outputs = {name: value for name, _, value in pairs}


def test_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    reason = "NOT VALIDATED WITH THE SCHEMA OF ACTIONS: check-jsonschema, which has it, is missing"
    package = pytest.importorskip("check_jsonschema.builtin_schemas", reason=reason)
    folder = Path(str(package.__file__)).parent / "vendor"
    schema = json.loads((folder / "github-actions.json").read_text("utf-8"))
    jsonschema.validators.validator_for(schema)(schema).validate(ACTION)


def test_scripts_get_inputs_by_the_environment() -> None:
    """An expression in a script would run code of any user who can set its value."""
    scripts = [item["run"] for item in STEPS if "run" in item]
    assert len(scripts) == 2 and not any("${{" in script for script in scripts)


def test_expressions_name_what_there_is() -> None:
    text = (PROJECT / "action.yml").read_text("utf-8")
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(ACTION["inputs"])
    outputs = re.findall(r"steps\.([\w-]+)\.outputs\.([\w-]+)", text)
    assert set(outputs) == {("install", "cache-key"), ("run", "exit-code"), ("run", "sarif-file")}
    for name, output in outputs:
        assert f"{output}=" in step(name)["run"]


def test_the_saved_cache_is_the_one_of_the_run() -> None:
    """The default place depends on the project, so the action chooses one."""
    folder = step("run")["env"]["CKPTCHECK_CACHE_DIR"]
    assert folder.startswith("${{ runner.temp }}/")  # an absolute path
    cached = [item["with"] for item in STEPS if "actions/cache" in item.get("uses", "")]
    assert [item["path"] for item in cached] == [folder] * 2
    assert len({item["key"] for item in cached}) == 1
    assert cached[0]["key"].startswith(cached[0]["restore-keys"])
    job = step("install")["env"]["CKPTCHECK_JOB"]
    assert job == "${{ github.job }}-${{ strategy.job-index }}"


def test_the_document_names_the_inputs() -> None:
    section = (PROJECT / "docs/formats.md").read_text("utf-8").partition("| input |")[2]
    table = section.partition("\n\n")[0]
    assert re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE) == list(ACTION["inputs"])


def test_a_run_that_passes(tmp_path: Path) -> None:
    done = Ended(tmp_path, f"inspect '{MODEL_DIR}'")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("ckptcheck: ")
    sarif = tmp_path / "out.sarif"
    assert done.outputs == {"exit-code": "0", "sarif-file": str(sarif)}
    assert len(consumers.sarif(sarif.read_text())["runs"]) == 1


def test_a_run_that_fails_keeps_its_exit_code(tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-1"\n')
    done = Ended(tmp_path, 'inspect "a b"')
    assert done.code == 1
    (annotation,) = consumers.github(done.out)
    assert annotation.properties["file"] == "a b/checkpoint"
    assert done.outputs == {"exit-code": "1", "sarif-file": str(tmp_path / "out.sarif")}


def test_wrong_usage_has_no_file_to_upload(tmp_path: Path) -> None:
    (tmp_path / "out.sarif").write_text("of an earlier step")
    done = Ended(tmp_path, "inspect no/such")
    assert (done.code, done.outputs) == (2, {"exit-code": "2", "sarif-file": ""})
    assert done.err.startswith("ckptcheck: error: ")


def test_a_quote_that_is_not_closed_is_told(tmp_path: Path) -> None:
    done = Ended(tmp_path, "inspect 'runs")
    assert (done.code, done.err) == (2, "")
    (annotation,) = consumers.github(done.out)
    assert annotation.message == "The input args cannot be read: No closing quotation"
    assert done.outputs == {"exit-code": "2", "sarif-file": ""}


def test_modules_of_the_project_are_not_imported(tmp_path: Path) -> None:
    (tmp_path / "tokenize.py").write_text("raise SystemExit('the wrong module')\n")
    done = Ended(tmp_path, "lint .")
    assert (done.code, done.err) == (0, "")


def test_flags_of_the_code_stay_last(tmp_path: Path) -> None:
    done = Ended(tmp_path, f"{MODEL_DIR} net:model_fn --python false -- --units=3", sarif="")
    assert (done.code, done.outputs["sarif-file"]) == (2, "")
    assert "false" in done.err and "--format" not in done.err


def test_no_word_of_the_arguments_is_code(tmp_path: Path) -> None:
    done = Ended(tmp_path, "inspect '$(touch made)' `touch made`")
    assert done.code == 2
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("requirements", ["", "requirements.txt"])
def test_the_installation(requirements: str, tmp_path: Path) -> None:
    """The test uses a fake pip that prints its arguments. The project's own pip is not used."""
    stub, project, output = (tmp_path / name for name in ("stub", "project", "output"))
    for folder, code in ((stub, "import sys; print(*sys.argv[1:])"), (project, "raise OSError")):
        (folder / "pip").mkdir(parents=True)
        (folder / "pip" / "__init__.py").write_text("")
        (folder / "pip" / "__main__.py").write_text(code)
    env = environment(
        CKPTCHECK_PACKAGE="a package",
        CKPTCHECK_REQUIREMENTS=requirements,
        CKPTCHECK_JOB="test-3",
        RUNNER_OS="Linux",
        GITHUB_OUTPUT=str(output),
        PYTHONPATH=str(stub),
        PATH=os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]]),
    )
    script = tmp_path / "step.sh"
    script.write_text(step("install")["run"])
    words = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)]
    done = subprocess.run(words, cwd=str(project), env=env, capture_output=True, check=True)
    own = ["install -- a package"]
    expected = [f"install -r {requirements}", *own] if requirements else own
    assert done.stdout.decode().splitlines() == expected
    version = platform.python_version()
    assert output.read_text() == f"cache-key=ckptcheck-Linux-test-3-{version}-\n"
