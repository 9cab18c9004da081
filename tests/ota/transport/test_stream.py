"""The TCP part: streaming ahead of the acks, honest progress, and the end token."""

import asyncio

from hypothesis import given, strategies as st
import pytest

from custom_components.esp_ota.ota import Cause, Delivery
from custom_components.esp_ota.ota.exceptions import ModuleRejectedImage, TransferError
from custom_components.esp_ota.ota.transport._connection import unacknowledged
from custom_components.esp_ota.ota.transport._stream import EndToken, StreamLimits
from tests.ota.transport.stream_bench import DATA, WINDOW, Bench, condition, ended, failed

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
