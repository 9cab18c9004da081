"""A source publishes what was given to it, and offers nothing to another one's modules."""

from collections.abc import AsyncIterator
import json
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house import HOUSE, House
from custom_components.esp_ota.library import ReleaseName, SourceWatcher
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from tests.kit.entries import StartModule, entry_for, firmware
from tests.kit.garden import Garden, options_for, until
from tests.kit.sentences import assert_issue_is_whole
from tests.kit.web_site import Site

VALVE = "garden-valve"


@pytest.fixture
async def ours() -> AsyncIterator[Site]:
    async with Site() as site:
        yield site


@pytest.fixture
async def theirs() -> AsyncIterator[Site]:
    async with Site() as site:
        yield site


@pytest.fixture
def house(hass: HomeAssistant, esp_ota: None) -> House:
    return hass.data[HOUSE]


def publish(site: Site, *releases: tuple[str, str], stated: bool = True) -> None:
    """Have a list name these releases, by the list itself or in the images alone."""
    items = []
    for name, version in releases:
        path = f"/{name}-{version}.bin" if stated else f"/{len(items)}-{len(site.answers)}.bin"
        site.serve(path, firmware(version, name=name))
        said = {"firmware": name, "version": version} if stated else {}
        items.append({"url": path} | said)
    site.serve("/list.json", json.dumps(items).encode())


