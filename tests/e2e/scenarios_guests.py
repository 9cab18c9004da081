"""Modules of another integration, in one rollout with one of ours."""

from collections.abc import Iterator
import json
from typing import ClassVar, Final, override

from .bench import Bench
from .flows import add_by_hand, add_guests
from .garden import Json
from .modules import GARDEN_VALVE
from .scenario import Outcome, Scenario, verified
from .timeline import Timeline

_ROLLOUT: Final = "sensor.firmware_library_rollout"
_LAMP: Final = "update.hall_lamp_firmware"
_GATE: Final = "update.gate_firmware"
_NEIGHBOURS: Final = [
    # Tells how far it is, restarts, and spells what it runs with the build, as ESPHome does.
    {"name": "hall lamp", "spelt": "{version}_c51f7548", "flashing": 4, "away": 2, "late": 1},
    # Holds the call until all is over, and never tells how far it is.
    {"name": "gate", "blocks": True, "progress": "none", "flashing": 3, "away": 2},
]


class Guests(Scenario):
    """A lamp first, then a gate that rests on the valve, and the valve's own module."""

    name = "guests"
    summary = "two modules of another integration and one of ours in one rollout, valve closed"
    module = GARDEN_VALVE
    _closed: ClassVar[list[str]] = []
    """What the valve was whenever the gate said something."""

    @override
    async def set_up(self, bench: Bench, timeline: Timeline) -> str:
        entry_id = await super().set_up(bench, timeline)
        client = bench.client
        await add_by_hand(client, "neighbour", {"modules": json.dumps(_NEIGHBOURS)})
        await client.wait_until("the neighbours", lambda: client.state(_GATE) == "on")
        timeline.tell("another integration has a hall lamp and a gate, each with an update")
        safe_state = {
            key: value
            for key, value in self.module.equipment.safe_state().items()
            if key != "equipment"
        }
        await add_guests(client, {"entities": [_GATE], "equipment": "switches"}, safe_state)
        timeline.tell("Firmware library, Add guests: the gate needs the valve closed")
        return entry_id

    @override
    async def press(self, bench: Bench, timeline: Timeline) -> None:
        client = bench.client
        valve = self.module.equipment.entity_id
        said: dict[str, str] = {}

        def look(entity_id: str, state: Json) -> None:
            if entity_id not in {_LAMP, _GATE}:
                return
            shown = state["attributes"]
            text = f"{entity_id}: {state['state']}, runs {shown.get('installed_version')}"
            if shown.get("in_progress"):
                percent = shown.get("update_percentage")
                text = f"{entity_id}: is updated" + ("" if percent is None else f", {percent} %")
            if state["state"] == "unavailable":
                text = f"{entity_id}: restarts"
            if said.get(entity_id) != text:
                said[entity_id] = text
                timeline.tell(text)
            if entity_id == _GATE and shown.get("in_progress"):
                self._closed.append(str(client.state(valve)))

        client.listeners.append(look)
        answer = await client.command(
            "call_service",
            domain="esp_ota",
            service="start_rollout",
            service_data={
                "firmware": self.module.product,
                "guests": {"entity_id": [_LAMP, _GATE]},
                "guest_equipment": "nothing",
                "canaries": [_LAMP],
            },
            return_response=True,
        )
        for wave in answer["response"]["waves"]:
            names = ", ".join(module["module"] for module in wave["modules"])
            timeline.tell(f"the plan, {wave['wave']}: {names}")
        await client.wait_until(
            "the rollout has ended", lambda: client.state(_ROLLOUT) in {"done", "stopped"}, 300
        )
        client.listeners.remove(look)
        timeline.tell(f"the rollout is {client.state(_ROLLOUT)}")
        report = await client.command(
            "call_service", domain="esp_ota", service="rollout_report", return_response=True
        )
        for line in report["response"]["modules"]:
            timeline.tell(f"report: {line['module']}: {line['state']}. {line['sentence']}")

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        client = outcome.bench.client
        watch = outcome.watch
        if watch.equipment_states != ["closed", "open", "closed", "open"]:
            yield f"the valve went {watch.equipment_states}"
        watch.equipment_changes[:] = watch.equipment_changes[-2:]
        if watch.error or outcome.module.count("restarted") != 1:
            yield from verified(outcome)
        if not self._closed or set(self._closed) != {"closed"}:
            yield f"the valve was {self._closed} while the gate was updated"
        for entity_id, runs in ((_LAMP, "1.1.0_c51f7548"), (_GATE, "1.1.0")):
            if client.attributes(entity_id).get("installed_version") != runs:
                yield f"{entity_id} runs {client.attributes(entity_id).get('installed_version')}"
        if client.attributes(_ROLLOUT).get("updated") != len(_NEIGHBOURS) + 1:
            yield f"the rollout says {client.attributes(_ROLLOUT)}"
