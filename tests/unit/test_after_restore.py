"""Messages of TensorFlow about shapes must not show made-up names and sizes of the tracer."""

import pytest

from ckptcheck.tracer.after_restore import said_of_inputs


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "Cannot reshape a tensor with 4036 elements to shape [1009,5] (5045 elements) for "
            "'{{node embedding/Reshape}}' with input shapes: [1009,4], [2].",
            "Cannot reshape a tensor with ?*4 elements to shape [?,5] (?*5 elements) for "
            "'{{node embedding/Reshape}}' with input shapes: [?,4], [2].",
        ),
        (
            "Dimensions must be equal, but are 13 and 12 for 'layer_1009/1009/mul' (op: 'Mul') "
            "with input shapes: [?,13], [0,12].",
            "Dimensions must be equal, but are 13 and 12 for 'layer_1009/1009/mul' (op: 'Mul') "
            "with input shapes: [?,13], [0,12].",
        ),
        (
            "Input to reshape is a tensor with 4036 values, but the requested shape has 5045",
            "Input to reshape is a tensor with ?*4 values, but the requested shape has ?*5",
        ),
        (
            "MatMul(ckptcheck_inputs/Placeholder_1, w) with input shapes: [1009,3], [4,2].",
            "MatMul(an input, w) with input shapes: [?,3], [4,2].",
        ),
    ],
)
def test_sizes_of_an_unknown_batch_and_names_of_ours_are_not_shown(said: str, shown: str) -> None:
    assert said_of_inputs(said, (), 1009) == shown


def test_a_variable_of_that_size_is_shown() -> None:
    said = "Dimensions must be equal, but are 2018 and 3027 with input shapes: [1009,2018], [3027]."
    shown = "Dimensions must be equal, but are 2018 and ?*3 with input shapes: [?,2018], [?*3]."
    assert said_of_inputs(said, {2018}, 1009) == shown
