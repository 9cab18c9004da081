"""Whole pushes to virtual modules that arrive, or are left to the evidence."""

from collections.abc import Callable
import logging
import socket
from typing import Any

import pytest

from custom_components.esp_ota.ota import (
    ArduinoOtaPush,
    Delivery,
    Fixed,
    ImageKind,
    PushLimits,
)
from custom_components.esp_ota.ota.exceptions import (
    ModuleAuthError,
)
from tests.kit.entries import StartModule
from tests.kit.pushing import (
    EACH,
    ESP32,
    ESP32_MD5,
    ESP32S,
    ESP8266,
    GENERATIONS,
    PASSWORD,
    PICO,
    new_firmware,
    push,
    quick,
)
from tests.virtual_module import (
    Fault,
    Seen,
    build_filesystem,
    gzip_image,
)

# Pushes that succeed


@EACH
@pytest.mark.parametrize("password", [None, PASSWORD], ids=["open", "locked"])
async def test_an_image_arrives(
    start_module: StartModule, generation: str, password: str | None
) -> None:
    module = await start_module(**GENERATIONS[generation], password=password)
    data = new_firmware(module)
    sending = push(module, data, password=password)
    assert await sending.send() is Delivery.ACCEPTED
    assert sending.progress[-1] == (len(data), len(data))
    assert sending.progress == sorted(set(sending.progress))
    await module.events.wait_for(Seen.BACK, 20)
    assert module.running_image == data
    assert module.events.last(Seen.INVITED).details["command"] == 0
    assert module.events.count_of(Seen.INVITED) == 1


@EACH
async def test_a_password_that_nobody_asked_for_does_no_harm(
    start_module: StartModule, generation: str
) -> None:
    module = await start_module(**GENERATIONS[generation])
    assert await push(module, password=PASSWORD).send() is Delivery.ACCEPTED
    assert module.events.count_of(Seen.CHALLENGED) == 0


@pytest.mark.parametrize("generation", [ESP8266, PICO])
async def test_a_packed_image_arrives_as_it_is(start_module: StartModule, generation: str) -> None:
    module = await start_module(**GENERATIONS[generation])
    plain = new_firmware(module)
    assert await push(module, gzip_image(plain)).send() is Delivery.ACCEPTED
    await module.events.wait_for(Seen.BACK, 20)
    assert module.running_image == plain


@EACH
async def test_a_file_system_goes_where_it_belongs(
    start_module: StartModule, generation: str
) -> None:
    module = await start_module(**GENERATIONS[generation])
    files = build_filesystem()
    before = module.running_md5
    sending = push(module, files, kind=ImageKind.FILESYSTEM)
    assert await sending.send() is Delivery.ACCEPTED
    await module.events.wait_for(Seen.BACK, 20)
    assert module.events.last(Seen.INVITED).details["command"] == 100
    assert module.board.fs_image[: len(files)] == files
    assert module.running_md5 == before


@pytest.mark.parametrize(
    ("config", "attempts"),
    [
        ({"chip": "esp32", "password": PASSWORD}, 1),
        ({"chip": "esp32", "password_hash": "5EBE2294ECD0E0F08EAB7690D2A6EE69".lower()}, 2),
    ],
    ids=["B", "C"],
)
async def test_a_new_esp32_gets_the_key_its_sketch_stores(
    start_module: StartModule, config: dict[str, Any], attempts: int
) -> None:
    module = await start_module(**config)
    password = config.get("password") or "secret"  # whose MD5 the hash is
    assert await push(module, password=password).send() is Delivery.ACCEPTED
    assert module.events.count_of(Seen.CHALLENGED) == attempts
    assert module.events.count_of(Seen.AUTH_FAILED) == attempts - 1
    assert module.events.count_of(Seen.AUTH_MALFORMED) == 0
    nonces = {event.details["nonce"] for event in module.events if event.name is Seen.CHALLENGED}
    assert len(nonces) == attempts


@pytest.mark.parametrize(
    ("generation", "given"),
    [(ESP8266, "1f" * 16), (ESP32_MD5, "1f" * 16), (ESP32, "1f" * 16), (ESP32, "1f" * 32)],
)
@pytest.mark.parametrize(
    ("in_sketch", "as_password"),
    [(str.lower, str.lower), (str.upper, str.upper), (str.lower, str.upper)],
)
async def test_the_hash_a_sketch_was_given_works_as_its_password(
    start_module: StartModule,
    generation: str,
    given: str,
    in_sketch: Callable[[str], str],
    as_password: Callable[[str], str],
) -> None:
    module = await start_module(**GENERATIONS[generation], password_hash=in_sketch(given))
    assert await push(module, password=as_password(given)).send() is Delivery.ACCEPTED


# Row 4: what a lost or late datagram does not break


@pytest.mark.slow
@pytest.mark.parametrize(
    ("generation", "password"),
    [
        (ESP8266, None),
        (ESP8266, PASSWORD),
        (ESP32_MD5, None),
        (ESP32, PASSWORD),
        (PICO, PASSWORD),
    ],
)
async def test_a_lost_first_reply_is_made_up_for(
    start_module: StartModule, generation: str, password: str | None
) -> None:
    faults = {Fault.LOST_FIRST_REPLY: 1}
    module = await start_module(**GENERATIONS[generation], password=password, faults=faults)
    sending = push(module, password=password, limits=quick(answer=0.4))
    assert await sending.send() is Delivery.ACCEPTED
    if password is not None:
        assert module.events.count_of(Seen.SWALLOWED) == 1


