"""Tests of the configuration: its values, and all errors in one message."""

import os
import re
from pathlib import Path
from typing import Callable, Dict, List

import pytest

from ckptcheck.config.reading import find_document, read_configuration
from ckptcheck.config.toml_file import find_file, read_document
from ckptcheck.config.toml_lines import lines_of
from ckptcheck.config.value import Configuration, layered
from ckptcheck.errors import UsageError
from ckptcheck.options import AgainstSpec, CheckSpec, options_of

Write = Callable[[str], Configuration]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Reads a text as ckptcheck.toml of a project that has two model_dirs and params."""
    monkeypatch.chdir(tmp_path)
    for name in ("runs/a", "runs/b"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("params.json", "conf/a.json", "conf/b.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('{"units": 3}', "utf-8")

    def write(text: str) -> Configuration:
        (tmp_path / "ckptcheck.toml").write_text(text, "utf-8")
        return read_configuration(read_document(str(tmp_path / "ckptcheck.toml")))

    return write


def problems(read: Write, text: str) -> List[str]:
    with pytest.raises(UsageError) as found:
        read(text)
    head, *lines = str(found.value).splitlines()
    assert head == "the configuration is wrong"
    assert all(line.startswith("ckptcheck.toml:") for line in lines)
    return [line[len("ckptcheck.toml:") :] for line in lines]


CHECK = '[[check]]\nname = "a"\nmodel-dir = "runs/a"\n'


def test_a_check_has_the_options_of_the_command_line(read: Write) -> None:
    text = (
        CHECK + 'target = "net:model_fn"\nparams = "params.json"\nmodes = ["eval"]\ntimeout = 9\n'
    )
    check = read(text).checks[0]
    spec = CheckSpec(**check.options)
    assert (check.name, check.if_missing, spec.model_dir) == ("a", "fail", "runs/a")
    assert (spec.target, spec.modes, spec.timeout) == ("net:model_fn", ("eval",), 9.0)
    assert spec.params == {"units": 3}


@pytest.mark.parametrize("name", sorted(set(options_of(CheckSpec)) - {"model_dir"}))
def test_every_option_can_be_a_default_and_an_option_of_a_check(name: str, read: Write) -> None:
    values: Dict[str, str] = {
        "params": '"params.json"',
        "target": '"net:model_fn"',
        "features": "{features = {x = {dtype = 'float32', shape = [4]}}}",
        "input_fn": '"net:input_fn"',
        "behavior": '"v1"',
        "params_type": '"attr"',
        "app_dir": '"runs"',
        "fail_on": '"note"',
        "modes": '["train"]',
        "env": '{A = "1"}',
        "set": "{a.b = 2}",
        "flags": '["--x"]',
        "python": '"python3"',
    }
    kinds = {bool: "true", int: "0", float: "5"}
    value = values.get(name) or kinds[type(options_of(CheckSpec)[name].default)]
    for key in (name, name.replace("_", "-")):
        found = read(f"{key} = {value}\n{CHECK}{key} = {value}\n")
        assert found.defaults[name] == found.checks[0].options[name]
        CheckSpec(**{**found.defaults, **found.checks[0].options})


def test_params_can_be_a_table(read: Write) -> None:
    check = read(CHECK + "params = {units = 4, layers = [1, 2]}\n").checks[0]
    assert check.options["params"] == {"units": 4, "layers": [1, 2]}


def test_set_and_env_can_be_tables(read: Write) -> None:
    options = read(CHECK + 'set = {a = {b = 1}, c = "x"}\nenv = {A = "b=c"}\n').checks[0].options
    assert options["set"] == ["a.b=1", 'c="x"']
    assert options["env"] == ["A=b=c"]


def test_set_keeps_empty_tables_and_refuses_dates(read: Write) -> None:
    assert read(CHECK + "set = {opts = {}, a = {b = {}}}\n").checks[0].options["set"] == [
        "opts={}",
        "a.b={}",
    ]
    text = CHECK + "[check.set]\nstart = 2020-01-01\nmore = [{end = 2020-01-01}]\n"
    assert "set.start is a date, which JSON cannot express" in problems(read, text)[0]
    assert "env.A: {}: expected a string" in problems(read, CHECK + "env = {A = {}}\n")[0]


def test_a_glob_stands_for_a_check_of_each_model_dir(read: Write) -> None:
    text = '[[check]]\nname = "all"\nmodel-dir = "runs/*"\nparams = "conf/{name}.json"\n'
    found = [(c.name, c.table, c.options["params"]) for c in read(text).checks]
    assert found == [
        ("all[runs/a]", "all", "conf/a.json"),
        ("all[runs/b]", "all", "conf/b.json"),
    ]


def test_globs_of_model_dirs_and_params_stand_for_every_pair(read: Write) -> None:
    text = '[[check]]\nname = "all"\nmodel-dir = ["runs/a", "runs/b"]\nparams = "conf/*.json"\n'
    names = [check.name for check in read(text).checks]
    assert len(names) == 4
    assert names[0] == "all[runs/a, conf/a.json]"


def test_a_model_dir_that_several_patterns_match_is_one_check(read: Write) -> None:
    text = '[[check]]\nname = "all"\nmodel-dir = ["runs/b", "runs/*", "runs/a/", "./gs:"]\n'
    names = [check.name for check in read(text).checks]
    assert names == ["all[runs/b]", "all[runs/a]", "all[./gs:]"]


def test_checks_in_one_line_have_different_names(read: Write) -> None:
    text = 'check = [{name = "a", model-dir = "runs/a"}, {name = "a", model-dir = "runs/b"}]\n'
    assert problems(read, text) == ["1: the name 'a' is taken by the check in line 1"]


def test_a_directory_whose_name_looks_like_a_glob(read: Write) -> None:
    os.mkdir("runs/[1]")
    checks = read('[[check]]\nname = "a"\nmodel-dir = "runs/[1]"\n').checks
    assert [check.name for check in checks] == ["a"]


def test_a_glob_that_matches_nothing(read: Write) -> None:
    text = '[[check]]\nname = "all"\nmodel-dir = "gone/*"\n'
    (check,) = read(text).checks
    assert check.name == "all"
    assert check.problem == "ckptcheck.toml:3: model-dir: gone/*: no directory matches"


def test_a_glob_that_matches_nothing_skips_only_its_own_checks(read: Write) -> None:
    text = '[[check]]\nname = "all"\nmodel-dir = ["runs/a", "gone/*"]\nif-missing = "skip"\n'
    found = [(check.name, check.options["model_dir"]) for check in read(text).checks]
    assert found == [("all[runs/a]", "runs/a"), ("all[gone/*]", "gone/*")]


@pytest.mark.parametrize(
    ("places", "problem"),
    [
        ('model-dir = "gs://runs/*"\n', "a glob cannot be remote"),
        ("model-dir = []\n", "model-dir is an empty list: the check 'all' needs model-dir or"),
        ('against = "HEAD"\nparams = "conf/{name}.json"\n', "has no model_dir"),
    ],
)
def test_only_a_missing_model_dir_is_skipped(places: str, problem: str, read: Write) -> None:
    text = f'[[check]]\nname = "all"\nif-missing = "skip"\n{places}'
    assert problem in problems(read, text)[0]


def test_too_many_checks_are_not_skipped(read: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(33):
        os.mkdir(f"runs/{number}")
        with open(f"conf/{number}.json", "w") as file:
            file.write("{}")
    text = '[[check]]\nname = "all"\nif-missing = "skip"\nmodel-dir = "runs/*"\n'
    assert "more than 1000 checks" in problems(read, text + 'params = "conf/*.json"\n')[0]


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ('params = "conf/*.jsn"\n', "4: params: conf/*.jsn: no file matches"),
        ('params = "gone.json"\n', "4: params gone.json: no such file"),
        ('features = "gone.json"\n', "4: features gone.json: no such file"),
        ('app-dir = "gone"\n', "4: app-dir gone: no such directory"),
    ],
)
def test_a_missing_file_is_a_problem_of_its_check(more: str, problem: str, read: Write) -> None:
    other = '[[check]]\nname = "b"\nmodel-dir = "runs/b"\n'
    found = read(CHECK + more + other).checks
    assert [check.problem.startswith(f"ckptcheck.toml:{problem}") for check in found] == [
        True,
        False,
    ]


def test_only_the_chosen_checks_are_read(read: Write) -> None:
    text = CHECK + '[[check]]\nname = "b"\nmodel-dir = "runs/b"\ntimeout = -1\n'
    assert "timeout -1" in problems(read, text)[0]
    document = find_document()
    assert [check.name for check in read_configuration(document, {"a"}).checks] == ["a"]
    none = read_configuration(document, ())
    assert (none.checks, none.tables) == ((), ("a", "b"))


def test_the_keys_of_all_checks_are_verified(read: Write) -> None:
    problems(read, CHECK + '[[check]]\nname = "b"\nmodle-dir = "runs/b"\n')
    with pytest.raises(UsageError, match="unknown key 'modle-dir'"):
        read_configuration(find_document(), {"a"})
    assert read_configuration(find_document(), ()).checks == ()


def test_all_problems_are_told_at_once_with_their_lines(read: Write) -> None:
    text = """timeuot = 3
