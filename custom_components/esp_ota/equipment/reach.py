"""What a sequence of actions reaches: the entities it tells something, as far as can be read.

Scripts, automations, scenes and groups are followed. Not read: what an integration does with an
action that names no entity (`mqtt.publish`, `shell_command`), events, and what a template names
that cannot be worked out beforehand; of these the call itself is noted.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
import json
from typing import Any, Final

from homeassistant.const import (
    ATTR_AREA_ID,
    ATTR_DEVICE_ID,
    ATTR_ENTITY_ID,
    ATTR_FLOOR_ID,
    ATTR_LABEL_ID,
    CONF_ACTION,
    CONF_CHOOSE,
    CONF_DEFAULT,
    CONF_DOMAIN,
    CONF_ELSE,
    CONF_EVENT,
    CONF_PARALLEL,
    CONF_REPEAT,
    CONF_SCENE,
    CONF_SEQUENCE,
    CONF_SERVICE_DATA,
    CONF_SERVICE_DATA_TEMPLATE,
    CONF_TARGET,
    CONF_THEN,
    ENTITY_MATCH_ALL,
    ENTITY_MATCH_NONE,
)
from homeassistant.core import HomeAssistant, SupportsResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
    target as targets,
)
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_component import DATA_INSTANCES
from homeassistant.helpers.template import Template, render_complex

_TARGETS: Final = (ATTR_ENTITY_ID, ATTR_DEVICE_ID, ATTR_AREA_ID, ATTR_FLOOR_ID, ATTR_LABEL_ID)
_RUNS: Final = {"script", "automation"}
"""Domains whose entities are sequences themselves."""
_OF_ALL_DOMAINS: Final = "homeassistant"
_LOOKS: Final = {"update_entity", "reload_config_entry"}
"""Actions of that domain that tell no equipment anything."""
_TALKS: Final = {"logbook", "notify", "persistent_notification", "system_log", "tts"}
"""Domains of actions that tell people, not equipment."""
_MANAGES: Final = {"reload", "reload_all"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """What one or several sequences tell."""

    told: set[str] = field(default_factory=set)
    """Entities: those that are named, members of groups, and what scripts tell."""
    unread: set[str] = field(default_factory=set)
    """Calls of which nobody knows what they reach, each with its data."""
    lost: set[str] = field(default_factory=set)
    """What calls are for and is not there any more: Home Assistant passes it over in silence."""
    finds: set[str] = field(default_factory=set)
    """Calls that may find somebody."""

    @property
    def is_in_vain(self) -> bool:
        """Whether it is for something, and nothing of that is there."""
        return bool(self.lost) and not self.finds


def reach_of(
    hass: HomeAssistant, sequence: Iterable[Mapping[str, Any]], variables: Mapping[str, Any]
) -> Reach:
    """Return what a validated sequence reaches."""
    reach = Reach()
    _Reader(hass, reach).read(sequence, variables)
    reach.told.update(members_of(hass, reach.told))
    return reach


def members_of(hass: HomeAssistant, entities: Iterable[str]) -> set[str]:
    """Return entities with the members of those that are groups or scenes, and theirs."""
    found: set[str] = set()
    left = list(entities)
    while left:
        if (entity_id := left.pop()) in found:
            continue
        found.add(entity_id)
        state = hass.states.get(entity_id)
        members = state.attributes.get(ATTR_ENTITY_ID) if state else None
        if isinstance(members, (list, tuple, set)):
            left += [item for item in members if isinstance(item, str)]
    return found


def followers_of(hass: HomeAssistant, told: set[str], asked: Iterable[str]) -> set[str]:
    """Return those of `asked` that are known to tell what becomes of what was told.

    They are told themselves, groups or helpers made of it, or of the same device.
    """
    registry = er.async_get(hass)
    entries = [entry for item in told if (entry := registry.async_get(item)) is not None]
    devices = {entry.device_id for entry in entries} - {None}
    names = told | {entry.id for entry in entries}

    def follows(entity_id: str) -> bool:
        if not told.isdisjoint(members_of(hass, [entity_id])):
            return True
        if (entry := registry.async_get(entity_id)) is None:
            return False
        return entry.device_id in devices or _is_made_of(hass, entry, names)

    return {item for item in asked if follows(item)}


def _is_made_of(hass: HomeAssistant, entry: er.RegistryEntry, names: set[str]) -> bool:
    """Whether a helper's options name one of the entities, alone or inside a template."""
    made_by = hass.config_entries.async_get_entry(entry.config_entry_id or "")
    if made_by is None:
        return False
    said = json.dumps([*made_by.options.values()], default=str)
    return any(name in said for name in names)


