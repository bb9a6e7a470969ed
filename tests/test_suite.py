"""Configured checks, run as a user runs them."""

import json
import os
import sys
from pathlib import Path
from typing import Any, Dict, Sequence

import pytest

from .support import Project, Run

BASELINE = "ckptcheck-baseline.json"
CONFIGURATION = """[[check]]
name = "good"
model-dir = "model_dir"
target = "model.py:model_fn"
params = "params.json"

[[check]]
name = "wide"
model-dir = "model_dir"
target = "model.py:model_fn"
params = "params.json"
set = {num_hidden = 64}
"""


@pytest.fixture
def configured(project: Project) -> Project:
    project.write("ckptcheck.toml", CONFIGURATION)
    return project


def checks(run: Run) -> Dict[str, Any]:
    """The checks of a JSON document, by name."""
    return {check["name"]: check for check in json.loads(run.out)["checks"]}


def verdicts(check: Any) -> Dict[str, str]:
    return {mode: found["verdict"] for mode, found in check["report"]["modes"].items()}


def test_without_arguments_all_configured_checks_run(configured: Project) -> None:
    run = configured.run("--format", "json")
    found = checks(run)
    assert run.code == 1
    assert [found[name]["ok"] for name in ("good", "wide")] == [True, False]
    assert set(verdicts(found["good"]).values()) == {"restores"}
    assert "restores" not in verdicts(found["wide"]).values()


def test_the_text_has_what_fails_and_a_table(configured: Project) -> None:
    run = configured.run()
    assert run.code == 1
    good, wide, _ = run.out.partition("== wide")
    assert wide
    assert good.startswith("== good\n\nnot judged: "), "a check that passes is not shown in full"
    assert "\n\n" not in good[len("== good\n\n") :].rstrip()
    assert "set num_hidden to 128 in the params" in run.out.replace("\n  ", " ")
    assert run.out.endswith("2 checks: 1 passed, 1 failed\n")
    assert any(line.split()[:2] == ["good", "passes"] for line in run.out.splitlines())


def test_some_checks_by_name_and_options_of_the_command_line(configured: Project) -> None:
    run = configured.run("check", "wide", "--mode", "predict", "--format", "json")
    found = checks(run)
    assert list(found) == ["wide"]
    assert list(verdicts(found["wide"])) == ["predict"]
    assert configured.run("good").code == 0


def test_it_runs_in_the_directory_of_the_configuration(configured: Project) -> None:
    configured.write("below/note.txt", "")
    run = configured.run("check", "good", cwd=configured.root / "below")
    assert run.code == 0


def test_paths_on_the_command_line_start_from_the_working_directory(configured: Project) -> None:
    features = {"features": {"x": {"dtype": "float32", "shape": [None, 1]}}, "labels": None}
    configured.write("below/features.json", json.dumps(features))
    below = configured.root / "below"
    words = ("check", "good", "--features", "features.json", "--format", "json")
    found = checks(configured.run(*words, cwd=below))
    assert found["good"]["report"]["features"]["source"] == "features-file"


def test_files_of_code_start_from_the_working_directory(configured: Project) -> None:
    configured.write("below/note.txt", "")
    run = configured.run(
        "check", "good", "--input-fn", "gone.py:input_fn", cwd=configured.root / "below"
    )
    assert run.code == 2
    assert "below/gone.py" in run.out


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("god",), "no check god in ckptcheck.toml, and no such file or directory: did you mean"),
        (("good", "wide", "typo"), "no check typo in ckptcheck.toml, and no such file or"),
        (("other",), "expected one of good, wide"),
        (("good[typo]",), "no check good[typo] in ckptcheck.toml: expected one of good, wide"),
        (("gone/runs",), "gone/runs"),
        (("model_dir", "model.py:model_fn", "params.json", "god"), "unexpected argument god"),
    ],
)
def test_names_are_not_mistaken_for_paths(
    words: Sequence[str], problem: str, configured: Project
) -> None:
    run = configured.run("check", *words)
    assert run.code == 2
    assert problem in run.err
    assert words[:1] != ("gone/runs",) or "no check" not in run.err


