"""The house's options: add firmware, look at and remove releases, signing keys, limits."""

from typing import Any, Final

import voluptuous as vol

from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers import selector

from ..const import (
    CONF_CALLBACK_PORT,
    CONF_KEEP,
    CONF_KEYS,
    CONF_PARALLEL,
    CONF_PULL_ADDRESS,
    CONF_REMOTE_POLLS,
    CONF_STAGGER,
    CONF_STAGGER_LABELS,
    DEFAULT_KEEP,
    DEFAULT_PARALLEL,
    STAGGER_AREA,
    STAGGER_LABEL,
    STAGGER_MODULE,
)
from ..helpers import spelled_out
from ..house import HOUSE, House
from ..installs import Use, async_uses
from ..library import SIGNATURE_LIMIT, Release, ReleaseName
from ..ota import (
    MAX_FILE_SIZE,
    Cause,
    Chip,
    ImageKind,
    LibraryError,
    OtaError,
    SignatureError,
    as_text,
    read_public_key,
)
from .outliving import OutlivingFlow
from .selectors import choice, whole_number
from .waiting import WaitingFlow

_CONF_FILE: Final = "file"
_CONF_NAME: Final = "name"
_CONF_VERSION: Final = "version"
_CONF_NOTES: Final = "notes"
_CONF_CHIP: Final = "chip"
_CONF_RELEASES: Final = "releases"
_CONF_FIRMWARE: Final = "firmware"
_CONF_KEY: Final = "key"
_CONF_REMOVE_KEY: Final = "remove_key"
SOURCE: Final = "upload"
_SIGNATURE: Final = ".minisig"
_NOTHING: Final = "-"
_LONG_TEXT: Final = selector.TextSelector(selector.TextSelectorConfig(multiline=True))
_UPLOAD: Final = vol.Schema(
    {
        vol.Required(_CONF_FILE): selector.FileSelector(
            selector.FileSelectorConfig(accept=".bin,.gz,.minisig,application/octet-stream")
        ),
        vol.Optional(_CONF_NAME): selector.TextSelector(),
        vol.Optional(_CONF_VERSION): selector.TextSelector(),
        vol.Optional(_CONF_NOTES): _LONG_TEXT,
        vol.Optional(_CONF_CHIP): selector.SelectSelector(
            selector.SelectSelectorConfig(
                options=[*Chip],
                translation_key="chip",
                mode=selector.SelectSelectorMode.DROPDOWN,
            )
        ),
    }
)


class _UploadMissingError(Exception):
    """Home Assistant has no such upload, or not any more."""


class _SignatureAloneError(Exception):
    """A signature was chosen before the image it is for."""


