"""A module's pin, hold and channel: what its card offers, says, and who is refused."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import WebSocketGenerator
import voluptuous as vol

from homeassistant.core import Context
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.util import dt as dt_util
from tests.kit.entries import StartModule, entry_for, firmware
from tests.kit.garden import CARD, Garden, assert_nothing_sent
from tests.kit.sentences import assert_error_is_whole
from tests.virtual_module import VirtualModule

pytestmark = pytest.mark.slow

NOTHING = {"equipment": "nothing", "firmware": "garden-valve"}


async def add(garden: Garden, module: VirtualModule, **options: Any) -> MockConfigEntry:
    """Set up a module that runs 1.0.0."""
    entry = await garden.add(entry_for(module, options={**NOTHING, **options}))
    entry.runtime_data.coordinator.async_set_installed("1.0.0", "garden-valve", assumed=False)
    await garden.hass.async_block_till_done()
    return entry


async def act(garden: Garden, action: str, **data: Any) -> None:
    await garden.hass.services.async_call(
        "esp_ota", action, {"entity_id": CARD, **data}, blocking=True
    )
    await garden.hass.async_block_till_done()


async def refused(garden: Garden, action: str, **data: Any) -> str | None:
    with pytest.raises(HomeAssistantError) as caught:
        await act(garden, action, **data)
    assert_error_is_whole(caught.value)
    return caught.value.translation_key


async def release(garden: Garden, *versions: str) -> None:
    for version in versions:
        await garden.release(version)
    await garden.hass.async_block_till_done()


def shown(garden: Garden) -> tuple[str, str | None]:
    return garden.card.state, garden.card.attributes["latest_version"]


# A pin


async def test_a_pinned_module_is_offered_the_newest_that_its_pin_permits(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    await add(garden, module)
    await release(garden, "1.1.0", "1.1.1", "1.2.0")
    assert shown(garden) == ("on", "1.2.0")
    await act(garden, "pin", version="1.1.*")
    assert shown(garden) == ("on", "1.1.1")
    assert garden.card.attributes["pinned_to"] == "1.1.*"
    reason = garden.card.attributes["not_offered"]
    assert reason.startswith("Version 1.2.0 is in the library, but it is not offered.")
    assert "is pinned to 1.1.*, which leaves out 1.2.0" in reason

    await garden.install()
    assert module.running_version == "1.1.1"
    assert shown(garden)[0] == "off"
    assert "is pinned to 1.1." in garden.card.attributes["release_summary"]

    await act(garden, "pin", version="")
    assert shown(garden) == ("on", "1.2.0")
    assert garden.card.attributes["pinned_to"] is None
    assert garden.card.attributes["not_offered"] is None


@pytest.mark.parametrize("action", ["update", "esp_ota"])
async def test_who_names_a_version_that_the_pin_leaves_out_is_refused(
    garden: Garden, start_module: StartModule, action: str
) -> None:
    """The dialog of the card always names one: it may have been opened before the pin was set."""
    module = await start_module()
    entry = await add(garden, module)
    await release(garden, "1.1.0", "1.2.0")
    await act(garden, "pin", version="1.1.0")
    with pytest.raises(HomeAssistantError) as caught:
        await garden.hass.services.async_call(
            action, "install", {"entity_id": CARD, "version": "1.2.0"}, blocking=True
        )
    assert caught.value.translation_key == "pinned"
    assert_error_is_whole(caught.value)
    assert_nothing_sent(module)
    assert garden.house.journal.open_install(entry.entry_id) is None


async def test_a_pin_to_what_nobody_has_offers_nothing_and_says_so(
    garden: Garden, start_module: StartModule, hass_ws_client: WebSocketGenerator
) -> None:
    module = await start_module()
    await add(garden, module)
    await act(garden, "pin", version=">=9")
    assert shown(garden) == ("off", "1.0.0")
    expected = "is pinned to >=9, and the library has no release of garden-valve that fits"
    assert expected in garden.card.attributes["not_offered"]

    await release(garden, "1.1.0")
    assert "leaves out 1.1.0" in garden.card.attributes["not_offered"]
    client = await hass_ws_client(garden.hass)
    await client.send_json_auto_id({"type": "update/release_notes", "entity_id": CARD})
    assert "is pinned to >=9" in (await client.receive_json())["result"]
    assert await refused(garden, "install") == "pinned"
    assert_nothing_sent(module)

    await release(garden, "9.0.1")
    assert shown(garden) == ("on", "9.0.1")


async def test_a_pin_to_an_older_version_takes_nobody_back_by_itself(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(image=firmware("1.2.0"))
    entry = await add(garden, module)
    entry.runtime_data.coordinator.async_set_installed("1.2.0", "garden-valve", assumed=False)
    await release(garden, "1.1.0", "1.2.0", "1.3.0")
    await act(garden, "pin", version="1.1.0")
    assert shown(garden) == ("off", "1.2.0")
    await garden.install("1.1.0")  # named, it is
    assert module.running_version == "1.1.0"


@pytest.mark.parametrize("said", ["*", "^1.2", ">=1.2,", "1.2 or 1.3", "1" * 300])
async def test_what_is_no_pin_changes_nothing(
    garden: Garden, start_module: StartModule, said: str
) -> None:
    await add(garden, await start_module(), pin="1.1.*")
    assert await refused(garden, "pin", version=said) == "pin_unreadable"
    assert garden.card.attributes["pinned_to"] == "1.1.*"


async def test_a_release_that_somebody_is_pinned_to_is_kept(
    garden: Garden, start_module: StartModule
) -> None:
    await add(garden, await start_module(), pin="1.1.*")
    await release(garden, *(f"1.1.{n}" for n in range(3)), *(f"1.{n}.0" for n in range(2, 9)))
    kept = [item.version for item in garden.house.library.releases]
    assert kept == ["1.1.2", *(f"1.{n}.0" for n in range(4, 9))]


async def test_a_module_that_is_reloaded_is_still_pinned_and_held(
    garden: Garden, start_module: StartModule
) -> None:
    entry = await add(garden, await start_module())
    await release(garden, "1.1.0")
    await act(garden, "pin", version="1.0.*")
    await act(garden, "hold", until="2100-01-01 00:00")
    await act(garden, "set_channel", channel="beta")
    assert await garden.hass.config_entries.async_reload(entry.entry_id)
    await garden.hass.async_block_till_done()
    attributes = garden.card.attributes
    assert (attributes["pinned_to"], attributes["channel"]) == ("1.0.*", "beta")
    assert attributes["held_until"].startswith("2100-01-01T00:00:00")
    assert shown(garden) == ("off", "1.0.0")


async def test_to_pin_interrupts_no_update_that_runs_and_stops_one_that_waits(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    entry = await add(garden, module)
    await release(garden, "1.1.0")
    garden.house.queue.async_set(limit=0, stagger="module")
    running = await garden.begin(garden.install(), "queued")
    await garden.hass.services.async_call(
        "esp_ota", "pin", {"entity_id": CARD, "version": "1.0.*"}, blocking=True
    )
    assert garden.house.journal.open_install(entry.entry_id) is not None
    garden.house.queue.async_set(limit=1, stagger="module")
    with pytest.raises(HomeAssistantError) as caught:
        await running
    assert caught.value.translation_key == "pinned"
    assert_nothing_sent(module)


# A hold


def later(**time: float) -> str:
    until = dt_util.now() + timedelta(**time)
    return until.replace(tzinfo=None, microsecond=0).isoformat(sep=" ")


async def pass_to(garden: Garden, freezer: FrozenDateTimeFactory, **time: float) -> None:
    freezer.tick(timedelta(**time))
    async_fire_time_changed(garden.hass)
    await garden.hass.async_block_till_done()


async def test_a_held_module_is_offered_nothing_until_its_date_and_then_by_itself(
    garden: Garden, start_module: StartModule, freezer: FrozenDateTimeFactory
) -> None:
    module = await start_module()
    await add(garden, module)
    await release(garden, "1.1.0")
    await act(garden, "hold", until=later(hours=2))
    assert shown(garden) == ("off", "1.0.0")
    assert "is held until" in garden.card.attributes["not_offered"]
    assert await refused(garden, "install") == "held"
    assert await refused(garden, "install", version="1.1.0", now=True) == "held"
    with pytest.raises(HomeAssistantError):
        await garden.install("1.1.0")
    assert_nothing_sent(module)

    await pass_to(garden, freezer, hours=1, minutes=59)
    assert shown(garden) == ("off", "1.0.0")
    await pass_to(garden, freezer, minutes=1, seconds=10)
    assert shown(garden) == ("on", "1.1.0")
    assert garden.card.attributes["held_until"] is None
    assert garden.card.attributes["not_offered"] is None


async def test_a_clock_that_jumps_and_another_zone_end_a_hold_or_begin_it_anew(
    garden: Garden, start_module: StartModule, freezer: FrozenDateTimeFactory
) -> None:
    await garden.hass.config.async_set_time_zone("Europe/Berlin")
    await add(garden, await start_module())
    await release(garden, "1.1.0")
    await act(garden, "hold", until=later(hours=3))
    before = dt_util.utcnow()
    await pass_to(garden, freezer, days=40)
    assert shown(garden) == ("on", "1.1.0")
    freezer.move_to(before)  # and back again
    async_fire_time_changed(garden.hass, before + timedelta(days=40, seconds=11))
    await garden.hass.async_block_till_done()
    assert shown(garden) == ("off", "1.0.0")

    await garden.hass.config.async_update(time_zone="Asia/Tokyo")  # where it is over by now
    await garden.hass.async_block_till_done()
    assert shown(garden) == ("on", "1.1.0")


async def test_a_hold_is_ended_by_hand_and_takes_times_with_and_without_a_zone(
    garden: Garden, start_module: StartModule
) -> None:
    entry = await add(garden, await start_module())
    await release(garden, "1.1.0")
    await garden.hass.config.async_set_time_zone("Europe/Berlin")
    for said in ("2099-07-01T10:00:00+00:00", "2099-07-01 12:00", "2099-07-01T12:00:00.5"):
        await act(garden, "hold", until=said)
        assert entry.options["hold_until"] == "2099-07-01T12:00:00"
        assert garden.card.attributes["held_until"] == "2099-07-01T12:00:00+02:00"
        assert shown(garden) == ("off", "1.0.0")
        await act(garden, "hold")
        assert shown(garden) == ("on", "1.1.0")
        assert "hold_until" not in entry.options


@pytest.mark.parametrize(
    ("said", "key"), [("2020-01-01 08:00", "hold_over"), ("9999-12-31 23:59", "hold_unreadable")]
)
async def test_a_time_that_cannot_be_waited_for_is_refused(
    garden: Garden, start_module: StartModule, said: str, key: str
) -> None:
    await garden.hass.config.async_set_time_zone("America/New_York")
    await add(garden, await start_module())
    assert await refused(garden, "hold", until=said) == key
    with pytest.raises(vol.Invalid):
        await act(garden, "hold", until="Christmas")


# The channel


async def test_pre_releases_are_offered_on_the_beta_channel_alone(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    await add(garden, module)
    await release(garden, "1.1.0-rc.1")
    assert (shown(garden), garden.card.attributes["channel"]) == (("off", "1.0.0"), "stable")
    assert "is a pre-release" in garden.card.attributes["not_offered"]
    assert await refused(garden, "install") == "channel"
    await act(garden, "set_channel", channel="beta")
    assert (shown(garden), garden.card.attributes["channel"]) == (("on", "1.1.0-rc.1"), "beta")
    await act(garden, "set_channel", channel="stable")
    assert shown(garden) == ("off", "1.0.0")
    await act(garden, "install", version="1.1.0-rc.1")  # named for this module
    assert module.running_version == "1.1.0-rc.1"
    await release(garden, "1.1.0")
    assert shown(garden) == ("on", "1.1.0")


async def test_who_runs_a_pre_release_goes_on_with_them_until_a_channel_is_chosen(
    garden: Garden, start_module: StartModule
) -> None:
    entry = await add(garden, await start_module())
    coordinator = entry.runtime_data.coordinator
    coordinator.async_set_installed("1.1.0-rc.1", "garden-valve", assumed=False)
    await release(garden, "1.1.0-rc.2")
    assert (shown(garden), garden.card.attributes["channel"]) == (("on", "1.1.0-rc.2"), "beta")
    await act(garden, "set_channel", channel="stable")
    assert (shown(garden), garden.card.attributes["channel"]) == (("off", "1.1.0-rc.1"), "stable")


async def test_what_its_publisher_calls_a_pre_release_is_one(
    garden: Garden, start_module: StartModule
) -> None:
    await add(garden, await start_module())
    found = await garden.release("1.1.0")
    await garden.house.library.async_flag(found.image.sha256, prerelease=True)
    await garden.hass.async_block_till_done()
    assert shown(garden) == ("off", "1.0.0")
    await act(garden, "set_channel", channel="beta")
    assert shown(garden) == ("on", "1.1.0")


# Who may, and whom it reaches


async def test_only_administrators_may_and_a_target_without_a_module_is_told(
    garden: Garden, start_module: StartModule, hass_read_only_user: Any
) -> None:
    await add(garden, await start_module())
    context = Context(user_id=hass_read_only_user.id)
    for action, data in (("pin", {}), ("hold", {}), ("set_channel", {"channel": "beta"})):
        with pytest.raises(Unauthorized):
            await garden.hass.services.async_call(
                "esp_ota", action, {"entity_id": CARD, **data}, blocking=True, context=context
            )
        with pytest.raises(ServiceValidationError) as caught:
            await garden.hass.services.async_call(
                "esp_ota", action, {"area_id": "nowhere", **data}, blocking=True
            )
        assert caught.value.translation_key == "nothing_reached"
    with pytest.raises(vol.Invalid):
        await act(garden, "set_channel", channel="gamma")
