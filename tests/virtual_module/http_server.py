"""A module's web server: one visitor at a time, as the cores' own."""

import asyncio
import select
import socket
from typing import Protocol

from .board import Board
from .events import Seen
from .faults import Fault
from .http_wire import BadRequest, HostGone, Request, Response, Wire
from .link import ESTABLISHED, Link
from .listener import Ending
from .strike import strike
from .updater import Struck

_CLOSE_WAIT = 2.0
"""Seconds that a connection is kept open for its host (`HTTP_MAX_CLOSE_WAIT`)."""
_LOOK = 0.005


class Pages(Protocol):
    """What the sketch has set up on its web server."""

    @property
    def keeps_alive(self) -> bool:
        """Whether connections stay open for more requests."""

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
            wire = Wire(link, self._board)
            while True:
                request = await wire.head()
                self.heads.append(request.lines)
                self._board.last_link = link
                ending = await self._converse(link, request)
                if ending is not Ending.STAYS or self._is_over(link):
                    return ending
                if not await self._next_request(link):
                    link.close()
                    return ending
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
        keeps_alive = self._pages.keeps_alive and request.keeps_alive and not self._visitor_waits
        if restarts and self._board.strikes(Fault.REBOOT_WITHOUT_OK):
            self._board.silence(link)
        elif response.silent or (restarts and self._board.strikes(Fault.CLOSE_WITHOUT_OK)):
            link.close()
        else:
            await self._say(link, response, keeps_alive=keeps_alive)
        if response.restarts_after is None:
            return Ending.STAYS
        await self._board.pause(response.restarts_after)
        return Ending.STAYS if self._board.strikes(Fault.NO_RESTART) else Ending.RESTARTS

    def _is_over(self, link: Link) -> bool:
        return link.closed or self._board.has_silenced(link)

    @property
    def _visitor_waits(self) -> bool:
        return bool(select.select([self._tcp], [], [], 0)[0])

    async def _next_request(self, link: Link) -> bool:
        """Wait for more from the same host; tell whether it came before anything else."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._board.limit(_CLOSE_WAIT)
        while not link.available:
            if link.state != ESTABLISHED or self._visitor_waits or loop.time() > end:
                return False
            await asyncio.sleep(_LOOK)
        return True

    async def _say(self, link: Link, response: Response, *, keeps_alive: bool) -> None:
        sent = await link.send(response.encoded(keeps_alive=keeps_alive))
        if sent and response.restarts_after is not None:
            self._board.events.add(Seen.OK_SENT)
        self._board.events.add(Seen.CLOSED, unread=link.available)
        if response.restarts_after is not None and self._resets:
            await self._board.pause(0.1)
            link.reset()
        elif not keeps_alive or response.restarts_after is not None:
            link.close()
