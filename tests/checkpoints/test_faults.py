"""Whatever happens to the files of a model_dir, there are findings and no exceptions."""

import pytest

from ..support import FIXTURES


def test_every_fault_of_every_file() -> None:
    pytest.importorskip("numpy", reason="NOT TESTED: the extra ckptcheck[deep] is not installed")
    from .faults import run

    counts = run(str(FIXTURES / "linear" / "tf215"))
    assert counts["faults"] >= 4 * 10 * 3
    assert counts["findings"] > 60
