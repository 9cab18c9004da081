"""Installs of the same image hold the same bytes, and nobody holds them for longer."""

import asyncio
import gc
import gzip
from unittest.mock import patch
import weakref

import pytest

from custom_components.esp_ota.ota import Cause, LibraryError, ModuleFacts
from homeassistant.core import HomeAssistant
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden, options_for

PICO = ModuleFacts(name="garden-valve", host="192.0.2.1", port=2040)


async def test_all_who_want_an_image_get_the_same_bytes(garden: Garden) -> None:
    release = await garden.release("1.1.0")
    payloads, library = garden.house.payloads, garden.house.library
    with patch.object(library, "async_read", wraps=library.async_read) as read:
        first, *others = await asyncio.gather(*(payloads.async_of(release) for _ in range(20)))
        assert read.call_count == 1
    assert all(one is first for one in others)
    assert first.md5 == release.image.md5


async def test_the_packed_form_is_shared_as_well(garden: Garden) -> None:
    release = await garden.release("1.1.0", "rp2040")
    payloads = garden.house.payloads
    plain = await payloads.async_of(release)
    made = [await payloads.async_smaller(plain, release.image, PICO) for _ in range(2)]
    (first, packed), (second, _) = made
    assert packed.advice.pack
    assert first is second
    assert first is not plain
    assert gzip.decompress(first.data) == plain.data


async def test_an_image_that_stays_as_it_is_stays_the_same_bytes(garden: Garden) -> None:
    release = await garden.release("1.1.0", "esp32")
    payloads = garden.house.payloads
    plain = await payloads.async_of(release)
    same, packed = await payloads.async_smaller(plain, release.image, PICO)
    assert not packed.advice.pack
    assert same is plain


async def test_an_image_that_is_gone_is_named_each_time(
    hass: HomeAssistant, garden: Garden
) -> None:
    release = await garden.release("1.1.0")
    with patch.object(garden.house.library.images.files, "read", return_value=None):
        for _ in range(2):
            with pytest.raises(LibraryError) as caught:
                await garden.house.payloads.async_of(release)
            assert caught.value.cause is Cause.IMAGE_MISSING
    assert (await garden.house.payloads.async_of(release)).md5 == release.image.md5


@pytest.mark.slow
async def test_after_an_install_nobody_holds_its_bytes(
    garden: Garden, start_module: StartModule
) -> None:
    module = await start_module()
    release = await garden.release("1.1.0")
    entry = await garden.add(entry_for(module, options=options_for()))
    held = weakref.ref(await garden.house.payloads.async_of(release))
    assert held() is None  # nobody kept it
    await garden.install()
    await garden.hass.async_block_till_done()
    gc.collect()
    assert not garden.house.payloads._held
    assert not entry.runtime_data.installer.is_running
