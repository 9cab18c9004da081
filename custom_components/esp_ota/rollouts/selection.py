"""Which modules take part in a rollout, in which order, and who is left out and why."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from homeassistant.components.update.const import ATTR_SKIPPED_VERSION, DOMAIN as UPDATE_DOMAIN
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids
from homeassistant.util import dt as dt_util

from ..const import CONF_FIRMWARE, DOMAIN
from ..guests import Guest, async_guests, is_foreign, why_left_out
from ..helpers import async_said, async_sentence
from ..house import HOUSE, House
from ..installs import ModuleRuntime
from ..library import Release
from ..modules import ModuleCoordinator, ModuleState, identity_of
from ..ota import MemberState, as_text, ask_bounds, ask_gate, one_line, same_version
from ..owners import Owner, guest_key
from .note import LeftOut, MemberNote

NEWEST: Final = "newest"
TARGETS: Final = ("entity_id", "device_id", "area_id", "floor_id", "label_id")


def mistake(key: str, **facts: str) -> ServiceValidationError:
    """Return the translated error of a call that makes no sense."""
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders=facts
    )


def runtime_of(entry: ConfigEntry | None, *, is_starting: bool = False) -> ModuleRuntime | None:
    """Return what a module's entry holds while it is loaded, or is just being set up."""
    runtime = getattr(entry, "runtime_data", None)
    states = {ConfigEntryState.LOADED}
    if is_starting:
        states.add(ConfigEntryState.SETUP_IN_PROGRESS)
    is_there = entry is not None and entry.state in states
    return runtime if is_there and isinstance(runtime, ModuleRuntime) else None


def targeted(hass: HomeAssistant, said: Mapping[str, Any]) -> list[ConfigEntry] | None:
    """Return the modules that a call names, None if it names none.

    Raises ServiceValidationError for what does not exist, and where no module is.
    """
    given = {key: said[key] for key in TARGETS if said.get(key)}
    if not given:
        return None
    found = async_extract_referenced_entity_ids(hass, TargetSelection(given))
    registry = er.async_get(hass)
    named = {item for item in found.referenced if registry.async_get(item) is None}
    missing = [
        *found.missing_areas,
        *found.missing_devices,
        *found.missing_floors,
        *found.missing_labels,
        *named,
    ]
    if missing:
        raise mistake("rollout_target_unknown", what=as_text(", ".join(sorted(missing))))
    ids = {
        registered.config_entry_id
        for item in found.referenced | found.indirectly_referenced
        if (registered := registry.async_get(item)) is not None
    }
    devices = dr.async_get(hass)
    for device_id in found.referenced_devices:
        if (device := devices.async_get(device_id)) is not None:
            ids |= device.config_entries
    modules = [entry for entry in hass.data[HOUSE].modules if entry.entry_id in ids]
    if not modules:
        raise mistake("nothing_reached")
    return modules


def card_of(hass: HomeAssistant, entry: ConfigEntry) -> str | None:
    """Return the entity id of a module's update card."""
    registry = er.async_get(hass)
    return registry.async_get_entity_id(UPDATE_DOMAIN, DOMAIN, f"{identity_of(entry)}_firmware")


def is_skipped(hass: HomeAssistant, card: str | None, version: str) -> bool:
    """Whether a person skipped this version on a card (entity id)."""
    state = hass.states.get(card) if card else None
    skipped = state.attributes.get(ATTR_SKIPPED_VERSION) if state else None
    return skipped is not None and same_version(str(skipped), version)


