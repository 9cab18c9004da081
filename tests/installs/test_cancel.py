"""Cancelling an install, at each stage, by the button and the action."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.esp_ota.house import InstallNote
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import Context
from homeassistant.exceptions import HomeAssistantError, Unauthorized
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import (
    CARD,
    CLOSED_AND_OPENED,
    UNTOUCHED,
    Garden,
    assert_nothing_sent,
    options_for,
    until,
)
from tests.kit.sentences import assert_error_is_whole
from tests.kit.steps import NEVER
from tests.virtual_module import Fault, VirtualModule

BUTTON = "button.garden_valve_cancel_update"
_IN_VAIN = {"nothing_running", "cancel_too_late"}


async def press(garden: Garden) -> None:
    """Press Cancel, and wait until that is done."""
    await garden.hass.services.async_call("button", "press", {"entity_id": BUTTON}, blocking=True)


async def refused_press(garden: Garden, cause: str) -> None:
    """Press where the button is; where it is not, the action says why."""
    button = garden.hass.states.get(BUTTON)
    assert button is not None
    assert (button.state == STATE_UNAVAILABLE) is (cause in _IN_VAIN)
    action = ("esp_ota", "cancel") if cause in _IN_VAIN else ("button", "press")
    target = {"entity_id": CARD if cause in _IN_VAIN else BUTTON}
    with pytest.raises(HomeAssistantError) as caught:
        await garden.hass.services.async_call(*action, target, blocking=True)
    assert caught.value.translation_key == cause
    assert_error_is_whole(caught.value)


@dataclass
class Begun:
    """An install that has come to a stage, and will end with a cause."""

    module: VirtualModule
    entry: MockConfigEntry
    install: asyncio.Task[dict[str, str]]


type Begin = Callable[..., Awaitable[Begun]]
"""The fixture `begin`: takes a cause, a stage, options, and what `ModuleConfig` takes."""


@pytest.fixture
def begin(garden: Garden, start_module: StartModule) -> Begin:
    async def begin(
        cause: str,
        stage: str,
        options: dict[str, Any] | None = None,
        size: int = 48 * 1024,
        **config: Any,
    ) -> Begun:
        module = await start_module(**config)
        await garden.release("1.1.0", size=size)
        entry = await garden.add(entry_for(module, options=options or options_for()))
        return Begun(module, entry, await garden.begin(garden.refused(cause), stage))

    return begin


async def test_nothing_that_runs_cannot_be_cancelled(
    garden: Garden, start_module: StartModule
) -> None:
    await garden.add(entry_for(await start_module(), options=options_for()))
    await refused_press(garden, "nothing_running")


@pytest.mark.slow
async def test_an_install_that_waits_for_its_turn_is_forgotten(
    garden: Garden, begin: Begin
) -> None:
    garden.house.queue.async_set(limit=0, stagger="area")
    begun = await begin("cancelled", "queued")

    await press(garden)
    await begun.install
    garden.assert_at_rest(begun.entry, UNTOUCHED)
    assert_nothing_sent(begun.module)


@pytest.mark.slow
async def test_while_it_is_noted_that_it_is_made_safe_its_end_is_noted_before_it_is_told(
    garden: Garden, module: VirtualModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Home Assistant may die between the telling and the closing: it is told once, and alike."""
    journal, writing = garden.house.journal, asyncio.Event()
    write, close, closed = journal.async_write, journal.async_close, list[str]()

    async def write_slowly(entry_id: str, note: InstallNote) -> None:
        if note["stage"] == "making_safe":
            writing.set()
            await asyncio.sleep(0.1)
        await write(entry_id, note)

    async def close_noted(entry_id: str, *end: Any) -> None:
        note = journal.open_install(entry_id)
        closed.append(note["stage"] if note else "nothing")
        await close(entry_id, *end)

    monkeypatch.setattr(journal, "async_write", write_slowly)
    monkeypatch.setattr(journal, "async_close", close_noted)
    entry = await garden.add(entry_for(module, options=options_for()))
    await garden.release("1.1.0")
    install = asyncio.create_task(garden.refused("cancelled"))
    await writing.wait()

    await press(garden)

    await install
    assert closed == ["done"]
    garden.assert_at_rest(entry, UNTOUCHED)


