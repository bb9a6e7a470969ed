"""Says what the saved graph does not show about the features, as notes for ``not_judged``."""

import dataclasses
import re
from typing import Iterable, Iterator, List, Optional, Sequence

from ..protocol import EXPORT, MODES, TRAIN
from ..results import shape_text
from .answers import Answer, shapes_read
from .attempt import Ask, Found
from .guess import Guess, OwnInputs
from .learning import optional_keys

_MOST_NAMED = 3


def feature_doubts(
    found: Found, guess: Guess, other_file: str, ask: Optional[Ask], unfit: bool
) -> Iterator[str]:
    """Yields what is not known about the features of a guess.

    Args:
        found: the end of a search for the features. Each mode finished, or raised an error that
            the features do not cause.
        guess: its guess.
        other_file: the file of the saved graph if it is not the checkpoint's own; "" if it is.
        ask: traces modes. None if only params are tried: then nothing more is traced.
        unfit: whether a variable does not fit the checkpoint. If so, the batch size does not
            matter.
    """
    traces = found.traces
    yield from _assumed(guess)
    yield from _without_tensors(guess)
    yield from _looked_for(found, guess)
    if EXPORT in traces:
        yield EXPORTED
    if other_file:
        yield (_OF_ANOTHER if guess.pool.labeled else _OF_SERVING).format(other_file)
    for change, text in _OWN.items():
        modes = " and ".join(mode.upper() for mode in MODES if guess.own.get(mode) == change)
        if modes:
            yield text.format(modes, guess.pool.batch)
    if not found.alike and all(answer.finished for answer in traces.values()):
        yield _ANOTHER_USE
    shared = _named_after_inputs(guess.pool.names, traces.values())
    if shared:
        yield _NAMED_AFTER_INPUTS.format(", ".join(shared[:_MOST_NAMED]))
    yield from _of_dtype(found)
    if ask is not None and not unfit:
        yield from _of_batch_size(found, guess, ask)


def _assumed(guess: Guess) -> Iterator[str]:
    """Returns the note on keys that no name in the saved graph confirms."""
    pairs = [
        f"{key} is {'' if place else 'the tensor '}{leaf.name}"
        for place, (key, leaf) in enumerate(guess.assumed)
    ]
    rest = len(pairs) - _MOST_NAMED
    if rest > 1:
        pairs[_MOST_NAMED:] = [f"so on for {rest} more keys"]
    if pairs:
        *most, last = pairs
        yield _ASSUMED.format(" and ".join(filter(None, (", ".join(most), last))))


def _without_tensors(guess: Guess) -> Iterator[str]:
    """Returns the notes on features that are new since the checkpoint."""
    for path in guess.absent:
        yield _ABSENT.format(path[-1])
    for path in guess.added - guess.absent:
        yield _ADDED.format(path[-1])
    for path, leaf in guess.new.items():
        if leaf is not None and path not in guess.absent | guess.added:
            shape = shape_text(tuple(leaf["shape"]))
            yield _NEW.format(path[-1], leaf["dtype"], shape)


def _looked_for(found: Found, guess: Guess) -> Iterator[str]:
    """Returns the notes on optional keys that only PREDICT or EVAL looks for."""
    traces = {mode: trace for mode, trace in found.traces.items() if mode in MODES}
    train = optional_keys({mode: trace for mode, trace in traces.items() if mode == TRAIN})
    for mode in MODES if TRAIN in traces else ():
        keys = optional_keys({mode: traces[mode]}) if mode in traces else []
        open_keys = [key for key in keys if key not in (*train, *guess.features.keys)]
        if open_keys:
            yield _LOOKED_FOR.format(mode.upper(), ", ".join(open_keys[:_MOST_NAMED]))


def _of_dtype(found: Found) -> Iterator[str]:
    """Returns the note on a tensor whose dtype makes model_fn raise an error.

    The input_fn may have changed with the code, so its tensors may have another dtype now.
    """
    if found.of_dtype is not None:
        path, modes, then, now = found.of_dtype
        name = "the labels" if path[0] == "labels" else f"the feature {path[-1]}"
        shown = ", ".join(mode.upper() for mode in MODES if mode in modes)
        yield _OF_DTYPE.format(name, shown, then, now)


