"""A server that answers as hawkBit does: targets, actions, artifacts, and what it is told."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
import hashlib
from typing import Any, Self

from aiohttp import web
from aiohttp.test_utils import TestServer

CONTROLLER = "/{tenant}/controller/v1/{target}"
_MOST_ENTRIES = 1000
_LONGEST = 128

type Fault = Callable[[web.Request], web.StreamResponse | None]
"""Answers instead of the server, or with None lets it answer."""


@dataclass(kw_only=True)
class File:
    """One artifact."""

    name: str
    data: bytes

    def sums(self) -> dict[str, str]:
        names = ("sha1", "md5", "sha256")
        return {name: hashlib.new(name, self.data).hexdigest() for name in names}


@dataclass(kw_only=True)
class DdiAction:
    """One distribution for one target."""

    id: int
    version: str
    files: list[File]
    name: str = "garden-valve"
    download: str = "forced"
    update: str = "forced"
    window: str | None = None
    encrypted: bool = False
    state: str = "running"
    """`running`, `canceling`, `canceled`, `finished` or `error`."""
    told: list[dict[str, Any]] = field(default_factory=list)
    cancel_id: int = 0
    size: int | None = None
    """What is said of its files' size, where that is a lie."""

    @property
    def is_active(self) -> bool:
        return self.state in {"running", "canceling"}


@dataclass
class Known:
    """One target."""

    attributes: dict[str, str] = field(default_factory=dict)
    wants_attributes: bool = True
    actions: list[DdiAction] = field(default_factory=list)
    polls: int = 0
    token: str | None = None


