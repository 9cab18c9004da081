"""Thousands of made-up announcements: few cards, one repair, and honest newcomers are seen."""

from ipaddress import ip_address
from typing import Any

import pytest

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house import async_newcomers
from homeassistant.config_entries import SOURCE_ZEROCONF
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden, until
from tests.kit.sentences import assert_issue_is_whole


def announced(
    name: str, host: str, port: int = 8266, mac: str | None = None
) -> ZeroconfServiceInfo:
    """Return what Home Assistant hands over of one service."""
    address = ip_address(host)
    return ZeroconfServiceInfo(
        ip_address=address,
        ip_addresses=[address],
        port=port,
        hostname=f"{name}.local.",
        type="_arduino._tcp.local.",
        name=f"{name}._arduino._tcp.local.",
        properties={"mac": mac} if mac else {},
    )


async def discover(hass: HomeAssistant, info: ZeroconfServiceInfo) -> None:
    """Let zeroconf report one service."""
    await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_ZEROCONF}, data=info
    )


def cards(hass: HomeAssistant) -> list[str]:
    """Return the names on the cards of discovered modules."""
    flows: list[Any] = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    return [flow["context"]["title_placeholders"]["name"] for flow in flows]


@pytest.mark.slow
async def test_two_thousand_forged_services_give_one_repair_and_hide_no_honest_one(
    hass: HomeAssistant, esp_ota: None, start_module: StartModule
) -> None:
    for number in range(2000):
        host = f"127.{number // 250}.{number % 250}.9"
        await discover(hass, announced(f"forged-{number}", host))
    honest = await start_module(host="127.0.0.77")
    await discover(hass, announced("honest", "127.0.0.77", honest.port))

    await until(lambda: "honest" in cards(hass), 60)

    assert len(cards(hass)) == 9
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_key == "left_out"
    assert_issue_is_whole(issue)
    newcomers = async_newcomers(hass)
    await until(lambda: not newcomers._waiting)
    assert len(newcomers._offered) == 9
    assert not newcomers._passed


async def test_one_address_gets_few_cards(hass: HomeAssistant, esp_ota: None) -> None:
    for number in range(8):
        await discover(hass, announced(f"forged-{number}", "127.0.0.9"))

    await until(lambda: ir.async_get(hass).issues)

    assert len(cards(hass)) == 4


async def test_who_has_many_addresses_that_answer_gets_no_more_cards_than_anybody_reads(
    hass: HomeAssistant, esp_ota: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answers(*_asked: object) -> bool:
        return True

    monkeypatch.setattr("custom_components.esp_ota.house.newcomers.is_alive", answers)
    for number in range(60):
        await discover(hass, announced(f"forged-{number}", f"127.0.1.{number}"))

    newcomers = async_newcomers(hass)
    await until(lambda: not newcomers._waiting)
    await hass.async_block_till_done()

    assert len(cards(hass)) == 32
    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_key == "left_out"


@pytest.mark.slow
async def test_a_known_module_is_followed_however_many_are_announced(
    garden: Garden, start_module: StartModule
) -> None:
    old = await start_module()
    entry = await garden.add(entry_for(old))
    for number in range(20):
        await discover(garden.hass, announced(f"forged-{number}", f"127.1.0.{number}"))
    await old.__aexit__(None, None, None)
    new = await start_module(host="127.0.0.9")

    await discover(garden.hass, announced("garden-valve", "127.0.0.9", new.port))

    await until(lambda: entry.data["host"] == "127.0.0.9")
