"""Push by ArduinoOTA: invite over UDP, serve the module's one TCP connection.

Facts: `libraries/ArduinoOTA` of esp8266/Arduino (2.0 to 3.1.2 and later), arduino-esp32 (1.x to
3.3.x) and arduino-pico. The module connects back to the address the invitation came from,
tries once, and an ESP32 wants its first byte within a second of it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
import logging
import socket
from typing import Any, Final, override

from ..causes import Cause
from ..exceptions import CallbackError, ModuleConnectionError, OtaError
from ..models import ChipFamily, Delivery, ImageKind, Payload, ProgressCallback
from ..module import DatagramSocket, is_translated, why_silent, why_unreachable
from ._callback import Callback, reset
from ._invitation import Invitation, InvitationLimits
from ._stream import Stream, StreamLimits
from ._whereabouts import Address, Whereabouts
from .protocol import Push

_LOGGER: Final = logging.getLogger(__name__)


_CROSSING: Final = 0.3
"""Seconds for an answer that the connection overtook; an ESP32 gives up after one second."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PushLimits:
    """All waits of one push."""

    callback: float = 15.0
    """After `OK`: 100 ms pause, 5 s connect time-out on the module, and a busy main loop."""
    invitation: InvitationLimits = field(default_factory=InvitationLimits)
    stream: StreamLimits = field(default_factory=StreamLimits)


