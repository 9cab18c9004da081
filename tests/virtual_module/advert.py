"""What a module says about itself over mDNS.

As `enableArduino()` of each core has it: ESP8266mDNS/src/LEAmDNS.cpp, ESPmDNS/src/ESPmDNS.cpp.
"""

import ipaddress

from zeroconf import IPVersion, ServiceInfo, Zeroconf
from zeroconf.asyncio import AsyncZeroconf

from .board import Board, whole_sectors
from .chips import Family

SERVICE = "_arduino._tcp.local."
_REAL_FLASH = 4 << 20


def txt_record(board: Board) -> dict[str, str]:
    """Return the TXT entries in the order the chip's core adds them; classics have none."""
    config = board.config
    if config.classic:
        return {}
    name = config.board or config.facts.board
    auth = "yes" if config.locked else "no"
    fixed = {"tcp_check": "no", "ssh_upload": "no"}
    if config.family is Family.ESP32:
        entries = {"board": name} | fixed | {"auth_upload": auth}
    else:
        entries = fixed | {"board": name, "auth_upload": auth}
    if config.txt_firmware:
        entries |= {"mac": config.mac.replace(":", "").lower()} if config.txt_mac else {}
        if board.firmware_name is not None and board.version is not None:
            entries |= {"fw_name": board.firmware_name, "fw_version": board.version}
    if config.txt_flash:
        entries |= _flash(board)
    return entries


def _flash(board: Board) -> dict[str, str]:
    """Return what `ESP.get…()` says of an ESP8266's flash and of the sketch in it."""
    size = len(board.image)
    return {
        "md5": board.md5,
        "core": board.config.core,
        "flash_mode": str(board.image[2]),
        "flash_size": str(_REAL_FLASH),
        "free": str(board.slot_size - whole_sectors(size)),
        "sketch_size": str(size),
    }


class Advert:
    """The module's mDNS responder. It never says goodbye: a module that restarts does not."""

    def __init__(self, board: Board, given: AsyncZeroconf | None) -> None:
        """Use a responder that is there, or make one."""
        self._board = board
        self._own = given is None
        self._zeroconf = given
        self._info: ServiceInfo | None = None

    async def announce(self, port: int) -> None:
        """Say what runs now."""
        config = self._board.config
        if self._zeroconf is None:
            self._zeroconf = AsyncZeroconf(
                interfaces=list(config.interfaces), ip_version=IPVersion.V4Only
            )
        self.silence()
        self._info = ServiceInfo(
            SERVICE,
            f"{config.name}.{SERVICE}",
            addresses=[ipaddress.ip_address(config.host).packed],
            port=port,
            properties=txt_record(self._board),
            server=f"{config.name}.local.",
        )
        # Probing would find this module's own records of before the restart.
        await (await self._zeroconf.async_register_service(self._info, cooperating_responders=True))

    def silence(self) -> None:
        """Stop answering, without a goodbye."""
        if self._info is not None and self._zeroconf is not None:
            self._zeroconf.zeroconf.registry.async_remove(self._info)
            self._forget_answers(self._zeroconf.zeroconf, self._info.name)
            self._info = None

    def _forget_answers(self, responder: Zeroconf, name: str) -> None:
        """Drop what waits to be sent: this responder holds answers back for up to a second.

        A chip that is reset forgets them.
        """
        for queue in (responder.out_queue, responder.out_delay_queue):
            for group in queue.queue:
                for record in [item for item in group.answers if item.name == name]:
                    del group.answers[record]

    async def close(self) -> None:
        """Fall silent for good."""
        self.silence()
        if self._own and self._zeroconf is not None:
            await self._zeroconf.async_close()
            self._zeroconf = None
