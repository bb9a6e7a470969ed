"""The source code of the project has changed since the checkpoint was saved.

The record of the checkpoint has a digest of each function of the model_fn's module, and of the
modules of the project that this module imports. The finding names the functions that differ.
Changes of comments, docstrings and formatting do not count. Most changes do no harm. If a restored
model behaves differently than in training, look at these functions first.

What to do: nothing, or compare these functions with the code of the training run.
"""

from dataclasses import replace
from typing import Dict, Iterator, List

from ..origins import SourceFile
from ..results import Finding
from .base import Facts, Rule, finding, some_names
from .examples import NOW, with_record

_MODULE = "<module>"


def find(facts: Facts) -> Iterator[Finding]:
    """Finds modules whose functions differ from the record."""
    if facts.record is None or facts.origins is None:
        return
    now = {source.module: source for source in facts.origins.sources}
    for then in facts.record.origins.sources:
        source = now.get(then.module)
        if source is None:  # no module imports it now; the change of that module is found
            continue
        kinds = _differences(then, source)
        texts = [f"{some_names(names)} {kind}" for kind, names in kinds.items() if names]
        if texts:
            yield finding(
                f"{source.path}: {'; '.join(texts)}",
                subject=then.module,
                data={"module": then.module, **kinds},
            )


def _differences(then: SourceFile, now: SourceFile) -> Dict[str, List[str]]:
    if not (then.functions and now.functions):
        changed = ["the file"] if then.digest != now.digest else []
        return {"changed": changed, "added": [], "removed": []}
    old, new = then.functions, now.functions
    return {
        "changed": [_shown(name) for name in old if name in new and old[name] != new[name]],
        "added": [_shown(name) for name in new if name not in old],
        "removed": [_shown(name) for name in old if name not in new],
    }


def _shown(name: str) -> str:
    return "module-level code" if name == _MODULE else name


def _with(digest: str) -> SourceFile:
    return SourceFile("net", "net.py", digest, {"model_fn": digest})


RULE = Rule(
    severity="note",
    category="code",
    find=find,
    title="1 source file changed since the checkpoint was saved",
    titles="{} source files changed since the checkpoint was saved",
    good=lambda: with_record(
        replace(NOW, sources=(_with("a"),)), replace(NOW, sources=(_with("a"),))
    ),
    bad=lambda: with_record(
        replace(NOW, sources=(_with("a"),)), replace(NOW, sources=(_with("b"),))
    ),
)
