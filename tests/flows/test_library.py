"""The house's options: upload, remove, limits."""

from collections.abc import Awaitable, Callable
import gzip
from pathlib import Path
import tempfile
from typing import Any

from aiohttp import FormData
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house import HOUSE, House
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.kit.entries import firmware
from tests.kit.forms import suggested
from tests.kit.sentences import assert_form_is_whole

type Upload = Callable[[str, bytes], Awaitable[str]]


@pytest.fixture
async def entry(hass: HomeAssistant, esp_ota: None) -> MockConfigEntry:
    """Return the house's entry, loaded."""
    entry = MockConfigEntry(domain=DOMAIN, unique_id="house", data={"kind": "house"})
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    return entry


@pytest.fixture
def house(hass: HomeAssistant, entry: MockConfigEntry) -> House:
    return hass.data[HOUSE]


@pytest.fixture
def upload(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Upload:
    """Return what uploads a file as the browser does, into a folder of this test's own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    async def send_file(name: str, data: bytes) -> str:
        client = await hass_client()
        form = FormData()
        form.add_field("file", data, filename=name)
        answer = await (await client.post("/api/file_upload", data=form)).json()
        return str(answer["file_id"])

    return send_file


async def open_step(hass: HomeAssistant, entry: MockConfigEntry, step: str) -> dict[str, Any]:
    menu = await hass.config_entries.options.async_init(entry.entry_id)
    assert menu["type"] is FlowResultType.MENU
    return await hass.config_entries.options.async_configure(
        menu["flow_id"], {"next_step_id": step}
    )


async def send(
    hass: HomeAssistant, entry: MockConfigEntry, file_id: str, **fields: str
) -> dict[str, Any]:
    form = await open_step(hass, entry, "upload")
    return await hass.config_entries.options.async_configure(
        form["flow_id"], {"file": file_id} | fields
    )


async def test_an_uploaded_file_becomes_a_release(
    hass: HomeAssistant, entry: MockConfigEntry, house: House, upload: Upload
) -> None:
    file_id = await upload("sketch.ino.bin", firmware("1.1.0"))
    result = await send(hass, entry, file_id, notes="Closes by itself.")
    assert result["step_id"] == "added"
    (release,) = house.library.releases
    assert (release.firmware, release.version) == ("garden-valve", "1.1.0")
    assert (release.notes, release.source) == ("Closes by itself.", "upload")


async def test_what_is_typed_wins_over_the_marker(
    hass: HomeAssistant, entry: MockConfigEntry, house: House, upload: Upload
) -> None:
    file_id = await upload("x.bin.gz", gzip.compress(firmware("1.1.0")))
    await send(hass, entry, file_id, name="garden-valve", version="1.1.0-test")
    (release,) = house.library.releases
    assert release.version == "1.1.0-test"
    assert release.image.packed


@pytest.mark.parametrize(
    ("file_name", "data", "error"),
    [
        ("a.bin", b"", "empty_file"),
        ("a.bin", b"<html>", "html_page"),
        ("a.bin", firmware("1.1.0")[:-5000], "truncated_image"),
        ("a.elf", b"\x7fELF" + bytes(60), "elf_file"),
        ("a.bin", firmware("", name=""), "version_missing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_bad_file_is_said_on_the_form_and_changes_nothing(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    house: House,
    upload: Upload,
    file_name: str,
    data: bytes,
    error: str,
) -> None:
    result = await send(hass, entry, await upload(file_name, data), notes="kept on the form")
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"base": error}
    assert_form_is_whole("options", result)
    assert house.library.releases == []

    good = await upload("garden-valve-1.1.0.bin", firmware("1.1.0"))
    again = await hass.config_entries.options.async_configure(result["flow_id"], {"file": good})
    assert again["step_id"] == "added"
    assert len(house.library.releases) == 1


async def test_the_same_version_with_other_bytes_is_refused(
    hass: HomeAssistant, entry: MockConfigEntry, house: House, upload: Upload
) -> None:
    await send(hass, entry, await upload("a.bin", firmware("1.1.0")))
    result = await send(hass, entry, await upload("b.bin", firmware("1.2.0")), version="1.1.0")
    assert result["errors"] == {"base": "release_conflict"}
    assert result["description_placeholders"]["version"] == "1.1.0"
    assert len(house.library.releases) == 1


async def test_chosen_releases_are_removed(
    hass: HomeAssistant, entry: MockConfigEntry, house: House, upload: Upload
) -> None:
    for version in ("1.0.0", "1.1.0"):
        await send(hass, entry, await upload("a.bin", firmware(version)))
    form = await open_step(hass, entry, "remove")
    choice = next(iter(form["data_schema"].schema.values())).config["options"]
    assert [option["label"] for option in choice] == [
        "garden-valve 1.1.0 (esp8266)",
        "garden-valve 1.0.0 (esp8266)",
    ]
    await hass.config_entries.options.async_configure(
        form["flow_id"], {"releases": [choice[1]["value"]]}
    )
    assert [release.version for release in house.library.releases] == ["1.1.0"]
    form = await open_step(hass, entry, "remove")
    await hass.config_entries.options.async_configure(form["flow_id"], {})
    assert len(house.library.releases) == 1


async def test_a_form_that_lacked_the_version_is_sent_again_with_the_same_upload(
    hass: HomeAssistant, entry: MockConfigEntry, house: House, upload: Upload
) -> None:
    file_id = await upload("sketch.bin", firmware("", name=""))
    result = await send(hass, entry, file_id)
    assert result["errors"] == {"base": "version_missing"}

    result = await hass.config_entries.options.async_configure(
        result["flow_id"], {"file": file_id, "name": "pump", "version": "1.0.0"}
    )

    assert result["step_id"] == "added"
    assert [release.firmware for release in house.library.releases] == ["pump"]


async def test_an_upload_that_is_not_there_any_more_is_asked_for_again(
    hass: HomeAssistant, entry: MockConfigEntry, house: House, upload: Upload
) -> None:
    used = await upload("a.bin", firmware("1.0.0"))
    await send(hass, entry, used)

    result = await send(hass, entry, used)
    assert result["type"] is FlowResultType.FORM
    assert_form_is_whole("options", result)
    assert result["errors"] == {"file": "upload_missing"}

    again = await upload("b.bin", firmware("1.1.0"))
    result = await hass.config_entries.options.async_configure(result["flow_id"], {"file": again})
    assert result["step_id"] == "added"
    assert len(house.library.releases) == 2


async def test_a_file_too_large_for_any_module_is_not_even_read(
    hass: HomeAssistant, entry: MockConfigEntry, house: House, upload: Upload
) -> None:
    result = await send(hass, entry, await upload("huge.bin", bytes(33 * 1024 * 1024)))

    assert result["errors"] == {"base": "oversized_file"}
    assert_form_is_whole("options", result)


async def test_several_files_are_added_one_after_the_other(
    hass: HomeAssistant, entry: MockConfigEntry, house: House, upload: Upload
) -> None:
    form = await open_step(hass, entry, "upload")
    for version in ("1.0.0", "1.1.0"):
        file_id = await upload(f"valve-{version}.bin", firmware(version))
        told = await hass.config_entries.options.async_configure(
            form["flow_id"], {"file": file_id, "notes": "Once."}
        )
        assert (told["type"], told["step_id"]) == (FlowResultType.MENU, "added")
        assert told["description_placeholders"] == {
            "release": f"garden-valve {version} (esp8266)",
            "offered": "-",
        }
        form = await hass.config_entries.options.async_configure(
            told["flow_id"], {"next_step_id": "upload"}
        )
        assert_form_is_whole("options", form)
        assert not form["errors"]
    assert suggested(form) == {}, "the notes of one release are not those of the next"

    file_id = await upload("valve-1.2.0.bin", firmware("1.2.0"))
    told = await hass.config_entries.options.async_configure(form["flow_id"], {"file": file_id})
    end = await hass.config_entries.options.async_configure(
        told["flow_id"], {"next_step_id": "close"}
    )
    assert end["type"] is FlowResultType.CREATE_ENTRY
    assert len(house.library.releases) == 3


async def test_a_name_that_was_typed_for_known_bytes_is_not_dropped_without_a_word(
    hass: HomeAssistant, entry: MockConfigEntry, house: House, upload: Upload
) -> None:
    await send(hass, entry, await upload("a.bin", firmware("1.0.0")))
    told = await send(hass, entry, await upload("b.bin", firmware("1.0.0")), name="pump")
    assert (told["type"], told["step_id"]) == (FlowResultType.MENU, "known")
    assert told["description_placeholders"]["release"] == "garden-valve 1.0.0 (esp8266)"
    assert [release.firmware for release in house.library.releases] == ["garden-valve"]


async def test_a_signature_follows_its_image(
    hass: HomeAssistant, entry: MockConfigEntry, house: House, upload: Upload
) -> None:
    form = await open_step(hass, entry, "upload")
    alone = await hass.config_entries.options.async_configure(
        form["flow_id"], {"file": await upload("a.bin.minisig", b"signed")}
    )
    assert alone["errors"] == {"file": "signature_alone"}
    assert_form_is_whole("options", alone)
    for name, data in (("a.bin", firmware("1.0.0")), ("a.bin.minisig", b"signed")):
        told = await hass.config_entries.options.async_configure(
            form["flow_id"], {"file": await upload(name, data)}
        )
        assert told["step_id"] == "added"
        await hass.config_entries.options.async_configure(
            form["flow_id"], {"next_step_id": "upload"}
        )
    (release,) = house.library.releases
    assert house.library.signature_of(release) == "signed"


async def test_a_release_that_is_waited_for_is_not_removed(
    hass: HomeAssistant, entry: MockConfigEntry, house: House, upload: Upload
) -> None:
    await send(hass, entry, await upload("a.bin", firmware("1.0.0")))
    (release,) = house.library.releases
    form = await open_step(hass, entry, "remove")
    with house.holding(release.image.sha256):
        result = await hass.config_entries.options.async_configure(
            form["flow_id"], {"releases": [release.image.sha256]}
        )
    assert result["errors"] == {"base": "release_in_use"}
    assert_form_is_whole("options", result)
    assert house.library.releases == [release]


async def test_the_releases_form_shows_what_modules_run(
    hass: HomeAssistant, entry: MockConfigEntry, house: House, upload: Upload
) -> None:
    await send(hass, entry, await upload("a.bin", firmware("1.0.0")))
    form = await open_step(hass, entry, "remove")
    assert form["description_placeholders"]["modules"] == "| - | - | - | - | - |"
    module = MockConfigEntry(
        domain=DOMAIN,
        title="the | valve",
        data={"kind": "module"},
        options={"firmware": "garden-valve"},
    )
    module.add_to_hass(hass)
    known = {"version": "0.9.0", "firmware": "garden-valve", "assumed": False}
    await house.journal.async_remember(module.entry_id, known)
    form = await open_step(hass, entry, "remove")
    assert_form_is_whole("options", form)
    assert form["description_placeholders"]["modules"] == (
        "| the \\| valve | 0.9.0 | - | 1.0.0 | - |"
    )


PEM = (
    ec.generate_private_key(ec.SECP256R1())
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    .decode()
    .strip()
)


async def test_a_key_is_kept_for_its_firmware_and_taken_away_again(
    hass: HomeAssistant, entry: MockConfigEntry, house: House
) -> None:
    for firmware_name, key in (("garden-valve", f"  {PEM}\n"), ("pump", PEM)):
        form = await open_step(hass, entry, "signatures")
        result = await hass.config_entries.options.async_configure(
            form["flow_id"], {"firmware": firmware_name, "key": key}
        )
        assert result["type"] is FlowResultType.CREATE_ENTRY
        await hass.async_block_till_done()
    assert house.key_of("garden-valve") == PEM
    assert house.key_of("heater") is None

    form = await open_step(hass, entry, "signatures")
    assert form["description_placeholders"]["firmwares"] == "garden-valve, pump"
    forgotten = await hass.config_entries.options.async_configure(
        form["flow_id"], {"firmware": "pump"}
    )
    assert forgotten["errors"] == {"key": "invalid_key"}, "an empty field takes no key away"
    await hass.config_entries.options.async_configure(
        form["flow_id"], {"firmware": "pump", "remove_key": True}
    )
    assert house.key_of("pump") is None
    assert house.key_of("garden-valve") == PEM


async def test_a_text_that_is_no_key_is_refused(
    hass: HomeAssistant, entry: MockConfigEntry, house: House
) -> None:
    form = await open_step(hass, entry, "signatures")
    result = await hass.config_entries.options.async_configure(
        form["flow_id"], {"firmware": "pump", "key": "my secret"}
    )
    assert result["errors"] == {"key": "invalid_key"}
    assert_form_is_whole("options", result)
    assert house.key_of("pump") is None


async def test_fewer_releases_are_kept_when_the_number_is_lowered(
    hass: HomeAssistant, entry: MockConfigEntry, house: House, upload: Upload
) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        await send(hass, entry, await upload("a.bin", firmware(version)))
    form = await open_step(hass, entry, "limits")
    await hass.config_entries.options.async_configure(form["flow_id"], {"keep_releases": 2})
    await hass.async_block_till_done()
    assert [release.version for release in house.library.releases] == ["1.1.0", "1.2.0"]


@pytest.mark.parametrize(("port", "parallel"), [(0, 3), (40123, 1)])
async def test_limits_are_applied_and_a_fixed_port_serves_one_at_a_time(
    hass: HomeAssistant, entry: MockConfigEntry, house: House, port: int, parallel: int
) -> None:
    form = await open_step(hass, entry, "limits")
    result = await hass.config_entries.options.async_configure(
        form["flow_id"], {"parallel_installs": 3, "callback_port": port}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert house.callback_port == port
    assert house.queue.limit == parallel
