"""What esptool and littlefs-python say of files; run by a Python that has them.

It stands alone: that Python need not be ours, nor be able to import the project. Reads lines of
`[path, chip]` and prints one JSON object for each; chip "" asks for a filesystem.
"""

import json
import sys


def espressif(data, chip):  # noqa: ANN001, ANN201 - no project, no types
    from esptool.bin_image import LoadFirmwareImage

    parts = [data, data[0x1000:]] if chip == "esp8266" else [data]
    for part in parts:
        image = LoadFirmwareImage(chip, part)
        if image.checksum != image.calculate_checksum() and part is not data:
            # elf2bin writes length and CRC in after the checksum was taken over zeros.
            image = LoadFirmwareImage(chip, part[:16] + bytes(8) + part[24:])
        if image.checksum != image.calculate_checksum():
            return {"valid": False, "why": "checksum"}
        if getattr(image, "stored_digest", None) != getattr(image, "calc_digest", None):
            return {"valid": False, "why": "digest"}
        if getattr(image, "chip_id", None) != getattr(image.ROM_LOADER, "IMAGE_CHIP_ID", None):
            return {"valid": False, "why": f"chip id {image.chip_id}"}
    modes = {0: "qio", 1: "qout", 2: "dio", 3: "dout"}
    lowest, highest = getattr(image, "min_rev_full", 0), getattr(image, "max_rev_full", 0)
    return {
        "valid": True,
        "flash_mode": modes.get(image.flash_mode),
        "min_revision": lowest or None,
        "max_revision": highest if highest not in (0, 0xFFFF) else None,
    }


def littlefs(data, _chip):  # noqa: ANN001, ANN201 - same
    from littlefs import LittleFS

    for block in (4096, 8192, 512):
        files = LittleFS(block_size=block, block_count=0, mount=False)
        files.context.buffer = bytearray(data)
        try:
            files.mount()
        except Exception:  # noqa: BLE001 - whatever it is, it is no filesystem of this block
            continue
        for folder, _, names in files.walk("/"):
            for name in names:
                with files.open(f"{folder}/{name}", "rb") as file:
                    file.read()
        return {"valid": True}
    return {"valid": False, "why": "cannot be mounted"}


for line in sys.stdin:
    path, chip = json.loads(line)
    with open(path, "rb") as file:  # noqa: PTH123 - stands alone
        content = file.read()
    try:
        answer = (espressif if chip else littlefs)(content, chip)
    except ImportError as error:
        answer = {"missing": error.name}
    except Exception as error:  # noqa: BLE001 - any refusal is an opinion
        answer = {"valid": False, "why": str(error)}
    print(json.dumps(answer), flush=True)
