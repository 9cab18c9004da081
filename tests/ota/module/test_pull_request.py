"""What a module says of itself when it asks."""

from collections.abc import Mapping

from hypothesis import given, settings, strategies as st
from multidict import CIMultiDict
import pytest

from custom_components.esp_ota.ota import ChipFamily, EvidenceSource, PullMode, PullRequest

MD5 = "0123456789abcdef0123456789abcdef"
ESP8266 = {
    "Host": "192.0.2.1:8123",
    "User-Agent": "ESP8266-http-Update",
    "Connection": "close",
    "x-ESP8266-Chip-ID": "10597059",
    "x-ESP8266-STA-MAC": "5C:CF:7F:A1:B2:C3",
    "x-ESP8266-AP-MAC": "5E:CF:7F:A1:B2:C3",
    "x-ESP8266-free-space": "671744",
    "x-ESP8266-sketch-size": "373940",
    "x-ESP8266-sketch-md5": MD5,
    "x-ESP8266-chip-size": "4194304",
    "x-ESP8266-sdk-version": "2.2.2-dev(38a443e)",
    "x-ESP8266-mode": "sketch",
    "x-ESP8266-version": "1.0.0",
    "Content-Length": "0",
}
ESP32 = {
    "User-Agent": "ESP32-http-Update",
    "Cache-Control": "no-cache",
    "x-ESP32-STA-MAC": "5C:CF:7F:A1:B2:C3",
    "x-ESP32-AP-MAC": "5C:CF:7F:A1:B2:C4",
    "x-ESP32-free-space": "1310720",
    "x-ESP32-sketch-size": "877392",
    "x-ESP32-sketch-md5": MD5,
    "x-ESP32-sketch-sha256": "AB" * 32,
    "x-ESP32-chip-size": "4194304",
    "x-ESP32-sdk-version": "v5.5.1",
    "x-ESP32-mode": "spiffs",
}
PICO = {
    "User-Agent": "Pico-HTTP-Update",
    "x-Pico-Chip-ID": "E660D4A0A71F2B2C",
    "x-Pico-STA-MAC": "28:CD:C1:00:00:01",
    "x-Pico-AP-MAC": "28:CD:C1:00:00:01",
    "x-Pico-Mode": "sketch",
    "x-Pico-Version": "2.0.0",
}


def parse(headers: Mapping[str, str]) -> PullRequest | None:
    """Read headers as aiohttp holds them."""
    return PullRequest.parse(CIMultiDict(headers))


def test_all_that_an_esp8266_states_is_taken() -> None:
    assert parse(ESP8266) == PullRequest(
        family=ChipFamily.ESP8266,
        mac="5c:cf:7f:a1:b2:c3",
        mode=PullMode.SKETCH,
        version="1.0.0",
        sketch_md5=MD5,
        sketch_size=373940,
        free_space=671744,
        chip_size=4194304,
        sdk_version="2.2.2-dev(38a443e)",
    )


def test_an_esp32_and_a_pico_are_told_apart_by_their_client() -> None:
    esp32, pico = parse(ESP32), parse(PICO)
    assert esp32 is not None
    assert (esp32.family, esp32.mode, esp32.version) == (
        ChipFamily.ESP32,
        PullMode.FILESYSTEM,
        None,
    )
    assert pico is not None
    assert (pico.family, pico.version, pico.free_space) == (ChipFamily.RP2, "2.0.0", None)


@pytest.mark.parametrize("change", [str.upper, str.lower, str.title])
def test_the_case_of_header_names_does_not_matter(change: object) -> None:
    changed = {change(name): value for name, value in ESP8266.items()}  # type: ignore[operator]
    assert parse(changed) == parse(ESP8266)


def test_only_client_and_mac_are_needed() -> None:
    bare = {"User-Agent": "ESP8266-http-Update", "x-ESP8266-STA-MAC": "5C:CF:7F:A1:B2:C3"}
    request = parse(bare)
    assert request is not None
    assert (request.mode, request.version, request.free_space) == (PullMode.SKETCH, None, None)


@pytest.mark.parametrize(
    "without",
    [{"User-Agent": "curl/8"}, {"x-ESP8266-STA-MAC": "nonsense"}, {"x-ESP8266-mode": "paint"}],
)
def test_a_client_that_is_no_updater_or_does_not_say_who_it_is_gets_nothing(
    without: dict[str, str],
) -> None:
    assert parse(ESP8266 | without) is None


@pytest.mark.parametrize("size", ["", "-1", "1e9", "9" * 4000, "٣", " 12 x"])
def test_a_size_that_is_none_is_not_known(size: str) -> None:
    request = parse(ESP8266 | {"x-ESP8266-free-space": size})
    assert request is not None
    assert request.free_space is None


def test_a_request_is_a_statement_with_the_sum_of_what_runs() -> None:
    request = parse(ESP8266)
    assert request is not None
    said = request.sighting(5.0)
    # Whose sum it is, only the library knows.
    assert (said.source, said.sketch_md5, said.at) == (EvidenceSource.PULL_VERSION, MD5, 5.0)


@pytest.mark.slow
@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from([*ESP8266, *ESP32]), st.text(max_size=300)))
def test_whatever_headers_come_the_answer_is_facts_or_nothing(headers: dict[str, str]) -> None:
    request = parse(ESP8266 | headers)
    if request is not None:
        assert len(request.version or "") <= 64
        assert request.free_space is None or request.free_space >= 0
