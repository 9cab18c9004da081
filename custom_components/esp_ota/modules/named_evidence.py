"""The two sources of evidence that a person names: a page of the module, and an entity."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
import random
import time
from typing import Any, Final, Protocol

from aiohttp import ClientError, ClientSession, StreamReader, hdrs
from yarl import URL

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    HassJob,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.event import (
    async_call_later,
    async_track_state_change_event,
)
from homeassistant.util import dt as dt_util

from ..const import (
    CONF_INFO_ENTITY,
    CONF_INFO_PATH,
    CONF_INFO_URL,
    CONF_MAC,
    CONF_SERVICE_NAME,
    LOGGER,
)
from ..ota import (
    INFO_SIZE_LIMIT,
    EvidenceSource,
    Sighting,
    is_another_board,
    mac_from,
    one_line,
    version_from,
)

_SECONDS: Final = 5.0
"""For one answer; a module that is just starting is asked again."""
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_LOCKED: Final = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_MOST_HOPS: Final = 3
"""Pages asked for one: `/` leads to `/index.html`, and that to a login at most."""
_AGAIN: Final = 900.0
"""Seconds until a page is looked at again, as `vigil.py` asks who announces itself: nobody tells of
a module that was flashed by a cable."""
_NO_SOONER: Final = 60.0
"""Seconds between two looks at the page of one that is heard again and again."""
_FRESH: Final = {"Cache-Control": "no-cache"}
_HOST: Final = "{host}"
"""In a URL: the page is the module's own, and can say who it is."""
_SILENT: Final = {STATE_UNAVAILABLE, STATE_UNKNOWN, ""}


class Module(Protocol):
    """Whom all of this is about."""

    @property
    def is_busy(self) -> bool:
        """Whether its page is better left alone."""

    def async_told(self, sighting: Sighting) -> None:
        """Take a statement of what it runs."""

    def async_learn_mac(self, mac: str) -> None:
        """Take a MAC that was not known, if it is no other module's; it may ask by that then."""


class NamedEvidence:
    """Asks and listens for one module."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, module: Module) -> None:
        """Let the module have each statement."""
        self._hass = hass
        self._entry = entry
        self._module = module
        self._asking: asyncio.Task[None] | None = None
        self._asked_at = 0.0
        """When it was looked at last (`time.monotonic()`)."""
        self._stop: CALLBACK_TYPE | None = None
        self._stop_timer: CALLBACK_TYPE | None = None

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Listen to the entity and look at the page, now and again; returns what stops it."""
        self.async_stop()
        self._listen()
        if self._entry.options.get(CONF_INFO_URL):
            self.async_ask()
            self._look_later()
        return self.async_stop

    @callback
    def async_stop(self) -> None:
        """Listen no more, and look no more."""
        for stop in (self._stop, self._stop_timer):
            if stop is not None:
                stop()
        self._stop = self._stop_timer = None

    def _look_later(self) -> None:
        seconds = _AGAIN * random.uniform(0.9, 1.0)  # noqa: S311 - not all at once
        name = f"ESP OTA info page of {self._entry.title}"
        job = HassJob(self._look_again, name, cancel_on_shutdown=True)
        self._stop_timer = async_call_later(self._hass, seconds, job)

    @callback
    def _look_again(self, _now: datetime) -> None:
        self._look_later()
        self.async_heard()

    @callback
    def async_heard(self) -> None:
        """Look at the page of a module that is there: it may have been flashed; not too often."""
        if not self._module.is_busy and time.monotonic() - self._asked_at >= _NO_SOONER:
            self.async_ask()

    def _listen(self) -> None:
        """Listen to the entity, by the name that it has now."""
        if (entity_id := self._entry.options.get(CONF_INFO_ENTITY)) is None:
            return
        self._repeat(entity_id)

        @callback
        def changed(event: Event[EventStateChangedData]) -> None:
            if (state := event.data["new_state"]) is not None:
                self._entity_says(state)

        self._stop = async_track_state_change_event(self._hass, [entity_id], changed)

    def _repeat(self, entity_id: str) -> None:
        if (state := self._hass.states.get(entity_id)) is not None:
            self._entity_says(state)

    @callback
    def async_repeat(self) -> None:
        """Take once more what entity and page say, which was forgotten with all the rest."""
        if (entity_id := self._entry.options.get(CONF_INFO_ENTITY)) is not None:
            self._repeat(entity_id)
        self.async_heard()

    def _entity_says(self, state: State) -> None:
        """Take what it shows; what it has shown for long was said then."""
        if state.state not in _SILENT:
            age = (dt_util.utcnow() - state.last_updated).total_seconds()
            self._say(EvidenceSource.ENTITY, state.state, time.monotonic() - max(0.0, age))

    def _say(self, source: EvidenceSource, version: str, at: float) -> None:
        self._module.async_told(Sighting(source=source, at=at, version=version))

    @callback
    def async_ask(self) -> None:
        """Look at the page, unless somebody is looking already."""
        if not self._entry.options.get(CONF_INFO_URL) or (
            self._asking is not None and not self._asking.done()
        ):
            return
        self._asked_at = time.monotonic()
        self._asking = self._entry.async_create_background_task(
            self._hass, self._async_look(), f"ESP OTA info page of {self._entry.title}"
        )

    async def _async_look(self) -> None:
        asked_at = time.monotonic()  # before it: the module may go while it answers
        options = self._entry.options
        body, age = await _async_page(self._hass, self._entry, options)
        if body is None or (version := version_from(body, options.get(CONF_INFO_PATH))) is None:
            return
        mac = self._other_mac(body) if _HOST in options[CONF_INFO_URL] else None
        self._learn_mac(body)
        source, at = EvidenceSource.INFO_URL, asked_at - age
        self._module.async_told(Sighting(source=source, at=at, version=version, mac=mac))

    def _learn_mac(self, body: bytes) -> None:
        """Keep the MAC of a module that says it nowhere else: a router knows it by that."""
        data = self._entry.data
        is_page_alone = data.get(CONF_SERVICE_NAME) is None and data.get(CONF_MAC) is None
        if (
            is_page_alone
            and _HOST in self._entry.options[CONF_INFO_URL]
            and (mac := mac_from(body))
        ):
            self._module.async_learn_mac(mac)

    async def async_other_mac(self, host: str) -> str | None:
        """Return the MAC of another module, where that is what the page at a host names."""
        options = self._entry.options
        if _HOST not in options.get(CONF_INFO_URL, ""):
            return None
        body, age = await _async_page(self._hass, self._entry, options, host)
        return self._other_mac(body) if body is not None and not age else None

    async def async_speaks_at(self, host: str) -> bool:
        """Whether the module's own page, where it has one, names a version at a host as well.

        Who is there may be anybody: the page is asked without the login and the query that its
        address may have, and may want them.
        """
        options = self._entry.options
        if _HOST not in options.get(CONF_INFO_URL, ""):
            return True
        url = _url_of(options, host)
        shown = url.with_user(None).with_query(None)
        try:
            async with asyncio.timeout(_SECONDS):
                body, _ = await _look_at(async_get_clientsession(self._hass), shown)
        except _LockedError:
            return shown != url
        except ClientError, TimeoutError, ValueError:
            return False
        return body is not None and version_from(body, options.get(CONF_INFO_PATH)) is not None

    def _other_mac(self, body: bytes) -> str | None:
        known, mac = self._entry.data.get(CONF_MAC), mac_from(body)
        return mac if mac and known and is_another_board(mac, known) else None


