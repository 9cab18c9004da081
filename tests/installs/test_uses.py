"""What modules run, could run and would roll back to, and that none of it is thrown away."""

import pytest

from custom_components.esp_ota.diagnostics import async_get_config_entry_diagnostics
from custom_components.esp_ota.installs import Use, async_uses
from custom_components.esp_ota.library import Release
from custom_components.esp_ota.ota import Cause, LibraryError
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden, until

pytestmark = pytest.mark.slow


def hashes(*releases: Release) -> set[str]:
    return {release.image.sha256 for release in releases}


async def test_what_a_module_runs_and_ran_before_is_in_use(
    garden: Garden, start_module: StartModule
) -> None:
    first, second, third = [await garden.release(f"1.{number}.0") for number in range(3)]
    files = await garden.release("1.1.0", chip="esp32")
    entry = await garden.add(entry_for(await start_module()))
    assert garden.house.in_use() == set()

    journal = garden.house.journal
    for version in ("1.0.0", "1.1.0", "1.1.0"):
        await journal.async_remember(
            entry.entry_id, {"version": version, "firmware": "garden-valve", "assumed": False}
        )

    assert garden.house.in_use() == hashes(first, second, files)
    assert garden.house.waited_for() == set()
    assert third.image.sha256 not in garden.house.in_use()


async def test_a_module_is_shown_with_what_it_could_run(
    garden: Garden, start_module: StartModule
) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        await garden.release(version)
    entry = await garden.add(entry_for(await start_module()))
    await garden.install("1.0.0")
    await garden.install("1.1.0")

    use = Use(
        module="garden-valve",
        firmware="garden-valve",
        runs="1.1.0",
        offered="1.2.0",
        could_run=("1.2.0", "1.1.0", "1.0.0"),
        rolls_back_to="1.0.0",
    )
    assert async_uses(garden.house) == [use]

    assert await garden.hass.config_entries.async_unload(entry.entry_id)
    (unloaded,) = async_uses(garden.house)
    assert (unloaded.runs, unloaded.rolls_back_to) == ("1.1.0", "1.0.0")
    report = await async_get_config_entry_diagnostics(garden.hass, garden.house.entry)
    assert report["modules"][0]["could_run"] == ("1.2.0", "1.1.0", "1.0.0")


async def test_a_version_that_is_gone_is_none_to_go_back_to(
    garden: Garden, start_module: StartModule
) -> None:
    for version in ("1.0.0", "1.1.0"):
        await garden.release(version)
    await garden.add(entry_for(await start_module()))
    await garden.install("1.0.0")
    await garden.install("1.1.0")
    (old,) = garden.house.library.find("garden-valve", "1.0.0")
    await garden.house.library.async_remove(old.image.sha256)
    (use,) = async_uses(garden.house)
    assert use.rolls_back_to is None


async def test_a_release_is_held_from_the_press_of_update_to_the_end(
    garden: Garden, start_module: StartModule
) -> None:
    release = await garden.release("1.1.0")
    await garden.add(entry_for(await start_module()))
    install = garden.hass.async_create_task(garden.install())
    await until(lambda: "sending" in garden.stages)

    with pytest.raises(LibraryError) as refused:
        await garden.house.library.async_remove(release.image.sha256)

    assert refused.value.cause is Cause.RELEASE_IN_USE
    await install
    await garden.hass.async_block_till_done()
    assert garden.house.waited_for() == set()
    assert garden.house.in_use() == hashes(release)


async def test_a_release_is_held_as_long_as_anybody_waits_for_it(garden: Garden) -> None:
    release = await garden.release("1.1.0")
    with garden.house.holding(release.image.sha256):
        with garden.house.holding(release.image.sha256):
            pass
        assert garden.house.waited_for() == hashes(release)
    assert garden.house.waited_for() == set()
