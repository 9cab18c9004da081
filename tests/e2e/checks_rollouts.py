"""What a person does about rollouts on the page, and how a safe state is tried there."""

import re

from playwright.async_api import expect

from .checks_page import choose, open_page, open_row
from .fleet import BEDS, add_bed
from .garden import VALVE
from .modules import GARDEN_VALVE, NEW, OLD
from .person import UPDATE_MS, Person
from .pictures import LIVELY, take_picture

_PRODUCT = BEDS[0].product


async def a_safe_state_is_tried_on_the_page(person: Person) -> None:
    client, module = person.client, person.module
    connections = module.count("invited")
    shown = await open_page(person)
    detail = await open_row(shown)
    await detail.get_by_role("button", name="Try it").click()
    asked = shown.get_by_role("dialog")
    await expect(asked).to_contain_text("Its equipment moves now")
    assert client.state(VALVE.entity_id) == VALVE.working
    await asked.get_by_role("button", name="Not now").click()
    assert client.state(VALVE.entity_id) == VALVE.working

    await detail.get_by_role("button", name="Try it").click()
    await asked.get_by_role("button", name="Try it").click()
    await client.wait_until("closed", lambda: client.state(VALVE.entity_id) == VALVE.safe)
    tried = detail.get_by_text("It was made safe and put back.")
    await expect(tried).to_be_visible(timeout=UPDATE_MS)
    await expect(detail).to_contain_text(re.compile(r"Running the actions before: \d"))
    assert client.state(VALVE.entity_id) == VALVE.working
    assert module.count("invited") == connections


async def a_rollout_is_planned_followed_and_reported_on_the_page(person: Person) -> None:
    page = person.page
    for bed in BEDS:
        await person.switch_on(bed)
        await add_bed(person.client, bed)
    shown = await open_page(person)
    await choose(shown, *(bed.name for bed in BEDS), GARDEN_VALVE.name)
    await shown.get_by_role("button", name="Roll out (4)").click()

    await expect(shown.get_by_role("tab", name="Rollouts")).to_have_attribute(
        "aria-selected", "true"
    )
    firmware = shown.get_by_role("combobox", name="Firmware")
    # The watched folder is looked at now and then: the library may come to know it later.
    await expect(firmware).to_have_value(_PRODUCT, timeout=UPDATE_MS)
    who = shown.get_by_role("combobox", name="Who takes part")
    await expect(who.locator("option:checked")).to_have_text("Chosen modules (4)")
    await shown.get_by_role("textbox", name="Waves").fill("1")
    named = shown.get_by_role("group", name="These go first")
    await named.get_by_role("checkbox", name=BEDS[1].name).check()
    await expect(shown.get_by_role("spinbutton", name="Canaries", exact=True)).to_be_disabled()
    await shown.get_by_role("button", name="See the plan").click()
    first = shown.get_by_role("table").get_by_role("row").nth(1)
    await expect(first).to_contain_text(f"Canaries{BEDS[1].name}")
    await named.get_by_role("checkbox", name=BEDS[1].name).uncheck()
    await shown.get_by_role("button", name="See the plan").click()
    plan = shown.get_by_role("table")
    await expect(plan.get_by_role("row")).to_have_count(5)
    await expect(plan.get_by_role("row").nth(1)).to_contain_text(f"Canaries{BEDS[0].name}")
    await expect(plan.get_by_role("row").nth(3)).to_contain_text(f"Wave 2{BEDS[2].name}")
    left_out = plan.get_by_role("row").nth(4)
    await expect(left_out).to_contain_text(f"Left out{GARDEN_VALVE.name}")
    await expect(left_out).to_contain_text("It runs another firmware")
    await take_picture(page, "page-rollout-plan", whole=True, tolerance=LIVELY)
    assert all(person.module_called(bed).version == OLD for bed in BEDS)

    await shown.get_by_role("button", name="Start this rollout").click()
    card = shown.get_by_role("article").first
    await expect(card.get_by_role("heading")).to_have_text(f"{_PRODUCT} {NEW}: Running")
    canary = card.get_by_role("row").filter(has_text=BEDS[0].name)
    await expect(canary).to_contain_text(re.compile(r"Begun.*\d %"), timeout=UPDATE_MS)
    await page.evaluate("() => window.scrollTo(0, 0)")
    await take_picture(page, "page-rollout", tolerance=LIVELY)
    await card.get_by_role("button", name="Pause").click()
    await expect(card.get_by_role("heading")).to_contain_text("Paused")
    await expect(canary).to_contain_text("Updated", timeout=UPDATE_MS)
    await expect(card).to_contain_text("Waiting: 2")
    await card.get_by_role("button", name="Resume").click()
    await expect(card.get_by_role("heading")).to_contain_text("Done", timeout=UPDATE_MS)
    for bed in BEDS:
        row = card.get_by_role("row").filter(has_text=bed.name)
        await expect(row).to_contain_text(f"{bed.name} runs {NEW} now")
        module = person.module_called(bed)
        await module.is_back()
        assert (module.version, module.count("restarted")) == (NEW, 1)
    await expect(card).to_contain_text("Updated: 3")


async def a_rollout_is_cancelled_on_the_page(person: Person) -> None:
    shown = await open_page(person, "Rollouts")
    await shown.get_by_role("combobox", name="Firmware").select_option(_PRODUCT)
    await shown.get_by_role("combobox", name="Version", exact=True).select_option(OLD)
    await shown.get_by_role("button", name="See the plan").click()
    await shown.get_by_role("button", name="Start this rollout").click()
    card = shown.get_by_role("article").first
    await card.get_by_role("button", name="Cancel").click()
    asked = shown.get_by_role("dialog")
    await expect(asked).to_contain_text(f"Cancel the rollout of {_PRODUCT} {OLD}?")
    await asked.get_by_role("button", name="Cancel rollout").click()
    await expect(card.get_by_role("heading")).to_contain_text("Cancelled")
    # The canary is taken back as well where its update had not begun yet.
    await expect(card).to_contain_text(re.compile("Waiting: [23]"))
    await expect(shown.get_by_role("article")).to_have_count(2)
