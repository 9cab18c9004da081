"""The one place where an outcome of `ota/` becomes an error Home Assistant can translate."""

from homeassistant.exceptions import HomeAssistantError

from .const import DOMAIN
from .ota import Cause, InstallResult


def error_for(cause: Cause, facts: dict[str, str], *, module: str) -> HomeAssistantError:
    """Return the translated error of a cause."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=str(cause),
        translation_placeholders={"module": module} | facts,
    )


def raise_for_result(result: InstallResult, *, module: str) -> None:
    """Raise unless the caller may carry on: a good verdict, and the equipment restored."""
    if not result.verdict.is_success:
        raise error_for(result.cause or Cause.INTERNAL, result.facts, module=module)
    if result.restore_error is not None:
        raise error_for(result.restore_error, result.restore_facts, module=module)
