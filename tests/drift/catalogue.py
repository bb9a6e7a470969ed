"""All models of the catalogue, each a file of models/."""

import importlib
import pkgutil
from typing import Dict, Iterator, Tuple

from . import models
from .entries import Edit, Model


def _found() -> Iterator[Model]:
    for module in pkgutil.iter_modules(models.__path__):
        yield importlib.import_module(f"{models.__name__}.{module.name}").MODEL


MODELS: Dict[str, Model] = {model.id: model for model in _found()}

ENTRIES: Dict[str, Tuple[Model, Edit]] = {
    edit.id: (model, edit) for model in MODELS.values() for edit in model.edits
}
