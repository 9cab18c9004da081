"""A short run of `script/fuzz image`, and that it would notice what it looks for."""

from pathlib import Path
import random

import pytest

from custom_components.esp_ota.ota import Cause, ImageKind
from custom_components.esp_ota.ota.exceptions import ImageError
from tests.fuzz import __main__ as dispatcher, image
from tests.fuzz.watch import Surprise, Watch


@pytest.fixture(autouse=True)
def _leave_inputs_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "_LEFT", tmp_path)


@pytest.mark.slow
def test_two_thousand_inputs_give_facts_or_reasons() -> None:
    fuzz, watch = image.run(2000, "short", seconds=None)
    assert fuzz.outcomes.total() == 2000
    assert {*ImageKind, Cause.TRUNCATED_IMAGE, Cause.CORRUPT_IMAGE, "named"} <= fuzz.outcomes.keys()
    assert watch.places > 500, "the reader was not even watched"


def broken(_data: bytes, _source: random.Random) -> str:
    raise IndexError("behind the end")


def greedy(_data: bytes, _source: random.Random) -> str:
    return str(len(bytes(1 << 20)))


def good(_data: bytes, _source: random.Random) -> str:
    return "good"


def refusing(_data: bytes, _source: random.Random) -> str:
    raise ImageError(Cause.NOT_FIRMWARE)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "limits", "text"),
    [
        (broken, {}, "IndexError: behind the end"),
        (greedy, {"memory": 1 << 19}, "bytes of memory"),
        (good, {"seconds": -1.0}, "it took"),
    ],
)
def test_a_surprise_ends_the_run_and_leaves_its_input(
    tmp_path: Path,
    target: image.Target,
    limits: dict[str, float],
    text: str,
) -> None:
    watch = Watch(folder="", **limits)  # type: ignore[arg-type]
    fuzz = image.Fuzz("0", watch)
    # Memory is looked at for one input in so many, time for all the others.
    number = 1 if target is good else 0
    with pytest.raises(Surprise, match=text), watch.memory_of_inputs():
        fuzz.feed(number, target, b"some bytes")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"some bytes"]


@pytest.mark.slow
@pytest.mark.parametrize("target", [good, refusing])
def test_facts_and_our_own_errors_are_no_surprise(tmp_path: Path, target: image.Target) -> None:
    watch = Watch(folder="")
    image.Fuzz("0", watch).feed(1, target, b"some bytes")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_what_was_left_can_be_fed_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "left").write_bytes(b"\xe9" * 100)
    assert image.main([str(tmp_path / "left")]) == 0
    assert image.main(["--runs", "20"]) == 0
    assert "inputs 20 " in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["watch"], ["__init__"]])
def test_an_unknown_name_is_a_mistake(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["fuzz", *arguments])
    assert dispatcher.main() == 2
    assert "script/fuzz --help" in capsys.readouterr().err


@pytest.mark.slow
def test_a_name_gets_its_arguments(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["fuzz", "image", "--runs", "10"])
    assert dispatcher.main() == 0
    assert "inputs 10 " in capsys.readouterr().out
