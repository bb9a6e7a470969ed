"""The input functions that the error for unknown features names."""

import textwrap
from pathlib import Path

import pytest

from ckptcheck.client import input_functions as module
from ckptcheck.client.input_functions import input_functions


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))


@pytest.fixture
def app_dir(tmp_path: Path) -> Path:
    write(
        tmp_path,
        "models/net.py",
        """
        def model_fn(features, labels, mode): ...
        def eval_input_fn(): ...
        def train_input_fn(mode, params, buffer=3, *, seed=1): ...
        def input_fn_of_files(pattern): ...
        def helper(): ...
        class Inputs:
            def input_fn(self): ...
        """,
    )
    write(tmp_path, "train.py", "from models import net\ndef input_fn(mode): ...\n")
    write(tmp_path, "other.py", "import numpy\ndef other_input_fn(mode): ...\n")
    write(tmp_path, "broken.py", "def input_fn(:\n")
    return tmp_path


def test_those_of_the_target_come_first(app_dir: Path) -> None:
    assert input_functions("models.net:model_fn", str(app_dir), False) == [
        "models.net:eval_input_fn",
        "models.net:train_input_fn",
        "train:input_fn",
    ]


def test_a_target_that_is_a_file(app_dir: Path) -> None:
    found = input_functions("models/net.py:model_fn", str(app_dir), False)
    assert found[0] == "models/net.py:eval_input_fn"
    assert found[-1] == "train:input_fn"


def test_a_target_without_source(app_dir: Path) -> None:
    assert input_functions("numpy:model_fn", str(app_dir), False) == ["other:other_input_fn"]


def test_few_and_small_files_are_read(app_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_FILES", 1)
    assert "train:input_fn" not in input_functions("models.net:model_fn", str(app_dir), False)
    monkeypatch.setattr(module, "_MOST_BYTES", 10)
    assert input_functions("models.net:model_fn", str(app_dir), False) == []


def test_serving_functions_are_offered_only_where_no_labels_are_needed(tmp_path: Path) -> None:
    text = """
        def json_serving_input_fn():
            return tf.estimator.export.ServingInputReceiver(features, inputs)
        def input_fn(): ...
    """
    write(tmp_path, "net.py", text)
    assert input_functions("net:model_fn", str(tmp_path), False) == ["net:input_fn"]
    assert len(input_functions("net:model_fn", str(tmp_path), True)) == 2