@pytest.mark.slow
async def test_while_it_is_made_safe_everything_is_put_back(garden: Garden, begin: Begin) -> None:
    options = options_for({"conditions": [NEVER], "time_limit": 60})
    begun = await begin("cancelled", "making_safe", options)
    await until(lambda: garden.valve == ["off"])

    await press(garden)
    await begun.install
    garden.assert_at_rest(begun.entry, CLOSED_AND_OPENED)
    assert_nothing_sent(begun.module)


@pytest.mark.slow
async def test_while_it_is_sent_the_module_is_freed_and_the_old_sketch_runs_on(
    garden: Garden, begin: Begin
) -> None:
    slow: dict[str, Any] = {"faults": [Fault.SLOW_SECTOR], "slow_sector_time": 0.05}
    begun = await begin("cancelled", "sending", size=200 * 1024, **slow)
    await until(lambda: garden.card.attributes["update_percentage"])

    await press(garden)
    await begun.install
    garden.assert_at_rest(begun.entry, CLOSED_AND_OPENED)
    assert begun.module.running_version == "1.0.0"
    assert garden.card.attributes["last_verdict"] == "cancelled"
    begun.module.faults.clear()
    await garden.install()
    assert begun.module.running_version == "1.1.0"


@pytest.mark.slow
async def test_once_it_has_left_the_module_may_run_it(garden: Garden, begin: Begin) -> None:
    begun = await begin("cancelled_late", "restarting", offline_time=60)

    await press(garden)
    assert (await begun.install)["version"] == "1.1.0"
    garden.assert_at_rest(begun.entry, CLOSED_AND_OPENED)


@pytest.mark.slow
async def test_what_is_being_restored_is_restored(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    await garden.release("1.1.0")
    options = options_for()
    options["safe_state"]["restore"].append({"delay": {"milliseconds": 300}})
    entry = await garden.add(entry_for(module, options=options))
    install = await garden.begin(garden.install(), "restoring")

    await refused_press(garden, "cancel_too_late")
    await install
    assert module.running_version == "1.1.0"
    garden.assert_at_rest(entry, CLOSED_AND_OPENED)


async def test_an_offer_that_no_module_collects_is_withdrawn(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    await garden.release("1.1.0")
    changes = {"transports": ["http_pull"], "mac": "5c:cf:7f:00:00:01"}
    entry = await garden.add(entry_for(module, options=options_for(), **changes))
    install = await garden.begin(garden.refused("cancelled"), "queued")

    await press(garden)
    await install
    garden.assert_at_rest(entry, UNTOUCHED)


@pytest.mark.slow
async def test_who_cancels_is_told_when_the_equipment_was_not_restored(
    garden: Garden, begin: Begin
) -> None:
    options = options_for({"restore": [{"action": "test.nothing"}]})
    begun = await begin("cancelled_late", "restarting", options, offline_time=60)

    await refused_press(garden, "restore_failed")
    await begun.install


@pytest.mark.slow
async def test_the_action_does_the_same_for_administrators_only(
    garden: Garden, begin: Begin, hass_read_only_user: MockUser
) -> None:
    begun = await begin("cancelled_late", "restarting", offline_time=60)

    call = garden.hass.services.async_call
    with pytest.raises(Unauthorized):
        await call(
            "esp_ota",
            "cancel",
            {"entity_id": CARD},
            blocking=True,
            context=Context(user_id=hass_read_only_user.id),
        )
    await call("esp_ota", "cancel", {"entity_id": CARD}, blocking=True)
    await begun.install
    garden.assert_at_rest(begun.entry, CLOSED_AND_OPENED)
