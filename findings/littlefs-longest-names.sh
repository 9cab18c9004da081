#!/usr/bin/env bash
# One would guess: how long names may be is the writer's business; whoever mounts an image looks at the
#   names that are in it, and one with a single short name mounts everywhere.
# True: the longest name that its maker would have allowed stands in the superblock, and a littlefs that
#   was compiled with less refuses to mount, whatever the names are; less mounts in more. littlefs-python
#   writes 255 by itself, the ESP8266's Arduino core is compiled with 32, and formats what it cannot mount.
# Seen with littlefs-python 0.19.0 (littlefs 2.11).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet littlefs-python==0.19.0
mkdir "$folder/files"
echo hello >"$folder/files/a.txt"
tool="$folder/venv/bin/littlefs-python"
"$tool" create --block-size 4096 --fs-size 65536 "$folder/files" "$folder/usual"
"$tool" create --block-size 4096 --fs-size 65536 --name-max 32 "$folder/files" "$folder/short"
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
from pathlib import Path
import sys

from littlefs import LittleFS, LittleFSError


def mounts(image, longest):
    files = LittleFS(block_size=4096, block_count=16, name_max=longest, mount=False)
    files.context.buffer = bytearray(image)
    try:
        files.mount()
    except LittleFSError as error:
        return error.code
    return files.listdir("/")


seen = {
    made: {longest: mounts((Path(sys.argv[1]) / made).read_bytes(), longest) for longest in (32, 255)}
    for made in ("usual", "short")
}
for made, answers in seen.items():
    for longest, answer in answers.items():
        print(f"made {made}, mounted by one that knows names of {longest}: {answer}")
assert seen["usual"] == {32: -22, 255: ["a.txt"]}, seen
assert seen["short"] == {32: ["a.txt"], 255: ["a.txt"]}, seen
PYTHON
