"""Modules that nobody has added: which of them are offered to the person.

Anybody in the network can announce thousands of names, and thousands of MACs under the name of a
known module. A few are believed at once; beyond that a module is offered only when it answers at
the address it names, one address offers few, and what is left out is told in one repair.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
import time
from typing import Final

from homeassistant.config_entries import SOURCE_ZEROCONF, ConfigFlowContext
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import discovery_flow
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..issues import async_raise_left_out
from ..ota import ModuleFacts, is_alive
from .announcements import Announcements
from .records import as_discovered

_NEWCOMERS: Final[HassKey[Newcomers]] = HassKey(f"{DOMAIN}_newcomers")

_CALM: Final = 8
"""Cards that may wait, or are to come, before anybody is asked whether it is there."""
_MOST: Final = 32
"""Cards of one source at once, with those to come: nobody looks through more."""
_OF_ONE_ADDRESS: Final = 4
"""Offers from one address within `_AGAIN`: a few modules may be behind one router."""
_AGAIN: Final = 600.0
"""Seconds after which one that is still there is offered anew."""
_WAITING: Final = 2048
"""Announcements that wait to be looked at, and offers kept; of more the oldest are left out."""
_AT_ONCE: Final = 32
_PAUSES: Final = (3.0, 6.0, 15.0, 60.0, 300.0)
"""Seconds after which one that shares its name is offered again, where that is in doubt still."""
_ANSWER: Final = 1.4
"""Seconds for an answer to a question: a responder may hold it back for one (RFC 6762, 6)."""
_PATIENCE: Final = 1.0
"""Seconds for an answer, as a module in the house takes for ARP and a sleeping radio."""

type _Offer = Callable[[str, ZeroconfServiceInfo], None]
"""Gives its card to who answered."""


class Newcomers:
    """Of one Home Assistant; also before the first module is added."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Nobody has come."""
        self._hass = hass
        self._offered: OrderedDict[str, tuple[float, str]] = OrderedDict()
        """When and from where somebody was offered: by MAC, or by what its flow is known by."""
        self._waiting: OrderedDict[str, tuple[ZeroconfServiceInfo, _Offer]] = OrderedDict()
        self._passed: set[str] = set()
        """Flows of who was found to answer, or is introduced, on the way to the card."""
        self._introducing: set[asyncio.Task[None]] = set()
        self._looking: asyncio.Task[None] | None = None
        self._left_out = 0

    def _cards(self, source: str) -> int:
        """Return how many of a source wait for the person, or are looked into to do so."""
        flows = self._hass.config_entries.flow.async_progress_by_handler(
            DOMAIN, include_uninitialized=True
        )
        contexts = [flow["context"] for flow in flows]
        shown = (one for one in contexts if one["source"] == source and "title_placeholders" in one)
        return sum(1 for _ in shown) + len(self._introducing) * (source == SOURCE_ZEROCONF)

    def _was_offered(self, who: str) -> bool:
        """Whether somebody was offered just now."""
        now = time.monotonic()
        while self._offered and now - next(iter(self._offered.values()))[0] >= _AGAIN:
            self._offered.popitem(last=False)
        return who in self._offered

    @callback
    def async_may_offer(self, who: str, host: str, source: str) -> bool:
        """Note that somebody is to be offered; False when it was just now, or is too much."""
        if self._was_offered(who):
            return False
        same = sum(1 for _, one in self._offered.values() if one == host)
        if same >= _OF_ONE_ADDRESS or self._cards(source) >= _MOST:
            self._async_leave_out()
            return False
        self._offered[who] = time.monotonic(), host
        if len(self._offered) > _WAITING:
            self._offered.popitem(last=False)
        return True

    @callback
    def async_admit(self, info: ZeroconfServiceInfo, mac: str | None) -> bool:
        """Whether an unknown module gets a card now; else it is looked at first.

        Its flow counts as a card as soon as it has the title of one.
        """
        who = _flow_of(info, mac)
        if who in self._passed:
            self._passed.discard(who)
            return True
        if self._cards(SOURCE_ZEROCONF) < _CALM:
            self._offered.pop(who, None)  # Home Assistant knows what it has offered
            if self.async_may_offer(who, info.host, SOURCE_ZEROCONF):
                return True
        self._async_wait(who, info, self._async_discover)
        return False

    @callback
    def _async_wait(self, who: str, info: ZeroconfServiceInfo, offer: _Offer) -> None:
        """Have it looked at, and offered if it answers."""
        self._waiting.pop(who, None)
        self._waiting[who] = info, offer
        if len(self._waiting) > _WAITING:
            self._waiting.popitem(last=False)
            self._async_leave_out()
        if self._looking is None or self._looking.done():
            self._looking = self._hass.async_create_background_task(
                self._async_look(), "ESP OTA newcomers"
            )

    async def _async_look(self) -> None:
        """Ask those who wait whether they are there; who answers gets its card."""
        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(self._async_look_at_some())

    async def _async_look_at_some(self) -> None:
        while self._waiting:
            who, (info, offer) = self._waiting.popitem(last=False)
            if not await is_alive(info.host, info.port or 0, _PATIENCE):
                self._async_leave_out()
            elif self.async_may_offer(who, info.host, SOURCE_ZEROCONF):
                offer(who, info)

    @callback
    def async_heard(self, service_name: str, facts: ModuleFacts) -> None:
        """Offer a board that shares its name with a known module, but says its own MAC.

        Home Assistant reports a name that it has reported before only when its records change.
        """
        mac = facts.mac
        if mac is None or mac in self._waiting or self._was_offered(mac):
            return
        info = as_discovered(service_name, facts, {"mac": mac})
        is_calm = self._cards(SOURCE_ZEROCONF) < _CALM
        if is_calm and self.async_may_offer(mac, facts.host, SOURCE_ZEROCONF):
            self._async_introduce(mac, info)
        else:
            self._async_wait(mac, info, self._async_introduce)

    @callback
    def async_offer_again(self, announcements: Announcements, service_name: str) -> None:
        """Offer a module whose entry was removed, if it is there.

        Home Assistant does so by itself only under a name under which it has discovered it, asks
        once, and then no more as long as the records are the same.
        """
        self._hass.async_create_background_task(
            self._async_find(announcements, service_name), f"ESP OTA finds {service_name} again"
        )

    async def _async_find(self, announcements: Announcements, service_name: str) -> None:
        asked_at = time.monotonic()
        announcements.async_ask(service_name)
        await asyncio.sleep(_ANSWER)
        info = announcements.info(service_name)
        if info is None or announcements.address_told(service_name) < asked_at - _ANSWER:
            return  # it answers within a second, or has just said it
        discovery_flow.async_create_flow(self._hass, DOMAIN, _context(info), info)

    @callback
    def _async_introduce(self, mac: str, info: ZeroconfServiceInfo) -> None:
        task = self._hass.async_create_background_task(
            self._async_offer(mac, info), f"ESP OTA newcomer {mac}"
        )
        self._introducing.add(task)
        task.add_done_callback(self._introducing.discard)

    async def _async_offer(self, mac: str, info: ZeroconfServiceInfo) -> None:
        """Offer it once nothing else of its name is being looked into."""
        for pause in (0.0, *_PAUSES):
            await asyncio.sleep(pause)
            self._let_pass(flow := _flow_of(info, mac))
            result = await self._hass.config_entries.flow.async_init(
                DOMAIN, context=_context(info), data=info
            )
            self._passed.discard(flow)
            if result.get("reason") not in {"already_in_progress", "same_name"}:
                return

    @callback
    def _async_discover(self, who: str, info: ZeroconfServiceInfo) -> None:
        self._let_pass(who)
        discovery_flow.async_create_flow(self._hass, DOMAIN, _context(info), info)

    def _let_pass(self, who: str) -> None:
        if len(self._passed) >= _MOST:
            self._passed.clear()
        self._passed.add(who)

    @callback
    def _async_leave_out(self) -> None:
        """Count, and tell when it has become twice as many: one repair, not one for each."""
        self._left_out += 1
        if self._left_out & (self._left_out - 1) == 0:
            async_raise_left_out(self._hass, self._left_out)


def _context(info: ZeroconfServiceInfo) -> ConfigFlowContext:
    """Return that of a discovery: by its key it is found again where it was ignored, or removed."""
    key = discovery_flow.DiscoveryKey(domain="zeroconf", key=(info.type, info.name), version=1)
    return {"source": SOURCE_ZEROCONF, "discovery_key": key}


def _flow_of(info: ZeroconfServiceInfo, mac: str | None) -> str:
    """Return what a flow is known by: boards of one name are told apart by their MACs."""
    return info.name if mac is None else f"{mac} {info.name}"


@callback
def async_newcomers(hass: HomeAssistant) -> Newcomers:
    """Return the one of this Home Assistant."""
    if _NEWCOMERS not in hass.data:
        hass.data[_NEWCOMERS] = Newcomers(hass)
    return hass.data[_NEWCOMERS]
