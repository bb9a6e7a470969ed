"""Takes docs/report.png, the picture of a page: python docs/generate_screenshot.py.

It checks a fixture with ``--format html`` and opens the page in Chromium. It needs TensorFlow
2.15.1 and Python 3.11, as the golden file of the same check does, chromium, chromedriver, selenium
and Pillow.
"""

import shutil
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from docs.generate_report_svg import command  # noqa: E402
from tests.page.browser import Browser  # noqa: E402
from tests.support import environment  # noqa: E402

TARGET = Path(__file__).with_name("report.png")
WIDTH = 1160
_COLORS = 128
"""Enough for a page of few colors. They keep the file small."""


def page(folder: Path) -> Path:
    """Runs the command of the other picture on a copy of the fixture; returns the page."""
    fixture = PROJECT / "fixtures" / "hidden_dropout"
    for path in (*fixture.glob("model.py"), *fixture.glob("*.json")):
        shutil.copy(str(path), str(folder))
    shutil.copytree(str(fixture / "tf215"), str(folder / "runs" / "base"))
    words = [sys.executable, "-m", *command(), "--quiet", "--format", "html"]
    done = subprocess.run(words, cwd=str(folder), env=environment(), stdout=subprocess.PIPE)
    if done.returncode != 1:
        raise SystemExit(f"{' '.join(words)} ended with exit code {done.returncode}")
    found = folder / "report.html"
    found.write_bytes(done.stdout)
    return found


def main() -> None:
    """Writes the picture: the page from its top to the end of the tree of variables."""
    browser = Browser()
    try:
        with tempfile.TemporaryDirectory() as folder:
            browser.look(WIDTH)
            browser.open(page(Path(folder)))
            end = browser.js(
                "return document.querySelector('.tree').getBoundingClientRect().bottom"
            )
            browser.look(WIDTH, int(end) + 24)
            picture = Image.open(BytesIO(browser.driver.get_screenshot_as_png()))
            picture.convert("RGB").quantize(_COLORS).save(TARGET, optimize=True)
    finally:
        browser.close()


if __name__ == "__main__":
    main()