class ArduinoOtaPush(Push):
    """Pushes images to one module."""

    name = "arduino_ota"

    def __init__(
        self,
        where: Whereabouts,
        *,
        password: str | None = None,
        callback_port: Callable[[], int] = lambda: 0,
        family: ChipFamily | None = None,
        did_not_ask: Callable[[Address], OtaError | None] = lambda _address: None,
        limits: PushLimits | None = None,
    ) -> None:
        """Push to where the module is; a `callback_port` of 0 lets the system choose one per push.

        `did_not_ask` returns why a module that says yes without asking for a password gets nothing.
        """
        self._where = where
        self._at: Address | None = None
        self._password = password
        self._callback_port = callback_port
        self._family = family
        self._did_not_ask = did_not_ask
        self._limits = limits or PushLimits()

    @override
    async def why_unreachable(self) -> OtaError | None:
        """Look at its ports and at its network."""
        at = self._at = await self._where.now()
        error = await why_unreachable(*at, self._family)
        error.facts = {"host": at.host, "port": str(at.port)} | error.facts
        return error

    def longest(self, payload: Payload) -> float:
        """Return how long invitation, call-back, image and answer may take; see `Transport`."""
        limits = self._limits
        before = limits.invitation.longest + limits.callback
        return before + limits.stream.longest(len(payload.data))

    async def send(
        self,
        payload: Payload,
        *,
        before_first_byte: Callable[[], None],
        on_progress: ProgressCallback,
    ) -> Delivery:
        """Push one payload; see `Transport.send`."""
        at = self._at = await self._where.now()

        def confirmed() -> None:
            self._where.confirm(at)
            before_first_byte()

        try:
            connection = await self._call_back(at, payload)
            return await self._stream(connection, payload, confirmed, on_progress)
        except OtaError as err:
            # Every sentence wants to name where the module was looked for.
            err.facts = {"host": at.host, "port": str(at.port)} | err.facts
            raise

    async def _call_back(self, at: Address, payload: Payload) -> socket.socket:
        """Open both sockets and return the module's connection."""
        try:
            invitations = await DatagramSocket.open(*at)
        except socket.gaierror as err:
            raise ModuleConnectionError(Cause.HOST_NOT_FOUND) from err
        except OSError as err:
            raise ModuleConnectionError(Cause.UNREACHABLE) from err
        try:
            callback = Callback(invitations.local_address, self._callback_port())
            try:
                return await self._connect(at, invitations, callback, payload)
            finally:
                callback.close()
        finally:
            invitations.close()

    async def _connect(
        self, at: Address, invitations: DatagramSocket, callback: Callback, payload: Payload
    ) -> socket.socket:
        """Invite and return the module's connection.

        For a sketch the connection alone is a yes as well: the `OK` may be lost, and sketches
        of 2015 never send one (`DNS_SD_Arduino_OTA.ino`). They flash files as a sketch.
        """
        invitation = Invitation(
            invitations,
            payload,
            callback.port,
            self._password,
            self._limits.invitation,
            lambda: self._where.confirm(at),
        )
        host = invitations.remote_address
        _LOGGER.debug("Inviting %s:%s to call back on %s", host, at.port, callback.port)
        connecting = asyncio.create_task(callback.connection_from(host))
        inviting = asyncio.create_task(invitation.accepted())
        try:
            await asyncio.wait({connecting, inviting}, return_when=asyncio.FIRST_COMPLETED)
            if not connecting.done():
                await self._accepted(at.port, inviting, invitations, callback, payload)
                await asyncio.wait({connecting}, timeout=self._limits.callback)
            if not connecting.done():
                raise self._no_callback(invitations, callback, payload)
            if payload.kind is ImageKind.FILESYSTEM and not invitation.was_answered:
                await asyncio.wait({inviting}, timeout=_CROSSING)
                if not invitation.was_answered:
                    raise CallbackError(Cause.FILES_UNANSWERED)
            await _drop(inviting)
            if not invitation.was_challenged and (doubt := self._did_not_ask(at)) is not None:
                raise doubt
        except BaseException:
            if connecting.done() and not connecting.cancelled():
                reset(connecting.result())
            await _drop(inviting, connecting)
            raise
        return connecting.result()

    async def _accepted(
        self,
        port: int,
        inviting: asyncio.Task[None],
        invitations: DatagramSocket,
        callback: Callback,
        payload: Payload,
    ) -> None:
        """Wait for the yes; a silence is looked into."""
        try:
            await inviting
        except ModuleConnectionError as err:
            if err.cause is Cause.STOPPED_LISTENING:
                raise CallbackError(
                    err.cause,
                    our_address=invitations.local_address,
                    callback_port=callback.port,
                    size=len(payload.data),
                ) from err
            raise await why_silent(
                err,
                host=invitations.remote_address,
                port=port,
                family=self._family,
                our_address=invitations.local_address,
            ) from err

    def _no_callback(
        self, invitations: DatagramSocket, callback: Callback, payload: Payload
    ) -> CallbackError:
        """Say why the module's connection may not have come."""
        facts = {"our_address": invitations.local_address, "callback_port": callback.port}
        if callback.strangers:
            stranger = callback.strangers[0]
            return CallbackError(Cause.CALLBACK_FROM_OTHER, other=stranger, **facts)
        if is_translated(invitations.local_address, invitations.remote_address):
            return CallbackError(Cause.NO_CALLBACK_CONTAINER, **facts)
        if self._family in {ChipFamily.ESP32, None}:
            # An ESP32 says OK before it looks at the size, and then never connects.
            size = len(payload.data)
            return CallbackError(Cause.NO_CALLBACK_OR_TOO_LARGE, size=size, **facts)
        return CallbackError(Cause.NO_CALLBACK, **facts)

    async def _stream(
        self,
        connection: socket.socket,
        payload: Payload,
        before_first_byte: Callable[[], None],
        on_progress: ProgressCallback,
    ) -> Delivery:
        """Stream the payload; anything but a regular end resets the connection."""
        try:
            stream = Stream(connection, payload.data, on_progress, self._limits.stream)
            delivery = await stream.send(before_first_byte)
        except BaseException:
            reset(connection)
            raise
        connection.close()
        _LOGGER.debug("%s took the image: %s", self._at, delivery)
        return delivery


async def _drop(*tasks: asyncio.Task[Any]) -> None:
    """End tasks that still run and take their outcomes, whatever they are."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.exception()
