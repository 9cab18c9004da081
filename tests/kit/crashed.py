"""Installs that Home Assistant left open when it died."""

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.house import InstallNote
from tests.kit.garden import (
    VALVE,
    Garden,
    until,
)

KEY = "esp_ota.journal"


BEFORE_DELIVERY = ["making_safe", "sending"]


AFTER_DELIVERY = ["restarting", "verifying"]


async def crashed(garden: Garden, entry: MockConfigEntry, stage: str) -> InstallNote:
    """Leave things as a Home Assistant does that dies in this stage."""
    release = await garden.release("1.1.0")
    note: InstallNote = {
        "stage": stage,
        "sha256": release.image.sha256,
        "version": "1.1.0",
        "before": "1.0.0",
        "started": "2026-11-01T12:00:00+00:00",
    }
    await garden.house.journal.async_write(entry.entry_id, note)
    await garden.hass.services.async_call(
        "input_boolean", "turn_off", {"entity_id": VALVE}, blocking=True
    )
    await garden.hass.async_block_till_done()
    assert garden.valve == ["off"]
    return note


async def start(garden: Garden, entry: MockConfigEntry) -> None:
    """Set the module up and wait until what was open has ended."""
    await garden.add(entry)
    await until(lambda: garden.house.journal.open_install(entry.entry_id) is None)
    # It is closed when it is forgotten on disk as well.
    await until(lambda: not entry.runtime_data.installer.is_running)
    await garden.hass.async_block_till_done()
