"""The pull endpoint, over a socket, as modules and strangers use it."""

import asyncio
from dataclasses import replace
import hashlib

import aiohttp
import pytest

from custom_components.esp_ota.const import DOMAIN, HOUSE_UNIQUE_ID
from custom_components.esp_ota.diagnostics import async_get_config_entry_diagnostics
from custom_components.esp_ota.ota import PullLimits
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from tests.kit.asking import MAC, OLD, OWN, PATH, SECRET, Asker, ask, headers, md5, poller
from tests.kit.garden import CARD, CLOSED_AND_OPENED, UNTOUCHED, Garden, until
from tests.kit.repairs import dialog, submit


async def test_without_an_open_install_there_is_nothing_new(garden: Garden, asker: Asker) -> None:
    await garden.add(poller())
    await garden.release("1.1.0")
    status, _, body = await ask(asker)
    assert (status, body) == (304, b"")


async def test_a_module_that_asks_gets_the_image_and_proves_it(
    garden: Garden, asker: Asker
) -> None:
    module = await garden.add(poller())
    release = await garden.release("1.1.0")
    old = await garden.release("1.0.0")
    await ask(asker)
    await garden.runs("1.0.0")
    assert old.image.plain_md5 == md5(OLD)

    installing = await garden.begin(garden.install(), "queued")
    assert garden.valve == UNTOUCHED
    status, said, body = await ask(asker)

    assert status == 200
    assert hashlib.sha256(body).hexdigest() == release.image.sha256
    assert said["x-MD5"] == md5(body)
    assert said["Content-Length"] == str(len(body))
    assert "Content-Encoding" not in said
    assert garden.valve == ["off"]
    status, _, _ = await ask(asker, said=headers(body))  # restarted, with the new image
    assert status == 304
    await installing
    await garden.runs("1.1.0")
    assert garden.card.attributes["last_verdict"] == "verified"
    garden.assert_at_rest(module, CLOSED_AND_OPENED)


async def fetched_in_vain(garden: Garden, asker: Asker) -> dict[str, str]:
    """Press Update, and ask twice with the old image; return what the person is told."""
    installing = await garden.begin(garden.refused("old_firmware_asks"), "queued")
    assert (await ask(asker))[0] == 200
    assert (await ask(asker))[0] == 304
    return await installing


@pytest.mark.slow
async def test_a_module_that_asks_again_with_the_old_image_is_told(
    garden: Garden, asker: Asker
) -> None:
    await garden.add(poller())
    await garden.release("1.1.0")
    await garden.release("1.0.0")
    await ask(asker)
    facts = await fetched_in_vain(garden, asker)
    assert facts["installed"] == "1.0.0"
    assert garden.valve == CLOSED_AND_OPENED


async def test_a_valve_that_opens_in_the_middle_ends_the_download(
    garden: Garden, asker: Asker
) -> None:
    await garden.add(poller())
    await garden.release("1.1.0", size=900 * 1024)
    installing = await garden.begin(garden.refused("safe_state_broken"), "queued")
    server = asker.server
    assert isinstance(server.port, int)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
    text = "".join(f"{name}: {value}\r\n" for name, value in headers().items())
    writer.write(f"GET {PATH}/{SECRET} HTTP/1.0\r\nHost: ha\r\n{text}\r\n".encode())
    received = await reader.readexactly(2000)
    assert received.startswith(b"HTTP/1.0 200 OK\r\n")
    await garden.hass.services.async_call(
        "input_boolean", "turn_on", {"entity_id": "input_boolean.valve"}, blocking=True
    )
    await installing
    with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
        await reader.readexactly(900 * 1024)
    writer.close()


@pytest.mark.parametrize(
    ("path", "said", "status"),
    [
        (f"{PATH}/{SECRET}", {"User-Agent": "curl/8.0"}, 403),
        (f"{PATH}/{SECRET}", headers(x_ESP8266_STA_MAC=None), 403),
        (f"{PATH}/{SECRET}", headers(x_ESP8266_mode="nonsense"), 403),
        (f"{PATH}/wrong", None, 404),
        (f"{PATH}/wrong", {"User-Agent": "curl/8.0"}, 404),
        (f"{PATH}/", None, 404),
        (PATH, None, 404),
        (PATH, {"User-Agent": "curl/8.0"}, 404),
    ],
)
async def test_strangers_learn_nothing(
    garden: Garden,
    asker: Asker,
    caplog: pytest.LogCaptureFixture,
    path: str,
    said: dict[str, str] | None,
    status: int,
) -> None:
    await garden.add(poller())
    answer = await ask(asker, path, said)
    assert answer[0] == status
    assert b"esp" not in answer[2].lower()
    assert garden.hass.config_entries.flow.async_progress() == []
    assert "Login attempt" not in caplog.text


async def test_a_secret_may_come_as_a_basic_password(garden: Garden, asker: Asker) -> None:
    await garden.add(poller())
    for user in ("", "module"):
        basic = aiohttp.BasicAuth(user, SECRET).encode()
        assert (await ask(asker, PATH, headers() | {"Authorization": basic}))[0] == 304


async def test_a_module_with_a_secret_of_its_own_takes_no_other(
    garden: Garden, asker: Asker
) -> None:
    await garden.add(poller(OWN))
    assert (await ask(asker, f"{PATH}/{OWN}"))[0] == 304
    assert (await ask(asker))[0] == 404
    # Nor is it good for anybody else.
    stranger = headers(x_ESP8266_STA_MAC="5C:CF:7F:00:00:01")
    assert (await ask(asker, f"{PATH}/{OWN}", stranger))[0] == 404


