"""Bytes of images, changed here and there, and why they are refused then."""

import pytest

from custom_components.esp_ota.ota import read_image
from custom_components.esp_ota.ota.exceptions import ImageError
from tests.kit.sentences import assert_sentence_is_whole
from tests.virtual_module import Chip as BenchChip

ESP32_CHIPS = [chip for chip in BenchChip if chip.startswith("esp32")]
ESP8266_APP = 0x1000
PARTITION_TABLE_AT = 0x8000


def refused(data: bytes) -> ImageError:
    """Return why bytes are no image, after a look at the sentence the person would read."""
    with pytest.raises(ImageError) as caught:
        read_image(data)
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)
    return caught.value


def patched(data: bytes, at: int, new: bytes) -> bytes:
    """Return a copy with some bytes exchanged."""
    return data[:at] + new + data[at + len(new) :]


def flipped(data: bytes, at: int) -> bytes:
    """Return a copy with one bit turned."""
    return patched(data, at, bytes([data[at] ^ 0x10]))


def segments_end(data: bytes, header_at: int, first: int) -> int:
    """Return the offset behind the last segment."""
    at = first
    for _ in range(data[header_at + 1]):
        at += 8 + int.from_bytes(data[at + 4 : at + 8], "little")
    return at
