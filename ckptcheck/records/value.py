"""The content of a record, and its JSON document (docs/record.md)."""

import dataclasses
import json
from typing import Any, Dict, Mapping, Optional, Tuple

from ..codec import from_json, to_json
from ..origins import Origins
from ..protocol import RestorePlan
from ..uses import InputTensor

FORMAT = "ckptcheck-record"
VERSION = 1
ENDING = ".ckptcheck.json"
"""The end of a record's name, after the prefix of the checkpoint."""

TRAINING, TRACED = "training", "traced"
"""Who wrote a record: the training process, or the command ``record``."""


@dataclasses.dataclass(frozen=True)
class HiddenValue:
    """A param whose value the record does not hold.

    Attributes:
        type: the name of its type.
        digest: the digest of the value.
        redacted: whether the value was left out because the name of the param looks secret, or
            because the user asked for it. Otherwise, JSON cannot hold the value.
    """

    type: str
    digest: str
    redacted: bool = False


@dataclasses.dataclass(frozen=True)
class RecordedParams:
    """The params of the training run.

    Attributes:
        values: those that JSON can hold.
        hidden: the others, by their path: ``optimizer.dtype``.
        salt: goes into the digests of redacted values.
    """

    values: Mapping[str, Any] = dataclasses.field(default_factory=dict, hash=False)
    hidden: Mapping[str, HiddenValue] = dataclasses.field(default_factory=dict, hash=False)
    salt: str = ""


@dataclasses.dataclass(frozen=True)
class RecordedMode:
    """One mode of the model.

    Attributes:
        features: the structure of the features, as in docs/features.md.
        labels: the same of the labels; None without labels.
        taken_names: the names of the input_fn's ops.
        defaults: the defaults that the code used for params that were missing.
        plan: what a restore reads; None if the record was written in training.
        graph: the graph, as :mod:`..tracer.graph_text` writes it; "" if it is not known, or if the
            training process wrote the record and the saver wrote the graph beside the checkpoint.
        first_op: the number of nodes before the first node of the model_fn.
        inputs: which input is which tensor of the graph.
        restore_op: the name of the saver's restore op; "" if it is not known.
        outputs: the names of the tensors that the mode computes: the loss, or the predictions.
        output_keys: the key of each output in the predictions; "" for the loss.
        train_op: the name of the op that runs a step of training; "" if it is not known.
    """

    features: Any = None
    labels: Any = None
    taken_names: Tuple[str, ...] = ()
    defaults: Mapping[str, Any] = dataclasses.field(default_factory=dict, hash=False)
    plan: Optional[RestorePlan] = None
    graph: str = ""
    first_op: int = 0
    inputs: Tuple[InputTensor, ...] = ()
    restore_op: str = ""
    outputs: Tuple[str, ...] = ()
    output_keys: Tuple[str, ...] = ()
    train_op: str = ""


@dataclasses.dataclass(frozen=True)
class Record:
    """The record of a checkpoint: its params, features, sources, other files and versions.

    Attributes:
        checkpoint: the name of the checkpoint, without its directory.
        step: the global step; None if it is not known.
        index_digest: the digest of the checkpoint's index. It changes with each save.
        writer: ``training`` or ``traced``.
        ckptcheck: the version that wrote the record.
        target: TARGET; "" if it is not known.
        params_type: how the model_fn takes its params, as ``--params-type``.
        params: the params; None if they are not known, such as those of an Estimator.
        flags: the command-line flags of the project whose value is not the default.
        modes: the modes whose features are known.
        origins: sources, files that the code reads, and versions.
    """

    checkpoint: str
    step: Optional[int]
    index_digest: str
    writer: str
    ckptcheck: str
    origins: Origins
    target: str = ""
    params_type: str = "dict"
    params: Optional[RecordedParams] = None
    flags: Tuple[str, ...] = ()
    modes: Mapping[str, RecordedMode] = dataclasses.field(default_factory=dict, hash=False)


def document_of(record: Record) -> bytes:
    """Returns the JSON document of a record."""
    document: Dict[str, Any] = {"format": FORMAT, "version": VERSION, **to_json(record)}
    del document["origins"]["private"]  # differs between the directories where checks run
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode("ascii")


def record_of(document: Mapping[str, Any]) -> Record:
    """Builds a record from its JSON document.

    Raises:
        TypeError: a part is missing, or has another type.
    """
    return from_json(Record, document)
