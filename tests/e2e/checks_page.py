"""What a person does on the page of its own: look, open, update, bring firmware, take it away."""

import asyncio
from contextlib import suppress
import json
from pathlib import Path
import subprocess
import tempfile
from typing import Any

from playwright.async_api import (
    Locator,
    Page,
    TimeoutError as PlaywrightTimeoutError,
    ViewportSize,
    expect,
)

from .browser import SIZE, go
from .fleet import BEDS
from .flows import add_discovered
from .home import ROOT
from .modules import GARDEN_VALVE, GREENHOUSE_HEATER, NEW, OLD, WELL_PUMP
from .person import UPDATE_MS, Person
from .pictures import LIVELY, take_picture

_BROUGHT = "1.4.0"
_NOTES = "Counts <b>litres</b>, & says so."
_WIDTHS = (360, 768, 1280)
_GRAVE = {"serious", "critical"}
_BELOW_THE_TABS = "it => scrollTo(0, scrollY + it.getBoundingClientRect().top - 106)"
_FORM_GOES = 10_000
"""Milliseconds: a form that was closed takes its page back when it has gone, on a busy machine
after the next page was opened."""
_SETTLE = 500
"""Milliseconds for colours to change."""


def _install_axe() -> str:
    """Return the path of axe-core; it is fetched while there still is a network."""
    return subprocess.check_output([str(ROOT / "script" / "axe")], text=True).strip()


async def open_page(person: Person, tab: str = "Modules") -> Locator:
    """Open the page at a tab and return it."""
    shown = person.page.locator("esp-ota-page")
    await go(person.page, "/esp-ota")
    with suppress(PlaywrightTimeoutError):
        await shown.get_by_role("tab", name=tab).wait_for(timeout=_FORM_GOES)
    if not await shown.count():
        await go(person.page, "/esp-ota")
    await shown.get_by_role("tab", name=tab).click()
    await shown.locator("tbody tr").first.wait_for()
    return shown


async def open_row(shown: Locator, name: str = GARDEN_VALVE.name) -> Locator:
    """Open a module's row, and return what is in it."""
    button = shown.get_by_role("button", name=name, exact=True)
    if await button.get_attribute("aria-expanded") == "false":
        await button.click()
    detail = shown.locator("tr.detail")
    await detail.get_by_role("heading", name="Safe state").wait_for()
    return detail


async def choose(shown: Locator, *names: str) -> None:
    """Choose these modules and no others, whatever was chosen before."""
    everyone = shown.get_by_role("checkbox", name="Choose all that are shown")
    await everyone.check()
    await everyone.uncheck()
    for name in names:
        await shown.get_by_role("checkbox", name=f"Choose {name}").check()


async def every_tab_opens_as_soon_as_a_module_is_there(person: Person) -> None:
    # A browser that hears of a new action knows nothing of its fields for some seconds.
    await person.page.get_by_role("link", name="ESP OTA", exact=True).wait_for()
    await go(person.page, "/esp-ota")
    shown = person.page.locator("esp-ota-page")
    for tab in ("Library", "Rollouts", "Queue"):
        await shown.get_by_role("tab", name=tab).click()
        await expect(shown.get_by_role("tabpanel")).to_have_attribute(
            "aria-labelledby", tab.lower()
        )
        await expect(shown.get_by_role("alert")).to_be_hidden()
        if tab == "Rollouts":
            chip = shown.get_by_role("combobox", name="Chip")
            await expect(chip.get_by_role("option", name="ESP32-S3")).to_have_count(1)


async def the_page_shows_modules_and_their_safe_state(person: Person) -> None:
    shown = await open_page(person)
    row = shown.get_by_role("row").filter(has_text=GARDEN_VALVE.name).first
    await expect(row).to_contain_text(OLD)
    await expect(row).to_contain_text("said by its announcement")
    await expect(row).to_contain_text(NEW)
    detail = await open_row(shown)
    await expect(detail).to_contain_text("Close valve: Garden valve")
    await expect(detail).to_contain_text("ESP8266")
    await shown.get_by_role("searchbox").fill("no such module")
    await expect(shown.get_by_text("No module fits.")).to_be_visible()
    await shown.get_by_role("searchbox").fill("valve")
    await expect(row).to_be_visible()
    await shown.get_by_role("searchbox").fill("")


