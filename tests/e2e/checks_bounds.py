"""What a person says on the page of the versions that modules may have."""

from playwright.async_api import expect

from .checks_page import choose, open_page, problems
from .modules import GARDEN_VALVE
from .person import Person


async def a_pin_and_a_hold_are_set_on_the_page(person: Person) -> None:
    shown = await open_page(person)
    row = shown.get_by_role("row").filter(has_text=GARDEN_VALVE.name).first
    asked = shown.get_by_role("dialog")
    offered = row.get_by_role("button", name="Update")
    await choose(shown, GARDEN_VALVE.name)
    await expect(offered).to_be_visible()
    pin, name = shown.get_by_role("button", name="Pin (1)"), "Pin to a version"
    await pin.click()
    await asked.get_by_role("textbox", name="Version").fill("1.0.*")
    assert await problems(person.page) == []
    await asked.get_by_role("button", name=name).click()
    await expect(row).to_contain_text("Pinned to 1.0.*")
    await expect(offered).to_have_count(0)
    await pin.click()
    await expect(asked.get_by_role("textbox", name="Version")).to_have_value("1.0.*")
    await asked.get_by_role("textbox", name="Version").fill("")
    await asked.get_by_role("button", name=name).click()
    await expect(row).not_to_contain_text("Pinned")
    await expect(offered).to_be_visible()

    hold, name = shown.get_by_role("button", name="Hold (1)"), "Hold updates"
    await hold.click()
    await asked.get_by_label("Until").fill("2100-01-02T08:00")
    await asked.get_by_role("button", name=name).click()
    await expect(row).to_contain_text("Held until Jan 2")
    await hold.click()
    await asked.get_by_role("button", name=name).click()
    await expect(row).not_to_contain_text("Held")

    await shown.get_by_role("button", name="Channel (1)").click()
    await asked.get_by_role("combobox", name="Channel").select_option("beta")
    await asked.get_by_role("button", name="Not now").click()
    await choose(shown)
