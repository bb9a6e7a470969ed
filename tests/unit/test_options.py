"""Tests of wrong options, and of their error messages."""

import io
import json
import sys
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest

from ckptcheck.cli import split_flags
from ckptcheck.errors import UsageError
from ckptcheck.features_file import read_feature_file
from ckptcheck.json_files import read_json_object, with_overrides
from ckptcheck.options import CheckSpec, from_command_line, options_of

# --- params ----------------------------------------------------------------------------------


def read(tmp_path: Path, data: bytes) -> Dict[str, Any]:
    path = tmp_path / "params.json"
    path.write_bytes(data)
    return read_json_object(str(path))


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"{}", {}),
        (b' {"a": [1, {"b": null}]}\n', {"a": [1, {"b": None}]}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('{"größe": "ß"}'.encode(), {"größe": "ß"}),
        (b'{"a": {"x": 1}, "b": {"x": 2}}', {"a": {"x": 1}, "b": {"x": 2}}),
    ],
)
def test_params_are_a_json_object(tmp_path: Path, data: bytes, value: Any) -> None:
    """A byte order mark is allowed, because editors on Windows write one."""
    assert read(tmp_path, data) == value


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", ["it is empty", "{}"]),
        (b" \n\t", ["it is empty"]),
        (b'{"a": 1,\n "b" 2}', ["params.json:2:6", "not JSON", "Expecting ':' delimiter"]),
        (b"{'a': 1}", ["params.json:1:2", "not JSON"]),
        (b"{} {}", ["params.json:1:4", "not JSON", "Extra data"]),
        (b"[1, 2]", ["expected a JSON object, found an array"]),
        (b'"text"', ["expected a JSON object, found a string"]),
        (b"null", ["expected a JSON object, found null"]),
        (b"3.5", ["expected a JSON object, found a number"]),
        (b'{"a": 1, "a": 1}', ["the key 'a' occurs twice", "remove one"]),
        (b'{"b": {"a": 1, "a": 2}}', ["the key 'a' occurs twice"]),
        (b'{"a": "\xff"}', ["not UTF-8"]),
        (b"[" * 200000, ["nested too deeply"]),
        (b"\x80\x04\x95", ["not UTF-8"]),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_json_object_is_said(tmp_path: Path, data: bytes, words: List[str]) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, data)
    for word in ["params.json", *words]:
        assert word in str(caught.value)


def test_true_is_no_number(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a JSON object, found") as caught:
        read(tmp_path, b"true")
    assert "a number" not in str(caught.value)


def test_a_number_of_thousands_of_digits_is_said(tmp_path: Path) -> None:
    """Python from 3.11 on refuses to read it with a ValueError that is no JSONDecodeError."""
    data = b'{"a": ' + b"1" * 10000 + b"}"
    try:
        value = read(tmp_path, data)
    except UsageError as error:
        assert "params.json" in str(error)
    else:
        assert value["a"] > 10**9000


def test_a_missing_params_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none.json: no such file.*standard input"):
        read_json_object(str(tmp_path / "none.json"))


def test_a_directory_is_no_params_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"[Dd]irectory"):
        read_json_object(str(tmp_path))


def test_params_that_are_too_large_are_not_read(tmp_path: Path) -> None:
    """A checkpoint's data given by mistake is refused by its size, not loaded into memory."""
    path = tmp_path / "model.ckpt.data-00000-of-00001"
    with path.open("wb") as file:
        file.truncate(65 << 20)
    with pytest.raises(UsageError, match="larger than 64 MiB"):
        read_json_object(str(path))


class Stdin:
    """Standard input as Python opens it under UTF-8."""

    def __init__(self, data: bytes) -> None:
        self.stream = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8")


def test_params_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(b'{"a": 1}').stream)
    assert read_json_object("-") == {"a": 1}


@pytest.mark.parametrize(
    ("data", "words"), [(b"", "standard input: it is empty"), (b"{,", "standard input:1:2")]
)
def test_standard_input_has_its_name_in_messages(
    monkeypatch: pytest.MonkeyPatch, data: bytes, words: str
) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(data).stream)
    with pytest.raises(UsageError, match=words):
        read_json_object("-")


def test_standard_input_that_is_no_text_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(b'{"a": "\xff"}').stream)
    with pytest.raises(UsageError, match=r"standard input: .*not UTF-8"):
        read_json_object("-")


