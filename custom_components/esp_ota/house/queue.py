"""The one queue of the house: every install of every module waits in it.

What only one may be of at a time comes from the registries of Home Assistant.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, Event, HassJob, HomeAssistant, callback
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    label_registry as lr,
)
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.start import async_at_started

from ..const import DEFAULT_PARALLEL, STAGGER_AREA, STAGGER_LABEL
from ..ota import Bar, Line, Priority, Standing, Ticket
from ..owners import Owner, guest_place, is_guest
from .places import Places, Told

_COMES_BACK: Final = timedelta(seconds=60)
"""For so long a turn is kept for who goes on in it after a reload or a start; it takes seconds."""
_GROUPED_BY: Final = {"area_id", "labels"}
"""What of a device or an entity, if it changes, may put a module into another group."""


class Queue:
    """Made once with the house, and kept whatever is reloaded."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Nobody waits."""
        self._hass = hass
        self._line = Line(DEFAULT_PARALLEL, self._changed)
        self._places = Places(hass, self._line)
        self._stagger = STAGGER_AREA
        self._labels: frozenset[str] = frozenset()
        self._kept: dict[str, tuple[Ticket, CALLBACK_TYPE]] = {}
        """The turns of those that come back, by who they are, and what ends the waiting."""

    @callback
    def _changed(self) -> None:
        self._places.async_changed()

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Follow what moves to another area or gets another label; returns what stops it."""
        events = (
            dr.EVENT_DEVICE_REGISTRY_UPDATED,
            ar.EVENT_AREA_REGISTRY_UPDATED,
            lr.EVENT_LABEL_REGISTRY_UPDATED,
        )
        stops = [self._hass.bus.async_listen(name, self._registry_changed) for name in events]
        stops.append(
            self._hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, self._entity_changed)
        )

        def stop() -> None:
            for each in stops:
                each()

        return stop

    @callback
    def async_set(self, *, limit: int, stagger: str, labels: frozenset[str] = frozenset()) -> None:
        """Take over what a person changed: it holds at once for all that wait."""
        self._stagger, self._labels = stagger, labels
        self._group_anew()
        self._line.limit = limit

    @property
    def limit(self) -> int:
        """How many may run at once."""
        return self._line.limit

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._line)

    @property
    def running(self) -> list[Ticket]:
        """Those whose turn it is."""
        return self._line.running

    @property
    def waiting(self) -> list[tuple[Ticket, Standing]]:
        """All others in their order, and where each stands."""
        return self._places.standings

    @callback
    def async_join(
        self,
        owner: Owner,
        *,
        priority: Priority = Priority.REST,
        order: float | None = None,
        bar: Bar = lambda: None,
        on_told: Told = lambda _standing: None,
    ) -> Ticket:
        """Return the ticket of a module or a guest; it asks for its turn while `up` is awaited."""
        ticket = self._line.join(
            owner=owner.entry_id,
            name=owner.title,
            priority=priority,
            order=order,
            groups=self.groups_of(owner.entry_id),
            bar=bar,
        )
        self._places.async_add(ticket, on_told)
        kept, stop = self._kept.pop(owner.entry_id, (None, None))
        if kept is not None and stop is not None:
            stop()
            if priority is Priority.OPEN:
                self._line.take(ticket, instead_of=kept)
            else:
                kept.leave()
        return ticket

    @callback
    def async_leave(self, ticket: Ticket) -> None:
        """Forget a ticket, whatever it does."""
        self._places.async_drop(ticket)
        ticket.leave()

    @callback
    def async_keep(self, ticket: Ticket) -> None:
        """Forget a ticket, but give its turn to nobody before who had it may have come back."""
        self._places.async_drop(ticket)

        @callback
        def give_up(_now: datetime) -> None:
            self.async_give_up(ticket.owner)

        @callback
        def count(hass: HomeAssistant) -> None:
            job = HassJob(give_up, cancel_on_shutdown=True)
            stops.append(async_call_later(hass, _COMES_BACK, job))

        @callback
        def stop() -> None:
            for each in stops:
                each()

        stops: list[CALLBACK_TYPE] = []
        stops.append(async_at_started(self._hass, count))
        self._kept[ticket.owner] = (ticket, stop)
        self._changed()

    @callback
    def async_give_up(self, entry_id: str) -> None:
        """Wait no more for one whose turn is kept: it does not come back."""
        ticket, stop = self._kept.pop(entry_id, (None, None))
        if ticket is not None and stop is not None:
            stop()
            ticket.leave()

    @callback
    def async_keep_for(self, owner: Owner) -> None:
        """Do so for one that had its turn in another life, and goes on with it in this one."""
        groups = self.groups_of(owner.entry_id)
        ticket = self._line.join(
            owner=owner.entry_id, name=owner.title, priority=Priority.OPEN, groups=groups
        )
        self._line.take(ticket)
        self.async_keep(ticket)

    @callback
    def async_move(self, ticket: Ticket, place: int) -> None:
        """Put one that waits at a place, counted from 1."""
        self._line.move(ticket, place)

    @callback
    def async_keep_behind(self, order: float) -> None:
        """Let whoever comes wait behind one that the journal has noted."""
        self._line.keep_behind(order)

    @callback
    def async_look(self) -> None:
        """See whether anybody may run now who could not before."""
        self._line.look()

    @callback
    def async_add_listener(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call a listener when anything has changed, not more often than places are found."""
        return self._places.async_add_listener(listener)

    # Groups

    def groups_of(self, entry_id: str) -> dict[str, str]:
        """Return keys and names of what a module shares with those it is not updated beside."""
        area_ids, ids = self._place(entry_id)
        if self._stagger == STAGGER_AREA:
            areas = ar.async_get(self._hass)
            found = [areas.async_get_area(area_id) for area_id in area_ids if area_id]
            return {f"area {area.id}": area.name for area in found if area}
        if self._stagger == STAGGER_LABEL:
            labels = lr.async_get(self._hass)
            chosen = ids & self._labels if self._labels else ids
            return {
                f"label {label.label_id}": label.name
                for label_id in sorted(chosen)
                if (label := labels.async_get_label(label_id))
            }
        return {}

    def _place(self, entry_id: str) -> tuple[list[str | None], set[str]]:
        """Return the areas and the labels of a module's devices, or of a guest."""
        if is_guest(entry_id):
            area_id, labels = guest_place(self._hass, entry_id)
            return [area_id], labels
        devices = dr.async_entries_for_config_entry(dr.async_get(self._hass), entry_id)
        areas: list[str | None] = [item.area_id for item in devices]
        return areas, {label for item in devices for label in item.labels}

    @callback
    def _entity_changed(self, event: Event[Any]) -> None:
        """Follow guests only: a module stands where its device is."""
        tickets = self._places.tickets
        if event.data.get("changes") and any(is_guest(ticket.owner) for ticket in tickets):
            self._registry_changed(event)

    @callback
    def _registry_changed(self, event: Event[Any]) -> None:
        changes = event.data.get("changes")
        if self._places.tickets and (changes is None or _GROUPED_BY & changes.keys()):
            self._group_anew()
            self._line.look()

    @callback
    def _group_anew(self) -> None:
        """Who runs keeps the groups that it began with, beside those it has now."""
        for ticket in self._places.tickets:
            kept = ticket.groups if ticket.runs else {}
            ticket.groups = {**kept, **self.groups_of(ticket.owner)}
