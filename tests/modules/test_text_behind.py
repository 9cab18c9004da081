"""A text record that is behind what the module has asked with since."""

from typing import Any

import pytest

from custom_components.esp_ota.ota import PullRequest
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden, options_for
from tests.kit.hearing import hear

pytestmark = pytest.mark.slow

MAC = "5c:cf:7f:a1:b2:c3"
OLD, NEW = "a" * 32, "b" * 32


async def test_its_sum_takes_nothing_back(garden: Garden, start_module: StartModule) -> None:
    entry = entry_for(await start_module(), mac=MAC, options=options_for())
    known: Any = {"version": "1.1.0", "firmware": "garden-valve", "assumed": True}
    await garden.house.journal.async_remember(entry.entry_id, known)
    learnt = {"filesystem_sha256": "c" * 64, "slots": []}
    await garden.house.journal.async_learn(entry.entry_id, learnt)
    await garden.add(entry)
    coordinator = entry.runtime_data.coordinator
    request = PullRequest.parse(
        {
            "user-agent": "ESP8266-http-Update",
            "x-esp8266-sta-mac": MAC,
            "x-esp8266-mode": "sketch",
            "x-esp8266-sketch-md5": NEW,
        }
    )
    assert request is not None
    assert await coordinator.asking.async_asked(request, "127.0.0.1", own=True)

    hear(coordinator, mac=MAC, sketch_md5=OLD)

    assert coordinator.data.installed == "1.1.0"
    assert coordinator.facts().filesystem_sha256 == "c" * 64
    assert await coordinator.asking.async_asked(request, "127.0.0.1", own=True)
    assert coordinator.data.installed == "1.1.0"
