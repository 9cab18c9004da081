"""Home Assistant's end of the torture: valves that are outside, presses, and named deaths.

Knows nothing of what is right: it does what the world says, and tells it what it sees. It wraps
functions of ESP OTA while this runs, so that the product has no hook for it.
"""

import asyncio
from contextlib import suppress
from itertools import count
import logging
import os
from pathlib import Path
import signal
import traceback
from typing import Any, Final, override

from custom_components.esp_ota.const import DOMAIN as ESP_OTA, EVENT_UPDATE_ENDED
from custom_components.esp_ota.guests import GUESTS
from custom_components.esp_ota.house import HOUSE
from custom_components.esp_ota.library import ReleaseName
from custom_components.esp_ota.ota import LibraryError
from custom_components.esp_ota.owners import guest_key
from homeassistant.core import Context, Event, HomeAssistant, ServiceCall, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.typing import ConfigType

from . import waits, wraps
from .crowd import Crowd
from .disk import OF_A_FULL_DISK, Disk
from .guests import Guests, guest_card
from .link import Link, Message
from .wraps_guests import install_guests
from .wraps_many import install_many

DOMAIN: Final = "torture_garden"
_ATTRIBUTES: Final = ("in_progress", "stage", "last_verdict", "last_cause", "installed_version")


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Meet the world, and take from it what this life is to be."""
    # A real one is given only its configuration directory.
    link = Link(hass.config.path("..", "socket"))
    link.tell("hello", pid=os.getpid())
    garden = Garden(hass, link, link.hear())
    garden.set_up()
    await garden.show_guests()
    return True


def card_of(hass: HomeAssistant, module: str) -> str:
    """Return the update card of a module, whatever its area has made of its entity id."""
    entries = er.async_entries_for_config_entry(er.async_get(hass), module)
    cards = (one.entity_id for one in entries if one.unique_id.endswith("_firmware"))
    return next(cards, f"update.{module}_firmware")


class Garden:
    """What the world sees and moves inside one life of Home Assistant."""

    def __init__(self, hass: HomeAssistant, link: Link, plan: Message) -> None:
        """Take what the world wants of this life."""
        self._hass = hass
        self._link = link
        self._plan = plan
        self._ids = count(1)
        self._moving: dict[int, asyncio.Future[str | None]] = {}
        self._reached: dict[tuple[str, str | None], int] = {}
        self._presses: dict[str, Context] = {}
        self._begun: set[str] = set()
        """Modules whose install a rollout has begun in this life."""
        self._disk = Disk()
        self._guests = Guests(hass, link, self.reach)
        self._crowd = Crowd(hass, link, self._card_of)

    def set_up(self) -> None:
        """Show the equipment, offer its actions, and listen."""
        waits.shorten(self._plan["waits"])
        wrapped = wraps.install(self.reach)
        install_many(wrapped, self.reach)
        install_guests(wrapped, self.reach)
        self._disk.install()
        for entity_id, value in self._plan["states"].items():
            self._hass.states.async_set(entity_id, value)
        self._hass.services.async_register(DOMAIN, "move", self._move)
        self._hass.bus.async_listen(EVENT_UPDATE_ENDED, self._ended)
        logging.getLogger().addHandler(Alarms(self._link))
        self._link.listen(self._take)

        @callback
        def started(_hass: HomeAssistant) -> None:
            self._crowd.place(self._plan.get("areas", {}))
            self._crowd.listen()
            self._link.tell("started")

        async_at_started(self._hass, started)

    async def show_guests(self) -> None:
        """Show the entities of guests."""
        await self._guests.add(self._plan.get("guests", {}), self._plan.get("areas", {}))

    def _card_of(self, module: str) -> str:
        return guest_card(module) if module in self._guests.cards else card_of(self._hass, module)

    def reach(self, point: str, module: str | None) -> None:
        """Tell that a named point is reached, and die there if that is the plan."""
        if point == "begun" and module is not None:
            self._begun.add(module)
        deadly = self._plan.get("die") or {}
        key = (point, module)
        self._reached[key] = times = self._reached.get(key, 0) + 1
        dies = (
            deadly.get("point") == point
            and deadly["module"] in {None, module}
            and deadly["nth"] == times
        )
        self._link.tell("point", point=point, module=module, dies=dies)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)

    async def _move(self, call: ServiceCall) -> None:
        """Have a valve moved, as the driver of one would: it may fail, or never answer."""
        valve, position = call.data["valve"], call.data["position"]
        module = call.data["module"]
        self.reach(f"before_{position}_command", module)
        number = next(self._ids)
        answer = self._moving[number] = self._hass.loop.create_future()
        self._link.tell("move", id=number, valve=valve, position=position, module=module)
        self.reach(f"after_{position}_command", module)
        if (error := await answer) is not None:
            raise HomeAssistantError(error)

    @callback
    def _ended(self, event: Event) -> None:
        press = self._presses.get(event.data["module"])
        ours = press is not None and press.id == event.context.id
        ours = ours or (press is None and event.data["module"] in self._begun)
        self._link.tell("told", module=event.data["module"], same_life=ours, said=dict(event.data))

    def _take(self, message: Message) -> None:
        """Do what the world says."""
        match message["do"]:
            case "state":
                self._hass.states.async_set(message["entity"], message["value"])
                self._link.tell("shown", valve=message["valve"], value=message["value"])
            case "guest" | "installed":
                self._guests.take(message)
            case "moved":
                if not (answer := self._moving.pop(message["id"])).done():
                    answer.set_result(message["error"])
            case "stop":
                self._hass.async_create_task(self._hass.async_stop(), "torture stop")
            case do:
                work = getattr(self, f"_{do}")(**message)
                self._hass.async_create_background_task(work, f"torture {do}")

    async def _press(self, module: str, number: int, again: bool = False, **_: Any) -> None:
        """Press Update as a person does, and tell what that ended as."""
        if again and not self._is_running(module):
            return
        context = Context()
        if not again:
            self._presses[module] = context
        self._link.tell("pressed", module=module, number=number, again=again)
        action = ("update", "install")
        if module in self._guests.cards:
            action = (ESP_OTA, "update_guests")
        error = await self._call(*action, module, context)
        self._link.tell("answered", module=module, number=number, again=again, error=error)

    def _is_running(self, module: str) -> bool:
        if module in self._guests.cards:
            return self._hass.data[GUESTS].is_running(guest_key(self._hass, guest_card(module)))
        state = self._hass.states.get(self._card_of(module))
        return state is not None and bool(state.attributes.get("in_progress"))

    async def _roll_out(
        self, terms: dict[str, Any], members: list[str], guests: list[str], **_: Any
    ) -> None:
        await self._crowd.roll_out(terms, members, guests)

    async def _rollout(self, action: str, **_: Any) -> None:
        await self._crowd.act(action)

    async def _report(self, **_: Any) -> None:
        await self._crowd.look()

    async def _fill(self, lasts: float, **_: Any) -> None:
        self._disk.fill(lasts)

    async def _cancel(self, module: str, **_: Any) -> None:
        self._link.tell("cancelling", module=module)
        error = await self._call(ESP_OTA, "cancel", module, Context())
        self._link.tell("cancelled", module=module, error=error)

    async def _call(self, domain: str, service: str, module: str, context: Context) -> str | None:
        """Call an action for a module's card; return the key of its error."""
        data = {"entity_id": self._card_of(module)}
        try:
            await self._hass.services.async_call(
                domain, service, data, blocking=True, context=context
            )
        except HomeAssistantError as err:
            return err.translation_key or f"{type(err).__name__}: {err}"
        return None

    async def _reload(self, module: str, **_: Any) -> None:
        entry = self._entry(module)
        self._link.tell("reloading", module=module)
        await self._hass.config_entries.async_reload(entry.entry_id)
        self._link.tell("reloaded", module=module, state=entry.state)

    async def _release(self, path: str, **_: Any) -> None:
        """Add a release, as an upload does."""
        data = await self._hass.async_add_executor_job(Path(path).read_bytes)
        name = ReleaseName(file_name="any.bin")
        with suppress(LibraryError):  # told to who uploads: the disk is full
            await self._hass.data[HOUSE].library.async_add(data, name, source="upload")
        self._link.tell("released", path=path)

    async def _look(self, module: str, **_: Any) -> None:
        """Tell what the module's card shows."""
        state = self._hass.states.get(self._card_of(module))
        shown = {name: state.attributes.get(name) for name in _ATTRIBUTES} if state else None
        self._link.tell("card", module=module, shown=shown)

    def _entry(self, module: str) -> Any:
        entries = self._hass.config_entries.async_entries(ESP_OTA)
        return next(entry for entry in entries if entry.title == module)


class Alarms(logging.Handler):
    """Takes what the log says of errors of ours."""

    def __init__(self, link: Link) -> None:
        """Tell the world."""
        super().__init__(logging.WARNING)
        self._link = link

    @override
    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if record.levelno < logging.ERROR and error is None:
            return
        text = record.getMessage()
        if any(words in text for words in OF_A_FULL_DISK):
            return
        if error is not None:
            text += "\n" + "".join(traceback.format_exception(error))
        self._link.tell("alarm", logger=record.name, text=text[-3000:])
