"""Writes the output files again: ``python -m tests.golden --update [NAME ...]``.

Needs TensorFlow 2.15.1 on Python 3.11. Without ``--update``, lists the files that would change.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Dict, Sequence

from .cases import CASES, Case
from .output import COMPARED, FILES, file_of, outputs_of


def main() -> int:
    """Runs the cases; returns 1 where a file differs and is not written."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    parser.add_argument("--update", action="store_true", help="write the files that differ")
    parser.add_argument("names", nargs="*", metavar="NAME", help="parts of names; default: all")
    asked = parser.parse_args()
    os.environ["CKPTCHECK_NO_CACHE"] = "1"
    if not COMPARED:
        parser.error("the files are those of TensorFlow 2.15.1 on Python 3.11")
    cases = [case for case in CASES.values() if not asked.names or _is_named(case, asked.names)]
    known = {file_of(case, name) for case in CASES.values() for name in case.formats}
    FILES.mkdir(exist_ok=True)
    changed = [path for path in FILES.iterdir() if path not in known]
    if asked.update:
        for path in changed:
            path.unlink()
    for case in cases:  # not in parallel: checks run in this process, and change cwd
        for path, text in _run(case).items():
            if path.is_file() and path.read_text("utf-8") == text:
                continue
            changed.append(path)
            if asked.update:
                path.write_text(text, "utf-8")
    for path in changed:
        print(("written " if asked.update else "differs ") + path.name)
    return 1 if changed and not asked.update else 0


def _is_named(case: Case, parts: Sequence[str]) -> bool:
    return any(part in file_of(case, name).name for part in parts for name in case.formats)


def _run(case: Case) -> Dict[Path, str]:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made).resolve() / "project"
        folder.mkdir()
        return {file_of(case, name): text for name, text in outputs_of(case, folder).items()}


if __name__ == "__main__":
    sys.exit(main())
