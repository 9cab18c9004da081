"""The virtual modules of the garden, each a process of its own."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
import json
from pathlib import Path
import signal
from typing import Any, Self

from tests.virtual_module import Chip, build_filesystem, build_image

from .garden import HEATER, PUMP, VALVE, Equipment
from .processes import Child, environment, python

OLD, NEW = "1.0.0", "1.1.0"
_SIZE = 320 * 1024
_FILES_SIZE = 128 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Module:
    """One module: what it is, and what it switches."""

    name: str
    """Host name, and the name of its firmware unless that has another."""
    firmware: str | None = None
    chip: Chip
    host: str
    password: str | None = None
    equipment: Equipment
    shown_as: str | None = None
    """What Home Assistant calls it, where it cannot know the host name."""
    notes: str
    """Release notes of its new firmware."""
    sector_time: float = 0.025
    """Seconds to write 4 kB. A real flash takes 0.05."""

    @property
    def product(self) -> str:
        """The name of its firmware."""
        return self.firmware or self.name

    @property
    def update_entity(self) -> str:
        """The update entity Home Assistant makes for it."""
        return f"update.{(self.shown_as or self.name).replace('-', '_')}_firmware"

    @property
    def files_entity(self) -> str:
        """The update entity of its files."""
        return self.update_entity.replace("_firmware", "_files")

    @property
    def mac(self) -> str:
        """Its MAC, unless another is given when it is switched on."""
        return "5c:cf:7f:00:00:{:02x}".format(int(self.host.rsplit(".", 1)[1]))

    def arguments(self, interface: str) -> list[str]:
        """Return the command line of `python -m tests.virtual_module`."""
        options = {
            "chip": self.chip,
            "host": self.host,
            "hostname": self.name,
            "mac": self.mac,
            "firmware": self.product,
            "version": OLD,
            "size": _SIZE,
            "sector-time": self.sector_time,
            "offline-time": 3,
            "interface": interface,
        }
        if self.password:
            options["password"] = self.password
        return [f"--{key}={value}" for key, value in options.items()]

    def image(self, version: str = NEW) -> bytes:
        """Return its firmware of some version."""
        return build_image(self.chip, name=self.product, version=version, size=_SIZE)

    def files(self, version: str = NEW) -> bytes:
        """Return its filesystem of some version."""
        return build_filesystem(_FILES_SIZE, seed=int(version.replace(".", "")))

    def place_firmware(self, folder: Path, version: str = NEW) -> None:
        """Put a release where Home Assistant finds it, its notes beside it."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.product}-{version}.bin"
        path.with_name(f"{path.name}.json").write_text(json.dumps({"notes": self.notes}))
        path.write_bytes(self.image(version))

    def place_files(self, folder: Path, version: str = NEW) -> None:
        """Put a filesystem image beside the release of the same version."""
        (folder / f"{self.product}-{version}.littlefs.bin").write_bytes(self.files(version))


GARDEN_VALVE = Module(
    name="garden-valve",
    chip=Chip.ESP8266,
    host="127.0.0.2",
    equipment=VALVE,
    notes="Closes the valve by itself when the water runs for more than two hours.",
)
WELL_PUMP = Module(
    name="well-pump",
    chip=Chip.ESP8266,
    host="127.0.0.3",
    password="deep-water",
    equipment=PUMP,
    notes="Stops the pump when it runs dry.",
)
GREENHOUSE_HEATER = Module(
    name="greenhouse-heater",
    chip=Chip.ESP32,
    host="127.0.0.4",
    password="warm-roots",
    equipment=HEATER,
    notes="Measures the temperature every ten seconds instead of every minute.",
)
MODULES = (GARDEN_VALVE, WELL_PUMP, GREENHOUSE_HEATER)


@dataclass(frozen=True, slots=True)
class Happened:
    """One event inside a module: the truth that Home Assistant's word is compared with."""

    at: float
    """Seconds of the machine's monotonic clock, which all processes share."""
    name: str
    details: dict[str, Any] = field(default_factory=dict)


type Listener = Callable[[Happened], None]


class RunningModule:
    """A virtual module's process and what it told."""

    def __init__(self, module: Module, child: Child) -> None:
        """Take over a started process."""
        self.module = module
        self.events: list[Happened] = []
        self.listeners: list[Listener] = []
        self._child = child
        self._up = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, module: Module, interface: str, *more: str) -> Self:
        """Start a module and wait until it answers."""
        command = python("tests.virtual_module", *module.arguments(interface), *more)
        child = await Child.start(command, stdout=asyncio.subprocess.PIPE, env=environment())
        running = cls(module, child)
        try:
            async with asyncio.timeout(20):
                await running._up.wait()
        except BaseException:
            await running.end()
            raise
        return running

    async def _read(self) -> None:
        output = self._child.process.stdout
        assert output is not None
        async for line in output:
            content = json.loads(line)
            happened = Happened(content.pop("time"), content.pop("event"), content)
            self.events.append(happened)
            self._up.set()
            for listener in self.listeners:
                listener(happened)

    def count(self, name: str) -> int:
        """Return how often something happened."""
        return sum(event.name == name for event in self.events)

    def times(self, name: str) -> list[float]:
        """Return when something happened, on the machine's monotonic clock."""
        return [event.at for event in self.events if event.name == name]

    def told(self, name: str, detail: str) -> Any:
        """Return a detail of the newest event of a kind, None when there is none."""
        found = [event.details.get(detail) for event in self.events if event.name == name]
        return found[-1] if found else None

    def started_with(self, detail: str) -> Any:
        """Return what the module's last start told about what runs, None before the first."""
        starts = [event.details for event in self.events if event.name in {"up", "back"}]
        return starts[-1].get(detail) if starts else None

    @property
    def version(self) -> str | None:
        """The version that really runs."""
        version: str | None = self.started_with("version")
        return version

    @property
    def md5(self) -> str | None:
        """The MD5 of what really runs, unpacked."""
        md5: str | None = self.started_with("md5")
        return md5

    @property
    def files_md5(self) -> str | None:
        """The MD5 of its filesystem, None when it never had one."""
        md5: str | None = self.started_with("fs_md5")
        return md5

    async def is_back(self) -> None:
        """Wait until it tells that it runs after its last restart; others may hear it earlier.

        Raises TimeoutError when it does not within ten seconds.
        """
        async with asyncio.timeout(10):
            while self.count("back") < self.count("restarted"):  # noqa: ASYNC110 - a process
                await asyncio.sleep(0.05)

    def sleep(self) -> None:
        """Have it sleep most of the time from now on; it was started with `--asleep`."""
        self._child.process.send_signal(signal.SIGUSR1)

    async def end(self) -> None:
        """Switch it off."""
        await self._child.end()
        self._reading.cancel()