@pytest.mark.slow
@EACH
async def test_a_challenge_that_a_dead_host_left_behind_costs_one_invitation(
    start_module: StartModule, generation: str
) -> None:
    module = await start_module(**GENERATIONS[generation], password=PASSWORD)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead:
        dead.sendto(f"0 4000 100 {'0' * 32}\n".encode(), (module.host, module.port))
        await module.events.wait_for(Seen.CHALLENGED, 5)
    sending = push(module, password=PASSWORD, limits=quick(answer=0.4))
    assert await sending.send() is Delivery.ACCEPTED
    assert module.events.count_of(Seen.SWALLOWED) == 1


@EACH
@pytest.mark.parametrize("password", [None, PASSWORD], ids=["open", "locked"])
async def test_the_connection_is_a_yes_when_the_ok_is_lost(
    start_module: StartModule, generation: str, password: str | None
) -> None:
    fault = Fault.LOST_AUTH_REPLY if password else Fault.LOST_FIRST_REPLY
    module = await start_module(**GENERATIONS[generation], password=password, faults=[fault])
    # Who waits for the lost word misses the second an ESP32 gives for the first byte.
    sending = push(module, password=password, limits=quick(answer=30.0, auth_answer=30.0))
    assert await sending.send() is Delivery.ACCEPTED
    assert module.events.count_of(Seen.INVITED) == 1


@pytest.mark.slow
async def test_a_late_challenge_is_still_good(start_module: StartModule) -> None:
    module = await start_module(
        password=PASSWORD, faults={Fault.LATE_REPLY: 1}, late_reply_time=0.6
    )
    sending = push(module, password=PASSWORD, limits=quick(answer=0.4, tries=9, auth_answer=1.0))
    assert await sending.send() is Delivery.ACCEPTED


@pytest.mark.slow
async def test_an_esp32_that_hears_one_datagram_a_second_gets_its_password(
    start_module: StartModule,
) -> None:
    slow = {"time_scale": 1.0, "loop_time": 0.9, "auth_time": 0.0}
    module = await start_module(**GENERATIONS[ESP32], password=PASSWORD, **slow)
    # The second invitation is on its way when the first is answered, and cancels that answer.
    sending = push(module, password=PASSWORD, limits=quick(answer=0.5, auth_answer=2.0))
    assert await sending.send() is Delivery.ACCEPTED
    assert module.events.count_of(Seen.SWALLOWED) >= 1  # more where this machine is busy


# Row 9: the end is found, or left to the evidence


@EACH
@pytest.mark.parametrize(
    "fault", [Fault.SPLIT_OK, Fault.MERGED_OK, Fault.DUPLICATE_ACK, Fault.SLOW_SECTOR]
)
async def test_an_unusual_ending_is_a_good_one(
    start_module: StartModule, generation: str, fault: Fault
) -> None:
    module = await start_module(**GENERATIONS[generation], faults=[fault], slow_sector_time=0.02)
    assert await push(module).send() is Delivery.ACCEPTED


@EACH
@pytest.mark.parametrize("fault", [Fault.CLOSE_WITHOUT_OK, Fault.REBOOT_WITHOUT_OK])
async def test_a_lost_ok_is_left_to_the_evidence(
    start_module: StartModule, generation: str, fault: Fault
) -> None:
    module = await start_module(**GENERATIONS[generation], faults=[fault])
    data = new_firmware(module)
    sending = push(module, data, limits=quick(result=0.2))
    assert await sending.send() is Delivery.UNCONFIRMED
    assert sending.progress[-1] == (len(data), len(data))
    await module.events.wait_for(Seen.BACK, 20)
    assert module.running_image == data


# What nobody may see or wait for


@EACH
@pytest.mark.parametrize("given", [PASSWORD, "another-password-4711"])
async def test_no_secret_is_in_a_log_line_or_an_error(
    start_module: StartModule,
    caplog: pytest.LogCaptureFixture,
    generation: str,
    given: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    module = await start_module(**GENERATIONS[generation], password=PASSWORD, auth_time=0.01)
    told = ""
    try:
        await push(module, password=given).send()
    except ModuleAuthError as error:
        told = f"{error} {error!r} {error.facts}"
    assert (given != PASSWORD) == bool(told)
    assert "Inviting 127.0.0.1" in caplog.text
    for secret in (PASSWORD, given):
        assert secret not in caplog.text + told
    nonce = str(module.events.last(Seen.CHALLENGED).details["nonce"])
    assert nonce not in caplog.text + told


@pytest.mark.parametrize("generation", ESP32S)
async def test_an_esp32_has_its_first_byte_within_its_second(
    start_module: StartModule, generation: str
) -> None:
    module = await start_module(**GENERATIONS[generation], password=PASSWORD)
    await push(module, password=PASSWORD).send()
    # The module itself gives up after a second, and says so.
    assert module.events.count_of(Seen.ABORTED) == 0
    connected = module.events.last(Seen.CONNECTED).time
    assert module.events.last(Seen.FIRST_BYTE).time - connected < 1.0


def test_a_push_has_a_name_and_waits_of_its_own() -> None:
    assert ArduinoOtaPush(Fixed("192.0.2.1", 8266)).name == "arduino_ota"
    limits = PushLimits()
    assert limits.callback >= 10  # 5 s connect timeout on the module, and a busy loop
    assert limits.invitation.answer * (2 * limits.invitation.tries - 1) >= 10
    assert limits.stream.stall >= 30
    assert limits.stream.result >= 60
