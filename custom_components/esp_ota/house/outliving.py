"""What outlives an entry that is deleted: what modules know of us, and whom people trust.

Sketches carry the secret of the house and its address, firewalls know its call-back port, and names
and automations hang on the ids of entities. Who deletes an entry, and adds it again, means the
entry and not all of these.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final, TypedDict

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PORT
from homeassistant.core import HomeAssistant, callback

from ..const import (
    CONF_CALLBACK_PORT,
    CONF_IDENTITY,
    CONF_KEEP,
    CONF_KEYS,
    CONF_MAC,
    CONF_PULL_ADDRESS,
    CONF_PULL_SECRET,
    CONF_SERVICE_NAME,
    CONF_UPLOAD_PORT,
)
from ..stored import KeptStore, fits

_OUTLIVING: Final = (CONF_KEYS, CONF_CALLBACK_PORT, CONF_PULL_ADDRESS, CONF_KEEP)
"""The options of the house that sketches and firewalls know as well, or that people trust; and how
many releases are kept, for a smaller number deletes images."""
_MOST: Final = 100
"""Deleted modules that are remembered; their places in Home Assistant's registries last 30 days."""


class Former(TypedDict):
    """A module whose entry was deleted."""

    identity: str
    """What the ids of its entities were made from."""
    name: str
    mac: str | None
    place: str | None
    """Where it was, of one that has no name of its own."""
    secret: str | None
    """The pull secret that it alone has."""


class Outliving:
    """One store, written when something in it changes."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Nothing is read before `async_load`."""
        self._store = KeptStore(hass, "house", self._stored)
        self.secret = ""
        """The pull secret of the house; empty when it never had one."""
        self.options: dict[str, Any] = {}
        """Those of the house that outlive its entry."""
        self.former: list[Former] = []
        """The module that was deleted last comes last."""

    async def async_load(self) -> None:
        """Read what was kept."""
        if (stored := await self._store.async_load()) is None:
            return
        secret, options = stored.get("secret", ""), stored.get("options", {})
        former = stored.get("former", [])
        self.secret = secret if isinstance(secret, str) else ""
        self.options = _options(options) if isinstance(options, dict) else {}
        self.former = [item for item in _items(former) if fits(item, Former)]
        if (self.secret, self.options, self.former) != (secret, options, former):
            await self._store.async_set_aside()

    async def async_keep_house(self, data: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        """Keep what the house's entry says now."""
        kept = data.get(CONF_PULL_SECRET) or self.secret, _options(options)
        if kept != (self.secret, self.options):
            self.secret, self.options = kept
            await self._store.async_save()

    async def async_keep_module(self, entry: ConfigEntry) -> None:
        """Keep who a module was whose entry is deleted."""
        former = _former(entry)
        others = [item for item in self.former if item["identity"] != former["identity"]]
        self.former = [*others, former][-_MOST:]
        await self._store.async_save()

    async def async_forget_modules(self) -> None:
        """Give up all that is known of modules that were deleted."""
        if self.former:
            self.former = []
            await self._store.async_save()

    @callback
    def was(self, entry: ConfigEntry, taken: Collection[str | None]) -> Former | None:
        """Return the deleted module that was added again, if an entry is one.

        Its MAC tells, else its name, else its place where it has neither. Whose identity is taken
        is there already, by another entry.
        """
        now = _former(entry)
        found = [item for item in reversed(self.former) if item["identity"] not in taken]
        for item in found:
            if now["mac"] is not None and item["mac"] == now["mac"]:
                return item
        for item in found:
            is_other = None not in {item["mac"], now["mac"]}
            here = item["place"] is not None and item["place"] == now["place"]
            named = now["name"] == item["name"] and now["place"] is item["place"] is None
            if not is_other and (here or named):
                return item
        return None

    def secret_of(self, mac: str) -> str | None:
        """Return the secret that a deleted module alone had."""
        own = (item["secret"] for item in reversed(self.former) if item["mac"] == mac)
        return next(own, None)

    def _stored(self) -> dict[str, Any]:
        return {"secret": self.secret, "options": self.options, "former": self.former}


def _former(entry: ConfigEntry) -> Former:
    data = entry.data
    is_named = data.get(CONF_SERVICE_NAME) or data.get(CONF_MAC)
    port = data.get(CONF_UPLOAD_PORT) or data.get(CONF_PORT)
    return {
        "identity": data.get(CONF_IDENTITY) or entry.entry_id,
        "name": str(data.get(CONF_NAME, "")).lower(),
        "mac": data.get(CONF_MAC),
        "place": None if is_named else f"{data.get(CONF_HOST)}:{port}",
        "secret": data.get(CONF_PULL_SECRET),
    }


def _options(options: Mapping[str, Any]) -> dict[str, Any]:
    return {key: options[key] for key in _OUTLIVING if key in options}


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
