"""What ``inspect`` and ``verify`` print, as text and as JSON."""

import dataclasses
import json
import re
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest

from ckptcheck.commands import terminal
from ckptcheck.protocol import VariableSpec
from ckptcheck.reporters import Options, render
from ckptcheck.results import (
    CheckpointSummary,
    Contents,
    DataRead,
    Finding,
    GraphSummary,
    Group,
    InputSpec,
    Report,
    VariableRow,
    Verified,
)

from ..support import FIXTURES, PROJECT, Run, run_cli

NOW = 1000000.0
FINDING = Finding(
    "step-mismatch",
    "warning",
    "the name says step 9",
    category="files",
    hint="find out",
    variable="global_step",
    data={"named": 9},
)
GROUP = Group("the checkpoint is not of the step that its name says", (FINDING,))


def row(name: str, shape: Tuple[int, ...], role: str = "weight", parts: int = 1) -> VariableRow:
    size = 4
    for dimension in shape:
        size *= dimension
    return VariableRow(VariableSpec(name, shape, "float32"), role, size, parts)


INSPECTION = Report(
    "inspect",
    ok=True,
    checked=True,
    model_dir="base",
    why="Estimator loads model.ckpt-9: the state file names it",
    checkpoints=(
        CheckpointSummary("base/model.ckpt-4", 4, NOW - 7200, 2048),
        CheckpointSummary("base/model.ckpt-9", 9, NOW - 60, 4096, loaded=True),
        CheckpointSummary("base/other", None, None, 1),
    ),
    contents=Contents(
        prefix="base/model.ckpt-9",
        variables=(
            row("dense/kernel", (2, 3)),
            row("dense/kernel/Adam", (2, 3), "optimizer"),
            row("dense/kernel/Adam_1", (2, 3), "optimizer"),
            row("global_step", (), "global_step"),
            row("table", (1000, 4), "weight", parts=3),
        ),
        shards=2,
        graph=GraphSummary(
            "base/model.ckpt-9.meta",
            "2.15.1",
            "v2",
            strategy=True,
            inputs=(
                InputSpec("IteratorGetNext:0", (None, 2), "float32"),
                InputSpec("IteratorGetNext:1", None, "string", sparse=True),
            ),
        ),
    ),
    groups=(GROUP,),
    not_judged=("the rest",),
)

VERIFICATION = Report(
    "verify",
    ok=False,
    checked=True,
    model_dir="base",
    verified=(
        Verified(True, "base/model.ckpt-4", 4, DataRead(1, 24), whole=True),
        Verified(False, "base/model.ckpt-9", 9, DataRead(5, 16100), (GROUP,), loaded=True),
    ),
    not_judged=("base/old: it is of the V1 format",),
    why="Estimator loads model.ckpt-9: the state file names it",
)


def test_an_inspection() -> None:
    assert (
        render(INSPECTION, "text", Options(now=NOW))
        == """\
base: 3 checkpoints. Estimator loads model.ckpt-9: the state file names it
    checkpoint      step  written         on disk
--  ------------  ------  ------------  ---------
    model.ckpt-4       4  2 hours ago     2.0 KiB
*   model.ckpt-9       9  1 minute ago    4.0 KiB
    other              -  -                1 byte

base/model.ckpt-9: name-based, 2 data files
saved graph: written by TensorFlow 2.15.1; resource variables; under a
  distribution strategy
its features and labels: float32 [?, 2], sparse string

weights          2 tensors  4,006 values  15.6 KiB
optimizer state  2 tensors  12 values     48 bytes
global step      1 tensor   1 value       4 bytes
all              5 tensors  4,019 values  15.7 KiB

variable                dtype    shape                     size
----------------------  -------  --------------------  --------
dense/kernel + 2 slots  float32  [2, 3]                72 bytes
global_step             float32  []                     4 bytes
table                   float32  [1000, 4] in 3 parts  15.6 KiB

warning[step-mismatch] the checkpoint is not of the step that its name says
  the name says step 9
  try: find out

not judged: the rest
"""
    )


def test_a_verification() -> None:
    assert (
        render(VERIFICATION)
        == """\
base: Estimator loads model.ckpt-9: the state file names it

base/model.ckpt-4: 1 tensor, 24 bytes read: good

base/model.ckpt-9: 5 tensors, 15.7 KiB read: NOT GOOD
warning[step-mismatch] the checkpoint is not of the step that its name says
  the name says step 9
  try: find out

not judged: base/old: it is of the V1 format

The last good checkpoint is base/model.ckpt-4.
"""
    )


