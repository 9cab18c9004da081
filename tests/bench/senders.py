"""One push, by our transport or by a sender that works as the cores' `espota.py` does.

    python -m tests.bench.senders ours|lockstep HOST PORT IMAGE

Prints one JSON line with the CPU seconds that reading, hashing and sending took.
"""

import asyncio
import hashlib
import json
from pathlib import Path
import resource
import secrets
import socket
import sys
import time
from typing import Final

from custom_components.esp_ota.ota import ArduinoOtaPush, Fixed, ImageKind, Payload

_CHUNK: Final = 1460
_TIMEOUT: Final = 10.0


def ours(host: str, port: int, path: Path) -> None:
    """Send with the transport under measurement."""
    data = path.read_bytes()
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    payload = Payload(data=data, kind=ImageKind.SKETCH, md5=md5)
    push = ArduinoOtaPush(Fixed(host, port))
    asyncio.run(
        push.send(payload, before_first_byte=lambda: None, on_progress=lambda _sent, _total: None)
    )


def lockstep(host: str, port: int, path: Path) -> None:
    """Send 1460 bytes, read once, and again, with a progress bar, as the reference tool works."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as server:
        server.bind(("0.0.0.0", 10000 + secrets.randbelow(50000)))
        server.listen(1)
        size = path.stat().st_size
        md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(_TIMEOUT)
            message = f"0 {server.getsockname()[1]} {size} {md5}\n"
            udp.sendto(message.encode(), (host, port))
            udp.recv(128)
        server.settimeout(_TIMEOUT)
        connection, _ = server.accept()
    sent = 0
    with connection, path.open("rb") as file:
        connection.settimeout(_TIMEOUT)
        while chunk := file.read(_CHUNK):
            sent += len(chunk)
            sys.stderr.write(f"\rUploading: {sent * 100 // size}% ")
            sys.stderr.flush()
            connection.settimeout(_TIMEOUT)
            connection.sendall(chunk)
            last = connection.recv(10)
        connection.settimeout(60)
        while b"O" not in last:
            last = connection.recv(32)


def main() -> None:
    """Send once and print what it cost."""
    how, host, port, path = sys.argv[1:]
    begin, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
    {"ours": ours, "lockstep": lockstep}[how](host, int(port), Path(path))
    after, end = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"cpu": cpu, "wall": end - begin}))


if __name__ == "__main__":
    main()
