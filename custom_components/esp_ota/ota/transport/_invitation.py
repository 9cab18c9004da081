"""The UDP opener of ArduinoOTA: invite, prove the password, hear yes or no.

One connected socket for everything: ESP8266 and Pico answer the authentication to the port the
invitation came from (`ArduinoOTA.cpp`), and the call-back goes to the address it came from.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ..causes import Cause
from ..exceptions import ModuleAuthError, ModuleConnectionError, OtaError
from ..models import ImageKind, Payload
from ..module import DatagramSocket
from ._authentication import client_nonce, keys_for, response
from ._reading import Reading
from ._replies import readable, rejection

_COMMANDS: Final = {ImageKind.SKETCH: 0, ImageKind.FILESYSTEM: 100}
_AUTH_COMMAND: Final = 200
_AUTH_FAILED: Final = b"Authentication Failed"
_ROUNDS: Final = 4
"""For so many times the tries a module may answer without ever coming to a yes or no."""
_MOST_CHALLENGES: Final = 64
"""An ESP32 that is behind makes one for each invitation, of which there are 16 for a key at most,
and there are three keys; each costs us a proof of 10,000 rounds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InvitationLimits:
    """Seconds and counts of the UDP part."""

    answer: float = 2.0
    """One full wait before the second invitation, which cancels a challenge on its way."""
    tries: int = 4
    """With 2 s for the first and 4 s for the others more than the cores' own tools wait."""
    auth_answer: float = 5.0
    """The ESP8266 says `OK` from its main loop only, and an ESP32 reads one datagram in each: a
    sketch may keep it busy."""
    at_once: float = 0.3
    """An answer that comes so soon is one to the newest invitation; a radio sleeps for 300 ms."""
    longest: float = 120.0
    """For all of it: three keys, each with silences of 2, 4, 4 and 4 s and proofs that take 5 s."""


