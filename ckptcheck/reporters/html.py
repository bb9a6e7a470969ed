"""``--format html``: one page for a browser, which needs no other files."""

from ..runs import Runs
from .options import Options

FORMAT = "html"


def render(runs: Runs, options: Options) -> str:
    """Returns a document of ASCII characters, which any encoding of the output keeps."""
    from .html_page import document  # other formats do not need it

    return document(runs, options)