# --- overrides -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("b=1", {"a": {"x": 1}, "b": 1}),
        ("b=1e-3", {"a": {"x": 1}, "b": 0.001}),
        ("b=text", {"a": {"x": 1}, "b": "text"}),
        ('b="1"', {"a": {"x": 1}, "b": "1"}),
        ("b=", {"a": {"x": 1}, "b": ""}),
        ("b=x=y", {"a": {"x": 1}, "b": "x=y"}),
        ("b=[1, 2]", {"a": {"x": 1}, "b": [1, 2]}),
        ("b=true", {"a": {"x": 1}, "b": True}),
        ("b=null", {"a": {"x": 1}, "b": None}),
        ("a.x=2", {"a": {"x": 2}}),
        ("a.y=2", {"a": {"x": 1, "y": 2}}),
        ("c.d.e=2", {"a": {"x": 1}, "c": {"d": {"e": 2}}}),
        ("a=2", {"a": 2}),
    ],
)
def test_set(override: str, value: Any) -> None:
    assert with_overrides({"a": {"x": 1}}, [override]) == value


def test_set_does_not_change_what_it_was_given() -> None:
    params = {"a": {"x": [1]}}
    result = with_overrides(params, ["a.x=2", "b=1"])
    assert params == {"a": {"x": [1]}}
    assert result is not params


def test_the_last_set_of_a_key_counts() -> None:
    assert with_overrides({}, ["a=1", "a=2", "a=3"]) == {"a": 3}


@pytest.mark.parametrize("override", ["a", "", "=1", ".a=1", "a.=1", "a..b=1"])
def test_a_set_without_key_or_value_is_said(override: str) -> None:
    with pytest.raises(UsageError, match=r"--set.*expected key=value or key.sub=value"):
        from_command_line(CheckSpec, {"model_dir": "runs", "set": [override]})


@pytest.mark.parametrize("variable", ["A", "", "=1", "A\0=1"])
def test_a_variable_without_name_or_value_is_said(variable: str) -> None:
    with pytest.raises(UsageError, match=r"--env.*expected NAME=VALUE"):
        from_command_line(CheckSpec, {"model_dir": "runs", "env": [variable]})


def test_a_set_through_a_number_is_said() -> None:
    with pytest.raises(UsageError, match=r"--set a.b.c=1: 'b' is not an object"):
        with_overrides({"a": {"b": 4}}, ["a.b.c=1"])


# --- the features file -----------------------------------------------------------------------


def features(tmp_path: Path, data: Any) -> Any:
    path = tmp_path / "features.json"
    path.write_text(json.dumps(data), "utf-8")
    return read_feature_file(str(path))


X: Dict[str, Any] = {"dtype": "float32", "shape": [None, 1]}
Y: Dict[str, Any] = {"dtype": "int64", "shape": None}


@pytest.mark.parametrize(
    "structure",
    [
        None,
        X,
        Y,
        {"dtype": "string", "shape": []},
        {"dtype": "string", "shape": [None, None], "sparse": True},
        {"x": X, "y": Y},
        [X, Y],
        {"tuple": [X, Y]},
        {"tuple": [{"tuple": [X, Y]}]},
        {"dtype": X, "shape": Y},
        {"shape": X},
        {"a": {"b": [X, {"c": Y}]}},
    ],
)
def test_structures_of_features(tmp_path: Path, structure: Any) -> None:
    """Features can have the names ``dtype`` and ``shape``.

    Only a dict with a dtype's name is a leaf.
    """
    found = features(tmp_path, {"features": structure, "labels": X})
    assert found.of("train") == (structure, X)


def test_a_mode_can_have_features_and_labels_of_its_own(tmp_path: Path) -> None:
    found = features(
        tmp_path, {"features": X, "labels": Y, "predict": {"features": Y}, "eval": {"labels": X}}
    )
    assert found.of("predict") == (Y, Y)
    assert found.of("eval") == (X, X)
    assert found.of("train") == (X, Y)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"feature": X}, ["unknown key 'feature'", "features, labels", "predict, eval, train"]),
        ({"train": [X]}, ["train: expected an object"]),
        ({"features": 3}, ["features: expected an object or an array"]),
        ({"features": {"x": "float32"}}, ["features.x: expected an object or an array"]),
        ({"labels": [X, 3]}, ["labels[1]: expected an object or an array"]),
        ({"eval": {"labels": 3}}, ["eval.labels: expected"]),
        ({"features": dict(X, shape=3)}, ["features.shape: expected an array of sizes", "null"]),
        ({"features": {"x": dict(X, shape=["?"])}}, ["features.x.shape"]),
        ({"features": {"x": dict(X, shape=[-1])}}, ["features.x.shape"]),
        ({"features": {"x": dict(X, shape=[1.5])}}, ["features.x.shape"]),
        ({"features": {"x": dict(X, shape=[True])}}, ["features.x.shape"]),
        ({"features": {"x": dict(X, name="x")}}, ["features.x: unknown key 'name'"]),
    ],
)
def test_what_is_wrong_with_a_features_file(tmp_path: Path, data: Any, words: List[str]) -> None:
    with pytest.raises(UsageError) as caught:
        features(tmp_path, data)
    for word in ["features.json", *words]:
        assert word in str(caught.value)


