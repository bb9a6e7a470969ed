"""A working copy of one fixture, which a case's edits may change as they like."""

import glob
import json
import os
import shutil
from typing import Any, Dict, List

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.join(os.path.dirname(os.path.dirname(HERE)), "fixtures")
#: Models without a checkpoint. Each case trains its own checkpoint after the edits in `before`.
MODELS = os.path.join(HERE, "models")


class Workspace:
    """The fixture's code and one of its model_dirs, copied below a temporary directory.

    The relative path from the code to the shared files of the fixtures stays, because train.py uses
    it.
    """

    def __init__(self, root: str, fixture: str, module: str, saved_by: str = "") -> None:
        """Copies the code, and the checkpoint of a version unless the case trains its own."""
        self.root = root
        self.module = module
        self.code = os.path.join(root, "fixtures", fixture)
        self.model_dir = os.path.join(root, "model_dir")
        self.scratch = os.path.join(root, "scratch")
        #: Changes of the checkpoint. TensorFlow applies them after all edits.
        self.changes: List[Dict[str, Any]] = []
        source = os.path.join(FIXTURES, fixture)
        if not os.path.isdir(source):
            source = os.path.join(MODELS, fixture)
        os.mkdir(os.path.join(root, "fixtures"))
        os.mkdir(self.scratch)
        shutil.copy(os.path.join(FIXTURES, "_train.py"), os.path.join(root, "fixtures"))
        shutil.copytree(source, self.code, ignore=shutil.ignore_patterns("tf*", "__pycache__"))
        if saved_by:
            shutil.copytree(os.path.join(source, saved_by), self.model_dir)

    @property
    def prefix(self) -> str:
        """The newest checkpoint of the model_dir; the state file does not count."""
        indices = glob.glob(os.path.join(glob.escape(self.model_dir), "*.index"))
        return max((path[: -len(".index")] for path in indices), key=_step)

    def path(self, name: str) -> str:
        """A file of the code."""
        return os.path.join(self.code, name)

    def argv(self) -> List[str]:
        """The flags that the user's own script gets, if it takes any."""
        if not os.path.exists(self.path("argv.json")):
            return []
        return list(read_json(self.path("argv.json")))


def _step(prefix: str) -> int:
    return int(prefix.rpartition("-")[2])


def read_json(path: str) -> Any:
    """The document in this file."""
    with open(path) as f:
        return json.load(f)


def write_json(path: str, value: Any) -> None:
    """Replace the document in this file."""
    with open(path, "w") as f:
        json.dump(value, f)
