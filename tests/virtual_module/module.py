"""A virtual module: switch it on, update it, look inside."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
import socket
from types import TracebackType
from typing import Any, Self

from zeroconf.asyncio import AsyncZeroconf

from .advert import Advert
from .board import Board
from .chips import Family
from .classic import ClassicListener, FirstClassicListener
from .config import Generation, ModuleConfig
from .doors import first_ending
from .esp32 import Esp32Listener
from .esp8266 import Esp8266Listener
from .events import Event, EventLog, Seen
from .faults import Fault, FaultPlan
from .inspect_image import BadImageError, is_gzip
from .listener import Ending, Listener
from .puller import Puller

_BOOT_TIME = {Family.ESP8266: 3.0, Family.ESP32: 2.0, Family.PICO: 4.0}
"""Seconds from reset to an answer over Wi-Fi: estimates, nobody has measured them."""
_COPY_TIME = {Family.ESP8266: 10.0, Family.ESP32: 0.0, Family.PICO: 10.0}
"""Seconds per MiB that the boot stage copies; an ESP32 just boots the other slot."""
_GZIP_FACTOR = 1.5
_MIB = 1 << 20


class VirtualModule:
    """An ESP8266, ESP32 or Pico on the network, for the length of an `async with`.

    An error inside the module ends it, wakes who waits and is raised again on exit.
    """

    def __init__(
        self, config: ModuleConfig | None = None, *, zeroconf: AsyncZeroconf | None = None
    ) -> None:
        """Build the module; `async with` switches it on."""
        self.config = config or ModuleConfig()
        self.board = Board(self.config)
        self.restarts = 0
        self._port = self.config.port
        self._advert = Advert(self.board, zeroconf) if self.config.advertise else None
        self._life: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Switch the power on and wait until the module listens."""
        udp = self._listen()
        self._life = self._start(self._live(udp))
        try:
            await self.wait_for(Seen.UP)
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Switch the power off; raise what broke inside."""
        try:
            await self._stop()
        finally:
            self.board.close()
            if self._advert is not None:
                await self._advert.close()

    @property
    def host(self) -> str:
        """The module's address."""
        return self.config.host

    @property
    def port(self) -> int:
        """The UDP port of its ArduinoOTA."""
        return self._port

    @property
    def hostname(self) -> str:
        """The module's name on the network."""
        return self.config.name

    @property
    def events(self) -> EventLog:
        """All that happened inside."""
        return self.board.events

    @property
    def faults(self) -> FaultPlan:
        """What goes wrong; may be changed while the module runs."""
        return self.board.faults

    @property
    def running_version(self) -> str | None:
        """The version the running sketch reports, read from its own marker."""
        return self.board.version

    @property
    def running_md5(self) -> str:
        """MD5 of the running image, unpacked."""
        return self.board.md5

    @property
    def running_image(self) -> bytes:
        """The running image, unpacked."""
        return self.board.image

    @property
    def fs_image(self) -> bytes:
        """The filesystem."""
        return self.board.fs_image

    @property
    def payload_bytes(self) -> int:
        """Bytes the module took in during the newest transfer."""
        return self.board.payload_bytes

    @property
    def asked(self) -> list[bytes]:
        """All requests for an update that the module sent, byte by byte."""
        return self.board.asked

    @property
    def said(self) -> bytes:
        """All that the module said over TCP in the newest transfer: acks, OK or an error."""
        link = self.board.last_link
        return bytes(link.sent) if link is not None else b""

    async def wait_for(self, name: Seen | str, timeout: float = 10.0, count: int = 1) -> Event:
        """Wait until something has happened `count` times since the module was built."""
        return await self.events.wait_for(name, timeout, count)

    def will_be_at(self, host: str) -> None:
        """Let the router lend it another address from its next start on."""
        self.config = self.board.config = replace(self.config, host=host)

    async def power_off(self) -> None:
        """Pull the plug; `power_cycle` puts it back."""
        await self._stop()
        if self._advert is not None:
            self._advert.silence()

    async def power_cycle(self) -> None:
        """Pull the plug and put it back, whatever the module is doing.

        A staged image is lost on an ESP8266, whose copy command is in RTC memory.
        """
        await self._stop()
        if self.config.family is Family.ESP8266:
            self.board.staged = None
        if self._advert is not None:
            self._advert.silence()
        self._life = self._start(self._boot_and_live())

    def _start(self, life: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(life, name=f"module {self.hostname}")
        task.add_done_callback(self._on_done)
        return task

    def _on_done(self, life: asyncio.Task[None]) -> None:
        if not life.cancelled() and (error := life.exception()) is not None:
            self.events.fail(error)

    async def _stop(self) -> None:
        life, self._life = self._life, None
        if life is None:
            return
        life.cancel()
        with suppress(asyncio.CancelledError):
            await life

    def _listen(self) -> socket.socket:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.setblocking(False)
            udp.bind((self.config.host, self._port))
        except OSError:
            udp.close()
            raise
        self._port = udp.getsockname()[1]
        return udp

    async def _live(self, udp: socket.socket) -> None:
        """Run the sketch, restart, run what is there then, and so on."""
        while True:
            with udp:
                await self._up()
                sketch = self._run_sketch(udp)
                if self.board.crashes:
                    sketch = first_ending(sketch, self._crash())
                ending = await sketch
                if ending is Ending.DIES:
                    await self._stay_dead()
                elif ending is Ending.SLEEPS:
                    await self._sleep()
            if not await self._restart():
                return
            udp = self._listen()

    async def _run_sketch(self, udp: socket.socket) -> Ending:
        """Do what the sketch does in its loop, until the module restarts or dies."""
        push = self._listener(self.board, udp).run()
        if self.config.pull is None:
            return await push
        return await first_ending(push, Puller(self.board, self.config.pull).run())

    @property
    def _listener(self) -> type[Listener]:
        match self.config.generation:
            case Generation.CLASSIC:
                return ClassicListener
            case Generation.CLASSIC_FIRST:
                return FirstClassicListener
        return Esp32Listener if self.config.family is Family.ESP32 else Esp8266Listener

    async def _crash(self) -> Ending:
        """Run for a while, then into an exception or the watchdog."""
        await self.board.pause(self.config.crash_time)
        self.events.add(Seen.CRASHED)
        link = self.board.last_link
        if link is not None and not link.closed and not self.board.has_silenced(link):
            self.board.silence(link, midway=True)
        return Ending.RESTARTS

    async def _boot_and_live(self) -> None:
        if await self._restart():
            await self._live(self._listen())

    async def _up(self) -> None:
        """Tell that the sketch runs: UP at first, BACK after each restart."""
        self.board.reset_unknown()
        if self._advert is not None:
            await self._advert.announce(self._port)
        name = Seen.BACK if self.restarts else Seen.UP
        runs = {"version": self.running_version, "md5": self.running_md5}
        self.events.add(name, **runs, fs_md5=self.board.fs_md5, port=self._port)

    async def _sleep(self) -> None:
        """Hear nothing until the timer resets the chip."""
        assert self.config.pull is not None
        seconds = self.config.pull.poll_interval
        self.events.add(Seen.ASLEEP, seconds=seconds)
        if self._advert is not None:
            self._advert.silence()
        await asyncio.sleep(seconds)

    async def _stay_dead(self) -> None:
        """Hear nothing and say nothing until power returns."""
        self.events.add(Seen.DIED)
        if self._advert is not None:
            self._advert.silence()
        if self.config.revive_after is None:
            await asyncio.get_running_loop().create_future()
            return
        await asyncio.sleep(self.config.revive_after)

    async def _restart(self) -> bool:
        """Reset the chip; tell whether a sketch runs again."""
        if self._advert is not None:
            self._advert.silence()
        self.restarts += 1
        self.events.add(Seen.RESTARTED)
        await self.board.pause(self._offline_time())
        if self.board.strikes(Fault.SLOW_RESTART):
            await self.board.pause(self.config.slow_restart_time)
        if self.board.strikes(Fault.NEVER_BACK):
            return False
        try:
            self.board.boot()
        except BadImageError as error:
            self.events.add(Seen.BRICKED, reason=str(error))
            return False
        return True

    def _offline_time(self) -> float:
        if self.config.offline_time is not None:
            return self.config.offline_time
        seconds = _BOOT_TIME[self.config.family]
        if self.board.staged is not None:
            payload = self.board.staged.payload
            factor = _GZIP_FACTOR if is_gzip(payload) else 1.0
            seconds += _COPY_TIME[self.config.family] * factor * len(payload) / _MIB
        return seconds
