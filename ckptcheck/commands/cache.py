"""``ckptcheck cache``."""

import os
from typing import Any, Dict

import typer

from ..cache.store import Store, folder_for
from ..errors import UsageError
from ..options import CacheSpec, from_command_line
from ..output import write_out
from ..reporters.words import bytes_text
from ..sanitize import printable
from .parsing import help_text, new_app, takes

app = new_app()
_DETAILS = """A check runs the code and keeps the traces. The next check uses them if everything
that they depend on is unchanged (docs/cache.md).
"""


@app.command(help=help_text("cache", _DETAILS))
@takes(CacheSpec)
def cache_command(context: typer.Context, given: Dict[str, Any]) -> None:
    """Runs the command."""
    spec = from_command_line(CacheSpec, given)
    store = Store(folder_for(spec.cache_dir))
    if os.path.exists(store.folder) and not os.path.isdir(store.folder):
        raise UsageError(f"{store.folder} is not a directory: expected the directory of a cache")
    clears = spec.action == "clear"
    try:
        found = store.clear() if clears else store.size()
    except OSError as error:
        raise UsageError(f"cannot clear {store.folder}: {error.strerror}") from None
    checks = "1 check" if found.entries == 1 else f"{found.entries} checks"
    removed = "removed " if clears else ""
    path = printable(store.folder, 2000)
    write_out(f"{path}: {removed}{checks}, {bytes_text(found.size)}\n")
