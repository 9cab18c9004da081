"""What the upload pages of modules want to be sent, and how each says yes: one table.

Facts: `ESP8266HTTPUpdateServer` of esp8266/Arduino, `HTTPUpdateServer` of arduino-esp32 and
arduino-pico, their `WebUpdate` examples, ElegantOTA 3.1, AsyncElegantOTA 2.2, PrettyOTA 1.1,
`xdrv_01_9_webserver.ino` of Tasmota, ESPEasy, and `WiFiOTA.cpp` of JAndrassy/ArduinoOTA 1.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
import re
from typing import Final

from ..causes import Cause
from ..models import ImageKind

IDENTITY: Final = "/update/identity"
"""Where AsyncElegantOTA says which board it is on."""


class UploadDialect(StrEnum):
    """The kinds of update page; the value is their name in options and stores."""

    UPDATE_SERVER = "update_server"
    """The HTTP update server of all three cores, which want the very same request."""
    WEB_UPDATE = "web_update"
    """The cores' `WebUpdate` examples and the many sketches that began as one."""
    ELEGANT_OTA = "elegant_ota"
    ASYNC_ELEGANT_OTA = "async_elegant_ota"
    PRETTY_OTA = "pretty_ota"
    TASMOTA = "tasmota"
    ESP_EASY = "esp_easy"
    WIFI_OTA = "wifi_ota"


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """How one kind of image is sent."""

    field: str | None
    """Name of the file's part; None: the image is the whole body."""
    filename: str = "firmware.bin"
    path: str
    mode: str = ""
    """What the request that begins the update calls this kind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Manners:
    """One row of the table. `{mode}`, `{md5}` and `{size}` in paths are those of the image."""

    title: str
    forms: Mapping[ImageKind, Form]
    check: str | None = None
    """A page to ask for before anything is sent: is it there, is the password right?"""
    looks: str | None = None
    """A page that changes nothing and is behind the password, where the checked one is not so."""
    shows: re.Pattern[bytes] | None = None
    """What is on that page, if it is the right one."""
    start: str | None = None
    """A request that begins the update; it may refuse."""
    logs_in: bool = False
    """PrettyOTA: a session cookie instead of an Authorization header."""
    username: str = "admin"
    always_authorised: bool = False
    """Whether an Authorization header belongs to it even without a password."""
    md5_part: bool = False
    """Whether a text part with the MD5 stands before the file."""
    accepted: re.Pattern[bytes]
    """What the answer says, along with a good status, when the image was taken."""
    said: tuple[bytes, bytes] | None = None
    """Between which two texts of a page a complaint stands; else it is the whole page."""
    silence: Cause = Cause.HTTP_NO_ANSWER
    """What it means that the checked page is not answered."""
    leftovers: Cause | None = None
    """The complaint that an earlier update, broken off, has left its bytes in this one."""

    switches: bool = False
    """Whether it can start the sketch in the module's other slot."""
    movable: bool = False
    """Whether the sketch's author chooses the path of the page."""

    @property
    def steps(self) -> list[tuple[str, re.Pattern[bytes] | None]]:
        """The requests before the upload, and what their answers must show."""
        steps = [(self.check, self.shows), (self.start, self.accepted)]
        return [(path, shows) for path, shows in steps if path is not None]

    def at(self, path: str) -> Manners:
        """Return the same with another path of the update page, where that can be."""
        if not self.movable:
            return self
        forms = {kind: replace(form, path=path) for kind, form in self.forms.items()}
        return replace(self, forms=forms, check=path if self.check else None)


def _both(**form: str) -> dict[ImageKind, Form]:
    """Return forms that differ in the field's name alone."""
    return {
        ImageKind.SKETCH: Form(field="firmware", **form),
        ImageKind.FILESYSTEM: Form(field="filesystem", filename="filesystem.bin", **form),
    }


