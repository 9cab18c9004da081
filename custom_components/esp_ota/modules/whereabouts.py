"""Where one module is now: the one source of it, asked before every connection.

An address is lent, and a host name is only what a sketch calls itself. So the module is asked who
and where it is, and each answer is weighed: who has its MAC, or its name where no other board says
the same. mDNS proves nothing, though: a new address is believed when the old one is silent or has
become another module's, and the new one answers as this module does. Else a repair asks.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
import math
import time
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ..const import CONF_MAC, CONF_SERVICE_NAME, LOGGER
from ..house import Claim, House, async_newcomers
from ..issues import async_clear_doubt, async_raise_doubt
from ..ota import (
    Address,
    Bell,
    Cause,
    InstallRefused,
    ModuleConnectionError,
    ModuleFacts,
    OtaError,
    catch_up,
)
from .moves import Moves
from .own_page import OwnPage

_DOUBT_AGAIN: Final = 10.0
"""Seconds until a doubt is looked into again; installs do at once."""
_LONGEST: Final = 600.0
"""The same when nothing changes for long."""
_DOUBTS: Final = {Cause.SAME_NAME, Cause.MODULE_MOVED}
"""What stays so until something is changed, or a person says how it is."""
_BUSY: Final = 0.3
"""Seconds that it takes a machine to read what has arrived, if it is behind with that."""
_SILENT: Final = 60.0
"""Seconds in which nobody is asked again who was never heard and did not answer: where Wi-Fi loses
multicast, each connection would wait for nothing."""
_RIVAL: Final = 0.3
"""Seconds after the first answer in which a second board of the same name would have answered."""


class Whereabouts:
    """Of one module; what is found out is kept in its entry."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        house: House,
        *,
        moves: Moves,
        other_mac: Callable[[str], Awaitable[str | None]],
        on_found: Callable[[ModuleFacts, float], None],
    ) -> None:
        """Let `moves` judge whether it is where somebody says to be it.

        `other_mac` returns the MAC of another module that a page at a host names; `on_found`
        gets what was announced at a new address before it was known to be this module's.
        """
        self._hass = hass
        self._entry = entry
        self._house = house
        self.moves = moves
        self._page = OwnPage(house, other_mac)
        self._on_found = on_found
        self._heard = Bell()
        self._asking = asyncio.Lock()
        self._meeting = asyncio.Lock()
        self._following: asyncio.Task[None] | None = None
        self._silent_at = -math.inf
        """When it was asked last and nobody answered (`time.monotonic()`)."""

    @property
    def address(self) -> Address:
        """Where it was found last; `now` finds out whether it is there still."""
        return self.moves.address

    @property
    def _mac(self) -> str | None:
        return self._entry.data.get(CONF_MAC)

    @property
    def _name(self) -> str | None:
        return self._entry.data.get(CONF_SERVICE_NAME)

    def is_here(self, facts: ModuleFacts) -> bool:
        """Whether a statement names the host that is known; its port may be another by now."""
        host = self.address.host.lower().removesuffix(".local")
        return host in {facts.host, facts.name.lower()}

    def is_ours(self, facts: ModuleFacts) -> bool:
        """Whether a statement under this name is this module's: of its address, no other MAC."""
        if facts.mac is not None and (
            self._belongs_to_another(facts.mac) or self._mac not in {None, facts.mac}
        ):
            return False
        return self.is_here(facts)

    def _belongs_to_another(self, mac: str) -> bool:
        return any(entry is not self._entry for entry in self._house.roster.with_mac(mac))

    # What is heard

    @callback
    def async_heard(self, facts: ModuleFacts) -> None:
        """Take an announcement under this module's name: where it says to be is looked into."""
        self._heard.ring()
        moved = not self.is_here(facts) and (self._mac is None or facts.mac in {self._mac, None})
        if moved:
            self._async_do(self._follow())

    @callback
    def async_introduce(self, facts: ModuleFacts) -> None:
        """Offer a board of this module's name that says another MAC; of one known it is not."""
        if self._name is not None and facts.mac not in {None, self._mac}:
            assert facts.mac is not None
            if not self._belongs_to_another(facts.mac):
                async_newcomers(self._hass).async_heard(self._name, facts)

    @callback
    def async_asked_from(self, host: str, *, believed: bool) -> None:
        """Take that it asked for an update from somewhere: it may have moved there.

        Where that alone is not `believed`, a person is asked whether it did.
        """
        if host != self.address.host and not self.moves.is_denied(host):
            address = Address(host, self.address.port)
            self._async_do(self._follow_to(address, asks=not believed))

    @callback
    def _async_do(self, work: Coroutine[Any, Any, None]) -> None:
        if self._following is not None and not self._following.done():
            work.close()
            return
        self._following = self._entry.async_create_background_task(
            self._hass, work, f"ESP OTA address of {self._entry.title}"
        )

    async def _follow(self) -> None:
        """Find out where it is; while two cannot be told apart, again and again."""
        pause = _DOUBT_AGAIN
        while True:
            try:
                await self.now()
            except OtaError as err:
                LOGGER.debug("%s: where it is cannot be told: %s", self._entry.title, err)
                if err.cause not in _DOUBTS:
                    return
            else:
                return
            await asyncio.sleep(_DOUBT_AGAIN)
            await self._heard.wait(pause)
            pause = min(2 * pause, _LONGEST)

    async def _follow_to(self, address: Address, *, asks: bool = False) -> None:
        """Believe where it asked from, which may be a router's: the new answers, the old not."""
        try:
            await self.moves.raise_unless_moved(address)
        except InstallRefused as err:
            if asks:
                async_raise_doubt(self._hass, self._entry, err.cause, err.facts)
        else:
            self.async_move(*address)

    async def async_meet(self, facts: ModuleFacts) -> bool | None:
        """Look into an announcement that the house's ears may have missed; installs wait for that.

        Returns whether it is this module's, None where that cannot be told, or one is looked into.
        """
        if self._meeting.locked():
            return None
        async with self._meeting:
            return await self._meet(facts)

    async def _meet(self, facts: ModuleFacts) -> bool | None:
        if self._name is None:
            if facts.mac is not None and facts.mac == self._mac and not self.is_here(facts):
                await self._follow_to(Address(facts.host, facts.port))
        elif not self._knows_better(facts):
            self._house.announcements.async_claimed(self._name, facts)
        try:
            await self.now()
        except InstallRefused:
            return None
        if self.is_here(facts):
            return True
        return False if facts.mac != self._mac else None

    def _knows_better(self, facts: ModuleFacts) -> bool:
        """Whether our own ears heard this: others mix the records of two boards of one name."""
        return any(
            (claim.facts.host, claim.facts.port) == (facts.host, facts.port)
            for claim in self.claims(0.0)
        )

    # Where it is

    def confirm(self, address: Address) -> None:
        """Return when nothing heard since speaks against it being there.

        Raises ModuleConnectionError where something does: then `now` has to find out.
        """
        known = (claim for claim in self.claims(0.0) if self.is_here(claim.facts))
        newest = next(known, None)
        if (
            address != self.address
            or self._other_there(address) is not None
            or (newest is not None and self._is_stranger(newest))
        ):
            raise ModuleConnectionError(Cause.MOVED, host=address.host)

    async def now(self) -> Address:
        """Return where it is, after asking it; follows it there.

        Raises InstallRefused when another module is there, or one that cannot be told from it.
        """
        async with self._asking:
            try:
                found = await self._found()
                if (mac := await self._page.stranger_at(found)) is not None:
                    raise self._wrong_module(mac)
            except InstallRefused as err:
                if err.cause in _DOUBTS:
                    async_raise_doubt(self._hass, self._entry, err.cause, err.facts)
                    self._async_do(self._follow())
                raise
            async_clear_doubt(self._hass, self._entry.entry_id)
            self.async_move(*found)
            return found

    @callback
    def async_move(self, host: str, port: int | None = None) -> None:
        """Keep where it is, and take what it said from there."""
        if not self.moves.async_move(Address(host, port or self.address.port)):
            return
        for claim in self.claims(0.0):
            if self.is_here(claim.facts):
                self._on_found(claim.facts, claim.told)

    async def _found(self) -> Address:
        patience = self._house.patience
        began = time.monotonic()
        await catch_up()
        now = time.monotonic()
        # What a busy machine reads late is older than it looks.
        claims = self.claims(now - patience.breath) if now - began < _BUSY else []
        if any(not self.is_here(claim.facts) for claim in claims):
            # Who is where it was before shall have its say.
            claims = await self._asked(patience.breath, everybody=True) or claims
        elif not claims and (self.claims(0.0) or now - self._silent_at > _SILENT):
            # Also of whom nothing was heard yet: Home Assistant may just have started.
            claims = await self._asked(patience.breath)
            self._silent_at = -math.inf if claims else time.monotonic()
        try:
            return await self._judged(claims)
        except InstallRefused as doubt:
            return await self._beyond_doubt(doubt)

    async def _beyond_doubt(self, doubt: InstallRefused) -> Address:
        """Ask until it is certain; raises the doubt that stays. One that restarts is waited for."""
        patience = self._house.patience
        asked_at = time.monotonic()
        while (left := asked_at + patience.doubt - time.monotonic()) > 0:
            await self._asked(min(left, patience.breath), everybody=True)
            if not (claims := self.claims(asked_at)):
                continue
            try:
                return await self._judged(claims)
            except InstallRefused as err:
                doubt = err
                # Who is somewhere else may be shouted down where it was; twins have both answered.
                if err.cause is Cause.SAME_NAME and self._rounds_since(asked_at) > 1:
                    break
        if doubt.cause in _DOUBTS and not self.claims(asked_at):
            return await self._judged([])  # nobody says so any more
        raise doubt

    def _rounds_since(self, asked_at: float) -> int:
        """Return how often everybody was asked: an answer may be lost once."""
        return round((time.monotonic() - asked_at) / self._house.patience.breath)

    async def _asked(self, seconds: float, *, everybody: bool = False) -> list[Claim]:
        """Ask who has this name, and return who answers: at once, unless `everybody` is asked."""
        asked_at, name = time.monotonic(), self._name
        if name is None:
            return []
        self._house.announcements.async_ask(name)
        for other in {self._house.announcements.find(self.address.host, self.moves.port), None}:
            if everybody and other is not None and other.lower() != name.lower():
                self._house.announcements.async_ask(other)
        end = asked_at + seconds
        while (left := end - time.monotonic()) > 0:
            if not await self._heard.wait(left):
                break
            claims = self.claims(asked_at)
            if everybody or not claims:
                continue
            if any(self._is_proof(claim) for claim in claims):
                break
            end = min(end, claims[-1].at + _RIVAL)
        return self.claims(asked_at)

    def claims(self, since: float) -> list[Claim]:
        """Return who claimed this name since then, without those known to be other modules."""
        if self._name is None:
            return []
        return [
            claim
            for claim in self._house.announcements.claims(self._name, since)
            if (claim.facts.mac is None or not self._belongs_to_another(claim.facts.mac))
            and not self.moves.is_denied(claim.facts.host)
        ]

    def _is_proof(self, claim: Claim) -> bool:
        return self._mac is not None and claim.facts.mac == self._mac

    def _is_stranger(self, claim: Claim) -> bool:
        return self._mac is not None and claim.facts.mac not in {self._mac, None}

    async def _judged(self, claims: list[Claim]) -> Address:
        """Return where the module is by what was said in one breath, the newest first.

        Raises InstallRefused where that is in doubt.
        """
        here = self.address
        claims = claims or [one for one in self.claims(0.0) if self.is_here(one.facts)][:1]
        strangers = [claim for claim in claims if self._is_stranger(claim)]
        own = [claim for claim in claims if not self._is_stranger(claim)]
        # A board with cable and Wi-Fi answers at both; one that moved says no more where it was.
        # A flood of others is always newer: who is where it was has all the time to say so.
        proven = [claim for claim in own if self._is_proof(claim)]
        late = {True: self._house.patience.breath, False: _RIVAL}
        newest = proven[0].at if proven else 0.0
        as_new = [one for one in proven if one.at >= newest - late[self.is_here(one.facts)]]
        found = _one_of(as_new or own, self.is_here)
        if (before := await self.moves.speaks_before(own)) is not None:
            found = before
        if found is None:
            for claim in strangers:
                if self.is_here(claim.facts):
                    raise self._wrong_module(claim.facts.mac)
        elif not proven:
            self._raise_for_twin(own, found)
        where = here
        if found is not None:
            host = here.host if self.is_here(found.facts) else found.facts.host
            where = Address(host, found.facts.port)
        await self.moves.raise_unless_moved(where)
        if (doubt := self._other_there(where)) is not None:
            raise doubt
        return where

    def _raise_for_twin(self, own: list[Claim], found: Claim) -> None:
        """Raise InstallRefused where two boards say the same of themselves."""
        twins = {claim.facts.host for claim in own if claim.facts.mac == found.facts.mac}
        if found.facts.mac is None and len(twins) > 1:
            twins.discard(found.facts.host)
            raise self._same_name(found.facts.host, twins.pop())

    def _other_there(self, address: Address) -> InstallRefused | None:
        """Return who else announced an address after this module did."""
        name = self._name
        if name is None:
            return None
        port = None if self.moves.port is None else address.port
        found = self._house.announcements.other_at(name, address.host, port)
        if found is None:
            return None
        expected, found = name.partition(".")[0], found.partition(".")[0]
        return InstallRefused(Cause.WRONG_MODULE, expected=expected, found=found)

    def _wrong_module(self, mac: str | None) -> InstallRefused:
        return InstallRefused(Cause.WRONG_MODULE, expected=self._mac, found=mac)

    def _same_name(self, host: str, other: str) -> InstallRefused:
        name = (self._name or "?").partition(".")[0]
        return InstallRefused(Cause.SAME_NAME, name=name, host=host, other=other)


def _one_of(claims: list[Claim], is_here: Callable[[ModuleFacts], bool]) -> Claim | None:
    """Return the claim of the known address, else the newest."""
    here = (claim for claim in claims if is_here(claim.facts))
    return next(here, claims[0] if claims else None)
