"""The named points of an update's and of a rollout's life at which Home Assistant is killed.

Nothing is imported here: the world and `script/torture --list` read it without Home Assistant.
"""

from typing import Final

STAGES: Final = (
    "queued",
    "making_safe",
    "sending",
    "restarting",
    "verifying",
    "restoring",
    "done",
)
"""What the journal can say of an open install."""

_JOURNAL: Final = {
    point: text
    for stage in STAGES
    for point, text in (
        (f"before_journal_{stage}", f"about to write {stage!r}: the stage has no effect yet"),
        (f"after_journal_{stage}", f"{stage!r} is on disk, and nothing of it has happened"),
    )
}

POINTS: Final[dict[str, str]] = {
    "pressed": "Update was pressed, nothing is checked or written",
    **_JOURNAL,
    "before_journal_rename": "the journal's new text is in a file beside it, not in its place",
    "after_journal_rename": "the journal's new text is in place, and nobody was told",
    "before_admit": "about to look at the inhibit conditions",
    "before_enter": "about to make the equipment safe",
    "before_closed_command": "in the middle of the actions, the valve not yet told to close",
    "after_closed_command": "in the middle of the actions, the valve told to close",
    "actions_done": "the actions have finished, the conditions are not yet read back",
    "after_enter": "the equipment is read back as safe",
    "before_send": "about to speak to the module",
    "before_first_byte": "asked whether the first byte may leave",
    "after_first_byte": "the first byte may leave",
    "sent_10": "10 % are with the module",
    "sent_50": "50 % are with the module",
    "sent_99": "almost all is with the module",
    "sent_100": "all is with the module, which has not said OK",
    "after_send": "the module said OK, or the image is with it without a word",
    "between_tries": "a try has failed, the next one has not begun",
    "pull_held": "the module has asked and is held while the equipment is made safe",
    "module_gone": "the module has gone to restart",
    "module_back": "the module answers again",
    "before_evidence": "about to listen to what the module runs",
    "after_evidence": "what the module runs is known, nothing is decided",
    "soaking": "the new firmware runs, and is watched for a while",
    "before_go_back": "the module runs what it should not: asked whether to send the old one",
    "going_back": "the old image is chosen and about to be sent",
    "before_leave": "about to restore the equipment",
    "before_open_command": "in the middle of the restore, the valve not yet told to open",
    "after_open_command": "in the middle of the restore, the valve told to open",
    "after_leave": "the equipment is restored, which nothing has noted",
    "before_remember": "about to write what the module runs by now",
    "after_remember": "what the module runs by now is written",
    "before_tell": "about to tell the person",
    "after_tell": "the person was told, the install is not closed",
    "before_close": "about to take the install out of the journal",
    "after_close": "the install is out of the journal",
    "before_library_rename": "a new release's facts are in a file beside the library's",
    "after_library_rename": "a new release's facts are in place",
    "before_recover": "after a start: about to pick up what was open",
    "recovering": "after a start: the open install is known, nothing was done about it",
    "begun": "an install was made, by a press or by a rollout, and stands nowhere yet",
    "waits_for_turn": "it asks the queue for its turn",
    "turn_given": "it has its turn, nothing is begun",
    "turn_over": "its turn is over, and nobody knows yet how it ended",
    "waits_for_window": "it would begin, and its window is closed",
    "waits_for_life": "its module sleeps, and is waited for",
    "woken": "its module has woken, it asks for its turn at once",
    "before_call": "about to call the integration of a guest",
    "guest_told": "the integration of a guest was told, its call has not ended",
    "after_call": "the call of a guest's integration has ended, nothing is proven",
    "proof_awaited": "the proof of a guest is awaited",
    "guest_proven": "what a guest runs is known, nothing is decided",
    "guest_picked_up": "after a start: the open update of a guest is known, nothing was done",
    "before_rollout_planned": "the plan of a rollout is made, nothing is written",
    "rollout_planned": "the plan is on disk, nobody was told",
    "rollout_started": "it is noted as running, and does not run yet",
    "canaries_begin": "its canaries are noted as begun, of no update the journal knows",
    "wave_begins": "a wave behind them is noted as begun, of no update the journal knows",
    "member_judged": "how one of its updates ended is known, and not noted",
    "member_noted": "how one of its updates ended is noted",
    "rollout_soaks": "its canaries have ended, until when it rests is noted",
    "rollout_rests": "a wave has ended, until when it rests is noted",
    "rollout_pausing": "it is noted as paused, what waits is still in the queue",
    "rollout_paused": "what waited has left the queue",
    "rollout_resumed": "it is noted as running again, and does not run yet",
    "rollout_stopping": "too many have failed, what waits is still in the queue",
    "rollout_cancelling": "it is noted as cancelled, what waits is still in the queue",
    "rollout_ended": "its end is noted, and nobody was told",
    "before_report": "about to show its report",
    "after_report": "its report was shown",
    "before_rollouts_rename": "its new text is in a file beside it, not in its place",
    "after_rollouts_rename": "its new text is in place",
}
"""Every point, and what is true there."""

NEEDS: Final[dict[str, str]] = {
    "between_tries": "tries_again",
    "pull_held": "pull",
    "soaking": "soaks",
    "before_journal_rename": "anybody",
    "after_journal_rename": "anybody",
    "before_go_back": "goes_back",
    "going_back": "goes_back",
    "before_library_rename": "upload_beside",
    "after_library_rename": "upload_beside",
    "before_recover": "second_life",
    "recovering": "second_life",
    "waits_for_window": "window",
    "waits_for_life": "sleeps",
    "woken": "sleeps",
    "before_call": "guest",
    "guest_told": "guest",
    "after_call": "guest",
    "proof_awaited": "guest",
    "guest_proven": "guest",
    "guest_picked_up": "guest_again",
    "before_rollout_planned": "rollout",
    "rollout_planned": "rollout",
    "rollout_started": "rollout",
    "canaries_begin": "rollout",
    "wave_begins": "rollout_waves",
    "member_judged": "rollout",
    "member_noted": "rollout",
    "rollout_soaks": "rollout_waves",
    "rollout_rests": "rollout_waves",
    "rollout_pausing": "rollout_pauses",
    "rollout_paused": "rollout_pauses",
    "rollout_resumed": "rollout_pauses",
    "rollout_stopping": "rollout_stops",
    "rollout_cancelling": "rollout_cancels",
    "rollout_ended": "rollout",
    "before_report": "rollout",
    "after_report": "rollout",
    "before_rollouts_rename": "rollout_file",
    "after_rollouts_rename": "rollout_file",
}
"""Points that not every update comes to, and what must happen for it."""

OF_GUESTS_TOO: Final = {
    *(f"{when}_journal_{stage}" for when in ("before", "after") for stage in STAGES),
    *("before_admit", "before_enter", "before_closed_command", "after_closed_command"),
    *("actions_done", "after_enter", "before_leave", "before_open_command"),
    *("after_open_command", "after_leave", "before_remember", "after_remember"),
    *("before_tell", "after_tell", "before_close", "after_close"),
    *("begun", "waits_for_turn", "turn_given", "turn_over"),
} - {"before_journal_restarting", "after_journal_restarting"}
"""Points to which the update of a guest comes as well."""


def id_of(guest: str) -> str:
    """Return the id that the entity of a guest has in the registry of every life."""
    return f"torture{guest}"
