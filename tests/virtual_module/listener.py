"""The UDP side that both ArduinoOTA libraries share: invitation and authentication."""

import asyncio
from enum import StrEnum
import socket

from .board import Board
from .events import Seen
from .faults import Fault
from .invitation import Invitation, Lock, read_invitation, read_response


class State(StrEnum):
    """States of the protocol, by the library's names."""

    IDLE = "idle"
    WAITAUTH = "waitauth"
    RUNUPDATE = "runupdate"


class Ending(StrEnum):
    """What becomes of the module after an update was tried."""

    STAYS = "stays"
    RESTARTS = "restarts"
    DIES = "dies"
    SLEEPS = "sleeps"
    """Until its timer resets it; hears nothing so long."""


class Listener:
    """Answers datagrams; what a granted invitation leads to is the subclass's."""

    def __init__(self, board: Board, udp: socket.socket) -> None:
        """Listen on a bound socket."""
        self._board = board
        self._udp = udp
        self._lock = Lock(board.config)
        self._state = State.IDLE
        self._nonce = ""
        self._invitation: Invitation | None = None
        self._loop = asyncio.get_running_loop()

    async def run(self) -> Ending:
        """Serve until the module restarts or dies."""
        raise NotImplementedError

    def _granted(self, invitation: Invitation, source: tuple[str, int]) -> None:
        """Take on a granted invitation; `source` sent the datagram that decided it."""
        raise NotImplementedError

    def _auth_reply_to(self, invitation: Invitation, source: tuple[str, int]) -> tuple[str, int]:
        """Return where the verdict on an authentication goes."""
        raise NotImplementedError

    def _is_busy(self) -> bool:
        busy = self._board.strikes(Fault.BUSY)
        if busy:
            self._board.events.add(Seen.IGNORED, reason="busy")
        return busy

    def _on_invitation(self, data: bytes, source: tuple[str, int]) -> None:
        board = self._board
        invitation = read_invitation(data, board.config, source)
        if isinstance(invitation, str):
            board.events.add(Seen.IGNORED, reason=invitation)
            return
        self._invitation = invitation
        board.events.add(
            Seen.INVITED,
            command=invitation.command,
            port=invitation.port,
            size=invitation.size,
            md5=invitation.md5,
        )
        if not board.config.locked:
            self._granted(invitation, source)
            return
        self._nonce = self._lock.nonce()
        self._state = State.WAITAUTH
        board.events.add(Seen.CHALLENGED, nonce=self._nonce)
        board.reply(self._udp, f"AUTH {self._nonce}", source, first=True)

    def _on_response(self, data: bytes, source: tuple[str, int]) -> None:
        board, invitation = self._board, self._invitation
        assert invitation is not None
        self._state = State.IDLE
        response = read_response(data, board.config, self._lock.digits)
        if response is None:
            board.events.add(Seen.SWALLOWED)
        elif isinstance(response, str):
            board.events.add(Seen.AUTH_MALFORMED, reason=response)
        elif self._lock.opens(self._nonce, *response):
            board.events.add(Seen.AUTH_OK)
            self._granted(invitation, source)
        else:
            board.events.add(Seen.AUTH_FAILED)
            reply_to = self._auth_reply_to(invitation, source)
            board.reply(self._udp, "Authentication Failed", reply_to, first=False)
