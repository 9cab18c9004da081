"""Screenshots for the documentation, renewed only when something in them changed."""

from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops
from playwright.async_api import FloatRect, Page

from .home import ROOT

FOLDER = ROOT / "docs" / "images"
CARD: FloatRect = {"x": 310, "y": 0, "width": 660, "height": 510}
"""Where the dialog of an entity is."""
DASHBOARD: FloatRect = {"x": 0, "y": 0, "width": 1280, "height": 380}
"""The part of the garden's dashboard that is not empty."""
_SETTLE = 700
"""Milliseconds for dialogs to arrive and icons to load."""
_NOTICED = 40
"""Difference of one colour value (0 to 255) that an eye sees; less is font smoothing."""
_TOLERANCE = 0.0005
"""Part of a picture that may differ: a badge that comes late is less, a sentence more."""
LIVELY = 0.02
"""The same for a picture with a progress bar."""
# "7 seconds ago" is different in every run.
_STYLE = "ha-relative-time { visibility: hidden !important; }"


def _same(old: Path, new: bytes, tolerance: float) -> bool:
    if not old.exists():
        return False
    with Image.open(old) as before, Image.open(BytesIO(new)) as after:
        if before.size != after.size:
            return False
        difference = ImageChops.difference(before.convert("L"), after.convert("L"))
        changed = sum(difference.histogram()[_NOTICED:])
    return changed <= tolerance * after.width * after.height


async def take_picture(
    page: Page,
    name: str,
    *,
    clip: FloatRect | None = None,
    tolerance: float = _TOLERANCE,
    folder: Path = FOLDER,
) -> Path:
    """Write `NAME.png`, of a part of the page, unless the one there looks the same."""
    await page.mouse.move(0, 0)
    await page.wait_for_timeout(_SETTLE)
    new = await page.screenshot(animations="disabled", style=_STYLE, clip=clip)
    path = folder / f"{name}.png"
    if not _same(path, new, tolerance):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(new)
    return path