def test_a_model_dir_is_checked_with_the_defaults_and_the_policy(configured: Project) -> None:
    arguments = ("model_dir", "model.py:model_fn", "params.json", "--set", "num_hidden=64")
    assert configured.run(*arguments).code == 1
    ignore = '[[ignore]]\nrule = "shape-mismatch"\nreason = "the head is new"\n'
    configured.write("ckptcheck.toml", f'modes = ["predict"]\n{ignore}')
    run = configured.run(*arguments)
    assert run.code == 0
    assert "PREDICT will not restore correctly. The project accepts this." in run.out
    assert "EVAL" not in run.out
    assert configured.run(*arguments, "--no-ignores").code == 1


def test_one_check_that_cannot_run_costs_one_check(configured: Project) -> None:
    broken = CONFIGURATION.replace("model.py:model_fn", "gone.py:model_fn", 1)
    configured.write("ckptcheck.toml", broken)
    run = configured.run("--format", "json")
    found = checks(run)
    assert run.code == 2
    assert "gone.py" in found["good"]["problem"]
    assert found["wide"]["report"]["modes"]


def test_a_check_without_a_target_and_a_record(configured: Project) -> None:
    configured.write("ckptcheck.toml", '[[check]]\nname = "bare"\nmodel-dir = "model_dir"\n')
    run = configured.run()
    assert run.code == 2 and "it has no target: add one to its table" in run.out, run


def test_one_check_whose_code_ends_the_tracer_costs_one_check(configured: Project) -> None:
    code = "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\ndef model_fn(): pass\n"
    configured.write("killer.py", code)
    broken = CONFIGURATION.replace("model.py:model_fn", "killer.py:model_fn", 1)
    configured.write("ckptcheck.toml", broken)
    run = configured.run("--format", "json")
    found = checks(run)
    assert run.code == 2
    assert found["good"]["report"] is None
    assert found["wide"]["report"]["modes"], "the next check gets a new tracer"


def test_a_missing_model_dir_fails_unless_the_project_allows_it(configured: Project) -> None:
    text = CONFIGURATION.replace('"model_dir"', '"gone"', 1)
    configured.write("ckptcheck.toml", text)
    run = configured.run("check", "good")
    assert run.code == 2
    assert "no directory or checkpoint gone: expected" in run.out
    hint = 'If this machine does not need it, add if-missing = "skip" to the check'
    assert hint in " ".join(run.out.split())
    globs = configured.write("globs.toml", CONFIGURATION.replace('"model_dir"', '"gone/*"', 1))
    run = configured.run("check", "good", "--config", globs)
    assert run.code == 2 and hint in " ".join(run.out.split())
    configured.write("ckptcheck.toml", CONFIGURATION.replace("model.py", "gone.py"))
    assert "if-missing" not in configured.run("check", "good").out, "the model_dir is there"
    skips = text.replace('name = "good"', 'name = "good"\nif-missing = "skip"')
    configured.write("ckptcheck.toml", skips)
    run = configured.run("check", "good")
    assert run.code == 0
    assert "good: skipped: gone does not exist" in run.out


def test_a_check_with_a_problem_blocks_no_other_command(configured: Project) -> None:
    wrong = '[[check]]\nname = "wrong"\nmodel-dir = "gone/*"\n'
    configured.write("ckptcheck.toml", CONFIGURATION + wrong)
    run = configured.run("--mode", "predict", "--format", "json")
    found = checks(run)
    assert run.code == 2
    assert "gone/*: no directory matches" in found["wrong"]["problem"]
    assert found["good"]["ok"]
    assert configured.run("check", "good").code == 0
    configured.write("ckptcheck.toml", CONFIGURATION + wrong + "timeout = -1\n")
    arguments = ("model_dir", "model.py:model_fn", "params.json")
    assert configured.run(*arguments).code == 0
    run = configured.run("record", "gone", *arguments[1:])
    assert "gone" in run.err and "timeout" not in run.err, run


def test_an_ignore_of_checks_that_are_not_here_is_not_unused(configured: Project) -> None:
    ignore = '[[ignore]]\nrule = "dtype-mismatch"\nreason = "planned"\ncheck = "good[model_d2]"\n'
    globs = CONFIGURATION.replace('"model_dir"', '"model_d*"')
    configured.write("ckptcheck.toml", globs + ignore)
    assert configured.run("--format", "json").json["findings"] == []
    assert configured.run("check", "wide", "--format", "json").json["findings"] == []


