"""Checks of code against the code at a git revision."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Dict, Iterator, List, Set, Tuple

import pytest

import ckptcheck

from . import consumers
from .support import (
    FIXTURES,
    PROJECT,
    SAVED_BY,
    TENSORFLOW,
    Project,
    Run,
    copy_fixture,
    digest,
    needs_tensorflow,
    said,
)

pytestmark = needs_tensorflow
ARGUMENTS = ("model.py:model_fn", "params.json")
FEATURES: Dict[str, Any] = {
    "features": {"x": {"dtype": "float32", "shape": [None, 1]}},
    "labels": {"dtype": "float32", "shape": [None, 1]},
}
SAME_TENSORFLOW = (TENSORFLOW or "").startswith({"tf115": "1.15", "tf215": "2.15"}[SAVED_BY])


def git(root: Path, *arguments: str) -> str:
    """Runs git without the user's configuration."""
    words = ["git", "-c", "user.name=x", "-c", "user.email=x@localhost", *arguments]
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(words, cwd=str(root), env=env, check=True, capture_output=True)
    return done.stdout.decode("utf-8").strip()


def commit_all(project: Project, text: str = "all") -> None:
    git(project.root, "add", "-A")
    git(project.root, "commit", "-q", "--allow-empty", "-m", text)


@pytest.fixture
def repository(tmp_path: Path) -> Project:
    """The fixture as it was trained, committed; git ignores its model_dir."""
    project = copy_fixture("hidden_dropout", tmp_path)
    project.write("features.json", json.dumps(FEATURES))
    project.write(".gitignore", "model_dir\nrecorded\n")
    recorded = FIXTURES / "hidden_dropout" / "recorded" / SAVED_BY
    shutil.copytree(str(recorded), str(project.root / "recorded" / "model_dir"))
    git(project.root, "init", "-q")
    commit_all(project)
    return project


def against(project: Project, *arguments: str, **options: Any) -> Run:
    """Checks the code against HEAD, without the model_dir."""
    words = ("--against", "HEAD", *(arguments or ARGUMENTS), "--features", "features.json")
    before = digest(project.root)
    run = project.run(*words, **options)
    assert digest(project.root) == before, "the repository was changed"
    return run


def report(run: Run) -> Dict[str, Any]:
    document: Dict[str, Any] = json.loads(run.out)
    return document


def edit(project: Project, old: str, new: str, name: str = "model.py") -> None:
    text = (project.root / name).read_text("utf-8")
    assert text.count(old) == 1, text
    project.write(name, text.replace(old, new))


# --- The same as with a checkpoint -----------------------------------------------------------

DENSE = 'tf.layers.dense(features["x"], params.get("num_hidden", 64), activation=tf.nn.relu'
ADAM = 'tf.train.AdamOptimizer(params.get("learning_rate", 0.001))'
OUTPUT = "tf.layers.dense(hidden, 1)"
EDITS: Dict[str, Tuple[Tuple[str, str], ...]] = {
    "unchanged": (),
    "activation": (("tf.nn.relu", "tf.nn.tanh"),),
    "dropout": (("rate=params", "rate=0.1 + params"),),
    "loss": (("mean_squared_error", "absolute_difference"),),
    "learning-rate": ((ADAM, "tf.train.AdamOptimizer(0.01)"),),
    "momentum": ((ADAM, "tf.train.MomentumOptimizer(0.01, 0.9)"),),
    "gradient-descent": ((ADAM, "tf.train.GradientDescentOptimizer(0.01)"),),
    "layer-named": ((DENSE, DENSE + ', name="hidden"'),),
    "layer-added": ((OUTPUT, f"tf.layers.dense({OUTPUT}, 1)"),),
    "batch-normalization": ((OUTPUT, "tf.layers.dense(tf.layers.batch_normalization(hidden), 1)"),),
    "no-bias": ((OUTPUT, "tf.layers.dense(hidden, 1, use_bias=False)"),),
    "more-outputs": ((OUTPUT, "tf.layers.dense(hidden, 2)"),),
    "float64": (('features["x"]', 'tf.cast(features["x"], tf.float64)'),),
    "scaled": (('{"y": predictions}', '{"y": 2 * predictions}'),),
    "raises-in-train": (("    loss = ", "    assert not training\n    loss = "),),
    "other-param": (('"num_hidden"', '"units"'),),
}