async def an_update_is_followed_on_the_page(person: Person) -> None:
    page, module = person.page, person.module
    restarts = module.count("restarted")
    shown = await open_page(person)
    detail = await open_row(shown)
    await detail.get_by_role("combobox", name="Version").select_option(NEW)
    await detail.get_by_role("button", name="Install this version").click()
    row = shown.get_by_role("row").filter(has_text=GARDEN_VALVE.name).first
    await expect(row).to_contain_text("Making the equipment safe: Close valve: Garden valve")
    await expect(row.get_by_role("progressbar")).to_be_visible(timeout=UPDATE_MS)
    cancel = row.get_by_role("button", name=f"Cancel the update of {GARDEN_VALVE.name}")
    await cancel.focus()
    await person.client.wait_until("50 %", lambda: person.percentage > 50)
    await expect(detail.get_by_role("img")).to_be_visible()
    await expect(cancel).to_be_focused()  # whatever has changed around it
    await take_picture(page, "page-sending", tolerance=LIVELY)
    await shown.get_by_role("tab", name="Queue").click()
    await expect(shown.locator("li.card")).to_contain_text(GARDEN_VALVE.name)
    await shown.get_by_role("tab", name="Modules").click()
    detail = await open_row(shown)
    await expect(row).to_contain_text("Verified", timeout=UPDATE_MS)
    await expect(detail.locator(".history li").first).to_contain_text(f"{OLD} to {NEW}")
    await expect(detail.locator(".history li").first).to_contain_text("Sending")
    await module.is_back()
    assert module.count("restarted") == restarts + 1
    assert module.version == NEW


async def firmware_is_brought_and_taken_away_on_the_page(person: Person) -> None:
    shown = await open_page(person, "Library")
    with tempfile.TemporaryDirectory() as folder:
        good, bad = Path(folder) / "some.bin", Path(folder) / "page.bin"
        good.write_bytes(GARDEN_VALVE.image(_BROUGHT))
        bad.write_text("<html>Not found</html>")
        known = Path(folder) / "known.bin"
        known.write_bytes(GARDEN_VALVE.image(NEW))
        await shown.locator("input[type=file]").set_input_files([good, bad, known])
        card = shown.get_by_role("article", name="some.bin")
        await expect(card).to_contain_text(f"{GARDEN_VALVE.name} {_BROUGHT} for ESP8266")
        refused = shown.get_by_role("article", name="page.bin")
        await expect(refused).to_contain_text("This is a web page")
        same = shown.get_by_role("article", name="known.bin")
        await expect(same).to_contain_text(f"in the library already, as {GARDEN_VALVE.name} {NEW}")
        await take_picture(person.page, "page-upload")
        assert await problems(person.page) == []
        await card.get_by_role("textbox", name="Release notes").fill(_NOTES)
        await card.get_by_role("button", name="Add to the library").click()
        for other in (refused, same):
            await other.get_by_role("button", name="Discard").click()
    row = shown.get_by_role("row").filter(has_text=_BROUGHT)
    await expect(row).to_contain_text(_NOTES)
    await expect(row).to_contain_text("Uploaded")
    runs = shown.get_by_role("row").filter(has_text=f"{GARDEN_VALVE.name} {NEW}")
    await expect(runs.locator("td.runs_on")).to_have_text(GARDEN_VALVE.name)
    await runs.get_by_role("button", name="Remove").click()
    asked = shown.get_by_role("dialog")
    await expect(asked).to_contain_text(f"It runs on: {GARDEN_VALVE.name}")
    assert await problems(person.page) == []
    await asked.get_by_role("button", name="Not now").click()
    await row.get_by_role("button", name="Remove").click()
    await asked.get_by_role("button", name="Remove").click()
    await expect(row).to_have_count(0)


async def several_are_updated_together_on_the_page(person: Person) -> None:
    shown = await open_page(person)
    others = (WELL_PUMP, GREENHOUSE_HEATER)
    for module in others:  # the open page shows them as they come
        answers = {"equipment": "nothing", "password": module.password}
        await add_discovered(person.client, module.name, answers)
        await shown.get_by_role("checkbox", name=f"Choose {module.name}").check()
        await expect(shown.get_by_role("button", name=f"Update {module.name}")).to_be_visible()
    await shown.get_by_role("button", name=f"Update ({len(others)})").click()
    await shown.get_by_role("tab", name="Queue").click()
    for module in others:
        await expect(shown.get_by_role("listitem").filter(has_text=module.name)).to_be_visible()
    await take_picture(person.page, "page-queue", tolerance=LIVELY)
    await shown.get_by_role("tab", name="Modules").click()
    for module in others:
        row = shown.get_by_role("row").filter(has_text=module.name).first
        await expect(row.locator("td.runs")).to_contain_text(NEW, timeout=UPDATE_MS)
        await expect(row.locator("td.verdict")).to_contain_text("erified", timeout=UPDATE_MS)
    await expect(shown.get_by_text("Modules: 3 of 3")).to_be_visible()
    await open_row(shown)
    await shown.get_by_role("button", name=GARDEN_VALVE.name, exact=True).click()
    await take_picture(person.page, "page-modules", tolerance=LIVELY)


