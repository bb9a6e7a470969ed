"""The campaign of drift: random models and edits, and proofs by the real Estimator.

The Estimator predicts, evaluates and trains one step with the edited code and with the unedited
code, from the same checkpoint (see :mod:`..drift.prover`). If the results of a mode differ, its
drift must not be ``none``. After an innocent edit, no mode may have the drift ``changed``.
"""

import collections
import dataclasses
import json
import os
import random
import re
import shlex
import shutil
import sys
import tempfile
import time
from typing import Any, Callable, Counter, Dict, Iterator, List, Optional, Tuple

import ckptcheck

from ..drift.entries import MODES, Edit, Model
from ..drift.scoring import TrainingError, check, run_prover
from .compose import compose
from .model import COMPAT, COMPAT_V1, Scaffolding, params, source
from .source import ATTRIBUTE, LITERAL, SUBSCRIPT

PER_MODEL = 8
"""The number of edits of one trained model."""
INNOCENT, SILENT = "innocent", "silent"
Change = Tuple[str, str]

_NET = re.compile(r"^( +)net = .*$", re.MULTILINE)
_ADDED = {
    SILENT: (
        "net = net * 1.5",
        "net = net + 0.25",
        "net = tf.tanh(net)",
        "net = tf.sigmoid(net) + net",
        "net = tf.clip_by_value(net, -0.1, 0.1)",
        "net = tf.stop_gradient(net) + 0.5 * net",
        "net = net - tf.reduce_mean(net, axis=0)",
        "net = tf.reverse(net, [1])",
        "net = tf.where(net > 0.0, net, 0.3 * net)",
        "net = net * (1.0 if mode == tf.estimator.ModeKeys.TRAIN else 0.5)",
        "net = tf.nn.l2_normalize(net, 1)",
        "tf.losses.add_loss(0.01 * tf.reduce_sum(tf.square(net)))",
    ),
    INNOCENT: (
        "net = tf.identity(net)",
        'tf.summary.histogram("seen", net)',
        "unused = tf.tanh(net) * 3.0",
        "with tf.control_dependencies([tf.debugging.assert_all_finite(net, 'x')]):\n"
        "    net = tf.identity(net)",
        "tf.logging.info('here')",
        "with tf.name_scope('renamed'):\n    net = tf.identity(net, name='net')",
        "net = tf.identity(net)\nfor one in tf.unstack(net, axis=1)[:1]:\n    tf.identity(one)",
        "shape = tf.shape(net)",
    ),
}
"""Lines to insert after a layer."""
_REPLACED = {
    SILENT: (
        ("0.01)", "0.02)"),
        ("0.01, 0.9)", "0.01, 0.8)"),
        ("tf.nn.relu", "tf.nn.elu"),
        ("tf.nn.tanh", "tf.nn.sigmoid"),
        ("mean_squared_error", "absolute_difference"),
        ("tf.reduce_mean(output, axis=1)", "tf.reduce_sum(output, axis=1)"),
        ("GradientDescentOptimizer(0.01)", "GradientDescentOptimizer(0.1)"),
        ("tf.add_n(tf.losses.get_losses())", "3.0 * tf.add_n(tf.losses.get_losses())"),
        ("[g for g, _ in pairs], 5.0", "[g for g, _ in pairs], 0.01"),
        ("ExponentialMovingAverage(0.9)", "ExponentialMovingAverage(0.5)"),
        ("+ {second}", "- {second}"),
        ("[0.5, 2.0]", "[0.5, 3.0]"),
        ("0.1 * extra", "0.2 * extra"),
        ("assign_add(1.0)", "assign_add(2.0)"),
    ),
    INNOCENT: (
        (
            "    loss = tf.add_n(tf.losses.get_losses())",
            "    loss = tf.identity(tf.add_n(tf.losses.get_losses()), name='the_loss')",
        ),
        ("training = mode ==", "training = unused = mode =="),
    ),
}
"""Texts to replace, with their replacements."""


@dataclasses.dataclass
class Tally:
    """The results of the trials: counts, and the texts of the disagreements."""

    counts: "Counter[str]" = dataclasses.field(default_factory=collections.Counter)
    unknown: "Counter[str]" = dataclasses.field(default_factory=collections.Counter)
    disagreements: int = 0

    def lines(self) -> Iterator[str]:
        """The end of the report."""
        for why, count in self.unknown.most_common():
            yield f"unknown: {count} x {why}"
        for what, count in self.counts.most_common():
            yield f"{what}: {count}"
        yield f"disagreements {self.disagreements}"


def draw_model(seed: int, number: int) -> Model:
    """A random model, with random edits."""
    rng = random.Random(f"drift {seed} {number}")
    composed = compose(rng)
    header = rng.choice((COMPAT, COMPAT_V1))
    style = SUBSCRIPT if composed.style in (ATTRIBUTE, LITERAL) else composed.style
    plain = dataclasses.replace(
        composed, header=header, style=style, scaffolding=Scaffolding(), hook=None
    )
    # Dropout must draw the same numbers, even if an edit adds or removes ops.
    text = source(plain).replace("training=training)", "training=training, seed=5)")
    text = text.replace("batch_normalization(net, training=training, seed=5)", _NORM)
    # The input_fn uses the names of the installed TensorFlow, even if the model uses v1 names.
    inputs = plain.inputs.train_source().replace("import tensorflow as tf\n", "import tensorflow\n")
    code = "\n".join([text, re.sub(r"\btf\.", "tensorflow.", inputs)])
    edits = tuple(_edits(rng, text, code))
    return Model(f"drift-{seed}-{number}", code, params(plain), edits)


