"""Screenshots for the documentation, renewed only when something in them changed."""

from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops
from playwright.async_api import FloatRect, Page, ViewportSize

from .home import ROOT

FOLDER = ROOT / "docs" / "images"
CARD: FloatRect = {"x": 310, "y": 0, "width": 660, "height": 510}
"""Where the dialog of an entity is."""
DASHBOARD: FloatRect = {"x": 0, "y": 0, "width": 1280, "height": 380}
"""The part of the garden's dashboard that is not empty."""
DISCOVERED: FloatRect = {"x": 0, "y": 0, "width": 1280, "height": 440}
"""The part of the integrations that shows what was discovered."""
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
    whole: bool = False,
    tolerance: float = _TOLERANCE,
    folder: Path = FOLDER,
) -> Path:
    """Write `NAME.png`, unless the one there looks the same.

    Of a part of the window, or of the whole page in a window that is as high.
    """
    size = page.viewport_size
    if whole and size is not None:
        height = await page.evaluate("() => document.documentElement.scrollHeight")
        await page.set_viewport_size(ViewportSize(width=size["width"], height=height))
    await page.mouse.move(0, 0)
    await page.wait_for_timeout(_SETTLE)
    new = await page.screenshot(animations="disabled", style=_STYLE, clip=clip)
    if whole and size is not None:
        await page.set_viewport_size(size)
    path = folder / f"{name}.png"
    if not _same(path, new, tolerance):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(new)
    return path
