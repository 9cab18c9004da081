"""When an image is sent as gzip: only where nothing can go wrong, and the reason is said."""

from dataclasses import replace
import gzip
import json
import random
import string
from typing import Any

import pytest

from custom_components.esp_ota.ota import (
    Chip,
    FlashMode,
    Image,
    ImageKind,
    PackingAdvice,
    PackingReason,
    may_pack,
    pack,
    pack_for,
    read_image,
)
from custom_components.esp_ota.ota.image import read_staged_from
from custom_components.esp_ota.ota.preflight.packing import filesystem_start
from tests.kit.places import ENGLISH
from tests.ota.examples import MODULE
from tests.virtual_module import build_image, gzip_image
from tests.virtual_module.boot import after_restart, eboot
from tests.virtual_module.chips import Chip as VirtualChip
from tests.virtual_module.inspect_image import BadImageError

DATA = build_image("esp8266", version="1.1.0", size=300_000)
IMAGE = replace(read_image(DATA), flash_mode=FlashMode.DIO)
UNPACKING = replace(
    MODULE,
    core_version="3.1.2",
    flash_mode=FlashMode.DIO,
    flash_size=4 << 20,
    sketch_size=290_000,
    slot_size=1 << 20,
    slot_stated=True,
)
TEXTS = json.loads(ENGLISH.read_text(encoding="utf-8"))["exceptions"]


def assert_reason_is_whole(advice: PackingAdvice) -> None:
    """Check that the reason has a sentence, and finds what it names."""
    sentence = TEXTS[f"packing_{advice.reason}"]["message"]
    names = {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}
    assert names <= advice.facts.keys()
    assert "None" not in advice.facts.values()


def test_every_reason_has_a_sentence() -> None:
    assert {f"packing_{reason}" for reason in PackingReason} <= TEXTS.keys()


def test_packed_bytes_unpack_to_the_image_and_say_so() -> None:
    packed, image = pack(DATA, IMAGE)
    assert gzip.decompress(packed) == DATA
    facts = read_image(packed)
    assert replace(facts, flash_mode=FlashMode.DIO) == image
    assert (image.plain_md5, image.plain_size) == (IMAGE.md5, len(DATA))


def test_packing_gives_the_same_bytes_every_time_without_a_date_or_a_name() -> None:
    packed, _ = pack(DATA, IMAGE)
    assert pack(DATA, IMAGE)[0] == packed
    assert packed[3:8] == bytes(5)  # no flags, no time


def test_the_last_four_bytes_are_the_plain_size_which_the_boot_loader_believes() -> None:
    packed, _ = pack(DATA, IMAGE)
    assert int.from_bytes(packed[-4:], "little") == len(DATA)


def test_packing_ends_when_it_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TimeoutError):
        pack(DATA, IMAGE, seconds=-1.0)
    monkeypatch.setattr("custom_components.esp_ota.ota.preflight.packing.pack", _too_slow)
    result = pack_for(DATA, IMAGE, UNPACKING)
    assert (result.data, result.image) == (DATA, IMAGE)
    assert result.advice.reason is PackingReason.TOO_SLOW
    assert_reason_is_whole(result.advice)


def _too_slow(_data: bytes, _image: Image) -> tuple[bytes, Image]:
    raise TimeoutError


def test_an_esp8266_that_says_everything_gets_the_packed_image() -> None:
    result = pack_for(DATA, IMAGE, UNPACKING)
    assert result.advice.pack
    assert_reason_is_whole(result.advice)
    assert gzip.decompress(result.data) == DATA
    assert result.image == pack(DATA, IMAGE)[1]
    assert int(result.advice.facts["percent"]) >= 10


@pytest.mark.parametrize("core", ["2.7.0", "2.7.4", "3.1.2", "3.2.0-dev", "2.7.1-dev", "10.0.0"])
def test_cores_from_2_7_on_unpack(core: str) -> None:
    assert may_pack(IMAGE, replace(UNPACKING, core_version=core)).pack


