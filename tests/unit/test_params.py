"""Tests what params record of the code that reads them."""

from typing import Any, Callable, Dict

import pytest

from ckptcheck.tracer.params import WatchedDict, Watcher


def _asks_first(params: Any) -> None:
    if "units" in params:
        params["units"] = int(params["units"])
    params.get("units", 64)


def _gets_first(params: Any) -> None:
    if params.get("units") is not None:
        params["units"] = int(params["units"])
    params.get("units", 64)


def _gets_twice(params: Any) -> None:
    params.get("units", 64)
    params.get("units", 32)
    params.get("units")


def _raises_first(params: Any) -> None:
    try:
        params["units"]
    except KeyError:
        params.get("units", 64)


def _sets(params: Any) -> None:
    if "units" not in params:
        params["units"] = 8
    params.get("units", 64)


def _removes(params: Any) -> None:
    params.pop("units", None)
    params.get("units", 64)


def _read(code: Callable[[Any], None], given: Dict[str, Any]) -> Any:
    watcher = Watcher()
    code(WatchedDict(given, watcher))
    (read,) = watcher.use(True, ()).reads
    return read.found, read.has_default, read.default, read.raised


NOTHING = (False, False, None, False)
FOUND = (True, False, None, False)


@pytest.mark.parametrize(
    ("code", "without", "with_it"),
    [
        (_asks_first, (False, True, 64, False), FOUND),
        (_gets_first, (False, True, 64, False), FOUND),
        (_gets_twice, (False, True, 64, False), FOUND),
        (_raises_first, (False, False, None, True), FOUND),
        (_sets, NOTHING, FOUND),
        (_removes, (False, True, 64, False), FOUND),
    ],
)
def test_the_read_that_says_most_counts(
    code: Callable[[Any], None], without: Any, with_it: Any
) -> None:
    assert _read(code, {}) == without
    assert _read(code, {"units": 16}) == with_it