@pytest.fixture(scope="module")
def tracer() -> Iterator[ckptcheck.Tracer]:
    with ckptcheck.Tracer() as running:
        yield running


def _said(found: ckptcheck.Report, unknown: Set[str]) -> Tuple[Dict[str, Any], List[Any]]:
    """Returns the verdicts and findings of a report that are about the model and not about files.

    Args:
        found: the report.
        unknown: the modes whose drift does not count.
    """
    document = json.loads(_as_json(found))
    findings = [
        (item["key"], item["severity"], item["modes"], item["outcomes"], item["location"])
        for item in document["findings"]
        if item["category"] not in ("files", "environment")
        if item["category"] != "drift" or not unknown.issuperset(item["modes"])
    ]
    modes = {mode: dict(answer) for mode, answer in document["modes"].items()}
    for mode in unknown:
        del modes[mode]["drift"]
    return modes, sorted(findings, key=str)


def _unknown(found: ckptcheck.Report) -> Set[str]:
    """Returns the modes whose drift only a check with --against can know."""
    states = {mode: found.drift.states.get(mode) for mode in ("predict", "eval", "train")}
    return {mode for mode, state in states.items() if state == "unknown" or not SAME_TENSORFLOW}


def _as_json(found: ckptcheck.Report) -> str:
    from ckptcheck.reporters import render
    from ckptcheck.runs import Runs

    return render(Runs.of(found), "json")


