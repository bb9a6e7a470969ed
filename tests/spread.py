"""Decides which tests run daily with this version of TensorFlow.

A nightly run runs all tests with each version. In a daily run, the tests in ``EVERYWHERE`` run with
each version. Unit tests run with two of the versions. Each other test runs with only one version,
so that a run of the whole matrix takes a third of the time. If pytest gets names of files or tests,
it runs all of them.
"""

import zlib

from .support import TENSORFLOW

EVERYWHERE = (
    "tests/acceptance/test_against_estimator.py",  # see daily.py there
    "tests/acceptance/test_cases.py",
    "tests/drift/test_catalogue.py",
    "tests/golden/",
    "tests/test_api.py",
    "tests/test_fixtures.py",
    "tests/test_hooks.py",
    "tests/unit/test_data_scan.py",
    "tests/unit/test_inspection.py",
)
LONGEST = ("tests/cache/test_campaign.py", "tests/test_users_day.py")
"""Tests that take a minute. They start first, so that no process ends long after the others."""
_WITH_ESTIMATOR = ("1.", "2.15.")
_SLOW = (
    "tests/unit/test_html_format.py",
    "tests/unit/test_outputs.py",
    "tests/unit/test_remote_",
    "tests/unit/test_settled.py",
)
_OLDEST, _MIDDLE, _NEWEST = range(3)
_VERSIONS = (
    (EVERYWHERE, (_OLDEST, _MIDDLE, _NEWEST)),
    (_SLOW, (_OLDEST, _NEWEST)),
    (("tests/unit/",), (_MIDDLE, _NEWEST)),  # nox -s lowest runs them with the oldest Python
    (("tests/page/",), (_NEWEST,)),  # the browser needs a newer Python than the oldest one
)
"""The versions that run some tests. The first line that names a test decides."""


def is_daily(test: str, needs_estimator: bool) -> bool:
    """Whether a test runs daily with this TensorFlow.

    Args:
        test: the id of the test, such as ``tests/test_cli.py::test_version``.
        needs_estimator: whether only the versions with tf.estimator can run it.
    """
    own = next((i for i, v in enumerate(_WITH_ESTIMATOR) if (TENSORFLOW or "").startswith(v)), 2)
    for names, daily in _VERSIONS:
        if test.startswith(names):
            return own in daily
    versions = len(_WITH_ESTIMATOR) + (not needs_estimator)
    return zlib.crc32(test.encode()) % versions == own