fail-on = "fatal"

[severity]
shape-mismach = "note"
missing-variable = "bad"

[[ignore]]
rule = "shape-mismatch"

[[ignore]]
reason = "because"

[[check]]
name = "a"
model_dir = "runs/a"
target = "no colon"
timeout = -1

[[check]]
name = "a"
model-dir = "runs/b"

[[check]]
model-dir = "runs/b"

[[check]]
name = "b"
if-missing = "maybe"
"""
    assert problems(read, text) == [
        "1: unknown key 'timeuot': did you mean timeout?",
        "2: fail-on fatal: expected note, warning or error",
        "5: no rule 'shape-mismach': did you mean shape-mismatch?",
        "6: severity of missing-variable: expected note, warning, error or off",
        "8: an ignore needs a reason: say why the project accepts the finding",
        "11: an ignore needs a rule, a variable, or both",
        "17: target 'no colon': expected module:attr or path/to/file.py:attr, "
        "such as models.net:model_fn",
        "18: timeout -1: expected seconds above 0, 86400 at most",
        "20: the name 'a' is taken by the check in line 14",
        '24: a check needs a name that has no / and does not begin with -, such as name = "base"',
        "27: the check 'b' needs model-dir or against",
        "29: if-missing: expected fail or skip",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("check = 3\n", "check: expected tables, such as [[check]]"),
        ("severity = 3\n", "severity: expected a table"),
        ("jobs = -1\n", "jobs -1: expected a number from 1 to 256"),
        ("baseline = 3\n", "baseline: expected a string"),
        ("timeout = 1\ntime-out = 2\n", "unknown key 'time-out': did you mean timeout?"),
        ("fail-on = 'note'\nfail_on = 'note'\n", "fail-on is given twice: with a hyphen and"),
        (CHECK + "env = {A = 1}\n", "env.A: 1: expected a string"),
        ("[tool.ckptcheck]\n", "unknown key 'tool': leave out tool.ckptcheck"),
        (CHECK + "modeldir = 'b'\n", "unknown key 'modeldir': did you mean model-dir?"),
        (CHECK + "nam = 'b'\n", "unknown key 'nam': did you mean name?"),
        (
            '[[ignore]]\nrule = "temporary-model-dir"\nreason = "a test"\n',
            "temporary-model-dir is a rule of ckptcheck lint. To ignore its findings, write a "
            "comment in the code: # ckptcheck: ignore[temporary-model-dir]",
        ),
    ],
)
def test_wrong_values(text: str, words: str, read: Write) -> None:
    assert any(words in line for line in problems(read, text))


def test_the_names_of_tables_depend_on_the_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ckptcheck.check]\nname = 'a'\n", "utf-8")
    with pytest.raises(
        UsageError, match=r"expected tables, such as \[\[tool\.ckptcheck\.check\]\]"
    ):
        read_configuration(read_document(str(tmp_path / "pyproject.toml")))


def test_a_more_specific_level_drops_what_it_excludes() -> None:
    features, code = {"features": "f.json", "deep": True}, {"input_fn": "net:input_fn"}
    assert layered(features, code) == {**code, "deep": True}
    assert layered(code, features) == features
    assert layered(features, {"against": "HEAD"}) == {"features": "f.json", "against": "HEAD"}
    assert layered(features, {"input_fn": ""}) == {**features, "input_fn": ""}
    assert layered({}, {**features, **code}) == {**features, **code}, "one level has both"


def test_a_file_that_is_not_toml(read: Write) -> None:
    with pytest.raises(UsageError, match=r"ckptcheck\.toml: not TOML: .*line 1"):
        read("name = \n")


def test_a_table_of_another_type(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool]\nckptcheck = 3\n", "utf-8")
    with pytest.raises(UsageError, match=r"tool\.ckptcheck: expected a table"):
        read_document(str(tmp_path / "pyproject.toml"))


def test_a_table_without_tool(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[[ckptcheck.check]]\nname = 'a'\n", "utf-8")
    with pytest.raises(UsageError, match=r"\[ckptcheck\]: expected \[tool\.ckptcheck\]"):
        find_file(str(tmp_path))


def test_the_nearest_file_counts_up_to_the_root_of_the_repository(tmp_path: Path) -> None:
    inner = tmp_path / "repository" / "models"
    inner.mkdir(parents=True)
    outer = tmp_path / "ckptcheck.toml"
    outer.write_text("", "utf-8")
    assert find_file(str(inner)) == str(outer)
    (tmp_path / "repository" / ".git").mkdir()
    assert find_file(str(inner)) == ""
    shared = tmp_path / "repository" / "pyproject.toml"
    shared.write_text("[project]\nname = 'ckptcheck-user'\n", "utf-8")
    assert find_file(str(inner)) == ""
    shared.write_text("[tool.ckptcheck]\ntimeout = 3\n", "utf-8")
    assert find_file(str(inner)) == str(shared)
    own = tmp_path / "repository" / "ckptcheck.toml"
    own.write_text("", "utf-8")
    assert find_file(str(inner)) == str(own)


def test_lines_of_pyproject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = '[project]\nname = "x"\n\n[[tool.ckptcheck.check]]\nname = "a"\nmodeldir = "x"\n'
    (tmp_path / "pyproject.toml").write_text(text, "utf-8")
    with pytest.raises(UsageError, match=re.escape("pyproject.toml:6: unknown key 'modeldir'")):
        read_configuration(find_document())


def test_paths_start_from_the_file(read: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("runs")
    found = read(CHECK + 'params = "params.json"\napp-dir = "conf"\n').checks[0].options
    assert found["model_dir"] == "a"
    assert found["params"] == os.path.join("..", "params.json")
    assert CheckSpec(**found).app_dir.endswith("conf")


def test_files_of_code_start_from_the_file(
    read: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    absolute = str(tmp_path / "net.py") + ":input_fn"
    text = f"""target = "src/net.py:model_fn"
