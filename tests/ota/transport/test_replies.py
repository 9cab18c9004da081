"""A module's own words become a cause, and stay readable for the person."""

from hypothesis import given, strategies as st
import pytest

from custom_components.esp_ota.ota import Cause
from custom_components.esp_ota.ota.transport._replies import readable, rejection
from tests.kit.sentences import assert_sentence_is_whole

ESP8266 = [
    (1, "Flash Write Failed", Cause.FLASH_FAILED),
    (2, "Flash Erase Failed", Cause.FLASH_FAILED),
    (3, "Flash Read Failed", Cause.FLASH_FAILED),
    (4, "Not Enough Space", Cause.NO_SPACE),
    (5, "Bad Size Given", Cause.BAD_SIZE),
    (6, "Stream Read Timeout", Cause.ABORTED_BY_MODULE),
    (7, "MD5 verification failed: expected: 0f, calculated: f0", Cause.MD5_MISMATCH),
    (8, "Flash config wrong: real: 1048576, SDK: 4194304", Cause.FLASH_CONFIG),
    (9, "new Flash config wrong, real size: 1048576", Cause.FLASH_CONFIG),
    (10, "Magic byte is not 0xE9", Cause.WRONG_MAGIC),
    (11, "Invalid bootstrapping state, reset ESP8266 before updating", Cause.BOOT_STRAP),
    (12, "Signature verification failed", Cause.SIGNATURE),
    (13, "No data supplied", Cause.ABORTED_BY_MODULE),
    (14, "Out of memory", Cause.OUT_OF_MEMORY),
    (15, "Update already running", Cause.BUSY),
    (16, "Unknown update command", Cause.REJECTED),
    (0, "No Error", Cause.REJECTED),
]
ESP32 = [
    ("Flash Write Failed", Cause.FLASH_FAILED),
    ("Flash Erase Failed", Cause.FLASH_FAILED),
    ("Flash Read Failed", Cause.FLASH_FAILED),
    ("Not Enough Space", Cause.NO_SPACE),
    ("Bad Size Given", Cause.BAD_SIZE),
    ("Stream Read Timeout", Cause.ABORTED_BY_MODULE),
    ("MD5 Check Failed", Cause.MD5_MISMATCH),
    ("Wrong Magic Byte", Cause.WRONG_MAGIC),
    ("Could Not Activate The Firmware", Cause.COULD_NOT_ACTIVATE),
    ("Partition Could Not be Found", Cause.NO_SPACE),
    ("Aborted", Cause.ABORTED_BY_MODULE),
    ("Signature Verification Failed", Cause.SIGNATURE),
    ("UNKNOWN", Cause.REJECTED),
]


@pytest.mark.parametrize(("number", "text", "cause"), ESP8266)
@pytest.mark.parametrize("over", ["tcp", "udp"])
def test_a_numbered_error_has_its_cause(number: int, text: str, cause: Cause, over: str) -> None:
    said = f"ERROR[{number}]: {text}"
    error = rejection((f"ERR: {said}\n" if over == "udp" else f"{said}\r\n").encode())
    assert error.cause is cause
    assert error.facts == {"text": said}
    assert_sentence_is_whole(error.cause, error.facts)


@pytest.mark.parametrize(("text", "cause"), ESP32)
def test_an_error_without_a_number_is_told_by_its_words(text: str, cause: Cause) -> None:
    error = rejection(f"{text}\r\n".encode())
    assert error.cause is cause
    assert error.facts == {"text": text}
    assert_sentence_is_whole(error.cause, error.facts)


def test_a_pico_without_a_file_system_says_so_without_a_number() -> None:
    assert rejection(b"ERR: No Filesystem").cause is Cause.NO_FILESYSTEM


def test_the_number_counts_more_than_the_words_of_an_old_core() -> None:
    assert rejection(b"ERROR[7]: MD5 Failed: expected:flash\r\n").cause is Cause.MD5_MISMATCH


@given(st.binary(max_size=600) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_rejection_with_a_short_printable_line(reply: bytes) -> None:
    error = rejection(reply)
    text = error.facts["text"]
    assert len(text) <= 160
    assert text.isprintable()
    assert text == readable(reply)


@given(st.integers(min_value=0), st.text(max_size=40))
def test_any_number_is_a_rejection(number: int, text: str) -> None:
    assert rejection(f"ERROR[{number}]: {text}".encode()).cause in Cause
