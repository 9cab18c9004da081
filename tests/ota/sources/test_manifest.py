"""Manifests of ESP Web Tools and our own lists: which files they name, and what they say."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.esp_ota.ota import (
    Cause,
    Chip,
    ImageKind,
    Listed,
    Listing,
    Marker,
    SourceError,
    parse_manifest,
)

AT = "https://firmware.example/garden/manifest.json"


def parse(content: Any, url: str = AT) -> Listing:
    return parse_manifest(json.dumps(content).encode(), url)


def only(content: Any) -> Listed:
    (listed,) = parse(content).files
    return listed


def manifest(*builds: Any, **changes: Any) -> dict[str, Any]:
    return {"name": "Garden Valve (stable)", "version": "1.2.0", "builds": [*builds]} | changes


def esp32(*parts: tuple[str, int], family: str = "ESP32") -> dict[str, Any]:
    return {
        "chipFamily": family,
        "parts": [{"path": path, "offset": offset} for path, offset in parts],
    }


WITH_A_CABLE = (
    ("boot_app0.bin", 0xE000),
    ("firmware.bin", 0x10000),
    ("bootloader.bin", 0x1000),
    ("partitions.bin", 0x8000),
)


def test_of_the_parts_for_a_cable_the_sketch_is_picked() -> None:
    listed = only(manifest(esp32(*WITH_A_CABLE)))
    assert listed.url == "https://firmware.example/garden/firmware.bin"
    assert (listed.file_name, listed.chip, listed.kind) == ("firmware.bin", Chip.ESP32, None)
    assert listed.version == "1.2.0"
    assert listed.fallback == Marker(name="garden-valve-stable", version="1.2.0")


def test_files_beside_the_sketch_are_picked_too() -> None:
    parts = (*WITH_A_CABLE, ("littlefs.bin", 0x290000))
    files = parse(manifest(esp32(*parts))).files
    assert [(item.file_name, item.kind) for item in files] == [
        ("firmware.bin", None),
        ("littlefs.bin", ImageKind.FILESYSTEM),
    ]


def test_everything_in_one_for_a_cable_is_told_without_a_download() -> None:
    listing = parse(manifest(esp32(("factory.bin", 0)), esp32(("a.bin", 0), family="ESP32-S3")))
    assert listing.files == []
    assert listing.refused == {"factory.bin": Cause.MERGED_IMAGE, "a.bin": Cause.MERGED_IMAGE}


def test_the_one_part_of_an_esp8266_is_its_sketch() -> None:
    listed = only(manifest(esp32(("esp8266.bin", 0), family="ESP8266")))
    assert (listed.file_name, listed.chip) == ("esp8266.bin", Chip.ESP8266)


def test_what_is_meant_for_the_air_wins_over_the_parts() -> None:
    build = esp32(("factory.bin", 0)) | {
        "ota": {
            "path": "../ota.bin",
            "md5": "D41D8CD98F00B204E9800998ECF8427E",
            "sha256": "no checksum",
            "summary": "Closes by itself.",
        }
    }
    listed = only(manifest(build))
    assert listed.url == "https://firmware.example/ota.bin"
    assert listed.md5 == "d41d8cd98f00b204e9800998ecf8427e"
    assert listed.sha256 is None
    assert listed.notes == "Closes by itself."


@pytest.mark.parametrize(
    ("family", "chip"),
    [
        ("ESP32-C3", Chip.ESP32_C3),
        ("ESP32-C6", Chip.ESP32_C6),
        ("esp32s2", Chip.ESP32_S2),
        ("ESP32-P4", Chip.ESP32_P4),
        ("ESP32-H2", Chip.ESP32_H2),
    ],
)
def test_chip_families_are_known_however_they_are_written(family: str, chip: Chip) -> None:
    assert only(manifest(esp32(*WITH_A_CABLE, family=family))).chip is chip


def test_of_two_builds_for_one_chip_the_first_is_taken_and_the_other_is_named() -> None:
    first = esp32(("a.bin", 0x10000))
    second = esp32(("b.bin", 0x10000))
    listing = parse(manifest(first, second, esp32(("a.bin", 0x10000))))
    assert [item.file_name for item in listing.files] == ["a.bin"]
    assert listing.refused == {"b.bin": Cause.OTHER_BUILD}


def test_a_build_for_no_kind_of_serial_port_is_preferred() -> None:
    usb = esp32(("usb.bin", 0x10000)) | {"serialType": "cdc"}
    uart = esp32(("uart.bin", 0x10000)) | {"serialType": "uart"}
    plain = esp32(("plain.bin", 0x10000))
    for builds in ((usb, plain), (plain, usb), (usb, plain, uart)):
        listing = parse(manifest(*builds))
        assert [item.file_name for item in listing.files] == ["plain.bin"]
        assert listing.refused == {}
    listing = parse(manifest(usb, uart))
    assert [item.file_name for item in listing.files] == ["usb.bin"]
    assert listing.refused == {"uart.bin": Cause.OTHER_BUILD}


def test_a_chip_that_nobody_knows_is_named_where_nothing_else_is_there() -> None:
    listing = parse(manifest(esp32(("c.bin", 0x10000), family="ESP64"), {"parts": []}, "no build"))
    assert (listing.files, listing.refused) == ([], {})
    assert listing.skipped == {"ESP64": Cause.CHIP_NOT_KNOWN, "?": Cause.CHIP_NOT_KNOWN}


@pytest.mark.parametrize("offset", ["0x10000", "0X10000", " 65536 ", "065536", 65536])
def test_an_offset_may_be_a_text(offset: Any) -> None:
    parts = [{"path": "boot.bin", "offset": "0x1000"}, {"path": "app.bin", "offset": offset}]
    assert only(manifest({"chipFamily": "ESP32", "parts": parts})).file_name == "app.bin"


@pytest.mark.parametrize("offset", ["0", 0, "0x0"])
def test_one_part_at_the_beginning_is_all_in_one_however_that_is_written(offset: Any) -> None:
    parts = [{"path": "all.bin", "offset": offset}]
    listing = parse(manifest({"chipFamily": "ESP32", "parts": parts}))
    assert listing.refused == {"all.bin": Cause.MERGED_IMAGE}


@pytest.mark.parametrize(
    "others",
    [
        [("tasmota32-safeboot.bin", 0x10000)],
        [("nvs.bin", 0x10000), ("srmodels.bin", 0x20000)],
        [("recovery.bin", 0x10000), ("voice_data.bin", 0x300000)],
        [("my-fonts.bin", 0x300000)],
    ],
)
def test_what_stands_first_and_is_no_sketch_is_not_taken(others: list[tuple[str, int]]) -> None:
    parts = [*WITH_A_CABLE[2:], *others, ("light.bin", 0x110000)]
    listing = parse(manifest(esp32(*parts)))
    assert [item.file_name for item in listing.files] == ["light.bin"]
    assert listing.refused == {}


def test_a_sketch_alone_may_have_any_name() -> None:
    parts = (*WITH_A_CABLE[2:], ("recovery-light.bin", 0x10000))
    assert only(manifest(esp32(*parts))).file_name == "recovery-light.bin"


def test_of_several_that_could_be_the_sketch_none_is_taken_and_the_person_is_asked() -> None:
    parts = (("one.bin", 0x10000), ("two.bin", 0x110000), ("littlefs.bin", 0x290000))
    build = manifest(esp32(*parts))
    listing = parse(build)
    assert [item.file_name for item in listing.files] == ["littlefs.bin"]
    assert listing.refused == {"one.bin": Cause.PART_AMBIGUOUS, "two.bin": Cause.PART_AMBIGUOUS}
    chosen = parse_manifest(json.dumps(build).encode(), AT, "TWO*")
    assert [item.file_name for item in chosen.files] == ["two.bin"]
    assert chosen.refused == {}


def test_two_parts_of_an_esp8266_have_the_sketch_at_the_beginning() -> None:
    parts = (("more.bin", 0x100000), ("app.bin", 0))
    assert only(manifest(esp32(*parts, family="ESP8266"))).file_name == "app.bin"
    parts = (("more.bin", 0x100000), ("app.bin", 0x1000))
    assert parse(manifest(esp32(*parts, family="ESP8266"))).files == []


def test_a_pattern_chooses_among_builds_and_among_the_items_of_a_list() -> None:
    builds = manifest(esp32(("a.bin", 0x10000)), esp32(("b.bin", 0x10000)))
    chosen = parse_manifest(json.dumps(builds).encode(), AT, "b.bin")
    assert [item.file_name for item in chosen.files] == ["b.bin"]
    assert chosen.skipped == {"a.bin": Cause.NOT_MATCHED}
    items = [{"url": "x/a.bin?y=1"}, {"url": "b.bin"}]
    chosen = parse_manifest(json.dumps(items).encode(), AT, "a.*")
    assert [item.file_name for item in chosen.files] == ["a.bin"]


def test_what_has_the_same_name_every_day_is_another_file_when_the_list_is_another() -> None:
    def key(version: str, **part: Any) -> str:
        build = esp32(("a.bin", 0x10000))
        build["parts"][0] |= part
        (listed,) = parse(manifest(build, version=version, date=part.get("date", 0))).files
        assert listed.is_rolling is (version == "nightly")
        return listed.key

    assert key("nightly", date=1) == key("nightly", date=1) != key("nightly", date=2)
    assert key("1.2.0", date=1) == key("1.2.0", date=2)
    assert key("nightly", date=1, md5="a" * 32) == key("nightly", date=2, md5="a" * 32)


def test_our_own_list_says_all_that_a_release_needs() -> None:
    item = {
        "firmware": "garden-valve",
        "version": "1.2.0",
        "chip": "ESP8266",
        "kind": "filesystem",
        "url": "files/garden.bin?x=1",
        "size": 12,
        "sha256": "AB" * 32,
        "notes": "Quieter.\nSafer.",
        "signature": "files/garden.bin.minisig",
    }
    listed = Listed(
        url="https://firmware.example/garden/files/garden.bin?x=1",
        file_name="garden.bin",
        key=f"https://firmware.example/garden/files/garden.bin?x=1 1.2.0 {'ab' * 32}",
        firmware="garden-valve",
        version="1.2.0",
        notes="Quieter.\nSafer.",
        chip=Chip.ESP8266,
        kind=ImageKind.FILESYSTEM,
        size=12,
        sha256="ab" * 32,
        signature_url="https://firmware.example/garden/files/garden.bin.minisig",
    )
    assert parse({"releases": [item]}).files == [listed]
    assert parse([item]).files == [listed]


def test_a_file_with_another_checksum_or_version_is_another_file() -> None:
    items = [
        {"url": "a.bin"},
        {"url": "a.bin", "version": "1"},
        {"url": "a.bin", "sha256": "ab" * 32},
        {"url": "a.bin", "md5": "ab" * 16},
    ]
    assert len({item.key for item in parse(items).files}) == 4


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://x/y.bin", "javascript:alert(1)", "http://", "http://[", ""]
)
def test_an_address_that_is_none_of_the_web_is_left_out(url: str) -> None:
    if url:
        assert parse([{"url": url}]).files == []
        build = esp32((url, 0x10000))
        assert parse(manifest(build)).files == []
    assert parse([{"url": "a.bin", "signature": url}]).files[0].signature_url is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>",
        b"\xff\xfe",
        b"3",
        b'"text"',
        b"{}",
        b'{"builds": {}}',
        b'{"releases": 1}',
        b"[" * 100_000,
        b"9" * 5000,
    ],
)
def test_an_answer_that_is_no_list_is_named(data: bytes) -> None:
    with pytest.raises(SourceError) as refused:
        parse_manifest(data, AT)
    assert refused.value.cause is Cause.SOURCE_INVALID
    assert refused.value.facts["detail"]


def test_half_a_letter_does_not_reach_a_store() -> None:
    (listed,) = parse([{"url": "a.bin", "notes": "a\ud800b\x00c\n", "version": "\udfff"}]).files
    assert listed.notes == "abc"
    assert listed.version is None


WORDS = st.sampled_from(
    """builds releases parts ota path offset chipFamily version name url sha256 md5 size notes kind
    chip signature ESP32 firmware assets tag_name body draft prerelease state uploaded digest a.bin
    //[ browser_download_url https://h/a.bin filesystem http://h:99999999/ id""".split()  # noqa: SIM905 - forty lines else
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=4), inner),
    max_leaves=25,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(JSON.map(lambda content: json.dumps(content).encode()) | st.binary(max_size=60))
def test_any_answer_gives_a_list_or_a_named_cause(data: bytes) -> None:
    try:
        files = parse_manifest(data, AT).files
    except SourceError:
        files = []
    for listed in files:
        assert listed.url.startswith(("http://", "https://"))
        json.dumps(listed.notes).encode()
