"""What one install waits for besides its turn, for how long, and what happens when that is over."""

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any, Final, Protocol

import voluptuous as vol

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from ..const import (
    CONF_AT_DEADLINE,
    CONF_SLEEPS,
    CONF_WAIT_HOURS,
    CONF_WHEN_INHIBITED,
    CONF_WINDOW,
    CONF_WINDOW_OF,
    DEADLINE_GIVE_UP,
    DEFAULT_WAIT_HOURS,
    INHIBITED_REFUSE,
    INHIBITED_WAIT,
    WINDOW_OF_HOUSE,
    WINDOW_OF_MODULE,
    WINDOW_OF_NOBODY,
)
from ..equipment import Conditions
from ..house import House, InstallNote
from ..issues import WAITS_LONG, async_clear_waits_long, async_raise_module_issue
from ..ota import Cause, InstallRefused, OtaError, Reason, Waits, Window
from ..owners import Owner

DEFAULT_SECONDS: Final = 300.0
"""What an install is taken to last where the module had none: a push by a weak Wi-Fi, a valve that
takes its time, and the restart."""
_SPARE: Final = 1.25
"""How much longer than the longest of the last ones it may take, and still ends in its window."""


class Life(Protocol):
    """Signs of life of whom it is waited for."""

    last: float

    async def sign(self, since: float) -> None:
        """Return when there is one that came later than this (`time.monotonic()`)."""


class Waiter(Protocol):
    """Who waits: a module, or a guest."""

    @property
    def house(self) -> House:
        """Where it stands in the queue."""

    @property
    def config_entry(self) -> Owner:
        """Whose install it is."""

    @property
    def life(self) -> Life:
        """Whether it is there."""


class Waiting:
    """Of one install; its options are those of the moment, its deadline counts from the press."""

    def __init__(self, hass: HomeAssistant, coordinator: Waiter, note: InstallNote) -> None:
        """Take what the journal says of the install."""
        self._hass = hass
        self._coordinator = coordinator
        self._entry = coordinator.config_entry
        self._note = note
        self._conditions: Conditions | None = None
        self._loaded: list[Any] = []
        """What the conditions were made from; a person may change them meanwhile."""
        self._unusable = ""
        self._has_told = False
        self.is_lifted = False
        """Whether no window holds any more: its module has the image already."""

    @property
    def sleeps(self) -> bool:
        """Whether the module is away most of the time, and comes by itself."""
        return bool(self._entry.options.get(CONF_SLEEPS, False))

    @property
    def waits_for_conditions(self) -> bool:
        """Whether what forbids an install is waited out."""
        options = self._coordinator.house.options
        return bool(options.get(CONF_WHEN_INHIBITED, INHIBITED_REFUSE) == INHIBITED_WAIT)

    # The window

    @property
    def _window(self) -> Mapping[str, Any]:
        """Return the window that holds for the module, empty for none."""
        own = self._entry.options
        whose = own.get(CONF_WINDOW_OF, WINDOW_OF_HOUSE)
        if self.is_lifted or self._note.get("now") or whose == WINDOW_OF_NOBODY:
            return {}
        options = own if whose == WINDOW_OF_MODULE else self._coordinator.house.options
        window: Mapping[str, Any] = options.get(CONF_WINDOW, {})
        return window

    @property
    def _of_rollout(self) -> Mapping[str, Any]:
        """Return the window of the rollout that it belongs to, empty for none."""
        if self.is_lifted or self._note.get("now"):
            return {}
        return self._note.get("window", {})

    @property
    def _raw(self) -> list[Any]:
        raw: list[Any] = self._window.get("conditions", [])
        return raw

    async def async_open(self) -> None:
        """Load the conditions of the window, where they are not those that are loaded."""
        if (raw := self._raw) == self._loaded:
            return
        self._unload()
        self._loaded, self._unusable = raw, ""
        try:
            conditions = await Conditions.load(self._hass, raw)
        except (vol.Invalid, HomeAssistantError, ValueError) as err:
            self._unusable = str(err)
        else:
            self._conditions = conditions

    def close(self) -> None:
        """Let go of what the conditions listen to; nothing waits any more."""
        async_clear_waits_long(self._hass, self._entry.entry_id)
        self._unload()

    def _unload(self) -> None:
        if self._conditions is not None:
            self._conditions.unload()
            self._conditions = None

    def bar(self) -> Reason | None:
        """Return why it may not begin now because of its window."""
        window = self._window
        if self._unusable and window:
            return Reason(why=Waits.WINDOW, what=self._unusable)
        for times in (self._of_rollout, window):
            if (reason := self._closed(times)) is not None:
                return reason
        if not window:
            return None
        if self._raw and (self._conditions is None or self._raw != self._loaded):
            return Reason(why=Waits.WINDOW, what="-")  # until they are loaded
        if self._conditions is not None:
            unmet = self._conditions.unmet({"module": self._entry.title})
            if unmet:
                return Reason(why=Waits.WINDOW, what=", ".join(unmet))
        return None

    def _closed(self, window: Mapping[str, Any]) -> Reason | None:
        """Return until when a window with times is closed, or too short; None where it is open."""
        if "start" not in window:
            return None
        times = window["start"], window["end"], tuple(window["days"])
        now = dt_util.utcnow().replace(microsecond=0)
        left, reason = _times(*times, now, dt_util.get_default_time_zone())
        return reason if left < self.seconds else None

    def waits_for_rollout(self) -> bool:
        """Whether the window of its rollout is closed, which nobody waits for in vain."""
        return self._closed(self._of_rollout) is not None

    @property
    def seconds(self) -> float:
        """For how long it is taken to run: as the last ones of this module did, with some spare."""
        return expected_seconds(self._coordinator.house, self._entry.entry_id, at_most=True)

    # The deadline

    @property
    def deadline(self) -> datetime:
        """Until when a better time is waited for."""
        hours = self._coordinator.house.options.get(CONF_WAIT_HOURS, DEFAULT_WAIT_HOURS)
        pressed = dt_util.parse_datetime(self._note["started"], raise_on_error=True)
        return pressed + timedelta(hours=hours)

    @property
    def seconds_left(self) -> float:
        """Seconds until then."""
        return (self.deadline - dt_util.utcnow()).total_seconds()

    def raise_if_over(self, err: OtaError) -> None:
        """Raise why it could not begin when its time is over, or tell that it waits on."""
        if self.seconds_left > 0:
            return
        options = self._coordinator.house.options
        if options.get(CONF_AT_DEADLINE, DEADLINE_GIVE_UP) == DEADLINE_GIVE_UP:
            raise err
        if not self._has_told:
            self._has_told = True
            placeholders = {"module": self._entry.title, "version": self._note["version"]}
            async_raise_module_issue(self._hass, self._entry.entry_id, WAITS_LONG, placeholders)

    def missed(self) -> OtaError:
        """Return what is told of an install whose window never let it begin."""
        bar = self.bar()
        return InstallRefused(Cause.WINDOW_MISSED, window=bar.what if bar else "-")


