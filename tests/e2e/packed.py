"""`script/check-zip`: the main job, by a zip alone, in a Home Assistant that has nothing else.

A module is discovered, added and updated, and its own word is the proof. It needs no browser, so
that it runs on every Home Assistant there is an environment for.
"""

import asyncio
from pathlib import Path
import sys
import time

from homeassistant.const import __version__

from .bench import Setting, bench
from .flows import add_discovered, discovered
from .home import ROOT
from .modules import GARDEN_VALVE, NEW, OLD

_EMPTY = """\
homeassistant:
  time_zone: UTC
config:
zeroconf:
logger:
  default: warning
  logs:
    custom_components.esp_ota: info
"""


async def main(package: Path) -> int:
    """Install from the zip, update a module, and return 0 when it is proven to run."""
    begin, module = time.monotonic(), GARDEN_VALVE
    setting = Setting(package=package, configuration=_EMPTY)
    async with bench(setting, [module], arguments=("--sector-time=0.005",)) as running:
        installed = running.home.config / "custom_components" / "esp_ota"
        assert installed.is_dir()
        assert not installed.is_relative_to(ROOT / "custom_components")
        client = running.client
        await discovered(client, module.name)
        await add_discovered(client, module.name, {"equipment": "nothing"})
        await client.wait_until(
            f"the card offers {NEW}",
            lambda: client.attributes(module.update_entity).get("latest_version") == NEW,
        )
        assert client.attributes(module.update_entity)["installed_version"] == OLD
        await client.action("update.install", module.update_entity)
        card = client.attributes(module.update_entity)
        assert card["installed_version"] == NEW
        assert not card["installed_is_assumed"]
        assert card["last_verdict"] == "verified"
        async with asyncio.timeout(10):
            while running.modules[module.name].version != NEW:  # noqa: ASYNC110 - its own word
                await asyncio.sleep(0.1)
        complaints = [
            line
            for line in running.home.log.read_text("utf-8", "replace").splitlines()
            if "esp_ota" in line
            and any(word in line for word in ("ERROR", "Traceback", "Detected that"))
        ]
        assert not complaints, complaints
    seconds = time.monotonic() - begin
    print(f"Home Assistant {__version__}: {package.name} updated {module.name}, {seconds:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]).resolve())))
