"""Repairs that a person can press Fix on."""

from typing import Any, override

from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow, RepairsFlowResult
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .guests import GUESTS, Guest
from .house import HOUSE
from .installs import ModuleRuntime
from .issues import (
    GUEST_TRIED_TWICE,
    MODULE_MOVED,
    MODULE_RENAMED,
    OFFERED_TWICE,
    SET_ASIDE,
    SOURCE_NAMES,
)
from .ota import Address
from .owners import is_guest


class InstallNow(ConfirmRepairFlow):
    """Begins what an interrupted or failed update calls for: the same again, or the way back.

    It is an install like any other: its card shows it, and how it ends is told as always.
    """

    def __init__(self, *, once_more: bool) -> None:
        """`once_more` sends what failed twice, which nobody else does."""
        super().__init__()
        self._once_more = once_more

    @override
    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Begin when the person confirms; whoever waits here would wait for minutes."""
        if user_input is not None and (reason := self._begin()) is not None:
            return self.async_abort(reason=reason)
        return await super().async_step_confirm(user_input)

    def _begin(self) -> str | None:
        """Return why it cannot begin."""
        assert self.data is not None
        user_id = self.context.get("user_id")
        context = Context(user_id=str(user_id) if user_id else None)
        if is_guest(key := str(self.data["entry_id"])):
            return self._begin_guest(key, context)
        entry = self.hass.config_entries.async_get_entry(key)
        runtime = getattr(entry, "runtime_data", None)
        if not isinstance(runtime, ModuleRuntime):
            return "not_loaded"
        if runtime.installer.is_running:
            return "install_running"
        library, journal = self.hass.data[HOUSE].library, self.hass.data[HOUSE].journal
        # A repair of release 0.1.0 does not say which image it is about; the journal does.
        failure = journal.failure(key)
        sha256 = self.data.get("sha256") or (failure["sha256"] if failure else "")
        if (release := library.get(str(sha256))) is None:
            return "no_release"
        replaced = library.get(str(self.data.get("replaces", "")))
        runtime.installer.async_begin(
            release, context, instead_of=replaced, once_more=self._once_more
        )
        return None

    def _begin_guest(self, key: str, context: Context) -> str | None:
        assert self.data is not None
        answer = self.data.get("answer")
        guest = Guest(self.hass, key, answer=str(answer) if answer else None)
        if not guest.state().is_there:
            return "not_loaded"
        try:
            self.hass.data[GUESTS].async_begin(
                guest, str(self.data["sha256"]), context, once_more=self._once_more
            )
        except HomeAssistantError:
            return "install_running"
        return None


class GiveNames(ConfirmRepairFlow):
    """Lets a source publish names of firmware that it lists."""

    @override
    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Give them when the person confirms."""
        if user_input is not None:
            assert self.data is not None
            source = self.hass.data[HOUSE].sources.get(str(self.data["subentry_id"]))
            if source is None:
                return self.async_abort(reason="no_source")
            await source.async_give(str(self.data["names"]).split("\n"))
        return await super().async_step_confirm(user_input)


class ItMoved(RepairsFlow):
    """Asks whether a module is at the address where something says to be it."""

    async def async_step_init(self, _user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ask."""
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        return self.async_show_menu(
            step_id="init",
            menu_options=["moved", "stays"],
            description_placeholders=issue.translation_placeholders if issue else None,
        )

    async def async_step_moved(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Follow it."""
        return self._told(moved=True)

    async def async_step_stays(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Believe that other one no more, until the next start."""
        return self._told(moved=False)

    def _told(self, *, moved: bool) -> RepairsFlowResult:
        assert self.data is not None
        entry = self.hass.config_entries.async_get_entry(str(self.data["entry_id"]))
        runtime = getattr(entry, "runtime_data", None)
        if not isinstance(runtime, ModuleRuntime):
            return self.async_abort(reason="not_loaded")
        runtime.coordinator.whereabouts.moves.async_told(str(self.data["host"]), moved=moved)
        return self.async_create_entry(data={})


class ItIsRenamed(RepairsFlow):
    """Asks whether a module announces itself under another name now."""

    async def async_step_init(self, _user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ask."""
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        return self.async_show_menu(
            step_id="init",
            menu_options=["renamed", "stays"],
            description_placeholders=issue.translation_placeholders if issue else None,
        )

    async def async_step_renamed(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Follow it."""
        return self._told(renamed=True)

    async def async_step_stays(
        self, _user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Believe that other one no more, until the next start."""
        return self._told(renamed=False)

    def _told(self, *, renamed: bool) -> RepairsFlowResult:
        assert self.data is not None
        entry = self.hass.config_entries.async_get_entry(str(self.data["entry_id"]))
        runtime = getattr(entry, "runtime_data", None)
        if not isinstance(runtime, ModuleRuntime):
            return self.async_abort(reason="not_loaded")
        there = Address(str(self.data["host"]), int(str(self.data["port"])))
        name = str(self.data["service_name"])
        runtime.coordinator.names.async_told(name, there, renamed=renamed)
        return self.async_create_entry(data={})


async def async_create_fix_flow(
    hass: HomeAssistant,
    issue_id: str,
    data: dict[str, Any] | None,
) -> RepairsFlow:
    """Return the flow of an issue that says it is fixable."""
    if issue_id.endswith(SET_ASIDE):
        return ConfirmRepairFlow()
    if issue_id.startswith(SOURCE_NAMES):
        return GiveNames()
    if issue_id.startswith(MODULE_MOVED):
        return ItMoved()
    if issue_id.startswith(MODULE_RENAMED):
        return ItIsRenamed()
    return InstallNow(once_more=issue_id.startswith((OFFERED_TWICE, GUEST_TRIED_TWICE)))
