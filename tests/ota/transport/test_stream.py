"""The TCP part: streaming ahead of the acks, honest progress, and the end token."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
import ctypes
from dataclasses import dataclass, field
import socket
import struct

from hypothesis import given, strategies as st
import pytest

from custom_components.esp_ota.ota import Cause, Delivery, OtaError
from custom_components.esp_ota.ota.exceptions import ModuleRejectedImage, TransferError
from custom_components.esp_ota.ota.transport import _connection
from custom_components.esp_ota.ota.transport._callback import Callback
from custom_components.esp_ota.ota.transport._connection import unacknowledged, unsent
from custom_components.esp_ota.ota.transport._stream import EndToken, Stream, StreamLimits
from tests.kit.sentences import assert_sentence_is_whole

DATA = bytes(range(256)) * 256  # 64 KiB
PATIENT = StreamLimits(stall=10.0, result=10.0, text=10.0, poll=0.01)
WINDOW = 2144  # an ESP8266's
SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27


@dataclass
class Bench:
    """Both ends of one connection; the module's end does nothing by itself."""

    ours: socket.socket
    module: socket.socket
    progress: list[tuple[int, int]] = field(default_factory=list)

    def start(
        self,
        limits: StreamLimits = PATIENT,
        data: bytes = DATA,
        before_first_byte: Callable[[], None] = lambda: None,
    ) -> asyncio.Task[Delivery]:
        stream = Stream(
            self.ours, data, lambda sent, total: self.progress.append((sent, total)), limits
        )
        return asyncio.ensure_future(stream.send(before_first_byte))

    async def take(self, count: int = len(DATA)) -> bytes:
        data = b""
        async with asyncio.timeout(10):
            while len(data) < count:
                some = await asyncio.get_running_loop().sock_recv(
                    self.module, min(1460, count - len(data))
                )
                assert some, "the stream ended early"
                data += some
        return data

    async def say(self, text: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.module, text)

    def reset(self) -> None:
        self.module.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.module.close()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    callback = Callback("127.0.0.1")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as module:
        module.setblocking(False)
        module.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
        module.setsockopt(socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP, WINDOW)
        module.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(module, ("127.0.0.1", callback.port))
        ours = await callback.connection_from("127.0.0.1")
        callback.close()
        with ours:
            yield Bench(ours, module)


def deafen(connection: socket.socket) -> None:
    """Drop every packet that arrives, with a socket filter that keeps nothing."""
    nothing = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0), 8)
    program = struct.pack("HP", 1, ctypes.addressof(nothing))
    connection.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


async def ended(sending: asyncio.Task[Delivery]) -> Delivery:
    async with asyncio.timeout(10):
        return await sending


async def failed(sending: asyncio.Task[Delivery]) -> OtaError:
    with pytest.raises(OtaError) as caught:
        await ended(sending)
    assert_sentence_is_whole(caught.value.cause, caught.value.facts | {"host": "h", "port": "1"})
    return caught.value