def _of_batch_size(found: Found, guess: Guess, ask: Ask) -> Iterator[str]:
    """Returns the note on modes in which shapes of variables depend on the batch size.

    PREDICT and EVAL may have another batch size than TRAIN. A mode is traced again only if a
    variable has the batch size in its shape, and the others only if the first one depends on it. It
    is traced with an unknown batch size, and, if model_fn then raises an error, with 1.
    """
    size = guess.pool.batch
    traces = {
        mode: trace
        for mode, trace in found.traces.items()
        if mode not in (TRAIN, *guess.own)
        if any(size in (read.shape or ()) for read in trace.reads)
    }
    if size is None or not traces:
        return
    modes = []
    for mode in (mode for mode in (*MODES, EXPORT) if mode in traces):
        if not _depends_on_batch(traces[mode], guess, ask):
            break
        modes.append(mode.upper())
    if modes:
        yield _OF_BATCH_SIZE.format(" and ".join(modes), "has" if len(modes) == 1 else "have", size)


def _depends_on_batch(trace: Answer, guess: Guess, ask: Ask) -> bool:
    """Whether the shapes of variables differ with another batch size."""
    for change in (OwnInputs.BATCH, OwnInputs.ONE):
        own = dataclasses.replace(guess, own={**guess.own, trace.mode: change})
        again = ask({trace.mode: own.inputs(trace.mode)}).get(trace.mode)
        if again is not None and again.finished:
            return shapes_read(again) != shapes_read(trace)
    return False


def _named_after_inputs(names: Sequence[str], traces: Iterable[Answer]) -> List[str]:
    """Returns variables whose name has a number because TRAIN's input_fn has an op of that name.

    The input_fn of another mode may not have that op. For example, in TensorFlow 1
    ``Dataset.repeat`` makes an op ``count``.
    """
    taken = {name.partition("/")[0] for name in names}
    keys = sorted({read.key for trace in traces if trace.mode != TRAIN for read in trace.reads})
    numbered = ((key, re.fullmatch(r"(.+)_\d+", key.partition("/")[0])) for key in keys)
    return [key for key, match in numbered if match is not None and match[1] in taken]


_ASSUMED = (
    "whether {} in the saved graph: no name in that graph shows it, so ckptcheck went by the order "
    "of features and labels (give --input-fn or --features to be sure)"
)
_ANOTHER_USE = (
    "whether ckptcheck paired each feature with the right tensor: the model_fn uses the features "
    "differently than when the graph was saved, so ckptcheck paired them by their order (give "
    "--input-fn or --features to be sure)"
)
_NEW = (
    "whether the feature {} really is {} {}: it is new since the checkpoint was saved, so this "
    "comes from its feature column (give --input-fn or --features to be sure)"
)
_ABSENT = (
    "what the feature {} is: TRAIN does not ask for it, and TRAIN's inputs do not have it, so its "
    "shape is unknown (give --input-fn or --features to be sure)"
)
_ADDED = (
    "what the feature {} is: it is new since the checkpoint was saved, so its shape is unknown "
    "(give --input-fn or --features to be sure)"
)
EXPORTED = (
    "whether the serving_input_receiver_fn fits model_fn: ckptcheck traced EXPORT with the "
    "features of TRAIN (give the serving_input_receiver_fn with --mode export --input-fn NAME)"
)
_OF_ANOTHER = (
    "whether the features are those in {}: it is the graph of another checkpoint of MODEL_DIR "
    "(give --input-fn or --features to be sure)"
)
_OF_SERVING = (
    "whether the features are those in {}: they are the serving features of the SavedModel (give "
    "--input-fn or --features to be sure)"
)
_OWN = {
    OwnInputs.BATCH: (
        "whether the batch size of {0} fits: model_fn raises an error with TRAIN's batch size {1}, "
        "so ckptcheck traced {0} with an unknown one (give --input-fn or --features to be sure)"
    ),
    OwnInputs.ONE: (
        "whether the batch size of {} is 1: model_fn raises an error with TRAIN's batch size {}, "
        "and with an unknown one (give --input-fn or --features to be sure)"
    ),
    OwnInputs.INTEGERS: (
        "whether the integers of {0} fit: model_fn raises an error with the integer dtypes of "
        "TRAIN, so ckptcheck traced {0} with int64 instead of int32, and int32 instead of int64 "
        "(give --input-fn or --features to be sure)"
    ),
}
_LOOKED_FOR = (
    "whether the features of {0} have {1}: the model_fn looks for {1} in {0}, but not in TRAIN, so "
    "ckptcheck traced {0} without {1} (give --input-fn or --features to be sure)"
)
_OF_DTYPE = (
    "whether the dtype of {0} in {1} is still {2}: model_fn raises an error with {2}, but not with "
    "{3} (give --input-fn or --features to be sure)"
)
_OF_BATCH_SIZE = (
    "whether {} {} the batch size of TRAIN ({}): the shapes of some variables depend on it (give "
    "--input-fn or --features to be sure)"
)
_NAMED_AFTER_INPUTS = (
    "whether these variables have the same names in each mode: {}. The first part of each name has "
    "a number because the input_fn of TRAIN has an op of that name (give --input-fn to be sure)"
)