class HawkBit:
    """As much of it as a device sees, on loopback."""

    def __init__(self) -> None:
        self.targets: dict[str, Known] = {}
        self.sleep = "00:00:05"
        self.gateway: str | None = None
        self.needs_token = False
        self.asked: list[tuple[str, str]] = []
        self.tokens: list[str | None] = []
        self.faults: list[Fault] = []
        self.download: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None
        """Answers instead of the files."""
        self.link_base: str | None = None
        """What links begin with, where it is not where it was asked."""
        self._ids = 0
        app = web.Application(middlewares=[self._watch])
        app.router.add_get(CONTROLLER, self._poll)
        app.router.add_put(f"{CONTROLLER}/configData", self._attributes)
        app.router.add_get(f"{CONTROLLER}/deploymentBase/{{action}}", self._deployment)
        app.router.add_post(f"{CONTROLLER}/deploymentBase/{{action}}/feedback", self._feedback)
        app.router.add_get(f"{CONTROLLER}/cancelAction/{{action}}", self._cancel)
        app.router.add_post(f"{CONTROLLER}/cancelAction/{{action}}/feedback", self._cancelled)
        app.router.add_get(
            f"{CONTROLLER}/softwaremodules/{{module}}/artifacts/{{file}}", self._artifact
        )
        self._server = TestServer(app, host="127.0.0.1")

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._server.close()

    @property
    def url(self) -> str:
        return str(self._server.make_url("/")).rstrip("/")

    # What a person does at the server

    def assign(self, target: str, version: str, *files: File, **changes: Any) -> DdiAction:
        """Assign a distribution; one that is active is cancelled by it."""
        known = self.targets.setdefault(target, Known())
        for action in known.actions:
            if action.is_active:
                self.cancel(action)
        self._ids += 1
        action = DdiAction(id=self._ids, version=version, files=list(files), **changes)
        known.actions.append(action)
        return action

    def cancel(self, action: DdiAction) -> None:
        """Want an action to be cancelled."""
        self._ids += 1
        action.state, action.cancel_id = "canceling", self._ids

    # What a device asks

    @web.middleware
    async def _watch(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.asked.append((request.method, request.path))
        token = request.headers.get("Authorization")
        self.tokens.append(token)
        for fault in list(self.faults):
            if (answer := fault(request)) is not None:
                return answer
        target = self.targets.get(request.match_info.get("target", ""))
        allowed = {f"GatewayToken {self.gateway}"} if self.gateway else set()
        if target is not None and target.token:
            allowed.add(f"TargetToken {target.token}")
        if self.needs_token and token not in allowed:
            return web.Response(status=401)
        usual: web.StreamResponse = await handler(request)
        return usual

    def _known(self, request: web.Request) -> Known:
        if request.match_info["tenant"] != "DEFAULT":
            raise web.HTTPNotFound
        return self.targets.setdefault(request.match_info["target"], Known())

    def _base(self, request: web.Request) -> str:
        base = self.link_base or str(request.url.origin())
        target = request.match_info["target"]
        return f"{base}/DEFAULT/controller/v1/{target}"

    def _active(self, known: Known) -> DdiAction | None:
        return next((action for action in known.actions if action.is_active), None)

    async def _poll(self, request: web.Request) -> web.Response:
        known, base = self._known(request), self._base(request)
        known.polls += 1
        links: dict[str, Any] = {}
        action = self._active(known)
        if action is not None and action.state == "canceling":
            links["cancelAction"] = {"href": f"{base}/cancelAction/{action.cancel_id}"}
        elif action is not None:
            terms = f"{action.id}{action.update}{action.window}".encode()
            etag = int(hashlib.sha1(terms).hexdigest()[:6], 16)
            links["deploymentBase"] = {"href": f"{base}/deploymentBase/{action.id}?c={etag}"}
        if known.wants_attributes:
            links["configData"] = {"href": f"{base}/configData"}
        return web.json_response({"config": {"polling": {"sleep": self.sleep}}, "_links": links})

    async def _attributes(self, request: web.Request) -> web.Response:
        known, body = self._known(request), await request.json()
        data = body["data"]
        if len(data) > 100 or not all(
            isinstance(value, str) and len(value) <= _LONGEST and len(key) <= _LONGEST
            for key, value in data.items()
        ):
            return web.Response(status=400)
        known.attributes |= data
        known.wants_attributes = False
        return web.Response()

    def _action(self, request: web.Request) -> DdiAction:
        known, wanted = self._known(request), request.match_info["action"]
        for action in known.actions:
            if str(action.id) == wanted:
                return action
        raise web.HTTPNotFound

    async def _deployment(self, request: web.Request) -> web.Response:
        action, base = self._action(request), self._base(request)
        if action.state != "running":
            return web.Response(status=404)
        artifacts = []
        for file in action.files:
            href = f"{base}/softwaremodules/{action.id}/artifacts/{file.name}"
            links = {"download-http": {"href": href}, "md5sum-http": {"href": f"{href}.MD5SUM"}}
            artifacts.append(
                {
                    "filename": file.name,
                    "hashes": file.sums(),
                    "size": action.size or len(file.data),
                    "_links": links,
                }
            )
        chunk: dict[str, Any] = {
            "part": "os",
            "version": action.version,
            "name": action.name,
            "artifacts": artifacts,
        }
        if action.encrypted:
            chunk["encrypted"] = True
        said: dict[str, Any] = {
            "download": action.download,
            "update": action.update,
            "chunks": [chunk],
        }
        if action.window is not None:
            said["maintenanceWindow"] = action.window
        return web.json_response({"id": str(action.id), "deployment": said})

    async def _feedback(self, request: web.Request) -> web.Response:
        action, body = self._action(request), await request.json()
        if not action.is_active:
            return web.Response(status=410)
        if len(action.told) >= _MOST_ENTRIES:
            return web.Response(status=429)
        status = body["status"]
        action.told.append(status)
        if status["execution"] == "closed":
            failed = status["result"]["finished"] == "failure"
            action.state = "error" if failed else "finished"
            self._known(request).wants_attributes = not failed
        elif status["execution"] == "canceled":
            action.state = "canceled"
        return web.Response()

    def _by_cancel(self, request: web.Request) -> DdiAction:
        known, wanted = self._known(request), request.match_info["action"]
        for action in known.actions:
            if str(action.cancel_id) == wanted and action.cancel_id:
                return action
        raise web.HTTPNotFound

    async def _cancel(self, request: web.Request) -> web.Response:
        action = self._by_cancel(request)
        body = {"id": str(action.cancel_id), "cancelAction": {"stopId": str(action.id)}}
        return web.json_response(body)

    async def _cancelled(self, request: web.Request) -> web.Response:
        action, body = self._by_cancel(request), await request.json()
        if action.state != "canceling":
            return web.Response(status=410)
        status = body["status"]
        action.told.append(status)
        finished = status["result"]["finished"]
        if status["execution"] == "closed" and finished in {"success", "none"}:
            action.state = "canceled"
        elif status["execution"] in {"closed", "rejected"}:
            action.state = "running"
        return web.Response()

    async def _artifact(self, request: web.Request) -> web.StreamResponse:
        known = self._known(request)
        if self.download is not None:
            return await self.download(request)
        action = self._active(known)
        if action is None or str(action.id) != request.match_info["module"]:
            return web.Response(status=404)
        for file in action.files:
            if file.name == request.match_info["file"]:
                return serve(request, file.data, file.sums()["sha1"])
        return web.Response(status=404)


def serve(request: web.Request, data: bytes, sha1: str) -> web.Response:
    """Answer with a file, or the part of it that is asked for."""
    etag = f'"{sha1}"'
    if request.headers.get("If-Match", etag) not in {etag, sha1}:
        return web.Response(status=412)
    headers = {"ETag": etag, "Accept-Ranges": "bytes"}
    wanted = request.headers.get("Range")
    if wanted is None or request.headers.get("If-Range", etag) != etag:
        return web.Response(body=data, headers=headers)
    start = int(wanted.removeprefix("bytes=").removesuffix("-"))
    if start >= len(data):
        return web.Response(status=416, headers={"Content-Range": f"bytes */{len(data)}"})
    headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
    return web.Response(status=206, body=data[start:], headers=headers)
