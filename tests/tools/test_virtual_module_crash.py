"""A new sketch that does not run for long, as a chip with an exception or a watchdog has it."""

from typing import Any

import pytest

from tests.tools.chips import ESP8266, FAMILIES, SIZE, image_for
from tests.virtual_module import Fault
from tests.virtual_module.plain_host import Host, bench

pytestmark = pytest.mark.slow

CRASHES: dict[str, Any] = {"faults": {Fault.CRASHES: 1}, "crash_time": 60, "offline_time": 10}
"""After 1.2 s, and it takes 0.2 s to start again."""


def says_nothing(host: Host) -> bool:
    """Tell whether neither a FIN nor a reset has come."""
    assert host.connection is not None
    host.connection.setblocking(False)
    try:
        host.connection.recv(4096)
    except BlockingIOError:
        return True
    except ConnectionResetError:
        pass
    return False


@pytest.mark.parametrize("chip", FAMILIES)
async def test_a_new_sketch_that_crashes_is_started_again_until_another_one_is_sent(
    chip: dict[str, Any],
) -> None:
    async with bench(**chip, **CRASHES) as (module, host):
        await host.push(image_for(chip, "2.0.0"))
        again = await module.wait_for("back", count=3)
        assert again.details["version"] == "2.0.0"
        assert module.events.names()[-6:] == ["crashed", "restarted", "back"] * 2

        host.heard = b""
        assert (await host.push(image_for(chip, "1.0.1"))).endswith(b"OK")
        steady = await module.wait_for("back", count=4)
        assert steady.details["version"] == "1.0.1"
        with pytest.raises(TimeoutError):
            await module.wait_for("crashed", timeout=1.5, count=3)


async def test_a_crash_breaks_off_a_transfer_without_a_word_until_the_chip_is_back() -> None:
    async with bench(**ESP8266, **CRASHES) as (module, host):
        await host.push(image_for(ESP8266, "2.0.0"))
        await module.wait_for("back")
        await host.begin(image_for(ESP8266, "1.0.1"))
        await host.lock_step(image_for(ESP8266, "1.0.1")[: SIZE // 2])

        await module.wait_for("crashed")
        assert says_nothing(host)
        again = await module.wait_for("back", count=2)
        assert again.details["version"] == "2.0.0"
        assert not says_nothing(host)
