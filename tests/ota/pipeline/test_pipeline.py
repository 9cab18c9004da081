"""The whole install of a virtual module: gate, safe state, push, restart, proof, restore."""

import asyncio
from typing import Any

import pytest

from custom_components.esp_ota.ota import (
    ArduinoOtaPush,
    Cause,
    Fixed,
    InstallProgress,
    InstallResult,
    InstallStage,
    ModuleFacts,
    SafeStateError,
    Verdict,
)
from custom_components.esp_ota.ota.module import probe
from tests.kit.entries import StartModule
from tests.kit.pushing import GENERATIONS, new_firmware, payload_for, quick
from tests.kit.sentences import assert_sentence_is_whole
from tests.ota.pipeline.gardens import Garden, garden_of
from tests.virtual_module import Fault, Seen, gzip_image

EACH = pytest.mark.parametrize("generation", GENERATIONS)
PAIR = pytest.mark.parametrize("generation", ["esp8266", "esp32_pbkdf2"])
"""The two whose behaviour differs most."""
LONG_AWAY = {"offline_time": 25.0}
"""Scaled to 0.5 s, so that the restart is seen by probes alone."""


@pytest.fixture(autouse=True)
def _near(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make probes quick: on loopback "port unreachable" comes at once."""
    monkeypatch.setattr(probe, "_UDP_WAIT", 0.03)


@pytest.mark.parametrize(
    ("generation", "password"),
    [
        ("esp8266", None),
        ("esp8266", "watering-can"),
        ("esp32_md5", "watering-can"),
        ("esp32_pbkdf2", None),
        ("esp32_pbkdf2", "watering-can"),
        ("pico", "watering-can"),
    ],
)
async def test_a_new_version_is_proven_on_every_generation(
    start_module: StartModule, generation: str, password: str | None
) -> None:
    garden = await garden_of(
        start_module, generation, config={"password": password}, password=password
    )
    closed_when: list[bool] = []

    def note(step: InstallProgress) -> None:
        if step.stage is not InstallStage.DONE:
            closed_when.append(garden.valve.closed)

    garden.on_progress = note
    result = await garden.run()
    assert result == InstallResult(verdict=Verdict.VERIFIED, version="1.1.0")
    assert garden.module.running_image == garden.data
    assert garden.stages == list(InstallStage)
    assert garden.percents == sorted(set(garden.percents))
    assert garden.percents[-1] == 100
    assert not garden.valve.closed
    assert garden.module.events.count_of(Seen.INVITED) == 1
    assert all(closed_when[3:]), "the valve was open while something was sent"


@pytest.mark.slow
@PAIR
async def test_a_module_that_never_speaks_ends_unverified(
    start_module: StartModule, generation: str
) -> None:
    garden = await garden_of(
        start_module,
        generation,
        config=LONG_AWAY,
        talks=False,
        watch_limits={"evidence": 0.2},
    )
    result = await garden.run()
    assert result == InstallResult(verdict=Verdict.UNVERIFIED)
    assert garden.module.running_image == garden.data


@pytest.mark.parametrize("generation", ["esp8266", "pico"])
async def test_a_packed_image_is_proven_too(start_module: StartModule, generation: str) -> None:
    module = await start_module(**GENERATIONS[generation])
    garden = Garden(module, gzip_image(new_firmware(module)))
    if generation == "esp8266":
        assert (await garden.run()).cause is Cause.NOT_CERTAIN_PACKING
        return
    assert (await garden.run()).verdict is Verdict.VERIFIED
    assert module.running_version == "1.1.0"


@pytest.mark.parametrize(
    ("generation", "fault"),
    [("esp8266", Fault.REBOOT_WITHOUT_OK), ("esp32_pbkdf2", Fault.CLOSE_WITHOUT_OK)],
)
async def test_a_lost_ok_does_not_hide_the_proof(
    start_module: StartModule, generation: str, fault: Fault
) -> None:
    garden = await garden_of(start_module, generation, [fault], push_limits=quick(result=0.3))
    assert (await garden.run()).verdict is Verdict.VERIFIED


@pytest.mark.slow
@pytest.mark.parametrize(
    ("generation", "faults", "verdict", "cause"),
    [
        ("esp8266", [Fault.OLD_SKETCH_BACK], Verdict.UNCHANGED, Cause.OLD_VERSION_BACK),
        ("esp32_pbkdf2", [Fault.OLD_SKETCH_BACK], Verdict.UNCHANGED, Cause.OLD_VERSION_BACK),
        ("esp32_md5", [Fault.WRONG_VERSION_BACK], Verdict.FAILED, Cause.OTHER_VERSION_BACK),
        ("pico", [Fault.NO_RESTART], Verdict.FAILED, Cause.DID_NOT_RESTART),
        (
            "esp8266",
            [Fault.NO_RESTART, Fault.CLOSE_WITHOUT_OK],
            Verdict.FAILED,
            Cause.NO_RESULT,
        ),
        ("esp32_pbkdf2", [Fault.NEVER_BACK], Verdict.FAILED, Cause.DID_NOT_COME_BACK),
    ],
)
async def test_what_became_of_the_module_is_the_verdict(
    start_module: StartModule,
    generation: str,
    faults: list[Fault],
    verdict: Verdict,
    cause: Cause,
) -> None:
    limits = {"go": 10.0, "back": 10.0, "evidence": 0.2}
    if cause in {Cause.DID_NOT_RESTART, Cause.NO_RESULT}:
        limits["go"] = 0.3
    if cause is Cause.DID_NOT_COME_BACK:
        limits["back"] = 0.3
    garden = await garden_of(start_module, generation, faults, LONG_AWAY, watch_limits=limits)
    result = await garden.run()
    assert (result.verdict, result.cause) == (verdict, cause)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("generation", "faults", "config"),
    [
        ("esp8266", {Fault.RESET: 1}, {}),
        ("esp8266", {Fault.SILENT_DEATH: 2}, {"revive_after": 0.2, "offline_time": 0.0}),
        ("esp32_pbkdf2", {Fault.HANG_AFTER_ACCEPT: 1}, {}),
        ("esp8266", {Fault.BUSY: 6}, {}),
    ],
)
async def test_a_fault_that_passes_does_not_stop_an_install(
    start_module: StartModule, generation: str, faults: dict[Fault, int], config: dict[str, Any]
) -> None:
    limits = quick(stall=0.3, answer=0.4, tries=3)
    garden = await garden_of(start_module, generation, faults, config, push_limits=limits)
    assert (await garden.run()).verdict is Verdict.VERIFIED
    assert garden.stages.count(InstallStage.SENDING) == 1


@PAIR
async def test_a_wrong_password_sends_nothing(start_module: StartModule, generation: str) -> None:
    garden = await garden_of(
        start_module,
        generation,
        config={"password": "watering-can", "auth_time": 0.01},
        password="wrong",
    )
    result = await garden.run()
    assert (result.verdict, result.cause) == (Verdict.REFUSED, Cause.WRONG_PASSWORD)
    assert garden.module.events.count_of(Seen.CONNECTING) == 0


async def test_a_module_that_is_switched_off_is_refused(start_module: StartModule) -> None:
    garden = await garden_of(start_module, "esp8266")
    await garden.module.__aexit__(None, None, None)
    result = await garden.run()
    assert (result.verdict, result.cause) == (Verdict.REFUSED, Cause.PORT_CLOSED)
    assert_sentence_is_whole(result.cause, result.facts)
    assert garden.stages == [InstallStage.CHECKING]


@EACH
async def test_a_valve_that_opens_stops_the_sending_and_frees_the_module(
    start_module: StartModule, generation: str
) -> None:
    garden = await garden_of(start_module, generation, config={"sector_time": 0.1})
    before = garden.module.running_md5

    def somebody_opens_it(step: InstallProgress) -> None:
        if step.sent:
            garden.valve.closed = False

    garden.on_progress = somebody_opens_it
    result = await garden.run()
    assert (result.verdict, result.cause) == (Verdict.FAILED, Cause.SAFE_STATE_BROKEN)
    await garden.module.events.wait_for(Seen.ABORTED, 10)
    assert garden.module.events.count_of(Seen.COMPLETE) == 0
    assert garden.module.running_md5 == before


@pytest.mark.slow
@PAIR
async def test_a_valve_that_opens_after_the_last_byte_does_not_change_the_truth(
    start_module: StartModule, generation: str
) -> None:
    garden = await garden_of(
        start_module, generation, config={"time_scale": 0.3, "offline_time": 1}
    )

    def somebody_opens_it(step: InstallProgress) -> None:
        if step.percent == 100:
            garden.valve.closed = False

    garden.on_progress = somebody_opens_it
    result = await garden.run()
    assert result.verdict is Verdict.VERIFIED
    assert garden.module.running_image == garden.data


async def test_a_valve_that_will_not_close_keeps_everything_as_it_is(
    start_module: StartModule,
) -> None:
    garden = await garden_of(start_module, "esp8266")

    async def stuck() -> None:
        raise SafeStateError(
            Cause.SAFE_STATE_NOT_CONFIRMED, seconds=60, detail="Not true: valve closed."
        )

    garden.valve.enter = stuck  # type: ignore[method-assign]
    result = await garden.run()
    assert (result.verdict, result.cause) == (Verdict.REFUSED, Cause.SAFE_STATE_NOT_CONFIRMED)
    assert garden.module.events.count_of(Seen.INVITED) == 0


@pytest.mark.slow
@PAIR
async def test_a_cancelled_install_leaves_the_old_sketch_and_an_open_valve(
    start_module: StartModule, generation: str
) -> None:
    slow = {"slow_sector_time": 0.1}
    garden = await garden_of(start_module, generation, {Fault.SLOW_SECTOR: 1}, slow)
    before = garden.module.running_md5
    task = asyncio.ensure_future(garden.install().run())
    await garden.module.events.wait_for(Seen.FIRST_BYTE, 10)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert [result.verdict for result in garden.valve.restored] == [Verdict.CANCELLED]
    await garden.module.events.wait_for(Seen.ABORTED, 10)
    assert garden.module.running_md5 == before
    assert (await Garden(garden.module, garden.data).run()).verdict is Verdict.VERIFIED


async def test_an_install_is_carried_on_after_home_assistant_died(
    start_module: StartModule,
) -> None:
    garden = await garden_of(start_module, "esp32_pbkdf2")
    delivered = ArduinoOtaPush(Fixed(garden.module.host, garden.module.port), limits=quick())
    await delivered.send(
        payload_for(garden.data), before_first_byte=lambda: None, on_progress=lambda *_: None
    )
    async with asyncio.timeout(30):
        result = await garden.install().resume()
    assert (result.verdict, result.version) == (Verdict.VERIFIED, "1.1.0")
    assert garden.valve.restored == [result]


@pytest.mark.slow
async def test_the_module_that_answers_must_be_the_one_that_was_meant(
    start_module: StartModule,
) -> None:
    garden = await garden_of(
        start_module, "esp8266", watch_limits={"evidence": 0.2}, config=LONG_AWAY
    )
    garden.facts = ModuleFacts(
        name="other",
        host=garden.facts.host,
        port=garden.facts.port,
        family=garden.facts.family,
        firmware="garden-valve",
        mac="00:00:00:00:00:01",
    )
    result = await garden.run()
    assert (result.verdict, result.cause) == (Verdict.FAILED, Cause.WRONG_MODULE)