def test_a_pico_gets_the_packed_image_without_saying_anything() -> None:
    data = build_image("rp2040", size=200_000)
    module = replace(MODULE, chip=Chip.RP2040, slot_size=None)
    result = pack_for(data, read_image(data), module)
    assert result.advice.pack
    assert gzip.decompress(result.data) == data


@pytest.mark.parametrize(
    ("image", "module", "reason", "facts"),
    [
        ({"packed": True}, {}, PackingReason.ALREADY_PACKED, {}),
        ({"signed": True}, {}, PackingReason.SIGNED, {}),
        ({}, {"signature_required": True}, PackingReason.SIGNED, {}),
        ({"chip": Chip.ESP32}, {}, PackingReason.CHIP, {"image_chip": "esp32"}),
        (
            {"kind": ImageKind.FILESYSTEM, "chip": None},
            {},
            PackingReason.FILESYSTEM,
            {},
        ),
        (
            {"kind": ImageKind.FILESYSTEM, "chip": Chip.RP2040},
            {},
            PackingReason.FILESYSTEM,
            {},
        ),
        ({}, {"core_version": "2.6.3"}, PackingReason.OLD_CORE, {"core": "2.6.3"}),
        ({}, {"core_version": "2.7.0-dev"}, PackingReason.OLD_CORE, {"core": "2.7.0-dev"}),
        (
            {"flash_mode": FlashMode.QIO},
            {},
            PackingReason.FLASH_MODE,
            {"image_mode": "qio", "module_mode": "dio"},
        ),
        ({}, {"core_version": None}, PackingReason.NOT_CERTAIN, {"missing": "core"}),
        ({}, {"core_version": "f946290e"}, PackingReason.NOT_CERTAIN, {"missing": "core"}),
        ({}, {"flash_mode": None}, PackingReason.NOT_CERTAIN, {"missing": "flash_mode"}),
        ({"flash_mode": None}, {}, PackingReason.NOT_CERTAIN, {"missing": "flash_mode"}),
        ({}, {"flash_size": None}, PackingReason.NOT_CERTAIN, {"missing": "flash_size"}),
        ({}, {"slot_size": None}, PackingReason.NOT_CERTAIN, {"missing": "free, sketch_size"}),
        ({}, {"slot_stated": False}, PackingReason.NOT_CERTAIN, {"missing": "free, sketch_size"}),
        ({}, {"sketch_size": None}, PackingReason.NOT_CERTAIN, {"missing": "free, sketch_size"}),
    ],
)
def test_an_image_is_sent_as_it_is_unless_every_risk_is_known_to_be_absent(
    image: dict[str, Any], module: dict[str, Any], reason: PackingReason, facts: dict[str, str]
) -> None:
    given = replace(IMAGE, **image)
    result = pack_for(DATA, given, replace(UNPACKING, **module))
    assert (result.advice.reason, result.advice.facts) == (reason, facts)
    assert not result.advice.pack
    assert (result.data, result.image) == (DATA, given)
    assert_reason_is_whole(result.advice)


def test_a_known_risk_is_told_before_what_is_not_known() -> None:
    module = replace(UNPACKING, core_version=None, flash_mode=FlashMode.DOUT)
    assert may_pack(IMAGE, module).reason is PackingReason.FLASH_MODE


def test_what_can_hardly_be_packed_is_sent_as_it_is() -> None:
    data = random.Random(7).randbytes(100_000)
    image = replace(IMAGE, size=len(data), plain_size=len(data))
    result = pack_for(data, image, UNPACKING)
    assert result.advice.reason is PackingReason.LITTLE_GAIN
    assert result.data is data
    assert_reason_is_whole(result.advice)


def test_free_space_is_counted_from_the_sector_behind_the_sketch() -> None:
    """As `ESP.getFreeSketchSpace` does: 290,000 bytes take 71 sectors of 4,096."""
    assert filesystem_start(UNPACKING) == 71 * 4096 + (1 << 20)


