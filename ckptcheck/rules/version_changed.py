"""Python, TensorFlow or a package has another version than in the training run.

The record of the checkpoint has the versions of the training run. A restore usually works across
versions. Defaults, initializers and rounding may differ.

What to do: nothing. If the restored model behaves differently, try the versions of the training
run.
"""

from dataclasses import replace
from typing import Dict, Iterator

from ..origins import Origins
from ..results import Finding
from .base import Facts, Rule, finding
from .examples import NOW, with_record


def find(facts: Facts) -> Iterator[Finding]:
    """Finds packages whose version differs from the record."""
    if facts.record is None or facts.origins is None:
        return
    then, now = _versions(facts.record.origins), _versions(facts.origins)
    for name in then:
        if name in now and then[name] != now[name]:
            yield finding(
                f"{name} was {then[name]} in training, and is {now[name]} now",
                subject=name,
                data={"package": name, "was": then[name], "now": now[name]},
            )


def _versions(origins: Origins) -> Dict[str, str]:
    """Returns versions by name. Of Python, only the first two numbers count."""
    python = ".".join(origins.python.split(".")[:2])
    return {"Python": python, "TensorFlow": origins.tensorflow, **origins.packages}


RULE = Rule(
    severity="note",
    category="environment",
    find=find,
    title="1 version differs from that of the training run",
    titles="{} versions differ from those of the training run",
    bad=lambda: with_record(NOW, replace(NOW, tensorflow="2.21.0")),
)
