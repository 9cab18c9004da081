"""The form of a server that decides about modules."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import until
from tests.kit.hawkbit import HawkBit
from tests.kit.sentences import assert_form_is_whole

TARGET = "home-garden-valve"


@pytest.fixture
async def house(hass: HomeAssistant, esp_ota: None, start_module: StartModule) -> MockConfigEntry:
    """Return the house's entry, loaded, with one module."""
    house = MockConfigEntry(domain=DOMAIN, unique_id="esp_ota:house", data={"kind": "house"})
    house.add_to_hass(hass)
    assert await hass.config_entries.async_setup(house.entry_id)
    module = entry_for(await start_module(hostname="garden-valve"))
    module.add_to_hass(hass)
    assert await hass.config_entries.async_setup(module.entry_id)
    return house


async def fill(hass: HomeAssistant, house: MockConfigEntry, **said: Any) -> dict[str, Any]:
    """Open the form that adds a server, and send it."""
    form = await hass.config_entries.subentries.async_init(
        (house.entry_id, "server"), context={"source": "user"}
    )
    assert form["type"] is FlowResultType.FORM
    assert_form_is_whole("server", form)
    assert TARGET.removeprefix("home-") in form["description_placeholders"]["names"]
    usual = {"tenant": "DEFAULT", "prefix": "home-", "login": "none", "begins": "press"}
    return await hass.config_entries.subentries.async_configure(form["flow_id"], usual | said)


async def change(hass: HomeAssistant, house: MockConfigEntry, **said: Any) -> dict[str, Any]:
    """Open the form that changes the server, and send it."""
    (subentry,) = house.subentries.values()
    form = await house.start_subentry_reconfigure_flow(hass, subentry.subentry_id)
    assert_form_is_whole("server", form)
    shown = str([key.description for key in form["data_schema"].schema])
    assert "s3cret" not in shown
    kept = {key: value for key, value in subentry.data.items() if key not in {"token", "tokens"}}
    return await hass.config_entries.subentries.async_configure(form["flow_id"], kept | said)


def suggested(form: dict[str, Any]) -> str | None:
    """Return the prefix that a form begins with."""
    [marker] = [key for key in form["data_schema"].schema if key == "prefix"]
    value: str | None = (marker.description or {}).get("suggested_value")
    return value


async def test_the_form_names_modules_as_its_prefix_makes_them(
    hass: HomeAssistant, house: MockConfigEntry
) -> None:
    form = await hass.config_entries.subentries.async_init(
        (house.entry_id, "server"), context={"source": "user"}
    )
    names = form["description_placeholders"]["names"]
    assert names == f"{suggested(form)}{TARGET.removeprefix('home-')}"


async def test_a_prefix_that_was_emptied_is_not_suggested_again(
    hass: HomeAssistant, house: MockConfigEntry
) -> None:
    form = await hass.config_entries.subentries.async_init(
        (house.entry_id, "server"), context={"source": "user"}
    )
    usual = {"tenant": "DEFAULT", "login": "none", "begins": "press"}
    async with HawkBit() as hawkbit:
        said = usual | {"url": hawkbit.url}
        await hass.config_entries.subentries.async_configure(form["flow_id"], said)
    (subentry,) = house.subentries.values()
    again = await house.start_subentry_reconfigure_flow(hass, subentry.subentry_id)
    assert suggested(again) is None


async def test_a_server_that_answers_is_kept_and_polled(
    hass: HomeAssistant, house: MockConfigEntry
) -> None:
    async with HawkBit() as hawkbit:
        result = await fill(hass, house, url=f"{hawkbit.url}/")
        assert result["type"] is FlowResultType.CREATE_ENTRY
        (subentry,) = house.subentries.values()
        assert (subentry.title, subentry.data["url"]) == ("127.0.0.1/DEFAULT", hawkbit.url)
        await until(lambda: hawkbit.targets[TARGET].attributes)
        again = await fill(hass, house, url=hawkbit.url)
        assert again["errors"] == {"base": "already_added"}
        hass.config_entries.async_remove_subentry(house, subentry.subentry_id)


@pytest.mark.parametrize(
    ("said", "errors"),
    [
        ({"url": "updates"}, {"url": "invalid_url"}),
        ({"url": "http://127.0.0.1:1"}, {"base": "source_unreachable"}),
        ({"tenant": "OTHER"}, {"base": "source_not_found"}),
        ({"login": "gateway"}, {"token": "token_missing"}),
        ({"login": "gateway", "token": "wrong"}, {"base": "source_denied"}),
        ({}, {"base": "source_denied"}),
    ],
)
async def test_a_server_that_cannot_be_used_is_not_kept(
    hass: HomeAssistant, house: MockConfigEntry, said: dict[str, Any], errors: dict[str, str]
) -> None:
    async with HawkBit() as hawkbit:
        hawkbit.needs_token = errors["base"] == "source_denied" if "base" in errors else False
        hawkbit.gateway = "s3cret"
        result = await fill(hass, house, **{"url": hawkbit.url} | said)
    assert result["errors"] == errors
    assert_form_is_whole("server", result)
    assert not house.subentries


async def test_tokens_stay_with_their_server_and_come_back_to_nobody(
    hass: HomeAssistant, house: MockConfigEntry
) -> None:
    async with HawkBit() as hawkbit, HawkBit() as other:
        hawkbit.needs_token, hawkbit.gateway = True, "s3cret-1"
        await fill(hass, house, url=hawkbit.url, login="gateway", token="s3cret-1")
        result = await change(hass, house, tokens=f"{TARGET} = s3cret-2\nvalve s3cret-3\n\n?")
        assert result["type"] is FlowResultType.ABORT
        (subentry,) = house.subentries.values()
        assert subentry.data["token"] == "s3cret-1"
        assert subentry.data["tokens"] == {TARGET: "s3cret-2", "valve": "s3cret-3"}
        await change(hass, house, tokens="valve =")
        (subentry,) = house.subentries.values()
        assert subentry.data["tokens"] == {TARGET: "s3cret-2"}
        moved = await change(hass, house, url=other.url)
        assert moved["errors"] == {"token": "token_missing"}
        assert other.tokens == []
        hass.config_entries.async_remove_subentry(house, subentry.subentry_id)
