"""A working copy of one fixture, which a case's edits may change as they like."""

import glob
import json
import os
import shutil
from typing import Any, Dict, List

FIXTURES = os.path.join(
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "fixtures"
)


class Workspace:
    """The fixture's code and one of its model_dirs, copied below a temporary directory.

    The code keeps its place relative to what the fixtures share, since train.py looks there.
    """

    def __init__(self, root: str, fixture: str, module: str, saved_by: str) -> None:
        self.root = root
        self.module = module
        self.code = os.path.join(root, "fixtures", fixture)
        self.model_dir = os.path.join(root, "model_dir")
        self.scratch = os.path.join(root, "scratch")
        #: What to change in the checkpoint; TensorFlow does it when all edits have been made.
        self.changes: List[Dict[str, Any]] = []
        source = os.path.join(FIXTURES, fixture)
        os.mkdir(os.path.join(root, "fixtures"))
        os.mkdir(self.scratch)
        shutil.copy(os.path.join(FIXTURES, "_train.py"), os.path.join(root, "fixtures"))
        shutil.copytree(source, self.code, ignore=shutil.ignore_patterns("tf*", "__pycache__"))
        shutil.copytree(os.path.join(source, saved_by), self.model_dir)

    @property
    def prefix(self) -> str:
        """The one checkpoint of a fixture's model_dir, without its state file's opinion."""
        (index,) = glob.glob(os.path.join(self.model_dir, "*.index"))
        return index[: -len(".index")]

    def path(self, name: str) -> str:
        """A file of the code."""
        return os.path.join(self.code, name)

    def argv(self) -> List[str]:
        """The flags that the user's own script gets, if it takes any."""
        if not os.path.exists(self.path("argv.json")):
            return []
        return list(read_json(self.path("argv.json")))


def read_json(path: str) -> Any:
    """The document in this file."""
    with open(path) as f:
        return json.load(f)


def write_json(path: str, value: Any) -> None:
    """Replace the document in this file."""
    with open(path, "w") as f:
        json.dump(value, f)
