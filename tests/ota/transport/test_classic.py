"""Pushes to sketches of 2015, which answer no datagram and, in their first form, nothing at all."""

import time

import pytest

from custom_components.esp_ota.ota import Cause, Delivery, ImageKind, OtaError, is_alive
from tests.kit.entries import StartModule
from tests.kit.pushing import Push, push, quick
from tests.kit.sentences import assert_sentence_is_whole
from tests.virtual_module import Fault, Seen, build_filesystem

pytestmark = pytest.mark.slow

BOTH = pytest.mark.parametrize("generation", ["classic", "classic_first"])
FILES = build_filesystem(16 * 1024)


async def failure_of(sending: Push) -> OtaError:
    with pytest.raises(OtaError) as caught:
        await sending.send()
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)
    return caught.value


async def test_the_second_form_is_heard_to_say_ok(start_module: StartModule) -> None:
    module = await start_module(generation="classic")
    sending = push(module)
    assert await sending.send() is Delivery.ACCEPTED
    await module.wait_for(Seen.BACK)
    assert module.running_image == sending.data


async def test_the_first_form_is_noticed_to_have_restarted(start_module: StartModule) -> None:
    module = await start_module(generation="classic_first", offline_time=20.0)
    sending = push(module, limits=quick(result=60.0, restart=0.1))
    began = time.monotonic()
    assert await sending.send() is Delivery.RESTARTED
    assert time.monotonic() - began < 30.0  # long before it is no longer waited for
    assert module.running_image == sending.data
    assert module.said == b""


@pytest.mark.parametrize("generation", ["legacy", "pbkdf2"])
async def test_so_is_any_module_that_restarts_without_a_word(
    start_module: StartModule, generation: str
) -> None:
    module = await start_module(
        chip="esp32", generation=generation, offline_time=20.0, faults=[Fault.REBOOT_WITHOUT_OK]
    )
    sending = push(module, limits=quick(result=60.0, restart=0.1))
    assert await sending.send() is Delivery.RESTARTED


async def test_a_module_that_stays_away_is_not_said_to_have_restarted(
    start_module: StartModule,
) -> None:
    module = await start_module(generation="classic_first", faults=[Fault.NEVER_BACK])
    assert await push(module, limits=quick(result=4.0)).send() is Delivery.UNCONFIRMED


@BOTH
async def test_files_are_not_sent_to_what_would_flash_them_as_a_sketch(
    start_module: StartModule, generation: str
) -> None:
    module = await start_module(generation=generation)
    error = await failure_of(push(module, FILES, kind=ImageKind.FILESYSTEM))
    assert error.cause is Cause.FILES_UNANSWERED
    assert not error.retryable
    assert module.payload_bytes == 0
    assert module.restarts == 0


async def test_files_are_sent_to_a_module_whose_ok_is_lost_behind_its_challenge(
    start_module: StartModule,
) -> None:
    module = await start_module(chip="esp32", password="secret", faults={Fault.LOST_AUTH_REPLY: 1})
    sending = push(module, FILES, kind=ImageKind.FILESYSTEM, password="secret")
    assert await sending.send() is Delivery.ACCEPTED
    assert module.fs_image == FILES


async def test_a_module_that_heard_us_and_hears_no_more_is_told_from_a_closed_port(
    start_module: StartModule,
) -> None:
    module = await start_module(generation="classic", slot_size=64 * 1024)
    error = await failure_of(push(module, limits=quick(answer=0.3)))
    assert error.cause is Cause.STOPPED_LISTENING
    assert not error.retryable  # it would be told that the port is closed
    assert error.facts["callback_port"] == str(module.events.last(Seen.INVITED).details["port"])
    assert not await is_alive(module.host, module.port, 5.0)
    error = await failure_of(push(module, limits=quick(answer=0.3)))
    assert error.cause is Cause.PORT_CLOSED


async def test_too_large_a_sketch_is_dropped_by_the_first_form(start_module: StartModule) -> None:
    module = await start_module(generation="classic_first", slot_size=64 * 1024)
    error = await failure_of(push(module))
    assert error.cause is Cause.CONNECTION_LOST
    assert module.payload_bytes == 0
