"""The desk where a module's requests and its install meet."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
import socket
from typing import Any

import pytest

from custom_components.esp_ota.ota import (
    Cause,
    ChipFamily,
    Delivery,
    Download,
    HttpPull,
    ImageKind,
    Payload,
    PullDesk,
    PullLimits,
    PullMode,
    PullRequest,
    SafeStateError,
)
from custom_components.esp_ota.ota.exceptions import (
    ModuleConnectionError,
    NotCollected,
    TransferError,
)
from tests.kit.sentences import assert_sentence_is_whole

SHORT = PullLimits(request=0.2, offer=0.3, hold=0.3)
PAYLOAD = Payload(data=bytes(1000), kind=ImageKind.SKETCH, md5="0" * 32)


def request(mode: PullMode = PullMode.SKETCH) -> PullRequest:
    return PullRequest(family=ChipFamily.ESP8266, mac="5c:cf:7f:a1:b2:c3", mode=mode)


@contextmanager
def taken_at_once() -> Iterator[socket.socket]:
    """Yield a connection whose other end has acknowledged everything."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as connection,
    ):
        yield connection


def unwatched() -> None:
    """Let the first byte leave."""


async def send(
    pull: HttpPull,
    progress: list[int] | None = None,
    *,
    payload: Payload = PAYLOAD,
    before_first_byte: Callable[[], None] = unwatched,
) -> Delivery:
    return await pull.send(
        payload,
        before_first_byte=before_first_byte,
        on_progress=lambda sent, _total: progress.append(sent) if progress is not None else None,
    )


async def offered(desk: PullDesk, **changes: Any) -> asyncio.Task[Delivery]:
    """Lay an image on the desk, and return its sending."""
    sending = asyncio.create_task(send(HttpPull(desk, host="127.0.0.1"), **changes))
    await asyncio.sleep(0)
    return sending


async def fetched(desk: PullDesk, asked: PullRequest | None = None) -> Download:
    """Ask for the image that lies on the desk."""
    download = await desk.visit(asked or request())
    assert download is not None
    return download


async def wanted(desk: PullDesk) -> tuple[HttpPull, asyncio.Task[None]]:
    """Begin to wait for a request; return what waits."""
    pull = HttpPull(desk)
    ready = asyncio.create_task(pull.wait_ready(PAYLOAD))
    await asyncio.sleep(0)
    return pull, ready


async def test_without_an_install_there_is_nothing_new_at_once() -> None:
    desk = PullDesk()  # a request held for 5 s would fail here
    async with asyncio.timeout(2):
        assert await desk.visit(request()) is None


async def test_a_request_is_held_until_the_equipment_is_safe_and_gets_the_image() -> None:
    desk = PullDesk()
    progress: list[int] = []
    pull, ready = await wanted(desk)
    visit = asyncio.create_task(desk.visit(request()))
    await ready
    assert not visit.done()

    sending = asyncio.create_task(send(pull, progress))
    download = await visit
    assert download is not None
    assert download.payload is PAYLOAD
    assert download.begin()
    with taken_at_once() as connection:
        assert download.track(500, connection)
        assert download.track(504, connection)
        assert not download.track(504, connection)
        assert download.track(1000, connection)
    download.complete()

    # What the module makes of it, only its next request can say.
    assert await sending is Delivery.UNCONFIRMED
    assert progress == [500, 1000]
    assert await desk.visit(request()) is None


async def test_a_request_that_cannot_wait_longer_is_sent_away_and_the_next_gets_the_image() -> None:
    desk = PullDesk(SHORT)
    pull, ready = await wanted(desk)
    assert await desk.visit(request()) is None  # after 0.2 s: not safe yet
    await ready
    sending = asyncio.create_task(send(pull))
    await asyncio.sleep(0)
    download = await fetched(desk)
    assert download.begin()
    download.complete()
    await sending


@pytest.mark.slow
async def test_a_module_that_never_asks_ends_the_offer() -> None:
    with pytest.raises(ModuleConnectionError) as silent:
        await HttpPull(PullDesk(SHORT)).wait_ready(PAYLOAD)
    assert silent.value.cause is Cause.NO_POLL


@pytest.mark.slow
async def test_an_image_that_nobody_fetches_is_taken_back() -> None:
    desk = PullDesk(SHORT)
    with pytest.raises(NotCollected) as missed:
        await send(HttpPull(desk))
    assert missed.value.cause is Cause.NOT_COLLECTED
    assert not missed.value.retryable
    assert await desk.visit(request()) is None


async def test_a_request_for_another_kind_of_image_gets_nothing() -> None:
    desk = PullDesk(SHORT)
    sending = await offered(desk)
    assert await desk.visit(request(PullMode.FILESYSTEM)) is None
    assert await desk.visit(request(PullMode.VERSION)) is None
    download = await fetched(desk)
    download.complete()
    await sending


