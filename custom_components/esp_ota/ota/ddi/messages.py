"""What a server of updates for many houses says and hears: hawkBit's DDI, as two engines speak it.

Goosebit and hawkBit differ in much of it; `docs/ddi.md` says in what. Their answers are read as
bytes that anybody may have written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
import hashlib
import json
import re
from typing import Any, Final, Self

from yarl import URL

from ..causes import Cause
from ..details import Detail
from ..exceptions import SourceError
from ..sources import digest, load_json, number, text, web_address

SHORTEST: Final = 5.0
"""Seconds between two polls of one module, however eager the server is."""
LONGEST: Final = 24 * 3600.0
DEFAULT_SECONDS: Final = 300.0
"""What hawkBit has when nobody changed it."""
MOST_FILES: Final = 8
"""Of one deployment; a sketch and its files are two."""
_SLEEP: Final = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d)")
_ACTION: Final = re.compile(r"/(deploymentBase|cancelAction)/([\w-]{1,64})(?=[/?#]|$)")
_LONGEST_TEXT: Final = 512
"""Characters of one line of feedback."""
_LONGEST_VALUE: Final = 128
"""Characters of an attribute's value (hawkBit)."""


class Way(StrEnum):
    """How much a server wants something."""

    SKIP = "skip"
    ATTEMPT = "attempt"
    FORCED = "forced"


class Finished(StrEnum):
    """How a server is told that it ended; it takes `none` as finished as well."""

    SUCCESS = "success"
    NONE = "none"
    FAILURE = "failure"


