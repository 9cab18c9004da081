"""What a request may have rests on its secret: the module's own, or one that all modules know."""

import asyncio
import time

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.ota import EvidenceSource
from homeassistant.config_entries import SOURCE_IGNORE
from homeassistant.helpers import issue_registry as ir
from tests.kit.asking import MAC, OWN, PATH, SECRET, Asker, ask, headers, poller
from tests.kit.entries import StartModule
from tests.kit.garden import Garden, until

ELSEWHERE = "127.0.0.7"


async def ask_from(port: int, host: str, said: dict[str, str], secret: str = SECRET) -> bytes:
    """Ask once from another address; return the first line of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(host, 0))
    lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    writer.write(f"GET {PATH}/{secret} HTTP/1.0\r\nHost: ha\r\n{lines}\r\n".encode())
    try:
        return await reader.readline()
    finally:
        writer.close()


@pytest.mark.slow
async def test_the_secret_of_the_house_brings_a_stranger_no_image_and_proves_nothing(
    garden: Garden, asker: Asker
) -> None:
    assert isinstance(asker.server.port, int)
    port = asker.server.port
    await garden.add(poller())
    new = await garden.release("1.1.0")
    await garden.release("1.0.0")
    await ask(asker)
    installing = asyncio.create_task(garden.install("1.1.0"))
    await until(lambda: garden.card.attributes["stage"] == "queued")

    assert b"304" in await ask_from(port, ELSEWHERE, headers())
    image = garden.house.library.get(new.image.sha256)
    assert image is not None
    verified = headers(x_ESP8266_sketch_md5=new.image.plain_md5)
    assert b"304" in await ask_from(port, ELSEWHERE, verified)
    assert b"304" in await ask_from(port, ELSEWHERE, verified | {"Via": "1.1 proxy"})

    assert garden.card.attributes["installed_version"] == "1.0.0"
    assert garden.card.attributes["stage"] == "queued"
    status, _, body = await ask(asker)
    assert status == 200
    await ask(asker, said=headers(body))
    await installing
    assert garden.card.attributes["installed_version"] == "1.1.0"


async def test_a_module_with_a_secret_of_its_own_may_ask_from_anywhere(
    garden: Garden, asker: Asker
) -> None:
    entry = await garden.add(poller(OWN))
    assert isinstance(asker.server.port, int)

    assert b"304" in await ask_from(asker.server.port, ELSEWHERE, headers(), OWN)

    assert entry.data["host"] == ELSEWHERE


@pytest.mark.parametrize("name", ["esp8266-a1b2c3", "anything"])
async def test_a_secret_of_its_own_is_asked_for_before_the_mac_is_known(
    garden: Garden, asker: Asker, name: str
) -> None:
    entry = await garden.add(poller(OWN, mac=None, name=name))

    assert (await ask(asker))[0] == 404
    assert entry.data["mac"] is None
    assert garden.hass.config_entries.flow.async_progress() == []

    assert (await ask(asker, f"{PATH}/{OWN}"))[0] == 304
    assert entry.data["mac"] == MAC.lower()


async def test_a_secret_of_its_own_tells_a_module_wherever_it_is(
    garden: Garden, asker: Asker
) -> None:
    entry = await garden.add(poller(OWN, mac=None, name="anything", host="127.0.0.99"))

    assert (await ask(asker, f"{PATH}/{OWN}"))[0] == 304

    assert entry.data["mac"] == MAC.lower()


async def test_a_mac_that_is_ignored_elsewhere_is_learnt_and_nobody_s_id_twice(
    garden: Garden, asker: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    ignored = MockConfigEntry(domain=DOMAIN, unique_id=MAC.lower(), source=SOURCE_IGNORE, data={})
    ignored.add_to_hass(garden.hass)
    entry = await garden.add(
        poller(OWN, mac=None, name="anything", host="127.0.0.99", unique_id="anything")
    )

    assert (await ask(asker, f"{PATH}/{OWN}"))[0] == 304

    assert entry.data["mac"] == MAC.lower()
    assert (entry.unique_id, ignored.unique_id) == ("anything", MAC.lower())
    assert "unique" not in caplog.text


async def test_half_a_mac_in_a_name_is_no_proof_from_elsewhere(
    garden: Garden, asker: Asker
) -> None:
    entry = await garden.add(poller(mac=None, name="esp8266-a1b2c3", host="127.0.0.99"))

    assert (await ask(asker))[0] == 304

    assert entry.data["mac"] is None


def test_a_request_is_as_strong_as_its_secret() -> None:
    shared, own = EvidenceSource.SHARED_PULL_MD5, EvidenceSource.PULL_MD5
    assert own.is_stronger(EvidenceSource.INFO_URL)
    assert EvidenceSource.TXT.is_stronger(shared)
    assert EvidenceSource.INFO_URL.is_stronger(shared)


async def test_a_module_that_asks_no_more_from_where_it_was_is_followed(
    garden: Garden, asker: Asker
) -> None:
    entry = await garden.add(poller())
    assert isinstance(asker.server.port, int)
    port = asker.server.port
    asking = entry.runtime_data.coordinator.asking
    for _ in range(2):
        await ask(asker)
    asking.desk.rhythm.restore([60.0] * 5, time.monotonic())

    assert b"304" in await ask_from(port, ELSEWHERE, headers())
    assert entry.data["host"] == "127.0.0.1"

    asking._since -= 121.0
    asking.desk.rhythm.asked_at -= 121.0
    assert b"304" in await ask_from(port, ELSEWHERE, headers())
    assert entry.data["host"] == ELSEWHERE

    await ask(asker)  # it was there all the time, and asks rarely
    assert entry.data["host"] == "127.0.0.1"


@pytest.mark.slow
async def test_a_person_is_asked_whether_a_module_that_is_pushed_to_moved(
    garden: Garden, asker: Asker, start_module: StartModule
) -> None:
    module = await start_module()
    ways = {"transports": ["arduino_ota", "http_pull"], "port": module.port}
    entry = await garden.add(poller(**ways))
    assert isinstance(asker.server.port, int)

    assert b"304" in await ask_from(asker.server.port, ELSEWHERE, headers())
    issues = ir.async_get(garden.hass).issues
    await until(lambda: issues)

    (issue,) = issues.values()
    assert issue.translation_key == "module_moved"
    assert entry.data["host"] == "127.0.0.1"
    entry.runtime_data.coordinator.whereabouts.moves.async_told(ELSEWHERE, moved=True)
    assert b"304" in await ask_from(asker.server.port, ELSEWHERE, headers())
    assert entry.runtime_data.coordinator.polled is not None
