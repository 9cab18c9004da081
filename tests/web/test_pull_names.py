"""Modules whose address is a host name: a request is theirs from where that name leads."""

import asyncio
from collections.abc import Iterator

import pytest

from homeassistant.helpers import issue_registry as ir
from tests.kit.asking import Asker, ask, headers, poller
from tests.kit.entries import StartModule
from tests.kit.garden import Garden, until
from tests.kit.lookups import Lookups, looked_up
from tests.web.test_pull_secrets import ELSEWHERE, ask_from

HERE = "127.0.0.1"
NAMES = pytest.mark.parametrize("host", ["garden-valve.local", "valve.lan"])


@pytest.fixture
def lookups(asker: Asker) -> Iterator[Lookups]:
    with looked_up() as lookups:
        yield lookups


@pytest.fixture
def port(asker: Asker) -> int:
    assert isinstance(asker.server.port, int)
    return asker.server.port


@pytest.mark.slow
@NAMES
async def test_the_secret_of_the_house_brings_a_stranger_no_image_where_the_address_is_a_name(
    garden: Garden, asker: Asker, lookups: Lookups, port: int, host: str
) -> None:
    lookups.known[host] = [HERE]
    await garden.add(poller(host=host))
    await garden.release("1.1.0")
    await garden.release("1.0.0")
    await ask(asker)
    installing = asyncio.create_task(garden.install("1.1.0"))
    await until(lambda: garden.card.attributes["stage"] == "queued")

    assert b"304" in await ask_from(port, ELSEWHERE, headers())

    status, _, body = await ask(asker)
    assert status == 200
    await ask(asker, said=headers(body))
    await installing
    assert garden.card.attributes["installed_version"] == "1.1.0"


@NAMES
async def test_nobody_is_believed_where_a_name_leads_nowhere(
    garden: Garden, lookups: Lookups, port: int, host: str
) -> None:
    entry = await garden.add(poller(host=host))
    for address in (HERE, ELSEWHERE):
        assert b"304" in await ask_from(port, address, headers())
    assert entry.runtime_data.coordinator.polled is None
    assert entry.data["host"] == host


async def test_a_module_that_asks_right_after_the_start_waits_for_no_more_than_its_name(
    garden: Garden, asker: Asker, lookups: Lookups
) -> None:
    lookups.known["valve.lan"] = [HERE]
    lookups.may_answer.clear()
    entry = await garden.add(poller(host="valve.lan"))
    coordinator = entry.runtime_data.coordinator
    asking = asyncio.create_task(ask(asker))
    await until(lambda: lookups.asked)
    assert coordinator.polled is None

    lookups.may_answer.set()
    assert (await asking)[0] == 304
    assert coordinator.polled is not None


@pytest.mark.slow
async def test_nobody_is_asked_whether_a_module_moved_that_asks_from_where_its_name_leads(
    garden: Garden, asker: Asker, lookups: Lookups, port: int, start_module: StartModule
) -> None:
    module = await start_module()
    lookups.known["valve.lan"] = [HERE]
    ways = {"transports": ["arduino_ota", "http_pull"], "port": module.port}
    entry = await garden.add(poller(host="valve.lan", **ways))
    issues = ir.async_get(garden.hass).issues

    await ask(asker)
    await garden.hass.async_block_till_done(wait_background_tasks=True)
    assert entry.runtime_data.coordinator.polled is not None
    assert not issues

    await ask_from(port, ELSEWHERE, headers())
    await until(lambda: issues)
    assert entry.data["host"] == "valve.lan"
