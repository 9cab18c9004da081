"""The try of a module's safe state, as the page asks for it and follows it.

It is what the form *Try the safe state now* does: all steps of it, and nothing is sent.
"""

import asyncio
from typing import Any

import voluptuous as vol

from homeassistant.components.websocket_api import async_register_command
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.decorators import require_admin, websocket_command
from homeassistant.components.websocket_api.messages import event_message
from homeassistant.core import HomeAssistant, callback

from ..helpers import async_sentence
from ..installs import ModuleRuntime, Rehearsal, async_rehearse


@callback
def async_register_try(hass: HomeAssistant) -> None:
    """Answer to a page that wants a safe state to be tried."""
    async_register_command(hass, try_safe_state)


@require_admin
@websocket_command(
    {vol.Required("type"): "esp_ota/module/try_safe_state", vol.Required("module"): str}
)
@callback
def try_safe_state(hass: HomeAssistant, connection: ActiveConnection, msg: dict[str, Any]) -> None:
    """Try it, and tell each step; who unsubscribes ends it, and all is put back.

    Raises HomeAssistantError while an update runs, and where there is nothing to try.
    """
    entry = hass.config_entries.async_get_entry(msg["module"])
    if entry is None or not isinstance(getattr(entry, "runtime_data", None), ModuleRuntime):
        connection.send_error(msg["id"], "not_found", "There is no such module, or not now.")
        return
    rehearsal = async_rehearse(hass, entry, entry.options)

    def tell(sentence: str | None = None) -> None:
        told = {
            "step": rehearsal.step,
            "seconds": {step: round(took, 1) for step, took in rehearsal.seconds.items()},
            "waits_for": rehearsal.waits_for,
            "done": rehearsal.is_done,
            "sentence": sentence,
        }
        connection.send_message(event_message(msg["id"], told))

    async def follow() -> None:
        while not rehearsal.is_done:
            tell()
            await rehearsal.wait_to_leave(rehearsal.step)
        tell(await _async_sentence(hass, rehearsal, entry.title))

    following: asyncio.Task[None] = hass.async_create_background_task(
        follow(), "ESP OTA page follows a try", eager_start=False
    )

    @callback
    def stop() -> None:
        following.cancel()
        if not rehearsal.is_done:
            rehearsal.cancel()

    connection.subscriptions[msg["id"]] = stop
    connection.send_result(msg["id"])


async def _async_sentence(hass: HomeAssistant, rehearsal: Rehearsal, module: str) -> str | None:
    """Return what went wrong, None for nothing; an equipment that is not restored comes last."""
    errors = list(rehearsal.errors.values())
    if not errors:
        return None
    return await async_sentence(hass, errors[-1].cause, errors[-1].facts, module=module)
