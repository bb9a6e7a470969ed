"""Small cases for which the campaign found a wrong verdict of ckptcheck: a model and its edits."""

import dataclasses
from typing import Dict, Tuple

from . import parts
from .edits import (
    AddPart,
    ChangeBlock,
    ChangeFiles,
    ChangeModel,
    ChangePart,
    ChangeSize,
    ChangeTensor,
    DropFeature,
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
    """Returns a model with columns in a Keras layer. The batch size of its iterator is known."""
    inputs = Inputs(
        widths=widths, columns=columns, dense_features=True, source="iterator", full_batch=True
    )
    return Composed(_with_inputs(PLAIN, inputs))


_EMBEDDING = parts.Embedding("ids", Number(6), Number(2))
_NUMBERS = Column("numbers", "numeric", Number(2), Number(6))
_IDS = Column("ids", "identity", Number(3), Number(7))
_VOCABULARY = Column("words", "vocabulary", Number(3), Number(6))
_HASHED = Column("hashes", "hashed", Number(3), Number(8))
_BUCKETS = Column("age", "buckets", Number(2), Number(6))

_WITH_A_SIZE = dataclasses.replace(
    _with_parts(PLAIN, parts.Auxiliary("extra", Number(3, "size"), "LABELS")), style=SUBSCRIPT
)

REGRESSIONS: Dict[str, Case] = {
    # The right border was further from the first variable than all borders that the search tried.
    "constants-before-a-long-head": (
        Composed(
            _with_parts(
                _with_inputs(PLAIN, Inputs(widths=(2, 2, 2), source="constants")), _EMBEDDING
            )
        ),
        (),
    ),
    # nest assigns keys in its copy of the features, but the copy was the probe itself.
    "keras-maps-the-features": (
        Composed(_with_inputs(PLAIN, Inputs(columns=(_BUCKETS,), dense_features=True))),
        (),
    ),
    # A slice cannot be the key of a dict.
    "one-tensor-that-is-sliced": (
        Composed(_with_parts(_with_inputs(PLAIN, Inputs(structure="tensor")), _EMBEDDING)),
        (),
    ),
    # A missing key of the params was taken for a key of the features.
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
    # A layer reads the keys of any input.
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
    # The gradient of a concatenation uses the declared sizes. Shape functions do not find this.
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
    # The batch size is unknown, and the Reshape does not fit any batch size.
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
    # The buckets of a dense hash table are rows of a matrix, even if keys and values are scalars.
    "dense-hash-table": (
        Composed(
            _with_parts(dataclasses.replace(PLAIN, header=COMPAT_V1), parts.Table("table", True))
        ),
        (),
    ),
    # The first op of a feature refuses the wrong tensor before other ops show the right pairs.
    "placeholders-of-other-shapes": (
        Composed(
            _with_inputs(
                PLAIN,
                Inputs(widths=(5, 1, 2), columns=(_NUMBERS,), source="defaults", weight="present"),
            )
        ),
        (),
    ),
    # Two tensors have the same shape as the refused one. Another feature already has one of them.
    "tensors-of-which-one-is-free": (
        _with_whole_batches(
            (3, 3),
            Column("hashed_value", "hashed", Number(2), Number(7)),
            Column("numeric_value", "numeric", Number(3), Number(6)),
            Column("buckets_value", "buckets", Number(2), Number(8)),
        ),
        (),
    ),
    # The order of the keys excludes only the first tensor that is tried.
    "tensors-of-which-one-is-out-of-order": (
        _with_whole_batches(
            (5, 3),
            Column("numeric_value", "numeric", Number(3), Number(6)),
            Column("hashed_value", "hashed", Number(2), Number(7)),
        ),
        (),
    ),
    # There is no checkpoint to restore, and the model_fn raises.
    "no-checkpoint-and-a-model-that-raises": (
        Composed(_WITH_A_SIZE),
        (DropParam("size"), ChangeFiles("state-missing-step")),
    ),
    # Without a valid state file, Estimator does not find a V1 checkpoint.
    "first-version-and-no-state-file": (
        Composed(dataclasses.replace(PLAIN, scaffolding=Scaffolding("v1-format"))),
        (ChangeFiles("state-garbage"),),
    ),
    # In TRAIN, the input_fn has an op "count", so the variable is "count_1".
    "named-after-the-inputs": (
        Composed(
            dataclasses.replace(
                _with_inputs(PLAIN, Inputs(source="iterator")),
                blocks=(Block("block", (parts.Scale("scaling", "count", False),)),),
            )
        ),
        (),
    ),
    # The checkpoint cannot be read, but the model_fn raises before the restore.
    "no-index-and-a-model-that-raises": (
        Composed(_WITH_A_SIZE),
        (DropParam("size"), ChangeFiles("index-truncated")),
    ),
    # TensorFlow 1 raises for the missing directory before it calls the model_fn, which raises, too.
    "no-directory-and-a-model-that-raises": (
        Composed(_WITH_A_SIZE),
        (DropParam("size"), ChangeFiles("state-moved")),
    ),
    # For an empty state file, all modes except TRAIN raise before they call model_fn.
    "a-state-file-of-nothing-and-a-model-that-raises": (
        Composed(_WITH_A_SIZE),
        (DropParam("size"), ChangeFiles("state-empty")),
    ),
    # The graph optimizer drops a Reshape if its input is declared with the same shape.
    "a-reshape-that-is-never-run": (
        Composed(
            _with_inputs(PLAIN, Inputs(columns=(_VOCABULARY,), source="defaults", full_batch=True))
        ),
        (ChangeSize(0, 6),),
    ),
    # Only a Reshape gives the shape after it, and no restored shape flows into this Reshape.
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
    # A Slice reads the width of a restored embedding from its shape, and a Reshape uses it.
    "an-embedding-of-another-width": (
        Composed(_with_parts(_with_inputs(PLAIN, Inputs(columns=(_HASHED,))), parts.Table("t"))),
        (ChangeSize(0, 5),),
    ),
    # A variable that is initialized again after the restore has its declared shape again.
    "another-size-that-is-initialized-again": (
        Composed(_with_inputs(PLAIN, Inputs(source="constants"))),
        (
            ChangeSize(0, 4),
            ChangeModel("scaffolding", Scaffolding(completion="again")),
            GiveInputFn(),
        ),
    ),
    # The gradient of looked-up rows has the declared width of the table.
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
    # Only Python knows the shapes of a queue's tensors, but the run has the same shapes.
    "a-queue-and-a-layer-that-is-gone": (
        Composed(
            _with_parts(
                _with_inputs(PLAIN, Inputs(widths=(3,), source="numpy")),
                parts.Dense("hidden", Number(2)),
            )
        ),
        (RemovePart("hidden"), GiveInputFn()),
    ),
    # Only Python knows the shape of a value that TensorFlow 1 looks up in a table.
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
    # The features include the labels. The last key of the features was taken for the labels.
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
    # The tensor of the unused first feature was given to a feature that raises with this tensor.
    "an-unused-feature-and-labels-inside": (
        Composed(
            _with_parts(
                _with_inputs(PLAIN, Inputs(labels="inside", unused="feature", source="iterator")),
                parts.MatMul("m", Number(3)),
            )
        ),
        (),
    ),
    # An optional feature that is absent took the tensor of a dropped feature.
    "a-dropped-feature-and-an-absent-one": (
        Composed(
            _with_inputs(
                PLAIN,
                Inputs(
                    widths=(4, 4, 4),
                    labels="nested",
                    unused="predict",
                    source="iterator",
                    weight="absent",
                ),
            )
        ),
        (DropFeature(),),
    ),
    "a-dropped-feature-and-labels-inside": (
        Composed(
            _with_inputs(
                PLAIN,
                Inputs(
                    widths=(4, 4),
                    columns=(_BUCKETS,),
                    dense_features=True,
                    labels="inside",
                    source="numpy",
                    weight="absent",
                ),
            )
        ),
        (DropFeature(),),
    ),
    # TRAIN raises, and the code uses the only feature in another way: its tensor is certain.
    "another-use-of-the-only-feature": (
        Composed(
            dataclasses.replace(
                _with_parts(PLAIN),
                inputs=Inputs(structure="tensor", source="constants"),
                clip=True,
            )
        ),
        (AddPart("block", parts.Dense("double", Number(6), double=True)),),
    ),
    # An unused tensor was taken for an optional feature that is absent.
    "an-unused-tensor-and-an-absent-one": (
        Composed(
            _with_parts(
                _with_inputs(
                    dataclasses.replace(PLAIN, style=SUBSCRIPT),
                    Inputs(widths=(5, 1), labels="dict", unused="feature", weight="absent"),
                ),
                parts.Counter("counter"),
            )
        ),
        (ChangeBlock("block", "scope", "other"),),
    ),
    # TRAIN raises after it has used the labels, so the keys of the labels do not matter.
    "labels-with-any-keys": (
        Composed(
            dataclasses.replace(
                _with_parts(
                    PLAIN, parts.Dense("first", Number(6)), parts.Dense("double", Number(6))
                ),
                inputs=Inputs(structure="tensor", labels="items"),
                clip=True,
            )
        ),
        (ChangePart("double", "double", True),),
    ),
    # All modes raise before they use the labels. Only one tensor is left for the labels.
    "constants-in-a-tuple": (
        Composed(
            _with_parts(
                _with_inputs(PLAIN, Inputs(structure="tuple", widths=(1, 5), source="constants")),
                parts.MatMul("m", Number(3), bias=True),
            )
        ),
        (ChangePart("m", "validate", False),),
    ),
    # The search tried other tensors for the features that fit, and ended before the weight's turn.
    "a-weight-beside-a-feature-that-is-gone": (
        Composed(
            _with_parts(
                _with_inputs(
                    PLAIN,
                    Inputs(
                        widths=(2, 3),
                        columns=(_NUMBERS, _IDS),
                        source="defaults",
                        weight="present",
                    ),
                ),
                parts.Dense("first", Number(7)),
            )
        ),
        (DropFeature(),),
    ),
    # With TRAIN's batch size, PREDICT and EVAL raised before they came to the missing param.
    "param-missing-beside-own-batches": (
        Composed(
            dataclasses.replace(
                _with_inputs(
                    PLAIN,
                    Inputs(widths=(4, 4), access="nested", labels="nested", own_batch=True),
                ),
                style=SUBSCRIPT,
                output=Number(2, "size"),
            )
        ),
        (DropParam("size"),),
    ),
}

ASKED: Dict[str, Case] = {
    # The output of the saved model's own dropout fitted the feature that is left better than the
    # tensors of the input pipeline, although the kernel after it has another shape now.
    "only-one-tensor-to-concat": (
        Composed(
            dataclasses.replace(
                _with_parts(
                    _with_inputs(
                        dataclasses.replace(PLAIN, style=SUBSCRIPT),
                        Inputs(widths=(2, 2), labels="dict", unused="label", weight="absent"),
                    ),
                    parts.Dropout("dropout"),
                ),
                output=Number(2),
            )
        ),
        (DropFeature(),),
    ),
    # The search did not trace again with an optional key that it had added to the guess. So it left
    # the constants, and took the product of the saved model for the only feature.
    "optional-key-among-constants": (
        Composed(
            dataclasses.replace(
                _with_inputs(PLAIN, Inputs(widths=(5, 4), source="constants", weight="present")),
                output=Number(3),
            )
        ),
        (DropFeature(),),
    ),
}
"""Cases for which the campaign found a wrong verdict, and whose features no graph shows."""
