"""What a server in hawkBit's dialect wants, row by row, and what becomes of it."""

import asyncio
from typing import Any

from aiohttp import web
import pytest

from custom_components.esp_ota.const import CONF_WINDOW
from custom_components.esp_ota.servers import SERVERS
from homeassistant.const import STATE_OFF, STATE_ON
from tests.kit.assigned import TARGET, Assigned
from tests.kit.entries import firmware
from tests.kit.garden import CLOSED_AND_OPENED, UNTOUCHED, assert_nothing_sent, options_for, until
from tests.kit.hawkbit import DdiAction, File
from tests.virtual_module import Fault


def closed(action: DdiAction) -> list[str]:
    """Return how the server was told that an action ended, each time."""
    ends = [told for told in action.told if told["execution"] == "closed"]
    return [told["result"]["finished"] for told in ends]


async def test_progress_is_told_before_the_ending_and_never_after_it(assigned: Assigned) -> None:
    await assigned.open()
    await assigned.add()
    action = assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    await assigned.garden.install()
    await assigned.told(action, "closed")
    executions = [told["execution"] for told in action.told]
    assert executions[-1] == "closed"
    assert set(executions[:-1]) == {"proceeding"}
    assert action.told[-1]["details"][0].startswith(("verified", "unverified"))


async def test_a_server_may_want_an_older_version(assigned: Assigned) -> None:
    await assigned.open()
    module = await assigned.add()
    await assigned.garden.release("1.2.0")
    action = assigned.assign("0.9.0")
    await assigned.offered("0.9.0")
    assert assigned.garden.card.state == STATE_ON
    await assigned.garden.install()
    assert module.running_version == "0.9.0"
    await assigned.told(action, "closed")


async def test_nothing_else_is_offered_to_a_module_of_a_server(assigned: Assigned) -> None:
    await assigned.open()
    await assigned.add()
    await assigned.garden.release("1.2.0")
    await assigned.visited()
    await assigned.visited()
    assert assigned.garden.card.state == STATE_OFF


async def test_an_image_for_another_chip_is_refused_and_told(assigned: Assigned) -> None:
    await assigned.open()
    module = await assigned.add()
    wrong = File(name="valve.bin", data=firmware("1.1.0", "esp32"))
    action = assigned.assign("1.1.0", wrong)
    told = await assigned.told(action, "closed")
    assert told["result"]["finished"] == "failure"
    assert told["details"][0].startswith("wrong_chip: ")
    assert assigned.garden.card.state == STATE_OFF
    assert_nothing_sent(module)


async def test_what_runs_already_is_told_as_done(assigned: Assigned) -> None:
    await assigned.open()
    module = await assigned.add()
    action = assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    await assigned.garden.install()
    await assigned.told(action, "closed")
    coordinator = assigned.entry.runtime_data.coordinator
    coordinator.async_set_installed("1.1.0", "garden-valve", assumed=False)
    again = assigned.assign("1.1")
    again.files = action.files
    told = await assigned.told(again, "closed")
    assert told["result"]["finished"] == "success"
    assert module.running_version == "1.1.0"
    # The server compares letter by letter, so that is what it is told that runs.
    await assigned.soon(lambda: assigned.known.attributes["sw_version"] == "1.1")


async def test_a_cancelled_action_is_not_offered_any_more(assigned: Assigned) -> None:
    await assigned.open()
    module = await assigned.add()
    action = assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    assigned.hawkbit.cancel(action)
    await assigned.soon(lambda: action.state == "canceled")
    assert assigned.garden.card.state == STATE_OFF
    assert_nothing_sent(module)


async def test_a_cancelled_action_leaves_the_queue(assigned: Assigned) -> None:
    never = {"start": "00:00:00", "end": "00:00:01", "days": ["mon"]}
    await assigned.open()
    options = options_for() | {"window_of": "own", CONF_WINDOW: never}
    module = await assigned.add(options)
    action = assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    press = assigned.hass.async_create_task(assigned.garden.press())
    await until(lambda: assigned.garden.card.attributes["stage"] == "queued")
    assigned.hawkbit.cancel(action)
    await assigned.soon(lambda: action.state == "canceled")
    err = await press
    assert err is not None
    assert err.translation_key == "cancelled"
    assert closed(action) == ["success"]
    assert_nothing_sent(module)


async def test_what_is_being_sent_is_carried_to_its_end(assigned: Assigned) -> None:
    await assigned.open()
    module = await assigned.add(sector_time=0.1)
    action = assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    press = await assigned.garden.begin(assigned.garden.press(), "sending")
    assigned.hawkbit.cancel(action)
    await assigned.soon(lambda: action.told and closed(action) == ["failure"])
    assert await press is None
    assert module.running_version == "1.1.0"
    await assigned.soon(lambda: action.state == "finished")


async def test_feedback_that_is_gone_is_no_trouble(assigned: Assigned) -> None:
    await assigned.open()
    await assigned.add()
    action = assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    await assigned.garden.install()
    action.state = "finished"
    await assigned.visited()
    await assigned.visited()
    assert "closing" not in assigned.note
    assert assigned.server.cause is None


