"""Distinguishes weights and optimizer state by the names and shapes of variables."""

import itertools
import re
from typing import Any, Dict, Iterable, Mapping, Optional, Set

from ..model_dir import GLOBAL_STEPS
from ..protocol import Shape

_SLOTS = re.compile(
    r"(Adam|AdamW|AdaMax|Adamax|LARSOptimizer|Nadam|LAMB|Momentum|Adagrad|AdagradDA|Adadelta|"
    r"RMSProp|RMSprop|Ftrl|"
    r"ProximalAdagrad|adam_m|adam_v|lamb_m|lamb_v|momentum|accumulator|m|v|vhat|ms|mg|rms|linear|"
    r"gradient_accumulator|gradient_squared_accumulator|vr|vc)(_\d+)?$"
)
_ALONE = re.compile(
    r"(^|/)(beta[12]_power|loss_scale|good_steps|current_loss_scale|current_grad_step)(_\d+)?$"
)
_HYPERPARAMETER = re.compile(
    r"(iter|iterations|lr|learning_rate|learning_rate_power|decay|momentum|rho|beta|beta_1|beta_2|"
    r"l[12]_regularization_strength|initial_accumulator_value)$"
)
"""Hyperparameters, which optimizers of Keras save in their own scope beside their slots."""
_PART = re.compile(r"/(part|t)_\d+$")
"""The suffix of a partitioned variable's name in its slots' names; in TensorFlow 1, ``t_0``."""
_TABLE = re.compile(r"-(keys|values)$")
_OBJECT_OPTIMIZER = re.compile(r"(^|/)optimizer/.*/\.ATTRIBUTES/")
_OBJECT_SLOT = "/.OPTIMIZER_SLOT/"
_AVERAGE = re.compile(r"average|(^|_)ema(_\d+)?$", re.IGNORECASE)
"""A moving average is named like a slot, but EVAL may load it."""
_NUMBERED = re.compile(r"_\d+$")
_POWER = re.compile(r"(^|/)beta[12]_power(_\d+)?$")
_MOST_SCOPES_BEFORE_A_SLOT = 5
_MOST_SCOPES = 64
"""Real names have fewer scopes. A hostile index may hold a name that is all slashes."""


def roles(names: Iterable[str], shapes: Optional[Mapping[str, Shape]] = None) -> Dict[str, str]:
    """Returns the role of each variable: ``weight``, ``optimizer``, ``global_step`` or ``other``.

    Args:
        names: all variables.
        shapes: their shapes. They show the slots of optimizers with unknown names.
    """
    known = set(names)
    renamed = _renamed_slots(known, shapes or {})
    return {name: "optimizer" if name in renamed else _role(name, known) for name in known}


def _role(name: str, known: Set[str]) -> str:
    if name in GLOBAL_STEPS:
        return "global_step"
    if name.startswith(("_CHECKPOINTABLE", "save_counter/")) or _is_of_table(name, known):
        return "other"
    if _OBJECT_SLOT in name or _OBJECT_OPTIMIZER.search(name) or _ALONE.search(name):
        return "optimizer"
    path, _, last = name.rpartition("/")
    if _HYPERPARAMETER.match(last) and _is_keras_optimizer(path, known):
        return "optimizer"
    if _SLOTS.match(last) and _owner(path, known):
        return "optimizer"
    return "weight"


def _is_keras_optimizer(scope: str, known: Set[str]) -> bool:
    """Whether a scope holds a learning rate and a decay or step, as optimizers of Keras do."""
    rates = {f"{scope}/learning_rate", f"{scope}/lr"}
    others = {f"{scope}/decay", f"{scope}/iter", f"{scope}/iterations"}
    return bool(scope) and not known.isdisjoint(rates) and not known.isdisjoint(others)


def _is_of_table(name: str, known: Set[str]) -> bool:
    """Whether a name is one of the two tensors of a hash table."""
    table, found = _TABLE.subn("", name)
    return bool(found) and known.issuperset((f"{table}-keys", f"{table}-values"))


def is_average(name: str) -> bool:
    """Whether a variable is a moving average by its name."""
    return _AVERAGE.search(name.rpartition("/")[2]) is not None


def slots_of(names: Iterable[str]) -> Dict[str, str]:
    """Returns the variable of each slot."""
    known = set(names)
    found = {}
    for name in known:
        path, _, last = name.rpartition("/")
        owner = path if path in known else _owner(path, known) if _SLOTS.match(last) else ""
        if owner:
            found[name] = owner
    return found


def _owner(path: str, known: Set[str]) -> str:
    """Returns the variable with this name. Leaves out scopes that optimizers add; "" for none."""
    path = path if path in known else _PART.sub("", path)
    for _ in range(_MOST_SCOPES_BEFORE_A_SLOT):
        if path in known:
            return path
        path = path.partition("/")[2]
    return ""


def _renamed_slots(known: Set[str], shapes: Mapping[str, Shape]) -> Set[str]:
    """Returns the slots of optimizers with unknown names, such as ``w/GenAdam_1``.

    A slot has the shape of its variable. A suffix that only one variable has may be something else,
    unless the checkpoint holds the beta powers of an Adam optimizer.
    """
    found: Dict[str, Dict[str, str]] = {}
    for name in known:
        path, _, last = name.rpartition("/")
        owner = _owner(path, known) if name in shapes and not is_average(name) else ""
        if owner and shapes[name] == shapes.get(owner):
            found.setdefault(_NUMBERED.sub("", last), {})[name] = owner
    adam = any(_POWER.search(name) for name in known)
    several = [owners for owners in found.values() if adam or len(set(owners.values())) > 1]
    return {name for owners in several for name in owners}


def is_slot_name(name: str, names: Mapping[str, Any]) -> bool:
    """Whether this name starts with the name of another variable and a slash."""
    scopes = name.split("/", _MOST_SCOPES)[:-1]
    return any(scope in names for scope in itertools.accumulate(scopes, "{}/{}".format))
