"""Says which directories of a project hold no code of the project."""

import os

_NAMES = (
    "__pycache__",
    "__pypackages__",
    "build",
    "dist",
    "node_modules",
    "site-packages",
    "venv",
)


def is_skipped(folder: str) -> bool:
    """Whether a directory is not searched: hidden, generated, or a virtual environment."""
    name = os.path.basename(folder)
    hidden = name.startswith(".")
    return hidden or name in _NAMES or os.path.exists(os.path.join(folder, "pyvenv.cfg"))
