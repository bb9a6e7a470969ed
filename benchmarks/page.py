"""Measures the page of ``--format html`` for a model with many variables.

Run ``python benchmarks/page.py [--variables 10000] [--runs 5]`` with a Python that has selenium, on
a machine with chromium and chromedriver. It prints

* how long it takes to write the page, and how large it is, in bytes for each variable;
* the time in the browser from the start of the navigation until the page can be used; * the time
  from each input until the next frame: a search that finds a layer, a search that finds a third of
  the variables, the filter of problems, and unfolding everything.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, List

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ckptcheck import reporters  # noqa: E402
from tests.page.browser import Browser  # noqa: E402
from tests.page.reports import transformer  # noqa: E402

TIMED = """
const start = performance.now();
{}
return new Promise(done => requestAnimationFrame(
  () => setTimeout(() => done(performance.now() - start), 0)));
"""
SEARCH = """
const input = document.querySelector("input[type=search]");
input.value = "{}";
input.dispatchEvent(new Event("input", {{bubbles: true}}));
"""
CLICK = "document.querySelector('{}').click();"
STEPS = {
    "search for a layer": SEARCH.format("layer_7/"),
    "search for a third": SEARCH.format("kernel"),
    "empty search": SEARCH.format(""),
    "filter of problems": CLICK.format("input[value=problem]"),
    "no filter": CLICK.format("input[value=\\'\\']"),
    "unfold everything": CLICK.format("[data-fold=open]"),
}


def main() -> None:
    """Prints the measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variables", type=int, default=10000)
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    report = transformer(asked.variables, 40)
    found: Dict[str, List[float]] = {}
    browser = Browser()
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "report.html"
            for _ in range(asked.runs):
                start = time.perf_counter()
                text = reporters.render(report, "html")
                found.setdefault("written", []).append(1000 * (time.perf_counter() - start))
                path.write_text(text, "ascii")
                _measure(browser, path, found)
    finally:
        browser.close()
    each = len(text) / asked.variables
    print(f"{asked.variables:,} variables: {len(text):,} bytes, {each:.0f} for each")
    for name, times in found.items():
        print(f"{name:20} {statistics.median(times):7.0f} ms (most {max(times):.0f})")


def _measure(browser: Browser, path: Path, found: Dict[str, List[float]]) -> None:
    browser.look()
    browser.open(path)
    ready = "return performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
    found.setdefault("ready", []).append(browser.js(ready))
    for name, script in STEPS.items():
        found.setdefault(name, []).append(browser.js(TIMED.replace("{}", script)))


if __name__ == "__main__":
    main()
