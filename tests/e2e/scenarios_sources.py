"""How firmware gets here by itself, and how the wrong one gets no further."""

import asyncio
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
import tempfile
import time
from typing import override

from tests.virtual_module import build_image

from .bench import Bench
from .garden import Json
from .home import Home
from .modules import GARDEN_VALVE, NEW, Module
from .scenario import Outcome, Scenario, untouched, verified
from .timeline import Timeline

_PATH = "/api/esp_ota/firmware"
_OTHER_CHIP = "garden-valve-esp32.bin"


class Unpublished(Module):
    """A module whose new firmware nobody has put into the watched folder."""

    @override
    def place_firmware(self, folder: Path, version: str = NEW) -> None:
        """Leave the folder empty."""


class CiUpload(Scenario):
    """`curl`, as in docs/build-machines.md, with a token made for it."""

    name = "ci-upload"
    summary = "a build machine posts firmware with a token; its card shows it, and it is installed"
    module = Unpublished(**{item.name: getattr(GARDEN_VALVE, item.name) for item in fields(Module)})

    _refused: str
    _shown_after: float

    @override
    async def set_up(self, bench: Bench, timeline: Timeline) -> str:
        entry_id = await super().set_up(bench, timeline)
        client, entity_id = bench.client, self.module.update_entity
        token = await client.command(
            "auth/long_lived_access_token", client_name="build machine", lifespan=1
        )
        self._refused = await self._post(bench.home, token, b"<html>502 Bad Gateway</html>")
        timeline.tell(f"an error page instead of firmware: {self._refused}")
        answer = await self._post(bench.home, token, self.module.image())
        posted = time.monotonic()
        timeline.tell(f"the firmware: {answer}")
        await client.wait_until(
            f"the card offers {NEW}",
            lambda: client.attributes(entity_id).get("latest_version") == NEW,
        )
        self._shown_after = time.monotonic() - posted
        timeline.tell(f"the card shows it {self._shown_after:.1f} s after the upload has ended")
        return entry_id

    async def _post(self, home: Home, token: str, data: bytes) -> str:
        """Post a file and return what curl prints."""
        with tempfile.NamedTemporaryFile(suffix=".bin") as file:
            file.write(data)
            file.flush()
            curl = await asyncio.create_subprocess_exec(
                "curl",
                "--silent",
                "--fail-with-body",
                "--header",
                f"Authorization: Bearer {token}",
                "--form",
                f"file=@{file.name}",
                "--form",
                f"notes={self.module.notes}",
                home.url + _PATH,
                stdout=asyncio.subprocess.PIPE,
            )
            output, _ = await curl.communicate()
        return output.decode()

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        yield from verified(outcome)
        if "This is a web page" not in self._refused:
            yield f"the error page was answered with {self._refused}"
        if self._shown_after > 5:
            yield f"the card showed the upload only after {self._shown_after:.1f} s"
        shown: Json = outcome.watch.shown
        if shown["release_summary"] != self.module.notes:
            yield f"the notes on the card are {shown['release_summary']}"


class WrongImage(Scenario):
    """A build for another chip, of the right firmware and a newer version."""

    name = "wrong-image"
    summary = "an ESP32 image for the ESP8266 in the garden valve: refused, nothing is sent"
    module = GARDEN_VALVE
    verdict = "refused (wrong_chip)"
    _version = "1.2.0"

    @override
    async def set_up(self, bench: Bench, timeline: Timeline) -> str:
        image = build_image("esp32", name=self.module.name, version=self._version)
        (bench.home.firmware_folder / _OTHER_CHIP).write_bytes(image)
        entry_id = await super().set_up(bench, timeline)
        async with asyncio.timeout(5):  # what the watched folder promises
            while not bench.home.said(_OTHER_CHIP, self._version):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        timeline.tell(f"{_OTHER_CHIP} is in the library")
        return entry_id

    @override
    async def press(self, bench: Bench, timeline: Timeline) -> None:
        await bench.client.action(
            "update.install", self.module.update_entity, version=self._version
        )

    @override
    def complaints(self, outcome: Outcome) -> Iterator[str]:
        yield from untouched(outcome)
        if outcome.module.count("invited"):
            yield "the module was invited"
        if outcome.watch.equipment_states:
            yield f"the valve went {outcome.watch.equipment_states}"
        offered = outcome.watch.shown["latest_version"]
        if offered != NEW:
            yield f"the card offers {offered}"
