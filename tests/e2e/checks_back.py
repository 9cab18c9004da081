"""What a person does in a real browser about an update: end it, watch it, go back from it."""

import json

from playwright.async_api import FloatRect, Locator, expect

from .browser import go, more_info
from .flows import repair
from .garden import VALVE, VALVE_JAMMED
from .modules import GARDEN_VALVE, NEW, OLD
from .pages import dialog, dialog_box, make_tall, open_options, submit
from .person import UPDATE_MS, Person
from .pictures import LIVELY, take_picture

MISNAMED = "1.3.0"
_SAYS = "1.2.9"
"""What the sketch of that release says of itself: somebody forgot to count up."""
_BUTTONS: FloatRect = {"x": 600, "y": 130, "width": 336, "height": 660}
"""The part of a device's page that has them."""


async def _open_device(person: Person) -> Locator:
    """Open the module's own page and return the card with its buttons."""
    page = person.page
    for device in await person.client.command("config/device_registry/list"):
        if device["name"] == GARDEN_VALVE.name:
            await go(page, f"/config/devices/device/{device['id']}")
    rows = page.locator("hui-button-entity-row")
    await rows.first.wait_for()
    return rows


async def _restored(person: Person) -> None:
    client = person.client
    await client.wait_until(
        "the valve open again", lambda: client.state(VALVE.entity_id) == VALVE.working
    )


async def _ends(person: Person, verdict: str) -> None:
    client, card = person.client, person.entity_id

    def ended() -> bool:
        shown = client.attributes(card)
        return bool(shown["last_verdict"] == verdict and not shown["in_progress"])

    await client.wait_until(f"an update ends as {verdict}", ended, UPDATE_MS / 1000)


async def an_update_is_cancelled_on_its_way(person: Person) -> None:
    page, client, module = person.page, person.client, person.module
    await client.action("input_boolean.turn_off", VALVE_JAMMED)
    rows = await _open_device(person)
    await more_info(page, person.entity_id)
    await person.press_update()
    await person.close_card()
    await client.wait_until("20 %", lambda: person.percentage > 20)
    await take_picture(page, "cancel", clip=_BUTTONS, tolerance=LIVELY)
    await rows.filter(has_text="Cancel").get_by_role("button").click()
    await _ends(person, "cancelled")
    await _restored(person)
    assert module.version == NEW
    assert module.count("restarted") == 1


async def new_firmware_is_watched(person: Person) -> None:
    page = person.page
    form = await open_options(page, GARDEN_VALVE.name, "Proof: watch new firmware, roll back")
    await expect(form.get_by_text("Ask me")).to_be_visible()
    await make_tall(page, tall=True)
    await take_picture(page, "verification", clip=await dialog_box(page))
    await make_tall(page, tall=False)
    await submit(page)


async def what_ran_before_is_put_back_from_a_repair(person: Person) -> None:
    page, client, module = person.page, person.client, person.module
    folder = person.home.firmware_folder
    path = folder / f"{GARDEN_VALVE.name}-{MISNAMED}.bin"
    sidecar = {"firmware": GARDEN_VALVE.name, "version": MISNAMED}
    path.with_name(f"{path.name}.json").write_text(json.dumps(sidecar))
    path.write_bytes(GARDEN_VALVE.image(_SAYS))
    await client.wait_until(
        "the card offers it",
        lambda: client.attributes(person.entity_id)["latest_version"] == MISNAMED,
    )
    await person.open_card()
    await person.press_update()
    assert f"{_SAYS} instead of {MISNAMED}" in await person.told()
    await person.close_card()
    await repair(client, "roll_back")
    await go(page, "/config/repairs")
    await page.get_by_text(f"{GARDEN_VALVE.name}: put {NEW} back?").click()
    form = dialog(page)
    await expect(form.get_by_text("which ran well before")).to_be_visible()
    await expect(form.get_by_text(f"{_SAYS} instead of {MISNAMED}")).to_be_visible()
    await take_picture(page, "roll-back", clip=await dialog_box(page))
    await submit(page)
    await _ends(person, "rolled_back")
    await _restored(person)
    await module.is_back()
    assert module.version == NEW
    await page.get_by_text("There are currently no repairs pending").wait_for()


async def what_ran_before_is_put_back_by_a_button(person: Person) -> None:
    client, module = person.client, person.module
    rows = await _open_device(person)
    await rows.filter(has_text="Roll back").get_by_role("button").click()
    await client.wait_until(
        f"{OLD} runs again",
        lambda: client.attributes(person.entity_id)["installed_version"] == OLD,
        UPDATE_MS / 1000,
    )
    await _ends(person, "rolled_back")
    await _restored(person)
    await module.is_back()
    assert module.version == OLD