input-fn = "{absolute}"
params-type = "src/net.py:Params"

[[check]]
name = "a"
model-dir = "runs/a"
target = "models.net:model_fn"
params-type = "attr"
"""
    monkeypatch.chdir("runs")
    found = read(text)
    assert found.defaults["target"] == "../src/net.py:model_fn"
    assert found.defaults["input_fn"] == absolute
    assert found.defaults["params_type"] == "../src/net.py:Params"
    options = found.checks[0].options
    assert (options["target"], options["params_type"]) == ("models.net:model_fn", "attr")


def test_no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    assert read_configuration(find_document()) == Configuration()


def test_lines_of_keys() -> None:
    text = '''# a comment = 1
a = """
b = 2
"""
c = [1, # [
  2]
"d.e" = {x = "]"}
[f.g]
h.i = 'x = "'
[[f.j]]
k = 1
[f.j.l]
m = 1
[[f.j]]
k = 2
'''
    assert lines_of(text) == {
        ("a",): 2,
        ("c",): 5,
        ("d.e",): 7,
        ("f", "g"): 8,
        ("f", "g", "h", "i"): 9,
        ("f", "j", 0): 10,
        ("f", "j", 0, "k"): 11,
        ("f", "j", 0, "l"): 12,
        ("f", "j", 0, "l", "m"): 13,
        ("f", "j", 1): 14,
        ("f", "j", 1, "k"): 15,
    }


def test_a_check_of_code_against_code_needs_no_model_dir(read: Write) -> None:
    text = '[[check]]\nname = "a"\nagainst = "HEAD"\ntarget = "net:model_fn"\n'
    check = read(text + 'params = "params.json"\n').checks[0]
    assert (check.name, "model_dir" in check.options) == ("a", False)
    assert AgainstSpec(**check.options).against == "HEAD"
    assert len(read(text + 'params = "conf/*.json"\n').checks) == 2
    assert "no model_dir" in problems(read, text + 'params = "conf/{name}.json"\n')[0]
    assert "needs model-dir or against" in problems(read, text.replace("HEAD", ""))[0]
    assert "unknown key 'against'" in problems(read, 'against = "HEAD"\n')[0]


def test_wrong_types_are_told_at_once(read: Write) -> None:
    text = """python = 3
