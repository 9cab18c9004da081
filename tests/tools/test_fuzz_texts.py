"""A short run of `script/fuzz texts`, and that it would notice what it looks for."""

from pathlib import Path
import random

import pytest

from custom_components.esp_ota.ota import texts as shown
from tests.fuzz import texts
from tests.fuzz.watch import Surprise, Watch


@pytest.fixture(autouse=True)
def _leave_inputs_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "_LEFT", tmp_path)


@pytest.mark.slow
def test_a_thousand_texts_are_text() -> None:
    fuzz, watch = texts.run(1000, "short", seconds=None)
    assert fuzz.outcomes.total() == 1000
    assert {"announcement", "request", "reply", "page", "manifest", "releases"} <= (
        fuzz.outcomes.keys()
    )
    assert watch.places > 300, "what reads them was not even watched"


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("one_line", "a\nb", "no line"),
        ("as_text", "[x](http://a.example)", "Markdown"),
        ("without_secrets", "plain", "a secret is shown"),
    ],
)
def test_a_text_that_is_shown_as_it_comes_is_noticed(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, complaint: str
) -> None:
    monkeypatch.setattr(texts if name != "without_secrets" else shown, name, lambda said: said)
    texts.judge.cache_clear()
    with pytest.raises(Surprise, match=complaint):
        texts.judge(text)
    texts.judge.cache_clear()


def test_notes_that_are_markdown_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "lines_as_text", lambda said: said)
    with pytest.raises(Surprise, match="Markdown"):
        texts.judge_notes("# A heading of its own")


def test_a_mac_that_none_is_ends_the_run(tmp_path: Path) -> None:
    def multicast(_data: bytes, _source: random.Random) -> None:
        texts._judge_mac("01:00:5e:00:00:01")

    fuzz = texts.TextFuzz("0", Watch(folder=""))
    with pytest.raises(Surprise, match="no module's MAC"):
        fuzz.feed(1, multicast, b"input")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"input"]
