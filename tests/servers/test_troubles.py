"""Servers that are slow, lie, are gone, or lead elsewhere."""

import asyncio
import itertools
import time
from typing import Any

from aiohttp import web
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from custom_components.esp_ota.diagnostics import async_get_config_entry_diagnostics
from custom_components.esp_ota.library import ReleaseName
from custom_components.esp_ota.servers import server as server_file
from custom_components.esp_ota.servers.server import Server
from homeassistant.helpers import issue_registry as ir
from tests.kit.assigned import TARGET, Assigned
from tests.kit.entries import firmware
from tests.kit.garden import until
from tests.kit.hawkbit import File, HawkBit, Known
from tests.kit.sentences import assert_issue_is_whole

IMAGE = firmware("1.1.0")


def is_download(request: web.Request) -> bool:
    return "/artifacts/" in request.path


def issues(assigned: Assigned) -> list[str]:
    found = []
    for (domain, _), issue in ir.async_get(assigned.hass).issues.items():
        if domain == DOMAIN and issue.translation_key == "server_trouble":
            assert_issue_is_whole(issue)
            assert issue.translation_placeholders is not None
            found.append(issue.translation_placeholders["sentence"])
    return found


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (lambda: web.Response(status=500), "source_error"),
        (lambda: web.Response(text="<html>Welcome</html>"), "source_invalid"),
        (lambda: web.Response(status=401), "source_denied"),
        (lambda: web.Response(status=404), "source_not_found"),
        (lambda: web.Response(status=307, headers={"Location": "/x"}), "source_redirect"),
        (lambda: web.Response(status=429, headers={"Retry-After": "60"}), "source_busy"),
        (lambda: web.Response(body=b" " * 300_000), "oversized_file"),
    ],
)
async def test_a_server_in_trouble_is_told_when_it_stays_and_not_pestered(
    assigned: Assigned, answer: Any, cause: str
) -> None:
    await assigned.open()
    await assigned.add()
    assigned.hawkbit.faults.append(lambda _: answer())
    await assigned.soon(lambda: assigned.server.cause == cause)
    assert issues(assigned) == []
    assigned.answer_again()
    await assigned.soon(lambda: issues(assigned))
    polls = len(assigned.hawkbit.asked)
    await asyncio.sleep(0.3)
    assert len(assigned.hawkbit.asked) <= polls + 1
    assigned.hawkbit.faults.clear()
    assigned.answer_again()
    action = assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    assert issues(assigned) == []
    assert action.is_active


async def test_a_download_that_breaks_off_is_resumed_where_it_was(assigned: Assigned) -> None:
    await assigned.open()
    await assigned.add()
    ranges: list[str | None] = []

    def cut(request: web.Request) -> web.StreamResponse | None:
        if not is_download(request):
            return None
        ranges.append(request.headers.get("Range"))
        if len(ranges) > 1:
            return None
        headers = {"ETag": f'"{File(name="", data=IMAGE).sums()["sha1"]}"'}
        return web.Response(body=IMAGE[:1000], headers=headers)

    assigned.hawkbit.faults.append(cut)
    assigned.assign("1.1.0", File(name="valve.bin", data=IMAGE))
    await assigned.offered("1.1.0")
    assert ranges == [None, "bytes=1000-"]


async def test_what_changed_meanwhile_is_fetched_from_its_beginning(assigned: Assigned) -> None:
    await assigned.open()
    await assigned.add()
    asked: list[str | None] = []

    def cut(request: web.Request) -> web.StreamResponse | None:
        if not is_download(request):
            return None
        asked.append(request.headers.get("If-Range"))
        if len(asked) > 1:
            return None
        return web.Response(body=b"x" * 1000, headers={"ETag": '"older"'})

    assigned.hawkbit.faults.append(cut)
    assigned.assign("1.1.0", File(name="valve.bin", data=IMAGE))
    await assigned.offered("1.1.0")
    assert asked == [None, '"older"']


async def test_a_wrong_sum_is_fetched_again_and_then_told(assigned: Assigned) -> None:
    await assigned.open()
    await assigned.add()
    wrong = IMAGE[:-1] + b"x"
    assigned.hawkbit.faults.append(
        lambda request: web.Response(body=wrong) if is_download(request) else None
    )
    action = assigned.assign("1.1.0", File(name="valve.bin", data=IMAGE))
    told = await assigned.told(action, "closed")
    assert told["result"]["finished"] == "failure"
    assert told["details"][0].startswith("checksum_mismatch: ")
    assert sum("/artifacts/" in path for _, path in assigned.hawkbit.asked) == 3
    assert assigned.garden.house.library.releases == []