def test_whole_data_is_not_called_bad_for_what_else_was_found() -> None:
    found = Verified(False, "base/model.ckpt-9", 9, DataRead(5, 16100), (GROUP,), whole=True)
    both = dataclasses.replace(VERIFICATION, verified=(VERIFICATION.verified[0], found))
    text = render(both)
    assert "base/model.ckpt-9: 5 tensors, 15.7 KiB read: data good, with findings\n" in text
    assert "The last checkpoint with good data is base/model.ckpt-9, but it has" in text


def test_colors_mark_what_is_good_and_what_is_not() -> None:
    text = render(VERIFICATION, "text", Options(color=True))
    assert "\x1b[32;1mgood\x1b[0m" in text and "\x1b[31;1mNOT GOOD\x1b[0m" in text
    assert "\x1b[33;1mwarning[step-mismatch]\x1b[0m the checkpoint" in text


@pytest.mark.parametrize(
    ("with_slots", "expected"),
    [
        ((0,), "layer_{0..3}/kernel (x4) + 1 slot "),
        ((0, 1, 2), "layer_{0..3}/kernel (x4) + 3 slots "),
        ((1, 2, 3), "layer_{0..3}/kernel (x4) + 3 slots "),
        ((), "layer_{0..3}/kernel (x4) "),
    ],
)
def test_slots_of_folded_variables_are_added_up(with_slots: Tuple[int, ...], expected: str) -> None:
    rows = [row(f"layer_{n}/kernel", (2,)) for n in range(4)]
    rows.extend(row(f"layer_{n}/kernel/Momentum", (2,), "optimizer") for n in with_slots)
    text = render(inspection_of(rows))
    (line,) = [line for line in text.splitlines() if line.startswith("layer_")]
    assert line.startswith(expected)
    assert line.endswith(f" {8 * len(rows)} bytes")


def test_a_partitioned_variable_is_no_copy_of_a_whole_one() -> None:
    rows = [row(f"layer_{n}/kernel", (2,), parts=2 if n == 3 else 1) for n in range(4)]
    lines = render(inspection_of(rows)).splitlines()
    assert any(line.startswith("layer_{0..2}/kernel (x3)") for line in lines)
    assert any(re.match(r"layer_3/kernel .* \[2\] in 2 parts ", line) for line in lines)


def inspection_of(rows: List[VariableRow]) -> Report:
    contents = Contents(prefix="base/c", variables=tuple(rows))
    return Report("inspect", True, True, "base", contents=contents)


def test_of_many_checkpoints_the_last_ones_and_the_loaded_one_are_shown() -> None:
    many = tuple(
        CheckpointSummary(f"base/model.ckpt-{n}", n, NOW, 1, loaded=n == 5) for n in range(100)
    )
    found = Report("inspect", True, True, "base", checkpoints=many)
    lines = render(found, "text", Options(now=NOW)).splitlines()
    rows = [line for line in lines if "model.ckpt-" in line]
    assert "(75 older ones)" in "\n".join(lines)
    assert rows[0].startswith("*   model.ckpt-5 ") and len(rows) == 25
    assert [line.split()[0] for line in rows[1:]] == [f"model.ckpt-{n}" for n in range(76, 100)]


def test_many_variables_are_cut() -> None:
    rows = [row("v" * n, (n,)) for n in range(1, 41)]
    text = render(inspection_of(rows))
    assert "and 16 more (--all shows all)" in text
    assert "more" not in render(inspection_of(rows), "text", Options(show_all=True))


# --- JSON ------------------------------------------------------------------------------------


