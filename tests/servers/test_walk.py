"""From an assignment at the server to its being told that it was installed."""

from tests.kit.assigned import Assigned


async def test_what_a_server_wants_is_offered_installed_and_told_once(assigned: Assigned) -> None:
    await assigned.open()
    module = await assigned.add()
    action = assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    assert action.told == []
    assert assigned.known.attributes["hw_boardname"] == "esp8266"
    await assigned.garden.install()
    assert module.running_version == "1.1.0"
    told = await assigned.told(action, "closed")
    assert action.state == "finished"
    assert told["result"]["finished"] in {"success", "none"}
    assert [item["execution"] for item in action.told].count("closed") == 1
    await assigned.soon(lambda: assigned.known.attributes.get("sw_version") == "1.1.0")