async def test_what_is_too_large_is_not_even_asked_for(assigned: Assigned) -> None:
    await assigned.open()
    await assigned.add()
    file = File(name="valve.swu", data=IMAGE)
    action = assigned.assign("1.1.0", file)
    action.size = 2 * 1024**3
    told = await assigned.told(action, "closed")
    assert told["details"][0].startswith("oversized_file: ")
    assert not any("/artifacts/" in path for _, path in assigned.hawkbit.asked)


async def test_a_file_that_never_ends_is_cut_off(assigned: Assigned) -> None:
    await assigned.open()
    await assigned.add()
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while sent < 10_000_000:
            await response.write(b"x" * 65536)
            sent += 65536
        return response

    assigned.hawkbit.download = endless
    action = assigned.assign("1.1.0", File(name="valve.bin", data=IMAGE))
    await assigned.told(action, "closed")
    assert sent < 10_000_000


@pytest.mark.parametrize(
    ("content", "cause"),
    [(b"<html>no</html>" * 100, "html_page"), (b"hsqs" + bytes(500), "container_invalid")],
)
async def test_what_is_no_image_is_told(assigned: Assigned, content: bytes, cause: str) -> None:
    await assigned.open()
    await assigned.add()
    action = assigned.assign("1.1.0", File(name="valve.bin", data=content))
    told = await assigned.told(action, "closed")
    assert told["details"][0].startswith(f"{cause}: ")
    assert action.state == "error"


async def test_encrypted_files_are_told_once(assigned: Assigned) -> None:
    await assigned.open()
    await assigned.add()
    action = assigned.assign("1.1.0", encrypted=True)
    told = await assigned.told(action, "closed")
    assert told["details"][0].startswith("deployment_unusable: ")
    await assigned.visited()
    await assigned.visited()
    assert len(action.told) == 1


async def test_a_server_that_is_gone_for_a_day_hears_the_ending_once_it_is_back(
    assigned: Assigned,
) -> None:
    await assigned.open()
    await assigned.add()
    action = assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    await assigned.garden.begin(assigned.garden.press(), "restarting")
    assigned.hawkbit.faults.append(lambda _: web.Response(status=503))
    await until(lambda: "closing" in assigned.note)
    await assigned.soon(lambda: assigned.server.cause is not None)
    assert not [told for told in action.told if told["execution"] == "closed"]
    assigned.hawkbit.faults.clear()
    assigned.answer_again()
    await assigned.told(action, "closed")
    assert [told["execution"] for told in action.told].count("closed") == 1


async def test_an_ending_outlives_home_assistant(
    assigned: Assigned, hass_storage: dict[str, Any]
) -> None:
    await assigned.open()
    await assigned.add()
    action = assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    await assigned.pause()
    await assigned.garden.install()
    (kept,) = hass_storage["esp_ota.servers"]["data"]["servers"].values()
    assert kept[assigned.entry.entry_id]["closing"]["is_sent"] is False
    await assigned.begin_anew()
    assert (await assigned.told(action, "closed"))["details"]
    assert [told["execution"] for told in action.told].count("closed") == 1


async def test_what_was_on_offer_is_so_after_a_restart_before_the_server_is_asked(
    assigned: Assigned, hass_storage: dict[str, Any]
) -> None:
    await assigned.open()
    await assigned.add()
    assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    assigned.hawkbit.faults.append(lambda _: web.Response(status=503))
    assigned.garden.house.assignments.dismiss(assigned.entry.entry_id)
    await assigned.begin_anew()
    coordinator = assigned.entry.runtime_data.coordinator
    assert coordinator.offered.version == "1.1.0"


async def test_a_store_that_cannot_be_read_is_set_aside(
    assigned: Assigned, hass_storage: dict[str, Any]
) -> None:
    await assigned.open()
    await assigned.add()
    assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    (kept,) = hass_storage["esp_ota.servers"]["data"]["servers"].values()
    kept[assigned.entry.entry_id]["assigned"]["sha256"] = 7
    await assigned.begin_anew()
    keys = {issue.translation_key for issue in ir.async_get(assigned.hass).issues.values()}
    assert "servers_set_aside" in keys
    await assigned.soon(lambda: "assigned" in assigned.note)


