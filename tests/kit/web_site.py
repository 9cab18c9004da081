"""A web server on loopback that answers what a test wants."""

from collections.abc import Awaitable, Callable
from ssl import SSLContext
from typing import Any, Self

from aiohttp import web
from aiohttp.test_utils import TestServer

type Answer = Callable[[web.Request], web.StreamResponse | Awaitable[web.StreamResponse]]


class Site:
    """A web server that answers what a test wants and remembers what it was asked."""

    def __init__(self, host: str = "127.0.0.1", tls: SSLContext | None = None) -> None:
        self._tls = tls
        self.asked: list[web.Request] = []
        self.answers: dict[str, Answer] = {}
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        scheme = "https" if tls else "http"
        self._server = TestServer(app, host=host, scheme=scheme)

    async def __aenter__(self) -> Self:
        await self._server.start_server(ssl=self._tls)
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._server.close()

    def serve(self, path: str, body: bytes) -> None:
        """Answer a path with these bytes."""
        self.answers[path] = lambda _: web.Response(body=body)

    def url(self, path: str) -> str:
        return str(self._server.make_url(path))

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        if (make := self.answers.get(request.path)) is None:
            return web.Response(status=404)
        answer = make(request)
        if isinstance(answer, web.StreamResponse):
            return answer
        return await answer

    @property
    def tokens(self) -> list[str | None]:
        return [request.headers.get("Authorization") for request in self.asked]


def to(url: str) -> Answer:
    """Answer with a redirect."""
    return lambda _: web.Response(status=302, headers={"Location": url})


def text(body: str, **kwargs: Any) -> Answer:
    """Answer with a text."""
    return lambda _: web.Response(text=body, **kwargs)
