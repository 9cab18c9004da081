"""What a person does in a real browser, from the discovered card to up-to-date."""

from collections.abc import Awaitable, Callable
from pathlib import Path
import re
import tempfile

from playwright.async_api import expect

from .browser import go
from .checks_back import (
    an_update_is_cancelled_on_its_way,
    new_firmware_is_watched,
    what_ran_before_is_put_back_by_a_button,
    what_ran_before_is_put_back_from_a_repair,
)
from .checks_bounds import a_pin_and_a_hold_are_set_on_the_page
from .checks_page import (
    an_update_is_followed_on_the_page,
    every_tab_opens_as_soon_as_a_module_is_there,
    firmware_is_brought_and_taken_away_on_the_page,
    nobody_is_kept_off_the_page,
    several_are_updated_together_on_the_page,
    the_page_can_be_used_by_keyboard,
    the_page_shows_modules_and_their_safe_state,
)
from .checks_rollouts import (
    a_rollout_is_cancelled_on_the_page,
    a_rollout_is_planned_followed_and_reported_on_the_page,
    a_safe_state_is_tried_on_the_page,
)
from .checks_words import the_page_speaks_a_language_as_far_as_it_has_words
from .garden import VALVE, VALVE_JAMMED
from .modules import GARDEN_VALVE, MODULES, NEW, WELL_PUMP
from .pages import (
    add_button,
    add_step,
    close,
    close_menu,
    collapse_steps,
    dialog,
    dialog_box,
    fill_number,
    make_tall,
    open_add_form,
    open_options,
    open_section,
    press,
    round_seconds,
    submit,
    switch_on,
    upload,
)
from .person import UPDATE_MS, Person
from .pictures import CARD, DASHBOARD, DISCOVERED, LIVELY, take_picture

NEWEST = "1.2.0"
_VALVE = "Garden valve Valve"
"""Its name and kind, as lists show them."""
_LIMIT = 15
"""Seconds for the valve, which needs two."""
_PROGRESS = re.compile(r"Installing \(([1-9]\d?)\s?%\)")


async def modules_are_discovered(person: Person) -> None:
    page = person.page
    await page.get_by_text("Settings", exact=True).first.click()
    await page.get_by_text("Devices & services").click()
    for module in MODULES:
        await page.locator("ha-config-flow-card").filter(has_text=module.name).wait_for()
    await take_picture(page, "discovered", clip=DISCOVERED)


async def a_module_with_a_password_asks_for_it(person: Person) -> None:
    form = await open_add_form(person.page, WELL_PUMP.name)
    await expect(form.locator("input[type=password]")).to_be_visible()
    await close(person.page)


async def a_module_is_added(person: Person) -> None:
    form = await open_add_form(person.page, GARDEN_VALVE.name)
    await expect(form.locator("input[type=password]")).to_have_count(0)
    await form.get_by_text("It switches equipment: a safe state is needed").click()
    await take_picture(person.page, "add", clip=await dialog_box(person.page))
    await submit(person.page)
    client = person.client
    await client.wait_until("the card", lambda: client.state(person.entity_id) == "on")


async def without_a_safe_state_an_update_is_refused(person: Person) -> None:
    await person.open_card()
    await person.press_update()
    assert "no safe state is set up" in await person.refusal()
    assert not person.module.count("invited")
    await person.close_card()


async def a_safe_state_is_made_in_the_editor(person: Person) -> None:
    page = person.page
    form = await open_options(page, GARDEN_VALVE.name, "Safe state")
    await open_section(form, "After the update")
    await open_section(form, "Limits")
    await expect(form.locator("ha-selector-action")).to_have_count(2)
    await add_step(page, add_button(form, "Actions before"), _VALVE, "Close valve")
    await add_step(page, add_button(form, "Conditions that confirm it"), _VALVE, "Valve is closed")
    await add_step(page, add_button(form, "Actions after"), _VALVE, "Open valve")
    await collapse_steps(form)
    await fill_number(form, "Time limit", _LIMIT)
    await make_tall(page, tall=True)
    await take_picture(page, "safe-state", clip=await dialog_box(page))
    await make_tall(page, tall=False)
    await a_safe_state_is_tried_before_it_is_saved(person)
    await submit(page)


async def a_safe_state_is_tried_before_it_is_saved(person: Person) -> None:
    page, client = person.page, person.client
    form = dialog(page)
    await switch_on(form, "Try it now, before it is saved")
    await press(form, "Submit")
    await client.wait_until("the valve", lambda: client.state(VALVE.entity_id) == VALVE.safe)
    # The first is there for as long as they have to stay true: a slow browser may miss it.
    told = re.compile("Waiting whether they stay true|The safe state was tried")
    await expect(form.get_by_text(told).first).to_be_visible(timeout=UPDATE_MS)
    await expect(form.get_by_text("The safe state was tried")).to_be_visible(timeout=UPDATE_MS)
    await expect(form.get_by_role("cell", name="Conditions stayed true")).to_be_visible()
    await expect(form.get_by_text("✗")).to_have_count(0)
    await client.wait_until(
        "the valve open again", lambda: client.state(VALVE.entity_id) == VALVE.working
    )
    assert not person.module.count("invited")
    # How long each step took is different in every run.
    await round_seconds(page)
    await take_picture(page, "tried", clip=await dialog_box(page))
    await press(form, "To the safe state")
    await expect(form.get_by_role("button", name="Submit")).to_be_visible()


