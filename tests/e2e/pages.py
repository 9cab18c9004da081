"""What a person does with the mouse, in the words of the frontend."""

from pathlib import Path
import re

from playwright.async_api import FloatRect, Locator, Page, ViewportSize, expect

from .browser import SIZE, go

_TALL: ViewportSize = {"width": SIZE["width"], "height": 2300}
"""High enough for the whole form of a safe state."""
_GROWS = 500
"""Milliseconds in which an opening dialog changes its size."""


def dialog(page: Page) -> Locator:
    """Return the dialog of a config or options flow."""
    return page.locator("dialog-data-entry-flow")


async def box_of(shown: Locator) -> FloatRect:
    """Return where a dialog is, with nothing of the page behind it."""
    frame, before = shown.locator("wa-dialog dialog"), None
    while (box := await frame.bounding_box()) is None or box != before:
        before = box  # it grows while it opens
        await shown.page.wait_for_timeout(_GROWS)
    return FloatRect(**box)


async def dialog_box(page: Page) -> FloatRect:
    """Return where the open form is."""
    return await box_of(dialog(page))


async def open_add_form(page: Page, name: str) -> Locator:
    """Press "Add" on the card of a discovered module and return the form."""
    await go(page, "/config/integrations/dashboard")
    card = page.locator("ha-config-flow-card").filter(has_text=name)
    await card.get_by_role("button", name="Add").click()
    form = dialog(page)
    await form.get_by_role("button", name="Submit").wait_for()
    return form


async def close(page: Page) -> None:
    """Leave a form without sending it."""
    form = dialog(page)
    await form.get_by_role("button", name="Close").first.click()
    await form.locator("ha-dialog").wait_for(state="hidden")


async def add_integration(page: Page, way: str) -> Locator:
    """Press "Add integration", choose ESP OTA and a way from its menu, and return the form."""
    await go(page, "/config/integrations/dashboard/add?domain=esp_ota")
    await page.locator("dialog-box").get_by_role("button", name="OK").click()
    form = dialog(page)
    await form.get_by_text(way).click()
    await form.get_by_role("button", name="Submit").wait_for()
    return form


async def submit(page: Page) -> None:
    """Send a form and close what comes after it."""
    form = dialog(page)
    await form.get_by_role("button", name="Submit").click()
    await form.get_by_role("button", name=re.compile("finish", re.IGNORECASE)).click()
    await form.locator("ha-dialog").wait_for(state="hidden")


async def close_menu(page: Page) -> None:
    """Choose "Close" from the menu that tells what was added."""
    form = dialog(page)
    await form.get_by_text("Close", exact=True).click()
    await form.get_by_role("button", name=re.compile("finish", re.IGNORECASE)).click()
    await form.locator("ha-dialog").wait_for(state="hidden")


async def open_section(form: Locator, name: str) -> None:
    """Open a part of a long form."""
    await form.get_by_role("button", name=name).click()


async def open_options(page: Page, entry: str, step: str) -> Locator:
    """Press "Configure" of an entry, choose a form from the menu and return it."""
    await go(page, "/config/integrations/integration/esp_ota")
    row = page.locator("ha-config-entry-row").filter(has_text=entry)
    await row.get_by_role("button", name="Configure").first.click()
    form = dialog(page)
    await form.get_by_text(step, exact=True).click()
    await form.get_by_role("button", name="Submit").wait_for()
    return form


def add_button(form: Locator, field: str) -> Locator:
    """Return the button that adds an action or a condition to a field."""
    label = re.compile(rf"^\s*{field}")
    fields = form.locator("ha-selector-action, ha-selector-condition").filter(has_text=label)
    return fields.get_by_role("button", name=re.compile("Add (action|condition)"))


async def add_step(page: Page, button: Locator, target: str, step: str) -> None:
    """Add an action or a condition: press the button, choose what it acts on, then what it is.

    `target` is a name and a kind, as the list shows them: "Garden valve Valve".
    """
    await button.click()
    chooser = page.locator("add-automation-element-dialog")
    await chooser.locator("input").first.fill(target.rsplit(" ", 1)[0])
    row = re.compile(rf"^\s*{target.replace(' ', r'\s+')}\s*$")
    await chooser.locator("ha-combo-box-item").filter(has_text=row).click()
    await chooser.get_by_text(step).click()
    await chooser.locator("ha-dialog").wait_for(state="hidden")


async def collapse_steps(form: Locator) -> None:
    """Fold all actions and conditions, so that a form can be seen as a whole."""
    rows = form.locator("ha-automation-action-row, ha-automation-condition-row")
    for row in await rows.all():
        await row.locator("ha-expansion-panel").first.locator(".summary-icon").first.click()


async def choose_ways(form: Locator, *ways: str) -> None:
    """Choose how updates reach a module, first choice first, in place of what is there."""
    field = form.locator("ha-selector-select").filter(has_text="Ways, first choice first")
    chips = field.locator("ha-input-chip")
    await chips.first.wait_for()
    while await chips.count():
        await chips.first.get_by_role("button", name="Remove").click()
    for number, way in enumerate(ways, start=1):
        await field.locator("ha-generic-picker").get_by_role("button").last.click()
        await form.page.locator("ha-combo-box-item").filter(has_text=way).click()
        await expect(chips).to_have_count(number)


async def hide_secrets(page: Page) -> None:
    """Show the same secret each time: a real one is new in every run, and no picture's business."""
    for code in await dialog(page).locator("ha-markdown-element code").all():
        await code.evaluate(
            """code => {
              const secret = /(?<=esp_ota.pull.)[A-Za-z0-9_-]+/;
              code.innerHTML = code.innerHTML.replace(secret, "the-secret-of-this-house");
            }"""
        )


async def fill_number(form: Locator, label: str, number: int) -> None:
    """Type a number."""
    field = form.locator("ha-selector-number").filter(has_text=label)
    await field.locator("input").fill(str(number))
    await field.locator("input").blur()


async def switch_on(form: Locator, label: str) -> None:
    """Switch something on that is off."""
    await form.locator("ha-selector-boolean").filter(has_text=label).locator("ha-switch").click()


async def press(form: Locator, name: str) -> None:
    """Press a button of a form that another form comes after."""
    await form.get_by_role("button", name=name).click()


async def round_seconds(page: Page) -> None:
    """Show the same times each time: whole seconds."""
    for cell in await dialog(page).locator("ha-markdown-element td").all():
        await cell.evaluate(
            """cell => {
              const whole = (_, seconds) => `${Math.round(seconds)} s`;
              cell.innerHTML = cell.innerHTML.replace(/([\\d.]+) s/, whole);
            }"""
        )


async def upload(form: Locator, path: Path) -> None:
    """Choose a file and wait until Home Assistant has it."""
    box = form.locator("ha-file-upload")
    await box.locator("input[type=file]").set_input_files(path)
    await box.get_by_text(path.name).first.wait_for()


async def make_tall(page: Page, *, tall: bool) -> None:
    """Make the window higher for a long form, or normal again."""
    await page.set_viewport_size(_TALL if tall else SIZE)
