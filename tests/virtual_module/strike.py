"""What becomes of a transfer and of the module when a fault strikes in its middle."""

from .board import Board
from .events import Seen
from .faults import Fault
from .link import Link
from .listener import Ending


async def strike(board: Board, link: Link, fault: Fault) -> Ending:
    """Let a fault end a transfer."""
    if fault in (Fault.HANG_AFTER_ACCEPT, Fault.HANG_MIDWAY):
        await link.until_let_go()
    board.events.add(Seen.ABORTED, bytes=board.payload_bytes, reason=fault.value)
    match fault:
        case Fault.HANG_AFTER_ACCEPT | Fault.HANG_MIDWAY:
            link.close()
            return Ending.STAYS
        case Fault.RESET:
            link.reset()
            return Ending.STAYS
        case Fault.REBOOT_MIDWAY:
            board.silence(link, midway=True)
            return Ending.RESTARTS
        case _:
            board.silence(link, midway=True)
            return Ending.DIES