def test_a_checkpoint_that_is_named_is_not_missing(configured: Project) -> None:
    checkpoint = "model_dir/" + next(configured.model_dir.glob("*.index")).stem
    text = CONFIGURATION.replace('"model_dir"', f'"{checkpoint}"\nif-missing = "skip"', 1)
    configured.write("ckptcheck.toml", text)
    run = configured.run("check", "good")
    assert run.code == 0
    assert "1 check: 1 passed" in run.out


def test_parallel_checks_say_the_same(configured: Project) -> None:
    one, two = (configured.run("--jobs", jobs).out for jobs in ("1", "2"))
    assert one == two


def test_the_baseline_accepts_a_deliberate_change(configured: Project) -> None:
    assert configured.run().code == 1
    run = configured.run("--write-baseline", writes=[BASELINE])
    assert run.code == 0
    accepted = json.loads((configured.root / BASELINE).read_text("utf-8"))["checks"]["wide"]
    assert f"ckptcheck: wrote {BASELINE}, which accepts {len(accepted)} findings\n" in run.err
    assert "unused-baseline-entry" not in run.out
    assert configured.run().code == 0, "today's findings are accepted"
    run = configured.run("--mode", "predict")
    assert "unused-baseline-entry" not in run.out, "other modes have the other findings"
    worse = CONFIGURATION.replace("num_hidden = 64", "num_hidden = 32")
    configured.write("ckptcheck.toml", worse)
    run = configured.run()
    assert run.code == 1, "a new finding is not"
    said = " ".join(run.out.split())
    assert "the baseline accepts 9 findings of wide that do not occur any more" in said


def test_the_baseline_survives_the_next_save(configured: Project) -> None:
    configured.run("--write-baseline", writes=[BASELINE])
    state = configured.model_dir / "checkpoint"
    text = state.read_text("utf-8")
    for path in list(configured.model_dir.glob("model.ckpt-10.*")):
        os.rename(str(path), str(path).replace("ckpt-10", "ckpt-20"))
    state.write_text(text.replace("ckpt-10", "ckpt-20"), "utf-8")
    assert configured.run("check", "wide").code == 0


@pytest.mark.parametrize(
    "option",
    [
        ("--mode", "predict"),
        ("--against", "HEAD"),
        ("--set", "a=1"),
        ("--features", "features.json"),
        ("--input-fn", "model.py:input_fn"),
        ("--behavior", "v1"),
        ("--params-type", "attr"),
        ("--env", "A=1"),
        ("--", "--flag"),
    ],
)
def test_the_baseline_is_of_the_checks_as_configured(
    option: Sequence[str], configured: Project
) -> None:
    run = configured.run("--write-baseline", *option)
    assert (run.code, f"leave out {option[0]}" in run.err) == (2, True), run


def test_the_baseline_keeps_what_was_not_judged(configured: Project) -> None:
    globs = CONFIGURATION.replace('model-dir = "model_dir"\n', 'model-dir = "model_d*"\n')
    configured.write("ckptcheck.toml", globs)
    configured.run("--write-baseline", writes=[BASELINE])
    path = configured.root / BASELINE
    document = json.loads(path.read_text("utf-8"))
    accepted = document["checks"]["wide[model_dir]"]
    assert accepted
    document["checks"].update({"wide[model_d2]": accepted, "gone": accepted})
    path.write_text(json.dumps(document), "utf-8")
    for file in configured.model_dir.iterdir():
        file.unlink()
    assert configured.run("--write-baseline", writes=[BASELINE]).code == 3
    kept = json.loads(path.read_text("utf-8"))["checks"]
    assert kept.pop("good[model_dir]") == []
    assert kept == {"wide[model_dir]": accepted, "wide[model_d2]": accepted}


def test_nothing_is_unused_if_it_was_not_judged(configured: Project) -> None:
    ignore = '[[ignore]]\nrule = "dtype-mismatch"\nreason = "planned"\n'
    configured.write("ckptcheck.toml", CONFIGURATION + ignore)
    configured.run("--write-baseline", writes=[BASELINE])
    run = configured.run("--set", "num_hidden=128", "--format", "json")
    assert run.json["findings"] == [], "as configured, the findings may occur"
    model = (configured.root / "model.py").read_text("utf-8")
    configured.write("model.py", model + "\n\ndef model_fn(features):\n    raise ValueError\n")
    run = configured.run("--format", "json")
    assert run.json["findings"] == [], "the model_fn raises an error"
    for file in configured.model_dir.iterdir():
        file.unlink()
    run = configured.run("--format", "json")
    assert (run.code, run.json["findings"]) == (3, []), "there is no checkpoint"


