"""What a module teaches by its answers: kept over restarts, shown, and forgotten on request."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.diagnostics import async_get_config_entry_diagnostics
from custom_components.esp_ota.house import HOUSE
from custom_components.esp_ota.library import ReleaseName
from custom_components.esp_ota.ota import Cause, OtaError
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.json import json_dumps
from homeassistant.setup import async_setup_component
from tests.corpus.espressif import merged
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import TALKING, Garden, assert_nothing_sent, options_for, until
from tests.virtual_module import Fault, Seen, VirtualModule, build_image

KEY = "esp_ota.journal"
SMALL = 128 * 1024
"""Room for the running image of 96 KiB, and for one of 32 KiB beside it."""


async def refused_for_size(
    garden: Garden, start_module: StartModule
) -> tuple[VirtualModule, MockConfigEntry]:
    """Send an image that the module has no room for."""
    module = await start_module(slot_size=SMALL)
    await garden.release("1.1.0", size=48 * 1024)
    entry = await garden.add(entry_for(module, options=options_for()))
    await garden.refused("no_space", "1.1.0")
    assert module.events.count_of(Seen.INVITED) == 1
    return module, entry


async def fill_in(hass: HomeAssistant, entry: MockConfigEntry, **answers: Any) -> None:
    """Send the firmware form."""
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    form = await hass.config_entries.options.async_configure(
        flow["flow_id"], {"next_step_id": "firmware"}
    )
    answers = {"firmware": "garden-valve"} | answers
    result = await hass.config_entries.options.async_configure(form["flow_id"], answers)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


@pytest.mark.slow
async def test_a_module_that_has_no_room_is_not_asked_again(
    garden: Garden, start_module: StartModule, hass_storage: dict[str, Any]
) -> None:
    module, entry = await refused_for_size(garden, start_module)
    invited = module.events.count_of(Seen.INVITED)

    facts = await garden.refused("too_large", "1.1.0")

    assert facts["slot"] == str(48 * 1024 - 4096)
    assert garden.card.attributes["latest_version"] == "unknown"
    assert module.events.count_of(Seen.INVITED) == invited
    [slot] = hass_storage[KEY]["data"]["learnt"][entry.entry_id]["slots"]
    assert (slot["size"], slot["source"]) == (48 * 1024 - 4096, "refusal")


@pytest.mark.slow
async def test_it_is_known_after_a_restart_and_gone_when_it_is_to_be_forgotten(
    garden: Garden, start_module: StartModule
) -> None:
    _, entry = await refused_for_size(garden, start_module)
    await garden.hass.config_entries.async_reload(entry.entry_id)
    await garden.refused("too_large", "1.1.0")

    await fill_in(garden.hass, entry, forget=True)

    assert "forget" not in entry.options
    assert entry.runtime_data.coordinator.facts().slot_size is None
    await garden.refused("no_space", "1.1.0")


@pytest.mark.slow
async def test_a_typed_slot_corrects_what_was_concluded_and_is_shown_with_its_source(
    garden: Garden, start_module: StartModule
) -> None:
    _, entry = await refused_for_size(garden, start_module)
    report = await async_get_config_entry_diagnostics(garden.hass, entry)
    assert report["slot"]["source"] == "refusal"

    await fill_in(garden.hass, entry, slot_size=200_000)

    assert entry.options["slot_size"] == 200_000
    report = await async_get_config_entry_diagnostics(garden.hass, entry)
    assert (report["slot"]["source"], report["slot"]["size"]) == ("typed", 200_000)
    assert [item["source"] for item in report["learnt"]["slots"]] == ["refusal"]
    assert json_dumps(report)
    await garden.refused("no_space", "1.1.0")  # the module knows better, and nothing is lost

    await fill_in(garden.hass, entry)
    assert "slot_size" not in entry.options


async def test_what_was_accepted_is_stored_with_the_module_and_shown(
    garden: Garden, start_module: StartModule
) -> None:
    entry = await garden.add(entry_for(await start_module()))
    await fill_in(garden.hass, entry, accepted_checks=["packing", "signature"])
    report = await async_get_config_entry_diagnostics(garden.hass, entry)
    assert report["accepted_checks"] == ["packing", "signature"]


@pytest.mark.slow
async def test_a_module_that_refused_an_unsigned_image_gets_no_other_one(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(faults=[Fault.SIGNATURE_REQUIRED])
    await garden.release("1.1.0")
    entry = await garden.add(entry_for(module, options=options_for()))
    await garden.refused("signature", "1.1.0")
    invited = module.events.count_of(Seen.INVITED)

    await garden.refused("unsigned_image", "1.1.0")

    assert module.events.count_of(Seen.INVITED) == invited
    assert entry.runtime_data.coordinator.facts().signature_required is True


@pytest.mark.slow
async def test_what_a_sketch_announces_reaches_the_pre_flight(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(slot_size=SMALL, advertise=True, txt_flash=True)
    await garden.release("1.1.0", size=48 * 1024)
    entry = await garden.add(entry_for(module))
    await garden.runs("1.0.0")

    facts = entry.runtime_data.coordinator.facts()
    assert facts.sketch_md5 == module.running_md5
    assert facts.core_version == "3.1.2"
    assert (facts.slot_size, facts.sketch_size) == (32 * 1024, 96 * 1024)
    assert entry.runtime_data.coordinator.slot.source == "txt"

    await garden.refused("too_large", "1.1.0")
    assert_nothing_sent(module)


@pytest.mark.slow
async def test_a_new_sketch_says_anew_what_is_free(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(slot_size=2 * SMALL, advertise=True, txt_flash=True)
    await garden.release("1.1.0", size=64 * 1024)
    entry = await garden.add(entry_for(module))
    await garden.runs("1.0.0")
    coordinator = entry.runtime_data.coordinator
    assert coordinator.facts().slot_size == 160 * 1024

    await garden.install()

    await until(lambda: coordinator.facts().slot_size == 192 * 1024)
    assert coordinator.facts().sketch_md5 == module.running_md5


async def test_a_store_from_before_there_was_anything_to_learn_is_read(
    hass: HomeAssistant,
    config_dir: Any,
    start_module: StartModule,
    hass_storage: dict[str, Any],
) -> None:
    entry = entry_for(await start_module())
    known = {"version": "1.0.0", "firmware": "garden-valve", "assumed": True}
    hass_storage[KEY] = {
        "version": 1,
        "minor_version": 1,
        "key": KEY,
        "data": {"open": {}, "known": {entry.entry_id: known}},
    }
    assert await async_setup_component(hass, DOMAIN, {})
    journal = hass.data[HOUSE].journal
    assert journal.known(entry.entry_id) == known
    assert journal.learnt(entry.entry_id) == {}

    await journal.async_learn(entry.entry_id, {"signature_required": True})

    assert hass_storage[KEY]["data"]["known"] == {entry.entry_id: known}
    await journal.async_forget(entry.entry_id)
    stored = hass_storage[KEY]["data"]
    assert (stored["known"], stored["learnt"]) == ({}, {})


@pytest.mark.parametrize(
    ("name", "marker", "is_ours"),
    [
        (ReleaseName(file_name="garden-valve-2.0.0.bin"), None, True),
        (ReleaseName(file_name="any.bin", firmware="garden-valve"), "pump", True),
        (ReleaseName(file_name="any.bin", firmware="garden-valve"), None, True),
        (ReleaseName(file_name="any.bin"), "garden-valve", True),
        (ReleaseName(file_name="garden-valve-2.0.0.bin"), "pump", False),
        (ReleaseName(file_name="any.bin", firmware="pump"), "garden-valve", False),
        (ReleaseName(file_name="any.bin"), None, False),
    ],
    ids=["file name", "typed", "only the name", "marker", "other marker", "other", "nothing"],
)
async def test_a_merged_image_is_refused_but_tells_the_slot_of_its_modules(
    garden: Garden,
    start_module: StartModule,
    name: ReleaseName,
    marker: str | None,
    is_ours: bool,
) -> None:
    entry = await garden.add(entry_for(await start_module(chip="esp32"), board="esp32"))
    app = build_image("esp32", name=marker or "none", marker=marker is not None)

    with pytest.raises(OtaError) as caught:
        await garden.house.library.async_add(merged(app, 0x1000), name, source="upload")

    assert caught.value.cause is Cause.MERGED_IMAGE
    slot = entry.runtime_data.coordinator.slot
    assert (slot and (slot.size, slot.source)) == ((0x140000, "merged") if is_ours else None)


async def test_a_partition_table_says_nothing_about_an_esp8266(
    garden: Garden, start_module: StartModule
) -> None:
    entry = await garden.add(entry_for(await start_module()))
    image = merged(build_image("esp32", name="garden-valve"), 0x1000)
    with pytest.raises(OtaError):
        await garden.house.library.async_add(
            image, ReleaseName(file_name="any.bin"), source="upload"
        )
    assert entry.runtime_data.coordinator.slot is None


async def test_modules_that_are_not_loaded_are_left_alone(
    garden: Garden, start_module: StartModule
) -> None:
    entry = await garden.add(entry_for(await start_module(chip="esp32"), board="esp32"))
    await garden.hass.config_entries.async_unload(entry.entry_id)
    image = merged(build_image("esp32", name="garden-valve"), 0x1000)
    with pytest.raises(OtaError):
        await garden.house.library.async_add(
            image, ReleaseName(file_name="any.bin"), source="upload"
        )
    await garden.hass.config_entries.async_setup(entry.entry_id)
    assert entry.runtime_data.coordinator.slot is None


@pytest.mark.slow
async def test_a_module_that_says_all_about_its_flash_gets_the_packed_image(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module(advertise=True, txt_flash=True)
    garden.house.patience = TALKING
    release = await garden.release("1.1.0", size=128 * 1024)
    await garden.add(entry_for(module))
    await garden.runs("1.0.0")

    await garden.install()

    assert module.payload_bytes < release.image.size * 9 // 10
    assert module.running_md5 == release.image.plain_md5
    assert garden.card.attributes["last_verdict"] == "verified"


@pytest.mark.slow
async def test_an_image_that_the_module_runs_in_its_own_flash_mode_is_proven_by_its_version(
    garden: Garden, start_module: StartModule
) -> None:
    """The updater changes the header, so the sum is neither that of the file nor of another."""
    running = build_image("esp8266", flash_mode="dout")
    module = await start_module(image=running, flash_mode="dout", advertise=True, txt_flash=True)
    garden.house.patience = TALKING
    release = await garden.release("1.1.0", flash_mode="dio")
    await garden.add(entry_for(module))
    await garden.runs("1.0.0")

    await garden.install()

    assert module.payload_bytes == release.image.size  # packed it could not be corrected
    assert module.running_md5 != release.image.plain_md5
    assert garden.card.attributes["last_verdict"] == "verified"
    assert garden.card.attributes["installed_version"] == "1.1.0"
