"""Who may send firmware to a module, and move its equipment: the one rule for all doors.

A person needs the rights of an administrator: firmware is code that switches real things. Home
Assistant itself may, in whose name automations act, and so may whoever runs a script by one.
Forms and repairs are open to administrators only, says Home Assistant; buttons, cards and actions
are asked here, and actions besides by `async_register_admin_service`.
"""

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized, UnknownUser


async def async_raise_unless_may(hass: HomeAssistant, context: Context | None) -> None:
    """Raise Unauthorized for a person who may not, UnknownUser for one who is gone."""
    if context is None or context.user_id is None:
        return
    if (user := await hass.auth.async_get_user(context.user_id)) is None:
        raise UnknownUser(context=context)
    if not user.is_admin:
        raise Unauthorized(context=context)
