"""Servers that mean harm: what they say reaches the modules that are theirs, and nothing else."""

import hashlib
import json

from aiohttp import web
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.library import Library, ReleaseName
from custom_components.esp_ota.modules import offered_files
from tests.kit.assigned import Assigned
from tests.kit.entries import entry_for, firmware
from tests.kit.garden import options_for
from tests.kit.hawkbit import File
from tests.virtual_module import VirtualModule, build_filesystem, build_image

FILES = build_filesystem(seed=7)


def brings(version: str, name: str = "garden-valve") -> list[File]:
    return [
        File(name=f"{name}-{version}.bin", data=firmware(version, name=name)),
        File(name=f"{name}-{version}.littlefs.bin", data=FILES),
    ]


async def beside(assigned: Assigned) -> tuple[MockConfigEntry, VirtualModule]:
    """Set up a module whose firmware is none of the server's business."""
    module = await assigned.start_module(hostname="greenhouse")
    options = options_for(firmware="greenhouse")
    entry = entry_for(module, unique_id="greenhouse", options=options)
    return await assigned.garden.add(entry), module


def library_of(assigned: Assigned) -> Library:
    return assigned.garden.house.library


def versions(assigned: Assigned, firmware: str, *, source: str) -> list[str]:
    """Return the versions of a firmware that came from somewhere, the oldest first."""
    return [
        item.version
        for item in library_of(assigned).releases
        if (item.firmware, item.source) == (firmware, source)
    ]


async def own(assigned: Assigned, version: str, name: str = "greenhouse") -> None:
    """Put a release of the person's own into the library."""
    image = firmware(version, name=name)
    stated = ReleaseName(file_name="own.bin")
    await library_of(assigned).async_add(image, stated, source="upload")


@pytest.mark.slow
async def test_a_server_does_not_bring_files_to_a_firmware_that_is_not_its(
    assigned: Assigned,
) -> None:
    await assigned.open(firmware="garden-valve")
    await assigned.add()
    entry, module = await beside(assigned)
    await own(assigned, "1.1.0")
    action = assigned.assign("1.1.0", *brings("1.1.0", "greenhouse"))
    await assigned.told(action, "closed")
    assert offered_files(entry.runtime_data.coordinator) is None
    await entry.runtime_data.installer.async_install(None, None)
    assert module.running_version == "1.1.0"
    assert not module.fs_image


@pytest.mark.slow
async def test_files_of_a_server_go_along_with_its_sketch(assigned: Assigned) -> None:
    await assigned.open()
    module = await assigned.add(options_for(accepted_checks=["filesystem"]))
    action = assigned.assign("1.1.0", *brings("1.1.0"))
    await assigned.offered("1.1.0")
    await assigned.garden.install()
    await assigned.told(action, "closed")
    assert hashlib.sha256(module.fs_image).digest() == hashlib.sha256(FILES).digest()
    coordinator = assigned.entry.runtime_data.coordinator
    files = offered_files(coordinator)
    assert files is not None
    assert files.image.sha256 == hashlib.sha256(FILES).hexdigest()


async def test_what_a_server_brings_drops_nothing_that_a_person_has(assigned: Assigned) -> None:
    await assigned.open()
    await assigned.add()
    for version in ("1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0"):
        await own(assigned, version, "garden-valve")
    for number in range(12):
        version = f"99.{number}.0"
        assigned.assign(version)
        await assigned.offered(version)
    mine = versions(assigned, "garden-valve", source="upload")
    assert mine == ["1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0"]
    assert versions(assigned, "garden-valve", source="server")[-1] == "99.11.0"


async def test_a_server_that_brings_more_and_more_fills_no_disk(assigned: Assigned) -> None:
    await assigned.open()
    await assigned.add()
    for letter in "abcdefghijklmnopqrst":
        name = f"firmware-{letter}"
        action = assigned.assign("1.1.0", File(name="x.bin", data=firmware("1.1.0", name=name)))
        await assigned.told(action, "closed")
    assert len(library_of(assigned).releases) <= 16


async def test_what_a_server_brought_for_nobody_keeps_no_name_taken(assigned: Assigned) -> None:
    await assigned.open()
    await assigned.add()
    image = firmware("2.0.0", chip="esp32", name="garden-valve")
    action = assigned.assign("2.0.0", File(name="x.bin", data=image))
    await assigned.told(action, "closed")
    assert versions(assigned, "garden-valve", source="server") == ["2.0.0"]
    mine = build_image("esp32", version="2.0.0", seed=5)
    await library_of(assigned).async_add(mine, ReleaseName(file_name="own.bin"), source="upload")
    assert versions(assigned, "garden-valve", source="upload") == ["2.0.0"]
    assert versions(assigned, "garden-valve", source="server") == []


@pytest.mark.parametrize("query", ["c=\ud800", "c=1 2", "c=\r\nx: y", "ü", "c=%zz"])
async def test_a_link_that_is_none_is_followed_without_what_is_odd_in_it(
    assigned: Assigned, query: str, caplog: pytest.LogCaptureFixture
) -> None:
    await assigned.open()
    await assigned.add()
    action = assigned.assign("1.1.0")
    known = assigned.known

    def odd(request: web.Request) -> web.StreamResponse | None:
        if known.wants_attributes or not request.path.endswith("/home-garden-valve"):
            return None
        href = f"http://x/DEFAULT/controller/v1/y/deploymentBase/{action.id}?{query}"
        body = json.dumps({"_links": {"deploymentBase": {"href": href}}})
        return web.Response(text=body, content_type="application/json")

    assigned.hawkbit.faults.append(odd)
    await assigned.offered("1.1.0")
    assert "error of ours" not in caplog.text


async def test_files_without_a_size_count_as_well(
    assigned: Assigned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.esp_ota.servers.fetching.MAX_FILE_SIZE", 100_000)
    await assigned.open()
    await assigned.add()
    files = [File(name=f"{n}.bin", data=bytes([n]) * 60_000) for n in range(8)]
    action = assigned.assign("1.1.0", *files)

    def unsized(request: web.Request) -> web.StreamResponse | None:
        if not request.path.endswith(f"/deploymentBase/{action.id}"):
            return None
        where = f"{request.url.origin()}/DEFAULT/controller/v1/home-garden-valve/softwaremodules"
        artifacts = [
            {
                "filename": file.name,
                "_links": {"download": {"href": f"{where}/{action.id}/artifacts/{file.name}"}},
            }
            for file in files
        ]
        said = {"chunks": [{"version": "1.1.0", "artifacts": artifacts}]}
        return web.json_response({"id": str(action.id), "deployment": said})

    assigned.hawkbit.faults.append(unsized)
    told = await assigned.told(action, "closed")
    assert told["details"][0].startswith("oversized_file: ")
    assert sum("/artifacts/" in path for _, path in assigned.hawkbit.asked) == 2


async def test_an_ending_that_was_heard_is_not_even_said_again(assigned: Assigned) -> None:
    await assigned.open()
    await assigned.add()
    await assigned.soon(lambda: assigned.known.attributes)
    assigned.note["closing"] = {
        "action": "7",
        "mark": "x",
        "finished": "success",
        "details": [],
        "is_sent": True,
    }
    await assigned.soon(lambda: "closing" not in assigned.note)
    assert not [path for _, path in assigned.hawkbit.asked if path.endswith("/7/feedback")]