def keys_of(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            if key != "data":  # it has the keys of its rule
                yield from keys_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from keys_of(item)


FINDING_JSON: Dict[str, Any] = {
    "key": FINDING.key,
    "rule": "step-mismatch",
    "category": "files",
    "severity": "warning",
    "modes": [],
    "variable": "global_step",
    "checkpoint": None,
    "model": None,
    "message": "the name says step 9",
    "location": None,
    "outcomes": {},
    "detail": [],
    "hint": "find out",
    "data": {"named": 9},
}
GROUP_JSON = {"title": GROUP.title, "keys": [FINDING.key], "advice": []}


def test_the_json_of_an_inspection() -> None:
    document = json.loads(render(INSPECTION, "json"))
    variables = document["checkpoint"].pop("variables")
    assert variables[-1] == {
        "name": "table",
        "shape": [1000, 4],
        "dtype": "float32",
        "role": "weight",
        "size": 16000,
        "parts": 3,
    }
    assert [item["role"] for item in variables][:4] == ["weight", *["optimizer"] * 2, "global_step"]
    assert document == {
        "version": 1,
        "command": "inspect",
        "ok": True,
        "model_dir": "base",
        "why": INSPECTION.why,
        "checkpoints": [
            checkpoint("base/model.ckpt-4", 4, NOW - 7200, 2048, False),
            checkpoint("base/model.ckpt-9", 9, NOW - 60, 4096, True),
            checkpoint("base/other", None, None, 1, False),
        ],
        "checkpoint": {
            "prefix": "base/model.ckpt-9",
            "shards": 2,
            "object_based": False,
            "snapshot": False,
            "saved_graph": {
                "file": "base/model.ckpt-9.meta",
                "tensorflow": "2.15.1",
                "behavior": "v2",
                "strategy": True,
                "inputs": [
                    given("IteratorGetNext:0", [None, 2], "float32", False),
                    given("IteratorGetNext:1", None, "string", True),
                ],
            },
        },
        "findings": [FINDING_JSON],
        "groups": [GROUP_JSON],
        "not_judged": ["the rest"],
    }


def given(name: str, shape: Any, dtype: str, sparse: bool) -> Dict[str, Any]:
    return {"name": name, "shape": shape, "dtype": dtype, "sparse": sparse}


def checkpoint(prefix: str, step: Any, written: Any, size: int, loaded: bool) -> Dict[str, Any]:
    return {"prefix": prefix, "step": step, "written": written, "size": size, "loaded": loaded}


def test_the_json_of_a_verification() -> None:
    good = {"prefix": "base/model.ckpt-4", "step": 4, "tensors": 1, "size": 24}
    bad = {"prefix": "base/model.ckpt-9", "step": 9, "tensors": 5, "size": 16100}
    findings = {"findings": [FINDING_JSON], "groups": [GROUP_JSON]}
    assert json.loads(render(VERIFICATION, "json")) == {
        "version": 1,
        "command": "verify",
        "ok": False,
        "model_dir": "base",
        "why": VERIFICATION.why,
        "last_good": "base/model.ckpt-4",
        "checkpoints": [
            {**good, "ok": True, "whole": True, "loaded": False, "findings": [], "groups": []},
            {**bad, "ok": False, "whole": False, "loaded": True, **findings},
        ],
        **findings,
        "not_judged": ["base/old: it is of the V1 format"],
    }


@pytest.mark.parametrize("text", [render(INSPECTION, "json"), render(VERIFICATION, "json")])
def test_every_key_is_documented(text: str) -> None:
    document = (PROJECT / "docs" / "json.md").read_text("utf-8")
    documented = set(re.findall(r"`([a-z_]+)`", document))
    assert set(keys_of(json.loads(text))) <= documented


# --- The commands ----------------------------------------------------------------------------


@pytest.fixture
def renamed(tmp_path: Path) -> Path:
    """A checkpoint with a warning and nothing worse: its name says another step."""
    for path in (FIXTURES / "linear" / "tf215").glob("model.ckpt-10.*"):
        copy = tmp_path / path.name.replace("-10.", "-11.")
        copy.write_bytes(path.read_bytes())
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-11"\n')
    return tmp_path


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("inspect",), 0),
        (("inspect", "--fail-on", "warning"), 1),
        (("verify",), 1),
        (("verify", "--fail-on", "error"), 0),
    ],
)
def test_the_severity_that_fails(words: Tuple[str, ...], code: int, renamed: Path) -> None:
    run: Run = run_cli(*words, ".", cwd=renamed)
    assert "warning[step-mismatch]" in run.out
    assert run.code == code, run
    assert run_cli(*words, ".", "--format", "json", cwd=renamed).json["ok"] is (code == 0)


@pytest.mark.parametrize(("columns", "width"), [(40, 60), (100, 100), (200, 120)])
def test_the_width_is_that_of_the_terminal(
    columns: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert terminal.of_terminal().width == width
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False, raising=False)
    assert terminal.of_terminal().width == 80
