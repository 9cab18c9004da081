"""Archives of cpio, as far as a container (.swu) needs them."""

_TRAILER = "TRAILER!!!"


def container(files: list[tuple[str, bytes]]) -> bytes:
    """Return a cpio archive (`newc`) of files, in their order."""
    data = bytearray()
    for number, (name, content) in enumerate([*files, (_TRAILER, b"")], start=1):
        mode = 0 if name == _TRAILER else 0o100644
        numbers = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        data += b"070701" + b"".join(b"%08X" % item for item in numbers)
        for piece in (name.encode() + b"\0", content):
            data += piece
            data += bytes(-len(data) % 4)
    return bytes(data)