class _Reader:
    """Walks through sequences, each script once."""

    def __init__(self, hass: HomeAssistant, reach: Reach) -> None:
        self._hass = hass
        self._reach = reach
        self._seen: set[str] = set()

    def read(self, sequence: Iterable[Mapping[str, Any]], variables: Mapping[str, Any]) -> None:
        for step in sequence:
            self._read_step(step, variables)
            for inner in _inner(step):
                self.read(inner, variables)

    def _read_step(self, step: Mapping[str, Any], variables: Mapping[str, Any]) -> None:
        match cv.determine_script_action(dict(step)):
            case cv.SCRIPT_ACTION_CALL_SERVICE:
                self._read_call(step, variables)
            case cv.SCRIPT_ACTION_DEVICE_AUTOMATION:
                self._read_device(step)
            case cv.SCRIPT_ACTION_ACTIVATE_SCENE:
                self._reach.told.add(step[CONF_SCENE])
                self._note([step[CONF_SCENE]])
            case cv.SCRIPT_ACTION_FIRE_EVENT:
                self._reach.unread.add(f"event {step[CONF_EVENT]}")
                self._note()
            case _:
                pass

    def _read_call(self, step: Mapping[str, Any], variables: Mapping[str, Any]) -> None:
        named = step[CONF_ACTION]
        try:
            if isinstance(named, Template):
                named = named.async_render(variables, parse_result=False)
            domain, _, service = str(named).partition(".")
            data = self._data(step, variables)
        except HomeAssistantError:
            self._reach.unread.add(f"action {named}")
            self._note()
            return
        if domain in _TALKS or service in _MANAGES or self._only_asks(domain, service):
            return
        if domain == _OF_ALL_DOMAINS and service in _LOOKS:
            return
        if domain == "scene" and service == "apply":
            self._reach.told.update(data.get("entities") or {})
            self._note(data.get("entities") or ())
            return
        found = self._targeted(domain, data)
        if domain in _RUNS and (entity := self._entity(f"{domain}.{service}")) is not None:
            found.add(entity.entity_id)
        self._note(found, data if self._is_of_entities(domain) else {})
        self._reach.told.update(found)
        for entity_id in found:
            if entity_id.partition(".")[0] in _RUNS and service != "turn_off":
                self._follow(entity_id, {**variables, **data})
        if not found:
            self._reach.unread.add(
                f"action {named} {json.dumps(data, sort_keys=True, default=str)}"
            )

    def _is_of_entities(self, domain: str) -> bool:
        """Whether actions of a domain reach entities of it, and nothing else."""
        components: dict[str, Any] = self._hass.data.get(DATA_INSTANCES, {})
        return domain == _OF_ALL_DOMAINS or (domain in components and domain not in _RUNS)

    def _note(self, found: Iterable[str] = (), targets: Mapping[str, Any] | None = None) -> None:
        """Note whether a call finds anybody; one without a known target may."""
        named = {item for item in found if item != ENTITY_MATCH_ALL}
        there = {item for item in named if self._hass.states.get(item) is not None}
        lost = named - there
        if not named and targets:
            said = ((key, item) for key in _TARGETS for item in _listed(targets.get(key) or []))
            lost = {f"{key} {item}" for key, item in said if item != ENTITY_MATCH_NONE}
        self._reach.lost.update(lost)
        if there or not lost:
            self._reach.finds.update(there or {"anybody"})

    def _only_asks(self, domain: str, service: str) -> bool:
        """Whether an action only gives an answer."""
        services = self._hass.services
        if not services.has_service(domain, service):
            return False
        return services.supports_response(domain, service) is SupportsResponse.ONLY

    @staticmethod
    def _data(step: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return all that an action is called with, its templates worked out."""
        data: dict[str, Any] = {}
        for key in (CONF_SERVICE_DATA, CONF_SERVICE_DATA_TEMPLATE, CONF_TARGET):
            said = render_complex(step.get(key) or {}, variables)
            if isinstance(said, Mapping):
                data |= said
        if ATTR_ENTITY_ID in step:
            data[ATTR_ENTITY_ID] = render_complex(step[ATTR_ENTITY_ID], variables)
        return data

    def _targeted(self, domain: str, data: Mapping[str, Any]) -> set[str]:
        said = {key: _listed(data[key]) for key in _TARGETS if data.get(key)}
        named = said.get(ATTR_ENTITY_ID, [])
        if ENTITY_MATCH_ALL in named:
            return set(self._hass.states.async_entity_ids(domain))
        if ENTITY_MATCH_NONE in named:
            return set()
        selection = targets.TargetSelection(said)
        found = targets.async_extract_referenced_entity_ids(
            self._hass, selection, expand_group=False
        )
        indirect = {
            item
            for item in found.indirectly_referenced
            if domain in {_OF_ALL_DOMAINS, item.partition(".")[0]}
        }
        return found.referenced | indirect

    def _follow(self, entity_id: str, variables: Mapping[str, Any]) -> None:
        """Read the sequence of a script or an automation."""
        if entity_id in self._seen:
            return
        self._seen.add(entity_id)
        entity = self._entity(entity_id)
        script = getattr(entity, "script", None) or getattr(entity, "action_script", None)
        if script is None:
            self._reach.unread.add(entity_id)
            return
        self.read(script.sequence, variables)

    def _entity(self, entity_id: str) -> Entity | None:
        components: dict[str, Any] = self._hass.data.get(DATA_INSTANCES, {})
        component = components.get(entity_id.partition(".")[0])
        return component.get_entity(entity_id) if component else None

    def _read_device(self, step: Mapping[str, Any]) -> None:
        registry = er.async_get(self._hass)
        if (named := step.get(ATTR_ENTITY_ID)) is not None:
            entity_id = er.async_resolve_entity_id(registry, named) or named
            self._note([entity_id])
            self._reach.told.add(entity_id)
            return
        device = dr.async_get(self._hass).async_get(step[ATTR_DEVICE_ID])
        found = er.async_entries_for_device(registry, device.id) if device else []
        entities = {entry.entity_id for entry in found if entry.domain == step.get(CONF_DOMAIN)}
        self._reach.told.update(entities)
        self._note(entities)
        if not entities:
            self._reach.unread.add(f"device {step[ATTR_DEVICE_ID]}")


def _inner(step: Mapping[str, Any]) -> Iterator[list[Mapping[str, Any]]]:
    """Yield the sequences inside a step, whichever of them will run."""
    for choice in step.get(CONF_CHOOSE, []):
        yield choice[CONF_SEQUENCE]
    for branch in step.get(CONF_PARALLEL, []):
        yield branch[CONF_SEQUENCE]
    if CONF_REPEAT in step:
        yield step[CONF_REPEAT][CONF_SEQUENCE]
    for key in (CONF_DEFAULT, CONF_THEN, CONF_ELSE, CONF_SEQUENCE):
        if isinstance(inner := step.get(key), list):
            yield inner


def _listed(value: Any) -> list[str]:
    """Return what was typed as a list, or with commas."""
    if isinstance(value, str):
        return [item.strip() for item in value.split(",")]
    return [str(item) for item in value] if isinstance(value, (list, tuple, set)) else [str(value)]
