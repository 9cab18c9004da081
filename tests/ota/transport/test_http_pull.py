"""The desk where a module's requests and its install meet."""

import asyncio

import pytest

from custom_components.esp_ota.ota.exceptions import (
    InstallRefused,
    NotCollected,
    SafeStateError,
    TransferError,
)
from custom_components.esp_ota.ota.models import Cause, ChipFamily, Delivery, ImageKind, Payload
from custom_components.esp_ota.ota.pull_request import PullMode, PullRequest
from custom_components.esp_ota.ota.transport.http_pull import HttpPull, PullDesk, PullLimits

SHORT = PullLimits(request=0.2, offer=0.3, hold=0.3)
PAYLOAD = Payload(data=bytes(1000), kind=ImageKind.SKETCH, md5="0" * 32)


def request(mode: PullMode = PullMode.SKETCH) -> PullRequest:
    return PullRequest(family=ChipFamily.ESP8266, mac="5c:cf:7f:a1:b2:c3", mode=mode)


def unwatched() -> None:
    """Let the first byte leave."""


async def send(pull: HttpPull, progress: list[int] | None = None) -> Delivery:
    return await pull.send(
        PAYLOAD,
        before_first_byte=unwatched,
        on_progress=lambda sent, _total: progress.append(sent) if progress is not None else None,
    )


async def test_without_an_install_there_is_nothing_new_at_once() -> None:
    desk = PullDesk()  # a request held for 5 s would fail here
    async with asyncio.timeout(2):
        assert await desk.visit(request()) is None


async def test_a_request_is_held_until_the_equipment_is_safe_and_gets_the_image() -> None:
    desk = PullDesk()
    pull, progress = HttpPull(desk), []
    ready = asyncio.create_task(pull.wait_ready(PAYLOAD))
    await asyncio.sleep(0)
    visit = asyncio.create_task(desk.visit(request()))
    await ready
    assert not visit.done()

    sending = asyncio.create_task(send(pull, progress))
    download = await visit
    assert download is not None
    assert download.payload is PAYLOAD
    assert download.begin()
    for sent in (500, 504, 1000):
        download.drained(sent)
    download.complete()

    # What the module makes of it, only its next request can say.
    assert await sending is Delivery.UNCONFIRMED
    assert progress == [500, 1000]
    assert await desk.visit(request()) is None


async def test_a_request_that_cannot_wait_longer_is_sent_away_and_the_next_gets_the_image() -> None:
    desk = PullDesk(SHORT)
    pull = HttpPull(desk)
    ready = asyncio.create_task(pull.wait_ready(PAYLOAD))
    await asyncio.sleep(0)
    assert await desk.visit(request()) is None  # after 0.2 s: not safe yet
    await ready
    sending = asyncio.create_task(send(pull))
    await asyncio.sleep(0)
    download = await desk.visit(request())
    assert download is not None
    assert download.begin()
    download.complete()
    await sending


async def test_a_module_that_never_asks_ends_the_offer() -> None:
    with pytest.raises(InstallRefused) as refused:
        await HttpPull(PullDesk(SHORT)).wait_ready(PAYLOAD)
    assert refused.value.cause is Cause.NO_POLL


async def test_an_image_that_nobody_fetches_is_taken_back() -> None:
    desk = PullDesk(SHORT)
    with pytest.raises(NotCollected) as missed:
        await send(HttpPull(desk))
    assert missed.value.cause is Cause.NOT_COLLECTED
    assert not missed.value.retryable
    assert await desk.visit(request()) is None


async def test_a_request_for_another_kind_of_image_gets_nothing() -> None:
    desk = PullDesk(SHORT)
    sending = asyncio.create_task(send(HttpPull(desk)))
    await asyncio.sleep(0)
    assert await desk.visit(request(PullMode.FILESYSTEM)) is None
    assert await desk.visit(request(PullMode.VERSION)) is None
    download = await desk.visit(request())
    assert download is not None
    download.complete()
    await sending


async def test_one_image_goes_to_one_request() -> None:
    desk = PullDesk(PullLimits(request=0.2))
    sending = asyncio.create_task(send(HttpPull(desk)))
    await asyncio.sleep(0)
    first, second = await asyncio.gather(desk.visit(request()), desk.visit(request()))
    assert first is not None
    assert second is None
    first.complete()
    await sending


async def test_a_second_request_while_one_is_held_is_sent_away() -> None:
    desk = PullDesk(SHORT)
    ready = asyncio.create_task(HttpPull(desk).wait_ready(PAYLOAD))
    await asyncio.sleep(0)
    held = asyncio.create_task(desk.visit(request()))
    await ready
    assert await desk.visit(request()) is None
    assert not held.done()
    await held


async def test_equipment_that_is_unsafe_in_the_last_moment_stops_the_first_byte() -> None:
    desk = PullDesk()

    def unsafe() -> None:
        raise SafeStateError(Cause.SAFE_STATE_BROKEN)

    sending = asyncio.create_task(
        HttpPull(desk).send(PAYLOAD, before_first_byte=unsafe, on_progress=lambda _s, _t: None)
    )
    await asyncio.sleep(0)
    download = await desk.visit(request())
    assert download is not None
    assert not download.begin()
    with pytest.raises(SafeStateError):
        await sending


@pytest.mark.parametrize(
    ("how", "cause"), [("lost", Cause.CONNECTION_LOST), ("stalled", Cause.STALLED)]
)
async def test_a_download_that_breaks_says_how_far_it_came(how: str, cause: Cause) -> None:
    desk = PullDesk()
    sending = asyncio.create_task(send(HttpPull(desk)))
    await asyncio.sleep(0)
    download = await desk.visit(request())
    assert download is not None
    assert download.begin()
    if how == "lost":
        download.lost(400)
    else:
        download.stalled(400, 60.0)
    download.complete()  # too late, and without effect
    with pytest.raises(TransferError) as broken:
        await sending
    assert broken.value.cause is cause
    assert broken.value.facts["sent"] == "400"


async def test_a_cancelled_install_stops_the_download_that_is_on_its_way() -> None:
    desk = PullDesk()
    sending = asyncio.create_task(send(HttpPull(desk)))
    await asyncio.sleep(0)
    download = await desk.visit(request())
    assert download is not None
    assert download.begin()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert download.ended.done()
    assert not download.begin()


async def test_the_offer_stays_open_longer_for_a_module_that_asks_rarely() -> None:
    desk = PullDesk(PullLimits(offer=0.0, intervals=3))
    await desk.visit(request())
    await asyncio.sleep(0.05)
    await desk.visit(request())
    assert desk.interval is not None
    assert desk.patience == pytest.approx(3 * desk.interval)
