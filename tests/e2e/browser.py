"""The real frontend in a real Chromium. Every shadow root is open: selectors pierce them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import re
import subprocess

from playwright.async_api import Locator, Page, ViewportSize, async_playwright

from .home import ROOT

SIZE: ViewportSize = {"width": 1280, "height": 900}
_CHROMIUM = str(ROOT / "script" / "chromium")
_ELSEWHERE = re.compile(r"^https?://(?!127\.0\.0\.1[:/])")
_PATIENCE = 20_000
"""Milliseconds for what should be there at once; the first page loads megabytes."""


def install_chromium() -> bool:
    """See to it that there is a browser, while there is a network; tell whether there is one."""
    return not subprocess.run([_CHROMIUM], stdout=subprocess.DEVNULL, check=False).returncode


def _chromium() -> str:
    """Return the browser's path."""
    return subprocess.check_output([_CHROMIUM], text=True).strip()


@asynccontextmanager
async def browser_page() -> AsyncIterator[Page]:
    """Open a page that cannot reach anything but this machine."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=_chromium(),
            headless=True,
            # Root has no sandbox, and containers have little shared memory.
            args=["--no-sandbox", "--disable-dev-shm-usage"],
        )
        context = await browser.new_context(viewport=SIZE, locale="en-US", timezone_id="UTC")
        context.set_default_timeout(_PATIENCE)
        await context.route(_ELSEWHERE, lambda route: route.abort())
        try:
            yield await context.new_page()
        finally:
            await browser.close()


async def ready(page: Page) -> None:
    """Wait until the frontend is connected and its splash screen is gone."""
    await page.locator("home-assistant-main").wait_for()
    await page.locator("#ha-launch-screen").wait_for(state="detached")
    await page.wait_for_function(
        "() => document.querySelector('home-assistant')?.hass?.connected === true"
    )


async def log_in(page: Page, url: str, user: str, password: str) -> None:
    """Fill in the login form."""
    await page.goto(url)
    await page.locator("input[name=username]").fill(user)
    await page.locator("input[name=password]").fill(password)
    await page.get_by_role("button", name="Log in").click()
    await ready(page)


async def go(page: Page, path: str) -> None:
    """Open another page of the frontend, without loading all of it again."""
    await page.evaluate(
        """path => {
          history.pushState(null, "", path);
          window.dispatchEvent(new CustomEvent("location-changed", {detail: {replace: false}}));
        }""",
        path,
    )


async def more_info(page: Page, entity_id: str) -> Locator:
    """Open the dialog of an entity and return it."""
    await page.evaluate(
        """entityId => document.querySelector("home-assistant").dispatchEvent(
             new CustomEvent("hass-more-info",
               {detail: {entityId}, bubbles: true, composed: true}))""",
        entity_id,
    )
    dialog = page.locator("ha-more-info-dialog")
    await dialog.locator("more-info-update").wait_for()
    return dialog
