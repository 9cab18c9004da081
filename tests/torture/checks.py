"""The rules that hold after every run, each judged from outside by what was written down.

Each check yields what speaks against its rule; its name is what a violation is called.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final

from .evil.kinds import LIARS
from .history import Died, History, Seen
from .plan import NEW, OLD, WAITS
from .truth import SLACK, the_verdict_is_the_truth

_IN_FLIGHT: Final = 16 * 1024
"""Bytes that a module's own TCP may hold when the sender stops: its window, and a reset's race."""
_SAFE: Final = "closed"
_SUCCESS: Final = {"verified", "unverified"}
_MADE_SAFE: Final = {"making_safe", "sending", "restarting", "verifying", "restoring"}
"""Stages at whose death the equipment may have been made safe."""
_RUNNING: Final = {"install_running", "update_in_progress"}
"""What a second press gets: from us, or from the card itself."""
_RUNS_ALREADY: Final = "no_update_available"
"""What Home Assistant itself answers where the card shows that the offered version runs."""
_LEFT_OUT: Final = "rollout_empty"
"""What who presses gets of a guest that is away just then."""
_SENDS: Final = {None, "queued"}
"""What the journal knew of an install that may still send after a crash."""

_IN_VAIN: Final = {"never_ends", "stays_away"}
"""Faults of a guest whose end nobody can await."""
_LATE: Final = 1.0
"""Seconds; a valve has two to move and to be read back."""
_TURNS: Final = 3
"""Turns more that an install gets whose module did not answer."""

type Check = Callable[[History], Iterator[str]]


def _first_bytes_while_unsafe(run: History) -> Iterator[str]:
    for at in run.times("first_byte"):
        known = run.held_all(at - SLACK, at)
        if _SAFE not in known:
            yield f"the first byte at {at:.3f}, when Home Assistant knew {known}"


def no_byte_was_sent_while_a_condition_was_false(run: History) -> Iterator[str]:
    """Nothing begins while Home Assistant knows of a break, and what goes out is stopped by one."""
    yield from _first_bytes_while_unsafe(run)
    grace = WAITS["watch_interval"] + SLACK
    for index, shown in enumerate(run.shown):
        if shown.value in {_SAFE, None}:
            continue
        until = next((later.at for later in run.shown[index + 1 :]), float("inf"))
        before = [sample for sample in run.samples if sample.at <= shown.at + grace]
        after = [sample for sample in run.samples if shown.at + grace < sample.at < until]
        if not before or not after or before[-1].at < max(_begins(run, shown.at), default=0.0):
            continue
        rest = after[-1].taken - before[-1].taken
        if rest > _IN_FLIGHT and before[-1].taken + _IN_FLIGHT < run.image_size:
            yield f"{rest} bytes more than {grace:.2f} s after {shown.value!r} at {shown.at:.3f}"


def _begins(run: History, at: float) -> list[float]:
    return [begin for begin in run.times("first_byte") if begin > at]


def restore_ran_exactly_once_per_made_safe(run: History) -> Iterator[str]:
    """Once; twice only where a kill hit the restore itself; never where nothing was made safe."""
    closed = sum(command.position == "closed" for command in run.commands)
    opened = sum(command.position == "open" for command in run.commands)
    died_safe = [death for death in run.deaths if death.stage in _MADE_SAFE]
    # An orderly stop leaves a restore open that failed: then no action runs any more.
    again = sum(death.stage == "restoring" for death in run.deaths)
    stays = any(told.restore_error == "did_not_come_back" for told in run.told)
    if stays:
        if opened:
            yield f"it was to stay safe and was restored {opened} times"
    elif closed and not opened:
        yield f"it was made safe {closed} times and never restored"
    # A crash in making_safe may hit before the first action: the restore runs all the same.
    elif opened > max(closed, min(1, len(died_safe))) + again + _unmoved(run):
        yield f"{closed} times made safe, {opened} times restored, {again} kills in a restore"
    most = _times_safe(run) + run.installs - 1
    if closed > most:
        yield f"made safe {closed} times for {most} installs"


def _unmoved(run: History) -> int:
    """Return how many installs before the last one died before the first action."""
    early = sum(death.stage == "making_safe" for death in run.deaths)
    return min(run.installs - 1, early)


def _times_safe(run: History) -> int:
    """Return how often an install may have made safe: queued ones begin anew.

    Who does not answer at its turn is restored, and waits in the queue for another one; where that
    restore is hit by a kill it is done again, and the turns are counted anew.
    """
    anew = sum(death.stage == "queued" for death in run.deaths)
    pulls = run.plan.door == "http_pull"  # a pull that is not collected returns to the queue
    points = [point for point in run.points if point != "turn_over"]
    waits = sum(two == ("after_leave", "before_journal_queued") for two in pairwise(points))
    anew += sum(two == ("after_journal_done", "before_admit") for two in pairwise(points))
    turns = _TURNS * (1 + len(run.deaths))
    return 1 + anew + len(run.reloads) + (99 if pulls else min(waits, turns))


def the_equipment_ends_as_it_was_told(run: History) -> Iterator[str]:
    """Expect the valve open again; where it cannot be, who read it back was told so.

    A shared valve stands where the last of its modules has left it: `shared.py` judges that.
    """
    if run.shares_valve:
        return
    told_of = {told.restore_error for told in run.told if told.restore_error}
    valve = run.plan.valve
    obeys = "open" not in {*valve.jams, *valve.refuses, *valve.hangs}
    reads_back = run.plan.options["restore_conditions"]
    if run.valve_ends != "open" and not told_of and (obeys or reads_back):
        yield f"the valve stands {run.valve_ends}, and nobody was told"
    calm = not valve.moods and not valve.late_after_start and run.world_was_late < _LATE
    if obeys and calm and told_of - {"did_not_come_back"}:
        yield f"a valve that obeys was told of as {told_of}"


def no_install_is_left_open(run: History) -> Iterator[str]:
    """In the end the journal is empty, the card at rest, and every caller was answered."""
    if not run.ended_in_time:
        yield "it did not come to its end in time"
    if run.left_open is not None:
        yield f"the journal says {run.left_open}"
    if run.card is None:
        yield "there is no card"
    elif run.plan.guest is not None:
        return  # its card is another integration's, and says what that does
    elif run.card["in_progress"] is not False or run.card["stage"] is not None:
        yield f"the card shows {run.card}"


def no_job_is_lost(run: History) -> Iterator[str]:
    """Every install that was written down is told of; the caller's answer says the same."""
    if run.in_rollout:  # who takes part in it need not have been begun
        if any(death.note is not None for death in run.deaths) and not run.told:
            yield "nobody was told what became of it"
        return
    pressed = [press for press in run.presses if not press.again]
    if not pressed:
        yield "Update was never pressed"
        return
    press = pressed[0]
    if run.plan.evil in LIARS and press.error == _RUNS_ALREADY:
        return  # it said so before
    if run.plan.guest and run.plan.guest.late_after_start and press.error == _LEFT_OUT:
        return  # nothing was begun
    known = press.answered or any(death.note is not None for death in run.deaths)
    if known and not run.told:
        yield "nobody was told what became of it"
    if press.answered and press.error != "suspended" and run.told:
        first = run.told[0]
        good = first.verdict in _SUCCESS and not (first.restore_error or first.not_safe)
        if good != (press.error is None) and first.verdict != "rolled_back":
            yield f"told {first.verdict}({first.cause}), and the caller got {press.error}"


