"""Where firmware is left: `POST /api/esp_ota/firmware`, by build machines and from the page.

With the field `look` it is only looked at: the answer says what it would be, and nothing is kept.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from homeassistant.components.http.const import KEY_HASS_USER
from homeassistant.core import HomeAssistant
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView

from ..const import LOGGER
from ..helpers import async_file_sentence
from ..house import HOUSE
from ..installs import async_uses
from ..library import SIGNATURE_LIMIT, IncomingFile, Library, ReleaseName
from ..ota import MAX_FILE_SIZE, Cause, Detail, LibraryError, OtaError, one_line

SOURCE: Final = "build"
PERSON: Final = "upload"
"""What the page says of itself in the field `source`: somebody sits before it."""
UPLOAD_PATH: Final = "/api/esp_ota/firmware"

_FIELD_LIMITS: Final = {
    "firmware": 256,
    "version": 256,
    "chip": 64,
    "kind": 64,
    "sha256": 128,
    "notes": 64 * 1024,
    "signature": SIGNATURE_LIMIT,
    "look": 8,
    "prerelease": 8,
    "source": 8,
}
"""The fields besides the file, with the bytes each may have."""
_OVERHEAD: Final = 256 * 1024
"""What a form may have besides the bytes of its file."""
_CHUNK: Final = 64 * 1024
_STATUS: Final = {
    Cause.FILE_MISSING: HTTPStatus.BAD_REQUEST,
    Cause.FIELD_INVALID: HTTPStatus.BAD_REQUEST,
    Cause.DOWNLOAD_BROKEN: HTTPStatus.BAD_REQUEST,
    Cause.OVERSIZED_FILE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Cause.RELEASE_CONFLICT: HTTPStatus.CONFLICT,
    Cause.NOT_STORED: HTTPStatus.INSUFFICIENT_STORAGE,
}
"""The other causes are about the content: 422."""


class UploadView(HomeAssistantView):
    """Takes a form as `curl -F` sends it, or the bare bytes with the fields in the address."""

    url = UPLOAD_PATH
    name = "api:esp_ota:firmware"

    async def post(self, request: web.Request) -> web.Response:
        """Add one file; answer its facts, or why not."""
        if not request[KEY_HASS_USER].is_admin:
            # Firmware is code that runs on other machines. No exception: that would count as a
            # failed login and may lock the build machine out.
            text = "Only the token of an administrator may add firmware."
            return self.json({"error": "not_admin", "message": text}, HTTPStatus.FORBIDDEN)
        hass = request.app[KEY_HASS]
        upload = _Upload(request, hass)
        try:
            async with IncomingFile(hass) as file:
                await upload.async_receive(file)
                return await self._async_add(hass, upload, file)
        except OtaError as err:
            name = one_line(upload.file_name)
            if not upload.fields.get("look"):
                LOGGER.info("%s from a build machine is not usable: %s", name, err)
            status = _STATUS.get(err.cause, HTTPStatus.UNPROCESSABLE_ENTITY)
            message = await async_file_sentence(hass, err)
            answer = {"error": err.cause, "message": message, "file": upload.file_name}
            return self.json(answer, status)

    async def _async_add(
        self, hass: HomeAssistant, upload: _Upload, file: IncomingFile
    ) -> web.Response:
        house = hass.data[HOUSE]
        name = upload.name
        data = await file.async_read()
        wanted = upload.fields.get("sha256", "").strip().lower()
        if wanted and wanted != file.sha256:
            raise LibraryError(Cause.CHECKSUM_MISMATCH, algorithm="SHA-256")
        if upload.fields.get("look"):
            return self.json(await _async_look(hass, house.library, data, name))
        is_new = house.library.get(file.sha256) is None
        source = PERSON if upload.fields.get("source") == PERSON else SOURCE
        release = await house.library.async_add(data, name, source=source)
        offered = [
            use.module
            for use in async_uses(house)
            if (use.firmware, use.offered) == (release.firmware, release.version)
        ]
        facts = release.facts() | {"new": is_new, "offered_to": offered}
        return self.json(facts, HTTPStatus.CREATED if is_new else HTTPStatus.OK)


async def _async_look(
    hass: HomeAssistant, library: Library, data: bytes, name: ReleaseName
) -> dict[str, Any]:
    """Return what a file would be, and what is against it."""
    look = await library.async_look(data, name)
    image, problem = look.image, look.problem
    facts: dict[str, Any] = {"chip": image.chip, "kind": image.kind, "size": image.size}
    if look.release is not None:
        facts = look.release.facts()
    told = (
        {"error": problem.cause, "message": await async_file_sentence(hass, problem)}
        if problem
        else {}
    )
    return facts | {"new": look.is_new, "kept": False} | told


class _Upload:
    """One request: a file and what is said about it."""

    def __init__(self, request: web.Request, hass: HomeAssistant) -> None:
        self._request = request
        self._hass = hass
        self.file_name = ""
        self.fields: dict[str, str] = {}

    @property
    def name(self) -> ReleaseName:
        """What was said; raises LibraryError for what cannot be used."""
        signature = self.fields.get("signature") or None
        return ReleaseName.stated(self.file_name, self.fields, signature=signature)

    async def async_receive(self, file: IncomingFile) -> None:
        """Read the request to its end; raises LibraryError when it is not one of ours."""
        if (self._request.content_length or 0) > MAX_FILE_SIZE + _OVERHEAD:
            size = self._request.content_length
            raise LibraryError(Cause.OVERSIZED_FILE, size=size, limit=MAX_FILE_SIZE)
        try:
            if self._request.content_type.startswith("multipart/"):
                await self._async_receive_form(file)
            else:
                await self._async_receive_bytes(file)
        except (ValueError, OSError, web.RequestPayloadError, HttpProcessingError) as err:
            detail = str(err) or Detail.ENDED_EARLY
            raise LibraryError(Cause.DOWNLOAD_BROKEN, detail=detail) from err
        if not self.file_name:
            raise LibraryError(Cause.FILE_MISSING)

    async def _async_receive_bytes(self, file: IncomingFile) -> None:
        query: Mapping[str, str] = self._request.query
        self.fields = {key: query[key] for key in _FIELD_LIMITS if key in query}
        async for chunk in self._request.content.iter_chunked(_CHUNK):
            await file.async_write(chunk)
        if file.size:
            self.file_name = _plain(query.get("file", "firmware.bin"))

    async def _async_receive_form(self, file: IncomingFile) -> None:
        form = await self._request.multipart()
        while (part := await form.next()) is not None:
            if not isinstance(part, BodyPartReader):
                raise LibraryError(Cause.FIELD_INVALID, field="?")
            if part.name == "file" and not self.file_name:
                self.file_name = _plain(part.filename or "firmware.bin")
                while chunk := await part.read_chunk(_CHUNK):
                    await file.async_write(chunk)
            elif (limit := _FIELD_LIMITS.get(part.name or "")) is not None:
                self.fields[str(part.name)] = await _async_text(part, limit)
            else:
                raise LibraryError(Cause.FIELD_INVALID, field=(part.name or "?")[:64])


async def _async_text(part: BodyPartReader, limit: int) -> str:
    data = b""
    while chunk := await part.read_chunk(_CHUNK):
        data += chunk
        if len(data) > limit:
            raise LibraryError(Cause.FIELD_INVALID, field=part.name)
    return data.decode("utf-8", "replace").strip()


def _plain(file_name: str) -> str:
    """Return a file's name without folders, which nobody needs here, and as one line of text."""
    return one_line(file_name.replace("\\", "/").rpartition("/")[2], 128) or "firmware.bin"
