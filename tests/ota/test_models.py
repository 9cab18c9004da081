"""The words themselves: what is told of a percent, and that each cause has a sentence."""

import pytest

from custom_components.esp_ota.ota import Cause, InstallProgress, InstallStage, OtaError, Verdict
from tests.kit.sentences import placeholders_of


@pytest.mark.parametrize("cause", Cause)
def test_each_cause_has_a_sentence_that_names_the_module_or_the_file(cause: Cause) -> None:
    assert all(name.isidentifier() for name in placeholders_of(cause))


@pytest.mark.parametrize("stage", InstallStage)
def test_a_percent_is_told_while_sending_only(stage: InstallStage) -> None:
    percent = InstallProgress(stage=stage, sent=50, total=200).percent
    assert percent == (25 if stage is InstallStage.SENDING else None)


@pytest.mark.parametrize(
    ("sent", "total", "percent"), [(0, 100, None), (1, 1000, 0), (999, 1000, 99), (7, 7, 100)]
)
def test_a_percent_is_never_more_than_what_arrived(
    sent: int, total: int, percent: int | None
) -> None:
    assert InstallProgress(stage=InstallStage.SENDING, sent=sent, total=total).percent == percent


def test_nothing_to_send_has_no_percent() -> None:
    assert InstallProgress(stage=InstallStage.SENDING).percent is None


def test_only_two_verdicts_are_good_news() -> None:
    good = {verdict for verdict in Verdict if verdict.is_success}
    assert good == {Verdict.VERIFIED, Verdict.UNVERIFIED}


def test_an_error_shows_its_cause_and_facts_as_text() -> None:
    assert str(OtaError(Cause.TOO_LARGE, size=5, slot=4)) == "too_large (size=5, slot=4)"
    assert str(OtaError(Cause.BUSY)) == "busy"
    assert OtaError(Cause.TOO_LARGE, size=5).facts == {"size": "5"}
