"""What can go wrong with a module, and how often."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from .chips import Family


class Fault(StrEnum):
    """One way to fail. The names are what the command line takes."""

    BUSY = "busy"
    """Takes datagrams in and answers none of them."""
    LOST_FIRST_REPLY = "lost_first_reply"
    """The answer to the invitation is lost; the module believes that it was sent."""
    LOST_AUTH_REPLY = "lost_auth_reply"
    """The answer to the authentication is lost; the module goes on to connect."""
    LATE_REPLY = "late_reply"
    """Datagrams leave `late_reply_time` seconds late."""
    GARBAGE_REPLY = "garbage_reply"
    """Bytes that mean nothing leave instead of the answer to the invitation."""
    NOT_ENOUGH_SPACE = "not_enough_space"
    """The update cannot begin: error 4, which an ESP32 keeps to itself.

    A module that pulls breaks off right behind the answer's headers: error -100.
    """
    BOOT_STRAP = "boot_strap"
    """The update cannot begin: error 11 of an ESP8266 flashed by cable and not reset since."""
    NO_CONNECT = "no_connect"
    """Says OK and never connects, as behind a firewall."""
    HANG_AFTER_ACCEPT = "hang_after_accept"
    """Connects and never reads. The host's closing the connection frees the module."""
    SILENT_DEATH = "silent_death"
    """Power is lost at `fault_at`: no FIN, no RST, no ack. See `revive_after`: the module that is
    back then resets the connection, which it does not know any more."""
    RESET = "reset"
    """The connection is reset at `fault_at`; the module stays up."""
    HANG_MIDWAY = "hang_midway"
    """Takes no more byte from `fault_at` on. The host's closing the connection frees the module."""
    REBOOT_MIDWAY = "reboot_midway"
    """A watchdog resets the chip at `fault_at`. What it had received is lost."""
    SLOW_SECTOR = "slow_sector"
    """Each sector of 4 kB takes `slow_sector_time` more."""
    FLASH_WRITE_ERROR = "flash_write_error"
    """The first sector behind `fault_at` cannot be written."""
    DUPLICATE_ACK = "duplicate_ack"
    """Each ack is sent twice."""
    WRONG_MD5 = "wrong_md5"
    """The module computes another MD5."""
    SIGNATURE_REQUIRED = "signature_required"
    """The module takes only images signed with a key that nobody has."""
    SPLIT_OK = "split_ok"
    """The final OK leaves as two segments."""
    MERGED_OK = "merged_ok"
    """The last ack leaves in one segment with the OK."""
    CLOSE_WITHOUT_OK = "close_without_ok"
    """The update succeeds, the connection is closed without a word."""
    REBOOT_WITHOUT_OK = "reboot_without_ok"
    """The update succeeds, the module restarts without a word and without a FIN."""
    NO_RESTART = "no_restart"
    """The sketch asked not to restart: the old image goes on running."""
    OLD_SKETCH_BACK = "old_sketch_back"
    """The old image runs after the restart."""
    WRONG_VERSION_BACK = "wrong_version_back"
    """The new image says after the restart that it is `wrong_version`."""
    CRASHES = "crashes"
    """The new image crashes `crash_time` seconds after each of its starts, and is started again."""
    SLOW_RESTART = "slow_restart"
    """The restart takes `slow_restart_time` more."""
    NEVER_BACK = "never_back"
    """The module does not come back."""
    CHUNKING_PROXY = "chunking_proxy"
    """A proxy between sends the answer to a pull on in chunks, without its length."""


ONLY_ON: Mapping[Fault, frozenset[Family]] = {
    Fault.BOOT_STRAP: frozenset({Family.ESP8266}),
}
"""Faults that hardware of other families cannot have."""


class FaultPlan:
    """Which faults strike how many more times. Tests may change it while the module runs."""

    def __init__(self, faults: Mapping[Fault, int | None] | Iterable[Fault]) -> None:
        """Take faults that strike always, or a mapping to how often (None: always)."""
        given = faults if isinstance(faults, Mapping) else dict.fromkeys(faults)
        self._left: dict[Fault, int | None] = {}
        for fault, times in given.items():
            self.set(fault, times)

    def set(self, fault: Fault, times: int | None = None) -> None:
        """Let a fault strike so many times from now on (None: always)."""
        self._left[Fault(fault)] = times

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._left.clear()

    def strikes(self, fault: Fault) -> bool:
        """Tell whether the fault strikes now, and count it."""
        if fault not in self._left:
            return False
        left = self._left[fault]
        if left is None:
            return True
        if left <= 0:
            return False
        self._left[fault] = left - 1
        return True