app-dir = 4

[[check]]
name = "a"
model-dir = "runs/a"
timeout = "soon"
python = ["python3"]

[[check]]
name = "b"
model_dir = 3
params = 5
app-dir = true

[[check]]
name = "c"
model-dir = ["runs/a", 3]
features = 2020-01-01
cache-dir = {}

[[check]]
name = "d"
model-dir = "runs/*"
features = {feature = {}}
params = {when = 2020-01-01}

[[check]]
name = "e"
model-dir = {}
quiet = "yes"
modes = [1]
"""
    assert problems(read, text) == [
        "1: python is a number: expected the path or the command of a Python",
        "2: app-dir is a number: expected the path of a directory",
        "7: timeout soon: expected a number of seconds",
        "8: python is an array: expected the path or the command of a Python",
        "12: model-dir is a number: expected a path, a glob, or a list of them",
        "13: params is a number: expected a path, a glob, or a table",
        "14: app-dir is a boolean: expected a path",
        "18: model-dir contains a number: expected a path, a glob, or a list of them",
        "19: features is a date: expected a path, or a table",
        "20: cache-dir is a table: expected a path",
        "25: features: unknown key 'feature'; expected features, labels, predict, eval, train, "
        "export",
        "26: params['when'] is a date, which JSON cannot express: use a TARGET that adds it to the "
        "params",
        "30: model-dir is a table: expected a path, a glob, or a list of them",
        "31: quiet is a string: expected true or false",
        "32: modes contains a number: expected a list of modes, such as ['predict', 'eval']",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('set = {"q=r" = 4}', '4: set: "q=r": a key must not be empty or contain =; set this par'),
        ('set = {a = {"q=" = 4}}', '4: set: "a.q=": a key must not be empty or contain =; set th'),
        ('set = {"" = 4}', '4: set: "": a key must not be empty or contain =; set this param in'),
        ('env = {"A=B" = "c"}', '4: env: "A=B": the name of a variable must not be empty or'),
        ('env = {"" = "c"}', '4: env: "": the name of a variable must not be empty or contain ='),
        ("env = {A = true}", "4: env.A: true: expected a string"),
    ],
)
@pytest.mark.parametrize("table", [CHECK, "# 1\n# 2\n# 3\n"])
def test_names_that_cannot_be_set(table: str, text: str, problem: str, read: Write) -> None:
    (found,) = problems(read, f"{table}{text}\n")
    assert found.startswith(problem)


@pytest.mark.parametrize("blank", ["", " ", "\\t\\n", "\u3000"])
@pytest.mark.parametrize("key", ["reason", "rule", "variable", "check"])
def test_an_ignore_of_blanks(key: str, blank: str, read: Write) -> None:
    values = {"reason": "a test", "variable": "dense/*", key: blank}
    lines = "".join(f'{name} = "{value}"\n' for name, value in sorted(values.items()))
    place = sorted(values).index(key) + 2
    expected = "it has only blanks: expected words" if blank else "expected a string"
    assert problems(read, f"[[ignore]]\n{lines}") == [f"{place}: {key}: {expected}"]


def test_the_place_of_the_python(read: Write) -> None:
    assert read(CHECK).python_at == read(CHECK).checks[0].python_at == ""
    found = read(f'python = "a"\n\n{CHECK}python = "b"\n')
    assert (found.python_at, found.checks[0].python_at) == ("ckptcheck.toml:1", "ckptcheck.toml:6")
