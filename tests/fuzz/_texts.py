"""Texts that stand beside images, or list them, and changes to them."""

from collections.abc import Callable
from copy import deepcopy
import json
import random
from typing import Any

MINISIGN_KEY = "RWTaI9if8F67+0WHWWJ0829zouB1XnPO8rvTcKA7/juGY9W8WjMoJpiT"
MINISIG = """untrusted comment: signature from minisign secret key
RUTaI9if8F67+0uJGep7Y7NDYbGhUdOTpGRcnxyymLd/ihaNVE/3UgRXdE36F6TaUdpKLQ8x4tyhSHpbbMV6lB6lVPou0CvWUAM=
trusted comment: garden-valve 1.2.0
i4FkFlYHmh2IljdBIrcpcA4VILPcV+SDYlu2uOTr/dQTFomCatcyQbrrwuQiCbTkB2jQT1MUN8M1ONd631JFDQ==
"""
_PEM = (
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"
)


def _json(content: Any) -> bytes:
    return json.dumps(content).encode()


SIDECARS = (
    _json({"firmware": "garden-valve", "version": "1.2.0", "notes": "Opens slower."}),
    _json({"firmware": "pump", "version": "2", "chip": "ESP32-S3", "kind": "filesystem"}),
    _json({}),
)
FILE_NAMES = (
    b"garden-valve-1.2.0.bin",
    b"pump_v2.0.bin.gz",
    b"garden-1.0.littlefs.bin",
    b"../../etc/passwd-1.0.bin",
)
SIGNATURES = (MINISIG.encode(), MINISIGN_KEY.encode(), _PEM.encode())
_PARTS = [
    {"path": "bootloader.bin", "offset": 4096},
    {"path": "partitions.bin", "offset": 32768},
    {"path": "garden.bin", "offset": 65536},
    {"path": "littlefs.bin", "offset": 2686976},
]
_OTA = {"path": "a.ota.bin", "md5": "0" * 32, "sha256": "f" * 64, "summary": "Better."}
MANIFESTS = (
    _json(
        {
            "name": "Garden valve",
            "version": "1.2.0",
            "new_install_prompt_erase": True,
            "builds": [
                {"chipFamily": "ESP32", "parts": _PARTS},
                {"chipFamily": "ESP32-C3", "parts": [{"path": "all.bin", "offset": 0}]},
                {"chipFamily": "ESP8266", "parts": [{"path": "valve.bin", "offset": 0}]},
                {"chipFamily": "ESP32-S3", "parts": _PARTS, "ota": _OTA},
            ],
        }
    ),
    _json(
        [
            {
                "url": "../pump-1.0.bin",
                "firmware": "pump",
                "version": "1.0",
                "chip": "esp8266",
                "notes": "First.",
                "size": 300000,
                "sha256": "a" * 64,
                "signature": "pump-1.0.bin.minisig",
            }
        ]
    ),
    _json({"releases": [{"url": "https://example.com/a.bin", "kind": "filesystem"}]}),
)
RELEASES = (
    _json(
        [
            {
                "tag_name": "v1.2.0",
                "name": "Spring",
                "draft": False,
                "prerelease": False,
                "body": "## What changed\n- valves",
                "published_at": "2026-03-01T12:00:00Z",
                "assets": [
                    {
                        "name": name,
                        "state": "uploaded",
                        "size": 400000,
                        "digest": "sha256:" + "b" * 64,
                        "url": "https://api.example.com/assets/1",
                        "browser_download_url": f"https://example.com/{name}",
                    }
                    for name in ("garden-1.2.0.bin", "garden-1.2.0.bin.minisig", "notes.txt")
                ],
            },
            {"tag_name": "v2-rc", "prerelease": True, "assets": []},
            {"tag_name": None, "draft": True},
        ]
    ),
    _json({"message": "API rate limit exceeded", "documentation_url": "https://example.com"}),
)

_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1 << 70, 1.5, 1e308, float("inf"), float("nan"), "", " ", "x" * 3000, "\0",
    "\ud800", "é\u202e", "..", "http://[::1", "http://a:99999/", "javascript:1", "//b/c", "%zz",
    "1.0", "ESP32", [], [[]], {}, {"": {}}, [None] * 300,
)  # fmt: skip
_PIECES = (
    b'"', b"{", b"}", b"[" * 2000, b"\\u0000", b"\xff", b"\n", b"9" * 400, b"1.0", b"==", b",",
)  # fmt: skip


def changed_text(text: bytes, source: random.Random) -> bytes:
    """Return a copy with odd values where it is JSON, or with odd pieces anywhere."""
    if source.random() < 0.6:
        try:
            content = json.loads(text)
        except (ValueError, RecursionError):  # fmt: skip
            pass
        else:
            for _ in range(source.choice((1, 1, 2, 5))):
                content = _with_odd_value(content, source)
            return json.dumps(content).encode("utf-8", "surrogatepass")
    data = bytearray(text)
    for _ in range(source.choice((0, 1, 2, 6))):
        at = source.randrange(len(data) + 1)
        data[at : at + source.choice((0, 1, 3))] = source.choice(_PIECES)
    return bytes(data)


def _with_odd_value(content: Any, source: random.Random) -> Any:
    """Return JSON with one value, at any depth, exchanged, doubled or left out."""
    places = list(_places(content))
    if not places:
        return deepcopy(source.choice(_VALUES))
    where, key = source.choice(places)
    act: Callable[[], Any] = source.choice((_exchange, _exchange, _leave_out, _double))
    act(where, key, source)
    return content


def _exchange(where: Any, key: Any, source: random.Random) -> None:
    where[key] = deepcopy(source.choice(_VALUES))


def _leave_out(where: Any, key: Any, _source: random.Random) -> None:
    del where[key]


def _double(where: Any, key: Any, _source: random.Random) -> None:
    if isinstance(where, list):
        where.insert(key, deepcopy(where[key]))
    else:
        where[f"{key}2"] = deepcopy(where[key])


def _places(content: Any) -> Any:
    """Yield every list or object with each of its keys, at most so deep as Python may go."""
    stack = [content] if isinstance(content, (dict, list)) else []
    while stack:
        where = stack.pop()
        keys = where.keys() if isinstance(where, dict) else range(len(where))
        for key in list(keys):
            yield where, key
            if isinstance(where[key], (dict, list)):
                stack.append(where[key])
