"""Does with an EstimatorSpec what Estimator does before the restore, and lists what it runs."""

from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

from ..protocol import EVAL, EXPORT, PREDICT, TRAIN
from . import compat


class Prepared(NamedTuple):
    """What a session starts with: a finished Scaffold, or the parts of it that an export uses."""

    saver: Any
    local_init_op: Any
    ready_op: Optional[Any] = None
    ready_for_local_init_op: Optional[Any] = None


_HOOKS: Dict[str, Tuple[str, ...]] = {
    TRAIN: ("training_hooks", "training_chief_hooks"),
    EVAL: ("evaluation_hooks",),
    PREDICT: ("prediction_hooks",),
    EXPORT: (),
}


def begin_hooks(spec: Any, mode: str) -> None:
    """Calls ``begin`` of the spec's hooks; they may add variables."""
    for name in _HOOKS[mode]:
        for hook in getattr(spec, name, None) or ():
            hook.begin()


def prepare(tensorflow: Any, spec: Any, mode: str) -> Prepared:
    """Finishes the Scaffold as the mode does.

    Raises:
        Exception: what TensorFlow raises if it cannot finish the Scaffold.
    """
    v1 = compat.v1(tensorflow)
    scaffold = spec.scaffold or v1.train.Scaffold()
    if mode == EXPORT:
        return _prepare_export(v1, scaffold)
    if mode == TRAIN:
        _add_training_saver(v1, scaffold)
    scaffold.finalize()
    return Prepared(*(getattr(scaffold, name) for name in Prepared._fields))


def _prepare_export(v1: Any, scaffold: Any) -> Prepared:
    """Prepares an export, which uses the Scaffold's saver unchanged and runs no ready op."""
    saver = scaffold.saver or v1.train.Saver(sharded=True)
    if saver.saver_def is None:
        raise ValueError(
            "the Scaffold's saver is not built (defer_build=True), and an export does not build it"
        )
    given = scaffold.local_init_op
    return Prepared(saver, v1.train.Scaffold.default_local_init_op() if given is None else given)


def _add_training_saver(v1: Any, scaffold: Any) -> None:
    """Adds Estimator's own saver if neither the scaffold nor the model_fn has one."""
    if scaffold.saver or v1.get_collection(v1.GraphKeys.SAVERS):
        return
    saver = v1.train.Saver(sharded=True, defer_build=True, save_relative_paths=True)
    v1.add_to_collection(v1.GraphKeys.SAVERS, saver)


def own_restore(tensorflow: Any, saver: Any) -> Tuple[str, ...]:
    """Returns what cannot be judged if the saver's class overrides ``restore``."""
    own = type(saver)
    if saver is None or own.restore is compat.v1(tensorflow).train.Saver.restore:
        return ()
    return (
        f"what {own.__name__}.restore does: ckptcheck compares only what the saver's restore op "
        "reads",
    )


def fetches(spec: Any, mode: str, step: Any) -> List[Any]:
    """What the mode runs in its session, flat."""
    if mode in (PREDICT, EXPORT):
        return _flat(spec.predictions)
    if mode == TRAIN:  # its hooks want the step, and so does the summary of EVAL
        return [*_flat([spec.train_op, spec.loss]), step]
    return [*_flat([spec.loss, spec.eval_metric_ops]), step]


def outputs(spec: Any, mode: str) -> Dict[str, str]:
    """The tensors that the mode computes: the loss, or the predictions.

    Returns:
        The name of each tensor by its key, such as ``probabilities`` or ``boxes.0``.
    """
    return dict(
        _named(spec.predictions, "") if mode in (PREDICT, EXPORT) else _named(spec.loss, "")
    )


def _named(value: Any, key: str) -> Iterator[Tuple[str, str]]:
    if isinstance(value, dict):
        for name in sorted(value, key=str):
            yield from _named(value[name], f"{key}.{name}" if key else str(name))
    elif isinstance(value, (list, tuple)):
        for place, item in enumerate(value):
            yield from _named(item, f"{key}.{place}" if key else str(place))
    else:
        for item in _flat(value):
            if hasattr(item, "dtype"):
                yield key, item.name


def restore_op(saver: Any) -> str:
    """The name of a saver's restore op; "" without a saver, or if it is not built."""
    built = saver is not None and saver.saver_def is not None
    return str(saver.saver_def.restore_op_name) if built else ""


def _flat(value: Any) -> List[Any]:
    if isinstance(value, dict):
        return _flat([value[key] for key in sorted(value, key=str)])
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in _flat(item)]
    if hasattr(value, "dense_shape"):
        return [value.values]
    if hasattr(value, "updates") and hasattr(value, "result"):  # a Keras metric
        return list(value.updates) + [value.result()]
    return [value] if hasattr(value, "graph") or hasattr(value, "op") else []
