"""What GitHub answers about the releases of a repository."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.esp_ota.ota import (
    Cause,
    ImageKind,
    Listing,
    Marker,
    SourceError,
    parse_releases,
)
from tests.ota.sources.test_manifest import JSON

SHA256 = "ab" * 32


def asset(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": 7,
        "name": name,
        "state": "uploaded",
        "size": 1000,
        "digest": f"sha256:{SHA256}",
        "updated_at": "2026-11-01T00:00:00Z",
        "url": f"https://api.github.com/repos/o/r/releases/assets/{name}",
        "browser_download_url": f"https://github.com/o/r/releases/download/x/{name}",
    } | changes


def release(tag: str, *assets: Any, **changes: Any) -> dict[str, Any]:
    return {"tag_name": tag, "body": f"What is new in {tag}.", "assets": [*assets]} | changes


def parse(content: Any, **changes: Any) -> Listing:
    asked: dict[str, Any] = {
        "repository": "garden/valve",
        "pattern": "*.bin",
        "prerelease": False,
        "last": 5,
        "by_api": False,
    }
    return parse_releases(json.dumps(content).encode(), **asked | changes)


def names(listing: Listing) -> list[str]:
    return [listed.file_name for listed in listing.files]


def test_an_asset_is_listed_with_all_that_its_release_says() -> None:
    (listed,) = parse([release("v1.2.0", asset("a.bin"), asset("a.bin.minisig"))]).files
    assert listed.url == "https://github.com/o/r/releases/download/x/a.bin"
    assert listed.fallback == Marker(name="valve", version="1.2.0")
    assert listed.notes == "What is new in v1.2.0."
    assert (listed.sha256, listed.size) == (SHA256, 1000)
    assert listed.signature_url == "https://github.com/o/r/releases/download/x/a.bin.minisig"


def test_with_a_token_the_addresses_are_those_that_take_it() -> None:
    content = [release("v1", asset("a.bin"), asset("a.bin.minisig"))]
    (listed,) = parse(content, by_api=True).files
    assert listed.url == "https://api.github.com/repos/o/r/releases/assets/a.bin"
    assert listed.signature_url == listed.url + ".minisig"


def test_the_newest_releases_are_taken_oldest_first() -> None:
    content = [release(f"v{number}", asset(f"a-{number}.bin")) for number in (4, 3, 2, 1)]
    assert names(parse(content, last=3)) == ["a-2.bin", "a-3.bin", "a-4.bin"]


def test_releases_without_such_a_file_do_not_count() -> None:
    content = [release("v3"), release("v2", asset("x.zip")), release("v1", asset("a.bin"))]
    listing = parse(content, last=1)
    assert names(listing) == ["a.bin"]
    assert listing.others == ["x.zip"]


def test_drafts_never_and_pre_releases_only_when_asked_for() -> None:
    content = [
        release("v3", asset("draft.bin"), draft=True),
        release("v2", asset("pre.bin"), prerelease=True),
        release("v1", asset("stable.bin")),
    ]
    assert names(parse(content)) == ["stable.bin"]
    assert names(parse(content, prerelease=True)) == ["stable.bin", "pre.bin"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.bin", ["b-esp32.bin", "A-esp8266.BIN"]),
        ("a-*", ["A-esp8266.BIN", "a-manual.pdf"]),
        ("*esp32*", ["b-esp32.bin"]),
        ("a[-", []),
    ],
)
def test_a_pattern_is_that_of_a_shell_and_knows_no_capitals(
    pattern: str, expected: list[str]
) -> None:
    files = ("A-esp8266.BIN", "b-esp32.bin", "a-manual.pdf", "b-esp32.bin.minisig")
    content = [release("v1", *(asset(name) for name in files))]
    assert sorted(names(parse(content, pattern=pattern))) == sorted(expected)


@pytest.mark.parametrize("tag", ["v1.2.0", "V1.2.0", "1.2.0"])
def test_a_tag_is_a_version(tag: str) -> None:
    (listed,) = parse([release(tag, asset("a.bin"))]).files
    assert listed.fallback == Marker(name="valve", version="1.2.0")


def test_a_tag_that_only_begins_with_v_keeps_it() -> None:
    (listed,) = parse([release("valve-2", asset("a.bin"))]).files
    assert listed.fallback == Marker(name="valve", version="valve-2")


def test_several_firmwares_of_one_release_are_told_apart_by_their_files() -> None:
    """A tag names them all, and one must not be offered in the place of another."""
    content = [
        release("v1.3.0", asset("valve-th.bin")),
        release("v1.2.0", *map(asset, ("valve-th.bin", "basic.bin", "valve.bin"))),
    ]
    found = [(item.fallback, item.file_name) for item in parse(content).files]
    names = {(marker.name, marker.version, name) for marker, name in found if marker}
    assert names == {
        ("valve-th", "1.2.0", "valve-th.bin"),
        ("valve-basic", "1.2.0", "basic.bin"),
        ("valve", "1.2.0", "valve.bin"),
        ("valve-th", "1.3.0", "valve-th.bin"),
    }


def test_one_firmware_for_several_chips_has_the_name_of_its_repository() -> None:
    files = ("valve-esp32.bin", "valve-esp8266.bin", "firmware.littlefs.bin")
    content = [release("v1.2.0", *map(asset, files))]
    markers = [listed.fallback for listed in parse(content).files]
    assert markers == [Marker(name="valve", version="1.2.0")] * 3


def test_a_file_that_is_still_uploaded_or_leads_nowhere_is_left_out() -> None:
    starting = asset("a.bin", state="starter")
    nowhere = asset("b.bin", browser_download_url="file:///etc/passwd")
    assert names(parse([release("v1", starting, nowhere, "no asset", asset(""))])) == []


def test_another_kind_of_digest_is_no_checksum() -> None:
    (listed,) = parse([release("v1", asset("a.bin", digest="md5:" + "ab" * 32))]).files
    assert listed.sha256 is None


def test_a_file_that_was_put_up_again_is_another_file() -> None:
    variants = [{}, {"id": 8}, {"updated_at": "2026-11-02T00:00:00Z"}, {"size": 2}]
    variants += [{"digest": "sha256:" + "cd" * 32}]
    keys = {parse([release("v1", asset("a.bin", **each))]).files[0].key for each in variants}
    assert len(keys) == 5


def test_a_file_system_is_known_by_its_name() -> None:
    (listed,) = parse([release("v1", asset("a-1.0.0.littlefs.bin"))]).files
    assert listed.kind is ImageKind.FILESYSTEM


@pytest.mark.parametrize("data", [b"", b'{"message": "Not Found"}', b"<html>", b"[" * 100_000])
def test_an_answer_that_is_no_list_is_named(data: bytes) -> None:
    with pytest.raises(SourceError) as refused:
        parse_releases(data, repository="o/r", pattern="*", prerelease=True, last=5, by_api=False)
    assert refused.value.cause is Cause.SOURCE_INVALID


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(
    (st.lists(JSON, max_size=3) | st.lists(st.fixed_dictionaries({"assets": JSON}))).map(
        lambda content: json.dumps(content).encode()
    )
    | st.binary(max_size=60),
    st.booleans(),
)
def test_any_answer_gives_a_list_or_a_named_cause(data: bytes, by_api: bool) -> None:
    try:
        files = parse_releases(
            data, repository="o/r", pattern="*", prerelease=True, last=5, by_api=by_api
        ).files
    except SourceError:
        files = []
    assert all(listed.url.startswith(("http://", "https://")) for listed in files)
