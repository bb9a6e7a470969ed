"""Whatever happens to the files of a model_dir, there are findings and no exceptions."""

import pytest

from ..support import FIXTURES


def test_every_fault_of_every_file() -> None:
    pytest.importorskip("numpy", reason="NOT TESTED: the extra ckptcheck[deep] is not installed")
    from .faults import run

    source = FIXTURES / "linear" / "tf215"
    files = len(list(source.iterdir()))
    counts = run(str(source))
    assert counts["faults"] == files * 8 + files * (files - 1) * 2
    assert counts["findings"] > 60
