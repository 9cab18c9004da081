"""Going back to what ran before: after a failure, on request, after a crash, and under watch."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from custom_components.esp_ota.ota import (
    Cause,
    Delivery,
    InstallRefused,
    InstallResult,
    SafeStateError,
    Sighting,
    Verdict,
    VerifyError,
)
from custom_components.esp_ota.ota.exceptions import TransferError
from custom_components.esp_ota.ota.models import ProgressCallback
from tests.ota.examples import MODULE, sighting
from tests.ota.pipeline.doors import (
    FILES_PART,
    MISSED,
    OLD,
    OLD_PART,
    OTHER,
    SKETCH_PART,
    DoorWorld,
    wrongly_updated,
)
from tests.ota.pipeline.world import fail

ASKED = InstallResult(verdict=Verdict.ROLLED_BACK)


@pytest.fixture
async def world() -> DoorWorld:
    return wrongly_updated()


# Going back


async def test_what_ran_before_is_sent_once_while_the_equipment_is_still_safe(
    world: DoorWorld,
) -> None:
    world.door("push")
    result = await world.run()

    assert (result.verdict, result.cause) == (Verdict.ROLLED_BACK, Cause.OTHER_VERSION_BACK)
    assert result.facts == {
        "version": "1.1.0",
        "found": "0.0.1",
        "failed": "1.1.0",
        "back_to": "1.0.0",
    }
    assert (result.version, result.transport) == ("1.0.0", "push")
    assert [failed.cause for failed in world.went_back_from] == [Cause.OTHER_VERSION_BACK]
    assert world.did("enter", "push sends", "evidence", "go back", "leave", "turn ends") == [
        "enter",
        "push sends sketch",
        "evidence",
        "go back",
        "push sends sketch",
        "evidence",
        "leave",
        "turn ends",
    ]


async def test_nobody_who_has_nothing_to_go_back_to_goes_back(world: DoorWorld) -> None:
    world.before_parts = []
    world.door("push")
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.FAILED, Cause.OTHER_VERSION_BACK)
    assert world.did("push sends", "go back") == ["push sends sketch", "go back"]


@pytest.mark.parametrize(
    "heard", [None, sighting(version="1.0.0"), sighting(version="1.1.0")], ids=["silent", "old", ""]
)
async def test_what_runs_as_before_or_as_it_should_is_not_undone(
    world: DoorWorld, heard: Sighting | None
) -> None:
    world.says(heard)
    world.door("push")
    await world.run()
    assert world.went_back_from == []


async def test_a_module_that_does_not_come_back_cannot_be_helped_from_here(
    world: DoorWorld,
) -> None:
    world.errors["back"] = VerifyError(Cause.DID_NOT_COME_BACK, seconds=180)
    world.door("push")
    assert (await world.run()).cause is Cause.DID_NOT_COME_BACK
    assert world.went_back_from == []


async def test_it_is_gone_back_once_however_that_ends(world: DoorWorld) -> None:
    said = iter(["0.0.1", "0.0.2"])
    world.actions["evidence"] = lambda: setattr(world, "heard", sighting(version=next(said)))
    world.door("push")
    result = await world.run()

    assert (result.verdict, result.cause) == (Verdict.FAILED, Cause.ROLLBACK_FAILED)
    assert result.facts["because"] == Cause.OTHER_VERSION_BACK
    assert (result.facts["failed"], result.facts["back_to"]) == ("1.1.0", "1.0.0")
    assert result.facts["found"] == "0.0.2"
    assert world.did("push sends") == ["push sends sketch"] * 2
    assert world.count("left") == 1


async def test_an_image_that_does_not_belong_there_any_more_is_not_sent_back(
    world: DoorWorld,
) -> None:
    signed = replace(OTHER, signature_required=True)
    world.facts = [MODULE, MODULE, MODULE, signed]
    world.door("push")
    result = await world.run()

    assert (result.cause, result.facts["because"]) == (
        Cause.ROLLBACK_FAILED,
        Cause.UNSIGNED_IMAGE,
    )
    assert world.did("push sends") == ["push sends sketch"]
    assert world.count("left") == 1


async def test_the_safe_state_is_looked_at_before_going_back(world: DoorWorld) -> None:
    world.actions["go back"] = lambda: setattr(world, "safe", False)
    world.door("push")
    result = await world.run()

    assert result.facts["because"] == Cause.SAFE_STATE_BROKEN
    assert world.did("push sends") == ["push sends sketch"]
    assert world.count("left") == 1


async def test_a_module_that_asks_is_waited_for_until_it_fetches_what_ran_before(
    world: DoorWorld,
) -> None:
    world.door("pull", succeed_with_any, fail(MISSED), succeed_with_any, waits=True)
    result = await world.run()

    assert result.verdict is Verdict.ROLLED_BACK
    assert world.did("enter", "pull", "go back", "leave") == [
        "pull ready for sketch",
        "enter",
        "pull sends sketch",
        "go back",
        "pull sends sketch",
        "leave",
        "pull ready for sketch",
        "enter",
        "pull sends sketch",
        "leave",
    ]


def refuses(cause: Cause) -> Callable[..., Awaitable[Delivery]]:
    """Start no other slot, for this reason."""

    async def switch_back(*, before_switch: Callable[[], None]) -> Delivery:
        raise InstallRefused(cause)

    return switch_back


async def succeed_with_any(
    before_first_byte: Callable[[], None], _progress: ProgressCallback
) -> Delivery:
    before_first_byte()
    return Delivery.ACCEPTED


async def test_a_way_back_that_somebody_wanted_is_no_failure_of_anything(
    world: DoorWorld,
) -> None:
    world.goes_back(OLD_PART, ASKED)
    world.door("push")
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.ROLLED_BACK, None)
    assert result.version == "1.0.0"


async def test_a_wanted_way_back_that_fails_says_why(world: DoorWorld) -> None:
    world.undoes = ASKED
    lost = TransferError(Cause.CONNECTION_LOST, host="h", sent=1, total=2)
    world.door("push", fail(lost, begun=True))
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.FAILED, Cause.CONNECTION_LOST)
    assert world.went_back_from == []


async def test_the_other_slot_is_started_without_sending_anything(world: DoorWorld) -> None:
    nothing = replace(OLD_PART.payload, data=b"")
    world.goes_back(replace(OLD_PART, payload=nothing, in_other_slot=True), ASKED)
    world.door("page")
    assert (await world.run()).verdict is Verdict.ROLLED_BACK
    assert world.did("page switches", "evidence", "leave") == [
        "page switches back",
        "evidence",
        "leave",
    ]


async def test_a_restart_of_home_assistant_does_not_hide_that_it_was_a_way_back(
    world: DoorWorld,
) -> None:
    failed = InstallResult(
        verdict=Verdict.FAILED,
        cause=Cause.OTHER_VERSION_BACK,
        facts={"version": "1.1.0", "found": "0.0.1"},
    )
    world.goes_back(OLD_PART, failed)
    world.door("push")
    result = await world.install().resume()
    assert (result.verdict, result.cause) == (Verdict.ROLLED_BACK, Cause.OTHER_VERSION_BACK)


async def test_equipment_that_was_not_restored_is_told_beside_a_way_back(world: DoorWorld) -> None:
    world.errors["leave"] = SafeStateError(Cause.RESTORE_FAILED, detail="stuck")
    world.door("push")
    result = await world.run()
    assert (result.verdict, result.restore_error) == (Verdict.ROLLED_BACK, Cause.RESTORE_FAILED)


# More ways back


async def test_a_resumed_install_goes_back_as_any_other(world: DoorWorld) -> None:
    world.facts = [MODULE, OTHER]
    world.door("push")
    result = await world.install().resume()
    assert (result.verdict, result.cause) == (Verdict.ROLLED_BACK, Cause.OTHER_VERSION_BACK)
    assert world.did("turn", "push sends", "left", "turn ends") == [
        "turn",
        "push sends sketch",
        "turn ends",
        "left",
    ]


async def test_a_resumed_way_back_waits_for_a_module_that_asks(world: DoorWorld) -> None:
    world.facts = [MODULE, OTHER]
    world.door("pull", fail(MISSED), succeed_with_any, waits=True)
    result = await world.install().resume()
    assert result.verdict is Verdict.ROLLED_BACK
    assert world.did("pull", "left") == [
        "pull sends sketch",
        "left",
        "pull ready for sketch",
        "pull sends sketch",
        "left",
    ]


async def test_what_the_module_does_not_start_from_its_other_slot_is_sent(
    world: DoorWorld,
) -> None:
    world.goes_back(replace(OLD_PART, in_other_slot=True), ASKED)
    world.door("push").switch_back = refuses(Cause.NO_OTHER_SLOT)  # type: ignore[method-assign]
    assert (await world.run()).verdict is Verdict.ROLLED_BACK
    assert world.did("push sends") == ["push sends sketch"]


@pytest.mark.parametrize(
    ("cause", "data"), [(Cause.NO_OTHER_SLOT, b""), (Cause.PAGE_NOT_FOUND, OLD)]
)
async def test_a_switch_that_is_refused_is_told(
    world: DoorWorld, cause: Cause, data: bytes
) -> None:
    world.undoes = ASKED
    payload = replace(OLD_PART.payload, data=data)
    world.parts = [replace(OLD_PART, payload=payload, in_other_slot=True)]
    world.facts = [OTHER]
    world.door("page").switch_back = refuses(cause)  # type: ignore[method-assign]
    assert (await world.install().run()).cause is cause
    assert world.did("page sends") == []


async def test_files_that_were_replaced_are_put_back_beside_an_old_sketch(
    world: DoorWorld,
) -> None:
    world.facts = [MODULE]
    world.before_parts = [FILES_PART]
    world.parts = [FILES_PART, SKETCH_PART]
    world.actions["evidence"] = lambda: setattr(world, "heard", sighting(version="1.0.0"))
    world.door("push")
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.ROLLED_BACK, Cause.OLD_VERSION_BACK)
    assert world.did("push sends", "left") == [
        "push sends filesystem",
        "push sends sketch",
        "push sends filesystem",
        "left",
    ]


# Watching what was proven


@pytest.mark.parametrize("said", [None, sighting(version="1.1.0")], ids=["silent", "says so again"])
async def test_new_firmware_that_passes_its_probation_stays_what_it_was_proven(
    world: DoorWorld, said: Sighting | None
) -> None:
    world.says(sighting(version="1.1.0"))
    world.on_probation = said
    world.door("push")
    result = await world.run()
    assert (result.verdict, result.version) == (Verdict.VERIFIED, "1.1.0")
    assert world.did("evidence", "probation", "left") == ["evidence", "probation", "left"]


async def test_new_firmware_that_fails_its_probation_is_gone_back_from(world: DoorWorld) -> None:
    said = iter(["1.1.0", "1.0.0"])
    world.facts = [MODULE, MODULE, MODULE, replace(MODULE, version="1.1.0")]
    world.actions["evidence"] = lambda: setattr(world, "heard", sighting(version=next(said)))
    world.errors["probation"] = VerifyError(Cause.SOAK_RESTARTED, minutes=5)
    world.actions["go back"] = world.errors.clear
    world.door("push")
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.ROLLED_BACK, Cause.SOAK_RESTARTED)


async def test_a_module_that_falls_back_by_itself_while_it_is_watched_is_unchanged(
    world: DoorWorld,
) -> None:
    world.facts = [MODULE]
    world.says(sighting(version="1.1.0"))
    world.on_probation = sighting(version="1.0.0")
    world.door("push")
    result = await world.run()
    assert (result.verdict, result.cause) == (Verdict.UNCHANGED, Cause.OLD_VERSION_BACK)
    assert world.went_back_from == []