class DdiExecution(StrEnum):
    """How far it is."""

    PROCEEDING = "proceeding"
    REJECTED = "rejected"
    """Nothing changes at the server but its log."""
    CLOSED = "closed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """What a poll names: its id, and the state of it that the server wants to be asked for."""

    id: str
    query: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Poll:
    """One answer to a poll."""

    seconds: float
    """Until the next one."""
    wants_attributes: bool = False
    deployment: Action | None = None
    cancel: Action | None = None

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Read an answer; raises SourceError for what is none."""
        content = _object(data)
        polling = _inner(_inner(content, "config"), "polling")
        links = _inner(content, "_links")
        return cls(
            seconds=seconds_of(polling.get("sleep")),
            wants_attributes="configData" in links,
            deployment=_action(links, "deploymentBase"),
            cancel=_action(links, "cancelAction"),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """One file of a deployment."""

    file_name: str
    url: str
    size: int | None
    sha1: str | None
    sha256: str | None
    md5: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """What a server wants a module to run."""

    action: str
    name: str | None
    version: str | None
    download: Way
    update: Way
    """`skip` also outside of a maintenance window of the server."""
    artifacts: tuple[Artifact, ...]

    @property
    def mark(self) -> str:
        """Return what stays the same as long as it is the same; an id may come again for others."""
        files = [(one.file_name, one.size, one.sha1, one.sha256, one.md5) for one in self.artifacts]
        return hashlib.sha256(repr((self.version, files)).encode()).hexdigest()[:16]

    @classmethod
    def read(cls, data: bytes, base: str) -> Self | None:
        """Read an answer, None where there is nothing to do; raises SourceError for what is none.

        `base` is where it was asked for.
        """
        if data.strip() in {b"", b"null"}:
            return None
        content = _object(data)
        said = _inner(content, "deployment")
        chunks = [item for item in _list(said, "chunks") if isinstance(item, Mapping)]
        artifacts = [
            _artifact(item, base)
            for chunk in chunks
            if not chunk.get("encrypted")
            for item in _list(chunk, "artifacts")
            if isinstance(item, Mapping)
        ]
        if any(chunk.get("encrypted") for chunk in chunks):
            raise SourceError(Cause.DEPLOYMENT_UNUSABLE, detail=Detail.FILES_ENCRYPTED)
        if not artifacts or len(artifacts) > MOST_FILES:
            count = len(artifacts)
            raise SourceError(Cause.DEPLOYMENT_UNUSABLE, detail=Detail.FILE_COUNT, count=count)
        first: Mapping[str, Any] = next(iter(chunks), {})
        closed = said.get("maintenanceWindow") == "unavailable"
        return cls(
            action=str(content.get("id"))[:64],
            name=text(first, "name"),
            version=text(first, "version"),
            download=_way(said.get("download")),
            update=Way.SKIP if closed else _way(said.get("update")),
            artifacts=tuple(artifacts),
        )


def stop_id(data: bytes) -> str:
    """Return the action that is to be cancelled; raises SourceError for what names none."""
    found = _inner(_object(data), "cancelAction").get("stopId")
    if not isinstance(found, str | int):
        raise SourceError(Cause.SOURCE_INVALID, detail=Detail.NO_ACTION)
    return str(found)[:64]


def seconds_of(sleep: object) -> float:
    """Return the seconds of `HH:MM:SS`, within what makes sense."""
    found = _SLEEP.fullmatch(sleep) if isinstance(sleep, str) else None
    if found is None:
        return DEFAULT_SECONDS
    hours, minutes, seconds = (int(part) for part in found.groups())
    return min(max(hours * 3600.0 + minutes * 60 + seconds, SHORTEST), LONGEST)


def feedback(
    execution: DdiExecution, finished: Finished, details: Sequence[str], action: str
) -> dict[str, Any]:
    """Return what is posted: no time (one engine takes text, the other a number), no progress."""
    lines = [line[:_LONGEST_TEXT] for line in details]
    status = {"execution": execution, "result": {"finished": finished}, "details": lines}
    return {"id": action, "status": status}


def attributes(said: Mapping[str, str | None]) -> dict[str, Any]:
    """Return what a target says of itself; values must be text of bounded length."""
    known = {key: value[:_LONGEST_VALUE] for key, value in said.items() if value}
    return {"mode": "merge", "data": known}


def digest_of(content: Mapping[str, Any]) -> str:
    """Return what changes when it does."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _object(data: bytes) -> Mapping[str, Any]:
    content = load_json(data)
    if not isinstance(content, Mapping):
        raise SourceError(Cause.SOURCE_INVALID, detail=Detail.NOT_OF_DDI)
    return content


def _inner(content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = content.get(key)
    return found if isinstance(found, Mapping) else {}


def _list(content: Mapping[str, Any], key: str) -> list[Any]:
    found = content.get(key)
    return found if isinstance(found, list) else []


def _action(links: Mapping[str, Any], key: str) -> Action | None:
    """Return what a link is about: where the server is, is what the person typed."""
    href = _inner(links, key).get("href")
    if not isinstance(href, str) or (found := _ACTION.search(href)) is None:
        return None
    query = href.partition("?")[2].partition("#")[0][:256]
    return Action(id=found[2], query=query)


def _way(value: object) -> Way:
    return Way(value) if isinstance(value, str) and value in set(Way) else Way.FORCED


def _artifact(content: Mapping[str, Any], base: str) -> Artifact:
    links, hashes = _inner(content, "_links"), _inner(content, "hashes")
    said = [_inner(links, key).get("href") for key in ("download", "download-http")]
    hrefs = [href for href in said if isinstance(href, str)]
    url = web_address(hrefs[0], URL(base)) if hrefs else None
    if url is None:
        raise SourceError(Cause.DEPLOYMENT_UNUSABLE, detail=Detail.FILE_NOWHERE)
    url = _safely(url, URL(base))
    found = Artifact(
        file_name=(text(content, "filename") or "?").rpartition("/")[2],
        url=str(url),
        size=number(content, "size"),
        sha1=digest(hashes, "sha1", 40),
        sha256=digest(hashes, "sha256", 64),
        md5=digest(hashes, "md5", 32),
    )
    is_open = base.startswith("https:") and url.scheme == "http"
    if is_open and not (found.sha1 or found.sha256 or found.md5):
        raise SourceError(Cause.DEPLOYMENT_UNUSABLE, detail=Detail.FILE_UNPROVEN)
    return found


def _safely(url: URL, base: URL) -> URL:
    """Return a link without encryption to a server that has it as one with it."""
    if base.scheme == "https" and url.scheme == "http" and url.host == base.host:
        return url.with_scheme("https").with_port(base.port)
    return url
