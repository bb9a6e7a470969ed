"""The model_fn used a default for a key that is not in the params.

Often, that is what you want. If a shape or a value differs from the one in training, look at these
defaults first: the training run may have used a different value.

What to do: nothing, or add the key to the params.
"""

import json
from typing import Iterator

from ..results import Finding
from ..uses import ParamRead
from .base import Facts, Rule, finding, joins_modes
from .examples import with_params


@joins_modes
def find(facts: Facts) -> Iterator[Finding]:
    """Finds params whose default was used."""
    for trace in facts.traces:
        for read in trace.params.reads:
            if not read.found and read.has_default and read.default is not None:
                yield finding(
                    f"{read.key} is not in the params; model_fn used {json.dumps(read.default)}",
                    modes=(trace.mode,),
                    subject=read.key,
                    data={"param": read.key, "default": read.default},
                    location=read.location,
                )


RULE = Rule(
    severity="note",
    category="params",
    find=find,
    title="model_fn used a default for 1 param",
    titles="model_fn used a default for {} params",
    good=lambda: with_params({"units": 8}, ParamRead("units", True)),
    bad=lambda: with_params({}, ParamRead("units", False, 4, True)),
)
