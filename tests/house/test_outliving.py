"""What modules know of the house, and whom people trust, outlives the entries."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house.outliving import Outliving
from homeassistant.config_entries import ConfigEntry
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from tests.flows.test_library import open_step
from tests.kit.asking import MAC, OWN, poller
from tests.kit.disk import StoredFile
from tests.kit.entries import entry_for
from tests.kit.garden import Garden
from tests.kit.sentences import assert_form_is_whole, assert_issue_is_whole
from tests.virtual_module import ModuleConfig, VirtualModule

KEYS = {"garden-valve": "a public key"}
OPTIONS = {
    "signing_keys": KEYS,
    "callback_port": 40123,
    "pull_address": "http://10.0.0.5:8123",
    "keep_releases": 30,
}


async def house_of(garden: Garden) -> ConfigEntry:
    """Return the house's entry, made by its first module, with what a person set up."""
    await garden.add(entry_for(VirtualModule(ModuleConfig())))
    entry = garden.house.entry
    assert entry is not None
    options = OPTIONS | {"parallel_installs": 3}
    garden.hass.config_entries.async_update_entry(entry, options=options)
    await garden.hass.config_entries.async_reload(entry.entry_id)
    await garden.hass.async_block_till_done()
    return entry


async def delete(garden: Garden, entry: ConfigEntry) -> None:
    assert await garden.hass.config_entries.async_remove(entry.entry_id)
    await garden.hass.async_block_till_done()


async def test_entities_of_a_house_that_is_deleted_and_made_again_keep_their_names(
    garden: Garden,
) -> None:
    entry, registry = await house_of(garden), er.async_get(garden.hass)
    [module] = garden.house.modules
    before = er.async_entries_for_config_entry(registry, entry.entry_id)
    assert before
    for item in before:
        registry.async_update_entity(item.entity_id, name=f"My {item.translation_key}")

    await delete(garden, entry)
    await garden.hass.config_entries.async_reload(module.entry_id)
    await garden.hass.async_block_till_done()

    again = garden.house.entry
    assert again is not None
    after = er.async_entries_for_config_entry(registry, again.entry_id)
    names = {item.entity_id: f"My {item.translation_key}" for item in before}
    assert {item.entity_id: item.name for item in after} == names


async def test_a_house_that_is_deleted_and_made_again_has_its_secret_keys_and_addresses(
    garden: Garden,
) -> None:
    entry = await house_of(garden)
    secret = entry.data["pull_secret"]
    [module] = garden.house.modules

    await delete(garden, entry)
    assert garden.house.key_of("garden-valve") == "a public key"  # unsigned is refused meanwhile
    assert garden.house.callback_port == 40123
    assert garden.house._keep_last() == 30  # or images were deleted
    await garden.hass.config_entries.async_reload(module.entry_id)
    await garden.hass.async_block_till_done()

    again = garden.house.entry
    assert again is not None
    assert again.entry_id != entry.entry_id
    assert again.data["pull_secret"] == secret
    assert again.options == OPTIONS  # how many run at once is no one else's business
    assert garden.house.pollers.secret == secret


async def test_all_of_it_is_there_after_a_restart(garden: Garden) -> None:
    entry = await house_of(garden)
    [module] = garden.house.modules
    await delete(garden, module)
    read = Outliving(garden.hass)
    await read.async_load()
    assert (read.secret, read.options) == (entry.data["pull_secret"], OPTIONS)
    assert [item["name"] for item in read.former] == ["garden-valve"]


async def test_one_form_makes_a_new_secret_and_forgets_deleted_modules(garden: Garden) -> None:
    await garden.add(poller())
    entry = garden.house.entry
    assert isinstance(entry, MockConfigEntry | ConfigEntry)
    secret = entry.data["pull_secret"]
    gone = await garden.add(entry_for(VirtualModule(ModuleConfig()), name="old-pump"))
    await delete(garden, gone)

    form = await open_step(garden.hass, entry, "secret")  # type: ignore[arg-type]
    assert_form_is_whole("options", form)
    assert form["description_placeholders"]["modules"] == "garden-valve"
    assert form["description_placeholders"]["former"] == "old-pump"
    assert secret in form["description_placeholders"]["url"]
    said = {"new_secret": False, "forget_modules": False}
    await garden.hass.config_entries.options.async_configure(form["flow_id"], said)
    await garden.hass.async_block_till_done()
    assert entry.data["pull_secret"] == secret
    assert garden.house.outliving.former

    form = await open_step(garden.hass, entry, "secret")  # type: ignore[arg-type]
    said = {"new_secret": True, "forget_modules": True}
    await garden.hass.config_entries.options.async_configure(form["flow_id"], said)
    await garden.hass.async_block_till_done()
    new = entry.data["pull_secret"]
    assert new != secret
    assert garden.house.pollers.secret == garden.house.outliving.secret == new
    assert garden.house.outliving.former == []


async def test_a_module_that_is_discovered_again_has_its_own_secret(garden: Garden) -> None:
    mac = MAC.lower()
    await delete(garden, await garden.add(poller(OWN)))
    again = await garden.add(
        entry_for(VirtualModule(ModuleConfig()), unique_id=mac, mac=mac, name="renamed")
    )
    assert again.data["pull_secret"] == OWN


@pytest.mark.parametrize(
    "stored",
    [
        {"secret": 7, "options": {}, "former": []},
        {"secret": "s", "options": [], "former": []},
        {"secret": "s", "options": {}, "former": {"a": 1}},
        {"secret": "s", "options": {}, "former": [{"identity": 3}, 7]},
    ],
)
async def test_what_of_it_cannot_be_read_is_told_and_set_aside(
    garden: Garden, hass_storage: dict[str, Any], stored: dict[str, Any]
) -> None:
    hass_storage["esp_ota.house"] = {"version": 1, "data": stored}
    read = Outliving(garden.hass)
    await read.async_load()
    assert (read.secret, read.options, read.former) in [("", {}, []), ("s", {}, [])]
    issue = ir.async_get(garden.hass).async_get_issue(DOMAIN, "house_set_aside")
    assert issue is not None
    assert_issue_is_whole(issue)


@pytest.mark.usefixtures("hass_storage")
class TestOnDisk:
    """With a real disk."""

    @pytest.fixture
    def hass_storage(self) -> dict[str, Any]:
        """Take the place of the fixture that keeps what is stored in memory."""
        return {}

    async def test_a_disk_that_takes_nothing_is_told(self, garden: Garden, config_dir: Any) -> None:
        file = StoredFile(config_dir, "house")
        file.fail()
        await garden.house.outliving.async_keep_house({"pull_secret": "s"}, {})
        issue = ir.async_get(garden.hass).async_get_issue(DOMAIN, "house_unwritten")
        assert issue is not None
        assert_issue_is_whole(issue)
        file.mend()
        await garden.house.outliving.async_keep_house({"pull_secret": "t"}, {})
        assert ir.async_get(garden.hass).async_get_issue(DOMAIN, "house_unwritten") is None
        assert file.data["secret"] == "t"
