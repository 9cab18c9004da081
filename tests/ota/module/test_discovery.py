"""What an announcement says is taken; what it only hints at is left open."""

from hypothesis import given, strategies as st
import pytest

from custom_components.esp_ota.ota import (
    Chip,
    ChipFamily,
    FlashMode,
    ModuleFacts,
    chip_from_board,
    facts_from_announcement,
    family_from_port,
)
from custom_components.esp_ota.ota.module.discovery import format_mac, mac_from_hostname
from tests.virtual_module import ModuleConfig
from tests.virtual_module.advert import txt_record
from tests.virtual_module.board import Board

ESP8266_TXT = {"tcp_check": "no", "ssh_upload": "no", "board": "nodemcuv2", "auth_upload": "no"}


def test_an_announcement_with_all_our_records_tells_everything() -> None:
    txt = {
        "board": "esp32s3",
        "tcp_check": "no",
        "ssh_upload": "no",
        "auth_upload": "yes",
        "fw_name": "garden-valve",
        "fw_version": "1.2.3",
        "mac": "A0B1C2D3E4F5",
        "md5": "0123456789ABCDEF0123456789abcdef",
        "core": "3_1_2",
        "flash_mode": "2",
        "flash_size": "4194304",
        "free": "1740800",
        "sketch_size": "356768",
    }
    facts = facts_from_announcement("garden-valve.local.", "192.0.2.7", 3232, txt)
    assert facts == ModuleFacts(
        name="garden-valve",
        host="192.0.2.7",
        port=3232,
        family=ChipFamily.ESP32,
        chip=Chip.ESP32_S3,
        mac="a0:b1:c2:d3:e4:f5",
        board="esp32s3",
        auth_required=True,
        firmware="garden-valve",
        version="1.2.3",
        sketch_md5="0123456789abcdef0123456789abcdef",
        sketch_size=356768,
        slot_size=1740800,
        slot_stated=True,
        flash_size=4 << 20,
        flash_mode=FlashMode.DIO,
        core_version="3.1.2",
    )


@pytest.mark.slow
def test_an_announcement_of_a_sketch_that_adds_nothing_leaves_most_open() -> None:
    facts = facts_from_announcement("pump", "192.0.2.8", 8266, ESP8266_TXT)
    assert facts == ModuleFacts(
        name="pump",
        host="192.0.2.8",
        port=8266,
        family=ChipFamily.ESP8266,
        chip=Chip.ESP8266,
        board="nodemcuv2",
        auth_required=False,
    )


@pytest.mark.parametrize(
    ("name", "port", "board", "family"),
    [
        ("pump", 8266, None, None),
        ("pump", 3232, "some_vendor_board", None),
        ("pump", 2040, "generic", None),
        ("esp8266-b2c3d4", 3232, None, ChipFamily.ESP8266),
        ("esp32-a0b1c2d3e4f5", 8266, None, ChipFamily.ESP32),
        ("esp32-a0b1c2d3e4f5", 4000, None, ChipFamily.ESP32),
        ("esp32s3-a0b1c2d3e4f5", 4000, None, ChipFamily.ESP32),
        ("pump", 4000, "heltec_wifi_lora_32_esp32", ChipFamily.ESP32),
        ("esp8266-b2c3d4", 4000, None, ChipFamily.ESP8266),
        ("ESP-B2C3D4", 4000, None, ChipFamily.ESP8266),
        ("esp_b2c3d4", 18266, "unknown", ChipFamily.ESP8266),
        ("pico-e661a4d1234567ab", 4000, None, ChipFamily.RP2),
        ("pump", 4000, None, None),
        ("pump", 65280, "mkrwifi1010", None),
    ],
)
def test_the_family_is_told_by_board_or_default_host_name_and_by_no_port(
    name: str, port: int, board: str | None, family: ChipFamily | None
) -> None:
    facts = facts_from_announcement(f"{name}.local", "192.0.2.9", port, {"board": board})
    assert facts.family is family
    assert facts.chip is None


