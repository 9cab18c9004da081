"""Whether what answers at a new address answers as the module did at its old one.

mDNS proves nothing, so this is asked of the address itself, and without any password: who answers
differently gets none. Who answers alike may still be an impostor, see `docs/security.md`.
"""

from collections.abc import Awaitable, Callable

from homeassistant.config_entries import ConfigEntry

from ..const import (
    CONF_TRANSPORTS,
    CONF_UPLOAD_DIALECT,
    CONF_UPLOAD_PASSWORD,
    CONF_UPLOAD_PATH,
    CONF_UPLOAD_PORT,
    CONF_UPLOAD_SEEN,
    DEFAULT_UPLOAD_PORT,
    TRANSPORT_PUSH,
    TRANSPORT_UPLOAD,
)
from ..ota import (
    Address,
    Fixed,
    HttpUpload,
    ModuleAuthError,
    OtaError,
    UploadDialect,
    UploadLimits,
)
from .named_evidence import NamedEvidence


class Likeness:
    """Of one module."""

    def __init__(
        self,
        entry: ConfigEntry,
        probe: Callable[[Address, float], Awaitable[bool]],
        named_evidence: NamedEvidence,
        limits: UploadLimits,
    ) -> None:
        """Ask by `probe` whether anything answers, within so many seconds."""
        self._entry = entry
        self.probe = probe
        self._named_evidence = named_evidence
        self._limits = limits

    async def holds(self, address: Address, seconds: float) -> bool:
        """Whether the doors that this module has are there, of the same kind."""
        return (
            await self.probe(address, seconds)
            and await self._same_page(address.host)
            and await self._named_evidence.async_speaks_at(address.host)
        )

    async def _same_page(self, host: str) -> bool:
        """Whether the update page is of the kind that is known; it gets no password for it."""
        data = self._entry.data
        if TRANSPORT_UPLOAD not in (data.get(CONF_TRANSPORTS) or [TRANSPORT_PUSH]):
            return True
        known = data.get(CONF_UPLOAD_DIALECT) or data.get(CONF_UPLOAD_SEEN)
        port = int(data.get(CONF_UPLOAD_PORT, DEFAULT_UPLOAD_PORT))
        page = HttpUpload(Fixed(host, port), path=data.get(CONF_UPLOAD_PATH), limits=self._limits)
        try:
            found = await page.recognise()
        except ModuleAuthError:  # it is behind the password, as ours is
            return bool(data.get(CONF_UPLOAD_PASSWORD))
        except OtaError:
            return False
        if known is None:  # one with a password is not believed to be alike by chance
            return not data.get(CONF_UPLOAD_PASSWORD)
        return found is UploadDialect(known)
