"""A module that never stalls and never ends is given up: no stage goes on for ever."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
import itertools
import time

import pytest

from custom_components.esp_ota.ota import (
    ArduinoOtaPush,
    Cause,
    Delivery,
    Fixed,
    HttpPull,
    HttpUpload,
    ImageKind,
    OtaError,
    Payload,
    PollWatch,
    PullDesk,
    PullLimits,
    PullMode,
    UploadDialect,
    UploadLimits,
    Verdict,
    VerifyError,
    WatchLimits,
)
from custom_components.esp_ota.ota.exceptions import EndlessTransfer, ModuleAuthError
from custom_components.esp_ota.ota.models import ProgressCallback
from custom_components.esp_ota.ota.module import DatagramSocket, catch_up
from custom_components.esp_ota.ota.transport._invitation import Invitation, InvitationLimits
from custom_components.esp_ota.ota.transport._longest import Pace
from tests.kit.pushing import payload_for, quick
from tests.kit.sentences import assert_sentence_is_whole
from tests.ota.examples import CANDIDATE, MODULE
from tests.ota.pipeline.world import World
from tests.ota.transport.scripted import ScriptedModule
from tests.ota.transport.test_http_pull import request, taken_at_once, unwatched

FILES = Payload(data=bytes(1000), kind=ImageKind.FILESYSTEM, md5="0" * 32)
LARGE = Payload(data=b"\xe9" + bytes(2_000_000), kind=ImageKind.SKETCH, md5="0" * 32)


@pytest.fixture
async def module() -> AsyncIterator[ScriptedModule]:
    async with ScriptedModule() as module:
        yield module


async def invited(module: ScriptedModule, limits: InvitationLimits) -> OtaError:
    """Return what an invitation ends as, which must end."""
    udp = await DatagramSocket.open(module.host, module.port)
    invitation = Invitation(udp, payload_for(b"\xe9"), 43210, "secret", limits)
    try:
        async with asyncio.timeout(10):
            with pytest.raises(OtaError) as caught:
                await invitation.accepted()
    finally:
        udp.close()
    return caught.value


@pytest.mark.parametrize("nonce", ["same", "another"])
async def test_a_challenge_that_is_repeated_for_ever_ends_the_invitation(
    module: ScriptedModule, nonce: str
) -> None:
    async def challenge() -> None:
        for number in itertools.count():
            await module.hear()
            module.say(b"AUTH %032x" % (number if nonce == "another" else 1))

    asking = asyncio.create_task(challenge())
    error = await invited(module, InvitationLimits(answer=5.0, auth_answer=5.0))
    asking.cancel()

    assert isinstance(error, ModuleAuthError)
    assert error.cause is Cause.AUTH_ENDLESS
    assert_sentence_is_whole(error.cause, error.facts | {"host": MODULE.host})


@pytest.mark.slow
async def test_a_module_that_is_slow_with_each_challenge_is_given_up_as_well(
    module: ScriptedModule,
) -> None:
    async def challenge() -> None:
        for number in itertools.count():
            await module.hear()
            await asyncio.sleep(0.1)
            module.say(b"AUTH %032x" % number)

    asking = asyncio.create_task(challenge())
    error = await invited(module, InvitationLimits(answer=5.0, auth_answer=5.0, longest=0.5))
    asking.cancel()

    assert error.cause is Cause.AUTH_ENDLESS


async def test_a_send_that_goes_on_and_on_is_given_up_and_not_tried_again() -> None:
    world = World()
    world.seconds = 0.2

    async def crumbs(before_first_byte: Callable[[], None], tell: ProgressCallback) -> Delivery:
        before_first_byte()
        for sent in itertools.count(1):
            tell(sent, 1_000_000)
            await asyncio.sleep(0.01)
        raise AssertionError

    world.sends = [crumbs]
    result = await world.run()

    assert (result.verdict, result.cause) == (Verdict.FAILED, Cause.TOO_SLOW)
    assert int(result.facts["sent"]) > 1
    assert world.count("send") == 1
    assert world.count("leave") == 1
    assert world.count("turn ends") == 1


async def test_an_image_that_is_there_when_the_time_is_up_is_heard_out() -> None:
    world = World()
    world.seconds = 0.2

    async def no_answer(before_first_byte: Callable[[], None], tell: ProgressCallback) -> Delivery:
        before_first_byte()
        tell(1000, 1000)
        await asyncio.sleep(60)
        raise AssertionError

    world.sends = [no_answer]
    assert (await world.run()).verdict is Verdict.VERIFIED


async def test_a_time_out_of_the_transport_itself_is_not_taken_for_the_end_of_its_time() -> None:
    world = World()

    async def broken(_before: Callable[[], None], _tell: ProgressCallback) -> Delivery:
        raise TimeoutError

    world.sends = [broken]
    with pytest.raises(TimeoutError):
        await world.run()
    assert world.count("leave") == 1


@pytest.mark.slow
async def test_a_push_that_is_taken_in_crumbs_ends_with_the_connection_reset(
    module: ScriptedModule,
) -> None:
    world, resets = World(), asyncio.Event()
    limits = quick()
    pace = Pace(slowest=10_000_000.0, spare=0.2)
    stream = replace(limits.stream, pace=pace, result=0.1)
    invitation = replace(limits.invitation, longest=0.2)
    limits = replace(limits, stream=stream, invitation=invitation, callback=0.2)
    push = ArduinoOtaPush(Fixed(module.host, module.port), limits=limits)
    world.seconds = push.longest(LARGE)
    assert world.seconds < 1.2

    async def take() -> None:
        datagram = await module.hear()
        module.say(b"OK")
        connection = await module.call_back(datagram, window=2144)
        with suppress(ConnectionResetError):
            while len(await module.read(connection, 100)) == 100:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        resets.set()

    async def send(before_first_byte: Callable[[], None], tell: ProgressCallback) -> Delivery:
        return await push.send(LARGE, before_first_byte=before_first_byte, on_progress=tell)

    taking = asyncio.create_task(take())
    world.sends = [send]
    result = await world.run()

    assert (result.verdict, result.cause) == (Verdict.FAILED, Cause.TOO_SLOW)
    assert 0 < int(result.facts["sent"]) < len(LARGE.data)
    async with asyncio.timeout(5):
        await resets.wait()
    await taking


def test_how_long_a_send_may_take_grows_with_its_size_and_has_all_waits_in_it() -> None:
    """The believable ones of the protocols' notes stay far below it."""
    push = ArduinoOtaPush(Fixed("127.0.0.1", 3232))
    upload = HttpUpload(Fixed("127.0.0.1", 80), dialect=UploadDialect.TASMOTA)
    pull = HttpPull(PullDesk())
    small = Payload(data=bytes(1000), kind=ImageKind.SKETCH, md5="0" * 32)
    for transport in (push, upload, pull):
        assert transport.longest(LARGE) - transport.longest(small) == pytest.approx(
            1_999_001 / 2048
        )
    # 1 MiB at 4.2 kB/s, the window of an ESP8266 at a round trip of half a second.
    assert Pace().longest(2**20) > 2**20 / 4200
    limits = UploadLimits()
    assert upload.longest(small) > limits.connect + limits.answer + limits.result


