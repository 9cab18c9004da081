"""Whose words a text is that came without the address, or an address without the text."""

import asyncio
from collections.abc import Iterator

import pytest

from custom_components.esp_ota.house import Announcements, async_newcomers
from custom_components.esp_ota.ota import SERVICE_TYPE, ModuleFacts
from tests.kit.adding import MAC, by_hand, open_user_form
from tests.kit.air import NAME, Air, a, srv, txt
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden, until

pytestmark = pytest.mark.slow

HERE, ELSEWHERE = "127.0.0.1", "127.0.0.3"
VALVE = "5c:cf:7f:00:00:01"


async def address_alone(
    announcements: Announcements, air: Air, host: str, name: str = NAME
) -> None:
    """Have its address be asked for alone, as by a browser that opens http://NAME.local/."""
    before = announcements.address_told(name)
    await asyncio.sleep(0.01)
    air.send(a(host, name.partition(".")[0]))
    await until(lambda: announcements.address_told(name) > before)


@pytest.fixture
def asked(announcements: Announcements, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Return the list of names that are asked for, which are not really."""
    names: list[str] = []
    monkeypatch.setattr(announcements, "async_ask", names.append)
    return names


async def test_the_mac_in_a_host_name_is_its_own_whoever_said_the_text(
    announcements: Announcements, air: Air
) -> None:
    """It comes with the service record, as the port does."""
    host = "esp32-5ccf7fa1b2c3"
    name = f"{host}.{SERVICE_TYPE}"
    air.send(txt("board=esp32", name=host), srv(host, port=3232), a(HERE, host))
    await until(lambda: announcements.facts(name))
    await address_alone(announcements, air, HERE, name)

    announcements.async_listen(name, lambda _facts: None)

    assert announcements.claims(name)[0].facts.mac == "5c:cf:7f:a1:b2:c3"


async def test_a_module_is_asked_for_all_when_its_text_comes_alone_soon_after_a_start(
    garden: Garden, air: Air, start_module: StartModule, asked: list[str]
) -> None:
    """`mdns_service_txt_item_set` of ESP-IDF's mdns announces PTR, SRV and TXT without A."""
    entry = await garden.add(entry_for(await start_module()))
    coordinator = entry.runtime_data.coordinator
    air.send(txt("fw_version=1.0.0"), srv(), a(HERE))
    await until(lambda: coordinator.data.installed == "1.0.0")
    asked.clear()

    air.send(txt("fw_version=1.1.0"), srv())
    await until(lambda: asked, 3)
    assert coordinator.data.installed == "1.0.0"
    air.send(txt("fw_version=1.1.0"), srv(), a(HERE))
    await until(lambda: coordinator.data.installed == "1.1.0")


async def test_a_module_that_is_heard_without_its_text_is_asked_again(
    garden: Garden,
    announcements: Announcements,
    air: Air,
    start_module: StartModule,
    asked: list[str],
) -> None:
    """The question at the start was lost, and another resolver asked for less."""
    air.send(txt("fw_version=1.0.0"), srv(), a(HERE))
    await until(lambda: announcements.facts(NAME))
    await address_alone(announcements, air, HERE)
    await garden.add(entry_for(await start_module()))
    await until(lambda: asked)
    asked.clear()

    air.send(srv(ttl=119), a(HERE))

    await until(lambda: asked, 3)


async def test_a_move_brings_no_words_of_another_board(
    garden: Garden, announcements: Announcements, air: Air, start_module: StartModule
) -> None:
    """Home Assistant's browser hands over a mixture when an address comes alone."""
    module = await start_module()
    entry = await garden.add(entry_for(module, host="127.0.0.9"))
    air.send(txt("fw_version=2.0.0"), srv(port=module.port), a(ELSEWHERE))
    await until(lambda: announcements.claims(NAME))
    await asyncio.sleep(6)  # which is not followed: nothing answers there

    await address_alone(announcements, air, HERE)
    await until(lambda: entry.data["host"] == HERE)
    await asyncio.sleep(0.5)

    assert entry.runtime_data.coordinator.data.installed is None


async def test_what_is_left_of_another_board_is_not_said_by_a_module_whose_own_text_is_gone(
    garden: Garden, air: Air, start_module: StartModule
) -> None:
    """A flush spares what is younger than a second, as when two boards start together."""
    module = await start_module()
    entry = await garden.add(entry_for(module))
    coordinator = entry.runtime_data.coordinator
    air.send(txt("fw_version=2.0.0"), srv(port=module.port), a(ELSEWHERE))
    await asyncio.sleep(0.05)
    air.send(txt("fw_version=1.0.0"), srv(port=module.port), a(HERE))
    await until(lambda: coordinator.data.installed == "1.0.0")

    air.send(txt("fw_version=1.0.0", ttl=0), srv(port=module.port, ttl=0))
    await asyncio.sleep(0.05)
    air.send(srv(port=module.port, ttl=119), a(HERE, ttl=119))
    await asyncio.sleep(0.5)

    assert coordinator.data.installed == "1.0.0"


async def test_records_that_a_third_board_flushed_were_not_said_together(
    announcements: Announcements, air: Air
) -> None:
    """They get the time of that, all of them."""
    air.send(txt("fw_version=2.0.0"), srv(), a(ELSEWHERE))
    await until(lambda: announcements.facts(NAME))
    await asyncio.sleep(1.1)
    air.send(srv(), a("127.0.0.2"))
    cached = announcements._zeroconf.cache.async_entries_with_name
    await until(lambda: len(cached("garden-valve.local.")) == 1, 15)  # tidied up every ten seconds
    air.send(txt("fw_version=3.0.0", ttl=0), srv(ttl=0, port=3232), a("127.0.0.4", ttl=0))
    await asyncio.sleep(0.1)

    announcements.async_listen(NAME, lambda _facts: None)

    claims = [(one.facts.host, one.facts.version) for one in announcements.claims(NAME)]
    assert claims == [("127.0.0.2", None)]


async def test_a_module_that_is_added_by_hand_gets_no_mac_of_another_board(
    garden: Garden, announcements: Announcements, air: Air, start_module: StartModule
) -> None:
    """An older sketch without any text, under a name that another one had."""
    module = await start_module()
    air.send(txt(f"mac={MAC}", "fw_version=2.0.0"), srv(port=module.port), a(ELSEWHERE))
    await until(lambda: announcements.facts(NAME))
    await asyncio.sleep(0.05)
    air.send(srv(port=module.port), a(HERE))
    await until(lambda: _host(announcements) == HERE)

    result = await by_hand(garden.hass, await open_user_form(garden.hass), module)

    entry = result["result"]
    assert (entry.data["host"], entry.data.get("mac")) == (HERE, None)
    assert entry.unique_id == "garden-valve"


def _host(announcements: Announcements) -> str | None:
    facts = announcements.facts(NAME)
    return facts.host if facts else None


@pytest.mark.parametrize("hosts", [(HERE, "127.0.0.2"), ("127.0.0.2", HERE)])
async def test_a_module_that_says_two_addresses_says_its_version_at_both(
    garden: Garden, air: Air, start_module: StartModule, hosts: tuple[str, str]
) -> None:
    module = await start_module()
    entry = await garden.add(entry_for(module))
    air.send(txt("fw_version=1.0.0"), srv(port=module.port), *(a(host) for host in hosts))
    await until(lambda: entry.runtime_data.coordinator.data.installed == "1.0.0")


async def test_a_module_is_heard_at_its_load_though_another_board_spoke_last(
    garden: Garden, announcements: Announcements, air: Air, start_module: StartModule
) -> None:
    """Somebody listened for the name before: a module that had it once."""
    module = await start_module()
    announcements.async_listen(NAME, lambda _facts: None)
    air.send(txt("fw_version=1.0.0"), srv(port=module.port), a(HERE))
    await asyncio.sleep(0.05)
    air.send(txt("fw_version=2.0.0"), srv(port=module.port), a(ELSEWHERE))
    await until(lambda: len(announcements.claims(NAME)) == 2)

    entry = await garden.add(entry_for(module))

    assert entry.runtime_data.coordinator.data.installed == "1.0.0"


async def test_nothing_is_kept_of_a_name_whose_listener_has_just_left(
    announcements: Announcements, air: Air
) -> None:
    def leave(_facts: ModuleFacts | None) -> None:
        for stop in stops:
            stop()

    names = NAME, f"other.{SERVICE_TYPE}"
    stops = [announcements.async_listen(name, leave) for name in names]
    air.say("garden-valve", "other")
    await until(lambda: not announcements._listeners)

    assert not announcements._texts


async def test_who_spoke_long_ago_is_not_offered_when_an_entry_is_reloaded(
    garden: Garden, announcements: Announcements, air: Air, start_module: StartModule
) -> None:
    """What it said is kept as long as anybody listens for the name."""
    module = await start_module(txt_mac=True)
    announcements.async_listen(NAME, lambda _facts: None)
    entry = await garden.add(entry_for(module, mac=VALVE, unique_id=VALVE))
    air.send(txt("mac=5c:cf:7f:00:00:09"), srv(port=module.port), a(ELSEWHERE))
    await until(lambda: len(announcements.claims(NAME)) == 1)
    gone = txt("mac=5c:cf:7f:00:00:09", ttl=0), srv(port=module.port, ttl=0), a(ELSEWHERE, ttl=0)
    air.send(*gone)
    await until(lambda: announcements.facts(NAME) is None)
    offered: list[object] = []
    async_newcomers(garden.hass).async_heard = lambda *said: offered.append(said)  # type: ignore[method-assign]

    await garden.hass.config_entries.async_reload(entry.entry_id)
    await garden.hass.async_block_till_done()

    assert offered == []
