"""What a real Home Assistant needs besides: its configuration, and both integrations as files."""

import json
from pathlib import Path
import shutil
from typing import Final

from .config import store
from .lives import Lives
from .template import make_template

_HERE: Final = Path(__file__).parent
_ROOT: Final = _HERE.parent.parent
_CONFIGURATION: Final = """\
homeassistant:
  name: Garden
  latitude: 52.0
  longitude: 5.0
  elevation: 0
  unit_system: metric
  time_zone: UTC
  country: NL
  language: en
  currency: EUR
api:
zeroconf:
logger:
  default: warning
torture_garden:
"""


async def make_real_template(lives: Lives, place: Path, template: Path) -> None:
    """Write a configuration directory, and let a first life take all releases in."""
    ours = template / "custom_components"
    leave = shutil.ignore_patterns("__pycache__")
    shutil.copytree(_ROOT / "custom_components" / "esp_ota", ours / "esp_ota", ignore=leave)
    shutil.copytree(_HERE / "torture_garden", ours / "torture_garden", ignore=leave)
    manifest = ours / "esp_ota" / "manifest.json"
    said = json.loads(manifest.read_text())
    # The waits are shortened before the first house is made.
    manifest.write_text(json.dumps(said | {"after_dependencies": ["torture_garden"]}))
    (template / "configuration.yaml").write_text(_CONFIGURATION)
    store(
        template, "onboarding", 4, 1, {"done": ["core_config", "analytics", "integration", "user"]}
    )
    await make_template(lives, place, template)