async def test_a_download_that_is_taken_in_crumbs_is_given_up() -> None:
    desk = PullDesk(PullLimits(pace=Pace(slowest=1e9, spare=0.2)))
    pull = HttpPull(desk, host="127.0.0.1")
    sending = asyncio.create_task(
        pull.send(LARGE, before_first_byte=unwatched, on_progress=lambda _s, _t: None)
    )
    await asyncio.sleep(0)
    download = await desk.visit(request())
    assert download is not None
    assert download.begin()
    with taken_at_once() as connection:
        for sent in range(1, 500):
            download.track(sent, connection)
            await asyncio.sleep(0.01)
            if sending.done():
                break
    with pytest.raises(EndlessTransfer) as caught:
        await asyncio.wait_for(sending, 1)

    assert caught.value.cause is Cause.TOO_SLOW
    assert not caught.value.retryable
    assert int(caught.value.facts["sent"]) > 1
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)


@pytest.mark.slow
async def test_who_asks_in_the_middle_of_a_download_that_goes_on_breaks_nothing_off() -> None:
    desk = PullDesk(PullLimits(request=0.2, again=1.0))
    sending = asyncio.create_task(
        HttpPull(desk).send(LARGE, before_first_byte=unwatched, on_progress=lambda _s, _t: None)
    )
    await asyncio.sleep(0)
    download = await desk.visit(request())
    assert download is not None
    assert download.begin()
    with taken_at_once() as connection:

        async def go_on() -> None:
            for sent in itertools.count(1):
                download.track(sent, connection)
                await asyncio.sleep(0.05)

        going = asyncio.create_task(go_on())
        assert [await desk.visit(request()) for _ in range(2)] == [None, None]
        going.cancel()
    assert not download.ended.done()
    download.complete()
    assert await sending is Delivery.UNCONFIRMED


def asked_daily(after: float) -> PullDesk:
    """Return the desk of a module that asks once a day."""
    desk = PullDesk(PullLimits(after=after))
    desk.rhythm.restore([86_400.0] * 5, time.monotonic())
    return desk


def test_a_request_is_waited_for_an_hour_at_most_after_a_download() -> None:
    after = PullLimits().after
    assert after == 3600.0
    assert asked_daily(after).patience == 3 * 86_400.0
    assert asked_daily(after).patience_after == after
    assert PullDesk().patience_after == PullLimits().offer


@pytest.mark.slow
async def test_equipment_does_not_wait_for_days_for_a_module_that_asks_rarely() -> None:
    desk = asked_daily(0.3)
    watch = PollWatch(lambda: desk.patience_after, WatchLimits(back=0.1))
    async with asyncio.timeout(5):
        with pytest.raises(VerifyError) as caught:
            await watch.wait_back(0.0, CANDIDATE, MODULE)
    assert caught.value.cause is Cause.SILENT_AFTER_DOWNLOAD


@pytest.mark.slow
async def test_equipment_does_not_wait_for_days_for_what_is_said_of_files() -> None:
    """A module that can be pushed to as well is known to be back without a request of its own."""
    desk = asked_daily(0.3)
    pull = HttpPull(desk)
    sending = asyncio.create_task(
        pull.send(FILES, before_first_byte=unwatched, on_progress=lambda _s, _t: None)
    )
    await asyncio.sleep(0)
    download = await desk.visit(request(PullMode.FILESYSTEM))
    assert download is not None
    assert download.begin()
    download.complete()
    await sending
    async with asyncio.timeout(5):
        await pull.confirm_files()
    anew = asyncio.create_task(pull.confirm_files())  # it counts from the download on
    await catch_up()
    assert anew.done()
