"""The browser of the tests."""

from pathlib import Path
from typing import TYPE_CHECKING, Callable, Iterator, Union

import pytest

from ckptcheck import reporters
from ckptcheck.results import Report
from ckptcheck.runs import Runs

if TYPE_CHECKING:
    from .browser import Browser

Opens = Callable[..., "Browser"]


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """A browser; skips the tests of a machine that has none."""
    try:
        from .browser import CHROMIUM, DRIVER, Browser
    except ImportError:
        pytest.skip("NOT TESTED IN A BROWSER: selenium is not installed (it needs Python 3.9)")
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("NOT TESTED IN A BROWSER: chromium or chromedriver is not on the PATH")
    found = Browser()
    yield found
    found.close()


@pytest.fixture
def opened(chromium: "Browser", tmp_path: Path) -> Opens:
    """Opens the page of a report from a file, in a browser with given preferences."""

    def open_page(
        found: Union[Report, Runs], fragment: str = "", **look: Union[int, bool, str]
    ) -> "Browser":
        path = tmp_path / "report.html"
        path.write_text(reporters.render(found, "html"), "ascii")
        chromium.look(**look)  # type: ignore[arg-type]
        chromium.open(path, fragment)
        return chromium

    return open_page
