"""A real browser without a window, for tests and for the screenshot in the README.

It is Chromium with its driver, from the packages of the system. Nothing is downloaded.
"""

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM: Optional[str] = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER: Optional[str] = shutil.which("chromedriver")
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
)


class Browser:
    """Chromium with one page."""

    def __init__(self) -> None:
        self._profile = tempfile.mkdtemp(prefix="chromium-")
        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for option in (*_OPTIONS, f"--user-data-dir={self._profile}"):
            options.add_argument(option)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = Service(str(DRIVER), env={**os.environ, "SE_OFFLINE": "true"})
        self.driver = webdriver.Chrome(options=options, service=service)
        self.driver.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})

    def close(self) -> None:
        """Ends the browser, and removes what it wrote."""
        self.driver.quit()
        shutil.rmtree(self._profile, ignore_errors=True)

    def look(
        self, width: int = 1280, height: int = 900, dark: bool = False, **features: str
    ) -> None:
        """Sets the size of the window and the user's preferences, such as ``reduced_motion``."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        wanted = {"color-scheme": "dark" if dark else "light", **features}
        named = [
            {"name": "prefers-" + name.replace("_", "-"), "value": value}
            for name, value in wanted.items()
        ]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": named})

    def print_media(self) -> None:
        """Shows the page as it is printed."""
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})

    def scripts(self, allowed: bool) -> None:
        """Allows or forbids scripts in pages that are opened from now on."""
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not allowed})

    def open(self, path: Path, fragment: str = "") -> None:
        """Opens a file, and forgets what was logged before. Returns when its script has run."""
        self.driver.get("about:blank")
        self.requests()
        self.messages()
        self.driver.get(path.as_uri() + fragment)
        # On a busy machine, the driver may return while the page is loading.
        self.wait(lambda: self.js("return document.readyState") == "complete")

    def js(self, script: str, *arguments: Any) -> Any:
        """Returns what a script returns, run with the arguments in the page."""
        return self.driver.execute_script(script, *arguments)

    def press(self, *keys: str) -> None:
        """Presses keys, wherever the focus is."""
        actions = webdriver.ActionChains(self.driver)
        for key in keys:
            actions.send_keys(key)
        actions.perform()

    def wait(self, condition: Callable[[], bool]) -> None:
        """Waits until a condition is true; raises TimeoutException after ten seconds."""
        WebDriverWait(self.driver, 10, 0.05).until(lambda _: condition())

    def paste(self) -> None:
        """Pastes from the clipboard, wherever the focus is."""
        chord = webdriver.ActionChains(self.driver)
        chord.key_down(Keys.CONTROL).send_keys("v").key_up(Keys.CONTROL).perform()

    def spoken(self) -> List[Tuple[str, str]]:
        """Returns role and name of each element that a screen reader is told of."""
        tree = self.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        told = (node for node in tree if not node.get("ignored"))
        return [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in told]

    def messages(self) -> List[Dict[str, Any]]:
        """Returns the messages of the console since the last call."""
        found: List[Dict[str, Any]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return found

    def requests(self) -> List[str]:
        """Returns the addresses that the browser has requested since the last call."""
        entries = self.driver.get_log("performance")  # type: ignore[no-untyped-call]
        return list(_addresses(json.loads(entry["message"])["message"] for entry in entries))


def _addresses(messages: Iterator[Dict[str, Any]]) -> Iterator[str]:
    for message in messages:
        if message["method"] == "Network.requestWillBeSent":
            yield str(message["params"]["request"]["url"])
