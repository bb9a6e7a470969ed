"""Small cases that the campaign found ckptcheck to be wrong about, each a model and its edits."""

import dataclasses
from typing import Dict, Tuple

from . import parts
from .edits import (
    ChangeFiles,
    ChangeModel,
    ChangeSize,
    ChangeTensor,
    DropParam,
    GiveInputFn,
    RemovePart,
)
from .inputs import Column, Inputs
from .model import COMPAT, COMPAT_V1, Block, Model, Scaffolding
from .shrink import Case
from .source import LITERAL, SUBSCRIPT, Number
from .trial import Composed

PLAIN = Model(header=COMPAT, style=LITERAL)


def _with_parts(model: Model, *several: parts.Part) -> Model:
    return dataclasses.replace(model, blocks=(Block("block", several, "scope"),))


def _with_inputs(model: Model, inputs: Inputs) -> Model:
    return dataclasses.replace(model, inputs=inputs)


def _with_whole_batches(widths: Tuple[int, ...], *columns: Column) -> Composed:
    """Columns in a Keras layer, of an iterator whose batches are of known size."""
    inputs = Inputs(
        widths=widths, columns=columns, dense_features=True, source="iterator", full_batch=True
    )
    return Composed(_with_inputs(PLAIN, inputs))


_EMBEDDING = parts.Embedding("ids", Number(6), Number(2))
_NUMBERS = Column("numbers", "numeric", Number(2), Number(6))
_VOCABULARY = Column("words", "vocabulary", Number(3), Number(6))
_HASHED = Column("hashes", "hashed", Number(3), Number(8))
_BUCKETS = Column("age", "buckets", Number(2), Number(6))

_WITH_A_SIZE = dataclasses.replace(
    _with_parts(PLAIN, parts.Auxiliary("extra", Number(3, "size"), "LABELS")), style=SUBSCRIPT
)

