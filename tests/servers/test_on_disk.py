"""What a server is told is on disk before: after a crash it would be told twice."""

from pathlib import Path
from typing import Any

import pytest

from tests.kit.assigned import Assigned
from tests.kit.disk import StoredFile
from tests.kit.entries import firmware
from tests.kit.hawkbit import File


@pytest.fixture
def hass_storage() -> dict[str, Any]:
    """Take the place of the fixture that keeps what is stored in memory: this is about the disk."""
    return {}


async def test_what_cannot_be_noted_is_not_told(assigned: Assigned, config_dir: Path) -> None:
    disk = StoredFile(config_dir, "servers")
    await assigned.open()
    await assigned.add()
    await assigned.soon(lambda: assigned.known.attributes)
    disk.fail()
    wrong = File(name="valve.bin", data=firmware("1.1.0", "esp32"))
    action = assigned.assign("1.1.0", wrong)
    await assigned.soon(lambda: "closing" in assigned.note)
    for _ in range(3):
        await assigned.visited()
    assert action.told == []
    disk.mend()
    await assigned.told(action, "closed")
    assert [told["execution"] for told in action.told] == ["closed"]
