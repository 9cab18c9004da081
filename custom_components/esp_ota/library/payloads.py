"""What installs send: one copy of each image, however many modules are to get it.

A module that asks may let its image wait for days, and Update may be pressed for fifty at once.
"""

import asyncio
from typing import Final
from weakref import WeakValueDictionary

from homeassistant.core import HomeAssistant

from ..ota import Image, ModuleFacts, Packed, Payload, pack_for
from .library import Library, Release


class Payloads:
    """Hands out bytes, and forgets them when no install holds them any more."""

    def __init__(self, hass: HomeAssistant, library: Library) -> None:
        """Nothing is read before it is wanted."""
        self._hass: Final = hass
        self._library: Final = library
        self._held: WeakValueDictionary[str, Payload] = WeakValueDictionary()
        self._making: Final = asyncio.Lock()
        """Of two installs that begin at once, the second finds what the first has read."""

    async def async_of(self, release: Release) -> Payload:
        """Return the bytes of a release; raises LibraryError when they are gone."""
        async with self._making:
            if (known := self._held.get(release.image.sha256)) is not None:
                return known
            return self._share(release.image, await self._library.async_read(release))

    async def async_smaller(
        self, payload: Payload, image: Image, module: ModuleFacts
    ) -> tuple[Payload, Packed]:
        """Return what to send of an image to a module, and why it is this form of it."""
        async with self._making:
            packed: Packed = await self._hass.async_add_executor_job(
                pack_for, payload.data, image, module
            )
            return self._share(packed.image, packed.data), packed

    def _share(self, image: Image, data: bytes) -> Payload:
        made = Payload(data=data, kind=image.kind, md5=image.md5)
        return self._held.setdefault(image.sha256, made)
