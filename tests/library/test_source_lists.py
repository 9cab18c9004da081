"""Manifests and plain lists of files, and what they are told apart by."""

import hashlib
import json
from typing import Any

import pytest

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.house import House
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from tests.kit.entries import firmware
from tests.kit.garden import until
from tests.kit.sources import GitHub, add, later, repairs, versions
from tests.kit.web_site import Site
from tests.virtual_module import build_image


def serve(site: Site, path: str, content: Any) -> str:
    site.serve(path, json.dumps(content).encode())
    return site.url(path)


async def test_the_sketches_of_a_manifest_become_releases(
    hass: HomeAssistant, house: House, site: Site
) -> None:
    site.serve("/x/esp8266.bin", firmware("1.2.0"))
    site.serve("/x/app.bin", firmware("1.2.0", "esp32"))
    url = serve(
        site,
        "/x/manifest.json",
        {
            "name": "Garden valve",
            "version": "1.2.0",
            "builds": [
                {"chipFamily": "ESP8266", "parts": [{"path": "esp8266.bin", "offset": 0}]},
                {
                    "chipFamily": "ESP32",
                    "parts": [
                        {"path": "boot.bin", "offset": 4096},
                        {"path": "table.bin", "offset": 32768},
                        {"path": "app.bin", "offset": 65536},
                    ],
                },
                {"chipFamily": "ESP32-S3", "parts": [{"path": "factory.bin", "offset": 0}]},
            ],
        },
    )
    await add(hass, "manifest", url=url)
    assert {(item.firmware, item.version, item.chip) for item in house.library.releases} == {
        ("garden-valve", "1.2.0", "esp8266"),
        ("garden-valve", "1.2.0", "esp32"),
    }
    assert repairs(hass) == ["source_files"], "the merged image of the S3"
    assert "/x/factory.bin" not in [request.path for request in site.asked]


async def test_a_plain_list_is_taken_with_its_checksums(
    hass: HomeAssistant, house: House, site: Site
) -> None:
    data = firmware("1.2.0")
    site.serve("/a.bin", data)
    site.serve("/b.bin", firmware("1.3.0"))
    item = {
        "firmware": "garden-valve",
        "version": "1.2.0",
        "url": "a.bin",
        "sha256": hashlib.sha256(data).hexdigest(),
        "notes": "Quieter.",
    }
    wrong = {"url": "b.bin", "md5": "0" * 32}
    url = serve(site, "/list.json", {"releases": [item, wrong]})
    source = await add(hass, "manifest", url=url)
    (release,) = house.library.releases
    assert (release.version, release.notes) == ("1.2.0", "Quieter.")
    assert source.memory.cause == "checksum_mismatch"


async def test_a_list_that_came_before_its_files_is_looked_at_again(
    hass: HomeAssistant, house: House, site: Site
) -> None:
    url = serve(site, "/list.json", [{"url": "a.bin"}])
    source = await add(hass, "manifest", url=url)
    assert versions(house) == []
    site.serve("/a.bin", firmware("1.0.0"))
    await source.async_check()
    assert versions(house) == ["1.0.0"]
    assert repairs(hass) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"hello": 1}, "source_invalid"),
        (
            {"builds": [{"chipFamily": "ESP32", "parts": [{"path": "f.bin", "offset": 0}]}]},
            "source_merged_image",
        ),
        (["x" * 1024 * 1024], "source_oversized_file"),
    ],
)
async def test_a_list_that_cannot_be_used_is_told(
    hass: HomeAssistant, house: House, site: Site, content: Any, told: str
) -> None:
    await add(hass, "manifest", url=serve(site, "/list.json", content))
    assert repairs(hass) == [told]


@pytest.mark.parametrize(
    ("content", "found", "because"),
    [
        (
            {"builds": [{"chipFamily": "ESP64", "parts": [{"path": "f.bin", "offset": 0}]}]},
            "ESP64",
            "It is for a chip that ESP OTA does not know",
        ),
        (
            {
                "builds": [
                    {
                        "chipFamily": "ESP32",
                        "parts": [
                            {"path": "one.bin", "offset": "0x10000"},
                            {"path": "two.bin", "offset": "0x110000"},
                        ],
                    }
                ]
            },
            "one.bin, two.bin",
            "It is one of several files for one chip",
        ),
        ([{"url": "ftp://x/y.bin"}], "y.bin", "Its address is none that begins"),
    ],
)
async def test_a_list_that_yields_nothing_is_told_with_what_was_left_out(
    hass: HomeAssistant, house: House, site: Site, content: Any, found: str, because: str
) -> None:
    await add(hass, "manifest", url=serve(site, "/list.json", content))
    assert repairs(hass) == ["source_nothing"]
    (issue,) = [i for i in ir.async_get(hass).issues.values() if i.domain == DOMAIN]
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["found"] == found
    assert issue.translation_placeholders["because"].startswith(because)


