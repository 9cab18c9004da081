"""The updates of all guests: begun, cancelled, moved, and picked up after a crash."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, Context, HassJob, HomeAssistant, callback
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..helpers import error_for
from ..house import HOUSE, House
from ..installs import ASKED, Asked
from ..modules import Press
from ..ota import Cause, InstallResult, InstallStage
from ..owners import GuestOwner
from .forgetting import Forgetting
from .guest import Guest
from .run import GuestRun

GUESTS: Final[HassKey[Guests]] = HassKey(f"{DOMAIN}_guests")


class Guests:
    """Made once when the integration is set up."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Nothing runs yet."""
        self._hass = hass
        self._house: House = hass.data[HOUSE]
        self._runs: dict[str, GuestRun] = {}
        self._sentences: dict[str, str] = {}
        self._listeners: list[Callable[[str], None]] = []
        self._is_picked_up = False
        """Whether what another life left open was looked for, which needs a started one."""

    @callback
    def async_start(self) -> None:
        """Pick up what was open, when Home Assistant has started: then their equipment is there."""
        self._hass.async_add_shutdown_job(HassJob(self.async_stop, "ESP OTA stop guests"))
        async_at_started(self._hass, self._async_pick_up)
        async_at_started(self._hass, Forgetting(self._hass, self._house).async_start)

    @callback
    def _async_pick_up(self, _hass: HomeAssistant) -> None:
        self._is_picked_up = True
        for key, note in self._house.journal.open_guests().items():
            if key in self._runs:
                continue
            guest = Guest(self._hass, key, answer=note.get("guest", {}).get("answer"))
            guest.title = GuestOwner.noted(key, note).title
            run = GuestRun(self._hass, guest, note, Press.noted(note, guest.software))
            asked = self._hass.data.get(ASKED, {}).get(key)
            if asked is not None and asked.sha256 == note["sha256"]:
                asked.put_into(run, partial(self.sentence, key))
            self._start(run, run.pick_up())

    def find(self, key: str) -> GuestRun | None:
        """Return the run of a guest that has not ended."""
        return self._runs.get(key)

    @property
    def running(self) -> list[str]:
        """The guests whose update runs or waits."""
        return list(self._runs)

    @callback
    def async_add_listener(self, listener: Callable[[str], None]) -> CALLBACK_TYPE:
        """Call a listener with the key of a guest whose update has begun, ended or come further."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def _changed(self, key: str) -> None:
        for listener in list(self._listeners):
            listener(key)

    def sentence(self, key: str) -> str | None:
        """Return how the last update of a guest ended, since Home Assistant was started."""
        run = self._runs.get(key)
        return run.sentence if run else self._sentences.get(key)

    def is_running(self, key: str) -> bool:
        """Whether an update of a guest runs or waits, or is yet to be picked up."""
        is_left = self._house.journal.open_install(key) is not None
        return key in self._runs or (is_left and not self._is_picked_up)

    @callback
    def async_begin(
        self,
        guest: Guest,
        wanted: str,
        context: Context,
        *,
        now: bool = False,
        once_more: bool = False,
        asked: Asked | None = None,
    ) -> GuestRun:
        """Begin to update a guest to a version; `asked` is what a rollout wants besides.

        `once_more` is for who knows that it has failed twice.

        Raises HomeAssistantError while one runs, and when Home Assistant stops.
        """
        is_left = self._house.journal.open_install(guest.entry_id) is not None
        if self.is_running(guest.entry_id) or is_left:
            raise error_for(Cause.INSTALL_RUNNING, {}, module=guest.title)
        if self._hass.is_stopping:
            raise error_for(Cause.CANCELLED, {}, module=guest.title)
        before = guest.state().installed
        began = dt_util.utcnow()
        press = Press(
            firmware=guest.software, version=wanted, before=before, began=began, context=context
        )
        run = GuestRun(
            self._hass,
            guest,
            {
                "stage": InstallStage.CHECKING,
                "sha256": wanted,
                "version": wanted,
                "before": before,
                "user": context.user_id,
                "started": began.isoformat(),
                "guest": {"name": guest.title, "answer": guest.answer},
            },
            press,
        )
        if now:
            run.note["now"] = True
        if once_more:
            run.note["once_more"] = True
        if asked is not None:
            asked.put_into(run, partial(self.sentence, guest.entry_id))
        self._start(run, run.run())
        return run

    @callback
    def _start(self, run: GuestRun, work: Coroutine[Any, Any, InstallResult]) -> None:
        """Run it as a task that outlives who asked for it."""
        key = run.guest.entry_id
        self._runs[key] = run
        run.on_changed = partial(self._changed, key)
        run.on_changed()

        async def live() -> InstallResult:
            try:
                return await work
            finally:
                del self._runs[key]
                self._sentences[key] = run.sentence
                self._changed(key)

        task = self._hass.async_create_background_task(live(), f"ESP OTA guest {run.guest.title}")
        self._house.running[key] = task

    async def async_cancel(self, key: str) -> None:
        """End what waits or runs, and return when the equipment is restored.

        What its integration was told goes on. Raises HomeAssistantError when nothing runs, when
        it is over already, and when the equipment was not restored.
        """
        run = self._running(key)
        run.raise_if_over()
        await self._async_end(key)
        run.raise_unless_restored()

    async def async_move(self, key: str, place: int) -> None:
        """Put one that waits at a place in the queue of the house, counted from 1.

        Raises HomeAssistantError when it does not wait.
        """
        run = self._running(key)
        if not run.is_waiting:
            raise error_for(Cause.NOT_QUEUED, {}, module=run.guest.title)
        await run.async_move(place)

    def _running(self, key: str) -> GuestRun:
        if (run := self._runs.get(key)) is None:
            raise error_for(Cause.NOTHING_RUNNING, {}, module=Guest(self._hass, key).title)
        return run

    async def _async_end(self, key: str) -> None:
        task = self._house.running[key]
        task.cancel()
        await asyncio.wait({task})

    async def async_stop(self) -> None:
        """Leave what can wait for the next start, and wait for what has to be restored."""
        for key, run in list(self._runs.items()):
            run.put_aside()
            await self._async_end(key)
