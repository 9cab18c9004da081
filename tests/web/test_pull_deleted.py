"""A module that was deleted asks on with the secret that its sketch has."""

from custom_components.esp_ota.const import DOMAIN
from homeassistant.config_entries import SOURCE_INTEGRATION_DISCOVERY
from tests.house.test_outliving import delete
from tests.kit.asking import OWN, PATH, SECRET, Asker, ask, poller
from tests.kit.garden import Garden


async def test_a_deleted_module_is_offered_again_by_the_secret_that_it_alone_has(
    garden: Garden, asker: Asker
) -> None:
    entry = await garden.add(poller(OWN))
    assert (await ask(asker, f"{PATH}/{OWN}"))[0] == 304
    await delete(garden, entry)

    assert (await ask(asker, f"{PATH}/{OWN}"))[0] == 304
    assert (await ask(asker, f"{PATH}/{OWN}-not"))[0] == 404

    flows = garden.hass.config_entries.flow
    [card] = flows.async_progress_by_handler(DOMAIN)
    assert card["context"]["source"] == SOURCE_INTEGRATION_DISCOVERY
    added = await flows.async_configure(card["flow_id"], {"equipment": "nothing"})
    await garden.hass.async_block_till_done()
    assert added["result"].data["pull_secret"] == OWN  # type: ignore[typeddict-item]
    assert (await ask(asker, f"{PATH}/{OWN}"))[0] == 304
    assert (await ask(asker))[0] == 404


async def test_a_deleted_module_that_asks_with_the_secret_of_the_house_now_has_that(
    garden: Garden, asker: Asker
) -> None:
    await delete(garden, await garden.add(poller(OWN)))

    assert (await ask(asker, f"{PATH}/{SECRET}"))[0] == 304

    flows = garden.hass.config_entries.flow
    [card] = flows.async_progress_by_handler(DOMAIN)
    added = await flows.async_configure(card["flow_id"], {"equipment": "nothing"})
    assert "pull_secret" not in added["result"].data  # type: ignore[typeddict-item]
    assert (await ask(asker))[0] == 304
