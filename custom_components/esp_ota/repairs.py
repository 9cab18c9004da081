"""Repairs that a person can press Fix on."""

from typing import Any, override

from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow, RepairsFlowResult
from homeassistant.core import HomeAssistant

from .house import HOUSE


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


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, Any] | None
) -> RepairsFlow:
    """Return the flow of an issue that says it is fixable."""
    return OfferAgain()
