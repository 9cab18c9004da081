"""A module's web server: one visitor at a time, as the cores' own."""

import asyncio
import socket
from typing import Protocol

from .board import Board
from .events import Seen
from .faults import Fault
from .http_wire import BadRequest, HostGone, Request, Response, Wire
from .link import Link
from .listener import Ending
from .strike import strike
from .updater import Struck


class Pages(Protocol):
    """What the sketch has set up on its web server."""

    async def answer(self, request: Request) -> Response:
        """Handle one request, body and all."""

    def abandoned(self) -> None:
        """Hear that the host left in the middle of a body."""


class HttpServer:
    """Serves the pages of one sketch until it restarts or dies."""

    def __init__(
        self, board: Board, tcp: socket.socket, clamp: int, pages: Pages, *, resets: bool
    ) -> None:
        """Serve on a listening socket."""
        self._board = board
        self._tcp = tcp
        self._clamp = clamp
        self._pages = pages
        self._resets = resets
        self.heads: list[list[str]] = []
        """The first lines of all requests, for tests."""

    async def run(self) -> Ending:
        """Serve one connection after the other."""
        loop = asyncio.get_running_loop()
        while True:
            raw, _ = await loop.sock_accept(self._tcp)
            raw.setblocking(False)
            ending = await self._serve(Link(raw, self._clamp))
            if ending is not Ending.STAYS:
                return ending

    async def _serve(self, link: Link) -> Ending:
        try:
            request = await Wire(link, self._board).head()
            self.heads.append(request.lines)
            self._board.last_link = link
            return await self._converse(link, request)
        except HostGone:
            if self._board.last_link is link:  # who asks for nothing only looks for the port
                self._board.events.add(
                    Seen.ABORTED, bytes=self._board.payload_bytes, reason="host gone"
                )
            self._pages.abandoned()
            link.close()
        except BadRequest as error:
            self._board.events.add(Seen.IGNORED, reason=str(error))
            link.reset()
        except Struck as struck:
            ending = await strike(self._board, link, struck.fault)
            if ending is Ending.STAYS:
                self._pages.abandoned()
            return ending
        except BaseException:
            link.reset()  # switched off, or broken
            raise
        return Ending.STAYS

    async def _converse(self, link: Link, request: Request) -> Ending:
        response = await self._pages.answer(request)
        restarts = response.restarts_after is not None
        if restarts and self._board.strikes(Fault.REBOOT_WITHOUT_OK):
            self._board.silence(link)
        elif response.silent or (restarts and self._board.strikes(Fault.CLOSE_WITHOUT_OK)):
            link.close()
        else:
            await self._say(link, response)
        if response.restarts_after is None:
            return Ending.STAYS
        await self._board.pause(response.restarts_after)
        return Ending.STAYS if self._board.strikes(Fault.NO_RESTART) else Ending.RESTARTS

    async def _say(self, link: Link, response: Response) -> None:
        sent = await link.send(response.encoded())
        if sent and response.restarts_after is not None:
            self._board.events.add(Seen.OK_SENT)
        self._board.events.add(Seen.CLOSED, unread=link.available)
        if response.restarts_after is not None and self._resets:
            await self._board.pause(0.1)
            link.reset()
        else:
            link.close()
