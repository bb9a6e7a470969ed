"""One cause is one group: renamed scopes pair up, layers fold."""

import time
from typing import List, Sequence, Tuple

import pytest

from ckptcheck.groups import fold, group
from ckptcheck.results import Finding, Group
from ckptcheck.rules import examples as made
from ckptcheck.rules import run_rules

Shape = Tuple[int, ...]


def found(stored: Sequence[Tuple[str, Shape]], read: Sequence[Tuple[str, Shape]]) -> List[Finding]:
    """The findings of a model that reads other variables than a checkpoint holds."""
    facts = made.facts(
        stored={
            "global_step": ((), "int64"),
            **{name: (shape, "float32") for name, shape in stored},
        },
        reads=(made.READS[1], *(made.read(name, shape) for name, shape in read)),
    )
    return run_rules(facts)


def titles(groups: Sequence[Group]) -> List[str]:
    return [item.title for item in groups]


def test_a_renamed_scope_is_one_group() -> None:
    names = [f"layer_{n}/{part}" for n in range(12) for part in ("kernel", "bias")]
    findings = found(
        [("bert/" + name, (4, 4)) for name in names],
        [("encoder/" + name, (4, 4)) for name in names],
    )
    assert len(findings) == 48
    (one,) = group(findings)
    assert one.title == "24 variables renamed: 'bert' in the checkpoint is 'encoder' in the model"
    assert sorted(f.key for f in one.findings) == sorted(f.key for f in findings)


def test_pairs_are_of_the_same_layer_and_not_of_the_first_of_that_shape() -> None:
    """All layers have the same shape. The other parts of their names distinguish them."""
    layers = [3, 1, 2, 0]
    findings = found(
        [(f"old/layer_{n}/kernel", (4, 4)) for n in range(4)],
        [(f"new/layer_{n}/kernel", (4, 4)) for n in layers],
    )
    (one,) = group(findings)
    pairs = [
        tuple(f.variable.split("/")[1] for f in one.findings[at : at + 2]) for at in (0, 2, 4, 6)
    ]
    assert all(mine == theirs for mine, theirs in pairs)


def test_one_renamed_variable() -> None:
    (one,) = group(found([("dense/kernel", (1, 64))], [("hidden/kernel", (1, 64))]))
    assert one.title == "1 variable renamed: 'dense' in the checkpoint is 'hidden' in the model"


def test_slots_are_renamed_with_their_variable() -> None:
    suffixes = ("", "/Adam", "/Adam_1")
    stored, read = ([(f"{it}/kernel{s}", (1, 64)) for s in suffixes] for it in ("dense", "hidden"))
    (one,) = group(found(stored, read))
    assert one.title == "3 variables renamed: 'dense' in the checkpoint is 'hidden' in the model"


def test_slots_of_another_variable_are_not_renamed() -> None:
    """The last parts of the variables differ: the variables are not renamed."""
    suffixes = ("", "/Adam", "/Adam_1", "/ExponentialMovingAverage")
    stored, read = ([(f"a/{it}{s}", (3, 4)) for s in suffixes] for it in ("bias", "beta"))
    rules = [item.findings[0].rule for item in group(found(stored, read))]
    assert rules == ["missing-variable", "unused-variable"]


def test_a_moving_average_is_renamed_with_its_scope_also_if_only_it_is_read() -> None:
    average = "kernel/ExponentialMovingAverage"
    stored = [("a/kernel", (3, 4)), ("a/" + average, (3, 4))]
    groups = group(found(stored, [("b/" + average, (3, 4))]))
    assert "1 variable renamed: 'a' in the checkpoint is 'b' in the model" in titles(groups)


def test_a_variable_named_after_an_average_is_renamed_with_its_scope() -> None:
    names = ("kernel", "centers_average")
    stored, read = ([(f"{scope}/{name}", (3, 4)) for name in names] for scope in ("old", "new"))
    (one,) = group(found(stored, read))
    assert one.title == "2 variables renamed: 'old' in the checkpoint is 'new' in the model"


def test_a_scope_that_was_put_around() -> None:
    (one,) = group(found([("dense/kernel", (1, 64))], [("model/dense/kernel", (1, 64))]))
    assert one.title == "1 variable renamed: no scope in the checkpoint is 'model' in the model"


def test_two_scopes_that_were_renamed_are_two_groups() -> None:
    findings = found(
        [("a/kernel", (1, 2)), ("b/kernel", (3, 4))], [("x/kernel", (1, 2)), ("y/kernel", (3, 4))]
    )
    assert titles(group(findings)) == [
        "1 variable renamed: 'a' in the checkpoint is 'x' in the model",
        "1 variable renamed: 'b' in the checkpoint is 'y' in the model",
    ]


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        (("a/kernel", (1, 2)), ("b/kernel", (1, 3))),
        (("a/kernel", (4,)), ("b/bias", (4,))),
    ],
    ids=["another shape", "another variable of the layer"],
)
def test_what_is_no_renaming_is_two_groups(
    stored: Tuple[str, Shape], read: Tuple[str, Shape]
) -> None:
    rules = [item.findings[0].rule for item in group(found([stored], [read]))]
    assert rules == ["missing-variable", "unused-variable"]