async def test_a_repository_of_pre_releases_and_empty_releases_says_so(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.publish("1.0.0")
    github.publish("1.1.0", "valve.bin", prerelease=True)
    await add(hass)
    (issue,) = [i for i in ir.async_get(hass).issues.values() if i.domain == DOMAIN]
    assert repairs(hass) == ["source_nothing"]
    assert issue.translation_placeholders is not None
    told = issue.translation_placeholders
    assert (told["found"], told["file"]) == ("v1.1.0, v1.0.0", "v1.1.0")
    assert told["because"].startswith("It is a pre-release.")


async def test_the_pattern_that_a_repair_asked_for_chooses_the_build(
    hass: HomeAssistant, house: House, site: Site
) -> None:
    site.serve("/one.bin", firmware("1.2.0", "esp32"))
    site.serve("/two.bin", firmware("1.3.0", "esp32"))
    builds = [
        {"chipFamily": "ESP32", "parts": [{"path": path, "offset": "65536"}]}
        for path in ("one.bin", "two.bin")
    ]
    url = serve(site, "/list.json", {"builds": builds})
    source = await add(hass, "manifest", url=url)
    assert versions(house) == ["1.2.0"]
    assert repairs(hass) == ["source_files"], "two.bin was left"
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    (subentry,) = entry.subentries.values()
    hass.config_entries.async_update_subentry(
        entry, subentry, data=dict(subentry.data) | {"pattern": "two*"}
    )
    await hass.async_block_till_done()
    (changed,) = house.sources.all
    assert changed is not source
    await later(hass, 1)
    await until(lambda: changed.memory.checked)
    assert versions(house) == ["1.2.0", "1.3.0"]
    assert repairs(hass) == []


async def test_a_file_comes_once_the_release_in_its_way_was_removed_as_advised(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    release = github.publish("1.0.0", "valve.bin")
    release["assets"].append(github.asset("other.bin", firmware("1.0.0") + b"?"))
    source = await add(hass)
    assert repairs(hass) == ["source_files"]
    downloads = len(github.downloads)
    await source.async_check()
    assert len(github.downloads) == downloads, "it is still in the way"
    (first,) = house.library.releases
    await house.library.async_remove(first.image.sha256)
    await source.async_check()
    assert repairs(hass) == []
    (second,) = house.library.releases
    assert (second.version, second.image.size) == ("1.0.0", first.image.size + 1)


@pytest.mark.parametrize("marked", [True, False])
async def test_a_rolling_release_is_told_apart_by_the_date_of_its_files(
    hass: HomeAssistant, house: House, github: GitHub, *, marked: bool
) -> None:
    def build(seed: int) -> bytes:
        return build_image("esp8266", version="2.0-dev", seed=seed, marker=marked)

    release = github.publish("nightly", tag_name="nightly", assets=[])
    release["assets"] = [
        github.asset("valve.bin", build(1)) | {"updated_at": "2026-11-28T04:12:00Z"}
    ]
    source = await add(hass, firmware="garden-valve")
    release["assets"] = [
        github.asset("valve.bin", build(2)) | {"updated_at": "2026-11-29T04:12:59Z"}
    ]
    await source.async_check()
    assert repairs(hass) == []
    first = "2.0-dev" if marked else "nightly.20261128.0412"
    second = "2.0-dev.20261129.0412" if marked else "nightly.20261129.0412"
    assert versions(house) == [first, second]


async def test_a_rolling_list_is_told_apart_by_the_sum_of_its_files(
    hass: HomeAssistant, house: House, site: Site
) -> None:
    def publish(seed: int) -> str:
        site.serve("/valve.bin", build_image("esp8266", seed=seed, marker=False))
        item = {"url": "valve.bin", "firmware": "garden-valve", "version": "nightly", "n": seed}
        return serve(site, "/list.json", [item])

    source = await add(hass, "manifest", url=publish(1))
    publish(2)
    await source.async_check()
    first, second = house.library.releases
    assert repairs(hass) == []
    assert first.version == f"nightly+{first.image.sha256[:8]}"
    assert second.version == f"nightly+{second.image.sha256[:8]}"
