"""Chromium, driven by selenium, and axe, which finds what people with disabilities cannot use."""

import base64
import contextlib
import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.support.polling import until

FLAGS = (
    "--headless=new",
    "--no-sandbox",  # root may not use the sandbox
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--no-first-run",
)
SERIOUS = ("serious", "critical")


class Browser:
    """A browser, as a person uses it."""

    def __init__(self, driver: webdriver.Chrome, base: str) -> None:
        self.driver = driver
        self.base = base
        self.width = 1280

    def open(self, path: str) -> None:
        """Open a page of the server."""
        self.driver.get(f"{self.base}{path}")

    @property
    def path(self) -> str:
        """The path and the query of the page."""
        return str(self.driver.current_url).removeprefix(self.base)

    def text(self, selector: str = "main") -> str:
        """Return what a person reads in an element; empty if there is none.

        At once, because a page that renews itself may replace the element at any moment.
        """
        return str(self.driver.execute_script("return document.querySelector(arguments[0])?.innerText ?? ''", selector))

    def count(self, selector: str) -> int:
        """Return the number of elements."""
        return len(self.driver.find_elements(By.CSS_SELECTOR, selector))

    def click(self, selector: str) -> None:
        """Click an element."""
        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def type(self, selector: str, words: str) -> None:
        """Type into a field, or choose a file."""
        self.driver.find_element(By.CSS_SELECTOR, selector).send_keys(words)

    def press(self, words: str) -> None:
        """Press the button with these words, and wait until the page behind it is there."""
        with self.leaving(words):
            self.driver.find_element(By.XPATH, f"//main//button[normalize-space()='{words}']").click()

    @contextlib.contextmanager
    def leaving(self, words: str) -> Iterator[None]:
        """Wait after the block until another page is there, as a whole."""
        self.driver.execute_script("window.old = true")
        yield
        gone = "return !window.old && document.readyState === 'complete'"
        until(lambda: self.driver.execute_script(gone), f"the page behind {words!r}")

    def follow(self, words: str) -> None:
        """Follow the link with these words, and wait until its page is there."""
        with self.leaving(words):
            self.driver.find_element(By.LINK_TEXT, words).click()

    def search(self, words: str) -> None:
        """Type into the search box, as the key / selects it, and press Enter."""
        self.driver.find_element(By.CSS_SELECTOR, "body").send_keys("/")
        box = self.driver.switch_to.active_element
        assert box.get_attribute("name") == "q", "the key / selects the search box"
        with self.leaving(words):
            box.send_keys(words, Keys.ENTER)

    def show_as(self, *, dark: bool = False, width: int = 1280) -> None:
        """Use a dark scheme, or the width of another screen."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        self.width = width
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def overflows(self) -> bool:
        """Return whether the page is wider than the screen."""
        # A phone shows a page that is too wide in a smaller scale, so that `innerWidth` is no measure.
        return int(self.driver.execute_script("return document.documentElement.scrollWidth")) > self.width

    def faults(self) -> list[str]:
        """Return what axe finds to be a serious fault of the page."""
        source = files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
        # The policy of the page forbids inline scripts; those of the debugger are no part of the page.
        self.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": source})
        run = "axe.run(document).then(found => JSON.stringify(found.violations))"
        result = self.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": run, "awaitPromise": True})
        violations: list[dict[str, Any]] = json.loads(result["result"]["value"])
        return [
            f"{one['id']}: {one['help']}: {[node['html'][:200] for node in one['nodes'][:3]]}"
            for one in violations
            if one["impact"] in SERIOUS
        ]

    def errors(self) -> list[str]:
        """Return the errors in the console since the last call, but those of pages that are not there."""
        logged = self.driver.get_log("browser")
        return [entry["message"] for entry in logged if "status of 404" not in entry["message"]]

    def picture(self, path: Path, height: int = 900) -> None:
        """Write a picture of the top of the page."""
        width = self.driver.execute_script("return window.innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
        path.write_bytes(base64.b64decode(shot["data"]))


@contextlib.contextmanager
def browsing(base: str, directory: Path, *, scripts: bool = True) -> Iterator[Browser]:
    """Start a browser with a profile in a directory; `scripts`: whether pages may run them."""
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={directory / 'profile'}"):
        options.add_argument(flag)
    options.binary_location = "/usr/bin/chromium"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    if not scripts:
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        yield Browser(driver, base)
    finally:
        driver.quit()