async def async_info_version(
    hass: HomeAssistant, entry: ConfigEntry, options: Mapping[str, Any]
) -> str | None:
    """Return what the page of a module says now, None when it is silent or names no version."""
    body, _ = await _async_page(hass, entry, options)
    return version_from(body, options.get(CONF_INFO_PATH)) if body is not None else None


async def _async_page(
    hass: HomeAssistant, entry: ConfigEntry, options: Mapping[str, Any], host: str | None = None
) -> tuple[bytes | None, float]:
    """Return a page, and for how many seconds somebody has kept it already."""
    session = async_get_clientsession(hass)
    try:
        async with asyncio.timeout(_SECONDS):
            return await _look_at(session, _url_of(options, host or entry.data[CONF_HOST]))
    except (ClientError, TimeoutError, ValueError) as err:
        LOGGER.debug("%s: its info page is silent: %s", entry.title, one_line(err))
        return None, 0.0


def _url_of(options: Mapping[str, Any], host: str) -> URL:
    """Return where the page is; the address of a module changes, the rest of the URL does not."""
    return URL(str(options[CONF_INFO_URL]).replace(_HOST, host))


class _LockedError(ClientError):
    """A page that wants a login, or a key."""


async def _look_at(session: ClientSession, url: URL) -> tuple[bytes | None, float]:
    """Return a page and its age, None for none; raises _LockedError where it wants a login.

    Redirects are followed on its own host only: what else there is in the house is no business of
    a module, and a GET switches many a relay.
    """
    for _ in range(_MOST_HOPS):
        async with session.get(url, headers=_FRESH, allow_redirects=False) as answer:
            there = answer.headers.get(hdrs.LOCATION)
            if answer.status in _REDIRECTS and there is not None:
                host, url = url.host, url.join(URL(there))
                if url.host != host:
                    return None, 0.0
                continue
            if answer.status in _LOCKED:
                raise _LockedError(answer.reason)
            if not answer.ok:
                return None, 0.0
            body = await _beginning(answer.content)
            age = answer.headers.get(hdrs.AGE, "")
        return body, float(age) if age.isdecimal() else 0.0
    return None, 0.0


async def _beginning(page: StreamReader) -> bytes:
    """Return as much of a page as is looked at; it may come in pieces."""
    try:
        return await page.readexactly(INFO_SIZE_LIMIT)
    except asyncio.IncompleteReadError as err:
        return err.partial
