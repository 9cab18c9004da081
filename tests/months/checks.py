"""The rules that hold for a house after its days, judged from outside by what was written down.

Each check yields what speaks against its rule; its name is what a violation is called.
"""

from collections.abc import Callable, Iterator
from typing import Final

from .history import History
from .nights import (
    each_card_offers_the_newest,
    each_install_ended_as_the_truth,
    each_night_did_its_work,
    nobody_is_said_to_be_away_who_was_there,
    nothing_that_is_skipped_is_sent,
    nothing_was_sent_without_a_press,
    what_fails_is_not_sent_again_and_again,
)
from .truth import nothing_is_untrue_for_long
from .upkeep import (
    a_night_without_news_is_quiet,
    dropped_releases_stay_away,
    few_rows_are_written,
    it_takes_no_more_than_at_first,
    no_line_is_logged_every_minute,
    nothing_of_ours_breaks,
    storage_stays_small,
    the_equipment_works,
    what_a_person_set_up_stays,
)

type Check = Callable[[History], Iterator[str]]

CHECKS: Final[tuple[Check, ...]] = (
    nothing_is_untrue_for_long,
    each_card_offers_the_newest,
    each_install_ended_as_the_truth,
    nobody_is_said_to_be_away_who_was_there,
    each_night_did_its_work,
    nothing_was_sent_without_a_press,
    nothing_that_is_skipped_is_sent,
    what_fails_is_not_sent_again_and_again,
    the_equipment_works,
    what_a_person_set_up_stays,
    it_takes_no_more_than_at_first,
    few_rows_are_written,
    storage_stays_small,
    dropped_releases_stay_away,
    no_line_is_logged_every_minute,
    nothing_of_ours_breaks,
    a_night_without_news_is_quiet,
)


def violations(run: History) -> list[str]:
    """Return all that speaks against any rule."""
    return [
        f"{check.__name__.replace('_', ' ')}: {complaint}"
        for check in CHECKS
        for complaint in check(run)
    ]