# Variant folders of arduino-esp32, board ids of the ESP8266 core, variants of arduino-pico.
@pytest.mark.parametrize(
    ("board", "chip"),
    [
        ("nodemcuv2", Chip.ESP8266),
        ("d1_mini_pro", Chip.ESP8266),
        ("ESP8266_NODEMCU", Chip.ESP8266),
        ("esp32", Chip.ESP32),
        ("esp32s2", Chip.ESP32_S2),
        ("esp32s3", Chip.ESP32_S3),
        ("esp32c3", Chip.ESP32_C3),
        ("esp32c6", Chip.ESP32_C6),
        ("esp32p4", Chip.ESP32_P4),
        ("esp32h2", Chip.ESP32_H2),
        ("XIAO_ESP32C3", Chip.ESP32_C3),
        ("adafruit_feather_esp32s2", Chip.ESP32_S2),
        ("lolin_s3_mini", Chip.ESP32_S3),
        ("lolin_c3_mini", Chip.ESP32_C3),
        ("rpipico", Chip.RP2040),
        ("rpipicow", Chip.RP2040),
        ("rpipico2", Chip.RP2350),
        ("rpipico2w", Chip.RP2350),
        ("pico32", None),
        ("d1_mini32", None),
        ("nodemcu_32s", None),
        ("esp32s9", None),
        ("heltec_wifi_lora_32_V3", None),
        ("PLATFORMIO_D1_MINI", Chip.ESP8266),
        ("PLATFORMIO_ESP12E", Chip.ESP8266),
        ("PLATFORMIO_NODEMCUV2", Chip.ESP8266),
        ("PLATFORMIO_SOMETHING_NEW", Chip.ESP8266),
        ("PLATFORMIO_ESP32", Chip.ESP32),
        ("PLATFORMIO_ESP32-S3-DEVKITC-1", Chip.ESP32_S3),
        ("PLATFORMIO_NODEMCU-32S", None),
        ("WIFIDUINO_ESP8266", Chip.ESP8266),
        ("MOD_WIFI_ESP8266", Chip.ESP8266),
        ("nodemcu", Chip.ESP8266),
        ("huzzah", Chip.ESP8266),
        ("d1", Chip.ESP8266),
        ("espresso_lite_v2", Chip.ESP8266),
        ("espino32", None),
        ("thing_plus", None),
        ("generic", None),
        ("", None),
        (None, None),
    ],
)
def test_a_board_names_its_chip_only_when_that_is_certain(
    board: str | None, chip: Chip | None
) -> None:
    assert chip_from_board(board) is chip


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ({"chip": "esp8266"}, "esp8266-a1b2c3"),
        ({"chip": "esp32"}, "esp32-5ccf7fa1b2c3"),
        ({"chip": "esp32c3", "generation": "legacy"}, "esp32-5ccf7fa1b2c3"),
        ({"chip": "rp2040"}, "pico-e6605ccf7fa1b2c3"),
    ],
)
@pytest.mark.parametrize("locked", [False, True])
def test_a_virtual_module_is_understood(config: dict[str, str], name: str, locked: bool) -> None:
    board = Board(ModuleConfig(**config, password="secret" if locked else None))  # type: ignore[arg-type]
    port = board.config.facts.port
    facts = facts_from_announcement(
        f"{board.config.name}.local.", "127.0.0.1", port, txt_record(board)
    )
    assert facts.name == name
    assert facts.chip == Chip(config["chip"])
    assert facts.family is Chip(config["chip"]).family
    assert facts.mac == "5c:cf:7f:a1:b2:c3"
    assert facts.auth_required is locked
    assert (facts.firmware, facts.version) == ("garden-valve", "1.0.0")


@pytest.mark.parametrize(
    ("text", "core"),
    [
        ("3.1.2", "3.1.2"),
        ("2_7_4", "2.7.4"),
        (" 3.2.0-dev ", "3.2.0-dev"),
        ("2.7.0+sha.1a2b3c4d", "2.7.0+sha.1a2b3c4d"),
        ("f946290e", None),
        ("30102000", None),
        ("3.1", None),
        ("3.1.2 and more", None),
        ("9999.0.0", None),
        ("٣.1.2", None),
        ("", None),
        (None, None),
    ],
)
def test_a_core_says_its_release_or_nothing(text: str | None, core: str | None) -> None:
    assert facts_from_announcement("pump", "192.0.2.8", 8266, {"core": text}).core_version == core


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("0", FlashMode.QIO),
        ("1", FlashMode.QOUT),
        ("2", FlashMode.DIO),
        ("3", FlashMode.DOUT),
        ("DOUT", FlashMode.DOUT),
        ("dio", FlashMode.DIO),
        ("4", None),
        ("255", None),
        ("²", None),
        ("fast", None),
        ("", None),
        (None, None),
    ],
)
def test_a_flash_mode_is_a_name_or_the_number_the_core_prints(
    text: str | None, mode: FlashMode | None
) -> None:
    facts = facts_from_announcement("pump", "192.0.2.8", 8266, {"flash_mode": text})
    assert facts.flash_mode is mode


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        (" 4096 ", 4096),
        (str(64 << 20), 64 << 20),
        (str((64 << 20) + 1), None),
        ("4294963200", None),
        ("-4096", None),
        ("1e6", None),
        ("٤٠٩٦", None),
        ("", None),
        (None, None),
    ],
)
def test_a_size_is_a_number_that_a_flash_can_have(text: str | None, size: int | None) -> None:
    txt = {"free": text, "sketch_size": text, "flash_size": text}
    facts = facts_from_announcement("pump", "192.0.2.8", 8266, txt)
    assert (facts.slot_size, facts.slot_stated) == (size, size is not None)
    # Nothing may be free, but a sketch or a flash without a byte is an error of the core's.
    assert (facts.sketch_size, facts.flash_size) == (size or None, size or None)


@pytest.mark.parametrize("md5", ["0" * 31, "0" * 33, "g" * 32, "", None])
def test_what_is_no_md5_is_no_evidence(md5: str | None) -> None:
    assert facts_from_announcement("pump", "192.0.2.8", 8266, {"md5": md5}).sketch_md5 is None