async def condition(holds: Callable[[], bool]) -> None:
    """Wait until something holds that no event tells."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what TCP has acknowledged tells nobody
            await asyncio.sleep(0.005)


# The end token


@pytest.mark.parametrize(
    "said",
    [
        [b"OK"],
        [b"O", b"K"],
        [b"1460", b"388OK"],
        [b"1460388", b"O", b"K"],
        [b"1024" * 60 + b"OK"],
        [b"1460\r\n1460\r\nOK"],
        [b"\x00OK\r\n"],
    ],
)
async def test_an_ok_is_found_however_it_arrives(bench: Bench, said: list[bytes]) -> None:
    sending = bench.start()
    assert await bench.take() == DATA
    for part in said:
        await bench.say(part)
        await asyncio.sleep(0.02)
    assert await ended(sending) is Delivery.ACCEPTED
    assert bench.progress[-1] == (len(DATA), len(DATA))


@pytest.mark.parametrize(
    ("said", "text", "cause"),
    [
        ([b"ERROR[7]: MD5 Check Failed\n"], "ERROR[7]: MD5 Check Failed", Cause.MD5_MISMATCH),
        (
            [b"65536ERROR[10]: Magic byte", b" is not 0xE9\n"],
            "ERROR[10]: Magic byte is not 0xE9",
            Cause.WRONG_MAGIC,
        ),
        (
            [b"1460", b"1460E", b"RROR[1]: Flash Write Failed\n"],
            "ERROR[1]: Flash Write Failed",
            Cause.FLASH_FAILED,
        ),
        (
            [b"1024Could Not", b" Activate The Firmware\r\n"],
            "Could Not Activate The Firmware",
            Cause.COULD_NOT_ACTIVATE,
        ),
        ([b"O", b"ut of luck\n"], "Out of luck", Cause.REJECTED),
    ],
)
async def test_an_error_text_is_heard_to_its_end(
    bench: Bench, said: list[bytes], text: str, cause: Cause
) -> None:
    sending = bench.start()
    await bench.take()
    for part in said:
        await bench.say(part)
        await asyncio.sleep(0.02)
    error = await failed(sending)
    assert isinstance(error, ModuleRejectedImage)
    assert error.cause is cause
    assert error.facts["text"] == text


async def test_an_error_text_without_an_end_is_not_waited_for_for_ever(bench: Bench) -> None:
    sending = bench.start(StreamLimits(stall=10, result=10, text=0.05, poll=0.01))
    await bench.take()
    await bench.say(b"ERROR[4]: Not Eno")
    assert (await failed(sending)).facts["text"] == "ERROR[4]: Not Eno"


async def test_an_error_text_ends_with_the_connection(bench: Bench) -> None:
    sending = bench.start()
    await bench.take()
    await bench.say(b"1460Flash Write Failed")
    await asyncio.sleep(0.02)
    bench.module.close()
    error = await failed(sending)
    assert (error.cause, error.facts["text"]) == (Cause.FLASH_FAILED, "Flash Write Failed")


@pytest.mark.parametrize("hard", [False, True], ids=["unread bytes", "reset"])
async def test_an_error_in_the_middle_is_heard_although_the_module_resets(
    bench: Bench, hard: bool
) -> None:
    sending = bench.start()
    await bench.take(8192)
    await bench.say(b"81921460Wrong Magic Byte\r\n")
    if hard:
        bench.reset()
    else:
        bench.module.close()  # with bytes unread, which makes it a reset
    error = await failed(sending)
    assert isinstance(error, ModuleRejectedImage)
    assert (error.cause, error.facts["text"]) == (Cause.WRONG_MAGIC, "Wrong Magic Byte")
    assert bench.progress[-1][0] < len(DATA)


async def test_an_error_in_the_middle_ends_the_sending(bench: Bench) -> None:
    sending = bench.start()
    await bench.take(8192)
    await bench.say(b"8192ERROR[2]: Flash Erase Failed\n")
    assert (await failed(sending)).cause is Cause.FLASH_FAILED
    bench.ours.close()
    rest = 0
    while some := await asyncio.get_running_loop().sock_recv(bench.module, 4096):
        rest += len(some)
    assert 8192 + rest < len(DATA)


async def test_an_ok_for_half_an_image_is_none(bench: Bench) -> None:
    sending = bench.start()
    await bench.take(8192)
    await bench.say(b"8192OK")
    error = await failed(sending)
    assert isinstance(error, TransferError)
    assert error.cause is Cause.CONNECTION_LOST
    assert all(sent < total for sent, total in bench.progress)


@given(st.lists(st.binary(max_size=80), max_size=12))
def test_any_bytes_are_ok_or_an_error_or_neither(parts: list[bytes]) -> None:
    token, whole = EndToken(), EndToken()
    for part in parts:
        token.feed(part)
        assert not (token.is_ok and token.is_error)
        assert len(token.text) <= 512
    whole.feed(b"".join(parts))
    assert token.text == whole.text
    said = b"".join(parts).lstrip(b"0123456789 \r\n\x00")
    assert token.is_ok == said.startswith(b"OK")
    assert token.is_error == (said not in {b"", b"O"} and not said.startswith(b"OK"))
    assert token.is_complete == (b"\n" in said[:512])


@given(st.lists(st.integers(0, 99_999), max_size=40), st.integers(1, 7))
def test_counts_alone_say_nothing(counts: list[int], step: int) -> None:
    token = EndToken()
    text = "".join(map(str, counts)).encode()
    for start in range(0, len(text), step):
        token.feed(text[start : start + step])
        assert not token.is_ok
        assert not token.is_error
    token.feed(b"O")
    assert not token.is_error
    token.feed(b"K")
    assert token.is_ok


# Progress


async def test_progress_rises_a_percent_at_a_time_and_ends_with_everything(bench: Bench) -> None:
    total = 24 * len(DATA)  # a percent is more than the kernel frees at once
    sending = bench.start(data=DATA * 24)
    for _ in range(32):
        await bench.take(total // 32)
        await asyncio.sleep(0.005)
    await condition(lambda: bench.progress[-1] == (total, total))
    assert not sending.done()
    percents = [sent * 100 // whole for sent, whole in bench.progress if whole == total]
    assert len(percents) == len(bench.progress) > 10
    assert percents == sorted(set(percents))
    assert [sent for sent, _ in bench.progress if sent * 100 // total == 100] == [total]
    reported = len(bench.progress)
    await bench.say(b"OK")
    assert await ended(sending) is Delivery.ACCEPTED
    assert len(bench.progress) == reported


async def test_progress_is_what_arrived_and_not_what_the_module_claims(bench: Bench) -> None:
    sending = bench.start()
    await bench.take(8192)
    await bench.say(b"65536" * 20)
    await condition(lambda: unacknowledged(bench.ours) > 4096)
    await asyncio.sleep(0.05)
    taken = 8192 + 2 * WINDOW  # what it has read, and what fits into its window
    assert all(sent <= taken for sent, _ in bench.progress)
    await bench.take(len(DATA) - 8192)
    await bench.say(b"OK")
    assert await ended(sending) is Delivery.ACCEPTED


async def test_a_hanging_module_holds_up_a_small_window_only(bench: Bench) -> None:
    sending = bench.start(data=DATA * 16)
    await condition(lambda: unacknowledged(bench.ours) >= 4096)
    await asyncio.sleep(0.2)
    assert 4096 <= unacknowledged(bench.ours) <= 24 * 1024
    sending.cancel()
    await asyncio.wait({sending})


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