@pytest.mark.parametrize("name", EDITS)
def test_it_says_what_a_check_of_the_trained_checkpoint_says(
    name: str, repository: Project, tracer: ckptcheck.Tracer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for old, new in EDITS[name]:
        edit(repository, old, new)
    monkeypatch.chdir(repository.root)
    asked: Any = {"target": "model:model_fn", "params": "params.json", "app_dir": "."}
    trained = tracer.check("recorded/model_dir", **asked)
    unknown = _unknown(trained)
    expected = _said(trained, unknown)
    sources: List[Any] = [{"model_dir": "model_dir"}, {"features": "features.json"}]
    for more in sources:
        behavior = trained.trace.launch.behavior if trained.trace else "auto"
        found = tracer.check(against="HEAD", behavior=behavior, **asked, **more)
        assert _said(found, unknown) == expected
        assert found.against is not None and found.against.revision == "HEAD"


# --- Reports ---------------------------------------------------------------------------------


def test_unchanged_code_is_clean(repository: Project) -> None:
    run = against(repository)
    commit = git(repository.root, "rev-parse", "HEAD")
    assert run.code == 0
    assert f"a checkpoint of the code at HEAD ({commit[:7]}) (15 variables)" in run.out
    assert run.out.endswith("PREDICT, EVAL, TRAIN will restore.\n")


def test_a_changed_activation_is_told(repository: Project) -> None:
    edit(repository, "tf.nn.relu", "tf.nn.tanh")
    run = against(repository)
    assert run.code == 0
    assert "activation after dense: relu -> tanh" in run.out
    assert "compute something else than at HEAD (" in run.out.replace("\n  ", " ")
    assert "model.py: model_fn changed" in run.out


def test_the_graph_of_each_mode_is_known(repository: Project) -> None:
    """A checkpoint has only the graph of TRAIN. This graph has the dropout."""
    edit(repository, "training=training", "training=mode != 'infer'")
    modes = report(against(repository, *ARGUMENTS, "--format", "json"))["modes"]
    drift = {mode: answer["drift"] for mode, answer in modes.items()}
    assert drift == {"predict": "none", "eval": "changed", "train": "none"}


def test_json_names_the_revision_and_the_commit(repository: Project) -> None:
    commit = git(repository.root, "rev-parse", "HEAD")
    found = report(against(repository, *ARGUMENTS, "--format", "json"))
    assert found["checkpoint"] == {
        "model_dir": None,
        "prefix": None,
        "step": None,
        "variables": 15,
        "data": None,
        "against": {"revision": "HEAD", "commit": commit},
    }
    assert found["features"]["source"] == "features-file"


def test_the_formats_for_ci_systems_name_the_revision(repository: Project) -> None:
    edit(repository, "tf.nn.relu", "tf.nn.tanh")
    formats = ("github", "gitlab", "html", "junit", "markdown", "sarif")
    paths = {name: repository.root.parent / f"report.{name}" for name in formats}
    outputs = [f"--output={name}={path}" for name, path in paths.items()]
    assert against(repository, *ARGUMENTS, *outputs).code == 0
    texts = {name: path.read_text("utf-8") for name, path in paths.items()}
    for name in ("github", "html", "junit", "markdown"):
        assert "a checkpoint of the code at HEAD" in texts[name], texts[name]
    for entry in json.loads(texts["gitlab"]):
        assert entry["location"]["path"] == "model.py"
    for result in json.loads(texts["sarif"])["runs"][0]["results"]:
        (place,) = result["locations"]
        assert place["physicalLocation"]["artifactLocation"]["uri"] == "model.py"


def test_each_result_has_a_place_in_the_code(repository: Project) -> None:
    """Code scanning refuses a whole file if one result in it has no place."""
    (repository.root / "app").mkdir()
    (repository.root / "model.py").rename(repository.root / "app" / "model.py")
    commit_all(repository)
    edit(repository, OUTPUT, 'tf.layers.dense(features["x"], 1)', "app/model.py")
    words = ("model:model_fn", "params.json", "--app-dir", "app", "--format", "sarif")
    (run,) = consumers.sarif(against(repository, *words).out)["runs"]
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert {place["artifactLocation"]["uri"] for place in places} == {"app/model.py"}
    assert {"source-changed", "unused-variable"} <= {item["ruleId"] for item in run["results"]}


def test_the_cache_is_not_used(repository: Project) -> None:
    folder = repository.root.parent / "cache"
    env = {**repository.environment(), "CKPTCHECK_NO_CACHE": ""}
    asked = ("model_dir", *ARGUMENTS, "--cache-dir", folder, "-v")
    said = "cache: not used: a check with --against always runs the code"
    first = repository.run("--against", "HEAD", *asked, env=env)
    assert (first.code, said in first.err, folder.exists()) == (0, True, False)
    assert "cache: kept in the cache" in repository.run(*asked, env=env).err
    second = repository.run("--against", "HEAD", *asked, env=env)
    assert (second.out, said in second.err) == (first.out, True)
    edit(repository, "tf.nn.relu", "tf.nn.tanh")
    third = repository.run("--against", "HEAD", *asked, env=env)
    assert "something else than at HEAD" in " ".join(third.out.split())
    assert said in third.err


def test_params_are_those_of_each_revision_and_set_applies_to_both(repository: Project) -> None:
    repository.params({"num_hidden": 64, "dropout_rate": 0.3})
    run = against(repository)
    assert run.code == 1
    assert "set num_hidden to 128 in the params" in run.out.replace("\n  ", " ")
    assert "num_hidden was 128 in training, and is 64 now" in run.out
    assert against(repository, *ARGUMENTS, "--set", "num_hidden=32").code == 0


def test_params_that_git_does_not_have_are_not_judged(repository: Project) -> None:
    repository.write("mine.json", '{"num_hidden": 7}')
    run = against(repository, "model.py:model_fn", "mine.json")
    assert run.code == 0
    assert "whether PARAMS were the same at HEAD" in run.out.replace("\n  ", " ")


def test_the_features_of_each_revision(repository: Project) -> None:
    edit(repository, 'features["x"]', 'features["y"]')
    renamed = {**FEATURES, "features": {"y": FEATURES["features"]["x"]}}
    repository.write("features.json", json.dumps(renamed))
    assert against(repository).code == 0


def test_an_input_fn_of_each_revision(repository: Project) -> None:
    function = (
        "import tensorflow as tf\n\n\ndef input_fn():\n"
        "    return {'x': tf.ones([8, 1])}, tf.ones([8, 1])\n"
    )
    repository.write("inputs.py", function)
    commit_all(repository)
    words = ("--against", "HEAD", *ARGUMENTS, "--input-fn", "inputs.py:input_fn")
    assert repository.run(*words).code == 0
    repository.write("inputs.py", function.replace("'x'", "'y'"))
    edit(repository, 'features["x"]', 'features["y"]')
    edit(repository, "tf.nn.relu", "tf.nn.tanh")
    run = repository.run(*words)
    assert run.code == 0
    assert "activation after dense: relu -> tanh" in run.out


def test_a_model_dir_gives_features_and_a_record_gives_the_arguments(repository: Project) -> None:
    edit(repository, "tf.nn.relu", "tf.nn.tanh")
    run = repository.run("--against", "HEAD", "model_dir", *ARGUMENTS)
    assert run.code == 0
    assert "features from the saved graph" in run.out
    assert "activation after dense: relu -> tanh" in run.out
    run = repository.run("--against", "HEAD", "recorded/model_dir")
    assert run.code == 0
    assert "TARGET and PARAMS from it" in run.out.replace("\n  ", " ")
    assert "activation after dense: relu -> tanh" in run.out


def test_an_older_revision_and_a_directory_below_the_root(tmp_path: Path) -> None:
    project = copy_fixture("hidden_dropout", tmp_path)
    project.write("features.json", json.dumps(FEATURES))
    git(tmp_path, "init", "-q")
    commit_all(project)
    edit(project, "tf.nn.relu", "tf.nn.tanh")
    commit_all(project)
    assert "relu" not in against(project).out
    words = ("--against", "HEAD~1", *ARGUMENTS, "--features", "features.json")
    assert "activation after dense: relu -> tanh" in project.run(*words).out


# --- Files -----------------------------------------------------------------------------------

VOCABULARY = """
import os
import tensorflow as tf

HERE = os.path.dirname(os.path.abspath(__file__))


def model_fn(features, labels, mode, params):
    path = os.path.join(HERE, "words.txt")
    with open(path) as file:
        count = len(file.readlines())
    line, number = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
    words = tf.lookup.TextFileInitializer(path, tf.string, line, tf.int64, number)
    table = tf.lookup.StaticVocabularyTable(words, num_oov_buckets=1)
    noted = tf.io.read_file(tf.constant(os.path.join(HERE, "note.txt")))
    ids = table.lookup(tf.as_string(features["x"][:, 0]))
    embedding = tf.get_variable("embedding", [count + 1, 3])
    y = tf.reduce_sum(tf.nn.embedding_lookup(embedding, ids), 1)
    predictions = {"y": y, "note": tf.fill(tf.shape(y), noted)}
    if mode == "infer":
        return tf.estimator.EstimatorSpec(mode, predictions=predictions)
    loss = tf.reduce_mean(y)
    train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss, tf.train.get_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)
"""


def test_data_files_are_those_of_the_revision(repository: Project) -> None:
    repository.write("model.py", VOCABULARY)
    repository.write("words.txt", "a\nb\n")
    commit_all(repository)
    run = against(repository)
    assert run.code == 0
    assert "warning" not in run.out, "paths in the graph are those of the project"
    repository.write("words.txt", "b\na\n")
    run = against(repository)
    assert "data-file-changed" in run.out
    assert "the lines are in another order" in run.out.replace("\n  ", " ")
    repository.write("words.txt", "a\nb\nc\n")
    assert against(repository).code == 1, "the embedding has more rows"


def test_the_code_at_the_revision_sees_what_git_does_not_track(repository: Project) -> None:
    repository.write("model.py", "from made import SIZE\n" + VOCABULARY)
    repository.write(".gitignore", "model_dir\nwords.txt\nmade.py\n")
    repository.write("words.txt", "a\nb\n")
    repository.write("made.py", "SIZE = 1\n")
    commit_all(repository)
    run = against(repository)
    text = run.out.replace("\n  ", " ")
    assert run.code == 0
    end = "git does not have them there"
    assert f"whether these files were the same at the revision: made.py. {end}" in text
    assert f"words.txt. {end}" in text


def test_files_that_git_archive_leaves_out_are_there(repository: Project) -> None:
    edit(repository, "import tensorflow as tf\n", "import tensorflow as tf\nimport helper\n")
    repository.write("helper.py", "")
    repository.write(".gitattributes", "helper.py export-ignore\n")
    commit_all(repository)
    assert against(repository).code == 0


def test_submodules_and_links(repository: Project, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "layers.py").write_text("SIZE = 1\n", "utf-8")
    git(library, "init", "-q")
    git(library, "add", "-A")
    git(library, "commit", "-q", "-m", "one")
    git(repository.root, "-c", "protocol.file.allow=always", "submodule", "add", str(library))
    edit(repository, OUTPUT, "tf.layers.dense(hidden, layers.SIZE)")
    edit(
        repository, "import tensorflow as tf\n", "import tensorflow as tf\nfrom lib import layers\n"
    )
    (repository.root / "lib").symlink_to("library")
    commit_all(repository)
    (repository.root / "library" / "layers.py").write_text("SIZE = 2\n", "utf-8")
    run = against(repository)
    assert run.code == 1
    assert "shape-mismatch" in run.out
    assert "submodule" not in run.out


# --- What cannot be compared -----------------------------------------------------------------


def test_it_needs_a_repository_and_a_revision(repository: Project, tmp_path: Path) -> None:
    run = repository.run("--against", "gone", *ARGUMENTS)
    assert run.code == 2
    assert "gone is not a revision of" in said(run)
    run = repository.run("--against=--output=x", *ARGUMENTS)
    assert run.code == 2
    assert "--against --output=x: expected a git revision" in said(run)
    outside = tmp_path / "outside"
    outside.mkdir()
    environment = repository.environment(GIT_CEILING_DIRECTORIES=str(tmp_path))
    run = repository.run("--against", "HEAD", *ARGUMENTS[:1], cwd=outside, env=environment)
    assert run.code == 2
    assert f"{outside} is not in a git repository" in said(run)
    run = repository.run("--against", "HEAD", *ARGUMENTS, env=repository.environment(PATH="/gone"))
    assert run.code == 2
    assert "install git" in said(run)


def test_code_at_the_revision_that_cannot_be_traced(repository: Project) -> None:
    good = (repository.root / "model.py").read_text("utf-8")
    edit(repository, "    loss = ", "    raise ValueError('half done')\n    loss = ")
    commit_all(repository)
    repository.write("model.py", good)
    run = against(repository)
    assert run.code == 2
    assert "the code at HEAD (" in said(run)
    assert "TRAIN cannot be traced" in said(run)
    assert "ValueError: half done (model.py:14)" in said(run)


def test_a_target_that_the_revision_does_not_have(repository: Project) -> None:
    repository.write("new.py", (repository.root / "model.py").read_text("utf-8"))
    run = against(repository, "new.py:model_fn", "params.json")
    assert run.code == 2
    assert "git does not have new.py at this revision" in said(run)
    assert "If this commit adds or renames it, check again after the commit" in said(run)
    git(repository.root, "add", "new.py")
    run = against(repository, "new.py:model_fn", "params.json")
    assert run.code == 2
    assert "the code at HEAD (" in said(run) and "no file new.py" in said(run)


def test_code_that_is_imported_from_the_working_tree(repository: Project, tmp_path: Path) -> None:
    """Editable installs with their own finder do this."""
    os.rename(str(repository.root / "model.py"), str(repository.root / "inner.py"))
    (repository.root / "src").mkdir()
    os.rename(str(repository.root / "inner.py"), str(repository.root / "src" / "inner.py"))
    repository.write("model.py", "from inner import model_fn\n")
    commit_all(repository)
    folders = (str(repository.root / "src"), str(PROJECT))
    env = repository.environment(PYTHONPATH=os.pathsep.join(folders))
    edit(repository, "tf.nn.relu", "tf.nn.tanh", "src/inner.py")
    run = against(repository, env=env)
    assert run.code == 0
    assert "activation after dense: relu -> tanh" in run.out, (
        "a directory of the path is that of the revision"
    )
    folder = str(repository.root / "src")
    finder = f"import sys\nsys.path.append({folder!r})\nfrom inner import model_fn\n"
    repository.write("model.py", finder)
    commit_all(repository)
    run = against(repository)
    assert run.code == 2
    assert "it imports inner from the working tree" in said(run)


def test_features_that_are_not_known(repository: Project) -> None:
    run = repository.run("--against", "HEAD", *ARGUMENTS)
    assert run.code == 2
    assert "without MODEL_DIR, there is no saved graph" in said(run)
    assert '"x": {"dtype": "?"' in run.err


def test_what_does_not_go_with_it(repository: Project) -> None:
    run = repository.run("--against", "HEAD", *ARGUMENTS, "--deep")
    assert (run.code, "cannot be used together" in said(run)) == (2, True)
    run = repository.run("--against", "HEAD", "--features", "features.json")
    assert run.code == 2
    run = repository.run("record", "model_dir", *ARGUMENTS, "--against", "HEAD")
    assert (run.code, "no such option: --against" in said(run)) == (2, True)


# --- Configured checks -----------------------------------------------------------------------

CONFIGURATION = """[[check]]
name = "code"
against = "HEAD"
target = "model.py:model_fn"
params = "params.json"
features = "features.json"
"""


def test_a_configured_check_needs_no_model_dir(repository: Project) -> None:
    repository.write("ckptcheck.toml", CONFIGURATION)
    assert repository.run().code == 0
    edit(repository, OUTPUT, "tf.layers.dense(hidden, 2)")
    run = repository.run()
    assert run.code == 1
    assert "a checkpoint of the code at HEAD (" in run.out
    repository.write("ckptcheck.toml", CONFIGURATION.replace('against = "HEAD"\n', ""))
    run = repository.run()
    assert run.code == 2
    assert "the check 'code' needs model-dir or against" in said(run)


def test_the_variables_that_git_sets_for_hooks(repository: Project) -> None:
    hook = repository.root / ".git" / "hooks" / "pre-commit"
    seen = repository.temporary / "variables"
    hook.write_text(f"#!/bin/sh\nenv | grep ^GIT_ > {seen}\n", "utf-8")
    hook.chmod(0o755)
    commit_all(repository)
    lines = seen.read_text("utf-8").splitlines()
    variables = dict(line.split("=", 1) for line in lines)
    assert "GIT_INDEX_FILE" in variables
    (repository.root / "below").mkdir()
    env = repository.environment(**variables, GIT_DIR=str(repository.root / ".git"))
    words = ("--against", "HEAD", "../model.py:model_fn", "../params.json")
    run = repository.run(
        *words, "--features", "../features.json", cwd=repository.root / "below", env=env
    )
    assert run.code == 0, run.err


def test_a_file_that_only_the_working_tree_has_is_named(repository: Project) -> None:
    """Python opens the file. The params and the graph do not name it."""
    edit(repository, "import tensorflow", "open('local.txt').close()\nimport tensorflow")
    repository.write(".gitignore", "local.txt\n")
    git(repository.root, "add", "-A")
    git(repository.root, "commit", "-qm", "read a file")
    repository.write("local.txt", "one")
    found = report(against(repository, *ARGUMENTS, "--format", "json"))
    end = "git does not have them there"
    note = f"whether these files were the same at the revision: local.txt. {end}"
    assert found["not_judged"].count(note) == 1, found["not_judged"]


@pytest.mark.parametrize(
    ("key", "name", "detail"),
    [
        ("target", "new.py:model_fn", "TARGET new.py:model_fn: no file new.py"),
        ("target", "new:model_fn", "TARGET new:model_fn: no module 'new'"),
        ("target", "model:new_fn", "has no attribute 'new_fn'"),
        ("input-fn", "model:new_fn", "--input-fn model:new_fn: "),
        ("params-type", "new:Params", "--params-type new:Params: no module 'new'"),
    ],
)
def test_code_that_the_commit_adds(key: str, name: str, detail: str, repository: Project) -> None:
    """Only the commit itself makes the check work, so the hook must not block it."""
    code = (repository.root / "model.py").read_text("utf-8")
    values = {"target": "model.py:model_fn", "features": "features.json", key: name}
    if key == "input-fn":
        del values["features"]
    table = "".join(f'{name} = "{value}"\n' for name, value in values.items())
    check = f'[[check]]\nname = "code"\nagainst = "HEAD"\nparams = "params.json"\n{table}'
    repository.write("ckptcheck.toml", check)
    run = repository.run()
    assert run.code == 2
    assert "adds or renames" not in run.out, "the working tree does not have it, either"
    repository.write("new.py", code + "\n\nclass Params(dict):\n    pass\n")
    repository.write("model.py", code + "\n\nnew_fn = model_fn\n")
    git(repository.root, "add", "-A")
    run = repository.run()
    text = " ".join(run.out.split())
    assert run.code == 2 and "the code at HEAD (" in text and detail in text, run
    assert 'add if-missing = "skip" to the check' in text and "SKIP=ckptcheck git commit" in text
    repository.write("ckptcheck.toml", check + 'if-missing = "skip"\n')
    run = repository.run()
    assert run.code == 0 and "code: skipped: the code at HEAD (" in run.out, run
    assert detail in " ".join(run.out.split())


@pytest.mark.parametrize("target", ["model:tf.nothing", "model:Model.modle_fn"])
def test_a_target_that_exists_nowhere_is_not_skipped(target: str, repository: Project) -> None:
    """The working tree mentions the name, but does not have the code."""
    edit(repository, "def model_fn", "class Model:\n    pass\n\n\ndef model_fn")
    check = f'target = "{target}"\nparams = "params.json"\nif-missing = "skip"\n'
    table = '[[check]]\nname = "code"\nagainst = "HEAD"\nfeatures = "features.json"\n'
    repository.write("ckptcheck.toml", table + check)
    run = repository.run()
    assert run.code == 2 and f"could not run: TARGET {target}: " in run.out, run


def test_the_first_commit_of_a_repository(repository: Project) -> None:
    git(repository.root, "update-ref", "-d", "HEAD")
    git(repository.root, "reflog", "expire", "--expire=all", "--all")
    repository.write("ckptcheck.toml", CONFIGURATION)
    run = repository.run()
    text = " ".join(run.out.split())
    assert run.code == 2 and "has no commits yet, so there is no HEAD" in text, run
    assert "shallow" not in text and 'add if-missing = "skip" to the check' in text
    repository.write("ckptcheck.toml", CONFIGURATION + 'if-missing = "skip"\n')
    run = repository.run()
    assert run.code == 0 and "code: skipped: " in run.out, run
