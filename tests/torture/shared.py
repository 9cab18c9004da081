"""The rules of a valve that several modules switch, judged over the runs of one house."""

from collections.abc import Iterator, Sequence

from .history import Command, History, Told


def shared_violations(runs: Sequence[History]) -> dict[str, list[str]]:
    """Return what speaks against the rules, by the name of the module that broke one."""
    found: dict[str, list[str]] = {}
    for run in runs:
        others = [
            other
            for other in runs
            if other is not run and other.plan.valve_name == run.plan.valve_name
        ]
        complaints = [complaint for other in others for complaint in _opened_under(run, other)]
        if others and (complaint := _left_shut(run, others)):
            complaints.append(complaint)
        if complaints:
            found[run.plan.name] = complaints
    return found


def _opened_under(run: History, other: History) -> Iterator[str]:
    """Yield each opening of the valve while another one rested on it."""
    for command in run.commands:
        if command.position == "open" and _rests_on_it(other, command.at):
            yield (
                "no shared valve is opened under another: "
                f"at {command.at:.3f}, while {other.plan.name} rested on it"
            )


def _rests_on_it(run: History, at: float) -> bool:
    """Whether an install was between its making safe and its own restore, or its end."""
    moments: list[Command | Told] = [*run.commands, *run.told]
    before = sorted((item for item in moments if item.at < at), key=lambda item: item.at)
    return bool(before) and isinstance(before[-1], Command) and before[-1].position == "closed"


def _left_shut(run: History, others: Sequence[History]) -> str | None:
    """Return what is wrong with where the valve stands; judged by the last that has moved it."""
    group = [run, *others]
    if run is not max(group, key=lambda item: max((c.at for c in item.commands), default=0.0)):
        return None
    told = any(item.restore_error for one in group for item in one.told)
    valve = run.plan.valve
    obeys = "open" not in {*valve.jams, *valve.refuses, *valve.hangs}
    reads_back = run.plan.options["restore_conditions"]
    if run.valve_ends != "open" and not told and (obeys or reads_back):
        return f"the shared valve ends open: it stands {run.valve_ends}, and nobody was told"
    return None
