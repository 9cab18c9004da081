"""The house's options: add firmware, remove releases, limits."""

from typing import Any, Final

import voluptuous as vol

from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers import selector

from .const import (
    CONF_CALLBACK_PORT,
    CONF_PARALLEL,
    CONF_PULL_ADDRESS,
    CONF_REMOTE_POLLS,
    DEFAULT_PARALLEL,
)
from .house import HOUSE, House
from .ota import MAX_FILE_SIZE, Cause, LibraryError, OtaError
from .release_name import ReleaseName
from .safe_state_flow import HouseSafeStateFlow

_CONF_FILE: Final = "file"
_CONF_NAME: Final = "name"
_CONF_VERSION: Final = "version"
_CONF_NOTES: Final = "notes"
_CONF_RELEASES: Final = "releases"
SOURCE: Final = "upload"


def _number(minimum: int, maximum: int) -> vol.All:
    return vol.All(
        selector.NumberSelector(
            selector.NumberSelectorConfig(
                min=minimum, max=maximum, step=1, mode=selector.NumberSelectorMode.BOX
            )
        ),
        vol.Coerce(int),
    )


class _UploadMissingError(Exception):
    """Home Assistant has no such upload, or not any more."""


class HouseOptionsFlow(HouseSafeStateFlow):
    """Three forms behind a menu; changed limits reload the house's entry."""

    _upload: tuple[str, str, bytes] | None = None
    """Id, name and bytes: an upload is read once, but its form may be sent again."""

    @property
    def _house(self) -> House:
        return self.hass.data[HOUSE]

    async def async_step_init(self, _user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the menu."""
        return self.async_show_menu(
            step_id="init", menu_options=["upload", "remove", "limits", "house_safe_state"]
        )

    async def async_step_upload(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Add one firmware file to the library."""
        errors: dict[str, str] = {}
        placeholders = {"folder": str(self._house.folder.path), "detail": ""}
        if user_input is not None:
            try:
                await self._async_add(user_input)
            except _UploadMissingError:
                errors[_CONF_FILE] = "upload_missing"
            except OtaError as err:
                errors["base"] = str(err.cause)
                placeholders |= err.facts
            else:
                return self.async_create_entry(data=dict(self.config_entry.options))
        text = selector.TextSelector()
        schema = vol.Schema(
            {
                vol.Required(_CONF_FILE): selector.FileSelector(
                    selector.FileSelectorConfig(accept=".bin,.gz,application/octet-stream")
                ),
                vol.Optional(_CONF_NAME): text,
                vol.Optional(_CONF_VERSION): text,
                vol.Optional(_CONF_NOTES): selector.TextSelector(
                    selector.TextSelectorConfig(multiline=True)
                ),
            }
        )
        said = {key: value for key, value in (user_input or {}).items() if key != _CONF_FILE}
        return self.async_show_form(
            step_id="upload",
            data_schema=self.add_suggested_values_to_schema(schema, said),
            errors=errors,
            description_placeholders=placeholders,
        )

    async def _async_read(self, file_id: str) -> tuple[str, bytes]:
        """Return name and bytes of an upload; raises _UploadMissingError or OtaError."""

        def read() -> tuple[str, bytes]:
            with process_uploaded_file(self.hass, file_id) as path:
                if (size := path.stat().st_size) > MAX_FILE_SIZE:
                    raise LibraryError(Cause.OVERSIZED_FILE, size=size, limit=MAX_FILE_SIZE)
                return path.name, path.read_bytes()

        if self._upload is None or self._upload[0] != file_id:
            try:
                self._upload = file_id, *await self.hass.async_add_executor_job(read)
            except ValueError as err:
                raise _UploadMissingError from err
        return self._upload[1:]

    async def _async_add(self, user_input: dict[str, Any]) -> None:
        """Take the uploaded file; raises _UploadMissingError or OtaError."""
        file_name, data = await self._async_read(user_input[_CONF_FILE])
        name = ReleaseName(
            file_name=file_name,
            firmware=user_input.get(_CONF_NAME),
            version=user_input.get(_CONF_VERSION),
        )
        notes = user_input.get(_CONF_NOTES)
        await self._house.library.async_add(data, name, source=SOURCE, notes=notes)

    async def async_step_remove(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Remove releases from the library."""
        library = self._house.library
        if user_input is not None:
            for sha256 in user_input.get(_CONF_RELEASES, []):
                await library.async_remove(sha256)
            return self.async_create_entry(data=dict(self.config_entry.options))
        choices = [
            selector.SelectOptionDict(
                value=item.image.sha256,
                label=f"{item.firmware} {item.version} ({item.image.chip or item.image.kind})",
            )
            for item in reversed(library.releases)
        ]
        schema = vol.Schema(
            {
                vol.Optional(_CONF_RELEASES): selector.SelectSelector(
                    selector.SelectSelectorConfig(options=choices, multiple=True)
                )
            }
        )
        return self.async_show_form(step_id="remove", data_schema=schema)

    async def async_step_limits(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Set how many installs run at once, and where modules call back."""
        if user_input is not None:
            options = dict(self.config_entry.options)
            options.pop(CONF_PULL_ADDRESS, None)  # an emptied field is not sent
            return self.async_create_entry(data=options | user_input)
        schema = vol.Schema(
            {
                vol.Required(CONF_PARALLEL, default=DEFAULT_PARALLEL): _number(1, 10),
                vol.Required(CONF_CALLBACK_PORT, default=0): _number(0, 65535),
                vol.Optional(CONF_PULL_ADDRESS): selector.TextSelector(
                    selector.TextSelectorConfig(type=selector.TextSelectorType.URL)
                ),
                vol.Required(CONF_REMOTE_POLLS, default=False): selector.BooleanSelector(),
            }
        )
        return self.async_show_form(
            step_id="limits",
            data_schema=self.add_suggested_values_to_schema(schema, self.config_entry.options),
        )
