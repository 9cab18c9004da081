"""The actions: firmware added and removed, updates begun, cancelled, moved or rolled back."""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import voluptuous as vol

from homeassistant.components.update import DOMAIN as UPDATE_DOMAIN
from homeassistant.core import (
    HassJob,
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import async_get_platforms
from homeassistant.helpers.service import async_register_admin_service, entity_service_call
from homeassistant.helpers.typing import VolDictType

from .const import CHANNEL_BETA, CHANNEL_STABLE, DOMAIN, TRANSPORTS
from .guests import Guests, async_act_on_guests, async_register_guest_actions
from .helpers import async_error_for_file
from .house import HOUSE
from .library import Library, Release, ReleaseName, async_download, read_firmware
from .ota import Cause, Chip, ImageKind, LibraryError, Listed, OtaError
from .rollouts import async_register_rollout_actions

SOURCE: Final = "action"

_WHAT: Final = {
    vol.Optional("chip"): vol.In([*Chip]),
    vol.Optional("kind"): vol.In([*ImageKind]),
}
_SHA256: Final = vol.All(cv.string, vol.Lower, cv.matches_regex(r"^[0-9a-f]{64}$"))
_ADD: Final = vol.All(
    vol.Schema(
        {
            vol.Exclusive("path", "where"): cv.string,
            vol.Exclusive("url", "where"): cv.url,
            vol.Optional("firmware"): cv.string,
            vol.Optional("version"): cv.string,
            vol.Optional("notes"): cv.string,
            vol.Optional("sha256"): _SHA256,
            vol.Optional("signature"): cv.string,
            vol.Optional("prerelease"): cv.boolean,
        }
        | _WHAT
    ),
    cv.has_at_least_one_key("path", "url"),
)
_REMOVE: Final = vol.Any(
    vol.Schema({vol.Required("sha256"): _SHA256}),
    vol.Schema({vol.Required("firmware"): cv.string, vol.Required("version"): cv.string} | _WHAT),
)


@callback
def async_register_actions(hass: HomeAssistant) -> None:
    """Register the actions, for administrators: firmware switches equipment."""
    async_register_admin_service(
        hass, DOMAIN, "add_firmware", _async_add, _ADD, SupportsResponse.OPTIONAL
    )
    async_register_admin_service(
        hass, DOMAIN, "remove_firmware", _async_remove, _REMOVE, SupportsResponse.OPTIONAL
    )
    _async_register_on_cards(
        hass,
        "cancel",
        "async_cancel_install",
        on_guest=lambda guests, key: guests.async_cancel(key),
    )
    _async_register_on_cards(hass, "rollback", "async_roll_back")
    fields: VolDictType = {
        vol.Optional("version"): cv.string,
        vol.Optional("now", default=False): cv.boolean,
        vol.Optional("transport"): vol.In([*TRANSPORTS]),
    }
    _async_register_on_cards(hass, "install", "async_install_now", fields)
    place: VolDictType = {vol.Required("place"): vol.All(vol.Coerce(int), vol.Range(min=1))}
    _async_register_on_cards(
        hass, "move_in_queue", "async_move_in_queue", place, on_guest=Guests.async_move
    )
    async_register_guest_actions(hass)
    text = vol.Any(None, cv.string)
    _async_register_on_cards(hass, "pin", "async_pin", {vol.Optional("version"): text})
    until = vol.Any(None, "", cv.datetime)
    _async_register_on_cards(hass, "hold", "async_hold", {vol.Optional("until"): until})
    channel: VolDictType = {vol.Required("channel"): vol.In([CHANNEL_STABLE, CHANNEL_BETA])}
    _async_register_on_cards(hass, "set_channel", "async_set_channel", channel)
    async_register_rollout_actions(hass)


@callback
def _async_register_on_cards(
    hass: HomeAssistant,
    name: str,
    method: str,
    fields: VolDictType | None = None,
    *,
    on_guest: Callable[..., Awaitable[None]] | None = None,
) -> None:
    """Register an action on modules' cards, which raises when it reaches none.

    `on_guest` does the same with a guest, by its key and the fields.
    Home Assistant itself passes over a target that has no card in it, without a word.
    """

    async def act(call: ServiceCall) -> None:
        reached: set[str | None] = set()
        said = {str(key): call.data[str(key)] for key in fields or {} if str(key) in call.data}

        async def act_on(card: Entity, _call: ServiceCall) -> None:
            entry = card.platform.config_entry
            module = entry.entry_id if entry else None
            if module not in reached:  # one that has two cards is asked once
                reached.add(module)
                await getattr(card, method)(**said)

        if on_guest is not None:
            count, rest = await async_act_on_guests(hass, call.data, partial(on_guest, **said))
            if count:
                reached.add(None)
            call = ServiceCall(hass, call.domain, call.service, rest, call.context)
        await entity_service_call(hass, partial(_cards, hass), HassJob(act_on), call)
        if not reached:
            raise ServiceValidationError(
                translation_domain=DOMAIN, translation_key="nothing_reached"
            )

    async_register_admin_service(hass, DOMAIN, name, act, cv.make_entity_service_schema(fields))


def _cards(hass: HomeAssistant) -> dict[str, Entity]:
    """Return the update cards of all modules (entity id)."""
    return {
        entity_id: card
        for platform in async_get_platforms(hass, DOMAIN)
        if platform.domain == UPDATE_DOMAIN
        for entity_id, card in platform.entities.items()
    }


async def _async_add(call: ServiceCall) -> ServiceResponse:
    """Add one release and answer its facts."""
    hass = call.hass
    where = str(call.data.get("path") or call.data.get("url"))
    try:
        if "path" in call.data:
            data, name = await hass.async_add_executor_job(_read, hass, Path(where), call.data)
        else:
            name = ReleaseName.stated(
                where.partition("?")[0].rpartition("/")[2],
                call.data,
                signature=call.data.get("signature"),
            )
            sha256 = call.data.get("sha256")
            listed = Listed(url=where, file_name=name.file_name, key=where, sha256=sha256)
            data = await async_download(hass, listed)
        release = await hass.data[HOUSE].library.async_add(data, name, source=SOURCE)
    except OtaError as err:
        raise await async_error_for_file(hass, where, err) from err
    return release.facts()


def _read(hass: HomeAssistant, path: Path, said: dict[str, Any]) -> tuple[bytes, ReleaseName]:
    """Return a file that may be read from outside, and its name (executor)."""
    own = Path(hass.config.path(DOMAIN)).resolve()
    if not path.resolve().is_relative_to(own) and not hass.config.is_allowed_path(str(path)):
        raise LibraryError(Cause.PATH_NOT_ALLOWED, folder=own)
    try:
        found = read_firmware(path)
    except OSError as err:
        raise LibraryError(Cause.UNREADABLE_FILE, detail=err.strerror or err) from err
    if (wanted := said.get("sha256")) and wanted != found.sha256:
        raise LibraryError(Cause.CHECKSUM_MISMATCH, algorithm="SHA-256")
    stated = ReleaseName.stated(path.name, said, signature=said.get("signature"))
    return found.data, stated.over(found.name)


async def _async_remove(call: ServiceCall) -> ServiceResponse:
    """Remove all releases that fit, or none; answer their facts."""
    library = call.hass.data[HOUSE].library
    releases = _chosen(library, call.data)
    if not releases:
        said = " ".join(str(value) for value in call.data.values())
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="release_unknown",
            translation_placeholders={"release": said},
        )
    try:
        await library.async_remove(*(item.image.sha256 for item in releases))
    except LibraryError as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key=str(err.cause),
            translation_placeholders=err.facts,
        ) from err
    return {"removed": [item.facts() for item in releases]}


def _chosen(library: Library, said: dict[str, Any]) -> list[Release]:
    if "sha256" in said:
        known = library.get(said["sha256"])
        return [known] if known else []
    found = [
        item
        for item in library.find(said["firmware"], said["version"])
        if said.get("chip") in {None, item.chip} and said.get("kind") in {None, item.image.kind}
    ]
    return [item for item in found if item.version == said["version"]] or found