def test_a_misspelt_key_of_one_mode_is_said(tmp_path: Path) -> None:
    """Otherwise, the mode would get the features of the other modes without notice."""
    with pytest.raises(UsageError, match="'feature'"):
        features(tmp_path, {"features": X, "train": {"feature": Y}})


def test_a_leaf_without_its_dtype_is_said(tmp_path: Path) -> None:
    """Otherwise, it would count as a dict with one feature named shape."""
    with pytest.raises(UsageError, match=r"features\.x"):
        features(tmp_path, {"features": {"x": {"shape": [None]}}})


def test_a_features_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"features.json: no such file"):
        read_feature_file(str(tmp_path / "features.json"))


# --- the check as a whole --------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        "net:model_fn",
        "models.net:Net.model_fn",
        "models.net:NET.build",
        "net.py:model_fn",
        "models/net.py:model_fn",
        "/abs/path with space/my-net.py:model_fn",
        "../net.py:model_fn",
        "größe:funktion",
    ],
)
def test_targets(target: str) -> None:
    assert CheckSpec("runs", target).target == target


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("net", "expected module:attr or path/to/file.py:attr, such as net:model_fn"),
        ("", "such as models.net:model_fn"),
        (":", "expected module:attr"),
        ("net:", "such as net:model_fn"),
        ("model_fn", "such as models.net:model_fn"),
        (":model_fn", "expected module:attr"),
        ("params.json", "such as models.net:model_fn"),
        ("net.py", "expected module:attr"),
        ("net:model fn", "'model fn' is not a Python name"),
        ("net:model-fn", "'model-fn' is not a Python name"),
        ("net:model_fn()", "is not a Python name"),
        ("net:a..b", "is not a Python name"),
        (
            "models/net:model_fn",
            "'models/net' is not the name of a module; did you mean models/net.py:model_fn?",
        ),
        ("my-net:model_fn", "'my-net' is not the name of a module"),
        ("a:b:c", "'a:b' is not the name of a module"),
        ("net.:model_fn", "is not the name of a module"),
    ],
)
def test_what_is_no_target_is_said(target: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        CheckSpec("runs", target)
    assert str(caught.value).startswith(f"target {target!r}: ")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("input_fn", "such as models.net:input_fn"),
        ("train_input_fn", "such as models.net:train_input_fn"),
        ("train", "such as train:input_fn"),
        ("train.py", "such as train.py:input_fn"),
    ],
)
def test_an_input_fn_without_a_module_is_said(name: str, example: str) -> None:
    with pytest.raises(UsageError, match=f"input_fn '{name}': expected module:attr .*{example}"):
        CheckSpec("runs", "net:model_fn", input_fn=name)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"modes": ("predict", "infer")}, "--mode infer: expected predict, eval, train"),
        ({"modes": ()}, "--mode: expected at least one of predict, eval, train"),
        ({"behavior": "v3"}, "--behavior v3: expected auto, v1 or v2"),
        ({"fail_on": "never"}, "--fail-on never: expected note, warning or error"),
        ({"timeout": 0.0}, "--timeout 0: expected seconds above 0"),
        ({"timeout": -1.5}, "--timeout -1.5: expected seconds above 0"),
        ({"timeout": float("nan")}, "--timeout nan: expected seconds above 0"),
        ({"app_dir": "no/such"}, "--app-dir no/such: no such directory"),
        ({"input_fn": "net"}, "--input-fn 'net': expected module:attr"),
        ({"params_type": "object"}, "--params-type 'object': expected dict, attr, module:attr or"),
        ({"params": {"a": [{1}]}}, "PARAMS['a'][0] is set, which JSON cannot express"),
        ({"params": "a\0b"}, r"PARAMS: no file name can contain the character \x00"),
        ({"features": {"feature": X}}, "--features: unknown key 'feature'"),
        ({"input_fn": "a:b", "features": {}}, "--input-fn and --features cannot be used together"),
    ],
)
def test_errors_name_an_option_as_the_caller_knows_it(fields: Dict[str, Any], words: str) -> None:
    given = {"model_dir": "runs", "target": "net:model_fn", **fields}
    with pytest.raises(UsageError) as caught:
        from_command_line(CheckSpec, given)
    assert words in str(caught.value)
    options = options_of(CheckSpec)
    for name in fields:
        words = words.replace(options[name].flag, name)
    with pytest.raises(UsageError) as caught:
        CheckSpec(**given)
    assert words in str(caught.value)


