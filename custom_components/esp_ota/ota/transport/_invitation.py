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
from ._replies import readable, rejection

_COMMANDS: Final = {ImageKind.SKETCH: 0, ImageKind.FILESYSTEM: 100}
_AUTH_COMMAND: Final = 200
_AUTH_FAILED: Final = b"Authentication Failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class InvitationLimits:
    """Seconds and counts of the UDP part."""

    answer: float = 2.0
    """One full wait before the second invitation, which cancels a challenge on its way."""
    tries: int = 4
    """With 2 s for the first and 4 s for the others more than the cores' own tools wait."""
    auth_answer: float = 5.0
    """The ESP8266 says `OK` from its main loop only, which a sketch may keep busy."""


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
        self._confirm = confirm
        """Raises where another module may listen by now: even an invitation stops a sketch."""
        self._keys_tried = 0
        self._silences = 0
        self._auth_silences = 0
        self._keys_known = 0
        self._silence = Cause.NO_ANSWER

    async def accepted(self) -> None:
        """Return when the module said `OK`; raises the OtaError that says why it did not."""
        failure: OtaError | None = None
        invitations = 0
        while invitations < self._limits.tries:
            invitations += 1
            self._confirm()
            self._socket.send(self._datagram)
            reply = await self._receive(self._patience)
            while reply is not None and reply.startswith(_AUTH_FAILED):
                failure = self._key_refused()  # late, to an older proof
                reply = await self._receive(self._patience)
            if reply is None:
                self._silences += 1
                continue
            if reply.startswith(b"AUTH"):
                keys_tried = self._keys_tried
                failure = await self._authenticate(reply)
                if failure is None:
                    return
                if self._keys_tried > keys_tried:
                    invitations = 0  # the module listens; another key deserves its own tries
                continue
            self._raise_unless_ok(reply)
            return
        raise failure or ModuleConnectionError(self._silence)

    @property
    def _patience(self) -> float:
        """Seconds for an answer: more for a module that may be slow.

        An ESP32 reads one datagram per `handle()`: behind a second invitation, a proof is late.
        """
        if self._auth_silences:
            return 4 * self._limits.answer
        return 2 * self._limits.answer if self._silences else self._limits.answer

    async def _receive(self, timeout: float) -> bytes | None:
        """Return a reply; an error is remembered, it may be a restart in progress."""
        end = asyncio.get_running_loop().time() + timeout
        while (left := end - asyncio.get_running_loop().time()) > 0:
            try:
                return await self._socket.receive(left)
            except ConnectionRefusedError:
                self._silence = Cause.PORT_CLOSED
            except OSError:
                self._silence = Cause.UNREACHABLE  # nobody answers ARP, or there is no route
        return None

    async def _authenticate(self, challenge: bytes) -> OtaError | None:
        """Answer one challenge; None when it was accepted, else why to invite again.

        Raises ModuleAuthError when no key is left to try.
        """
        if self._password is None:
            raise ModuleAuthError(Cause.PASSWORD_MISSING)
        nonce = readable(challenge).removeprefix("AUTH").strip()
        keys = keys_for(self._password, nonce)
        self._keys_known = len(keys)
        key = keys[min(self._keys_tried, len(keys) - 1)]
        cnonce = client_nonce(nonce)
        proof = await asyncio.to_thread(response, key, nonce, cnonce)
        self._socket.send(f"{_AUTH_COMMAND} {cnonce} {proof}\n".encode())
        reply = await self._receive(self._limits.auth_answer)
        while reply is not None and reply.startswith(b"AUTH"):
            reply = await self._receive(self._limits.auth_answer)  # late, to an older invitation
        if reply is None:
            self._auth_silences += 1
            silence = ModuleAuthError(Cause.AUTH_NO_ANSWER)
            if self._auth_silences > 1:
                raise silence
            return silence
        if reply.startswith(_AUTH_FAILED):
            return self._key_refused()
        self._raise_unless_ok(reply)
        return None

    def _key_refused(self) -> OtaError:
        """Go on to the next key; raises ModuleAuthError when none is left."""
        self._keys_tried += 1
        error = ModuleAuthError(Cause.WRONG_PASSWORD)
        if self._keys_tried >= self._keys_known:
            raise error
        return error

    @staticmethod
    def _raise_unless_ok(reply: bytes) -> None:
        if reply.strip(b"\x00 \r\n") == b"OK":
            return
        if reply.startswith(b"ERR"):
            raise rejection(reply)
        raise ModuleConnectionError(Cause.UNEXPECTED_REPLY, text=readable(reply))