async def the_page_can_be_used_by_keyboard(person: Person) -> None:
    page = person.page
    shown = await open_page(person)
    await shown.get_by_role("tab", name="Modules").focus()
    await page.keyboard.press("ArrowRight")
    queue = shown.get_by_role("tab", name="Queue")
    await expect(queue).to_be_focused()
    await expect(queue).to_have_attribute("aria-selected", "true")
    # What a cancelled rollout had begun is carried to its end.
    none = shown.get_by_text("No update runs or waits.")
    await expect(none).to_be_visible(timeout=UPDATE_MS)
    await page.keyboard.press("ArrowLeft")
    button = shown.get_by_role("button", name=GARDEN_VALVE.name, exact=True)
    await open_row(shown)
    await button.focus()
    await page.keyboard.press("Enter")
    await expect(button).to_have_attribute("aria-expanded", "false")
    await page.keyboard.press("Space")
    await expect(button).to_have_attribute("aria-expanded", "true")


async def nobody_is_kept_off_the_page(person: Person) -> None:
    """Let axe-core look at every width in light and dark, with all of it open."""
    page = person.page
    shown = await open_page(person)
    found: list[str] = []
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for width in _WIDTHS:
            await page.set_viewport_size(ViewportSize(width=width, height=900))
            for tab in ("Modules", "Queue", "Rollouts", "Library"):
                await shown.get_by_role("tab", name=tab).click()
                if tab == "Rollouts":
                    await _open_all(shown)
                elif tab != "Queue":
                    await shown.locator("tbody tr").first.wait_for()
                if tab == "Modules":
                    await open_row(shown)
                await page.wait_for_timeout(_SETTLE)
                place = f"{tab}, {width} wide, {scheme}"
                found += [f"{place}: {what}" for what in await problems(page)]
                await _look(page, tab, width, scheme)
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size(SIZE)
    assert not found, "\n".join(found)


async def _open_all(shown: Locator) -> None:
    """Have a plan shown, and the modules of every rollout."""
    await shown.get_by_role("combobox", name="Firmware").select_option(BEDS[0].product)
    await shown.get_by_role("combobox", name="Version", exact=True).select_option(OLD)
    await shown.get_by_role("button", name="See the plan").click()
    await shown.get_by_role("button", name="Start this rollout").wait_for()
    for details in await shown.locator("details").all():
        if await details.get_attribute("open") is None:
            await details.locator("summary").click()
            await details.locator("tbody tr").first.wait_for()


async def problems(page: Page) -> list[str]:
    """Return what axe-core finds grave in our page, and what is wider than the window."""
    if not await page.evaluate("() => 'axe' in window"):
        await page.add_script_tag(path=await asyncio.to_thread(_install_axe))
    found: list[dict[str, Any]] = await page.evaluate(
        """async () => {
          const options = {resultTypes: ["violations"]};
          const {violations} = await axe.run(document, options);
          return violations.flatMap(({id, impact, nodes}) => nodes.map(
            ({target, failureSummary}) => ({id, impact, target, failureSummary})));
        }"""
    )
    ours = [one for one in found if "esp-ota-page" in json.dumps(one["target"])]
    told = [
        f"{one['id']}: {one['target'][-1]}: {one['failureSummary']}"
        for one in ours
        if one["impact"] in _GRAVE
    ]
    wide = await page.evaluate(
        "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return told + ([f"{wide} pixels wider than the window"] if wide else [])


async def _look(page: Page, tab: str, width: int, scheme: str) -> None:
    """Take the pictures of the documentation."""
    names = {
        ("Modules", 1280, "light"): "page",
        ("Modules", 360, "light"): "page-phone",
        ("Library", 1280, "light"): "page-library",
        ("Rollouts", 360, "light"): "page-rollouts-phone",
    }
    if (tab, width, scheme) in names:
        # Times, and how long something took, are different in every run.
        name = names[tab, width, scheme]
        if name == "page-rollouts-phone":
            plan = page.locator("esp-ota-page").get_by_role("heading", name="modules:")
            await plan.evaluate(_BELOW_THE_TABS)
        await take_picture(page, name, whole=name == "page", tolerance=LIVELY)
