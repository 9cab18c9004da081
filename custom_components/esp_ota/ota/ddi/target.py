"""One target at a server of updates for many houses: asked, and told, in HTTP.

All but the files is asked for at the address that a person typed, whatever the server's links say:
behind a proxy they may name another one, and what is sent there carries a token.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from aiohttp import ClientSession
from yarl import URL

from ..causes import Cause
from ..exceptions import SourceError
from ..sources import Account, Reach, Said, exchange
from .messages import Action, DdiExecution, Deployment, Finished, Poll, feedback, stop_id

_LIMIT: Final = 256 * 1024
"""Bytes of an answer; a deployment of a few files is shorter than 10 kB."""
_SECONDS: Final = 30.0
"""For one of them, all in all: other modules wait meanwhile."""


class DdiTarget:
    """What one module is at such a server."""

    def __init__(
        self, session: ClientSession, base: URL, account: Account, *, reach: Reach
    ) -> None:
        """Take where its resources are: `<server>/<tenant>/controller/v1/<id>`."""
        self._session = session
        self._base = base
        self.account = account
        self.reach = reach

    async def poll(self) -> Poll:
        """Ask whether there is something to do; raises SourceError, as all of these do."""
        return Poll.read(await self._exchange(""))

    async def deployment(self, action: Action) -> Deployment | None:
        """Return what is to be run, None when that is not so any more."""
        where = f"deploymentBase/{_segment(action.id)}"
        try:
            data = await self._exchange(where, query=action.query)
        except SourceError as err:
            if err.cause is Cause.SOURCE_NOT_FOUND:
                return None
            raise
        return Deployment.read(data, f"{self._base}/{where}")

    async def say_attributes(self, content: Mapping[str, Any]) -> None:
        """Tell what the module is, and what it runs."""
        await self._exchange("configData", Said(method="PUT", body=content))

    async def say(
        self,
        action: str,
        execution: DdiExecution,
        finished: Finished,
        details: Sequence[str],
    ) -> None:
        """Tell how far it is; to a server that does not want to know any more is told."""
        await self._say("deploymentBase", action, feedback(execution, finished, details, action))

    async def to_cancel(self, cancel: Action) -> str:
        """Return the action that a server wants to be cancelled."""
        return stop_id(await self._exchange(f"cancelAction/{_segment(cancel.id)}"))

    async def say_cancelled(self, cancel: str, finished: Finished, details: Sequence[str]) -> None:
        """Tell that it was cancelled, or (`failure`) that it runs on."""
        body = feedback(DdiExecution.CLOSED, finished, details, cancel)
        await self._say("cancelAction", cancel, body)

    async def _say(self, kind: str, action: str, body: Mapping[str, Any]) -> None:
        where = f"{kind}/{_segment(action)}/feedback"
        try:
            await self._exchange(where, Said(method="POST", body=body))
        except SourceError as err:
            if err.cause is not Cause.SOURCE_NOT_FOUND:
                raise

    async def _exchange(self, where: str, said: Said | None = None, query: str = "") -> bytes:
        url = f"{self._base}/{where}".rstrip("/") + (f"?{query}" if query else "")
        return await exchange(
            self._session,
            url,
            said or Said(),
            limit=_LIMIT,
            account=self.account,
            reach=self.reach,
            seconds=_SECONDS,
        )


def target_base(server: str, tenant: str, target: str) -> URL:
    """Return where the resources of a target are."""
    path = f"{_segment(tenant)}/controller/v1/{_segment(target)}"
    return URL(f"{server.rstrip('/')}/{path}", encoded=True)


def _segment(name: str) -> str:
    """Return a name as one step of a path, whatever is in it."""
    return quote(name, safe="")