SHORT = build_image("esp8266", size=120_000, seed=3)
HARD_TO_PACK = bytearray(build_image("esp8266", size=260_000))
HARD_TO_PACK[20_000:130_000] = random.Random(2).randbytes(110_000)
DENSE_LATE = bytearray(build_image("esp8266", size=260_000))
DENSE_LATE[150_000:250_000] = random.Random(4).randbytes(100_000)


@pytest.mark.parametrize(
    "packed",
    [
        *(gzip.compress(SHORT, level, mtime=0) for level in (0, 1, 9)),
        pack(DATA, IMAGE)[0],
        gzip_image(DATA),
        gzip.compress(HARD_TO_PACK, mtime=0),
        gzip.compress(DENSE_LATE, mtime=0),
        gzip.compress(random.Random(5).randbytes(60_000) + bytes(200_000), mtime=0),
    ],
    ids=["stored", "fast", "best", "ours", "tool", "dense first", "dense late", "blank late"],
)
def test_the_lowest_place_to_stage_is_exactly_where_unpacking_still_works(packed: bytes) -> None:
    lowest, plain = read_staged_from(packed), gzip.decompress(packed)
    assert lowest % 4096 == 0

    def survives(staged_at: int) -> bool:
        return eboot(DATA[:8192], packed, staged_at) == plain

    assert all(survives(lowest + more) for more in (0, 4096, 8192, 1 << 20))
    assert lowest == 0 or not survives(lowest - 4096)


def test_an_image_that_reaches_into_the_file_system_is_not_even_packed() -> None:
    module = replace(UNPACKING, slot_size=0)
    assert may_pack(IMAGE, module).reason is PackingReason.OVERLAP


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_an_update_page_stages_right_above_the_sketch_that_runs(more: int) -> None:
    """It takes all free space but one sector; what is read by then may be overwritten."""
    _, packed = pack(DATA, IMAGE)
    assert packed.staged_from is not None
    assert 0 < packed.staged_from < len(DATA)
    staged_at = packed.staged_from + more * 4096
    module = replace(UNPACKING, sketch_size=staged_at - 4096, staged_low=True)
    advice = pack_for(DATA, IMAGE, module).advice
    assert advice.pack is (more >= 0)
    if not advice.pack:
        assert advice.reason is PackingReason.OVERLAP
        assert advice.facts == {"plain_size": "300000", "staged_at": str(staged_at)}
        assert_reason_is_whole(advice)


@pytest.mark.parametrize("staged_low", [False, True])
@pytest.mark.parametrize("slot", range(150_000 // 4096, 420_000 // 4096, 4))
def test_no_module_is_bricked_by_what_is_packed_for_it(slot: int, staged_low: bool) -> None:
    """What the virtual boot loader makes of it, wherever the packed form lies."""
    old = build_image("esp8266", size=310_000 if staged_low else 200_000)
    module = replace(UNPACKING, sketch_size=len(old), slot_size=slot * 4096, staged_low=staged_low)
    result = pack_for(DATA, IMAGE, module)
    fs_start = filesystem_start(module)
    assert fs_start is not None
    room = slot * 4096 if not staged_low else (slot - 1) * 4096
    if not result.advice.pack or result.image.size > room:
        return  # not packed, or refused by the module itself
    staged_at = fs_start - (room if staged_low else -(-result.image.size // 4096) * 4096)
    assert after_restart(VirtualChip.ESP8266, old, result.data, staged_at) == DATA


def test_the_virtual_boot_loader_is_bricked_by_what_is_not_packed_for_it() -> None:
    """Else the test above could not fail."""
    old = build_image("esp8266", size=100_000)
    packed, _ = pack(DATA, IMAGE)
    with pytest.raises(BadImageError):
        after_restart(VirtualChip.ESP8266, old, packed, 4096 * 12)
