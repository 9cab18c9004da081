"""The TCP part when it breaks or is stopped: how far it came, and what may still arrive."""

import asyncio
from contextlib import suppress
import socket

import pytest

from custom_components.esp_ota.ota import Cause, Delivery
from custom_components.esp_ota.ota.exceptions import TransferError
from custom_components.esp_ota.ota.transport import _connection
from custom_components.esp_ota.ota.transport._connection import unacknowledged, unsent
from custom_components.esp_ota.ota.transport._stream import Stream, StreamLimits
from tests.ota.transport.stream_bench import (
    DATA,
    PATIENT,
    SO_DETACH_FILTER,
    WINDOW,
    Bench,
    condition,
    deafen,
    ended,
    failed,
)

# Broken connections


@pytest.mark.slow
async def test_a_stall_is_told_with_what_arrived(bench: Bench) -> None:
    limits = StreamLimits(stall=0.3, result=10, text=1, poll=0.01)
    sending = bench.start(limits)
    await bench.take(8192)
    error = await failed(sending)
    assert isinstance(error, TransferError)
    assert error.cause is Cause.STALLED
    assert error.retryable
    assert 8192 <= int(error.facts["sent"]) <= 8192 + 2 * WINDOW
    assert error.facts["total"] == str(len(DATA))


@pytest.mark.slow
async def test_a_stall_with_everything_handed_over_is_one_too(bench: Bench) -> None:
    limits = StreamLimits(stall=0.3, result=10, text=1, poll=0.01)
    sending = bench.start(limits, DATA[:8192])
    error = await failed(sending)
    assert error.cause is Cause.STALLED
    assert error.facts["total"] == "8192"


async def test_a_first_packet_lost_on_the_way_is_no_stall(bench: Bench) -> None:
    deafen(bench.module)
    sending = bench.start(data=DATA[:100])
    await asyncio.sleep(0.1)
    assert not sending.done()
    bench.module.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)  # what follows gets through
    assert await bench.take(100) == DATA[:100]
    await bench.say(b"100OK")
    assert await ended(sending) is Delivery.ACCEPTED


@pytest.mark.slow
async def test_a_slow_module_is_no_stall(bench: Bench) -> None:
    sending = bench.start(StreamLimits(stall=1.5, result=10, text=1, poll=0.01))
    for _ in range(4):
        await asyncio.sleep(0.5)
        await bench.take(len(DATA) // 4)
    await bench.say(b"65536OK")
    assert await ended(sending) is Delivery.ACCEPTED


@pytest.mark.parametrize("hard", [False, True], ids=["closed", "reset"])
async def test_a_module_that_leaves_after_the_last_byte_leaves_it_open(
    bench: Bench, hard: bool
) -> None:
    sending = bench.start()
    await bench.take()
    await bench.say(b"65536")
    await condition(lambda: bench.progress[-1][0] == len(DATA))
    if hard:
        bench.reset()
    else:
        bench.module.close()
    assert await ended(sending) is Delivery.UNCONFIRMED


async def test_half_an_ok_is_no_yes_and_no_error(bench: Bench) -> None:
    sending = bench.start()
    await bench.take()
    await bench.say(b"65536O")
    await asyncio.sleep(0.05)
    assert not sending.done()
    bench.module.close()
    assert await ended(sending) is Delivery.UNCONFIRMED


async def test_a_module_that_says_nothing_after_the_last_byte_leaves_it_open(bench: Bench) -> None:
    sending = bench.start(StreamLimits(stall=10, result=0.1, text=1, poll=0.01))
    await bench.take()
    assert await ended(sending) is Delivery.UNCONFIRMED
    assert bench.progress[-1] == (len(DATA), len(DATA))


@pytest.mark.parametrize("hard", [False, True], ids=["closed", "reset"])
async def test_a_connection_lost_in_the_middle_says_how_far_it_came(
    bench: Bench, hard: bool
) -> None:
    sending = bench.start()
    await bench.take(20_000)
    await bench.say(b"20000")
    if hard:
        bench.reset()
    else:
        bench.module.close()
    error = await failed(sending)
    assert isinstance(error, TransferError)
    assert error.cause is Cause.CONNECTION_LOST
    assert error.retryable
    assert 20_000 <= int(error.facts["sent"]) <= 20_000 + 2 * WINDOW
    assert error.facts["total"] == str(len(DATA))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("hard", "said", "cause"),
    [
        (True, b"", Cause.REBOOTED),
        (False, b"", Cause.CONNECTION_LOST),  # a stack that booted knows nothing to close
        (True, b"O", Cause.CONNECTION_LOST),  # it was in the middle of a word
    ],
    ids=["reset", "closed", "reset within a word"],
)
async def test_a_reset_out_of_a_silence_is_a_restart(
    bench: Bench, hard: bool, said: bytes, cause: Cause
) -> None:
    sending = bench.start(StreamLimits(stall=10, result=10, text=1, poll=0.01, restart=0.3))
    await bench.take(20_000)
    await bench.say(b"20000" + said)
    await asyncio.sleep(0.6)
    if hard:
        bench.reset()
    else:
        bench.module.shutdown(socket.SHUT_WR)
    error = await failed(sending)
    assert isinstance(error, TransferError)
    assert error.cause is cause
    assert error.retryable
    assert 20_000 <= int(error.facts["sent"]) <= 20_000 + 2 * WINDOW


