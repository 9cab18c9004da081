#!/usr/bin/env bash
# One would guess: the trigger update.became_available tells each update once, and one that is first seen
#   when Home Assistant or its integration is back, after a restart, is told then.
# True: it is triggered only by a card that was seen up to date directly before. Whatever is published while
#   Home Assistant is off, or while the card is unavailable or its installed version unknown, is never told,
#   however long it is offered afterwards. A state trigger to "on" tells it, and tells everything that is
#   still offered at every restart too: who asks before installing needs a look now and then as well.
# Seen with homeassistant 2026.10.4.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv=$(script/uv)
"$uv" venv --quiet --python "$(script/python)" "$folder/venv"
"$uv" pip install --quiet --python "$folder/venv/bin/python" \
  homeassistant==2026.10.4 pytest-homeassistant-custom-component==0.13.375
cat >"$folder/test_trigger.py" <<'PYTHON'
from homeassistant.core import callback
from homeassistant.setup import async_setup_component

CARD = "update.valve"
TRIGGERS = {
    "update.became_available": {
        "trigger": "update.became_available",
        "target": {"entity_id": CARD},
    },
    "state": {"trigger": "state", "entity_id": CARD, "to": "on"},
}
WAYS = [("off", "on"), ("off", "unavailable", "on"), ("off", "unknown", "on"), ("unavailable", "on")]


async def test_trigger(hass):
    ran = []
    for component in ("homeassistant", "update"):
        assert await async_setup_component(hass, component, {})
    tell = callback(lambda call: ran.append(call.data["trigger"]))
    hass.services.async_register("test", "tell", tell)
    automations = [
        {
            "alias": name,
            "triggers": [trigger],
            "actions": [{"action": "test.tell", "data": {"trigger": name}}],
        }
        for name, trigger in TRIGGERS.items()
    ]
    assert await async_setup_component(hass, "automation", {"automation": automations})
    seen = {}
    for way in WAYS:
        hass.states.async_set(CARD, way[0])
        await hass.async_block_till_done()
        ran.clear()
        for state in way[1:]:
            hass.states.async_set(CARD, state)
            await hass.async_block_till_done()
        seen[way] = sorted(ran)
        print(f"card {' -> '.join(way)}: {', '.join(ran)}")
    both, only_state = sorted(["state", "update.became_available"]), ["state"]
    assert list(seen.values()) == [both, only_state, only_state, only_state]
PYTHON
cd "$folder"
venv/bin/python -m pytest -p homeassistant.const --asyncio-mode=auto --quiet --capture=no \
  --log-level=CRITICAL test_trigger.py 2>/dev/null
