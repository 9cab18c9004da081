"""The automation of the docs, through nights with and without a new version, and both of DST."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
import logging
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
import yaml

from homeassistant.core import Event, callback
from homeassistant.setup import async_setup_component
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden, options_for
from tests.virtual_module import VirtualModule

PAGE = Path(__file__).parents[1] / "docs" / "automations.md"
SPRING = {
    "Europe/Berlin": date(2027, 3, 28),
    "Europe/Helsinki": date(2027, 3, 28),  # from three to four
    "America/New_York": date(2027, 3, 14),
}
AUTUMN = {
    "Europe/Berlin": date(2027, 10, 31),
    "Europe/Helsinki": date(2027, 10, 31),
    "America/New_York": date(2027, 11, 7),
}


def automation() -> dict[str, Any]:
    """Return the automation that the documentation shows."""
    shown = PAGE.read_text(encoding="utf-8").partition("An automation that updates at night:")[2]
    text = shown.partition("```yaml\n")[2].partition("```")[0]
    config: dict[str, Any] = yaml.safe_load(text)
    return config


class House:
    """A house with one module, in which nights pass: their time is handed to all that waits."""

    def __init__(self, garden: Garden, zone: str) -> None:
        self.garden = garden
        self.zone = ZoneInfo(zone)
        self.now = datetime.now(self.zone)
        self.pressed: list[datetime] = []

    async def set_up(self, module: VirtualModule, config: Mapping[str, Any], day: date) -> None:
        """Set module and automation up, and let the time pass till the noon before the night."""
        hass = self.garden.hass
        await hass.config.async_set_time_zone(self.zone.key)
        await self.garden.add(entry_for(module, options=options_for()))
        night = {"alias": "Night"} | config
        assert await async_setup_component(hass, "automation", {"automation": [night]})
        midnight = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        for hours in (24, 12):  # what came since today is made up for
            await self._at(midnight - timedelta(hours=hours))

        @callback
        def called(event: Event[Any]) -> None:
            if (event.data["domain"], event.data["service"]) == ("update", "install"):
                self.pressed.append(self.now)

        hass.bus.async_listen("call_service", called)

    async def _at(self, now: datetime) -> None:
        self.now = now.astimezone(self.zone)
        async_fire_time_changed(self.garden.hass, now.astimezone(UTC))
        await self.garden.hass.async_block_till_done()

    async def night(self, day: date) -> None:
        """Let the night to a day pass, from ten in the evening to six in the morning."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)
        for minutes in range(-120, 7 * 60, 10):
            await self._at(midnight + timedelta(minutes=minutes))

    async def close(self) -> None:
        """Switch the automation off, whose timer would go on."""
        night = {"entity_id": "automation.night"}
        await self.garden.hass.services.async_call("automation", "turn_off", night, blocking=True)


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [item.getMessage() for item in caplog.records if item.levelno >= logging.ERROR]


@pytest.mark.slow
@pytest.mark.parametrize("nights", [SPRING, AUTUMN], ids=["spring", "autumn"])
@pytest.mark.parametrize("zone", SPRING)
async def test_the_automation_of_the_readme_updates_in_the_nights_in_which_clocks_change(
    garden: Garden,
    start_module: StartModule,
    caplog: pytest.LogCaptureFixture,
    zone: str,
    nights: Mapping[str, date],
) -> None:
    module = await start_module()
    house = House(garden, zone)
    day = nights[zone]
    await house.set_up(module, automation(), day - timedelta(days=1))

    await house.night(day - timedelta(days=1))  # nothing new
    assert house.pressed == []
    await garden.release("1.1.0")
    await house.night(day)
    await house.night(day + timedelta(days=1))
    await house.close()

    assert [(one.date(), f"{one:%H:%M}") for one in house.pressed] == [(day, "04:30")]
    assert module.running_version == "1.1.0"
    assert errors(caplog) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("day", "times"),
    [(SPRING["Europe/Berlin"], 0), (AUTUMN["Europe/Berlin"], 1)],
    ids=["spring", "autumn"],
)
async def test_half_past_two_does_not_come_in_the_night_in_which_clocks_go_forward(
    garden: Garden,
    start_module: StartModule,
    day: date,
    times: int,
) -> None:
    module = await start_module()
    house = House(garden, "Europe/Berlin")
    config = automation() | {"triggers": [{"trigger": "time", "at": "02:30:00"}]}
    await house.set_up(module, config, day)

    await garden.release("1.1.0")
    await house.night(day)
    await house.close()

    assert len(house.pressed) == times
    assert (module.running_version == "1.1.0") is (times > 0)


@pytest.mark.slow
async def test_without_its_condition_it_writes_errors_in_a_night_without_a_new_version(
    garden: Garden,
    start_module: StartModule,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """This is why it has one."""
    day = date(2027, 5, 2)
    house = House(garden, "Europe/Berlin")
    await house.set_up(await start_module(), automation() | {"conditions": []}, day)
    caplog.clear()

    await house.night(day)
    await house.close()

    assert len(house.pressed) == 1
    assert len(errors(caplog)) == 2


def test_the_time_that_the_readme_names_comes_once_in_every_night_anywhere() -> None:
    [trigger] = automation()["triggers"]
    hour, minute, _ = map(int, trigger["at"].split(":"))
    for name in available_timezones():
        zone = ZoneInfo(name)
        for number in range(3 * 365):
            day = date(2026, 1, 1) + timedelta(days=number)
            first = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
            assert first.utcoffset() == first.replace(fold=1).utcoffset(), (name, day)
