#!/usr/bin/env bash
# One would guess: an image that is shorter than its superblock says was cut off, and the newest
#   tool makes images that older firmware mounts.
# True: `create --compact --no-pad` writes only the blocks in use, and all files are whole in them;
#   and `create` always writes version 2.1 on disk, which littlefs before 2.6 refuses (so does the
#   ESP8266 core's), without an option for 2.0: only the Python interface has disk_version.
# Seen with littlefs-python 0.19.0 (littlefs 2.11).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet littlefs-python==0.19.0
mkdir "$folder/files"
head -c 30000 /dev/zero | tr '\0' 'x' >"$folder/files/page.html"
tool="$folder/venv/bin/littlefs-python"
"$tool" create --block-size 4096 --fs-size 1048576 --compact --no-pad "$folder/files" "$folder/image"
"$folder/venv/bin/python" - "$folder/image" <<'PYTHON'
import sys

from littlefs import LittleFS

with open(sys.argv[1], "rb") as file:
    image = file.read()
files = LittleFS(block_size=4096, block_count=0, mount=False)
files.context.buffer = bytearray(image)
files.mount()
with files.open("/page.html", "rb") as file:
    content = len(file.read())
size, version = files.block_count * 4096, files.fs_stat().disk_version
print(f"{len(image)} of {size} bytes, version {version:#x}, the file has {content} bytes")
assert (size, version, content) == (1048576, 0x20001, 30000)
assert len(image) < 65536

old = LittleFS(block_size=4096, block_count=16, disk_version=0x20000)
print(f"with disk_version=0x20000: {old.fs_stat().disk_version:#x}")
assert old.fs_stat().disk_version == 0x20000
PYTHON
if "$tool" create --help | grep --ignore-case --quiet "disk"; then
  echo "there is an option for the version now"
  exit 1
fi