class Invitation:
    """Asks one module to call back for one payload."""

    def __init__(
        self,
        socket: DatagramSocket,
        payload: Payload,
        callback_port: int,
        password: str | None,
        limits: InvitationLimits,
        confirm: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare the datagram (`ArduinoOTA.cpp`: command, port, size, MD5, line feed)."""
        command = _COMMANDS[payload.kind]
        text = f"{command} {callback_port} {len(payload.data)} {payload.md5}\n"
        self._datagram = text.encode()
        self._socket = socket
        self._password = password
        self._limits = limits
        self._reading = Reading()
        self._tries = 0
        self._invitations = 0
        self._invited_at = self._heard_at = asyncio.get_running_loop().time()
        self._pace = 0.0
        """Seconds it took for one datagram, at most, once it is heard."""
        self._confirm = confirm
        """Raises where another module may listen by now: even an invitation stops a sketch."""
        self._challenges = 0
        self._keys_tried = 0
        self._keys_known = 0
        self._nonce: str | None = None
        """Of a challenge that is not answered yet."""
        self._proving = False
        self._silences = 0
        self._auth_silences = 0
        self._silence = Cause.NO_ANSWER
        self._failure: OtaError | None = None
        self.was_answered = False
        """Whether the module said anything at all, which sketches of 2015 never do."""

    @property
    def was_challenged(self) -> bool:
        """Whether the module asked for the password."""
        return self._keys_known > 0

    async def accepted(self) -> None:
        """Return when the module said `OK`; raises the OtaError that says why it did not."""
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._limits.longest):
                await self._accepted()
        except TimeoutError as err:
            raise self._endless(asyncio.get_running_loop().time() - began) from err

    def _endless(self, seconds: float) -> OtaError:
        if self._failure is not None:
            return self._failure
        return ModuleAuthError(Cause.AUTH_ENDLESS, seconds=round(seconds), count=self._challenges)

    async def _accepted(self) -> None:
        began = asyncio.get_running_loop().time()
        self._invite_anew()
        while True:
            reply = await self._receive(self._patience)
            if reply is None:
                await self._unanswered()
            elif reply.startswith(_AUTH_FAILED):
                self._refused()
            elif reply.startswith(b"AUTH"):
                self._challenges += 1
                if self._challenges > _MOST_CHALLENGES:
                    raise self._endless(asyncio.get_running_loop().time() - began)
                await self._challenged(readable(reply).removeprefix("AUTH").strip())
            else:
                self._raise_unless_ok(reply)
                return

    def _invite(self) -> None:
        """Invite once more; raises the OtaError that was heard last when it was often enough."""
        if self._invitations >= _ROUNDS * self._limits.tries:
            raise self._failure or ModuleAuthError(Cause.AUTH_NO_ANSWER)
        self._confirm()
        self._invitations += 1
        self._invited_at = asyncio.get_running_loop().time()
        self._reading.invited()
        self._socket.send(self._datagram)

    def _invite_anew(self) -> None:
        """Invite because nothing came; raises the OtaError that says so."""
        if self._tries >= self._limits.tries:
            raise self._failure or ModuleConnectionError(self._silence)
        self._tries += 1
        self._invite()

    @property
    def _patience(self) -> float:
        """Seconds for an answer: more for a module that may be slow, and has much to read."""
        limits = self._limits
        patience = 2 * limits.answer if self._silences else limits.answer
        if self._auth_silences:
            patience = 4 * limits.answer
        if self._proving:
            return limits.auth_answer + (len(self._reading) - 1) * self._pace
        return max(patience, len(self._reading) * self._pace)

    async def _receive(self, timeout: float) -> bytes | None:
        """Return a reply; an error is remembered, it may be a restart in progress."""
        end = asyncio.get_running_loop().time() + timeout
        while (left := end - asyncio.get_running_loop().time()) > 0:
            try:
                reply = await self._socket.receive(left)
            except ConnectionRefusedError:
                if self._silences and self._silence is not Cause.PORT_CLOSED:
                    self._silence = Cause.STOPPED_LISTENING  # it heard the first invitation
                else:
                    self._silence = Cause.PORT_CLOSED
            except OSError:
                self._silence = Cause.UNREACHABLE  # nobody answers ARP, or there is no route
            else:
                self.was_answered |= reply is not None
                return reply
        return None

    async def _challenged(self, nonce: str) -> None:
        """Answer the newest challenge, and none that ends before the answer can be read.

        Raises ModuleAuthError when there is no password, or none that fits.
        """
        if self._password is None:
            raise ModuleAuthError(Cause.PASSWORD_MISSING)
        self._keys_known = len(keys_for(self._password, nonce))
        self._reading.challenged()
        self._nonce = nonce
        self._proving = False
        now = asyncio.get_running_loop().time()
        self._pace = min(max(self._pace, now - self._heard_at), self._limits.auth_answer)
        self._heard_at = now
        if not self._reading or now - self._invited_at < self._limits.at_once:
            await self._prove()
        elif not self._reading.waits_in_the_end:
            self._invite()

    async def _prove(self) -> None:
        """Send what proves the password to the newest challenge."""
        assert self._password is not None
        assert self._nonce is not None
        nonce, self._nonce = self._nonce, None
        keys = keys_for(self._password, nonce)
        key = keys[min(self._keys_tried, len(keys) - 1)]
        cnonce = client_nonce(nonce)
        proof = await asyncio.to_thread(response, key, nonce, cnonce)
        self._reading.proved()
        self._proving = True
        self._socket.send(f"{_AUTH_COMMAND} {cnonce} {proof}\n".encode())

    async def _unanswered(self) -> None:
        """Invite again after a silence; raises the OtaError that says why not."""
        if self._proving:
            self._proving = False
            self._auth_silences += 1
            self._failure = ModuleAuthError(Cause.AUTH_NO_ANSWER)
            if self._auth_silences > 1:
                raise self._failure
        elif self._nonce is not None:
            # What was to be read before it may be lost: then it is still this one that counts.
            await self._prove()
            self._proving = False
        else:
            self._silences += 1
        self._invite_anew()

    def _refused(self) -> None:
        """Go on to the next key; raises ModuleAuthError when none is left.

        A proof that may have been compared with another challenge says nothing of its key.
        """
        self._proving = False
        self._nonce = None
        if self._reading.refused():
            self._keys_tried += 1
            self._failure = ModuleAuthError(Cause.WRONG_PASSWORD)
            if self._keys_tried >= self._keys_known:
                raise self._failure
            self._tries = self._invitations = 0  # it listens; another key deserves its own tries
        if not len(self._reading):
            self._invite()

    @staticmethod
    def _raise_unless_ok(reply: bytes) -> None:
        if reply.strip(b"\x00 \r\n") == b"OK":
            return
        if reply.startswith(b"ERR"):
            raise rejection(reply)
        raise ModuleConnectionError(Cause.UNEXPECTED_REPLY, text=readable(reply))
