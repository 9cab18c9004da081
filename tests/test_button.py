"""The buttons of a module: there while there is something to do, and gone when there is not."""

import asyncio

import pytest

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.exceptions import ServiceValidationError
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import CARD, Garden, options_for, until
from tests.kit.sentences import assert_error_is_whole

CANCEL = "button.garden_valve_cancel_update"
ROLL_BACK = "button.garden_valve_roll_back"


def there(garden: Garden) -> tuple[bool, bool]:
    """Return whether it can be cancelled, and rolled back."""
    states = [garden.hass.states.get(name) for name in (CANCEL, ROLL_BACK)]
    cancel, roll_back = (state is not None and state.state != STATE_UNAVAILABLE for state in states)
    return cancel, roll_back


@pytest.mark.slow
async def test_buttons_come_and_go_with_what_can_be_done(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True, offline_time=2.0)
    await garden.release("1.0.0")
    await garden.release("1.1.0")
    await garden.add(entry_for(module, options=options_for()))
    await garden.runs("1.0.0")
    assert there(garden) == (False, False)

    installing = await garden.begin(garden.install("1.1.0"), "restarting")
    assert there(garden) == (True, False)
    await installing
    await until(lambda: there(garden) == (False, True))

    old = next(item for item in garden.house.library.releases if item.version == "1.0.0")
    await garden.house.library.async_remove(old.image.sha256)
    await until(lambda: there(garden) == (False, False))


@pytest.mark.slow
async def test_a_second_press_is_told_to_the_one_who_pressed_alone(
    garden: Garden, start_module: StartModule, caplog: pytest.LogCaptureFixture
) -> None:
    """A mistake of the caller is no error of the log, no repair, and no ending of an update."""
    await garden.release("1.1.0")
    entry = await garden.add(
        entry_for(await start_module(offline_time=60.0), options=options_for())
    )
    ended = garden.hass.states.get("event.garden_valve_update_ended")
    installing = await garden.begin(garden.install(), "restarting")
    card = {"entity_id": CARD}

    with pytest.raises(ServiceValidationError) as caught:
        await garden.hass.services.async_call("esp_ota", "install", card, blocking=True)

    assert caught.value.translation_key == "install_running"
    assert_error_is_whole(caught.value)
    assert garden.hass.states.get("event.garden_valve_update_ended") == ended
    assert entry.runtime_data.installer.is_running
    await asyncio.wait_for(installing, 30)
    assert garden.card.attributes["last_verdict"] in {"verified", "unverified"}
    assert not [item for item in caplog.records if item.levelname in {"WARNING", "ERROR"}]