class HouseOptionsFlow(OutlivingFlow, WaitingFlow):
    """Forms behind a menu; changed options reload the house's entry."""

    _upload: tuple[str, str, bytes] | None = None
    """Id, name and bytes: an upload is read once, but its form may be sent again."""

    def __init__(self) -> None:
        """Nothing was added yet."""
        self._added: dict[str, Release] = {}
        """What this dialog has added, by file name."""
        self._last: tuple[Release, bool] | None = None
        """The last of them, and whether the library had it before."""

    @property
    def _house(self) -> House:
        return self.hass.data[HOUSE]

    async def async_step_init(self, _user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the menu."""
        menu = ["upload", "remove", "signatures", "limits", "house_waiting", "secret"]
        menu.append("house_safe_state")
        return self.async_show_menu(step_id="init", menu_options=menu)

    async def async_step_upload(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Add firmware files to the library, one after the other: a file field takes one."""
        errors: dict[str, str] = {}
        placeholders = {"folder": str(self._house.folder.path), "detail": ""}
        said = {key: value for key, value in (user_input or {}).items() if key != _CONF_FILE}
        if user_input is not None:
            try:
                await self._async_add(user_input)
            except _UploadMissingError:
                errors[_CONF_FILE] = "upload_missing"
            except _SignatureAloneError:
                errors[_CONF_FILE] = "signature_alone"
            except OtaError as err:
                errors["base"] = str(err.cause)
                placeholders |= spelled_out(self.hass, err.facts)
            else:
                return self._show_added()
        return self.async_show_form(
            step_id="upload",
            data_schema=self.add_suggested_values_to_schema(_UPLOAD, said),
            errors=errors,
            description_placeholders=placeholders,
        )

    def _show_added(self) -> ConfigFlowResult:
        """Say what became of the file, and ask whether there is another one."""
        assert self._last is not None
        release, was_known = self._last
        offered = [
            use.module
            for use in async_uses(self._house)
            if (use.firmware, use.offered) == (release.firmware, release.version)
        ]
        return self.async_show_menu(
            step_id="known" if was_known else "added",
            menu_options=["upload", "close"],
            description_placeholders={
                "release": as_text(label(release)),
                "offered": as_text(", ".join(offered)) or _NOTHING,
            },
        )

    async def async_step_added(self, _user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show it once more."""
        return self._show_added()

    async_step_known = async_step_added

    async def async_step_close(self, _user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """End the dialog; what was added is there already."""
        return self.async_create_entry(data=dict(self.config_entry.options))

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
        """Take the uploaded file; raises OtaError or what the form has a word for."""
        file_name, data = await self._async_read(user_input[_CONF_FILE])
        library = self._house.library
        if file_name.endswith(_SIGNATURE):
            signed = file_name.removesuffix(_SIGNATURE)
            if (known := self._added.get(signed)) is None:
                raise _SignatureAloneError
            text = data[:SIGNATURE_LIMIT].decode("utf-8", "replace")
            self._added[signed] = await library.async_sign(known, text)
            self._last = self._added[signed], False
            return
        chip = user_input.get(_CONF_CHIP)
        name = ReleaseName(
            file_name=file_name,
            firmware=user_input.get(_CONF_NAME),
            version=user_input.get(_CONF_VERSION),
            chip=Chip(chip) if chip else None,
        )
        notes = user_input.get(_CONF_NOTES)
        before = {item.image.sha256 for item in library.releases}
        release = await library.async_add(data, name, source=SOURCE, notes=notes)
        self._added[file_name] = release
        self._last = release, release.image.sha256 in before

    async def async_step_remove(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show what modules run and could run, and remove releases from the library."""
        library = self._house.library
        errors: dict[str, str] = {}
        placeholders = {"modules": _table(async_uses(self._house))}
        if user_input is not None:
            try:
                await library.async_remove(*user_input.get(_CONF_RELEASES, []))
            except LibraryError as err:
                errors["base"] = str(err.cause)
                placeholders |= spelled_out(self.hass, err.facts)
            else:
                return self.async_create_entry(data=dict(self.config_entry.options))
        choices = [
            selector.SelectOptionDict(value=item.image.sha256, label=label(item))
            for firmware in library.firmwares
            for item in reversed(library.releases)
            if item.firmware == firmware
        ]
        schema = vol.Schema(
            {
                vol.Optional(_CONF_RELEASES): selector.SelectSelector(
                    selector.SelectSelectorConfig(options=choices, multiple=True)
                )
            }
        )
        return self.async_show_form(
            step_id="remove",
            data_schema=schema,
            errors=errors,
            description_placeholders=placeholders,
        )

    async def async_step_signatures(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say by which key a firmware must be signed, or that it need not be any more."""
        errors: dict[str, str] = {}
        keys = dict(self.config_entry.options.get(CONF_KEYS, {}))
        if user_input is not None:
            firmware, key = user_input[_CONF_FIRMWARE], user_input.get(_CONF_KEY, "").strip()
            if user_input[_CONF_REMOVE_KEY]:
                keys.pop(firmware, None)
            elif _is_public_key(key):
                keys[firmware] = key
            else:
                errors[_CONF_KEY] = "invalid_key"
            if not errors:
                options = dict(self.config_entry.options) | {CONF_KEYS: keys}
                return self.async_create_entry(data=options)
        firmwares = sorted({*self._house.library.firmwares, *keys})
        schema = vol.Schema(
            {
                vol.Required(_CONF_FIRMWARE): selector.SelectSelector(
                    selector.SelectSelectorConfig(options=firmwares, custom_value=True)
                ),
                vol.Optional(_CONF_KEY): _LONG_TEXT,
                vol.Required(_CONF_REMOVE_KEY, default=False): selector.BooleanSelector(),
            }
        )
        return self.async_show_form(
            step_id="signatures",
            data_schema=self.add_suggested_values_to_schema(schema, user_input or {}),
            errors=errors,
            description_placeholders={"firmwares": as_text(", ".join(sorted(keys))) or _NOTHING},
        )

    async def async_step_limits(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Set how many installs run at once and beside whom, and what else bounds them."""
        if user_input is not None:
            options = dict(self.config_entry.options)
            for key in (CONF_PULL_ADDRESS, CONF_STAGGER_LABELS):
                options.pop(key, None)  # an emptied field is not sent
            return self.async_create_entry(data=options | user_input)
        schema = vol.Schema(
            {
                vol.Required(CONF_PARALLEL, default=DEFAULT_PARALLEL): whole_number(1, 10),
                vol.Required(CONF_STAGGER, default=STAGGER_AREA): choice(
                    [STAGGER_AREA, STAGGER_LABEL, STAGGER_MODULE], CONF_STAGGER
                ),
                vol.Optional(CONF_STAGGER_LABELS): selector.LabelSelector(
                    selector.LabelSelectorConfig(multiple=True)
                ),
                vol.Required(CONF_CALLBACK_PORT, default=0): whole_number(0, 65535),
                vol.Required(CONF_KEEP, default=DEFAULT_KEEP): whole_number(1, 100),
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


def label(release: Release) -> str:
    """Return a release as people read it in a list."""
    kind = "" if release.image.kind is ImageKind.SKETCH else release.image.filesystem or "files"
    what = ", ".join(filter(None, (release.chip, kind)))
    return f"{release.firmware} {release.version} ({what})"


def _is_public_key(text: str) -> bool:
    try:
        read_public_key(text)
    except SignatureError:
        return False
    return True


def _table(uses: list[Use]) -> str:
    """Return the rows of a Markdown table, one module each."""
    rows = [
        (use.module, use.runs, use.offered, ", ".join(use.could_run), use.rolls_back_to)
        for use in uses
    ]
    return "\n".join(
        "| " + " | ".join((as_text(cell) if cell else _NOTHING) for cell in row) + " |"
        for row in rows or [("",) * 5]
    )
