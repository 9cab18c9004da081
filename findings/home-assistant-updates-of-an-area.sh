#!/usr/bin/env bash
# One would guess: update.install with an area, a device or a label as its target installs all that is there
#   to install in it, and an automation that reaches nothing is told.
# True: an update card has the category "configuration" by itself as soon as it can install, and whatever has
#   a category is left out of every target but its own name. The action reaches none of the usual cards,
#   raises nothing, and the automation goes on as after a good update. Only a card whose integration took
#   the category away is reached. Named one by one both are.
# Seen with homeassistant 2026.10.4.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv=$(script/uv)
"$uv" venv --quiet --python "$(script/python)" "$folder/venv"
"$uv" pip install --quiet --python "$folder/venv/bin/python" \
  homeassistant==2026.10.4 pytest-homeassistant-custom-component==0.13.375
cat >"$folder/test_area.py" <<'PYTHON'
from pytest_homeassistant_custom_component.common import setup_test_component_platform

from homeassistant.components.update import UpdateEntity, UpdateEntityFeature
from homeassistant.helpers import area_registry, entity_registry
from homeassistant.setup import async_setup_component


class Card(UpdateEntity):
    _attr_installed_version = "1.0.0"
    _attr_latest_version = "1.1.0"
    _attr_supported_features = UpdateEntityFeature.INSTALL

    def __init__(self, name):
        self._attr_name = self._attr_unique_id = name
        self.installed = 0

    async def async_install(self, version, backup, **kwargs):
        self.installed += 1


class CardWithoutCategory(Card):
    _attr_entity_category = None


async def test_area(hass):
    cards = [Card("usual"), CardWithoutCategory("uncategorised")]
    setup_test_component_platform(hass, "update", cards)
    assert await async_setup_component(hass, "update", {"update": {"platform": "test"}})
    await hass.async_block_till_done()
    area = area_registry.async_get(hass).async_create("Garden").id
    for card in cards:
        entity_registry.async_get(hass).async_update_entity(card.entity_id, area_id=area)
    seen = {}
    names = [card.entity_id for card in cards]
    for target in ({"area_id": area}, {"entity_id": names}):
        for card in cards:
            card.installed = 0
        await hass.services.async_call("update", "install", target, blocking=True)
        by = next(iter(target))
        seen[by] = {card.name: card.installed for card in cards}
        print(f"installs of update.install by {by}, which raised nothing: {seen[by]}")
    assert seen["area_id"] == {"usual": 0, "uncategorised": 1}
    assert seen["entity_id"] == {"usual": 1, "uncategorised": 1}
PYTHON
cd "$folder"
venv/bin/python -m pytest -p homeassistant.const --asyncio-mode=auto --quiet --capture=no \
  --log-level=CRITICAL test_area.py 2>/dev/null
