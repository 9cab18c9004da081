"""Who was forgotten is found again, from the real wire on loopback."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from zeroconf import DNSOutgoing, DNSPointer, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser
from zeroconf.const import _CLASS_IN, _FLAGS_AA, _FLAGS_QR_RESPONSE, _TYPE_PTR

from custom_components.esp_ota.house import Announcements
from custom_components.esp_ota.ota import SERVICE_TYPE, ModuleFacts
from homeassistant.components import zeroconf
from homeassistant.util import dt as dt_util
from tests.kit.air import NAME, Air
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden, until
from tests.virtual_module import VirtualModule


class Cards:
    """What a browser as Home Assistant's tells of one service."""

    def __init__(self) -> None:
        """Nothing was told."""
        self.told: list[ServiceStateChange] = []

    def changed(
        self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        """Note what happened to it."""
        if name == NAME and state_change is not ServiceStateChange.Updated:
            self.told.append(state_change)


@pytest.fixture
async def cards(garden: Garden) -> AsyncIterator[Cards]:
    cards, instance = Cards(), await zeroconf.async_get_instance(garden.hass)
    browser = AsyncServiceBrowser(instance, SERVICE_TYPE, handlers=[cards.changed])
    yield cards
    await browser.async_cancel()


@contextmanager
def away(module: VirtualModule) -> Iterator[None]:
    """Have nothing that is asked reach a module; when it can be reached again it does not know."""
    advert = module._advert
    assert advert is not None
    assert advert._zeroconf is not None
    assert advert._info is not None
    registry, info = advert._zeroconf.zeroconf.registry, advert._info
    registry.async_remove(info)
    yield
    registry.async_add(info)


def expire(air: Air) -> None:
    """Let its record be gone: an hour would be long."""
    packet = DNSOutgoing(_FLAGS_QR_RESPONSE | _FLAGS_AA)
    packet.add_answer_at_time(DNSPointer(SERVICE_TYPE, _TYPE_PTR, _CLASS_IN, 0, NAME), 0)
    air.responder.zeroconf.async_send(packet)


@pytest.mark.slow
async def test_a_module_that_nobody_added_is_found_again_after_an_hour_without_network(
    garden: Garden, air: Air, cards: Cards, start_module: StartModule
) -> None:
    await garden.add(entry_for(await start_module(hostname="pond-pump")))
    module = await start_module(advertise=True)
    await until(lambda: cards.told == [ServiceStateChange.Added])
    with away(module):
        expire(air)
        await until(lambda: cards.told[1:] == [ServiceStateChange.Removed])
        # A browser asks four times at its start, and some times more where somebody is lost.
        for _ in range(6):
            async_fire_time_changed(garden.hass, dt_util.utcnow() + timedelta(seconds=20))
            await asyncio.sleep(0.1)
    await asyncio.sleep(1.5)
    async_fire_time_changed(garden.hass, dt_util.utcnow() + timedelta(minutes=59))
    await asyncio.sleep(1.5)
    assert cards.told[2:] == []

    async_fire_time_changed(garden.hass, dt_util.utcnow() + timedelta(hours=1, seconds=1))

    await until(lambda: cards.told[2:] == [ServiceStateChange.Added])


@pytest.mark.slow
async def test_who_spoke_lately_need_not_answer(
    announcements: Announcements, start_module: StartModule
) -> None:
    await start_module(advertise=True)
    await until(lambda: announcements.facts(NAME))
    await asyncio.sleep(1.5)  # its responder holds back what it has just said
    heard: list[ModuleFacts | None] = []
    announcements.async_listen(NAME, heard.append)

    announcements.async_call_the_roll()

    await asyncio.sleep(1.5)
    assert heard == []
