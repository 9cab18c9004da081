"""Where the name and version of a release come from."""

import json

import pytest

from custom_components.esp_ota.library import ReleaseName
from custom_components.esp_ota.ota import Cause, Chip, ImageKind, LibraryError, Marker

MARKER = Marker(name="from-marker", version="2.0.0")


@pytest.mark.parametrize(
    ("said", "expected"),
    [(True, True), ("true", True), ("1", True), (False, False), ("0", False), ("", None)],
)
def test_a_pre_release_is_said_in_json_and_in_a_form(said: object, expected: bool | None) -> None:
    assert ReleaseName.stated("a.bin", {"prerelease": said}).prerelease is expected
    with pytest.raises(LibraryError):
        ReleaseName.stated("a.bin", {"prerelease": "perhaps"})


def test_what_was_said_wins_over_the_marker_and_that_over_the_file_name() -> None:
    said = ReleaseName(file_name="from-file-1.0.0.bin", firmware="typed", version="3.0.0")
    assert said.resolve(MARKER) == ("typed", "3.0.0")
    silent = ReleaseName(file_name="from-file-1.0.0.bin")
    assert silent.resolve(MARKER) == ("from-marker", "2.0.0")
    assert silent.resolve(None) == ("from-file", "1.0.0")


def test_half_of_what_is_needed_may_come_from_elsewhere() -> None:
    assert ReleaseName(file_name="x.bin", version="3.1.0").resolve(MARKER) == (
        "from-marker",
        "3.1.0",
    )


@pytest.mark.parametrize(
    ("file_name", "expected"),
    [
        ("garden-valve-1.2.3.bin", ("garden-valve", "1.2.3")),
        ("garden_valve_v1.2.3.bin.gz", ("garden_valve", "1.2.3")),
        ("pump-1.0.0-rc.1.bin", ("pump", "1.0.0-rc.1")),
        ("pump-2026.11.bin", ("pump", "2026.11")),
    ],
)
def test_file_names_that_people_and_builds_use_are_read(
    file_name: str, expected: tuple[str, str]
) -> None:
    assert ReleaseName(file_name=file_name).resolve(None) == expected


@pytest.mark.parametrize("file_name", ["firmware.bin", "sketch.ino.bin", "-1.0.0.bin", "v1.bin"])
def test_a_file_that_says_neither_is_not_guessed_at(file_name: str) -> None:
    with pytest.raises(LibraryError) as refused:
        ReleaseName(file_name=file_name).resolve(None)
    assert refused.value.cause is Cause.VERSION_MISSING


@pytest.mark.parametrize("typed", ["", "../../etc", "a b", "x" * 65, "ä/b"])
def test_a_typed_name_that_is_no_name_is_refused(typed: str) -> None:
    name = ReleaseName(file_name="x.bin", firmware=typed, version="1.0.0")
    with pytest.raises(LibraryError) as refused:
        name.resolve(None)
    assert refused.value.cause is Cause.VERSION_MISSING


def test_a_sidecar_states_name_version_and_notes() -> None:
    text = json.dumps({"firmware": "pump", "version": "1.0.0", "notes": "Quieter."})
    name = ReleaseName.from_sidecar("any.bin", text)
    assert name.resolve(MARKER) == ("pump", "1.0.0")
    assert name.notes == "Quieter."


def test_a_sidecar_may_state_only_some_of_it() -> None:
    name = ReleaseName.from_sidecar("any.bin", '{"notes": 7}')
    assert name.resolve(MARKER) == ("from-marker", "2.0.0")
    assert name.notes is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '"text"', '{"version": 1}', '{"firmware": "a b"}', "[" * 100_000]
)
def test_an_unusable_sidecar_is_named(text: str) -> None:
    with pytest.raises(LibraryError) as refused:
        ReleaseName.from_sidecar("any.bin", text)
    assert refused.value.cause is Cause.SIDECAR_INVALID
    assert refused.value.facts["detail"]


@pytest.mark.parametrize(
    ("file_name", "version"),
    [
        ("garden-valve-1.2.0.littlefs.bin", "1.2.0"),
        ("garden-valve-1.2.0-spiffs.bin", "1.2.0"),
        ("garden-valve_v1.2.0-rc1.LittleFS.bin.gz", "1.2.0-rc1"),
        ("garden-valve-1.2.0.mklittlefs.bin", "1.2.0"),
    ],
)
def test_the_name_of_a_file_system_image_says_what_it_is(file_name: str, version: str) -> None:
    name = ReleaseName(file_name=file_name)
    assert name.resolve(None)[1] == version
    assert name.kind is ImageKind.FILESYSTEM


@pytest.mark.parametrize("file_name", ["littlefs.bin", "spiffs.bin", "build.fatfs.bin"])
def test_builds_name_their_file_systems_without_a_version(file_name: str) -> None:
    assert ReleaseName(file_name=file_name).kind is ImageKind.FILESYSTEM


@pytest.mark.parametrize("file_name", ["garden-valve-1.2.0.bin", "littlefs-tool-1.0.0.bin", "x"])
def test_other_names_say_nothing_of_a_kind(file_name: str) -> None:
    assert ReleaseName(file_name=file_name).kind is None


def test_a_sidecar_states_kind_and_chip_however_they_are_written() -> None:
    name = ReleaseName.from_sidecar("x.bin", '{"kind": "filesystem", "chip": "ESP32-S3"}')
    assert (name.kind, name.chip) == (ImageKind.FILESYSTEM, Chip.ESP32_S3)
    plain = ReleaseName.from_sidecar("x.littlefs.bin", '{"kind": "sketch"}')
    assert plain.kind is ImageKind.SKETCH


@pytest.mark.parametrize(
    "text", ['{"kind": "boot"}', '{"kind": []}', '{"chip": 3}', '{"chip": "z80"}']
)
def test_a_sidecar_with_a_kind_or_chip_nobody_knows_is_named(text: str) -> None:
    with pytest.raises(LibraryError) as refused:
        ReleaseName.from_sidecar("x.bin", text)
    assert refused.value.cause is Cause.SIDECAR_INVALID


def test_what_a_source_calls_it_is_believed_last() -> None:
    tag = Marker(name="repository", version="9.0.0")
    assert ReleaseName(file_name="x.bin", fallback=tag).resolve(None) == ("repository", "9.0.0")
    assert ReleaseName(file_name="x.bin", fallback=tag).resolve(MARKER) == ("from-marker", "2.0.0")
    named = ReleaseName(file_name="from-file-1.0.0.bin", fallback=tag)
    assert named.resolve(None) == ("from-file", "1.0.0")


def test_what_is_stated_empty_states_nothing() -> None:
    name = ReleaseName.stated("x.bin", {"firmware": "", "version": "", "chip": "", "kind": ""})
    assert name == ReleaseName(file_name="x.bin")


def test_a_field_that_cannot_be_used_is_named() -> None:
    with pytest.raises(LibraryError) as refused:
        ReleaseName.stated("x.bin", {"version": "1 0"})
    assert refused.value.cause is Cause.FIELD_INVALID
    assert refused.value.facts == {"field": "version"}


def test_what_is_stated_lies_over_the_sidecar() -> None:
    sidecar = ReleaseName.from_sidecar("x.bin", '{"firmware": "pump", "version": "1.0.0"}')
    said = ReleaseName.stated("x.bin", {"version": "2.0.0", "chip": "esp32"})
    assert said.over(sidecar).resolve(None) == ("pump", "2.0.0")
    assert said.over(sidecar).chip is Chip.ESP32
