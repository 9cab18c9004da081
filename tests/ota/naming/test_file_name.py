"""Names of real projects and builds, and what a person says of them."""

from pathlib import Path

from hypothesis import given, strategies as st
import pytest

from custom_components.esp_ota.ota.naming import hints_at_files, says_files
from custom_components.esp_ota.ota.naming.file_name import (
    FileName,
    read_file_name,
)
from custom_components.esp_ota.ota.naming.names import name_of_asset, same_name, version_of_tag

HERE = Path(__file__).parent


def table(name: str) -> list[list[str]]:
    """Return the rows of a table, without its remarks."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line.split(" | ") for line in lines if line and not line.startswith("#")]


def said(found: FileName) -> list[str]:
    return [found.name or "-", found.version or "-", found.chip or "-"]


@pytest.mark.parametrize("row", table("names.txt"), ids=lambda row: row[0])
def test_a_name_is_read_as_a_person_reads_it(row: list[str]) -> None:
    assert said(read_file_name(row[0])) == row[1:]


@pytest.mark.parametrize("row", table("files.txt"), ids=lambda row: row[0])
def test_the_name_of_a_file_system_is_that_of_its_sketch(row: list[str]) -> None:
    file_name, *rest, sure = row
    assert said(read_file_name(file_name, files=True)) == rest
    assert says_files(file_name) is (sure == "says")
    assert hints_at_files(file_name) is (sure != "-")


def test_the_table_is_long_enough_to_surprise() -> None:
    assert len({row[0] for row in table("names.txt")}) >= 200


@given(st.text("aesp32v1.0-_ +gdrcbtaFSlit()", max_size=40), st.booleans())
def test_any_name_gives_what_a_library_takes(text: str, files: bool) -> None:
    found = read_file_name(f"{text}.bin", files=files)
    for part in (found.name, found.version):
        assert part is None or (0 < len(part) <= 64 and not set(part) & set(" /:;"))


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("v1.2.0", "1.2.0"),
        ("V1.2.0", "1.2.0"),
        ("1.2.0", "1.2.0"),
        ("release-1.2.0", "1.2.0"),
        ("valve-v1.2.0", "1.2.0"),
        ("Valve_1.2.0-rc1", "1.2.0-rc1"),
        ("v1.2.0-4-g1a2b3c4", "1.2.0-4-g1a2b3c4"),
        ("pump-v2.0.0", "pump-v2.0.0"),
        ("mega-20230623", "mega-20230623"),
        ("20230623", "20230623"),
        ("valve-2", "valve-2"),
        ("v3", "3"),
        ("nightly", "nightly"),
        ("", ""),
    ],
)
def test_a_tag_names_a_version_without_what_everybody_knows(tag: str, version: str) -> None:
    assert version_of_tag(tag, "valve") == version


@pytest.mark.parametrize(
    ("file_name", "name"),
    [
        ("firmware.bin", "sonoff"),
        ("sonoff.bin", "sonoff"),
        ("sonoff-esp32.bin", "sonoff"),
        ("sonoff-th.bin", "sonoff-th"),
        ("Sonoff_Basic.ino.bin", "Sonoff-Basic"),
        ("th.bin", "sonoff-th"),
        ("basic-esp8266-ota.bin", "sonoff-basic"),
        ("basic.littlefs.bin", "sonoff-basic"),
        ("a(b).bin", "sonoff"),
    ],
)
def test_files_of_one_release_are_told_apart_by_their_own_words(file_name: str, name: str) -> None:
    assert name_of_asset("sonoff", file_name) == name


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("garden-valve", "Garden_Valve", True),
        ("WLED", "wled", True),
        ("WLED", "WLED_Ethernet", False),
        ("-", "_", False),
    ],
)
def test_names_are_the_same_but_for_capitals_and_separators(
    one: str, other: str, *, same: bool
) -> None:
    assert same_name(one, other) is same
