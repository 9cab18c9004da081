"""The rules of the queue, judged over all runs of one house."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from .history import History
from .story import Story, Taken

_LONGEST_TURN: Final = 60.0
"""Seconds: two limits of a safe state, three sends of 12 s, and the waits of a restart."""
_MOST_MEMORY: Final = 96 << 20
_MOST_FILES: Final = 400
"""More than two evil modules can open at once, each with a hundred or two hundred connections."""

type HouseCheck = Callable[[Story], Iterator[tuple[str, str]]]
"""Yields the name of a module, and what it did against the rule."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time for which an install of a module certainly had its turn."""

    run: History
    begin: float
    end: float


def spans(story: Story) -> list[Span]:
    """Return for how long each had its turn: from the order to make safe to that to restore.

    Both are given within it. What another life has begun is not in the queue again before it is
    restored, and nobody saw when it was.
    """
    return [span for run in story.runs for span in _of(run, story)]


def _of(run: History, story: Story) -> Iterator[Span]:
    ends = [command.at for command in run.commands if command.position == "open"]
    ends += [told.at for told in run.told] + [end for _, end in story.lives]
    begins = sorted(item.at for item in run.commands if item.position == "closed")
    for begin in begins:
        yield Span(run, begin, min((end for end in ends if end > begin), default=float("inf")))


def the_limit_is_kept(story: Story) -> Iterator[tuple[str, str]]:
    """So many at once as the person allows, and none more."""
    found = spans(story)
    for span in found:
        together = [one for one in found if one.begin <= span.begin < one.end]
        if len({one.run.plan.name for one in together}) > story.plan.parallel:
            names = ", ".join(one.run.plan.name for one in together)
            yield span.run.plan.name, f"{names} at {span.begin:.3f}"


def no_group_is_updated_together(story: Story) -> Iterator[tuple[str, str]]:
    """Of the modules of one area only one at a time."""
    found = spans(story)
    for span in found:
        for one in found:
            is_together = one.run is not span.run and one.begin <= span.begin < one.end
            if is_together and one.run.plan.area == span.run.plan.area is not None:
                names = f"{span.run.plan.name} and {one.run.plan.name}"
                yield span.run.plan.name, f"{names} of {one.run.plan.area} at {span.begin:.3f}"


def nothing_begins_outside_its_window(story: Story) -> Iterator[tuple[str, str]]:
    """No turn is given while the window is closed, but to what has its image already."""
    changes = [moment for moment in story.moments if moment.name.startswith("window")]
    edges = [(moment.at, moment.name) for moment in changes] + [(float("inf"), "")]
    closed = [
        (begin, end) for (begin, name), (end, _) in pairwise(edges) if name == "window closed"
    ]
    for run in story.runs:
        for at in turns_anew(run):
            if any(begin < at < end for begin, end in closed):
                yield run.plan.name, f"a turn at {at:.3f}, while the window was closed"


def turns_anew(run: History) -> list[float]:
    """Return when installs had their turn to begin; not to go on with an image that was sent."""
    return [
        mark.at
        for mark in run.marked("turn_given")
        if not any(
            death.life == mark.life - 1 and death.stage not in {None, "queued"}
            for death in run.deaths
        )
    ]


def nothing_begins_without_a_turn(story: Story) -> Iterator[tuple[str, str]]:
    """Before the order to make safe a turn was given, in the same life."""
    for run in story.runs:
        for command in run.commands:
            turns = [
                mark
                for mark in run.marked("turn_given")
                if mark.at <= command.at and mark.life == command.life
            ]
            if command.position == "closed" and not turns:
                yield run.plan.name, f"told to be closed at {command.at:.3f} without a turn"


def every_turn_has_an_end(story: Story) -> Iterator[tuple[str, str]]:
    """No module, however evil, holds a turn for longer than all stages of an update may take."""
    for run in story.runs:
        ends = [mark.at for mark in run.marked("turn_over")] + [end for _, end in story.lives]
        for mark in run.marked("turn_given"):
            seconds = min((end for end in ends if end >= mark.at), default=mark.at) - mark.at
            if seconds > _LONGEST_TURN:
                yield run.plan.name, f"its turn at {mark.at:.3f} took {seconds:.0f} s"


def it_takes_no_more_than_it_should(story: Story) -> Iterator[tuple[str, str]]:
    """Memory and open sockets stay bounded whoever is evil, and most sockets are closed again."""
    lives: dict[int, list[Taken]] = {}
    for taken in story.taken:
        lives.setdefault(taken.pid, []).append(taken)
    name = story.runs[0].plan.name
    for first, *more in lives.values():
        memory = max((taken.memory for taken in more), default=0) - first.memory
        if memory > _MOST_MEMORY:
            yield name, f"it took {memory >> 20} MiB more than after its start"
        files = max((taken.files for taken in more), default=0) - first.files
        if files > _MOST_FILES:
            yield name, f"it had {files} files open more than after its start"


CROWD_CHECKS: tuple[HouseCheck, ...] = (
    the_limit_is_kept,
    no_group_is_updated_together,
    nothing_begins_outside_its_window,
    nothing_begins_without_a_turn,
    every_turn_has_an_end,
    it_takes_no_more_than_it_should,
)
