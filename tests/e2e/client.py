"""Home Assistant's own HTTP and websocket API, as its frontend uses it."""

import asyncio
from collections.abc import Callable
from itertools import count
import time
from typing import Any, Self

import aiohttp

type Json = dict[str, Any]
type StateListener = Callable[[str, Json], None]

USER = "demo"
PASSWORD = "demo"


class ActionFailed(Exception):
    """Home Assistant refused a command; the text is what it shows to a person."""

    def __init__(self, error: Json) -> None:
        """Keep the whole answer."""
        super().__init__(error.get("message") or str(error))
        self.error = error


class Client:
    """A person's session. `states` is always what Home Assistant last told."""

    def __init__(self, url: str) -> None:
        """Remember the address; `async with` connects as the owner of a new home."""
        self.states: dict[str, Json] = {}
        self.listeners: list[StateListener] = []
        self._url = url
        self._ids = count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._changed = asyncio.Event()
        self._session = aiohttp.ClientSession(url)
        self._token = ""
        self._socket: aiohttp.ClientWebSocketResponse
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Create the owner, wait until everything runs and follow all states."""
        try:
            await self._log_in()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave."""
        if self._reading is not None:
            self._reading.cancel()
        await self._session.close()

    async def _log_in(self) -> None:
        me = {"client_id": f"{self._url}/", "language": "en"}
        owner = {"name": "Demo", "username": USER, "password": PASSWORD}
        answer = await self.post("/api/onboarding/users", me | owner)
        grant = {"grant_type": "authorization_code", "code": answer["auth_code"]}
        async with self._session.post("/auth/token", data=me | grant) as response:
            self._token = (await response.json())["access_token"]
        self._session.headers["Authorization"] = f"Bearer {self._token}"
        # Nothing tells when the other integrations' views are there.
        while (await self.get("/api/core/state"))["state"] != "RUNNING":  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        await self._connect()

    async def _connect(self) -> None:
        """Open the conversation and follow all states."""
        self._socket = await self._session.ws_connect("/api/websocket", max_msg_size=0)
        await self._socket.receive_json()
        await self._socket.send_json({"type": "auth", "access_token": self._token})
        answer = await self._socket.receive_json()
        if answer["type"] != "auth_ok":
            raise ActionFailed(answer)
        self._reading = asyncio.create_task(self._read())
        self.states.clear()
        await self.command("subscribe_events", event_type="state_changed")
        for state in await self.command("get_states"):
            self.states.setdefault(state["entity_id"], state)

    async def reconnect(self) -> None:
        """Go on after Home Assistant was started again, as early as it lets us in."""
        while True:
            try:
                return await self._connect()
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)

    async def _read(self) -> None:
        try:
            async for message in self._socket:
                content = message.json()
                if content["type"] == "event":
                    self._take(content["event"]["data"])
                elif answer := self._waiting.get(content["id"]):
                    if content["success"]:
                        answer.set_result(content["result"])
                    else:
                        answer.set_exception(ActionFailed(content["error"]))
        finally:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(ConnectionError("Home Assistant left the conversation"))

    def _take(self, change: Json) -> None:
        entity_id, state = change["entity_id"], change["new_state"]
        if state is None:
            self.states.pop(entity_id, None)
        else:
            self.states[entity_id] = state
            for listener in list(self.listeners):
                listener(entity_id, state)
        self._changed.set()

    async def get(self, path: str) -> Any:
        """GET JSON."""
        async with self._session.get(path) as response:
            response.raise_for_status()
            return await response.json()

    async def post(self, path: str, data: Json) -> Any:
        """POST JSON and return the answer; raises ActionFailed with what Home Assistant says."""
        async with self._session.post(path, json=data) as response:
            if not response.ok:
                raise ActionFailed({"message": f"{path}: {await response.text()}"})
            return await response.json()

    async def command(self, kind: str, **data: Any) -> Any:
        """Send a websocket command and return its result."""
        number = next(self._ids)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            await self._socket.send_json({"id": number, "type": kind, **data})
            return await answer
        finally:
            del self._waiting[number]

    async def action(self, name: str, entity_id: str, **data: Any) -> None:
        """Perform an action on an entity and wait for its end."""
        domain, service = name.split(".")
        await self.command(
            "call_service",
            domain=domain,
            service=service,
            service_data=data,
            target={"entity_id": entity_id},
        )

    def state(self, entity_id: str) -> str | None:
        """Return the state of an entity, None when there is none."""
        state = self.states.get(entity_id)
        return state["state"] if state else None

    def attributes(self, entity_id: str) -> Json:
        """Return the attributes of an entity."""
        state = self.states.get(entity_id)
        return dict(state["attributes"]) if state else {}

    async def wait_until(self, what: str, holds: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait for the states to be as `holds` wants them."""
        end = time.monotonic() + seconds
        while not holds():
            self._changed.clear()
            try:
                async with asyncio.timeout(max(end - time.monotonic(), 0)):
                    await self._changed.wait()
            except TimeoutError:
                raise TimeoutError(f"not within {seconds:.0f} s: {what}") from None