@pytest.mark.parametrize("login", ["gateway", "target"])
async def test_tokens_go_to_the_server_alone_and_are_shown_nowhere(
    assigned: Assigned, login: str, caplog: pytest.LogCaptureFixture
) -> None:
    hawkbit = assigned.hawkbit
    hawkbit.needs_token = True
    if login == "gateway":
        hawkbit.gateway = "s3cret-token"
        await assigned.open(login=login, token="s3cret-token")
    else:
        hawkbit.targets[TARGET] = Known(token="s3cret-token")
        tokens = {TARGET: "s3cret-token"}
        await assigned.open(login=login, token="another", tokens=tokens)
    await assigned.add()
    async with HawkBit() as elsewhere:
        other = elsewhere.assign(TARGET, "1.1.0", File(name="valve.bin", data=IMAGE))

        def lead_away(request: web.Request) -> web.StreamResponse | None:
            path = f"/DEFAULT/controller/v1/{TARGET}/softwaremodules/{other.id}/artifacts/valve.bin"
            location = f"{elsewhere.url}{path}"
            found = web.Response(status=302, headers={"Location": location})
            return found if is_download(request) else None

        hawkbit.faults.append(lead_away)
        assigned.assign("1.1.0", File(name="valve.bin", data=IMAGE))
        await assigned.offered("1.1.0")
        assert elsewhere.tokens == [None]
    kind = {"gateway": "GatewayToken", "target": "TargetToken"}[login]
    assert set(hawkbit.tokens) == {f"{kind} s3cret-token"}
    assert "s3cret-token" not in caplog.text
    for entry in (assigned.house, assigned.entry):
        shown = await async_get_config_entry_diagnostics(assigned.hass, entry)
        assert "s3cret-token" not in str(shown)


async def test_links_of_a_server_behind_a_proxy_do_not_lead_astray(assigned: Assigned) -> None:
    await assigned.open()
    module = await assigned.add()

    def through(request: web.Request) -> web.StreamResponse | None:
        assigned.hawkbit.link_base = (
            None if "/deploymentBase/" in request.path else "http://10.255.255.1:9"
        )
        return None

    assigned.hawkbit.faults.append(through)
    action = assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    await assigned.garden.install()
    await assigned.told(action, "closed")
    assert module.running_version == "1.1.0"


async def test_a_file_elsewhere_in_the_house_is_not_fetched(assigned: Assigned) -> None:
    await assigned.open()
    await assigned.add()
    assigned.hawkbit.link_base = "http://127.0.0.2:80"
    assigned.assign("1.1.0")
    await assigned.soon(lambda: assigned.server.cause == "source_inside")
    assert assigned.garden.house.library.releases == []


async def test_a_wild_clock_changes_nothing(
    assigned: Assigned, monkeypatch: pytest.MonkeyPatch
) -> None:
    await assigned.open()
    await assigned.add()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    action = assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    assert action.is_active


async def test_removing_a_server_gives_the_card_back_to_the_library(assigned: Assigned) -> None:
    await assigned.open()
    await assigned.add()
    await assigned.garden.release("1.2.0")
    assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    (subentry_id,) = assigned.house.subentries
    assigned.hass.config_entries.async_remove_subentry(assigned.house, subentry_id)
    await until(lambda: assigned.garden.card.attributes["latest_version"] == "1.2.0")


async def test_what_a_server_has_for_one_module_is_offered_to_no_other(
    assigned: Assigned,
) -> None:
    await assigned.open(firmware="garden-valve")
    await assigned.add()
    assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    (release,) = assigned.garden.house.library.releases
    assert release.source == "server"
    house = assigned.garden.house
    house.assignments.dismiss(assigned.entry.entry_id)
    coordinator = assigned.entry.runtime_data.coordinator
    assert coordinator.offered is None
    name = ReleaseName(file_name="valve.bin")
    await house.library.async_add(firmware("1.1.0"), name, source="folder")
    assert coordinator.offered is not None


async def test_five_hundred_modules_do_not_poll_in_one_burst(
    assigned: Assigned, monkeypatch: pytest.MonkeyPatch
) -> None:
    at: list[float] = []

    class _Target:
        def __init__(self) -> None:
            self.due, self.is_busy, self.failures = 0.0, False, 0
            self.is_answered = True
            self.runtime = None

        async def async_visit(self) -> float:
            at.append(time.monotonic())
            return 60.0

    await assigned.open()
    server = assigned.server
    monkeypatch.setattr(Server, "_follow", lambda _self: None)
    server.targets = {str(n): _Target() for n in range(500)}  # type: ignore[misc]
    server._woken.set()
    await until(lambda: len(at) >= 40)
    spans = [b - a for a, b in itertools.pairwise(at)]
    assert min(spans[3:]) > server_file.APART * 0.5
    server.targets = {}
    assert isinstance(assigned.house, MockConfigEntry)