def test_a_variable_is_renamed_once() -> None:
    """One stored variable cannot be two of the model's."""
    groups = group(found([("a/kernel", (4, 4))], [("b/kernel", (4, 4)), ("c/kernel", (4, 4))]))
    assert [len(item.findings) for item in groups] == [2, 1]


def test_every_finding_is_in_one_group() -> None:
    findings = found(
        [("a/kernel", (1, 2)), ("same", (1,)), ("wrong", (2,)), ("gone", (5,))],
        [("b/kernel", (1, 2)), ("same", (1,)), ("wrong", (3,)), ("fresh", (6,))],
    )
    grouped = [f.key for item in group(findings) for f in item.findings]
    assert sorted(grouped) == sorted(f.key for f in findings)
    assert len(grouped) == len(set(grouped))


def test_errors_stand_first() -> None:
    severities = [item.findings[0].severity for item in group(found([("u", (9,))], [("m", (1,))]))]
    assert severities == ["error", "warning"]


def test_no_findings_no_groups() -> None:
    assert group([]) == ()


# --- folding ---------------------------------------------------------------------------------


def counts(names: Sequence[str]) -> List[Tuple[str, int]]:
    """The labels, each with how many names it stands for."""
    return [(label, len(members)) for label, members in fold(names)]


def test_the_names_of_a_label_are_kept() -> None:
    names = ["b", "a_2", "a_0", "a_1"]
    assert fold(names) == [("b", ("b",)), ("a_{0..2}", ("a_0", "a_1", "a_2"))]


def test_layers_fold() -> None:
    names = [f"layer_{number}/kernel" for number in range(12)]
    assert counts(names) == [("layer_{0..11}/kernel", 12)]


def test_the_order_of_the_names_does_not_matter() -> None:
    """In alphabetical order, layer_10 comes before layer_2."""
    names = sorted(f"layer_{number}/kernel" for number in range(12))
    assert counts(names) == [("layer_{0..11}/kernel", 12)]


@pytest.mark.parametrize(
    ("names", "folded"),
    [
        ([], []),
        (["a"], [("a", 1)]),
        (["a_0", "a_1"], [("a_0", 1), ("a_1", 1)]),
        (["a_0", "a_1", "a_3"], [("a_0", 1), ("a_1", 1), ("a_3", 1)]),
        (["a_5", "a_6", "a_7"], [("a_{5..7}", 3)]),
        (["x/a_0", "b", "x/a_1", "x/a_2"], [("x/a_{0..2}", 3), ("b", 1)]),
        (["9lives"], [("9lives", 1)]),
    ],
)
def test_fold(names: List[str], folded: List[Tuple[str, int]]) -> None:
    assert counts(names) == folded


def test_many_alike_names_fold_soon() -> None:
    names = [f"table_{number}" for number in range(30000)]
    start = time.process_time()
    assert counts(names) == [("table_{0..29999}", 30000)]
    assert time.process_time() - start < 2


def test_two_kinds_of_variables_of_a_layer_fold_side_by_side() -> None:
    names = [f"l{n}/{part}" for n in range(3) for part in ("kernel", "bias")]
    assert counts(names) == [("l{0..2}/kernel", 3), ("l{0..2}/bias", 3)]


def test_names_with_two_numbers_fold_over_one() -> None:
    names = [f"block_{n}/dense_1/kernel" for n in range(4)]
    assert counts(names) == [("block_{0..3}/dense_1/kernel", 4)]


@pytest.mark.parametrize("blocks", [3, 5])
def test_no_name_is_lost_or_counted_twice_in_a_grid(blocks: int) -> None:
    names = [f"block_{b}/dense_{d}/kernel" for b in range(blocks) for d in range(4)]
    assert sum(count for _, count in counts(names)) == len(names)


def test_a_name_that_looks_like_a_pattern_is_itself() -> None:
    assert counts(["a_{}", "a_{0..2}"]) == [("a_{}", 1), ("a_{0..2}", 1)]


def test_leading_zeros_are_shown() -> None:
    """``layer_01`` to ``layer_03`` is not ``layer_{1..3}``: those names do not exist."""
    (label, count), *rest = counts(["layer_01", "layer_02", "layer_03"])
    assert count == 1 or "01" in label
    assert count + sum(other for _, other in rest) == 3


def test_ten_thousand_names_fold_at_once() -> None:
    names = [f"layer_{number}/kernel" for number in range(10000)]
    assert counts(names) == [("layer_{0..9999}/kernel", 10000)]
