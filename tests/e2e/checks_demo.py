"""What `script/demo` shows: the page with nine modules, each in another state."""

from typing import Final

from playwright.async_api import expect

from .checks_page import open_page
from .fleet import BEDS, GATE, POND, RAIN_GAUGE
from .modules import GARDEN_VALVE, GREENHOUSE_HEATER, NEW, OLD, WELL_PUMP
from .person import Person
from .pictures import LIVELY, take_picture

_SHOWN: Final = {
    BEDS[0].name: (NEW,),
    BEDS[1].name: (OLD, NEW),
    BEDS[2].name: ("Failed", "could not write its flash"),
    str(RAIN_GAUGE.shown_as): ("waits until", "speaks"),
    GATE.name: ("Refused", "no safe state is set up"),
    GARDEN_VALVE.name: (OLD, "%"),
    GREENHOUSE_HEATER.name: ("In queue: number 1", "waits for its turn"),
    POND.name: ("Refused", "nothing listens"),
    WELL_PUMP.name: (OLD, "%"),
}
"""What each line says; up to date is who is offered nothing."""


async def nine_modules_are_shown_each_in_its_state(person: Person) -> None:
    shown = await open_page(person)
    await expect(shown.get_by_text("Modules: 9 of 9")).to_be_visible()
    for name, texts in _SHOWN.items():
        row = shown.get_by_role("row").filter(has_text=name).first
        for text in texts:
            await expect(row).to_contain_text(text)
    first = shown.get_by_role("row").filter(has_text=BEDS[0].name)
    await expect(first.get_by_role("button", name="Update")).to_have_count(0)
    await take_picture(person.page, "page-nine", whole=True, tolerance=LIVELY)
