"""What became of a rollout, one line a module: as an answer, and as a notification."""

from collections.abc import Callable
from typing import Any

from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant, callback

from ..const import DOMAIN
from ..helpers import async_said
from ..ota import MemberState, as_text
from ..owners import is_guest
from .note import RolloutNote, counts

_LINES = 60
"""In a notification; the action answers with all."""
_WORST_FIRST = (
    MemberState.FAILED,
    MemberState.REFUSED,
    MemberState.CANCELLED,
    MemberState.BEGUN,
    MemberState.WAITS,
    MemberState.UPDATED,
)


def report(
    note: RolloutNote, history: Callable[[str], list[dict[str, Any]]] | None = None
) -> dict[str, Any]:
    """Return all that is known of a rollout; `history` returns the last updates of a guest.

    Those of a module are on the page of the house.
    """
    return {
        "rollout": note["id"],
        "state": note["state"],
        "firmware": note["firmware"],
        "version": note["version"],
        "began": note["began"],
        "ended": note["ended"],
        "counts": counts(note["members"]),
        "modules": [
            {
                "module": member["module"],
                "from": member["before"],
                "to": member["version"],
                "state": member["state"],
                "cause": member.get("cause"),
                "sentence": member.get("sentence"),
                "seconds": member.get("seconds"),
                **({"history": history(key)} if history and is_guest(key) else {}),
            }
            for member in note["members"]
            for key in [member["entry_id"]]
        ],
        "left_out": list(note["left_out"]),
    }


@callback
def async_notify(hass: HomeAssistant, note: RolloutNote) -> None:
    """Show the report of a rollout that has ended."""
    facts = {
        "firmware": as_text(note["firmware"]),
        "version": as_text(note["version"]),
        **{state: str(count) for state, count in counts(note["members"]).items()},
        "modules": str(len(note["members"])),
    }
    order = list(_WORST_FIRST)
    members = sorted(note["members"], key=lambda item: order.index(MemberState(item["state"])))
    lines = [
        "- {module}: {state}{sentence}".format(
            module=as_text(member["module"]),
            state=async_said(hass, f"rollout_member_{member['state']}", {}, module=""),
            sentence=f" ({as_text(member['sentence'], 500)})" if member.get("sentence") else "",
        )
        for member in members[:_LINES]
    ]
    lines += [
        f"- {as_text(item['module'])}: {as_text(item['sentence'])}"
        for item in note["left_out"][: max(0, _LINES - len(lines))]
    ]
    head = async_said(hass, f"rollout_{note['state']}", facts, module="")
    persistent_notification.async_create(
        hass,
        "\n".join([head, "", *lines]),
        async_said(hass, "rollout_title", facts, module=""),
        f"{DOMAIN}_rollout_{note['id']}",
    )
