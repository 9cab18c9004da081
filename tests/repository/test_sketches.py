"""The sketches of the documentation: what they put into an image, announce, and answer.

They are compiled for this machine, with a stand-in for the cores, and run. What a module would do
is not shown by that; what our readers make of it is.
"""

import dataclasses
import json
import re

import pytest

from custom_components.esp_ota.ota import (
    facts_from_announcement,
    mac_from,
    read_marker,
    version_from,
)
from tests.kit.sketches import COMPILER, HEADERS, SKETCHES, Ran, errors, run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(COMPILER is None, reason="there is no C++ compiler"),
]

SAID = {"fw_name", "fw_version", "mac", "md5"}
PACKED = {"core", "flash_mode", "flash_size", "free", "sketch_size"}
TOGETHER = [
    *((sketch, chip) for sketch in ("arduino-ota",) for chip in ("ESP8266", "ESP32")),
    *((sketch, chip) for sketch in ("update-page", "http-pull", "one-line") for chip in HEADERS),
    ("pico", "RP2040"),
]


def assert_known(ran: Ran, chip: str) -> None:
    """Check that all that is announced is read, and says what the image says."""
    txt = ran.txt
    assert txt.keys() == SAID | (PACKED if chip == "ESP8266" else set())
    facts = facts_from_announcement("garden-valve.local.", "192.168.1.20", 8266, txt)
    assert (facts.firmware, facts.version) == ("garden-valve", "1.1.0")
    assert facts.mac == "5c:cf:7f:a1:b2:c3"
    assert facts.sketch_md5 == txt["md5"]
    if chip == "ESP8266":
        read = dataclasses.asdict(facts)
        wanted = "core_version", "flash_mode", "flash_size", "slot_size", "sketch_size"
        assert None not in [read[name] for name in wanted]


@pytest.mark.parametrize(("sketch", "chip"), TOGETHER)
def test_the_library_knows_an_image_by_its_marker(sketch: str, chip: str) -> None:
    marker = read_marker(run(sketch, chip).image)
    assert marker is not None
    assert (marker.name, marker.version) == ("garden-valve", "1.1.0")


@pytest.mark.parametrize("chip", ["ESP8266", "ESP32"])
@pytest.mark.parametrize("sketch", ["arduino-ota", "one-line"])
def test_what_is_announced_is_read(sketch: str, chip: str) -> None:
    ran = run(sketch, chip)
    assert_known(ran, chip)
    assert ran.lines.count("ota handled") == 3


@pytest.mark.parametrize("chip", HEADERS)
def test_the_page_says_what_runs(chip: str) -> None:
    ran = run("update-page", chip)
    assert_page(ran)
    assert ran.after("update") == ["/update admin a long password", "begins"]


def assert_page(ran: Ran) -> None:
    """Check that our reader finds version and MAC on the page of a sketch."""
    [page] = ran.after("page")
    place, status, kind, body = page.split(" ", 3)
    assert (place, status, kind) == ("80/esp_ota", "200", "application/json")
    assert json.loads(body)["firmware"] == "garden-valve"
    assert version_from(body.encode(), "version") == "1.1.0"
    assert mac_from(body.encode()) in {"5c:cf:7f:a1:b2:c3", "28:cd:c1:a1:b2:c3"}


@pytest.mark.parametrize("sketch", ["pico", "one-line"])
def test_a_pico_says_on_a_page_what_it_cannot_announce(sketch: str) -> None:
    ran = run(sketch, "RP2040")
    assert ran.txt == {}
    assert_page(ran)


@pytest.mark.parametrize("chip", HEADERS)
def test_a_module_that_asks_asks_at_once_and_then_at_its_interval(
    chip: str,
) -> None:
    asked = ["http://192.168.1.10:8123/api/esp_ota/pull/the-secret 1.1.0"]
    assert run("http-pull", chip).after("asked") == asked


@pytest.mark.parametrize("chip", HEADERS)
def test_one_line_does_all_of_it(chip: str) -> None:
    address = '"http://192.168.1.10:8123/api/esp_ota/pull/s"'
    ran = run("one-line", chip, ESP_OTA_PAGE=80, ESP_OTA_PULL=address)
    end = "a1b2c3"
    assert ran.after("host") == [f"garden-valve-{end}"]
    assert ran.after("password") == ["a long password"]
    assert ran.after("asked") == ["http://192.168.1.10:8123/api/esp_ota/pull/s 1.1.0"]
    assert ran.after("update")[0] == "/update admin a long password"
    assert_page(ran)
    if chip != "RP2040":
        assert_known(ran, chip)


@pytest.mark.parametrize("sketch", ["arduino-ota", "one-line", "pico"])
def test_the_equipment_is_off_at_the_start_and_before_an_update(sketch: str) -> None:
    lines = run(sketch, "RP2040" if sketch == "pico" else "ESP32").lines
    pins = [line for line in lines if re.match("pin|level|update begins", line)]
    assert pins == ["pin 5", "level 5 0", "update begins", "level 5 0"]


@pytest.mark.parametrize("chip", HEADERS)
@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("garden valve", "1.1.0"),
        ("garden-valve", "1.1.0 beta"),
        ("garden-valve", ""),
        ("-valve", "1.1.0"),
        ("garden:valve", "1.1.0"),
        ("Gärten", "1.1.0"),
        ("v" * 41, "1.1.0"),
    ],
)
def test_what_no_marker_can_say_is_told_by_the_compiler(chip: str, name: str, version: str) -> None:
    line = f'void loop() {{ ESP_OTA("{name}", "{version}", "a long password"); }}\n'
    text = f'#include "esp_ota.h"\nvoid setup() {{}}\n{line}'
    [error, *_] = errors(text, chip)
    assert re.search("no blanks|at most 40 characters", error)
    assert not errors(
        text.replace(name, "garden-valve_2").replace(f'"{version}"', '"v1.1+b"'), chip
    )


def test_every_sketch_is_tested() -> None:
    assert {path.parent.name for path in SKETCHES.glob("*/*.ino")} == {
        sketch for sketch, _ in TOGETHER
    }
