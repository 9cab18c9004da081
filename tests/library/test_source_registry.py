"""Sources of firmware: asked over real sockets, their files become releases."""

from aiohttp import web
import pytest

from custom_components.esp_ota.house import House
from homeassistant.core import HomeAssistant
from tests.kit.entries import StartModule, entry_for, firmware
from tests.kit.garden import Garden
from tests.kit.sources import TOKEN, GitHub, add, later, repairs, versions
from tests.kit.web_site import Site, to

# What is found


async def test_releases_of_a_repository_come_with_their_notes(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.publish("1.0.0", "valve.bin")
    github.publish("1.1.0", "valve.bin", "source.zip")
    github.publish("2.0.0", "valve.bin", prerelease=True)
    await add(hass)

    assert versions(house) == ["1.0.0", "1.1.0"]
    newest = house.library.releases[-1]
    assert (newest.source, newest.notes) == ("garden/valve", "What is new in 1.1.0.")
    assert github.downloads == ["valve.bin", "valve.bin"]
    assert repairs(hass) == []


async def test_pre_releases_come_when_they_are_asked_for(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.publish("1.0.0", "valve.bin")
    github.publish("2.0.0", "valve.bin", prerelease=True)
    await add(hass, channel="pre_release")
    assert versions(house) == ["1.0.0", "2.0.0"]


async def test_a_pre_release_that_becomes_the_release_is_one_without_a_new_download(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.publish("1.0.0", "valve.bin")
    newest = github.publish("2.0.0", "valve.bin", prerelease=True)
    await add(hass, channel="pre_release")
    flags = [item.is_prerelease for item in house.library.releases]
    assert flags == [False, True]

    newest["prerelease"] = False
    await later(hass, 3600)
    assert [item.is_prerelease for item in house.library.releases] == [False, False]
    assert github.downloads == ["valve.bin", "valve.bin"]


async def test_only_as_many_releases_are_fetched_as_are_kept(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    for number in range(8):
        github.publish(f"1.{number}.0", "valve.bin")
    await add(hass)
    assert versions(house) == ["1.3.0", "1.4.0", "1.5.0", "1.6.0", "1.7.0"]
    assert len(github.downloads) == 5


async def test_files_without_a_name_are_called_by_the_tag_and_the_repository(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    release = github.publish("3.1.0")
    release["assets"] = [github.asset("sketch.bin", firmware("", name=""))]
    await add(hass)
    (found,) = house.library.releases
    assert (found.firmware, found.version) == ("valve", "3.1.0")


async def test_the_name_that_the_person_gave_to_the_source_wins(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.publish("1.0.0", "valve.bin")
    await add(hass, firmware="my-valve")
    assert house.library.firmwares == ["my-valve"]


async def test_a_signature_beside_a_file_is_kept(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    release = github.publish("1.0.0", "valve.bin")
    release["assets"].append(github.asset("valve.bin.minisig", b"signed"))
    await add(hass)
    assert house.library.releases[0].signature == "signed"


async def test_a_private_repository_is_read_with_a_token_that_nobody_else_hears(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.token = TOKEN
    async with Site() as elsewhere:
        release = github.publish("1.0.0", "valve.bin")
        elsewhere.serve("/store", firmware("1.0.0"))
        path = release["assets"][0]["url"].partition("/api/")[2]
        github.answers[f"/api/{path}"] = to(elsewhere.url("/store"))
        await add(hass, token=TOKEN)

        assert versions(house) == ["1.0.0"]
        assert github.tokens == [f"Bearer {TOKEN}"] * 2
        assert elsewhere.tokens == [None]


async def test_a_new_release_shows_on_the_card_by_itself(
    garden: Garden, start_module: StartModule, github: GitHub
) -> None:
    github.publish("1.0.0", "valve.bin")
    source = await add(garden.hass)
    await garden.add(entry_for(await start_module()))
    assert garden.card.attributes["latest_version"] == "1.0.0"
    github.publish("1.1.0", "valve.bin")
    await source.async_check()
    assert garden.card.attributes["latest_version"] == "1.1.0"


# Asking again


async def test_nothing_is_downloaded_twice_not_even_after_a_restart(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.publish("1.0.0", "valve.bin")
    source = await add(hass)
    await source.async_check()
    assert (github.lists, len(github.downloads)) == (2, 1)
    assert github.asked[-1].headers["If-None-Match"]

    again = House(hass)
    await again.async_setup()
    again.async_open(house.entry)
    (restarted,) = again.sources.all
    await restarted.async_check()
    assert (github.lists, len(github.downloads)) == (3, 1)
    again.async_close()


async def test_a_source_is_asked_again_when_its_time_has_come(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.publish("1.0.0", "valve.bin")
    await add(hass, interval=30)
    github.publish("1.1.0", "valve.bin")
    for minutes, asked in ((29, 1), (31, 2)):
        await later(hass, minutes)
        assert github.lists == asked
    assert versions(house) == ["1.0.0", "1.1.0"]


async def test_a_restart_does_not_ask_before_the_time_has_come(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.publish("1.0.0", "valve.bin")
    await add(hass)
    assert await hass.config_entries.async_reload(house.entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert github.lists == 1


async def test_a_release_that_was_removed_does_not_come_back(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.publish("1.0.0", "valve.bin")
    source = await add(hass)
    await house.library.async_remove(house.library.releases[0].image.sha256)
    github.publish("1.1.0", "valve.bin")
    await source.async_check()
    assert versions(house) == ["1.1.0"]


async def test_a_release_that_was_taken_back_by_its_source_stays(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.publish("1.0.0", "valve.bin")
    source = await add(hass)
    github.releases.clear()
    await source.async_check()
    assert versions(house) == ["1.0.0"]
    assert repairs(hass) == []


@pytest.mark.slow
async def test_sixty_calls_an_hour_are_all_that_github_gets_without_a_token(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.publish("1.0.0", "valve.bin")
    source = await add(hass)
    for _ in range(70):
        await source.async_check()
    assert len(github.asked) == 60, "a download from GitHub's own host counts as well"
    assert source.memory.cause == "source_busy"


async def test_a_github_that_wants_to_be_left_alone_is(
    hass: HomeAssistant, house: House, github: GitHub
) -> None:
    github.publish("1.0.0", "valve.bin")
    source = await add(hass)
    path = "/repos/garden/valve/releases"
    usual = github.answers[path]
    github.answers[path] = lambda _: web.Response(status=429, headers={"Retry-After": "600"})
    await source.async_check()
    github.answers[path] = usual
    await source.async_check()
    assert github.lists == 2
    assert source.memory.cause == "source_busy"
