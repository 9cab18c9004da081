"""The safe state of a module in its options: whether it needs one, and a try of it."""

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar, Final, override

import voluptuous as vol

from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import selector

from ..const import (
    CONF_CONDITIONS,
    CONF_EQUIPMENT,
    CONF_SAFE_STATE,
    EQUIPMENT_HOUSE,
    EQUIPMENT_NOTHING,
    EQUIPMENT_SWITCHES,
)
from ..equipment import Conditions, SafeStep
from ..helpers import spelled_out
from ..house import HOUSE
from ..installs import Rehearsal, async_rehearse
from ..ota import OtaError
from .safe_state import SafeStateFlow
from .selectors import choice

_CONF_TRY: Final = "try_now"
_NONE: Final = "-"
_DETAILS: Final = ("unmet", "detail", "reason")
"""Facts of an error that say what to look at."""


class RehearsalFlow(SafeStateFlow):
    """The steps that only modules have."""

    _above: ClassVar[Mapping[vol.Marker, Any]] = {
        vol.Required(CONF_EQUIPMENT, default=EQUIPMENT_SWITCHES): choice(
            [EQUIPMENT_SWITCHES, EQUIPMENT_HOUSE, EQUIPMENT_NOTHING], CONF_EQUIPMENT
        )
    }
    _below: ClassVar[Mapping[vol.Marker, Any]] = {
        vol.Required(_CONF_TRY, default=False): selector.BooleanSelector()
    }
    _rehearsal: Rehearsal | None = None
    _waiting: asyncio.Task[None] | None = None

    @property
    def safe_state_menu(self) -> list[str]:
        """What the menu offers about the safe state."""
        if self._configured(self.config_entry.options):
            return ["safe_state", "safe_state_preset", "ask_try"]
        return ["safe_state_preset", "safe_state"]  # an example is easier to begin with

    def _configured(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the safe state that such options lead to."""
        equipment = options.get(CONF_EQUIPMENT)
        if equipment == EQUIPMENT_NOTHING:
            return {}
        of_house = equipment == EQUIPMENT_HOUSE
        source = self.hass.data[HOUSE].options if of_house else options
        configured: Mapping[str, Any] = source.get(CONF_SAFE_STATE, {})
        return configured

    @property
    @override
    def _relying(self) -> list[ConfigEntry]:
        return [self.config_entry]

    @override
    def _is_needed(self, said: Mapping[str, Any]) -> bool:
        return bool(said[CONF_EQUIPMENT] == EQUIPMENT_SWITCHES)

    @override
    async def _async_mistakes(
        self, said: dict[str, Any], placeholders: dict[str, str]
    ) -> dict[str, str]:
        mistakes = await super()._async_mistakes(said, placeholders)
        if said[CONF_EQUIPMENT] == EQUIPMENT_HOUSE and not self._configured(said):
            mistakes[CONF_EQUIPMENT] = "no_house_safe_state"
        return mistakes

    @override
    async def _async_take(self, said: dict[str, Any]) -> ConfigFlowResult:
        if said.pop(_CONF_TRY) and said[CONF_EQUIPMENT] != EQUIPMENT_NOTHING:
            return await self.async_step_try_safe_state()
        return await super()._async_take(said)

    @property
    def _tried(self) -> dict[str, Any]:
        """The options to be tried: those that are stored, or what was typed."""
        if (draft := self._draft) is None:
            return dict(self.config_entry.options)
        safe_state = {key: value for key, value in draft.items() if key != CONF_EQUIPMENT}
        return {CONF_EQUIPMENT: draft[CONF_EQUIPMENT], CONF_SAFE_STATE: safe_state}

    # The try

    async def async_step_ask_try(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask before anything moves."""
        if user_input is not None:
            return await self.async_step_try_safe_state()
        return self.async_show_form(
            step_id="ask_try",
            data_schema=vol.Schema({}),
            description_placeholders={"module": self.config_entry.title},
            last_step=False,
        )

    async def async_step_try_safe_state(
        self, _user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go through all steps of a safe state, and show which one runs."""
        if self._rehearsal is not None and self._rehearsal.is_done:
            return self.async_show_progress_done(next_step_id="tried")
        # However short it is, it is shown: the answer to this step belongs to no other.
        if self._rehearsal is None:
            if self.config_entry.state is not ConfigEntryState.LOADED:
                return self.async_abort(reason="not_loaded")
            try:
                self._rehearsal = async_rehearse(self.hass, self.config_entry, self._tried)
            except HomeAssistantError as err:
                return self.async_abort(reason=str(err.translation_key))
        rehearsal = self._rehearsal
        if self._waiting is None or self._waiting.done():
            # The flow cancels this task when its window is closed, which must not touch the try.
            self._waiting = self.hass.async_create_task(
                rehearsal.wait_to_leave(rehearsal.step), eager_start=False
            )
        return self.async_show_progress(
            step_id="try_safe_state",
            progress_action=rehearsal.step,
            description_placeholders={
                "module": self.config_entry.title,
                "waits_for": rehearsal.waits_for or _NONE,
            },
            progress_task=self._waiting,
        )

    async def async_step_tried(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show what became of each step; the form with the safe state comes next."""
        rehearsal = self._rehearsal
        if user_input is not None or rehearsal is None:
            self._rehearsal = None
            return await self.async_step_safe_state()
        placeholders = {"module": self.config_entry.title} | {
            step: _outcome(self.hass, rehearsal, step) for step in SafeStep
        }
        errors = {}
        for err in rehearsal.errors.values():  # the last one is of the restore
            errors["base"] = str(err.cause)
            placeholders |= spelled_out(self.hass, err.facts, module=self.config_entry.title)
        placeholders["assumed"] = await self._async_assumed()
        return self.async_show_form(
            step_id="tried",
            data_schema=vol.Schema({}),
            errors=errors,
            description_placeholders=placeholders,
            last_step=False,
        )

    async def _async_assumed(self) -> str:
        """Return the entities of the conditions that only repeat what they were told."""
        raw = self._configured(self._tried).get(CONF_CONDITIONS, [])
        try:
            conditions = await Conditions.load(self.hass, raw)
        except vol.Invalid, HomeAssistantError, ValueError:
            return _NONE  # the try has told so
        entities = conditions.assumed({"module": self.config_entry.title})
        conditions.unload()
        return ", ".join(entities) or _NONE

    @callback
    @override
    def async_remove(self) -> None:
        """End a try that nobody looks at any more; its restore is carried to the end."""
        if self._rehearsal is not None:
            self._rehearsal.cancel()


def _outcome(hass: HomeAssistant, rehearsal: Rehearsal, step: SafeStep) -> str:
    """Return how a step ended, in a cell of a table."""
    if (seconds := rehearsal.seconds.get(step)) is None:
        return _NONE
    if (err := rehearsal.errors.get(step)) is None:
        return f"✓ {seconds:.1f} s"
    return f"✗ {seconds:.1f} s {_detail(hass, err)}".strip()


def _detail(hass: HomeAssistant, err: OtaError) -> str:
    """Return what an error says beyond its cause, fit for a table."""
    facts = spelled_out(hass, err.facts)
    said = next((facts[key] for key in _DETAILS if facts.get(key)), "").removesuffix(".")
    return said.replace("|", "/").replace("\n", " ")
