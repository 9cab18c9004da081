"""What is printed: the story of one run, and the count of all."""

from collections import Counter
from collections.abc import Iterator
import json
from typing import Any, Final

from .torture_garden.points import POINTS

_WORLD: Final = {"module", "kind", "at", "life"}
_QUIET: Final = {"card"}
_OF_MODULE: Final = ("name", "door", "dialect", "faults", "evil", "sleep", "area")
_OF_ROLLOUTS: Final = {"canaries_begin", "wave_begins", "member_judged", "member_noted"}
"""Points of no module that tell what became of one."""


def timeline(house: dict[str, Any], number: int) -> Iterator[str]:
    """Yield what happened in one run, in the world, in its module and in Home Assistant."""
    index = next(i for i, run in enumerate(house["runs"]) if run["number"] == number)
    history, plan = house["histories"][index], house["plan"]
    module = history["plan"]
    name = module["name"]
    yield f"module: {_text({key: module[key] for key in _OF_MODULE})}"
    yield f"config: {_text(module['config'])}"
    yield f"valve: {_text(module['valve'])}"
    yield f"options: {_text(module['options'])}"
    yield f"deaths: {_text(plan['deaths'])}, {plan['parallel']} at once"
    if plan["rollout"] is not None:
        yield f"rollout: {_text(plan['rollout'])}"
        yield f"in the end of the rollout: {_text(house['note'])}"
    lines = [
        (entry["at"], f"HA{entry['life']}", _entry(entry))
        for entry in house["timeline"]
        if entry["kind"] not in _QUIET and _concerns(entry, name)
    ]
    lines += [
        (seen["at"], "module", f"{seen['name']} {_text(seen['details'])}")
        for seen in history["module"]
        if seen["name"] not in {"polling", "answered", "no_update", "closed"}
    ]
    lines += [
        (command["at"], "valve", f"told to be {command['position']}")
        for command in history["commands"]
    ]
    lines += [
        (sample["at"], "module", f"has {sample['taken']} bytes")
        for sample in history["samples"][::4]
    ]
    lines.sort(key=lambda line: line[0])
    begun = lines[0][0] if lines else 0.0
    for at, who, what in lines:
        yield f"{at - begun:8.3f}  {who:<7} {what}"
    ends = ("version_at_end", "valve_ends", "left_open", "card")
    yield f"in the end: {_text({key: history[key] for key in ends})}"


def _concerns(entry: dict[str, Any], name: str) -> bool:
    """Whether something belongs to this module, or to all."""
    whose = entry.get("module") or entry.get("valve")
    point = entry.get("point") or "rollout"
    return whose == name or (whose is None and (point in _OF_ROLLOUTS or "rollout" in point))


def _entry(entry: dict[str, Any]) -> str:
    more = {key: value for key, value in entry.items() if key not in _WORLD}
    if entry["kind"] == "point":
        return f"at {entry['point']}" + (" and dies there" if entry["dies"] else "")
    return f"{entry['kind']} {_text(more)}"


def _text(value: Any) -> str:
    return json.dumps(value, default=str)


class Summary:
    """Counts over all houses."""

    def __init__(self) -> None:
        """Count from nothing."""
        self.houses = 0
        self.lives = 0
        self.runs: list[dict[str, Any]] = []
        self.deaths: Counter[str] = Counter()
        self.reached: Counter[str] = Counter()
        self.verdicts: Counter[str] = Counter()
        self.moves: Counter[str] = Counter()
        self.doors: Counter[str] = Counter()
        self.evil: Counter[str] = Counter()
        self.rollouts: Counter[str] = Counter()
        self.broken: list[str] = []
        self.violations = 0

    @property
    def failed(self) -> bool:
        """Whether a rule was broken, or we were."""
        return bool(self.violations or self.broken)

    @property
    def missed(self) -> list[str]:
        """Points that no update came to."""
        return [point for point in POINTS if not self.reached[point]]

    def take(self, house: dict[str, Any]) -> None:
        """Count one house."""
        self.houses += 1
        self.lives += len(house["deaths"])
        self.deaths.update(how for how in house["deaths"] if how != "end")
        self.reached.update(house["reached"])
        self.rollouts.update(filter(None, [house["rollout"]]))
        for run in house["runs"]:
            self.runs.append({"number": run["number"], "violations": run["violations"]})
            self.reached.update(run["points"])
            self.doors[run["door"]] += 1
            self.moves.update(filter(None, [run["moved"]]))
            cause = f"({run['cause']})" if run["cause"] else ""
            self.verdicts[run["verdict"] + cause] += 1
            if run["evil"]:
                self.evil[f"{run['evil']}: {run['verdict']}{cause}"] += 1
            self.violations += len(run["violations"])

    def lines(self, seconds: float) -> Iterator[str]:
        """Yield the figures."""
        kills = sum(count for how, count in self.deaths.items() if how != "stop")
        yield f"runs {len(self.runs)}"
        yield f"houses {self.houses}, lives of Home Assistant {self.lives}"
        yield f"kill -9 {kills}, orderly stops {self.deaths['stop']}"
        yield f"doors {_counts(self.doors)}"
        yield f"verdicts {_counts(self.verdicts)}"
        yield f"evil {_counts(self.evil)}"
        yield f"rollouts {_counts(self.rollouts)}"
        ways = Counter(move.partition(" ")[0] for move in self.moves.elements())
        places = {move.rpartition(" ")[2] for move in self.moves}
        yield f"other addresses: {_counts(ways)}, at {len(places)} named points"
        named = {how: count for how, count in self.deaths.items() if how in POINTS}
        yield f"killed at {len(named)} of {len(POINTS)} named points: {_counts(Counter(named))}"
        if self.missed:
            yield f"never reached: {', '.join(self.missed)}"
        for complaint in self.broken:
            yield f"broken: {complaint}"
        yield f"violations {self.violations}"
        yield f"seconds {seconds:.0f}"


def _counts(counted: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counted.most_common())
