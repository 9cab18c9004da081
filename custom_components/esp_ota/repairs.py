"""Repairs that a person can press Fix on."""

from typing import Any, override

from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow, RepairsFlowResult
from homeassistant.core import Context, HomeAssistant

from .house import HOUSE
from .installs import ModuleRuntime


class OfferAgain(ConfirmRepairFlow):
    """Lets an image that failed twice be offered once more."""

    @override
    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Forget the failures when the person confirms."""
        if user_input is not None and self.data is not None:
            await self.hass.data[HOUSE].journal.async_forget_offers(str(self.data["entry_id"]))
        return await super().async_step_confirm(user_input)


class InstallNow(ConfirmRepairFlow):
    """Begins what an interrupted or failed update calls for: the same again, or the way back.

    It is an install like any other: its card shows it, and how it ends is told as always.
    """

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
        entry = self.hass.config_entries.async_get_entry(str(self.data["entry_id"]))
        runtime = getattr(entry, "runtime_data", None)
        if not isinstance(runtime, ModuleRuntime):
            return "not_loaded"
        if runtime.installer.is_running:
            return "install_running"
        library = self.hass.data[HOUSE].library
        if (release := library.get(str(self.data["sha256"]))) is None:
            return "no_release"
        replaced = library.get(str(self.data.get("replaces", "")))
        user_id = self.context.get("user_id")
        context = Context(user_id=str(user_id) if user_id else None)
        runtime.installer.async_begin(release, context, instead_of=replaced)
        return None


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, Any] | None
) -> RepairsFlow:
    """Return the flow of an issue that says it is fixable."""
    return InstallNow() if data is not None and "sha256" in data else OfferAgain()
