"""Which board an update page says it is on, where its library puts a part of the MAC there."""

import json
import re
from typing import Final

from ..causes import Cause
from ..exceptions import InstallRefused

_CHIP_ID: Final = re.compile(r"[0-9]{6,8}")
"""ESP8266: the MAC's last three bytes as a number; shorter ones may be a sketch's own (`setID`)."""
_EFUSE: Final = re.compile(r"[0-9A-F]{8}")
"""ESP32: the MAC's first four bytes, the last of them first."""


def raise_for_other_board(page: bytes, mac: str | None) -> None:
    """Raise InstallRefused where `/update/identity` is certainly that of another board.

    AsyncElegantOTA (`AsyncElegantOTA.cpp`, `getID`): `ESP.getChipId()` in decimal, or the lower
    half of `ESP.getEfuseMac()` in hex. A sketch may set any text instead, which proves nothing.
    """
    if mac is None:
        return
    try:
        said = json.loads(page)
        hardware, found = str(said["hardware"]), str(said["id"])
    except ValueError, KeyError, TypeError, RecursionError:
        return
    known = bytes.fromhex(mac.replace(":", ""))
    if hardware == "ESP8266" and _CHIP_ID.fullmatch(found):
        other = int(found) != int.from_bytes(known[3:])
    elif hardware == "ESP32" and _EFUSE.fullmatch(found):
        first = bytes.fromhex(found)[::-1]
        other = first[:3] == known[:3] and first[3] != known[3]
    else:
        return
    if other:
        raise InstallRefused(Cause.WRONG_MODULE, expected=mac, found=found)