_NORM = "batch_normalization(net, training=training)"


def _edits(rng: random.Random, text: str, code: str) -> Iterator[Edit]:
    for number in range(PER_MODEL):
        kind = rng.choice((SILENT, SILENT, INNOCENT))
        change = _replacement(rng, kind, code) if rng.random() < 0.5 else None
        change = change or _addition(rng, kind, code)
        if change is not None:
            yield Edit(f"{number}-{kind}", kind, (change,))


def _replacement(rng: random.Random, kind: str, code: str) -> Optional[Change]:
    fitting = [pair for pair in _REPLACED[kind] if code.count(pair[0]) == 1]
    return rng.choice(fitting) if fitting else None


def _addition(rng: random.Random, kind: str, code: str) -> Optional[Change]:
    """Returns a change that inserts lines after a layer, if the layer's line is unique."""
    layers = [found for found in _NET.finditer(code) if code.count(found.group(0)) == 1]
    if not layers:
        return None
    layer = rng.choice(layers)
    new = rng.choice(_ADDED[kind]).replace("\n", "\n" + layer.group(1))
    return layer.group(0), f"{layer.group(0)}\n{layer.group(1)}{new}"


def run(
    trials: int,
    seed: int,
    python: Optional[str],
    keep: str,
    limit: float,
    say: Callable[[str], Any],
) -> Tally:
    """Runs trials.

    Args:
        trials: how many.
        seed: of everything.
        python: the command of an interpreter with TensorFlow; None for this one.
        keep: a folder for the models about which the two sides disagree.
        limit: seconds after which no model is trained; 0 for none.
        say: is told about each disagreement.
    """
    tally, started = Tally(), time.time()
    command = shlex.split(python) if python else [sys.executable]
    with ckptcheck.Tracer(python) as tracer:
        for number in range((trials + PER_MODEL - 1) // PER_MODEL):
            if limit and time.time() - started > limit:
                break
            model = draw_model(seed, number)
            with tempfile.TemporaryDirectory(prefix="drift-") as root:
                path, folder = os.path.join(root, "model.json"), os.path.join(root, "trained")
                with open(path, "w") as file:
                    json.dump(dataclasses.asdict(model), file)
                try:
                    run_prover(path, folder, command)
                except TrainingError as error:
                    tally.counts["models that cannot be trained"] += 1
                    say(f"{model.id}: not trained: {str(error).strip().splitlines()[-1][:300]}")
                    continue
                with open(os.path.join(folder, "proof.json")) as file:
                    proof = json.load(file)
                wrong = [e for e in model.edits if not _judge(tracer, folder, e, proof, tally, say)]
                if wrong:
                    shutil.copytree(folder, os.path.join(keep, model.id))
            say(f"{number + 1} models, {sum(tally.counts.values())} trials")
    return tally


def _judge(
    tracer: ckptcheck.Tracer,
    folder: str,
    edit: Edit,
    proof: Dict[str, Any],
    tally: Tally,
    say: Callable[[str], Any],
) -> bool:
    """Compares both sides about one edit; returns whether they agree."""
    seen = proof[edit.id]
    if "raised" in seen:
        tally.counts["edits that raise"] += 1
        return True
    try:
        report = check(tracer, folder, edit.id, _gives_inputs(edit))
    except ckptcheck.UsageError as error:
        tally.counts["checks without an answer"] += 1
        say(f"{edit.id}: {edit.changes}: {error}")
        return True
    said = {mode: report["modes"][mode]["drift"] for mode in MODES}
    problems = list(_problems(edit, seen["differ"], said))
    for line in report["not_judged"] if "unknown" in said.values() else ():
        if line.startswith("whether the computation"):
            tally.unknown[line.partition(": ")[2][:90]] += 1
    result = "wrong" if problems else "unknown" if "unknown" in said.values() else "right"
    tally.counts[f"{edit.kind} edits, {result}"] += 1
    if problems:
        tally.disagreements += 1
        drift = [f["data"]["what"] for f in report["findings"] if f["category"] == "drift"]
        say(f"{folder} {edit.id}: {'; '.join(problems)}\n  {edit.changes}\n  {seen['by']} {drift}")
    return not problems


def _gives_inputs(edit: Edit) -> bool:
    """Whether ckptcheck gets the input_fn. Otherwise, it finds the features in the saved graph."""
    return int(edit.id.partition("-")[0]) % 2 == 1


def _problems(edit: Edit, differ: List[str], said: Dict[str, str]) -> Iterator[str]:
    for mode, drift in said.items():
        if mode in differ and drift == "none":
            yield f"missed in {mode}"
        if edit.kind == INNOCENT and drift == "changed" and mode not in differ:
            yield f"false alarm in {mode}"