async def test_a_module_that_ends_its_side_in_the_middle_is_lost(bench: Bench) -> None:
    sending = bench.start()
    await bench.take(8192)
    bench.module.shutdown(socket.SHUT_WR)
    assert (await failed(sending)).cause is Cause.CONNECTION_LOST


async def test_a_connection_reset_before_the_first_byte_is_lost(bench: Bench) -> None:
    bench.reset()
    await asyncio.sleep(0.02)
    error = await failed(bench.start())
    assert (error.cause, error.facts["sent"]) == (Cause.CONNECTION_LOST, "0")


async def test_waking_up_for_nothing_is_no_end(bench: Bench) -> None:
    stream = Stream(bench.ours, DATA, lambda *_: None, PATIENT)
    stream._readable()  # select(2): readiness may be spurious
    sending = asyncio.ensure_future(stream.send(lambda: None))
    await bench.take()
    await bench.say(b"OK")
    assert await ended(sending) is Delivery.ACCEPTED


# Who else may stop it


async def test_nothing_leaves_when_the_last_look_says_no(bench: Bench) -> None:
    def no() -> None:
        raise TransferError(Cause.SAFE_STATE_BROKEN)

    with pytest.raises(TransferError):
        await ended(bench.start(before_first_byte=no))
    assert unacknowledged(bench.ours) == 0
    bench.ours.close()
    assert await asyncio.get_running_loop().sock_recv(bench.module, 1) == b""
    assert bench.progress == []


@pytest.mark.parametrize("at", [0, 20_000, len(DATA)])
async def test_a_cancelled_stream_leaves_nothing_behind_in_the_loop(bench: Bench, at: int) -> None:
    sending = bench.start()
    await bench.take(at)
    await asyncio.sleep(0.02)
    sending.cancel()
    await asyncio.wait({sending})
    assert sending.cancelled()
    loop = asyncio.get_running_loop()
    assert not loop.remove_reader(bench.ours)
    assert not loop.remove_writer(bench.ours)


@pytest.mark.slow
async def test_our_side_is_never_half_closed(bench: Bench) -> None:
    sending = bench.start()
    await bench.take()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await asyncio.get_running_loop().sock_recv(bench.module, 1)
    await bench.say(b"OK")
    assert await ended(sending) is Delivery.ACCEPTED


async def test_a_module_that_talks_while_it_reads_never_blocks(bench: Bench) -> None:
    sending = bench.start()
    for _ in range(len(DATA) // 512):
        assert await bench.take(512)
        await bench.say(b"512")
    await bench.say(b"OK")
    assert await ended(sending) is Delivery.ACCEPTED


# Stopping


async def test_what_is_on_its_way_when_it_is_stopped_may_arrive(bench: Bench) -> None:
    few = DATA[:1000]
    deafen(bench.module)  # the acks of these bytes are still to come
    sending = bench.start(data=few)
    async with asyncio.timeout(10):
        while unacknowledged(bench.ours) < len(few):  # noqa: ASYNC110 - a kernel tells nobody
            await asyncio.sleep(0.01)
    assert bench.progress == []

    sending.cancel()
    await asyncio.wait({sending})
    assert bench.progress == [(len(few), len(few))]


async def test_what_is_still_here_when_it_is_stopped_does_not(bench: Bench) -> None:
    sending = bench.start()
    await bench.take(8 * 1024)

    sending.cancel()
    await asyncio.wait({sending})
    assert all(sent < total for sent, total in bench.progress)


@pytest.mark.slow
async def test_what_the_kernel_sends_between_the_look_and_the_reset_completes_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy machine does something else in between, and the module takes all that is there."""
    sending = bench.start(data=DATA[: 8 * 1024])
    await asyncio.sleep(0.1)
    assert unacknowledged(bench.ours)
    taken = 0

    def take_all() -> None:
        nonlocal taken
        bench.module.settimeout(0.3)
        with suppress(TimeoutError):
            while some := bench.module.recv(1460):
                taken += len(some)

    def look(connection: socket.socket) -> int:
        found = unsent(connection)
        take_all()
        return found

    monkeypatch.setattr(_connection, "unsent", look)
    sending.cancel()
    await asyncio.wait({sending})
    take_all()

    told = any(sent == total for sent, total in bench.progress)
    assert (taken == 8 * 1024) <= told, "it has all of it, and that was not told"
    assert taken < 8 * 1024


@pytest.mark.slow
async def test_what_breaks_off_with_the_last_bytes_on_their_way_may_be_whole(bench: Bench) -> None:
    """The acks of the last bytes die with the connection."""
    limits = StreamLimits(stall=0.3, result=10, text=1, poll=0.01)
    deafen(bench.module)
    sending = bench.start(limits, data=DATA[:1000])

    error = await failed(sending)

    assert error.cause is Cause.STALLED
    assert bench.progress[-1] == (1000, 1000)


async def test_what_breaks_off_sooner_is_not_whole(bench: Bench) -> None:
    sending = bench.start()
    await bench.take(8 * 1024)
    bench.reset()

    await failed(sending)

    assert all(sent < total for sent, total in bench.progress)
