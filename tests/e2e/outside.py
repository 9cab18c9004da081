"""One update of a module that is not ours: `script/demo --once --module HOST:PORT --image FILE`."""

from dataclasses import dataclass
import hashlib
import json
from pathlib import Path
import re
from typing import Self

from tests.virtual_module import read_marker
from tests.virtual_module.inspect_image import gunzip, is_gzip

from .bench import Bench
from .client import Client
from .flows import add_by_hand, configure, repairs
from .home import Home
from .timeline import Timeline
from .watch import Target, Watch

_OFFER_SECONDS = 8.0
"""A file in the watched folder is taken within 5 s."""
_FILE_NAME = re.compile(r"(?P<name>[A-Za-z0-9][\w.+-]*?)[-_]v?(?P<version>\d+(?:\.\d+)+[\w.+-]*)")
GOOD = {"verified", "unverified"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where a module listens."""

    host: str
    port: int
    password: str | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read HOST:PORT[,PASSWORD]; raises ValueError."""
        address, _, password = text.partition(",")
        host, _, port = address.rpartition(":")
        if not host:
            raise ValueError(f"{address} is not HOST:PORT")
        return cls(host=host, port=int(port), password=password or None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Firmware:
    """A file to install, with the name and version it goes by here."""

    path: Path
    name: str
    version: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """Take both from the image's marker, else from the file's name, else make them up."""
        data = path.read_bytes()
        stem = path.name.removesuffix(".gz").removesuffix(".bin")
        if found := read_marker(gunzip(data) if is_gzip(data) else data):
            name, version = found
        elif parsed := _FILE_NAME.fullmatch(stem):
            name, version = parsed["name"], parsed["version"]
        else:
            name = re.sub(r"[^\w.+-]", "-", stem, flags=re.ASCII).lstrip("_.+-")[:64] or "sketch"
            version = f"md5.{hashlib.md5(data).hexdigest()[:8]}"
        return cls(path=path, name=name, version=version)

    def place(self, home: Home) -> None:
        """Put it where Home Assistant finds it."""
        ending = ".bin.gz" if self.path.name.endswith(".gz") else ".bin"
        target = home.firmware_folder / f"{self.name}-{self.version}{ending}"
        target.parent.mkdir(parents=True, exist_ok=True)
        said = {"firmware": self.name, "version": self.version}
        target.with_name(f"{target.name}.json").write_text(json.dumps(said))
        target.write_bytes(self.path.read_bytes())


async def _update_entity(client: Client, entry_id: str) -> str:
    for entity in await client.command("config/entity_registry/list"):
        entity_id = str(entity["entity_id"])
        if entity["config_entry_id"] == entry_id and re.match("update.*_firmware$", entity_id):
            return entity_id
    raise LookupError("Home Assistant made no update entity for the module")


async def update_outside(
    bench: Bench, timeline: Timeline, address: Address, firmware: Firmware
) -> Watch:
    """Add the module by its address, press Update and wait for the end."""
    client = bench.client
    firmware.place(bench.home)
    answers = {"host": address.host, "port": address.port, "equipment": "nothing"}
    if address.password:
        answers["password"] = address.password
    entry_id = await add_by_hand(client, "esp_ota", answers, step="address")
    timeline.tell(f"{address.host}:{address.port} answered and was added")
    # Who names the file on the command line says that it belongs on this module.
    accepted = ["chip", "packing", "firmware"]
    chosen = {"firmware": firmware.name, "accepted_checks": accepted}
    await configure(client, entry_id, "firmware", chosen)
    entity_id = await _update_entity(client, entry_id)
    try:
        await client.wait_until(
            f"the card offers {firmware.version}",
            lambda: client.attributes(entity_id).get("latest_version") == firmware.version,
            _OFFER_SECONDS,
        )
    except TimeoutError as err:  # an older version is not offered, but can be asked for
        timeline.tell(str(err))
        for issue in await repairs(client):
            timeline.tell(f"repair: {issue['translation_key']} {issue['translation_placeholders']}")
    watch = Watch(client, timeline, Target(entity_id=entity_id))
    await watch.press_update(version=firmware.version)
    return watch