async def add(hass: HomeAssistant, *sites: Site, **changes: Any) -> list[SourceWatcher]:
    """Set the library up with lists, and wait until they were looked at."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        unique_id="house",
        data={"kind": "house"},
        subentries_data=[
            ConfigSubentryData(
                data={"url": site.url("/list.json"), "interval": 60} | changes,
                subentry_type="manifest",
                title=f"list {number}",
                unique_id=None,
            )
            for number, site in enumerate(sites)
        ],
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    sources = hass.data[HOUSE].sources.all
    await until(lambda: all(source.memory.checked for source in sources))
    await hass.async_block_till_done()
    return list(sources)


def known(house: House) -> set[tuple[str, str]]:
    return {(item.firmware, item.version) for item in house.library.releases}


def asked(hass: HomeAssistant) -> list[str]:
    """Return what names a person is asked about, each repair checked."""
    issues = [
        issue
        for (domain, _), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN and issue.translation_key == "source_names"
    ]
    for issue in issues:
        assert_issue_is_whole(issue)
    return sorted(str((issue.translation_placeholders or {})["names"]) for issue in issues)


async def fix(hass: HomeAssistant, client: Any) -> None:
    """Press Fix in the one repair about names."""
    [(_, issue_id)] = [key for key in ir.async_get(hass).issues if "source_names" in key[1]]
    said = {"handler": DOMAIN, "issue_id": issue_id}
    begun = await (await client.post("/api/repairs/issues/fix", json=said)).json()
    ended = await client.post(f"/api/repairs/issues/fix/{begun['flow_id']}", json={})
    assert (await ended.json())["type"] == "create_entry"


@pytest.mark.parametrize("stated", [True, False], ids=["by the list", "by the image"])
async def test_a_list_that_takes_the_name_of_another_one_later_is_asked_about_and_not_used(
    hass: HomeAssistant, house: House, ours: Site, theirs: Site, stated: bool
) -> None:
    publish(ours, (VALVE, "1.1.0"))
    publish(theirs, ("pump", "1.0.0"))
    _, stranger = await add(hass, ours, theirs)
    assert known(house) == {(VALVE, "1.1.0"), ("pump", "1.0.0")}

    publish(theirs, ("pump", "1.0.0"), (VALVE, "99.0.0"), stated=stated)
    await stranger.async_check()
    await stranger.async_check()

    assert (VALVE, "99.0.0") not in known(house)
    assert asked(hass) == [f"- {VALVE} (list 0)"]
    # Refused once, it is not fetched with each look.
    assert sum(not request.path.endswith(".json") for request in theirs.asked) <= 3


@pytest.mark.slow
async def test_nothing_of_another_list_is_offered_to_a_module(
    garden: Garden, start_module: StartModule, ours: Site, theirs: Site
) -> None:
    publish(ours, (VALVE, "1.1.0"))
    publish(theirs, ("pump", "1.0.0"))
    _, stranger = await add(garden.hass, ours, theirs)
    await garden.add(entry_for(await start_module(), options=options_for()))

    publish(theirs, (VALVE, "99.0.0"))
    await stranger.async_check()
    assert garden.card.attributes["latest_version"] == "1.1.0"


async def test_a_new_list_gets_what_nobody_has_and_not_what_a_person_has_brought(
    hass: HomeAssistant, house: House, ours: Site
) -> None:
    name = ReleaseName(file_name="a.bin")
    await house.library.async_add(firmware("1.0.0", name=VALVE), name, source="upload")
    publish(ours, (VALVE, "99.0.0"), ("pump", "1.0.0"))
    await add(hass, ours)

    assert known(house) == {(VALVE, "1.0.0"), ("pump", "1.0.0")}
    assert asked(hass) == [f"- {VALVE} (upload)"]


async def test_a_name_that_nobody_has_is_asked_about_as_well_once_the_list_is_not_new(
    hass: HomeAssistant, house: House, ours: Site
) -> None:
    publish(ours, ("pump", "1.0.0"))
    (source,) = await add(hass, ours)
    publish(ours, ("pump", "1.1.0"), ("heater", "3.0.0"))
    await source.async_check()
    assert known(house) == {("pump", "1.0.0"), ("pump", "1.1.0")}
    assert asked(hass) == ["- heater"]

    publish(ours, ("pump", "1.1.0"))
    await source.async_check()
    assert asked(hass) == []


async def test_a_capital_letter_makes_no_other_name(
    hass: HomeAssistant, house: House, ours: Site, theirs: Site
) -> None:
    publish(ours, (VALVE, "1.1.0"))
    publish(theirs, ("pump", "1.0.0"))
    _, stranger = await add(hass, ours, theirs)
    publish(theirs, ("Garden_Valve", "99.0.0"))
    await stranger.async_check()
    assert ("Garden_Valve", "99.0.0") not in known(house)


async def test_a_name_that_the_person_typed_is_given(
    hass: HomeAssistant, house: House, ours: Site
) -> None:
    name = ReleaseName(file_name="a.bin")
    await house.library.async_add(firmware("1.0.0", name=VALVE), name, source="upload")
    publish(ours, ("whatever", "2.0.0"))
    await add(hass, ours, firmware=VALVE)
    assert (VALVE, "2.0.0") in known(house)
    assert asked(hass) == []


async def test_fix_gives_the_name_and_the_file_comes(
    hass: HomeAssistant, house: House, ours: Site, hass_client: ClientSessionGenerator
) -> None:
    assert await async_setup_component(hass, "repairs", {})
    publish(ours, ("pump", "1.0.0"))
    (source,) = await add(hass, ours)
    publish(ours, ("pump", "1.0.0"), ("heater", "3.0.0"))
    await source.async_check()

    await fix(hass, await hass_client())

    await until(lambda: ("heater", "3.0.0") in known(house))
    assert asked(hass) == []
    assert source.memory.given == ["pump", "heater"]


async def test_a_stranger_that_lists_the_bytes_of_another_one_puts_no_signature_on_them(
    hass: HomeAssistant, house: House, ours: Site, theirs: Site
) -> None:
    publish(ours, (VALVE, "1.1.0"))
    publish(theirs, ("pump", "1.0.0"))
    _, stranger = await add(hass, ours, theirs)
    theirs.serve("/same.bin", firmware("1.1.0", name=VALVE))
    theirs.serve("/bad.minisig", b"no signature")
    listed = [{"url": "/same.bin", "signature": "/bad.minisig"}]
    theirs.serve("/list.json", json.dumps(listed).encode())
    await stranger.async_check()

    (valve,) = house.library.find(VALVE, "1.1.0")
    assert valve.signature is None


async def test_a_source_of_0_1_0_keeps_the_names_it_has_and_no_others(
    hass: HomeAssistant, house: House, ours: Site
) -> None:
    publish(ours, ("pump", "1.0.0"))
    (source,) = await add(hass, ours)
    memory = source.memory
    memory.given, memory.names_open, memory.promised = [], True, []  # which 0.1.0 did not keep
    publish(ours, ("pump", "1.0.0"), ("pump", "1.1.0"), (VALVE, "99.0.0"))
    await source.async_check()
    assert known(house) == {("pump", "1.0.0"), ("pump", "1.1.0")}
    assert asked(hass) == [f"- {VALVE}"]
