"""One server that decides about modules: they are polled for, each at the server's pace."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
import random
import time
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from ..const import (
    BEGINS_BY_PRESS,
    CONF_BEGINS,
    CONF_INSIDE,
    CONF_LOGIN,
    CONF_TENANT,
    CONF_TOKEN,
    CONF_TOKENS,
    CONF_URL,
    LOGGER,
    LOGIN_GATEWAY,
    LOGIN_NONE,
    LOGIN_TARGET,
)
from ..helpers import async_sentence
from ..house import HOUSE
from ..installs import ModuleRuntime
from ..ota import Account, Cause, DdiTarget, OtaError, Reach, target_base
from .fetching import Shelf
from .note import TargetNote
from .target import Ports, Target
from .trouble import async_clear_server_issue, async_raise_server_issue
from .words import name_at_server

AT_ONCE: Final = 4
"""Modules that are asked about at once: a server that is slow about one holds not all of them."""
APART: Final = 0.05
"""Seconds between the beginnings of two."""
SPREAD: Final = 0.2
"""Seconds between the first visits of two modules, after a start."""
_LOOK: Final = 2.0
"""Seconds until a module that was added is seen."""
_QUIET: Final = 30.0
"""Seconds for which a server is left alone that did not answer; twice as long each time."""
_LONGEST_QUIET: Final = 900.0
_OF_ALL: Final = frozenset({Cause.SOURCE_UNREACHABLE, Cause.SOURCE_ERROR, Cause.SOURCE_BUSY})
"""What is true for all modules at once."""
_TOLD_AFTER: Final = 2
"""Failures in a row that are worth a repair."""
_SCHEMES: Final = {LOGIN_GATEWAY: "GatewayToken", LOGIN_TARGET: "TargetToken"}


def account_for(settings: Mapping[str, Any], name: str) -> Account:
    """Return as whom a module is asked for."""
    login = settings.get(CONF_LOGIN, LOGIN_NONE)
    token = settings.get(CONF_TOKEN) or None
    if login == LOGIN_TARGET:
        token = settings.get(CONF_TOKENS, {}).get(name) or token
    scheme = _SCHEMES.get(login)
    return Account(
        host=settings[CONF_URL], token=token if scheme else None, scheme=scheme or "Bearer"
    )


class Server:
    """Lives as long as its subentry, with these settings."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        subentry: ConfigSubentry,
        notes: dict[str, TargetNote],
        *,
        runtimes: Callable[[str], Iterable[ModuleRuntime]],
        save: Callable[[], Awaitable[bool]],
    ) -> None:
        """Take the settings; nobody is asked before `async_start`."""
        self._hass = hass
        self._house = hass.data[HOUSE]
        self._entry = entry
        self.subentry_id = subentry.subentry_id
        self.title = subentry.title
        self.settings: Mapping[str, Any] = subentry.data
        self._notes = notes
        self._runtimes = runtimes
        self._ports = Ports(
            save=save,
            begins=lambda: self.settings.get(CONF_BEGINS, BEGINS_BY_PRESS),
            shelf=Shelf(hass),
        )
        self.targets: dict[str, Target] = {}
        self._stops: dict[str, Callable[[], None]] = {}
        self._reach = Reach.of(self.settings[CONF_URL], inside=bool(subentry.data.get(CONF_INSIDE)))
        self._task: asyncio.Task[None] | None = None
        self._room = asyncio.Semaphore(AT_ONCE)
        self._woken = asyncio.Event()
        self._failures = 0
        self._quiet_until = 0.0
        self.cause: str | None = None
        """Why the last visit failed, where it did."""

    @callback
    def async_start(self) -> None:
        """Ask for all modules from now on."""
        self._task = self._entry.async_create_background_task(
            self._hass, self._async_run(), f"ESP OTA server {self.title}"
        )

    @callback
    def async_stop(self) -> None:
        """Ask for none any more."""
        if self._task is not None:
            self._task.cancel()
        for stop in self._stops.values():
            stop()
        self._stops, self.targets = {}, {}
        async_clear_server_issue(self._hass, self.subentry_id)

    @callback
    def async_wake(self, entry_id: str) -> None:
        """Visit a module at once: there is something to tell."""
        if (target := self.targets.get(entry_id)) is not None:
            target.due = 0.0
            self._woken.set()

    async def _async_run(self) -> None:
        while True:
            self._follow()
            now = time.monotonic()
            waiting = [item for item in self.targets.values() if not item.is_busy]
            target = min(waiting, key=lambda item: item.due, default=None)
            due = max(target.due, self._quiet_until) if target else now + _LOOK
            if target is None or due > now:
                self._woken.clear()
                await _either(self._woken, min(due - now, _LOOK))
                continue
            await self._room.acquire()
            target.is_busy = True
            self._entry.async_create_background_task(
                self._hass, self._async_visit(target), f"ESP OTA visit of {self.title}"
            )
            await asyncio.sleep(APART)

    def _follow(self) -> None:
        """Take in modules that were loaded, let go of those that are not any more."""
        runtimes = {
            item.coordinator.config_entry.entry_id: item
            for item in self._runtimes(self.subentry_id)
        }
        for entry_id, target in list(self.targets.items()):
            if runtimes.get(entry_id) is not target.runtime:
                self._stops.pop(entry_id)()
                del self.targets[entry_id]
        self._forget(runtimes.keys())
        first = time.monotonic()
        for entry_id, runtime in runtimes.items():
            if entry_id not in self.targets:
                target = self.targets[entry_id] = self._target(entry_id, runtime)
                target.due = first
                first += SPREAD
                self._stops[entry_id] = target.progress.async_start()

    def _forget(self, ours: Collection[str]) -> None:
        """Forget modules that were removed, or that it does not decide about any more."""
        for entry_id in self._notes.keys() - ours:
            entry = self._hass.config_entries.async_get_entry(entry_id)
            if entry is None or entry.state is ConfigEntryState.LOADED:
                del self._notes[entry_id]
                self._house.assignments.dismiss(entry_id)

    def _target(self, entry_id: str, runtime: ModuleRuntime) -> Target:
        name = name_at_server(runtime.coordinator.config_entry, self.settings)
        note = self._notes.setdefault(entry_id, {})
        at_server = DdiTarget(
            async_get_clientsession(self._hass),
            target_base(self.settings[CONF_URL], self.settings[CONF_TENANT], name),
            account_for(self.settings, name),
            reach=self._reach,
        )
        return Target(self._hass, runtime, note, at_server, self._ports)

    async def _async_visit(self, target: Target) -> None:
        try:
            target.due = time.monotonic() + await self._async_asked(target)
        except Exception:  # noqa: BLE001 - logged; one odd answer must not end all visits
            LOGGER.exception("Server %s: a visit failed by an error of ours", self.title)
            target.due = time.monotonic() + _LONGEST_QUIET
        finally:
            target.is_busy = False
            self._room.release()
            self._woken.set()

    async def _async_asked(self, target: Target) -> float:
        """Visit a module; return the seconds until it is visited again."""
        try:
            seconds = await target.async_visit()
        except OtaError as err:
            return await self._failed(target, err)
        target.failures, self._failures, self._quiet_until = 0, 0, 0.0
        if self.cause is not None and not any(one.failures for one in self.targets.values()):
            self.cause = None
            async_clear_server_issue(self._hass, self.subentry_id)
        return seconds * float(random.uniform(0.95, 1.05))  # noqa: S311 - they are to drift apart

    async def _failed(self, target: Target, err: OtaError) -> float:
        """Leave the server alone for a while, where it is not about this module alone."""
        LOGGER.info("Server %s: %s", self.title, err)
        self.cause = str(err.cause)
        target.failures += 1
        failures = target.failures
        is_of_all = err.cause in _OF_ALL and not target.is_answered
        if is_of_all:
            self._failures += 1
            failures = self._failures
        quiet = min(_QUIET * 2.0 ** min(failures - 1, 5), _LONGEST_QUIET)
        if err.cause is Cause.SOURCE_BUSY:
            quiet = float(err.facts.get("minutes", "1")) * 60
        if is_of_all:
            self._quiet_until = time.monotonic() + quiet
        if failures >= _TOLD_AFTER:
            said = await async_sentence(self._hass, err.cause, err.facts, module=self.title)
            async_raise_server_issue(self._hass, self.subentry_id, self.title, said)
        return quiet

    @callback
    def async_ended(self, entry_id: str, remark: list[str]) -> None:
        """Take that an update ended: there may be something to tell, and the card shows another."""
        if (target := self.targets.get(entry_id)) is None:
            return
        target.runtime.coordinator.async_update_listeners()
        self.async_wake(entry_id)
        if remark:
            self._entry.async_create_background_task(
                self._hass, target.async_remark(remark), f"ESP OTA remark to {self.title}"
            )


async def _either(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, but not longer."""
    try:
        async with asyncio.timeout(max(seconds, 0.0)):
            await event.wait()
    except TimeoutError:
        return
