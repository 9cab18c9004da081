"""Several modules in one house, each with a name, an area and a card of its own."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.esp_ota.const import DOMAIN
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import area_registry as ar, device_registry as dr
from tests.kit.entries import StartModule, entry_for
from tests.kit.garden import Garden
from tests.virtual_module import VirtualModule

NOTHING: Mapping[str, Any] = {"equipment": "nothing", "firmware": "garden-valve"}
SENSOR = "sensor.esp_ota_queue"


@dataclass
class Yard:
    """What a test of the queue touches."""

    garden: Garden
    start_module: StartModule
    modules: dict[str, VirtualModule] = field(default_factory=dict)
    entries: dict[str, MockConfigEntry] = field(default_factory=dict)
    house: MockConfigEntry = field(init=False)

    @property
    def hass(self) -> HomeAssistant:
        return self.garden.hass

    async def open(self, **options: Any) -> None:
        """Set the house up with its options, and have 1.1.0 of the firmware."""
        self.house = MockConfigEntry(
            domain=DOMAIN,
            title="ESP OTA",
            unique_id="house",
            data={"kind": "house"},
            options=options,
        )
        await self.garden.release("1.1.0")
        await self.garden.add(self.house)

    async def set(self, **options: Any) -> None:
        """Change the options of the house, as its form does."""
        changed = {**self.house.options, **options}
        self.hass.config_entries.async_update_entry(self.house, options=changed)
        await self.hass.config_entries.async_reload(self.house.entry_id)

    async def add(
        self,
        *names: str,
        area: str | None = None,
        options: Mapping[str, Any] = NOTHING,
        is_on: bool = True,
        **config: Any,
    ) -> None:
        """Switch modules on and set them up."""
        for name in names:
            given: dict[str, Any] = {"hostname": name}
            module = await self.start_module(**given | config)
            entry = entry_for(
                module,
                options=dict(options),
                unique_id=name,
                name=name,
                service_name=f"{name}._arduino._tcp.local.",
            )
            object.__setattr__(entry, "title", name)
            if not is_on:
                await module.power_off()
            await self.garden.add(entry)
            self.modules[name], self.entries[name] = module, entry
            if area is not None:
                self.move(name, area)

    def move(self, name: str, area: str) -> None:
        """Put the device of a module into an area."""
        [device] = self.devices(name)
        place = ar.async_get(self.hass).async_get_or_create(area)
        dr.async_get(self.hass).async_update_device(device.id, area_id=place.id)

    def devices(self, *names: str) -> list[dr.DeviceEntry]:
        """Return the devices of modules."""
        devices = dr.async_get(self.hass)
        ids = [self.entries[name].entry_id for name in names]
        return [dr.async_entries_for_config_entry(devices, entry_id)[0] for entry_id in ids]

    def card(self, name: str) -> str:
        return f"update.{name}_firmware"

    def shown(self, name: str) -> Mapping[str, Any]:
        """Return the attributes of a card."""
        state = self.hass.states.get(self.card(name))
        assert state is not None
        return state.attributes

    def standing(self, name: str) -> tuple[Any, Any, Any]:
        """Return what a card says of its place: where, why, and for what."""
        shown = self.shown(name)
        return shown["queue_place"], shown["waits_because"], shown["waits_for"]

    @property
    def queue(self) -> Mapping[str, Any]:
        """Return what the sensor of the queue shows."""
        state = self.hass.states.get(SENSOR)
        assert state is not None
        return {"length": state.state, **state.attributes}

    def press(self, *names: str, user: str | None = None) -> asyncio.Task[list[Any]]:
        """Press Update on each, in this order; the task returns what each caller is told."""

        async def press(name: str) -> str:
            try:
                await self.hass.services.async_call(
                    "update",
                    "install",
                    {"entity_id": self.card(name)},
                    blocking=True,
                    context=Context(user_id=user),
                )
            except HomeAssistantError as err:
                return str(err.translation_key)
            return "done"

        async def press_all() -> list[Any]:
            return list(await asyncio.gather(*(press(name) for name in names)))

        return self.hass.async_create_task(press_all())

    async def act(self, action: str, *names: str, **data: Any) -> None:
        """Call an action of ours on cards."""
        cards = [self.card(name) for name in names]
        await self.hass.services.async_call(
            DOMAIN, action, {"entity_id": cards, **data}, blocking=True
        )

    def running(self, name: str) -> str:
        """Return the version that a module runs."""
        return self.modules[name].running_version
