"""Writes the output files again: ``python -m tests.golden --update [NAME ...]``.

Needs TensorFlow 2.15.1 on Python 3.11. Without ``--update``, lists the files that would change.
"""

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Tuple

from .cases import Case
from .output import COMPARED, FILES, file_of, output_of, outputs


def main() -> int:
    """Runs the cases; returns 1 where a file differs and is not written."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    parser.add_argument("--update", action="store_true", help="write the files that differ")
    parser.add_argument("names", nargs="*", metavar="NAME", help="parts of names; default: all")
    asked = parser.parse_args()
    if not COMPARED:
        parser.error("the files are those of TensorFlow 2.15.1 on Python 3.11")
    items = [
        item
        for item in outputs()
        if not asked.names or any(name in file_of(*item).name for name in asked.names)
    ]
    known = {file_of(*item) for item in outputs()}
    FILES.mkdir(exist_ok=True)
    changed = [path for path in FILES.iterdir() if path not in known]
    if asked.update:
        for path in changed:
            path.unlink()
    with ThreadPoolExecutor(2) as pool:
        for (case, output), text in zip(items, pool.map(_run, items)):
            path = file_of(case, output)
            if path.is_file() and path.read_text("utf-8") == text:
                continue
            changed.append(path)
            if asked.update:
                path.write_text(text, "utf-8")
    for path in changed:
        print(("written " if asked.update else "differs ") + path.name)
    return 1 if changed and not asked.update else 0


def _run(item: Tuple[Case, str]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        return output_of(*item, Path(folder).resolve())


if __name__ == "__main__":
    sys.exit(main())
