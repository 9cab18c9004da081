"""Shorter waits than a person has: the one thing besides faults that is not as at home."""

from collections.abc import Mapping
from typing import Any

from custom_components.esp_ota import stored
from custom_components.esp_ota.house import house
from custom_components.esp_ota.ota import (
    GuestLimits,
    Limits,
    PullLimits,
    PushLimits,
    UploadLimits,
    WatchLimits,
)
from custom_components.esp_ota.ota.module import probe
from custom_components.esp_ota.ota.transport._invitation import InvitationLimits
from custom_components.esp_ota.ota.transport._longest import Pace
from custom_components.esp_ota.ota.transport._stream import StreamLimits


def shorten(waits: Mapping[str, float]) -> None:
    """Let every house made from now on wait as long as `waits` says."""

    def patience() -> house.Patience:
        transfer: dict[str, Any] = {
            "stall": waits["stall"],
            "result": waits["result"],
            "restart": waits["restart"],
            "poll": 0.02,
            "pace": Pace(spare=waits["spare"], slowest=waits["slowest"]),
        }
        return _Patience(
            install=Limits(
                tries=3, retry_pause=waits["retry_pause"], watch_interval=waits["watch_interval"]
            ),
            push=PushLimits(
                callback=waits["callback"],
                invitation=InvitationLimits(
                    answer=waits["answer"],
                    tries=3,
                    auth_answer=waits["auth_answer"],
                    longest=waits["invitation"],
                ),
                stream=StreamLimits(text=0.3, **transfer),
            ),
            upload=UploadLimits(connect=2.0, answer=2.0, rest=0.5, **transfer),
            pull=PullLimits(
                burst=0.02,
                request=waits["request"],
                offer=waits["offer"],
                hold=waits["hold"],
                stall=waits["stall"],
                requests=10**9,
                pace=transfer["pace"],
            ),
            watch=WatchLimits(
                go=waits["go"],
                back=waits["back"],
                evidence=waits["evidence"],
                evidence_unlikely=waits["evidence_unlikely"],
                again=waits["again"],
                interval=0.05,
                quick_probe=0.5,
                patient_probe=0.5,
            ),
            guest=GuestLimits(
                quiet=waits["guest_quiet"],
                in_progress=waits["guest_in_progress"],
                failed=waits["guest_failed"],
                all_in_all=waits["guest_all"],
            ),
            minute=waits["minute"],
            breath=waits["breath"],
            doubt=waits["doubt"],
            pauses=(waits["pause"], 2 * waits["pause"], 4 * waits["pause"]),
            look_again=waits["look_again"],
        )

    house.Patience = patience  # type: ignore[assignment, misc]
    stored._AGAIN = 0.3  # type: ignore[misc]
    # On loopback "port unreachable" comes at once.
    probe._UDP_WAIT = 0.03  # type: ignore[misc]


_Patience = house.Patience
