"""Which board a page says it is on."""

import pytest

from custom_components.esp_ota.ota import is_another_board, mac_from

MAC = "5c:cf:7f:a1:b2:c3"


@pytest.mark.parametrize(
    "page",
    [
        b'{"mac": "5CCF7FA1B2C3", "ver": "0.14.4"}',
        b'{"StatusNET": {"Hostname": "valve", "Mac": "5C:CF:7F:A1:B2:C3"}}',
        b'{"WiFi": {"STA MAC": "5c:cf:7f:a1:b2:c3", "AP MAC": "5e:cf:7f:a1:b2:c3"}}',
        b'{"sta_mac":"5c-cf-7f-a1-b2-c3","bssid":"00:11:22:33:44:55"}',
        b'{"mac_address": "5c:cf:7f:a1:b2:c3", "a": {"mac": "5CCF7FA1B2C3"}}',
        b"1.0.0\nMAC: 5c:cf:7f:a1:b2:c3\n",
    ],
)
def test_the_mac_of_a_page_is_found(page: bytes) -> None:
    assert mac_from(page) == MAC


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"1.0.0",
        b'{"bssid": "5c:cf:7f:a1:b2:c3"}',
        b'{"ap_mac": "5e:cf:7f:a1:b2:c3"}',
        b'{"mac": "none"}',
        b'{"mac": "5c:cf:7f:a1:b2:c3:00"}',
        b'{"mac": "5c:cf:7f:a1:b2:c3", "clients": [{"mac": "00:11:22:33:44:55"}]}',
        b'{"machine": "5c:cf:7f:a1:b2:c3"}',
        b"\xff" * 100,
    ],
)
def test_a_page_that_names_none_or_several_proves_nothing(page: bytes) -> None:
    assert mac_from(page) is None


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (MAC, False),
        ("5e:cf:7f:a1:b2:c3", False),  # its access point
        ("5c:cf:7f:a1:b2:c6", False),  # an ESP32's cable
        ("5c:cf:7f:a1:b2:c7", True),
        ("5c:cf:7f:a1:b3:c3", True),
        ("24:0a:c4:a1:b2:c3", True),
    ],
)
def test_boards_are_told_apart_by_more_than_an_interface(other: str, expected: bool) -> None:
    assert is_another_board(other, MAC) is expected
    assert is_another_board(MAC, other) is expected