def test_a_timeout_without_end_is_said_or_taken() -> None:
    """``--timeout inf`` must not end in an OverflowError of the clock; see the command's tests."""
    try:
        spec = CheckSpec("runs", "net:model_fn", timeout=float("inf"))
    except UsageError as error:
        assert "timeout inf" in str(error)
    else:
        assert spec.timeout > 0


def test_input_fn_and_features_exclude_each_other(tmp_path: Path) -> None:
    file = features(tmp_path, {"features": X})
    with pytest.raises(UsageError, match="input_fn and features cannot be used together"):
        CheckSpec("runs", "net:model_fn", input_fn="net:input_fn", features=file)


def test_modes_are_checked_once_and_in_the_order_of_tensorflow() -> None:
    spec = CheckSpec("runs", "net:model_fn", modes=("train", "predict", "train"))
    assert spec.modes == ("predict", "train")


def test_the_app_dir_is_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The tracer may run elsewhere."""
    (tmp_path / "src").mkdir()
    monkeypatch.chdir(tmp_path)
    assert CheckSpec("runs", "net:model_fn").app_dir == str(tmp_path)
    assert CheckSpec("runs", "net:model_fn", app_dir="src").app_dir == str(tmp_path / "src")


# --- the command line ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "split"),
    [
        ([], ([], ())),
        (["a", "b"], (["a", "b"], ())),
        (["a", "--"], (["a"], ())),
        (["a", "--", "--x=1", "-y"], (["a"], ("--x=1", "-y"))),
        (["a", "--", "b", "--", "c"], (["a"], ("b", "--", "c"))),
        (["--", "a"], ([], ("a",))),
        (["inspect", "--", "-dir"], (["inspect", "--", "-dir"], ())),
        (["check", "a", "--", "-x"], (["check", "a"], ("-x",))),
    ],
)
def test_flags_stand_behind_the_first_two_dashes(
    argv: List[str], split: Tuple[List[str], Tuple[str, ...]]
) -> None:
    assert split_flags(argv) == split


@pytest.mark.parametrize(
    ("text", "expected"),
    [("4G", 4 << 30), ("500m", 500 << 20), ("1.5 GiB", 3 << 29), ("0", 0), ("70000000", 70000000)],
)
def test_sizes(text: str, expected: int) -> None:
    assert CheckSpec("runs", "net:model_fn", memory_limit=text).memory_limit == expected


@pytest.mark.parametrize("text", ["", "G", "-1G", "4 apples", "1e9", "nan", "4GG"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(UsageError, match=r"memory_limit.*: expected a size such as 4G or 500M"):
        CheckSpec("runs", "net:model_fn", memory_limit=text)


@pytest.mark.parametrize("limit", [-1, 1, 1 << 20, 1 << 60])
def test_a_memory_limit_has_bounds(limit: int) -> None:
    with pytest.raises(UsageError, match=r"memory_limit .* from 64M to 1024T"):
        CheckSpec("runs", "net:model_fn", memory_limit=limit)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("parms.json", "params.json"), ("params.jsn", "params.json"), ("unlike", "")],
)
def test_a_file_with_a_similar_name_is_told(
    name: str, meant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "params.json").write_text("{}")
    (tmp_path / "conf" / "parms.jso").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        read_json_object(f"conf/{name}")
    assert str(caught.value).endswith("input" + (f"; did you mean conf/{meant}?" if meant else ""))
    monkeypatch.chdir(tmp_path / "conf")
    with pytest.raises(UsageError) as caught:
        read_json_object(name)
    assert str(caught.value).endswith("input" + (f"; did you mean {meant}?" if meant else ""))