@pytest.mark.parametrize("auth", [None, "", "maybe", "YES"])
def test_any_other_word_about_a_password_says_nothing(auth: str | None) -> None:
    facts = facts_from_announcement("pump", "192.0.2.8", 8266, {"auth_upload": auth})
    assert facts.auth_required is None


@pytest.mark.parametrize(
    ("text", "mac"),
    [
        ("a0b1c2d3e4f5", "a0:b1:c2:d3:e4:f5"),
        (" A0:B1:C2:D3:E4:F5 ", "a0:b1:c2:d3:e4:f5"),
        ("a0-b1-c2-d3-e4-f5", "a0:b1:c2:d3:e4:f5"),
        ("a0b1c2d3e4", None),
        ("a0b1c2d3e4f5a6", None),
        ("g0b1c2d3e4f5", None),
        ("", None),
        (None, None),
    ],
)
def test_a_mac_has_one_form(text: str | None, mac: str | None) -> None:
    assert format_mac(text) == mac


def test_only_the_default_host_name_of_an_esp32_holds_its_mac() -> None:
    assert mac_from_hostname("ESP32-A0B1C2D3E4F5") == "a0:b1:c2:d3:e4:f5"
    assert mac_from_hostname("esp8266-d3e4f5") is None
    assert mac_from_hostname("garden-valve") is None


def test_a_stated_mac_wins_over_the_host_name() -> None:
    facts = facts_from_announcement(
        "esp32-a0b1c2d3e4f5", "192.0.2.8", 3232, {"mac": "000000000001"}
    )
    assert facts.mac == "00:00:00:00:00:01"


def test_each_family_has_its_port() -> None:
    assert [family_from_port(port) for port in (8266, 3232, 2040, 65280)] == [
        ChipFamily.ESP8266,
        ChipFamily.ESP32,
        ChipFamily.RP2,
        None,
    ]


def test_what_a_stranger_says_is_bounded_and_printable() -> None:
    facts = facts_from_announcement(
        "evil\x1b[31m\n" + "n" * 300,
        "192.0.2.8",
        8266,
        {
            "board": "b\x00\x07oard" + "b" * 300,
            "fw_name": "\x1b[0mpump" + "p" * 300,
            "fw_version": " \n ",
            "mac": "\x00",
        },
    )
    assert facts.version is None
    assert facts.mac is None
    assert facts.board == "board" + "b" * 59
    for text in (facts.name, facts.board, facts.firmware):
        assert text is not None
        assert text.isprintable()
        assert len(text) <= 64


def test_an_announcement_without_a_name_goes_by_its_address() -> None:
    assert facts_from_announcement(".local.", "192.0.2.8", 8266, {}).name == "192.0.2.8"


@pytest.mark.slow
@given(
    st.text(max_size=80),
    st.text(max_size=20),
    st.integers(-1, 1 << 17),
    st.dictionaries(
        st.sampled_from(
            [
                "board",
                "mac",
                "auth_upload",
                "fw_name",
                "fw_version",
                "md5",
                "core",
                "flash_mode",
                "flash_size",
                "free",
                "sketch_size",
            ]
        )
        | st.text(),
        st.none() | st.text() | st.integers().map(str),
    ),
)
def test_any_announcement_gives_facts(
    name: str, host: str, port: int, txt: dict[str, str | None]
) -> None:
    facts = facts_from_announcement(name, host, port, txt)
    assert (facts.host, facts.port) == (host, port)
    for size in (facts.slot_size, facts.sketch_size, facts.flash_size):
        assert size is None or 0 <= size <= 64 << 20
    for text in (facts.board, facts.firmware, facts.version, facts.core_version):
        assert text is None or (text.isprintable() and 0 < len(text) <= 64)


@pytest.mark.parametrize(
    "spelt",
    [
        "5ccf7f00000a",
        "5C-CF-7F-00-00-0A",
        "5ccf.7f00.000a",
        "5c:cf:7f:0:0:a",
        " 5C:CF:7F:00:00:0A\n",
    ],
)
@pytest.mark.parametrize("key", ["mac", "MAC", "Mac"])
def test_a_mac_is_the_same_however_it_is_spelt(key: str, spelt: str) -> None:
    facts = facts_from_announcement("valve.local.", "10.0.0.5", 8266, {key: spelt})
    assert facts.mac == "5c:cf:7f:00:00:0a"


@pytest.mark.parametrize(
    "spelt",
    [
        "5:c:c:f:7:f:0",
        "5c:cf-7f:0:0:a",
        "5ccf.7f00",
        "0:0:0:0:0:0",
        "1:0:5e:0:0:1",
        "\u0665c:cf:7f:0:0:a",
    ],
)
def test_what_only_looks_like_a_mac_is_none(spelt: str) -> None:
    assert format_mac(spelt) is None


def test_the_first_of_two_keys_counts() -> None:
    said = {"MAC": "5ccf7f00000a", "mac": "5ccf7f00000b", "FW_Version": "1.2.0"}
    facts = facts_from_announcement("valve.local.", "10.0.0.5", 8266, said)
    assert (facts.mac, facts.version) == ("5c:cf:7f:00:00:0a", "1.2.0")
