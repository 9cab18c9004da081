"""Pins: one version, all that begin alike, and ranges."""

import pytest

from custom_components.esp_ota.ota import is_prerelease, pin_permits, pinned_version, read_pin


@pytest.mark.parametrize(
    ("pin", "inside", "outside"),
    [
        ("1.2.0", ["1.2.0", "v1.2", "1.2.0_ESP8266"], ["1.2.1", "1.2.0-rc.1", "1.2.0+7"]),
        ("=v1.2.0", ["1.2"], ["1.3"]),
        ("==1.2.0+7", ["1.2.0+7"], ["1.2.0"]),
        ("nightly", ["nightly"], ["1.0", "nightly-2"]),
        ("1.2.*", ["1.2", "1.2.0", "1.2.9", "1.2.3-rc.1", "v1.2.4"], ["1.3.0", "1.20.0", "1.1.9"]),
        ("1.0.x", ["1", "1.0.7"], ["1.1", "1.5.0"]),
        ("v2.X", ["2.0", "2.9.9"], ["3", "1.9"]),
        ("1.2.*", [], ["1.2.1_audioreactive", "r1.2.1", "nightly"]),
        (">=1.2, <2", ["1.2", "1.2.0", "1.9.9", "1.3-rc1"], ["1.1", "2", "2.0.0-rc.1", "1.2-rc1"]),
        (">=1.2 <2", ["1.5"], ["2.1"]),
        ("> 1.2", ["1.2.1", "1.3-rc1", "1.2-3-gabc1234"], ["1.2", "1.2.0"]),
        ("<=2", ["2", "2.0.0", "2.0.0-rc.1", "1"], ["2.0.1"]),
        ("<2.0.0-rc.2", ["2.0.0-rc.1", "2.0.0-beta"], ["2.0.0-rc.2", "2.0.0"]),
        ("<2", ["1.9.9-rc.1"], ["2.0-dev", "2.0.0-nightly"]),
        (">=1.2,<2,!=1.3.1", ["1.3.0", "1.3.2"], ["1.3.1", "v1.3.1"]),
        ("!=1.3.1", ["1.3.0", "nightly"], ["1.3.1"]),
        (">=1", [], ["nightly", "1.2_audioreactive"]),
        (">2, <1", [], ["0.5", "1.5", "3"]),
        (">=1.2-rc.1", ["1.2-rc.1", "1.2-rc.2", "1.2"], ["1.2-beta.9"]),
    ],
)
def test_what_a_pin_permits(pin: str, inside: list[str], outside: list[str]) -> None:
    stored = read_pin(pin)
    assert [version for version in inside if not pin_permits(stored, version)] == []
    assert [version for version in outside if pin_permits(stored, version)] == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "*",
        "x.*",
        "1.*.2",
        ">=1.*",
        "!=1.2.*",
        ">=",
        ">=nightly",
        "<nightly",
        "^1.2",
        "~1.2",
        "~=1.2",
        "1.2 1.3",
        "1.2, >=1",
        ">=1,",
        ">=1,,<2",
        ">=1 | <0.5",
        "1.2.0\x00",
        "../1.2",
        "1" * 201,
        "new version",
    ],
)
def test_what_is_no_pin_is_refused_and_not_guessed(text: str) -> None:
    with pytest.raises(ValueError):
        read_pin(text)


def test_what_was_stored_and_cannot_be_read_names_one_version() -> None:
    assert pin_permits("^1.2", "^1.2")
    assert not pin_permits("^1.2", "1.2")
    assert pinned_version("^1.2") == "^1.2"


def test_a_range_names_no_version_and_a_pin_is_stored_in_one_line() -> None:
    assert pinned_version("1.2.0") == pinned_version("= 1.2.0") == "1.2.0"
    assert pinned_version("1.2.*") is pinned_version(">=1.2") is None
    assert read_pin("  >=1.2,\n  <2 ") == ">=1.2, <2"


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.4.0-rc.1", True),
        ("1.4.0rc1", True),
        ("1.4.0-beta", True),
        ("1.4b2", True),
        ("2.0-dev", True),
        ("1.4.0-preview.3", True),
        ("nightly", True),
        ("nightly.20261128.0412", True),
        ("dev-20261128", True),
        ("1.4.0-alpha.1+build.7", True),
        ("1.4.0", False),
        ("1.4b", False),
        ("v1.4.0-3-gabc1234", False),
        ("1.4.0-dirty", False),
        ("1.4.0-post1", False),
        ("r9", False),
        ("build57", False),
        ("1.4.0-hotfix1", False),
        ("1.4.0_audioreactive", False),
        ("", False),
    ],
)
def test_which_versions_say_that_they_are_pre_releases(version: str, expected: bool) -> None:
    assert is_prerelease(version) is expected
