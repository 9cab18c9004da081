"""The named points of an update's life at which Home Assistant is killed.

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
}
"""Points that not every update comes to, and what must happen for it."""
