"""Random models."""

import dataclasses
import random
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from . import parts
from .inputs import Column, Inputs
from .model import COMPLETIONS, HEADERS, OPTIMIZERS, SAVERS, Block, Hook, Model, Scaffolding
from .source import LITERAL, STYLES, Number

_SIGNATURES = (
    ("features", "labels", "mode", "params"),
    ("features", "labels", "mode", "params", "config"),
    ("mode", "features", "labels", "params"),
    ("labels", "features", "params", "mode"),
    ("features", "mode", "params", "labels"),
)
_SCOPES = ("net", "model", "body", "encoder", "tower_1")


class Composer:
    """Draws a random model. The random generator determines everything."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._count = 0
        self._style = rng.choice(STYLES)

    def model(self) -> Model:
        """A random model."""
        rng = self._rng
        header = rng.choice(sorted(HEADERS))
        inputs = self._inputs()
        signature: Tuple[str, ...] = rng.choice(_SIGNATURES)
        if inputs.labels == "inside" and rng.random() < 0.5:
            signature = tuple(name for name in signature if name != "labels")
        average = rng.choice(("", "", "", "", "kept", "restored"))
        return Model(
            header=header,
            style=self._style,
            signature=signature,
            inputs=inputs,
            blocks=tuple(self._block() for _ in range(rng.choice((1, 1, 2, 2, 3)))),
            output=self.number(1, 3),
            optimizer=rng.choice(sorted(OPTIMIZERS)),
            optimizer_in_eval=rng.random() < 0.25,
            clip=rng.random() < 0.25,
            average=average,
            scaffolding=self._scaffolding(bool(average)),
            hook=self._hook(),
            metrics=rng.random() < 0.4,
            wrapped=rng.choice(("", "", "", "outer")),
        )

    def number(self, least: int, most: int) -> Number:
        """A size, in the code or in params."""
        rng = self._rng
        value = rng.randint(least, most)
        if self._style == LITERAL or rng.random() < 0.4:
            return Number(value)
        self._count += 1
        default = rng.choice((None, value, rng.randint(least, most)))
        return Number(value, f"size_{self._count}", default)

    def part(self, in_partitions: bool = False) -> parts.Part:
        """A random part; ``in_partitions`` for one whose variables can be partitioned."""
        kinds = _PARTITIONABLE if in_partitions else tuple(_KINDS)
        return _KINDS[self._rng.choice(kinds)](self)

    def label(self, kind: str) -> str:
        """A name that no other part has."""
        self._count += 1
        return f"{kind}_{self._count}"

    def maybe(self, chance: float = 0.5) -> bool:
        """Returns True with this probability."""
        return self._rng.random() < chance

    def choice(self, options: Sequence[str]) -> str:
        """Returns a random item."""
        return self._rng.choice(list(options))

    def _block(self) -> Block:
        rng = self._rng
        label = self.label("block")
        shards: Optional[Number] = None
        scope = rng.choice(("", *_SCOPES))
        arguments = ""
        if scope and rng.random() < 0.3:
            shards = self.number(2, 3)
        elif scope:
            arguments = rng.choice(("", "", "", ", use_resource=True", ", reuse=tf.AUTO_REUSE"))
        many = rng.choice((0, 1, 1, 2, 2, 3))
        inside = tuple(self.part(shards is not None) for _ in range(many))
        if scope and many:  # use a scope name only once, because layers in it would collide
            scope = f"{scope}_{label}" if rng.random() < 0.5 else label
        return Block(label, inside, scope, shards, arguments)

    def _inputs(self) -> Inputs:
        rng = self._rng
        structure = rng.choice(("dict", "dict", "dict", "tensor", "tuple", "list"))
        sources = ("dataset", "dataset", "iterator", "numpy", "constants", "defaults")
        source = rng.choice(sources)
        if structure == "tuple" and source == "numpy":
            source = "dataset"
        if structure == "list" and source in ("dataset", "numpy"):
            source = rng.choice(("iterator", "constants", "defaults"))
        labels = rng.choice(("tensor", "tensor", "tensor", "dict", "inside"))
        if labels == "inside" and structure != "dict":
            labels = "tensor"
        count = 1 if structure == "tensor" else rng.choice((1, 2, 2, 3))
        if structure in ("tuple", "list"):
            count = max(count, 2)
        width = rng.randint(2, 4)
        same = rng.random() < 0.5
        widths = tuple(width if same else rng.randint(1, 5) for _ in range(count))
        columns = self._columns() if structure == "dict" and rng.random() < 0.5 else ()
        if columns and source == "constants":
            source = "defaults"
        weight = ""
        if structure == "dict":
            weight = rng.choice(("", "", "", "present", "absent"))
        made = Inputs(
            structure,
            widths,
            columns,
            rng.random() < 0.3,
            labels=labels,
            source=source,
            full_batch=rng.random() < 0.3,
            weight=weight,
        )
        return self._varied(made)

    def _varied(self, inputs: Inputs) -> Inputs:
        """Draws more properties of the inputs: other structures and batch sizes."""
        rng = self._rng
        if inputs.source not in ("dataset", "iterator"):
            return inputs
        changes: Dict[str, Any] = {}
        if inputs.labels == "tensor" and rng.random() < 0.5:
            kinds = ["tuple", "items", "nested"]
            changes["labels"] = rng.choice(
                kinds if inputs.source == "dataset" else [*kinds, "list"]
            )
        if inputs.structure == "dict":
            changes["unused"] = rng.choice(("", "", "feature", "label", "predict"))
        plain = inputs.structure == "dict" and not inputs.columns and not inputs.weight
        if plain and inputs.labels != "inside":
            changes["access"] = rng.choice(("key", "get", "pop", "items", "keywords", "nested"))
        if changes.get("access", "key") != "key":
            changes["unused"] = rng.choice(("", "label"))
        if not inputs.columns and inputs.source == "dataset" and rng.random() < 0.25:
            changes["own_batch"] = True
        return dataclasses.replace(inputs, **changes)

    def _columns(self) -> Tuple[Column, ...]:
        kinds = ("numeric", "buckets", "hashed", "vocabulary", "identity")
        chosen = self._rng.sample(kinds, self._rng.choice((1, 2, 2, 3)))
        return tuple(
            Column(
                f"{kind}_value",
                kind,
                self.number(2, 4),
                self.number(6, 9),
                kind in ("buckets", "vocabulary", "identity") and self.maybe(0.4),
            )
            for kind in chosen
        )

    def _scaffolding(self, averages: bool) -> Scaffolding:
        rng = self._rng
        if rng.random() < 0.6:
            return Scaffolding()
        saver = rng.choice(("", *sorted(SAVERS)))
        completion = "nothing"
        if saver == "partial":
            completion = rng.choice(sorted(COMPLETIONS))
        elif rng.random() < 0.15:
            completion = rng.choice(("again", "empty-ready-ops"))
        if averages and completion == "again":
            completion = "nothing"
        if completion == "empty-ready-ops" and saver not in ("", "partial"):
            completion = "nothing"
        without = rng.choice(("bias", "kernel", "output"))
        return Scaffolding(saver, without, completion, rng.random() < 0.6)

    def _hook(self) -> Optional[Hook]:
        rng = self._rng
        if rng.random() < 0.8:
            return None
        modes = rng.choice((("train",), ("train", "eval"), ("train", "eval", "predict"), ("eval",)))
        return Hook(modes, rng.choice(("seen", "count", "global_count")), rng.random() < 0.5)


def _dense(compose: Composer) -> parts.Part:
    return parts.Dense(
        compose.label("dense"),
        compose.number(3, 8),
        named=compose.maybe(),
        keras=compose.maybe(0.4),
        use_bias=compose.maybe(0.8),
        double=compose.maybe(0.1),
        activation=compose.choice(("relu", "tanh", "")),
    )


def _plain_dense(compose: Composer) -> parts.Part:
    return parts.Dense(compose.label("dense"), compose.number(3, 8), named=compose.maybe())


def _matmul(compose: Composer) -> parts.Part:
    return parts.MatMul(
        compose.label("product"),
        compose.number(3, 8),
        bias=compose.maybe(0.7),
        resource=compose.maybe(0.2),
        validate=compose.maybe(0.8),
    )


def _plain_matmul(compose: Composer) -> parts.Part:
    return parts.MatMul(compose.label("product"), compose.number(3, 8), bias=False)


def _recurrent(compose: Composer) -> parts.Part:
    return parts.Recurrent(
        compose.label("recurrent"),
        compose.number(2, 5),
        compose.choice(("LSTMCell", "GRUCell", "BasicLSTMCell", "BasicRNNCell")),
        compose.choice(("dynamic_rnn", "static_rnn", "keras")),
        2 if compose.maybe(0.2) else 1,
    )


def _convolution(compose: Composer) -> parts.Part:
    return parts.Convolution(
        compose.label("convolution"),
        compose.number(2, 5),
        compose.number(1, 3),
        keras=compose.maybe(0.4),
        flatten=compose.maybe(),
        norm=compose.maybe(0.3),
    )


def _embedding(compose: Composer) -> parts.Part:
    return parts.Embedding(
        compose.label("embedding"),
        compose.number(6, 9),
        compose.number(2, 4),
        keras=compose.maybe(0.4),
    )


def _plain_embedding(compose: Composer) -> parts.Part:
    return parts.Embedding(compose.label("embedding"), compose.number(6, 9), compose.number(2, 4))


_KINDS: Dict[str, Callable[[Composer], parts.Part]] = {
    "dense": _dense,
    "plain-dense": _plain_dense,
    "matmul": _matmul,
    "plain-matmul": _plain_matmul,
    "sequential": lambda c: parts.Sequential(c.label("sequential"), c.number(2, 6), c.number(2, 6)),
    "scale": lambda c: parts.Scale(
        c.label("scaling"), c.choice(("scale", "data", "count", "Variable")), c.maybe()
    ),
    "convolution": _convolution,
    "normalization": lambda c: parts.Normalization(
        c.label("norm"), c.choice(("layers", "layers", "keras", "layer")), c.maybe()
    ),
    "dropout": lambda c: parts.Dropout(c.label("dropout")),
    "recurrent": _recurrent,
    "embedding": _embedding,
    "plain-embedding": _plain_embedding,
    "twin": lambda c: parts.Twin(c.label("twin"), c.number(2, 6), c.maybe()),
    "counter": lambda c: parts.Counter(c.label("counter"), c.maybe(0.4)),
    "table": lambda c: parts.Table(c.label("table"), c.maybe(0.4)),
    "auxiliary": lambda c: parts.Auxiliary(
        c.label("auxiliary"),
        c.number(2, 5),
        c.choice(("TRAIN", "TRAIN", "LABELS", "LABELS", "PREDICT")),
    ),
}
_PARTITIONABLE = ("plain-dense", "plain-matmul", "plain-embedding", "twin", "dropout")


def compose(rng: random.Random) -> Model:
    """Draws a model."""
    return Composer(rng).model()


def parts_to_add(rng: random.Random, taken: int) -> List[parts.Part]:
    """Returns new parts for a model. Their labels continue after ``taken``."""
    composer = Composer(rng)
    composer._style = LITERAL
    composer._count = taken
    return [composer.part()]