def it_is_told_once(run: History) -> Iterator[str]:
    """Once for each install; again only where a kill came between the telling and its note."""
    times = run.installs + sum(
        death.note is not None and (death.is_crash or death.stage == "restoring")
        for death in run.deaths
    )
    if len(run.told) > times:
        yield f"told {len(run.told)} times: {run.told}"
    verdicts = {(told.verdict, told.cause) for told in run.told}
    if len(verdicts) > run.installs:
        yield f"told differently: {sorted(map(str, verdicts))}"
    for death, result in _decided(run):
        for told in [told for told in run.told if told.life > death.life][:1]:
            if (told.verdict, told.cause) != result:
                yield f"{result} was decided before, and told was {told.verdict}({told.cause})"


def _decided(run: History) -> Iterator[tuple[Died, tuple[str, str | None]]]:
    for death in run.deaths:
        note = death.note or {}
        result = note.get("result")
        if result is not None and not (note.get("looks") or note.get("again")):
            yield death, (result["verdict"], result.get("cause"))


def no_module_is_flashed_twice(run: History) -> Iterator[str]:
    """One install leaves one image on a module, and where it goes back the old one, once."""
    flashed = [seen.details.get("version") for seen in run.module if seen.name == "installed"]
    for version in (NEW, OLD):
        if flashed.count(version) > 1:
            yield f"{version} was flashed {flashed.count(version)} times: {flashed}"
    if OLD in flashed and run.plan.options["rollback"] != "auto":
        yield f"the old image was sent, and nobody allowed it: {flashed}"