class Selection:
    """Sorts the modules of a house into those that take part and those that do not."""

    def __init__(
        self, hass: HomeAssistant, said: Mapping[str, Any], taken: Mapping[str, str]
    ) -> None:
        """Take what a call says; `taken` are modules that other rollouts have (entry id, id)."""
        self._hass = hass
        self._house: House = hass.data[HOUSE]
        self._said = said
        self._taken = taken
        self.firmware: str = said.get("firmware", "")
        self.version: str = said["version"]
        self.members: list[MemberNote] = []
        self.left_out: list[LeftOut] = []

    @property
    def is_chosen(self) -> bool:
        """Whether a version is named."""
        return self.version != NEWEST

    async def async_run(self) -> None:
        """Look at all modules; raises ServiceValidationError when none takes part."""
        named = targeted(self._hass, self._said)
        answer = self._said.get("guest_equipment")
        guests = async_guests(self._hass, self._said.get("guests", {}), answer)
        if not self.firmware:  # guests alone
            if named is not None or self.is_chosen:
                raise mistake("rollout_firmware_missing")
            named = []
            self.firmware = ", ".join(sorted({guest.software for guest in guests})) or "-"
        elif not self._house.library.candidates(self.firmware):
            raise mistake("rollout_firmware_unknown", firmware=as_text(self.firmware))
        if self.is_chosen and not self._house.library.find(self.firmware, self.version):
            release = f"{self.firmware} {self.version}"
            raise mistake("release_unknown", release=as_text(release))
        canaries = self._canaries()
        modules: list[ConfigEntry | Guest] = [*(self._house.modules if named is None else named)]
        modules += guests
        for entry in sorted(modules, key=lambda item: (rank(item, canaries), item.title.lower())):
            if isinstance(entry, Guest):
                self._sort_guest(entry)
                continue
            if named is None and self._firmware_of(entry) != self.firmware:
                continue  # nobody thinks of it
            await self._async_sort(entry)
            await asyncio.sleep(0)  # there may be hundreds, and the gate is asked for each
        if not self.members:
            reasons = "; ".join(
                f"{as_text(i['module'])}: {as_text(i['sentence'])}" for i in self.left_out
            )
            raise mistake("rollout_empty", reasons=reasons[:1500] or "-")
        self._check(canaries)

    def _canaries(self) -> list[str]:
        """Return the entries of modules that are named as canaries, in their order."""
        named = self._said["canaries"]
        if not isinstance(named, list):
            return []
        ids = []
        for item in named:
            if is_foreign(self._hass, item) and self._is_there(item):
                ids.append(guest_key(self._hass, item))
                continue
            ids += [entry.entry_id for entry in targeted(self._hass, {"entity_id": [item]}) or ()]
        return list(dict.fromkeys(ids))

    def _is_there(self, entity_id: str) -> bool:
        known = er.async_get(self._hass).async_get(entity_id)
        return known is not None or self._hass.states.get(entity_id) is not None

    def _check(self, canaries: list[str]) -> None:
        """Raise ServiceValidationError for a canary that takes no part."""
        members = {member["entry_id"] for member in self.members}
        for entry_id in canaries:
            if entry_id not in members:
                entry = self._hass.config_entries.async_get_entry(entry_id)
                module = entry.title if entry else Guest(self._hass, entry_id).title
                why = [item["sentence"] for item in self.left_out if item["module"] == module]
                reason = as_text("".join(why[:1]) or "-")
                raise mistake("rollout_canary_left_out", module=as_text(module), reason=reason)

    @property
    def canaries(self) -> int:
        """How many go before all others."""
        said = self._said["canaries"]
        return len(self._canaries()) if isinstance(said, list) else int(said)

    def _firmware_of(self, entry: ConfigEntry) -> str | None:
        if (runtime := runtime_of(entry)) is not None:
            return runtime.coordinator.data.firmware
        known = self._house.journal.known(entry.entry_id)
        firmware: str | None = entry.options.get(CONF_FIRMWARE)
        return firmware or (known["firmware"] if known else None)

    def _sort_guest(self, guest: Guest) -> None:
        """Put one guest among the members, or those that are left out."""
        state, why = guest.state(), why_left_out(guest)
        if other := self._taken.get(guest.entry_id):
            why = "other_rollout", {"other": other}
        if why is None:
            assert state.latest is not None
            self.members.append(
                {
                    "entry_id": guest.entry_id,
                    "module": guest.title,
                    "sha256": state.latest,
                    "version": state.latest,
                    "before": state.installed,
                    "state": str(MemberState.WAITS),
                }
            )
            return
        reason, facts = why
        sentence = self._why(guest, reason, **facts)[1]
        self.left_out.append({"module": guest.title, "reason": reason, "sentence": sentence})

    async def _async_sort(self, entry: ConfigEntry) -> None:
        """Put one module among the members, or those that are left out."""
        found = await self._async_member(entry)
        if isinstance(found, Release):
            runtime = runtime_of(entry)
            assert runtime is not None
            self.members.append(
                {
                    "entry_id": entry.entry_id,
                    "module": entry.title,
                    "sha256": found.image.sha256,
                    "version": found.version,
                    "before": runtime.coordinator.data.installed,
                    "state": str(MemberState.WAITS),
                }
            )
            return
        reason, sentence = found
        self.left_out.append({"module": entry.title, "reason": reason, "sentence": sentence})

    async def _async_member(self, entry: ConfigEntry) -> Release | tuple[str, str]:
        """Return what is to be installed on a module, or why nothing is."""
        if (runtime := runtime_of(entry)) is None:
            return self._why(entry, "not_loaded")
        if other := self._taken.get(entry.entry_id):
            return self._why(entry, "other_rollout", other=other)
        coordinator = runtime.coordinator
        running = coordinator.data.installed
        if coordinator.data.firmware != self.firmware:
            return self._why(entry, "other_firmware", runs=coordinator.data.firmware or "?")
        facts = coordinator.facts()
        if (chip := self._said.get("chip")) and chip not in {facts.chip, facts.family}:
            return self._why(entry, "other_chip", chip=str(facts.chip or facts.family or "?"))
        wanted = self._said.get("running_version")
        if wanted and not same_version(wanted, running or ""):
            return self._why(entry, "other_version", runs=running or "?")
        ways = self._said.get("transports")
        if ways and not set(ways) & set(coordinator.transports):
            return self._why(entry, "no_way", ways=", ".join(coordinator.transports))
        if (days := self._unseen_for(coordinator.data)) is not None:
            return self._why(entry, "unreachable", days=str(days))
        return await self._async_release(entry, coordinator)

    async def _async_release(
        self, entry: ConfigEntry, coordinator: ModuleCoordinator
    ) -> Release | tuple[str, str]:
        releases = [
            item
            for item in coordinator.releases
            if not self.is_chosen or same_version(item.version, self.version)
        ]
        if not releases:
            return self._why(entry, "no_image")
        refusal, barred, facts = None, None, coordinator.facts()
        fitting = [item for item in releases if item.chip in {None, facts.chip, facts.family}]
        for release in fitting or releases:
            if same_version(release.version, coordinator.data.installed or ""):
                if barred is None:
                    return self._why(entry, "has_it", version=release.version)
                refusal = barred
                break
            candidate = coordinator.candidate(release, chosen=self.is_chosen)
            candidate = replace(candidate, by_rollout=True)
            answer = ask_gate(candidate, facts, coordinator.accepted).refusal
            if answer is None:
                if is_skipped(self._hass, card_of(self._hass, entry), release.version):
                    return self._why(entry, "skipped", version=release.version)
                return release
            refusal = refusal or answer
            barred = barred or ask_bounds(candidate, facts)
        assert refusal is not None
        assert refusal.cause is not None
        said = await async_sentence(self._hass, refusal.cause, refusal.facts, module=entry.title)
        return str(refusal.cause), said

    def _why(self, entry: Owner, reason: str, **facts: str) -> tuple[str, str]:
        facts = {key: one_line(fact) for key, fact in facts.items()}
        key = f"rollout_left_out_{reason}"
        return reason, async_said(self._hass, key, facts, module=entry.title)

    def _unseen_for(self, state: ModuleState) -> int | None:
        """Return for how many days nothing was heard of a module, where that is too many."""
        if state.reachable or state.last_seen is None:
            return None
        away = dt_util.utcnow() - state.last_seen
        return away.days if away > timedelta(days=self._said["unreachable_days"]) else None


def rank(entry: Owner, canaries: Iterable[str]) -> int:
    """Return where a module stands among the named canaries, behind all of them if not there."""
    order = list(canaries)
    return order.index(entry.entry_id) if entry.entry_id in order else len(order)
