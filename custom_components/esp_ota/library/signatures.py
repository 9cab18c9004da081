"""Which releases are signed with the key of their firmware, where it has one."""

from collections.abc import Callable

from homeassistant.core import HomeAssistant, callback

from ..const import LOGGER
from ..ota import Cause, OtaError, SignatureState, verify_signature
from .library import Library, Release

_STATES = {
    Cause.SIGNATURE_MISSING: SignatureState.ABSENT,
    Cause.SIGNATURE_INVALID: SignatureState.INVALID,
    Cause.KEY_INVALID: SignatureState.INVALID,
}


class Signatures:
    """Compares each release once with the key of its firmware."""

    def __init__(
        self, hass: HomeAssistant, library: Library, key_of: Callable[[str], str | None]
    ) -> None:
        """`key_of` returns the public key of a firmware, None where it has none."""
        self._hass = hass
        self._library = library
        self._key_of = key_of
        self._states: dict[tuple[str, str, str | None], SignatureState] = {}
        """By content, key and detached signature, which may come later than its image."""

    def state(self, release: Release) -> SignatureState:
        """Return what is known by now; a release that was not compared yet counts as unsigned."""
        if (key := self._key_of(release.firmware)) is None:
            return SignatureState.UNCHECKED
        return self._states.get(self._case(release, key), SignatureState.ABSENT)

    def _case(self, release: Release, key: str) -> tuple[str, str, str | None]:
        return release.image.sha256, key, self._library.signature_of(release)

    @callback
    def async_changed(self) -> None:
        """Compare what is new, because releases or keys have changed."""
        if self._unknown:
            self._hass.async_create_task(self._async_compare(), "ESP OTA signatures")

    @property
    def _unknown(self) -> list[tuple[Release, str]]:
        found = ((item, self._key_of(item.firmware)) for item in self._library.releases)
        return [
            (item, key)
            for item, key in found
            if key
            and item.image.sha256 not in self._library.images.lost
            and self._case(item, key) not in self._states
        ]

    async def _async_compare(self) -> None:
        for release, key in self._unknown:
            try:
                data = await self._library.async_read(release)
            except OtaError:  # its bytes are gone, and are compared when they are back
                continue
            await self.async_verify(release, key, data)
        self._library.async_changed()

    async def async_verify(self, release: Release, key: str, data: bytes) -> SignatureState:
        """Compare bytes with a key, and remember what came of it."""
        case = self._case(release, key)
        detached = case[2]
        state = await self._hass.async_add_executor_job(_verify, data, key, detached)
        if self._states.get(case) is not state:
            LOGGER.info("%s %s: signature %s", release.firmware, release.version, state)
        self._states[case] = state
        return state


def _verify(data: bytes, key: str, detached: str | None) -> SignatureState:
    try:
        verify_signature(data, key, detached)
    except OtaError as err:
        return _STATES[err.cause]
    return SignatureState.VALID
