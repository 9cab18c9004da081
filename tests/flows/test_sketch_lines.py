"""What a person copies into a sketch so that it asks for updates."""

import pytest

from custom_components.esp_ota.flows.transports import sketch_lines
from custom_components.esp_ota.ota import ChipFamily

FAMILIES = [None, *ChipFamily]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("url", ["https://192.0.2.1:8123/x", "HTTPS://home.example/x"])
def test_an_encrypted_address_is_asked_with_a_client_that_encrypts(
    url: str, family: ChipFamily | None
) -> None:
    lines = sketch_lines(url, family).splitlines()
    assert "#include <WiFiClientSecure.h>" in lines
    assert "WiFiClientSecure client;" in lines
    assert "WiFiClient client;" not in lines
    assert any(line.startswith("client.setInsecure();") for line in lines)
    assert any("set an http:// address" in line for line in lines)
    assert any(f'.update(client, "{url}"' in line for line in lines)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_plain_address_is_asked_with_a_plain_client(family: ChipFamily | None) -> None:
    text = sketch_lines("http://192.0.2.1:8123/https", family)
    assert "\nWiFiClient client;\n" in text
    assert "#include <WiFiClient.h>" in text
    assert "Secure" not in text