def _modes(path: str, sketch: str, filesystem: str) -> dict[ImageKind, Form]:
    """Return forms whose kind was said when the update began."""
    return {
        ImageKind.SKETCH: Form(field="file", path=path, mode=sketch),
        ImageKind.FILESYSTEM: Form(
            field="file", filename="filesystem.bin", path=path, mode=filesystem
        ),
    }


def _field(names: bytes) -> re.Pattern[bytes]:
    """Return what finds a form's field with one of these names."""
    return re.compile(rb"name\s?=\s?['\"]?(?:" + names + rb")\b")


_OK: Final = re.compile(rb"\A\s*OK\b")
_SUCCESS: Final = re.compile(rb"\A\s*OK\b|Update Success")
_ERROR: Final = (b"Update error:", b"")

DIALECTS: Final[Mapping[UploadDialect, Manners]] = {
    UploadDialect.UPDATE_SERVER: Manners(
        title="HTTPUpdateServer",
        forms=_both(path="/update"),
        check="/update",
        shows=_field(b"firmware|filesystem|update"),
        accepted=_SUCCESS,
        said=_ERROR,
        movable=True,
    ),
    UploadDialect.WEB_UPDATE: Manners(
        title="WebUpdate",
        forms={ImageKind.SKETCH: Form(field="update", path="/update")},
        accepted=_SUCCESS,
        said=_ERROR,
        movable=True,
    ),
    UploadDialect.ELEGANT_OTA: Manners(
        title="ElegantOTA",
        looks="/update",
        forms=_modes("/ota/upload", "fr", "fs"),
        start="/ota/start?mode={mode}&hash={md5}",
        accepted=_OK,
        # A fresh update never checks the MD5, see ElegantOTA issue 240: `Update.begin()` clears
        # it. One that runs already refuses to begin, keeps the MD5, and drops all when it fails.
        leftovers=Cause.MD5_MISMATCH,
    ),
    UploadDialect.ASYNC_ELEGANT_OTA: Manners(
        title="AsyncElegantOTA",
        forms={
            # The file's name, not the part's, tells the kinds apart.
            ImageKind.SKETCH: Form(field="firmware", filename="firmware", path="/update"),
            ImageKind.FILESYSTEM: Form(field="filesystem", filename="filesystem", path="/update"),
        },
        check=IDENTITY,
        shows=re.compile(rb'"hardware"'),
        md5_part=True,
        accepted=_OK,
    ),
    UploadDialect.PRETTY_OTA: Manners(
        title="PrettyOTA",
        forms=_modes("/prettyota/upload", "fw", "fs"),
        logs_in=True,
        switches=True,
        start="/prettyota/start?mode={mode}&reboot=true&hash={md5}",
        accepted=re.compile(rb"\A\s*\Z"),
    ),
    UploadDialect.TASMOTA: Manners(
        title="Tasmota",
        forms={ImageKind.SKETCH: Form(field="u2", path="/u2?fsz={size}")},
        # Which page was shown last decides what the next upload is taken for.
        check="/up",
        looks="/",
        shows=_field(b"u2"),
        # Words are in the module's language; only a page of success loads itself anew.
        accepted=re.compile(rb"location\.href\s*=\s*['\"]\.['\"]|Successful"),
        said=(b"<font color=", b"</div>"),
        silence=Cause.WRONG_ORIGIN,
    ),
    UploadDialect.ESP_EASY: Manners(
        title="ESPEasy",
        forms={ImageKind.SKETCH: Form(field="firmware", path="/update")},
        check="/update",
        shows=_field(b"firmware|update"),
        accepted=_SUCCESS,
        said=_ERROR,
    ),
    UploadDialect.WIFI_OTA: Manners(
        title="WiFiOTA",
        forms={
            ImageKind.SKETCH: Form(field=None, path="/sketch"),
            ImageKind.FILESYSTEM: Form(field=None, path="/data"),
        },
        username="arduino",
        always_authorised=True,
        accepted=_OK,
    ),
}
