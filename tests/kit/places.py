"""Where things are in this repository."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
INTEGRATION: Final = ROOT / "custom_components" / "esp_ota"
ENGLISH: Final = INTEGRATION / "translations" / "en.json"
