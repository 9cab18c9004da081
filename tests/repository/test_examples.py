"""The examples of the documentation, run against a real Home Assistant."""

import asyncio
from collections.abc import Callable
import os
from pathlib import Path
import shutil
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.esp_ota.house import HOUSE
from custom_components.esp_ota.library import Library
from homeassistant.core import HomeAssistant
from tests.kit.entries import firmware
from tests.kit.places import ROOT

EXAMPLES = ROOT / "docs" / "examples"


@pytest.fixture
def library(hass: HomeAssistant, esp_ota: None) -> Library:
    return hass.data[HOUSE].library


@pytest.fixture
async def address(esp_ota: None, hass_client: ClientSessionGenerator) -> str:
    client = await hass_client()
    return str(client.make_url("/"))


class PlatformIo:
    """What the script gets of PlatformIO: its options, and a place for a target."""

    def __init__(self, **options: str) -> None:
        self._options = options
        self.target: dict[str, Any] = {}

    def GetProjectOption(self, name: str, default: str) -> str:  # noqa: N802 - PlatformIO's
        return self._options.get(name, default)

    def AddCustomTarget(self, **target: Any) -> None:  # noqa: N802 - PlatformIO's
        self.target = target

    def run(self, image: Path) -> int:
        script = EXAMPLES / "esp_ota_upload.py"
        names = {"env": self, "Import": lambda _: None}
        exec(compile(script.read_text(), str(script), "exec"), names)
        send: Callable[..., int] = self.target["actions"][0]
        return send([], [image], self)


async def test_platformio_leaves_a_build_in_the_library(
    hass: HomeAssistant,
    library: Library,
    address: str,
    hass_access_token: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ESP_OTA_URL", address)
    monkeypatch.setenv("ESP_OTA_TOKEN", hass_access_token)
    image = tmp_path / "firmware.bin"

    image.write_bytes(firmware("1.1.0"))
    assert await hass.async_add_executor_job(PlatformIo().run, image) == 0
    image.write_bytes(firmware("", name=""))
    said = PlatformIo(custom_firmware="pump", custom_version="2.0.0")
    assert await hass.async_add_executor_job(said.run, image) == 0
    assert {(item.firmware, item.version) for item in library.releases} == {
        ("garden-valve", "1.1.0"),
        ("pump", "2.0.0"),
    }

    image.write_bytes(b"<html>")
    assert await hass.async_add_executor_job(PlatformIo().run, image) == 1
    assert "This is a web page" in capfd.readouterr().err


@pytest.mark.skipif(shutil.which("curl") is None, reason="the example needs curl")
async def test_arduino_cli_leaves_a_build_in_the_library(
    library: Library, address: str, hass_access_token: str, tmp_path: Path
) -> None:
    (tmp_path / "built.bin").write_bytes(firmware("1.1.0"))
    compiler = tmp_path / "bin" / "arduino-cli"
    compiler.parent.mkdir()
    compiler.write_text(
        '#!/bin/sh\ntest "$1 $2 $3 $4" = "compile --fqbn a:b:c --output-dir" || exit 9\n'
        f'cp "{tmp_path}/built.bin" "$5/$(basename "$6").ino.bin"\n'
    )
    compiler.chmod(0o755)
    environment = {
        "PATH": f"{compiler.parent}:{os.environ['PATH']}",
        "ESP_OTA_URL": address,
        "ESP_OTA_TOKEN": hass_access_token,
    }

    async def run() -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            EXAMPLES / "arduino-cli-upload",
            "a:b:c",
            "sketches/garden/",
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return process.returncode, output.decode()

    code, output = await run()
    assert (code, '"version":"1.1.0"' in output) == (0, True), output
    assert [item.version for item in library.releases] == ["1.1.0"]

    (tmp_path / "built.bin").write_bytes(b"<html>")
    code, output = await run()
    assert code != 0
    assert "This is a web page" in output
