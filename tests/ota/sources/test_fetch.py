"""Fetching over real sockets: redirects, tokens, limits, broken transfers, calls an hour."""

import asyncio
from collections.abc import AsyncIterator
import time

from aiohttp import ClientSession, ClientTimeout, web
import pytest
from yarl import URL

from custom_components.esp_ota.ota import (
    Account,
    CallBudget,
    Cause,
    SourceError,
    fetch_text,
    open_url,
    read_chunks,
)
from custom_components.esp_ota.ota.sources.fetch import _next_hop
from tests.kit.web_site import Answer, Site, text, to


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site() as site:
        yield site


@pytest.fixture
async def other() -> AsyncIterator[Site]:
    async with Site() as site:
        yield site


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


async def cause(session: ClientSession, url: str, **changes: object) -> SourceError:
    with pytest.raises(SourceError) as refused:
        await fetch_text(session, url, **{"limit": 1000} | changes)  # type: ignore[arg-type]
    return refused.value


async def test_an_answer_is_read_whole_with_its_etag(session: ClientSession, site: Site) -> None:
    site.answers["/a"] = text("hello", headers={"ETag": '"7"'})
    answer = await fetch_text(session, site.url("/a"), limit=5)
    assert (answer.data, answer.etag, answer.is_unchanged) == (b"hello", '"7"', False)


async def test_what_has_not_changed_is_not_sent_again(session: ClientSession, site: Site) -> None:
    def answer(request: web.Request) -> web.Response:
        known = request.headers.get("If-None-Match") == '"7"'
        return web.Response(status=304) if known else web.Response(text="new")

    site.answers["/a"] = answer
    again = await fetch_text(session, site.url("/a"), limit=5, etag='"7"')
    assert (again.data, again.is_unchanged) == (b"", True)
    assert (await fetch_text(session, site.url("/a"), limit=5, etag='"6"')).data == b"new"


async def test_redirects_are_followed_and_the_token_stays_with_its_host(
    session: ClientSession, site: Site, other: Site
) -> None:
    site.answers["/a"] = to("/b")
    site.answers["/b"] = to(other.url("/c"))
    other.answers["/c"] = to(site.url("/d"))
    site.answers["/d"] = text("there")
    account = Account(host=site.url("/"), token="secret")
    answer = await fetch_text(session, site.url("/a"), limit=9, account=account)
    assert answer.data == b"there"
    assert site.tokens == ["Bearer secret"] * 3
    assert other.tokens == [None]


async def test_an_address_of_another_host_gets_no_token(
    session: ClientSession, site: Site, other: Site
) -> None:
    other.answers["/a"] = text("x")
    for host in (site.url("/"), "", "nonsense"):
        account = Account(host=host, token="s")
        await fetch_text(session, other.url("/a"), limit=9, account=account)
    assert other.tokens == [None, None, None]


