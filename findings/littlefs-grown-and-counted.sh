#!/usr/bin/env bash
# One would guess: a LittleFS that was grown mounts for whoever gives its new number of blocks.
# True: once it was written to a lot (the superblock moved on), only block_count=0 mounts it. The
#   first superblock keeps the old number, and littlefs compares each superblock that it passes, so
#   neither the new number nor the old one is accepted. Firmware that gives a number formats it.
# Seen with littlefs-python 0.19.0 (littlefs 2.11).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet littlefs-python==0.19.0
"$folder/venv/bin/python" - <<'PYTHON'
from littlefs import LittleFS, LittleFSError


def grown(writes, block_cycles):
    files = LittleFS(block_size=4096, block_count=128, block_cycles=block_cycles)
    for number in range(writes):
        with files.open(f"/file{number % 3}", "wb") as file:
            file.write(b"x" * 50)
    files.context.buffer += b"\xff" * (4096 * 128)
    files.fs_grow(256)
    return bytes(files.context.buffer)


def mounts(image, count):
    files = LittleFS(block_size=4096, block_count=count, mount=False)
    files.context.buffer = bytearray(image)
    try:
        files.mount()
    except LittleFSError as error:
        return str(error.code)
    return f"{files.block_count} blocks, {len(files.listdir('/'))} files"


seen = {
    name: {count: mounts(image, count) for count in (0, 256, 128)}
    for name, image in {"fresh": grown(5, 500), "worn": grown(3000, 5)}.items()
}
for name, answers in seen.items():
    print(name, answers)
assert seen["fresh"] == {0: "256 blocks, 3 files", 256: "256 blocks, 3 files", 128: "-22"}
assert seen["worn"] == {0: "256 blocks, 3 files", 256: "-22", 128: "-22"}
PYTHON