REGRESSIONS: Dict[str, Case] = {
    # The right border stood further from the first variable than any that was tried.
    "constants-before-a-long-head": (
        Composed(
            _with_parts(
                _with_inputs(PLAIN, Inputs(widths=(2, 2, 2), source="constants")), _EMBEDDING
            )
        ),
        (),
    ),
    # nest writes into what it makes of the features, which was the probe itself.
    "keras-maps-the-features": (
        Composed(_with_inputs(PLAIN, Inputs(columns=(_BUCKETS,), dense_features=True))),
        (),
    ),
    # A slice is no key that a dict could have.
    "one-tensor-that-is-sliced": (
        Composed(_with_parts(_with_inputs(PLAIN, Inputs(structure="tensor")), _EMBEDDING)),
        (),
    ),
    # A key that params lack is no key of the features.
    "param-missing-in-two-modes": (
        Composed(
            dataclasses.replace(
                _with_parts(
                    _with_inputs(PLAIN, Inputs(widths=(3, 3), columns=(_BUCKETS,))),
                    parts.Auxiliary("extra", Number(3, "size"), "LABELS"),
                ),
                style=SUBSCRIPT,
            )
        ),
        (DropParam("size"),),
    ),
    # A layer looks at the keys of whatever it is given.
    "one-tensor-into-a-layer": (
        Composed(
            _with_parts(_with_inputs(PLAIN, Inputs(structure="tensor")), parts.Twin("t", Number(3)))
        ),
        (),
    ),
    # A variable that no ready op looks at, and that the run reads.
    "not-restored-and-not-watched": (
        Composed(
            dataclasses.replace(
                PLAIN, scaffolding=Scaffolding("partial", "bias", "empty-ready-ops")
            )
        ),
        (),
    ),
    # The parts of a partitioned variable, each saved under a name of its own.
    "parts-by-their-names": (
        Composed(
            dataclasses.replace(
                PLAIN,
                blocks=(
                    Block("b", (parts.MatMul("m", Number(4), bias=False),), "scope", Number(2)),
                ),
                scaffolding=Scaffolding("dict"),
            )
        ),
        (),
    ),
    # The gradient of a concatenation is cut at the declared sizes; no shape function says so.
    "gradient-of-a-concatenation": (
        Composed(
            dataclasses.replace(
                _with_parts(
                    _with_inputs(PLAIN, Inputs(source="defaults")),
                    parts.Embedding("ids", Number(7), Number(4), keras=True),
                ),
                optimizer="adagrad",
                clip=True,
                average="kept",
            )
        ),
        (ChangeSize(1, 6),),
    ),
    # The size of the batch is not known, and no batch is as large as the Reshape wants it.
    "reshape-of-a-batch-of-unknown-size": (
        Composed(
            dataclasses.replace(
                _with_parts(PLAIN, parts.Embedding("ids", Number(7), Number(4))),
                optimizer="adagrad",
                clip=True,
            )
        ),
        (ChangeSize(1, 6),),
    ),
    # TensorFlow fills in the declared size of a filter; the optimizer then gets its gradient.
    "gradient-of-a-filter-of-another-size": (
        Composed(
            dataclasses.replace(
                _with_parts(
                    PLAIN, parts.Convolution("c", Number(4), Number(1), keras=True, flatten=True)
                ),
                optimizer="momentum",
            )
        ),
        (ChangeSize(1, 4),),
    ),
    # A vector goes into a resource variable, and the hooks of TRAIN want a number.
    "global-step-of-one-element": (Composed(PLAIN), (ChangeTensor("resize", "global_step", (1,)),)),
    # Its buckets are the rows of a matrix, also where keys and values are scalars.
    "dense-hash-table": (
        Composed(
            _with_parts(dataclasses.replace(PLAIN, header=COMPAT_V1), parts.Table("table", True))
        ),
        (),
    ),
    # The features' own first op refuses the wrong one, before anything shows which is which.
    "placeholders-of-other-shapes": (
        Composed(
            _with_inputs(
                PLAIN,
                Inputs(widths=(5, 1, 2), columns=(_NUMBERS,), source="defaults", weight="present"),
            )
        ),
        (),
    ),
    # Two of the tensors have the shape of the one that is refused; one of them is taken.
    "tensors-of-which-one-is-free": (
        _with_whole_batches(
            (3, 3),
            Column("hashed_value", "hashed", Number(2), Number(7)),
            Column("numeric_value", "numeric", Number(3), Number(6)),
            Column("buckets_value", "buckets", Number(2), Number(8)),
        ),
        (),
    ),
    # The order of the keys rules out the first tensor that is tried, and not the feature's part.
    "tensors-of-which-one-is-out-of-order": (
        _with_whole_batches(
            (5, 3),
            Column("numeric_value", "numeric", Number(3), Number(6)),
            Column("hashed_value", "hashed", Number(2), Number(7)),
        ),
        (),
    ),
    # There is nothing to restore, but there is a model_fn, which raises.
    "no-checkpoint-and-a-model-that-raises": (
        Composed(_WITH_A_SIZE),
        (DropParam("size"), ChangeFiles("state-missing-step")),
    ),
    # Estimator does not see a V1 checkpoint without a state file, either.
    "first-version-and-no-state-file": (
        Composed(dataclasses.replace(PLAIN, scaffolding=Scaffolding("v1-format"))),
        (ChangeFiles("state-garbage"),),
    ),
    # In TRAIN the variable is "count_1", since the input_fn has a "count" there.
    "named-after-the-inputs": (
        Composed(
            dataclasses.replace(
                _with_inputs(PLAIN, Inputs(source="iterator")),
                blocks=(Block("block", (parts.Scale("scaling", "count", False),)),),
            )
        ),
        (),
    ),
    # The checkpoint cannot be read, but the model_fn raises before anybody tries to.
    "no-index-and-a-model-that-raises": (
        Composed(_WITH_A_SIZE),
        (DropParam("size"), ChangeFiles("index-truncated")),
    ),
    # TensorFlow 1 raises at a directory that is gone before it calls a model_fn that raises.
    "no-directory-and-a-model-that-raises": (
        Composed(_WITH_A_SIZE),
        (DropParam("size"), ChangeFiles("state-moved")),
    ),
    # A state file of nothing raises before model_fn is called, in all modes but TRAIN.
    "a-state-file-of-nothing-and-a-model-that-raises": (
        Composed(_WITH_A_SIZE),
        (DropParam("size"), ChangeFiles("state-empty")),
    ),
    # The optimizer drops a Reshape to the shape that its input is declared to have.
    "a-reshape-that-is-never-run": (
        Composed(
            _with_inputs(PLAIN, Inputs(columns=(_VOCABULARY,), source="defaults", full_batch=True))
        ),
        (ChangeSize(0, 6),),
    ),
    # A Reshape that no restored shape flows into is all that tells the shape after it.
    "a-reshape-that-tells-the-shape": (
        Composed(
            _with_parts(
                _with_inputs(
                    PLAIN, Inputs(widths=(4,), columns=(_NUMBERS, _HASHED), source="defaults")
                ),
                parts.MatMul("m", Number(5), bias=False),
                parts.Dense("hidden", Number(6)),
            )
        ),
        (RemovePart("m"),),
    ),
    # How wide a restored embedding is stands in a Slice of its shape, which a Reshape then takes.
    "an-embedding-of-another-width": (
        Composed(_with_parts(_with_inputs(PLAIN, Inputs(columns=(_HASHED,))), parts.Table("t"))),
        (ChangeSize(0, 5),),
    ),
    # What is initialized again after the restore has its declared shape again.
    "another-size-that-is-initialized-again": (
        Composed(_with_inputs(PLAIN, Inputs(source="constants"))),
        (
            ChangeSize(0, 4),
            ChangeModel("scaffolding", Scaffolding(completion="again")),
            GiveInputFn(),
        ),
    ),
    # The gradient of the rows that were looked up is as wide as the table is declared to be.
    "gradient-of-rows-of-another-width": (
        Composed(
            dataclasses.replace(
                _with_parts(
                    _with_inputs(PLAIN, Inputs(source="iterator", full_batch=True)),
                    _EMBEDDING,
                    parts.MatMul("m", Number(5), bias=False),
                ),
                optimizer="momentum",
            )
        ),
        (ChangeSize(1, 1),),
    ),
    # Only Python knows the shapes of a queue's tensors, and the run has them all the same.
    "a-queue-and-a-layer-that-is-gone": (
        Composed(
            _with_parts(
                _with_inputs(PLAIN, Inputs(widths=(3,), source="numpy")),
                parts.Dense("hidden", Number(2)),
            )
        ),
        (RemovePart("hidden"), GiveInputFn()),
    ),
    # Of what TensorFlow 1 looks up in a table only Python knows the shape.
    "a-lookup-and-a-layer-that-is-gone": (
        Composed(
            _with_parts(
                _with_inputs(PLAIN, Inputs(widths=(3,))),
                parts.Table("table"),
                parts.MatMul("m", Number(6)),
                parts.Sequential("two", Number(2), Number(6)),
            )
        ),
        (RemovePart("m"),),
    ),
    # The last key of the features, which hold the labels too, was taken for the labels.
    "labels-inside-and-a-last-feature-of-text": (
        Composed(
            _with_inputs(
                PLAIN,
                Inputs(
                    widths=(2, 2),
                    columns=(dataclasses.replace(_VOCABULARY, feature="zone", indicator=True),),
                    dense_features=True,
                    labels="inside",
                ),
            )
        ),
        (),
    ),
}
