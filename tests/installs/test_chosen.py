"""Chosen is what a person named instead of the offer; the dialog always names a version."""

import pytest

from homeassistant.core import Context
from homeassistant.exceptions import HomeAssistantError
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import CARD, QUIET, TALKING, Garden, options_for, patience
from tests.test_files_update import FILES_CARD, add_files
from tests.virtual_module import Seen, VirtualModule

pytestmark = pytest.mark.slow


class House:
    """A module with sketch and files of 1.1.0 on offer, which has these files already."""

    def __init__(self, garden: Garden, module: VirtualModule) -> None:
        self.garden, self.module = garden, module

    async def prepare(self) -> None:
        self.entry = await self.garden.add(entry_for(self.module, options=options_for()))
        await self.garden.runs("1.0.0")
        await add_files(self.garden, "1.1.0")
        await self.garden.install_files()
        self.garden.house.patience = TALKING
        for version in ("0.9.0", "1.1.0"):
            await self.garden.release(version)
        await self.garden.hass.async_block_till_done()

    async def install(
        self, version: str | None, context: Context | None = None
    ) -> tuple[bool, int]:
        """Install; return whether it counted as chosen, and how many images were sent."""
        before = self.module.events.count_of(Seen.RESTARTED)
        data = {"entity_id": CARD} | ({"version": version} if version else {})
        await self.garden.hass.services.async_call(
            "update", "install", data, blocking=True, context=context
        )
        run = self.entry.runtime_data.installer._install_run
        return run.note["chosen"], self.module.events.count_of(Seen.RESTARTED) - before


@pytest.fixture
async def house(garden: Garden, start_module: StartModule) -> House:
    house = House(garden, await start_module(advertise=True))
    await house.prepare()
    return house


@pytest.mark.parametrize("version", [None, "1.1.0", "v1.1.0"])
async def test_the_offered_version_is_not_chosen_by_being_named(
    house: House, version: str | None
) -> None:
    assert await house.install(version) == (False, 1)
    assert house.module.running_version == "1.1.0"


async def test_another_version_than_the_offered_one_is_chosen(house: House) -> None:
    await add_files(house.garden, "0.9.0", seed=1)
    assert await house.install("0.9.0") == (True, 2)
    assert house.module.running_version == "0.9.0"


async def test_what_runs_is_chosen_by_a_person_only(house: House) -> None:
    await house.install(None)
    await house.garden.runs("1.1.0")
    house.garden.house.patience = patience(evidence=0.5)  # it says what it said before
    automation, person = Context(), Context(user_id=(await admin(house)))
    assert await house.install("1.1.0", automation) == (False, 1)
    assert await house.install("1.1.0", person) == (True, 2)


async def test_files_are_delivered_again_to_a_person_who_names_them(house: House) -> None:
    hass = house.garden.hass
    house.garden.house.patience = QUIET
    data = {"entity_id": FILES_CARD, "version": "1.1.0"}
    sent = house.module.events.count_of(Seen.RESTARTED)
    with pytest.raises(HomeAssistantError) as refused:
        await hass.services.async_call("update", "install", data, blocking=True)
    assert refused.value.translation_key == "same_image"
    assert house.module.events.count_of(Seen.RESTARTED) == sent
    context = Context(user_id=await admin(house))
    await hass.services.async_call("update", "install", data, blocking=True, context=context)
    assert house.module.events.count_of(Seen.RESTARTED) == sent + 1


async def admin(house: House) -> str:
    """Return the id of a person who may update."""
    auth = house.garden.hass.auth
    user = await auth.async_create_user("Anna", group_ids=["system-admin"])
    return user.id