@pytest.mark.parametrize("there", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x", "http://"])
async def test_a_redirect_out_of_the_web_is_refused(
    session: ClientSession, site: Site, there: str
) -> None:
    site.answers["/a"] = to(there)
    assert (await cause(session, site.url("/a"))).cause is Cause.SOURCE_REDIRECT


async def test_a_redirect_in_circles_is_refused(session: ClientSession, site: Site) -> None:
    site.answers["/a"] = to("/b")
    site.answers["/b"] = to("/a")
    assert (await cause(session, site.url("/a"))).cause is Cause.SOURCE_REDIRECT
    assert len(site.asked) == 6


def test_a_redirect_never_leads_from_https_to_http() -> None:
    assert _next_hop(URL("https://a/b"), "http://a/c") is None
    assert _next_hop(URL("http://a/b"), "https://a/c") == URL("https://a/c")
    assert _next_hop(URL("https://a/b"), "c") == URL("https://a/c")


@pytest.mark.parametrize(
    ("status", "headers", "expected", "facts"),
    [
        (401, {}, Cause.SOURCE_DENIED, {"status": "401"}),
        (403, {}, Cause.SOURCE_DENIED, {"status": "403"}),
        (404, {}, Cause.SOURCE_NOT_FOUND, {}),
        (410, {}, Cause.SOURCE_NOT_FOUND, {}),
        (500, {}, Cause.SOURCE_ERROR, {"status": "500"}),
        (204, {}, Cause.SOURCE_ERROR, {"status": "204"}),
        (429, {"Retry-After": "90"}, Cause.SOURCE_BUSY, {"minutes": "2"}),
        (403, {"Retry-After": "60"}, Cause.SOURCE_BUSY, {"minutes": "1"}),
        (403, {"x-ratelimit-remaining": "0"}, Cause.SOURCE_BUSY, {"minutes": "60"}),
        (429, {"Retry-After": "Mon, 1 Jan 2029"}, Cause.SOURCE_BUSY, {"minutes": "60"}),
        (429, {"Retry-After": "9" * 400}, Cause.SOURCE_BUSY, {"minutes": "60"}),
    ],
)
async def test_a_refusal_has_its_cause(
    session: ClientSession,
    site: Site,
    status: int,
    headers: dict[str, str],
    expected: Cause,
    facts: dict[str, str],
) -> None:
    site.answers["/a"] = lambda _: web.Response(status=status, headers=headers)
    refused = await cause(session, site.url("/a"))
    assert (refused.cause, refused.facts) == (expected, facts)


async def test_a_spent_limit_says_when_it_is_whole_again(
    session: ClientSession, site: Site
) -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(time.time() + 600))}
    site.answers["/a"] = lambda _: web.Response(status=403, headers=headers)
    refused = await cause(session, site.url("/a"))
    assert refused.facts["minutes"] in {"10", "11"}


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "http://nobody.invalid/"])
async def test_a_server_that_is_not_there_is_named(session: ClientSession, url: str) -> None:
    refused = await cause(session, url)
    assert refused.cause is Cause.SOURCE_UNREACHABLE
    assert refused.facts["detail"]


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_that_is_too_long_is_not_read_to_its_end(
    session: ClientSession, site: Site, chunked: bool
) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        if not chunked:
            response.content_length = 10**9
        await response.prepare(request)
        while True:
            await response.write(bytes(65536))
            sent += 65536

    site.answers["/a"] = endless
    refused = await cause(session, site.url("/a"), limit=100_000)
    assert refused.cause is Cause.OVERSIZED_FILE
    assert sent < 64 * 1024 * 1024


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_transfer_that_breaks_is_not_taken_for_whole(
    session: ClientSession, site: Site, chunked: bool
) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if not chunked:
            response.content_length = 1000
        await response.prepare(request)
        await response.write(bytes(500))
        assert request.transport is not None
        request.transport.abort()
        return response

    site.answers["/a"] = half
    refused = await cause(session, site.url("/a"))
    assert refused.cause is Cause.DOWNLOAD_BROKEN


async def silent(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


async def stalling(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"x")
    return await silent(request)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(silent, Cause.SOURCE_UNREACHABLE), (stalling, Cause.DOWNLOAD_BROKEN)],
)
async def test_a_server_that_falls_silent_is_not_waited_for(
    session: ClientSession,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer,
    expected: Cause,
) -> None:
    impatient = ClientTimeout(total=None, sock_read=0.2)
    monkeypatch.setattr("custom_components.esp_ota.ota.sources.fetch._TIMEOUT", impatient)
    site.answers["/a"] = answer
    refused = await cause(session, site.url("/a"))
    assert refused.cause is expected
    assert refused.facts["detail"]


async def test_a_body_comes_in_pieces(session: ClientSession, site: Site) -> None:
    site.answers["/a"] = lambda _: web.Response(body=bytes(200_000))
    async with open_url(session, site.url("/a")) as response:
        pieces = [len(piece) async for piece in read_chunks(response, 200_000)]
    assert sum(pieces) == 200_000
    assert max(pieces) <= 65536


def test_calls_are_counted_over_the_last_hour() -> None:
    budget = CallBudget(calls=3, seconds=3600)
    for second in (0.0, 10.0, 20.0):
        budget.take(second)
    with pytest.raises(SourceError) as refused:
        budget.take(3000.0)
    assert refused.value.cause is Cause.SOURCE_BUSY
    assert refused.value.facts == {"minutes": "10"}
    budget.take(3600.0)
    with pytest.raises(SourceError):
        budget.take(3605.0)


def test_a_service_that_wants_to_be_left_alone_is() -> None:
    budget = CallBudget()
    budget.block(120, 1000.0)
    with pytest.raises(SourceError):
        budget.take(1119.0)
    budget.take(1120.0)


async def test_each_call_without_a_token_is_counted_those_along_a_redirect_too(
    session: ClientSession, site: Site, other: Site
) -> None:
    site.answers["/a"] = to("/b")
    site.answers["/b"] = to(other.url("/c"))
    other.answers["/c"] = text("x")
    budget = CallBudget(calls=3)
    account = Account(host=site.url("/"), budget=budget)
    await fetch_text(session, site.url("/a"), limit=9, account=account)
    assert (await cause(session, site.url("/a"), account=account)).cause is Cause.SOURCE_BUSY
    assert [request.path for request in site.asked] == ["/a", "/b", "/a"]

    with_token = Account(host=site.url("/"), token="s", budget=budget)
    await fetch_text(session, site.url("/a"), limit=9, account=with_token)