async def test_an_ending_that_may_have_been_heard_is_told_again_only_while_it_is_offered(
    assigned: Assigned,
) -> None:
    await assigned.open()
    await assigned.add()
    action = assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    heard: list[str] = []

    def reset(request: web.Request) -> web.StreamResponse | None:
        if request.method == "POST" and request.path.endswith("/feedback"):
            heard.append(request.path)
            assert request.transport is not None
            request.transport.abort()
            return web.Response(status=500)
        return None

    assigned.hawkbit.faults.append(reset)
    await assigned.garden.install()
    await assigned.soon(lambda: assigned.note.get("closing", {}).get("is_sent"))
    assigned.hawkbit.faults.clear()
    assigned.answer_again()
    await assigned.told(action, "closed")
    assert len(closed(action)) == 1
    await assigned.soon(lambda: "closing" not in assigned.note)


async def test_an_ending_whose_answer_was_lost_is_not_told_twice(assigned: Assigned) -> None:
    await assigned.open()
    await assigned.add()
    action = assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    await assigned.garden.install()
    await assigned.soon(lambda: closed(action))
    told = len(action.told)
    assigned.note["closing"] = {
        "action": str(action.id),
        "mark": "",
        "finished": "success",
        "details": [],
        "is_sent": True,
    }
    await assigned.soon(lambda: "closing" not in assigned.note)
    assert len(action.told) == told


async def test_a_deployment_that_changed_meanwhile_is_not_installed(assigned: Assigned) -> None:
    await assigned.open()
    module = await assigned.add()
    assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    await assigned.pause()
    other = assigned.assign("1.2.0")
    await assigned.garden.refused("deployment_changed")
    assert_nothing_sent(module)
    assert assigned.garden.valve == UNTOUCHED
    assigned.server.async_start()
    await assigned.soon(lambda: other.state == "running")
    await assigned.offered("1.2.0")
    await assigned.garden.install()
    assert module.running_version == "1.2.0"
    assert assigned.garden.valve == CLOSED_AND_OPENED


async def test_before_anybody_can_ask_the_server_nothing_is_installed(assigned: Assigned) -> None:
    """An install that goes on after a start comes to its turn before its server is looked for."""
    await assigned.open()
    module = await assigned.add()
    assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    servers = assigned.hass.data[SERVERS]
    entry = servers._entry
    servers.async_close()
    await assigned.garden.refused("deployment_not_confirmed")
    assert_nothing_sent(module)
    assert assigned.garden.valve == UNTOUCHED

    installing = asyncio.ensure_future(assigned.garden.install())
    await asyncio.sleep(0.2)
    servers.async_open(entry)
    await installing
    assert module.running_version == "1.1.0"


async def test_without_the_servers_word_nothing_is_installed(assigned: Assigned) -> None:
    await assigned.open()
    module = await assigned.add()
    action = assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    assigned.hawkbit.faults.append(lambda _: web.Response(status=503))
    await assigned.garden.refused("deployment_not_confirmed")
    assert_nothing_sent(module)
    assert closed(action) == []
    assigned.hawkbit.faults.clear()
    await assigned.garden.install()
    assert module.running_version == "1.1.0"


@pytest.mark.parametrize("terms", [{"update": "skip"}, {"window": "unavailable"}])
async def test_what_a_server_holds_back_is_not_offered(
    assigned: Assigned, terms: dict[str, Any]
) -> None:
    await assigned.open()
    await assigned.add()
    action = assigned.assign("1.1.0", **terms)
    await assigned.soon(lambda: "assigned" in assigned.note)
    assert assigned.garden.card.state == STATE_OFF
    action.update, action.window = "forced", None
    await assigned.offered("1.1.0")


async def test_an_update_begins_by_itself_where_that_is_wanted(assigned: Assigned) -> None:
    await assigned.open(begins="itself")
    module = await assigned.add()
    action = assigned.assign("1.1.0")
    await assigned.told(action, "closed")
    assert module.running_version == "1.1.0"
    assert closed(action) == ["none"]
    assert assigned.garden.valve == CLOSED_AND_OPENED


async def test_what_could_not_begin_stays_open_at_the_server(assigned: Assigned) -> None:
    await assigned.open()
    module = await assigned.add()
    action = assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    await module.power_off()
    await assigned.garden.refused("port_closed")
    await assigned.soon(lambda: action.told)
    assert action.told[-1]["execution"] == "rejected"
    assert action.state == "running"


async def test_a_failure_is_told_with_its_cause(assigned: Assigned) -> None:
    await assigned.open()
    await assigned.add(faults=[Fault.WRONG_MD5])
    action = assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    err = await assigned.garden.press()
    assert err is not None
    told = await assigned.told(action, "closed")
    assert told["result"]["finished"] == "failure"
    assert str(err.translation_key) in told["details"][0]
    assert TARGET in assigned.hawkbit.targets
