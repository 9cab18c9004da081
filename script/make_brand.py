"""Draw the pictures in `custom_components/esp_ota/brand`: a chip, and an arrow up in a drop.

Usage: .venv/bin/python script/make_brand.py
"""

from math import acos, cos, pi, sin
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

BRAND = Path("custom_components/esp_ota/brand")
# One tone that is seen on light and on dark pages alike, so that no dark variants are needed.
CHIP = "#0f8a94"
DROP = "#ffffff"
# All lengths are in units of a 256th of the icon's side; drawn larger, then shrunk smooth.
UNITS = 256
FINE = 8


def _drop(x: float, y: float, radius: float, height: float) -> list[tuple[float, float]]:
    """Return the outline of a drop: a circle around (x, y) and two flanks up to its tip."""
    tip = (x, y - height)
    # Where a straight flank would touch the circle; the flanks leave it in that direction.
    angle = acos(radius / height)
    start, end = -pi / 2 + angle, 3 * pi / 2 - angle
    steps = 180
    arc = [
        (x + radius * cos(a), y + radius * sin(a))
        for a in (start + (end - start) * step / steps for step in range(steps + 1))
    ]
    return [tip, *arc]


def icon(side: int) -> Image.Image:
    """Draw the icon."""
    scale = side * FINE / UNITS
    image = Image.new("RGBA", (side * FINE, side * FINE))
    draw = ImageDraw.Draw(image)

    def box(left: float, top: float, right: float, bottom: float, round_: float) -> None:
        corners = [left * scale, top * scale, right * scale, bottom * scale]
        draw.rounded_rectangle(corners, round_ * scale, fill=CHIP)

    def shape(points: list[tuple[float, float]], color: str) -> None:
        draw.polygon([(x * scale, y * scale) for x, y in points], fill=color)

    for middle in (72, 109.33, 146.67, 184):
        box(8, middle - 9, 248, middle + 9, 9)
        box(middle - 9, 8, middle + 9, 248, 9)
    box(32, 32, 224, 224, 34)
    shape(_drop(128, 145, 52, 94), DROP)
    shape([(128, 104), (160, 142), (96, 142)], CHIP)
    shape([(116, 140), (140, 140), (140, 176), (116, 176)], CHIP)
    return image.resize((side, side), Image.Resampling.LANCZOS)


def logo(height: int) -> Image.Image:
    """Draw the icon with the name beside it."""
    font = ImageFont.load_default(height * 0.56)
    left, top, right, bottom = font.getbbox("ESP OTA")
    gap = height * 0.14
    image = Image.new("RGBA", (round(height + gap + right - left), height))
    image.paste(icon(height))
    corner = (height + gap - left, (height - bottom - top) / 2)
    ImageDraw.Draw(image).text(corner, "ESP OTA", CHIP, font, stroke_width=height / 90)
    return image


def main() -> None:
    """Write all pictures."""
    BRAND.mkdir(exist_ok=True)
    for name, image in {
        "icon.png": icon(256),
        "icon@2x.png": icon(512),
        "logo.png": logo(128),
        "logo@2x.png": logo(256),
    }.items():
        image.save(BRAND / name, optimize=True)


if __name__ == "__main__":
    main()
