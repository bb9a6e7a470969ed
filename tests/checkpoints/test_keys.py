"""Keys of findings stay the same from save to save, wherever the model_dir is.

A real Estimator trains, and continues in a copy of the directory at another path. The tests then
damage both directories in the same way.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Tuple

import pytest

from ckptcheck.checks import run_check
from ckptcheck.client.process import Tracer
from ckptcheck.inspection import inspect
from ckptcheck.options import CheckSpec
from ckptcheck.results import Finding
from ckptcheck.verification import verify

from ..support import FIXTURES, PROJECT, environment, needs_estimator

MODEL = FIXTURES / "linear"
PARAMS = {"learning_rate": 0.1}

TRAINING = """
import sys
sys.path.insert(0, {project!r})
sys.path.insert(0, {source!r})
from ckptcheck.tracer import compat
tf = compat.import_tensorflow()
v1 = sys.modules["tensorflow"] = tf.compat.v1
import model

def input_fn():
    return v1.data.Dataset.from_tensors(({{"x": [[1.0], [2.0]]}}, [[1.0], [2.0]])).repeat()

config = v1.estimator.RunConfig({model_dir!r}, save_checkpoints_steps=5, keep_checkpoint_max=2)
v1.estimator.Estimator(model.model_fn, params={params!r}, config=config).train(
    input_fn, max_steps={steps}
)
"""


def train(model_dir: Path, steps: int) -> None:
    code = TRAINING.format(
        project=str(PROJECT),
        source=str(MODEL),
        model_dir=str(model_dir),
        params=PARAMS,
        steps=steps,
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, env=environment(), stderr=subprocess.DEVNULL
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Tuple[Path, Path]:
    """Returns a model_dir with two checkpoints, and a copy at another path with more training."""
    first = tmp_path_factory.mktemp("first") / "base"
    train(first, 5)
    second = tmp_path_factory.mktemp("second") / "deeper" / "tuned"
    shutil.copytree(str(first), str(second))
    train(second, 1200)
    for path in (*first.iterdir(), *second.iterdir()):
        os.utime(str(path), (2e9, 1.6e9))  # nothing waits for a save that may still be running
    return first, second


@pytest.fixture(scope="module")
def tracer() -> Iterator[Tracer]:
    with Tracer(sys.executable, 120.0, True) as started:
        yield started


def prefixes(folder: Path) -> List[str]:
    """The two checkpoints, the latest last."""
    names = [path.name[: -len(".index")] for path in folder.glob("*.index")]
    return sorted(names, key=lambda name: int(name.rpartition("-")[2]))


def latest(folder: Path, ending: str) -> Path:
    return folder / f"{prefixes(folder)[-1]}.{ending}"


DATA = "data-00000-of-00001"


def state(folder: Path, *lines: str) -> None:
    (folder / "checkpoint").write_text("".join(line + "\n" for line in lines), "utf-8")


def names_nothing_there(folder: Path) -> None:
    state(folder, f'model_checkpoint_path: "{folder}/gone/{prefixes(folder)[-1]}"')


def names_another_directory(folder: Path) -> None:
    other = folder.parent / f"{folder.name}-other"
    shutil.copytree(str(folder), str(other))
    state(folder, f'model_checkpoint_path: "{other / prefixes(folder)[-1]}"')


def lists_other_directories(folder: Path) -> None:
    other = folder.parent / f"{folder.name}-other"
    shutil.copytree(str(folder), str(other))
    state(
        folder,
        f'model_checkpoint_path: "{prefixes(folder)[-1]}"',
        f'all_model_checkpoint_paths: "{other / prefixes(folder)[-1]}"',
        f'all_model_checkpoint_paths: "{folder.parent}/gone/{prefixes(folder)[-1]}"',
    )


def names_the_older(folder: Path) -> None:
    state(folder, f'model_checkpoint_path: "{prefixes(folder)[0]}"')


def has_two_slashes(folder: Path) -> None:
    state(folder, f'model_checkpoint_path: "{folder}//{prefixes(folder)[-1]}"')


def has_no_state_file(folder: Path) -> None:
    (folder / "checkpoint").unlink()


def has_an_empty_state_file(folder: Path) -> None:
    state(folder)


def lacks_the_index(folder: Path) -> None:
    latest(folder, "index").unlink()


def has_half_an_index(folder: Path) -> None:
    path = latest(folder, "index")
    path.write_bytes(path.read_bytes()[:100])


def lacks_the_data(folder: Path) -> None:
    latest(folder, DATA).unlink()


def has_half_the_data(folder: Path) -> None:
    path = latest(folder, DATA)
    path.write_bytes(path.read_bytes()[:8])


def has_other_data(folder: Path) -> None:
    path = latest(folder, DATA)
    path.write_bytes(b"\xff" * path.stat().st_size)


def has_longer_data(folder: Path) -> None:
    with latest(folder, DATA).open("ab") as file:
        file.write(b"more")


def lacks_the_graph(folder: Path) -> None:
    latest(folder, "meta").unlink()


def has_a_graph_that_is_none(folder: Path) -> None:
    latest(folder, "meta").write_bytes(b"\xff" * 10)


def has_another_name(folder: Path) -> None:
    old = prefixes(folder)[-1]
    new = "model.ckpt-{}".format(int(old.rpartition("-")[2]) + 1)
    for path in folder.glob(old + ".*"):
        path.rename(folder / path.name.replace(old, new))
    state(folder, f'model_checkpoint_path: "{new}"')


def has_an_old_index(folder: Path) -> None:
    os.utime(str(latest(folder, "index")), (1e9 + int(folder.name == "tuned"), 1e9))


def has_files_of_other_saves(folder: Path) -> None:
    last = prefixes(folder)[-1]
    random = "0123456789abcdef" if folder.name == "tuned" else "fedcba9876543210"
    for name in (
        f"{last}.data-00000-of-00002",
        f"{last}.{DATA}.tempstate{int(random, 16)}",
        f".{last}.index.{random[:6]}",
        f"checkpoint.tmp{random * 2}",
        f"{last}1.{DATA}",
    ):
        (folder / name).write_bytes(b"x")
    (folder / f"{last}_temp_{random * 2}").mkdir()


BREAKS: Dict[Callable[[Path], None], Tuple[str, ...]] = {
    names_nothing_there: ("checkpoint-moved",),
    names_another_directory: ("checkpoint-moved",),
    lists_other_directories: ("foreign-checkpoint",),
    names_the_older: ("newer-checkpoint",),
    has_two_slashes: ("double-slash",),
    has_no_state_file: ("no-checkpoint",),
    has_an_empty_state_file: ("no-checkpoint",),
    lacks_the_index: ("checkpoint-moved",),
    has_half_an_index: ("unreadable-checkpoint",),
    lacks_the_data: ("unreadable-checkpoint",),
    has_half_the_data: ("unreadable-checkpoint",),
    has_other_data: ("corrupt-tensor",),
    has_longer_data: ("leftover-files",),
    lacks_the_graph: ("missing-saved-graph",),
    has_a_graph_that_is_none: ("missing-saved-graph",),
    has_another_name: ("step-mismatch",),
    has_an_old_index: ("index-data-mtime-gap",),
    has_files_of_other_saves: ("leftover-files", "data-without-index"),
}


@needs_estimator
@pytest.mark.parametrize("broken", BREAKS, ids=lambda broken: broken.__name__)
def test_keys_are_those_of_the_save_before(
    broken: Callable[[Path], None],
    trained: Tuple[Path, Path],
    tracer: Tracer,
    tmp_path: Path,
) -> None:
    found = []
    for number, source in enumerate(trained):
        folder = tmp_path / ("x" * number) / source.name
        shutil.copytree(str(source), str(folder))
        broken(folder)
        found.append(sorted({finding.key for finding in findings_of(folder, tracer)}))
    assert found[0] == found[1]
    assert {key.partition(":")[0] for key in found[0]} >= set(BREAKS[broken])


def findings_of(folder: Path, tracer: Tracer) -> Iterator[Finding]:
    """What an inspection, a verification and a check find."""
    yield from inspect(str(folder)).findings
    yield from verify(str(folder)).findings
    spec = CheckSpec(model_dir=str(folder), target=f"{MODEL / 'model.py'}:model_fn", params=PARAMS)
    yield from run_check(spec, tracer).findings