def expected_seconds(house: House, entry_id: str, *, at_most: bool = False) -> float:
    """Return what an install of a module is taken to last: as the last ones did on average.

    With `at_most`, what has to be left of a window for one to begin.
    """
    if not (took := house.journal.took(entry_id)):
        return DEFAULT_SECONDS
    return max(took) * _SPARE if at_most else sum(took) / len(took)


def time_windows(house: House, entry: Owner) -> list[Mapping[str, Any]]:
    """Return the window with times that holds for a module, if there is one."""
    own = entry.options
    whose = own.get(CONF_WINDOW_OF, WINDOW_OF_HOUSE)
    options = {WINDOW_OF_HOUSE: house.options, WINDOW_OF_MODULE: own}.get(whose, {})
    window: Mapping[str, Any] = options.get(CONF_WINDOW, {})
    return [window] if "start" in window else []


async def async_blocked(
    hass: HomeAssistant, coordinator: Waiter, window: dict[str, Any] | None
) -> Reason | None:
    """Return why an install would have to wait if somebody pressed now, or a rollout began it."""
    note: InstallNote = {
        "stage": "checking",
        "sha256": "",
        "version": "",
        "before": None,
        "started": dt_util.utcnow().isoformat(),
        "window": window or {},
    }
    waiting = Waiting(hass, coordinator, note)
    await waiting.async_open()
    try:
        return waiting.bar()
    finally:
        waiting.close()


@lru_cache(maxsize=16)
def _times(
    start: str, end: str, days: tuple[str, ...], now: datetime, zone: tzinfo
) -> tuple[float, Reason]:
    """Return for how many seconds a window stays open, and what is told where that is too short.

    Hundreds that wait for the same one ask in the same second.
    """
    window, local = Window.of(start, end, days), now.astimezone(zone)
    closes = window.closes(local)
    left = (closes - now).total_seconds() if closes is not None else 0.0
    return left, Reason(why=Waits.WINDOW, what=_moment(window.opens(local)))


def _moment(moment: datetime | None) -> str:
    """Return a time as people read it: the hour today, else with its day."""
    if moment is None:
        return "never"
    local = dt_util.as_local(moment)
    is_today = local.date() == dt_util.now().date()
    return local.strftime("%H:%M" if is_today else "%a %H:%M")