def test_an_ignore_that_matches_nothing_is_a_finding(configured: Project) -> None:
    ignore = '[[ignore]]\nrule = "{}"\nreason = "planned"\n'
    configured.write("ckptcheck.toml", CONFIGURATION + ignore.format("shape-mismatch"))
    assert configured.run().code == 0
    configured.write("ckptcheck.toml", CONFIGURATION + ignore.format("dtype-mismatch"))
    run = configured.run("--format", "json")
    document = json.loads(run.out)
    assert [finding["rule"] for finding in document["findings"]] == ["unused-ignore-entry"]
    assert document["findings"][0]["location"] == {"file": "ckptcheck.toml", "line": 13}
    one = json.loads(configured.run("check", "good", "--format", "json").out)
    assert one["findings"] == [], "the other check may need it"


def test_environment_variables_and_the_interpreter_of_a_check(configured: Project) -> None:
    configured.write(
        "reads.py",
        "import os\nimport model\n\n\ndef model_fn(features, labels, mode, params):\n"
        "    params['num_hidden'] = int(os.environ['HIDDEN'])\n"
        "    return model.model_fn(features, labels, mode, params)\n",
    )
    text = CONFIGURATION.replace("model.py", "reads.py")
    text = text.replace('name = "good"', 'name = "good"\nenv = {HIDDEN = "128"}')
    text = text.replace('name = "wide"', 'name = "wide"\nenv = {HIDDEN = "64"}')
    configured.write("ckptcheck.toml", f"python = {json.dumps(sys.executable)}\n{text}")
    found = checks(configured.run("--format", "json"))
    assert [found[name]["ok"] for name in ("good", "wide")] == [True, False]


def test_init_writes_a_configuration_that_works(project: Project) -> None:
    run = project.run("init", writes=["ckptcheck.toml"])
    assert run.code == 0, run.err
    text = (project.root / "ckptcheck.toml").read_text("utf-8")
    assert 'model-dir = "model_dir"' in text
    assert 'target = "model:model_fn"' in text
    assert 'params = "params.json"' in text
    assert project.run().code == 0
    again = project.run("init")
    assert again.code == 2
    assert "ckptcheck.toml has a configuration already" in again.err


def test_init_without_a_checkpoint(tmp_path: Path, project: Project) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / ".git").mkdir()
    run = project.run("init", cwd=empty)
    assert run.code == 2
    assert "there is no checkpoint in" in run.err


def test_no_arguments_and_no_configuration(project: Project) -> None:
    run = project.run()
    assert run.code == 2
    assert "there is no configuration (ckptcheck init writes one)" in run.err


@pytest.mark.parametrize(
    ("python", "said"),
    [
        ("nopython", "cannot run nopython (No such file or directory): python takes the path or"),
        (".", "python . is a directory"),
        ("'", "python ': No closing quotation"),
        (sys.executable + " -I -S", " has no TensorFlow. "),
        ("true", "true ended with exit code 0 before it answered"),
    ],
)
def test_a_python_that_cannot_run_the_code_has_a_place(
    python: str, said: str, configured: Project
) -> None:
    first, second = CONFIGURATION.split("\n\n")
    text = f"python = {json.dumps(python)}\n{first}\n\n{second}python = {json.dumps(python)}\n"
    configured.write("ckptcheck.toml", text)
    run = configured.run("--format", "json")
    found = checks(run)
    assert run.code == 2
    for name, line in (("good", 1), ("wide", 14)):
        assert found[name]["problem"].startswith(f"ckptcheck.toml:{line}: "), found[name]
        assert said in found[name]["problem"], found[name]
    words = ("model_dir", "model.py:model_fn", "params.json")
    for command in (("check",), ("record",)):
        run = configured.run(*command, *words)
        assert run.code == 2 and "ckptcheck: error: ckptcheck.toml:1: " in run.err, run
    run = configured.run("check", "good", "--python", "other-python", "--format", "json")
    problem = checks(run)["good"]["problem"]
    assert problem.startswith("cannot run other-python (") and "--python takes" in problem
