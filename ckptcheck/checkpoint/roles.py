"""What a variable is for, by its name alone: weights and optimizer state told apart."""

import re
from typing import Dict, Iterable, Set

GLOBAL_STEP = "global_step"
_SLOTS = re.compile(
    r"(Adam|AdamW|Adamax|Nadam|LAMB|Momentum|Adagrad|AdagradDA|Adadelta|RMSProp|RMSprop|Ftrl|"
    r"ProximalAdagrad|adam_m|adam_v|lamb_m|lamb_v|momentum|accumulator|m|v|vhat|ms|mg|rms|linear|"
    r"gradient_accumulator|gradient_squared_accumulator|vr|vc)(_\d+)?$"
)
_ALONE = re.compile(
    r"(^|/)(beta[12]_power|loss_scale|good_steps|current_loss_scale|current_grad_step)(_\d+)?$"
)
_OBJECT_SLOT = "/.OPTIMIZER_SLOT/"


def roles(names: Iterable[str]) -> Dict[str, str]:
    """The role of each variable: ``weight``, ``optimizer``, ``global_step`` or ``other``."""
    known = set(names)
    return {name: _role(name, known) for name in known}


def _role(name: str, known: Set[str]) -> str:
    if name == GLOBAL_STEP:
        return "global_step"
    if name.startswith(("_CHECKPOINTABLE", "save_counter/")):
        return "other"
    if _OBJECT_SLOT in name or name.startswith("optimizer/") or _ALONE.search(name):
        return "optimizer"
    owner, _, last = name.rpartition("/")
    slot = _SLOTS.match(last)
    if slot is None or not owner:
        return "weight"
    if _has_owner(owner, known):
        return "optimizer"
    return "weight"


def _has_owner(owner: str, known: Set[str]) -> bool:
    """Whether a variable of that name is there; optimizers may put a scope before it."""
    parts = owner.split("/")
    return any("/".join(parts[start:]) in known for start in range(min(len(parts), 5)))
