"""Whatever an image begins with: text is told from numbers that count up, and from code."""

import io
import random
import struct
import tarfile

import pytest

from custom_components.esp_ota.ota import Cause, Chip, read_image
from tests.ota.image.bytes_of_images import refused
from tests.virtual_module import build_image
from tests.virtual_module.checksums import crc32_msb_first


def _tar(name: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = 4096
        archive.addfile(member, io.BytesIO(bytes(4096)))
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (_tar("release/littlefs.bin"), Cause.ARCHIVE_FILE),
        (_tar("./build/littlefs.bin"), Cause.ARCHIVE_FILE),
        (b'{"fs": "littlefs", "size": 1024}', Cause.JSON_FILE),
        (b'{"fstype": "littlefs", "size": 1024}', Cause.JSON_FILE),
        (b"<h1>The littlefs page</h1>", Cause.HTML_PAGE),
    ],
    ids=["tar", "tar of dots", "json", "json of types", "page"],
)
def test_a_file_that_only_names_littlefs_is_none(data: bytes, cause: Cause) -> None:
    assert refused(data).cause is cause


@pytest.mark.parametrize("begin", [b"<\x8c\xc2,7", b"\r\n<\0a", b"<a\0", b"<!\x01", b"< <"])
def test_code_that_begins_as_a_page_might_is_code(begin: bytes) -> None:
    """An image for the RP2040 has no magic, and an encrypted one may begin with anything."""
    boot = (begin + random.Random(1).randbytes(252))[:252]
    image = boot + struct.pack("<I", crc32_msb_first(boot)) + build_image("rp2040")[256:]
    assert read_image(image).chip is Chip.RP2040
    assert refused(begin + random.Random(0).randbytes(8192)).cause is Cause.ENCRYPTED_IMAGE
