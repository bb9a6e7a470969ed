"""How the consumer of a tensor is written, in a saved and in a traced graph alike."""

import re

_NUMBER = re.compile(r"_\d+(?=/|$)")


def consumer_text(name: str, op: str, slot: int) -> str:
    """Such as ``dense/MatMul MatMul:0``.

    The node's name without the numbers that make it unique, the type of its op, and which of its
    inputs the tensor is.
    """
    return "{} {}:{}".format(_NUMBER.sub("", name), op, slot)
