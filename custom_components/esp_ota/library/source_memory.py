"""What is remembered of each source over a restart: when it was asked, and what it had."""

from dataclasses import asdict, dataclass, field
from typing import Any

from homeassistant.core import HomeAssistant

from ..stored import KeptStore, is_sound


@dataclass(kw_only=True, slots=True)
class SourceMemory:
    """One source."""

    settings: str
    """Fingerprint of what the person had said then; other settings make everything new."""
    etag: str | None = None
    checked: str | None = None
    """ISO time in UTC of the last look."""
    cause: str | None = None
    """Why the last look failed; None when it did not."""
    failures: int = 0
    """Looks in a row that failed."""
    taken: dict[str, str] = field(default_factory=dict)
    """Key of a listed file to its content (sha256): it is not downloaded again."""
    refused: dict[str, str] = field(default_factory=dict)
    """Key of a listed file to the sentence that says why it is no use."""
    given: list[str] = field(default_factory=list)
    """Names of firmware that it may publish."""
    names_open: bool = True
    """Whether it was not looked at yet: then free names are given to it."""
    promised: list[str] = field(default_factory=list)
    """Addresses of files that were listed at the first look, and have not come yet."""
    withheld: dict[str, str] = field(default_factory=dict)
    """Key of a listed file to the name that was not given."""
    where: str = ""
    """Where it is; what moves elsewhere is another source, and was given nothing."""
    conflicts: dict[str, list[str]] = field(default_factory=dict)
    """Key of such a file to firmware and version that stand in its way, as long as they do."""


class SourceMemories:
    """One store for all sources."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Nothing is read before `async_load`."""
        self._store = KeptStore(hass, "sources", self._stored)
        self._known: dict[str, SourceMemory] = {}

    async def async_load(self) -> None:
        """Read what was remembered; a source that cannot be read is asked anew."""
        is_damaged = False
        for key, item in (await self._store.async_load() or {}).items():
            if key == "writes":
                continue
            if (memory := _restored(item)) is not None:
                self._known[key] = memory
            is_damaged |= memory is None
        if is_damaged:
            await self._store.async_set_aside()

    def of(self, subentry_id: str, settings: str, where: str) -> SourceMemory:
        """Return what is remembered of a source as it is set up now."""
        known = self._known.get(subentry_id)
        if known is None or known.settings != settings:
            before, known = known, SourceMemory(settings=settings)
            if before is not None and before.where == where:
                known.given, known.names_open = before.given, before.names_open
            self._known[subentry_id] = known
        known.where = where
        return known

    async def async_save(self) -> None:
        """Write what is known now."""
        await self._store.async_save()

    def _stored(self) -> dict[str, Any]:
        return {key: asdict(item) for key, item in self._known.items()}

    async def async_keep_only(self, subentry_ids: set[str]) -> None:
        """Forget the sources that were taken away."""
        if gone := self._known.keys() - subentry_ids:
            for key in gone:
                del self._known[key]
            await self.async_save()


def _restored(item: Any) -> SourceMemory | None:
    """Return what was remembered of a source, None for what another version of us has stored."""
    try:
        memory = SourceMemory(**item)
    except TypeError:
        return None
    return memory if is_sound(memory) else None