async def test_a_version_query_is_answered_in_a_header(garden: Garden, asker: Asker) -> None:
    await garden.add(poller())
    await garden.release("1.1.0")
    status, said, body = await ask(asker, said=headers(x_ESP8266_mode="version"))
    assert (status, said["x-version"], body) == (200, "1.1.0", b"")


async def test_what_a_request_says_is_known_of_the_module(garden: Garden, asker: Asker) -> None:
    module = await garden.add(poller())
    await ask(asker, said=headers(x_ESP8266_version="0.9"))
    facts = module.runtime_data.coordinator.facts()
    assert (facts.slot_size, facts.flash_size) == (1048576, 4194304)
    assert facts.family == "esp8266"
    assert facts.version == "0.9"
    assert garden.hass.states.get(CARD).attributes["installed_version"] == "0.9"


async def test_an_image_that_is_too_large_for_the_stated_space_is_refused(
    garden: Garden, asker: Asker
) -> None:
    await garden.add(poller())
    await garden.release("1.1.0")
    installing = await garden.begin(garden.refused("too_large"), "queued")
    status, _, _ = await ask(asker, said=headers(x_ESP8266_free_space="40000"))
    assert status == 304
    await installing
    assert garden.valve == UNTOUCHED


async def test_an_unknown_module_with_the_secret_is_discovered_and_added(
    hass: HomeAssistant, garden: Garden, asker: Asker
) -> None:
    assert (await ask(asker))[0] == 304
    await hass.async_block_till_done()
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["title_placeholders"] == {"name": "esp8266-a1b2c3"}
    assert (await ask(asker))[0] == 304  # is not offered twice
    assert len(hass.config_entries.flow.async_progress()) == 1
    result = await hass.config_entries.flow.async_configure(
        flow["flow_id"], {"equipment": "nothing"}
    )
    await hass.async_block_till_done()
    assert result["result"].unique_id == MAC.lower()
    assert result["data"]["transports"] == ["http_pull"]
    assert (await ask(asker))[0] == 304
    assert result["result"].runtime_data.coordinator.facts().slot_size == 1048576


@pytest.mark.parametrize("name", ["esp8266-a1b2c3", "anything"])
async def test_a_module_known_by_its_name_is_recognised_by_its_first_request(
    hass: HomeAssistant, garden: Garden, asker: Asker, name: str
) -> None:
    module = await garden.add(poller(mac=None, name=name))
    hass.config_entries.async_update_entry(module, unique_id=name)
    assert (await ask(asker))[0] == 304
    assert module.unique_id == MAC.lower()
    assert module.data["mac"] == MAC.lower()
    assert hass.config_entries.flow.async_progress() == []


async def test_who_asks_too_often_has_to_wait(garden: Garden, asker: Asker) -> None:
    await garden.add(poller())
    garden.house.patience = replace(garden.house.patience, pull=PullLimits(requests=3))
    statuses = [(await ask(asker))[0] for _ in range(5)]
    assert statuses == [304, 304, 304, 429, 429]


async def test_modules_out_of_the_house_are_answered_only_where_the_person_says_so(
    hass: HomeAssistant, garden: Garden, asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    await garden.add(poller())
    monkeypatch.setattr("custom_components.esp_ota.web.pull_view._is_near", lambda _address: False)
    assert (await ask(asker))[0] == 404
    (house,) = [
        e for e in hass.config_entries.async_entries(DOMAIN) if e.unique_id == HOUSE_UNIQUE_ID
    ]
    hass.config_entries.async_update_entry(house, options={"remote_polls": True})
    assert (await ask(asker))[0] == 304


@pytest.mark.slow
async def test_an_image_that_failed_twice_is_offered_again_only_by_the_repair(
    hass: HomeAssistant, garden: Garden, asker: Asker
) -> None:
    await garden.add(poller())
    await garden.release("1.1.0")
    await garden.release("1.0.0")
    await ask(asker)
    for _ in range(2):
        await fetched_in_vain(garden, asker)
    registry = ir.async_get(hass)
    (issue,) = [key for key in registry.issues if key[1].startswith("offered_twice")]
    await garden.refused("offered_twice")
    assert issue in registry.issues

    flow = await dialog(hass, registry.issues[issue])
    form = await flow.async_step_confirm()
    assert form["description_placeholders"]["version"] == "1.1.0"
    assert await submit(flow) == "create_entry"

    await garden.at("queued")
    _, _, body = await ask(asker)
    await ask(asker, said=headers(body))
    await until(lambda: garden.card.attributes["last_verdict"] == "verified")
    assert issue not in registry.issues


async def test_what_a_request_says_is_in_the_diagnostics_without_secrets(
    hass: HomeAssistant, garden: Garden, asker: Asker
) -> None:
    module = await garden.add(poller(OWN))
    await garden.release("1.0.0")
    await ask(asker, f"{PATH}/{OWN}", headers(x_ESP8266_version="0.9"))
    found = await async_get_config_entry_diagnostics(hass, module)
    assert found["polled"]["sdk_version"] == "2.2.2-dev(38a443e)"
    assert found["said"] == {"pull_md5": "1.0.0"}  # the sum is stronger than what it says
    assert found["facts"]["chip"] == "esp8266"
    assert OWN not in str(found)
