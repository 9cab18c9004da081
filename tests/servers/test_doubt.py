"""What a server is told of a module of which nobody knows what it runs."""

import pytest

from tests.kit.assigned import Assigned
from tests.kit.garden import patience
from tests.virtual_module import Fault

pytestmark = pytest.mark.slow


async def test_a_server_is_told_that_nobody_knows(assigned: Assigned) -> None:
    """A server keeps what it is not told anything else of."""
    await assigned.open()
    assigned.garden.house.patience = patience(evidence=0.1)
    module = await assigned.add()
    action = assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    await assigned.garden.install()
    await assigned.told(action, "closed")
    await assigned.soon(lambda: assigned.known.attributes.get("sw_version") == "1.1.0")
    assigned.garden.house.patience = patience(evidence=0.1, go=0.2)
    assert await assigned.hass.config_entries.async_reload(assigned.entry.entry_id)
    module.faults.set(Fault.NO_RESTART)
    action = assigned.assign("1.2.0")
    await assigned.offered("1.2.0")

    await assigned.garden.refused("did_not_restart")

    await assigned.told(action, "closed")
    await assigned.soon(lambda: assigned.known.attributes.get("sw_version") == "unknown")