async def test_a_module_that_asks_anew_in_the_middle_has_restarted() -> None:
    desk = PullDesk(PullLimits(request=0.2, again=0.05))
    sending = await offered(desk)
    first = await fetched(desk)
    assert first.begin()
    asking = asyncio.create_task(desk.visit(request()))
    with pytest.raises(TransferError) as broken:
        await sending
    assert broken.value.cause is Cause.REBOOTED
    assert_sentence_is_whole(broken.value.cause, broken.value.facts)
    assert await asking is None
    first.complete()  # one image goes to one request


async def test_a_second_request_while_one_is_held_is_sent_away() -> None:
    desk = PullDesk(SHORT)
    _, ready = await wanted(desk)
    held = asyncio.create_task(desk.visit(request()))
    await ready
    assert await desk.visit(request()) is None
    assert not held.done()
    await held


async def test_equipment_that_is_unsafe_in_the_last_moment_stops_the_first_byte() -> None:
    desk = PullDesk()

    def unsafe() -> None:
        raise SafeStateError(Cause.SAFE_STATE_BROKEN)

    sending = await offered(desk, before_first_byte=unsafe)
    download = await fetched(desk)
    assert not download.begin()
    with pytest.raises(SafeStateError):
        await sending


@pytest.mark.parametrize(
    ("how", "taken", "proxied", "cause"),
    [
        ("lost", 400_000, False, Cause.CONNECTION_LOST),
        ("lost", 400_000, True, Cause.CONNECTION_LOST),
        ("lost", 5840, False, Cause.DOWNLOAD_DECLINED),
        ("lost", 5840, True, Cause.LENGTH_LOST),
        ("stalled", 400_000, False, Cause.STALLED),
        ("stalled", 0, False, Cause.STALLED),
    ],
)
async def test_a_download_that_breaks_says_how_far_it_came(
    how: str, taken: int, proxied: bool, cause: Cause
) -> None:
    desk = PullDesk()
    large = Payload(data=bytes(500_000), kind=ImageKind.SKETCH, md5="0" * 32)
    sending = await offered(desk, payload=large)
    download = await fetched(desk, replace(request(), proxied=proxied))
    assert download.begin()
    with taken_at_once() as connection:
        download.track(taken, connection)
    if how == "lost":
        download.lost()
    else:
        download.stalled(60.0)
    download.complete()  # too late, and without effect
    with pytest.raises(TransferError) as broken:
        await sending
    assert broken.value.cause is cause
    assert broken.value.facts["sent"] == str(taken)
    assert_sentence_is_whole(cause, broken.value.facts)


async def test_a_cancelled_install_stops_the_download_that_is_on_its_way() -> None:
    desk = PullDesk()
    sending = await offered(desk)
    download = await fetched(desk)
    assert download.begin()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert download.ended.done()
    assert not download.begin()


async def test_the_offer_stays_open_longer_for_a_module_that_asks_rarely() -> None:
    desk = PullDesk(PullLimits(offer=600.0, intervals=3))
    assert desk.patience == 600.0
    for at in (0.0, 0.5, 3600.0, 3600.5):  # it asks for files, then for its sketch
        desk.rhythm.asked(at)
    assert desk.patience == pytest.approx(3 * 3599.5)


async def test_an_image_for_a_request_that_leaves_at_that_moment_is_for_the_next_one() -> None:
    desk = PullDesk()
    pull, ready = await wanted(desk)
    visit = asyncio.create_task(desk.visit(request()))
    await ready
    sending = asyncio.create_task(send(pull))
    await asyncio.sleep(0)  # it has handed over the image, and nobody has looked yet
    visit.cancel()  # as aiohttp does when the module hangs up
    with pytest.raises(asyncio.CancelledError):
        await visit
    download = await fetched(desk)
    assert download.begin()
    download.complete()
    assert await sending is Delivery.UNCONFIRMED


@pytest.mark.parametrize(
    ("silence", "cause"), [(0.0, Cause.CONNECTION_LOST), (0.2, Cause.REBOOTED)]
)
async def test_a_download_that_ends_out_of_a_silence_tells_of_a_restart(
    silence: float, cause: Cause
) -> None:
    desk = PullDesk(replace(SHORT, restart=0.1, hold=5.0))
    sending = await offered(desk, payload=replace(PAYLOAD, data=bytes(40_000)))
    download = await fetched(desk)
    assert download.begin()
    with taken_at_once() as connection:
        assert download.track(20_000, connection)
    await asyncio.sleep(silence)
    download.lost()
    with pytest.raises(TransferError) as caught:
        await sending
    assert caught.value.cause is cause


async def test_a_connection_that_is_closed_already_tells_nothing() -> None:
    """Who asks, breaks off and asks again is looked after by a connection that is gone."""
    ours, theirs = socket.socketpair()
    with theirs:
        download = Download(PAYLOAD, unwatched, lambda _sent, _total: None, limits=SHORT)
        ours.close()
        download.look = lambda: download.track(len(PAYLOAD.data), ours)
        assert not await download.goes_on()
        download.settle(len(PAYLOAD.data), ours)
        assert not download.ended.done()
        assert download.sent == 0