def nothing_is_sent_again_by_itself(run: History) -> Iterator[str]:
    """After a crash only what was still queued is sent, or the way back.

    The way back begins where the new image had arrived; it may be killed itself, even twice.
    """
    new_came = [seen.at for seen in run.module if _has_installed(seen, NEW)]
    for death in run.deaths:
        if death.stage in _SENDS or not death.is_crash:
            continue
        later = [mark.at for mark in run.marked("begun") if mark.at > death.at]
        anew = later[0] if later and run.in_rollout else float("inf")
        begun = [at for at in run.times("first_byte") if death.at + SLACK < at < anew]
        goes_back = run.plan.options["rollback"] == "auto" and new_came
        if begun and not (goes_back and new_came[0] < begun[0]):
            yield f"killed in {death.stage}, and a first byte at {begun[0]:.3f} after it"


def _has_installed(seen: Seen, version: str) -> bool:
    return seen.name == "installed" and seen.details.get("version") == version


def a_second_press_is_refused(run: History) -> Iterator[str]:
    """One install per module at a time; a second press is an error that says so.

    While a finished update restores, its card shows the new version: then nothing is left to
    update, and Home Assistant says that without asking us. So it does once the module has said that
    it has no room for the image.
    """
    for press in run.presses:
        if not press.again or not press.answered or press.error in _RUNNING:
            continue
        if press.error == _RUNS_ALREADY and (_has_run_new(run, press.at) or _has_no_room(run)):
            continue
        if run.plan.guest is not None and press.error == _LEFT_OUT:
            continue
        yield f"the second press ended with {press.error}"


def _has_run_new(run: History, at: float) -> bool:
    """Whether the new version has run at some moment until then."""
    return NEW in run.ran_within(0.0, at)


def _has_no_room(run: History) -> bool:
    """Whether the module said so: then its card offers that image no more."""
    return any(told.cause == "no_space" for told in run.told)


def no_other_module_gets_the_image(run: History) -> Iterator[str]:
    """Whoever has got the module's address meanwhile is not sent a byte."""
    for seen in run.neighbour:
        if seen.name in {"first_byte", "installed"}:
            yield f"the neighbour saw {seen.name} at {seen.at:.3f}"


def nothing_is_sent_that_is_not_written_down(run: History) -> Iterator[str]:
    """At each first byte the journal on disk knows of the install: else a crash forgets it."""
    for seen in run.module:
        if seen.name == "first_byte" and seen.details.get("noted") is None:
            yield f"a first byte at {seen.at:.3f}, and the journal on disk knew of nothing"


def no_impostor_gets_anything(run: History) -> Iterator[str]:
    """Whoever says to be a module that is there is not even invited."""
    for seen in run.impostor:
        if seen.name in {"invited", "connected", "first_byte", "installed"}:
            yield f"the impostor saw {seen.name} at {seen.at:.3f}"


def nothing_of_ours_breaks(run: History) -> Iterator[str]:
    """No exception of ours in the log, and Home Assistant stops when told to."""
    yield from run.alarms[:3]


def no_guest_is_told_twice(run: History) -> Iterator[str]:
    """Nobody can take back what an integration was told: neither a crash nor a rollout repeats it.

    One that was refused had begun nothing, and is not told at all here.
    """
    if run.plan.guest is not None and len(calls := run.times("first_byte")) > 1:
        yield f"told at {', '.join(f'{at:.3f}' for at in calls)}"


def the_equipment_of_a_guest_stays_safe_while_it_installs(run: History) -> Iterator[str]:
    """Nothing is restored between its call and its return, unless it was waited for in vain."""
    if run.plan.guest is None or run.plan.guest.fault in _IN_VAIN:
        return
    for called in run.times("first_byte"):
        ends = [at for at in run.times("booted", "torn") if at >= called]
        end = min(ends, default=float("inf"))
        for command in run.commands:
            if command.position == "open" and called < command.at < end:
                yield f"restored at {command.at:.3f}, it installed from {called:.3f} to {end:.3f}"


CHECKS: Final[tuple[Check, ...]] = (
    no_byte_was_sent_while_a_condition_was_false,
    restore_ran_exactly_once_per_made_safe,
    the_equipment_ends_as_it_was_told,
    the_verdict_is_the_truth,
    no_install_is_left_open,
    no_job_is_lost,
    it_is_told_once,
    no_module_is_flashed_twice,
    nothing_is_sent_again_by_itself,
    a_second_press_is_refused,
    no_other_module_gets_the_image,
    nothing_is_sent_that_is_not_written_down,
    no_impostor_gets_anything,
    no_guest_is_told_twice,
    the_equipment_of_a_guest_stays_safe_while_it_installs,
    nothing_of_ours_breaks,
)


def violations(run: History) -> list[str]:
    """Return all that speaks against any rule."""
    return [
        f"{check.__name__.replace('_', ' ')}: {complaint}"
        for check in CHECKS
        for complaint in check(run)
    ]