async def an_update_ends_up_to_date(person: Person) -> None:
    page, client, module = person.page, person.client, person.module
    card = await person.open_card()
    await expect(card.get_by_text("Update available")).to_be_visible()
    await expect(card.get_by_text(GARDEN_VALVE.notes)).to_be_visible()
    await person.press_update()
    await expect(card.get_by_text("Preparing")).to_be_visible()
    await expect(card.get_by_text(_PROGRESS)).to_be_visible(timeout=UPDATE_MS)
    assert client.state(VALVE.entity_id) == VALVE.safe
    await client.wait_until("20 %", lambda: person.percentage > 20)
    await take_picture(page, "progress", clip=CARD, tolerance=LIVELY)
    await person.close_card()
    await go(page, "/garden-demo")
    await client.wait_until("50 %", lambda: person.percentage > 50)
    await expect(page.locator("hui-tile-card").get_by_text(_PROGRESS)).to_be_visible()
    await take_picture(page, "garden", clip=DASHBOARD, tolerance=LIVELY)
    card = await person.open_card()
    await expect(card.get_by_text("Up-to-date")).to_be_visible(timeout=UPDATE_MS)
    assert client.attributes(person.entity_id)["installed_version"] == NEW
    await client.wait_until(
        "the valve open again", lambda: client.state(VALVE.entity_id) == VALVE.working
    )
    assert client.attributes(person.entity_id)["last_verdict"] == "verified"
    await module.is_back()
    assert module.version == NEW
    assert module.count("restarted") == 1
    await person.close_card()


async def a_firmware_file_is_uploaded(person: Person) -> None:
    page, client = person.page, person.client
    form = await open_options(page, "Firmware library", "Add firmware files")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{GARDEN_VALVE.name}-{NEWEST}.bin"
        path.write_bytes(GARDEN_VALVE.image(NEWEST))
        await upload(form, path)
        notes = form.locator("textarea")
        await notes.fill("Opens the valve more slowly, against the hammering in the pipe.")
        await press(form, "Submit")
        await expect(form.get_by_text("Added: ")).to_be_visible()
        await close_menu(page)
        await client.wait_until(
            "the uploaded version on the card",
            lambda: client.attributes(person.entity_id)["latest_version"] == NEWEST,
        )


async def a_jammed_valve_stops_an_update(person: Person) -> None:
    client, module = person.client, person.module
    invitations = module.count("invited")
    await client.action("input_boolean.turn_on", VALVE_JAMMED)
    await person.open_card()
    await person.press_update()
    assert f"was not confirmed within {_LIMIT} s" in await person.refusal()
    assert module.count("invited") == invitations
    assert module.version == NEW
    await take_picture(person.page, "refused", clip=CARD)
    await person.close_card()


async def the_log_has_no_complaint(person: Person) -> None:
    # Of what a person was told is a line there too.
    known = (
        "has not been tested by Home Assistant|: update to .* ended after .* as (refused|failed)"
    )
    lines = person.home.log.read_text("utf-8", "replace").splitlines()
    ours = [
        line
        for line in lines
        if re.search("WARNING|ERROR|Traceback", line)
        and "esp_ota" in line
        and not re.search(known, line)
    ]
    assert not ours, "\n".join(ours)


CHECKS: list[Callable[[Person], Awaitable[None]]] = [
    modules_are_discovered,
    a_module_with_a_password_asks_for_it,
    a_module_is_added,
    every_tab_opens_as_soon_as_a_module_is_there,
    without_a_safe_state_an_update_is_refused,
    a_safe_state_is_made_in_the_editor,
    the_page_shows_modules_and_their_safe_state,
    an_update_ends_up_to_date,
    a_firmware_file_is_uploaded,
    a_jammed_valve_stops_an_update,
    an_update_is_cancelled_on_its_way,
    new_firmware_is_watched,
    what_ran_before_is_put_back_from_a_repair,
    what_ran_before_is_put_back_by_a_button,
    an_update_is_followed_on_the_page,
    firmware_is_brought_and_taken_away_on_the_page,
    several_are_updated_together_on_the_page,
    a_safe_state_is_tried_on_the_page,
    a_rollout_is_planned_followed_and_reported_on_the_page,
    a_rollout_is_cancelled_on_the_page,
    a_pin_and_a_hold_are_set_on_the_page,
    the_page_can_be_used_by_keyboard,
    the_page_speaks_a_language_as_far_as_it_has_words,
    nobody_is_kept_off_the_page,
    the_log_has_no_complaint,
]
