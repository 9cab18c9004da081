"""A server whose database was made anew: it gives the ids of its actions a second time."""

import pytest

from custom_components.esp_ota.servers import wish
from tests.kit.assigned import Assigned
from tests.kit.garden import assert_nothing_sent

pytestmark = pytest.mark.slow


def make_anew(assigned: Assigned) -> None:
    """Lose all that the server knows."""
    assigned.hawkbit.targets.clear()
    assigned.hawkbit._ids = 0


async def test_what_a_press_finds_to_have_changed_is_offered_instead(assigned: Assigned) -> None:
    await assigned.open()
    module = await assigned.add()
    before = assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    make_anew(assigned)
    after = assigned.assign("1.2.0")
    assert after.id == before.id
    await assigned.visited()
    assert await assigned.garden.refused("deployment_changed")
    assert_nothing_sent(module)

    await assigned.offered("1.2.0")
    await assigned.garden.install()

    assert module.running_version == "1.2.0"
    await assigned.told(after, "closed")


async def test_the_card_tells_within_an_hour_although_nobody_presses(
    assigned: Assigned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wish, "_READ_AGAIN", 0.1)
    await assigned.open()
    await assigned.add()
    assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    make_anew(assigned)
    assigned.assign("1.2.0")

    await assigned.offered("1.2.0")


async def test_the_ending_of_another_action_is_not_told_of_one_with_its_id(
    assigned: Assigned,
) -> None:
    await assigned.open()
    await assigned.add()
    assigned.assign("1.1.0")
    await assigned.offered("1.1.0")
    await assigned.pause()
    await assigned.garden.install()
    assert "closing" in assigned.note
    make_anew(assigned)
    after = assigned.assign("1.2.0")
    await assigned.begin_anew()

    await assigned.offered("1.2.0")

    assert [told for told in after.told if told["execution"] == "closed"] == []
