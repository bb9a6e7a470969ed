"""What a features file says: the features and labels of each mode (docs/features.md)."""

import dataclasses
from typing import Any, Mapping, Sequence, Tuple

from . import json_values
from .errors import UsageError
from .json_files import read_json_object
from .protocol import ALL_MODES

FILL_IN = "?"
"""The mark for an unknown dtype or key in a features file that ckptcheck prints."""


@dataclasses.dataclass(frozen=True)
class FeatureFile:
    """The structures of features and labels, for all modes and for single modes."""

    features: Any
    labels: Any
    modes: Mapping[str, Mapping[str, Any]]

    def of(self, mode: str) -> Tuple[Any, Any]:
        """Returns the structures of features and labels for one mode."""
        own = self.modes.get(mode, {})
        return own.get("features", self.features), own.get("labels", self.labels)


def read_feature_file(path: str) -> FeatureFile:
    """Reads a features file.

    Raises:
        UsageError: it does not have the form that docs/features.md describes.
    """
    data = read_json_object(path)
    try:
        return feature_file(data)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def feature_file(data: Mapping[str, Any]) -> FeatureFile:
    """Reads an object of the form that docs/features.md describes.

    Raises:
        UsageError: it has another form.
    """
    data = json_values.plain(data, "the object")
    modes = {mode: data[mode] for mode in ALL_MODES if mode in data}
    _verify_part("", data, ("features", "labels", *ALL_MODES))
    for mode, part in modes.items():
        _verify_part(mode, part, ("features", "labels"))
    return FeatureFile(data.get("features"), data.get("labels"), modes)


def _verify_part(mode: str, part: Any, known: Sequence[str]) -> None:
    if not isinstance(part, dict):
        raise UsageError(f"{mode}: expected an object")
    unknown = [key for key in part if key not in known]
    if unknown:
        where = f"{mode}: " if mode else ""
        raise UsageError(
            "{}unknown key {!r}; expected {}".format(where, unknown[0], ", ".join(known))
        )
    for key in ("features", "labels"):
        _verify_structure(f"{mode}.{key}" if mode else key, part.get(key))


_LEAF = {"dtype", "shape", "sparse"}


def _verify_structure(where: str, node: Any) -> None:
    if node is None:
        return
    if isinstance(node, list):
        for place, item in enumerate(node):
            _verify_structure(f"{where}[{place}]", item)
    elif not isinstance(node, dict):
        raise UsageError(f"{where}: expected an object or an array")
    elif isinstance(node.get("dtype"), str) and "shape" in node:
        _verify_leaf(where, node)
    else:
        if set(node) and all(not isinstance(node[key], dict) for key in _LEAF & set(node)):
            _verify_no_half_leaf(where, node)
        for key, item in node.items():
            if key.startswith(FILL_IN):
                raise UsageError(f"{where}: replace {key!r} with the key")
            _verify_structure(f"{where}.{key}", item)


def _verify_no_half_leaf(where: str, node: Mapping[str, Any]) -> None:
    """Refuses a tensor without a dtype or a shape. It would count as a dict of features."""
    if _LEAF & set(node):
        lacking = "shape" if isinstance(node.get("dtype"), str) else "dtype"
        raise UsageError(f"{where}: a tensor needs a {lacking}")


def _verify_leaf(where: str, node: Mapping[str, Any]) -> None:
    unknown = sorted(set(node) - _LEAF)
    if unknown:
        raise UsageError(f"{where}: unknown key {unknown[0]!r}; expected dtype, shape and sparse")
    if node["dtype"] == FILL_IN:
        raise UsageError(f"{where}: replace '{FILL_IN}' with the dtype, and complete the shape")
    shape = node["shape"]
    sizes_are_right = shape is None or (
        isinstance(shape, list)
        and all(size is None or (type(size) is int and 0 <= size < 1 << 63) for size in shape)
    )
    if not sizes_are_right:
        raise UsageError(
            f"{where}.shape: expected an array of sizes, with null for an unknown size"
        )
