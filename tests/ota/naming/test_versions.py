"""Order of versions, as a person reads them: what is newer, what is the same, what nobody knows."""

from itertools import product

from hypothesis import given, strategies as st
import pytest

from custom_components.esp_ota.ota.naming import (
    by_version,
    differ_for_certain,
    is_newer,
    same_version,
    says_less,
)

NEWER = """
1.1.0 > 1.0.0
1.10.0 > 1.9.0
2026.11 > 2026.2
2026.11.10 > 2026.2.9
r11 > r9
R11 > r9
build57 > build9
garden-10 > garden-7
1.2.0-4-gabc1234 > 1.2.0
1.2.0-10-gabc1234 > 1.2.0-4-gdef5678
1.2.0-4-gabc1234-dirty > 1.2.0
1.2.1 > 1.2.0-4-gabc1234
v1.2.0-4-g14f53a1 > 1.2.0-rc1
1.2.0-rc1-4-gabc1234 > 1.2.0-rc1
1.2.0-rc2 > 1.2.0-rc1-4-gabc1234
0.10.0_ESP32 > 0.9.1_ESP32
1.0.0 > 1.0.0-rc.1
1.0.0 > 1.0.0-beta
1.0.0 > 1.0.0a1
1.0.0 > 1.0.0-dev
1.0.0 > 1.0.0-nightly
1.0.0 > 1.0.0-SNAPSHOT
1.0.0 > 1.0.0-preview
1.0.0-rc10 > 1.0.0-rc9
1.0.0-rc1 > 1.0.0-beta7
1.0.0-beta1 > 1.0.0-alpha2
0.15.0-b1 > 0.15.0-dev
2.1.1b30 > 2.1.1b4
1.0.0 > 0.9.9-rc1
1.1.0-rc1 > 1.0.0
1.0.0.post1 > 1.0.0
1.0.0-post2 > 1.0.0-post1
1.0.0.1 > 1.0.0
1.0.0-1 > 1.0.0
5.12.0b > 5.12.0a
5.12.1 > 5.12.0a
20240115 > 20231231
2024-01-15 > 2024-01-09
20240115-1230 > 20240115-0900
mega-20230623 > mega-20221105
2.0-20180322 > 2.0-20180321
1.2.0-nightly-20240116 > 1.2.0-nightly-20240115
1.3.0 > 1.2.0+build7
1.3.0 > 1.2.0-dirty
1.3.0 > 1.2.0-hotfix1
1.2.0-hotfix2 > 1.2.0-hotfix1
1.2.0-build58 > 1.2.0-build57
1.3.0_audioreactive > 1.2.0_ESP32_audioreactive
14.3.0 > 9.5.0.8
1.0.2 > 1.0.1.ota
"""
SAME = """
1.0.0 = 1.0.0
v1.2.0 = 1.2.0
V1.2.0 = v1.2.0
version 1.2.0 = 1.2.0
release-1.2.0 = v1.2.0
1.2.0_ESP8266 = 1.2.0
1.2.0-esp32-s3 = v1.2.0
1.2.0_ESP32 = 1.2.0_ESP8266
1.0.2.ota = 1.0.2
1.2.0.bin = 1.2.0
1.2 = 1.2.0
2024.01 = 2024.1
1.2.0-rc.1 = 1.2.0-RC1
1.2.0b2 = 1.2.0-beta.2
1.2.0c1 = 1.2.0-rc1
1.2.0-0-gabc1234 = 1.2.0
1.2.0-4-gABC1234 = 1.2.0-4-gabc1234
nightly = Nightly
14F53A19 = 14f53a19
R9 = r9
0 = 0.0
"""
NOBODY_KNOWS = """
1.0.0 ? g14f53a19
14f53a19 ? 24f53a19
nightly ? 1.1.0
garden-7 ? 1.2.0
r9 ? 9
r9 ? build9
1.2.0+a ? 1.2.0
1.2.0+a ? 1.2.0+b
1.2.0-dirty ? 1.2.0
1.2.0-abc1234 ? 1.2.0-def5678
1.2.0-4-gabc1234 ? 1.2.0-4-gdef5678
1.2.0_audioreactive ? 1.2.0
1.3.0_audioreactive ? 1.2.0
1.3.0 ? 1.2.0_audioreactive
1.3.0_ESP32_Ethernet ? 1.2.0_ESP32
1.3.0-th ? 1.2.0-basic
1.3.0_4CH ? 1.2.0
1.3.0_ESP01 ? 1.2.0_ESP8266
1.2.0-nightly ? 1.2.0-rc1
1.2.0-pre1 ? 1.2.0-rc1
1.2.0-build57 ? 1.2.0
1.2.0-p1 ? 1.2.0-r1
5.12.0a ? 5.12.0
2.0-20180322 ? 2.0
-- ? ..
"""


def pairs(text: str, sign: str) -> list[tuple[str, str]]:
    lines = (line.split(f" {sign} ") for line in text.strip().splitlines())
    return [(left, right) for left, right in lines]


@pytest.mark.parametrize(("new", "old"), pairs(NEWER, ">"))
def test_a_newer_version_is_newer_and_the_other_one_is_not(new: str, old: str) -> None:
    assert is_newer(new, old) is True
    assert is_newer(old, new) is False
    assert not same_version(new, old)
    assert by_version(new) > by_version(old)


@pytest.mark.parametrize(("one", "other"), pairs(SAME, "="))
def test_a_version_is_the_same_however_it_is_spelt(one: str, other: str) -> None:
    for left, right in ((one, other), (other, one)):
        assert same_version(left, right)
        assert is_newer(left, right) is False
        assert not differ_for_certain(left, right)


@pytest.mark.parametrize(("one", "other"), pairs(NOBODY_KNOWS, "?"))
def test_what_people_would_not_agree_on_has_no_order(one: str, other: str) -> None:
    for left, right in ((one, other), (other, one)):
        assert is_newer(left, right) is None
        assert not same_version(left, right)


def test_versions_without_an_order_still_stand_somewhere_in_a_list() -> None:
    versions = ["1.10.0", "nightly", "1.9.0", "g14f53a19", "1.0.0", "1.2.0_audioreactive"]
    ordered = sorted(versions, key=by_version)
    plain = [version for version in ordered if version[0] == "1" and "_" not in version]
    assert plain == ["1.0.0", "1.9.0", "1.10.0"]
    versions.reverse()
    assert ordered == sorted(versions, key=by_version)


KNOWN = sorted(set((NEWER + SAME + NOBODY_KNOWS).split()))
ANY = st.one_of(
    st.sampled_from(KNOWN),
    st.text("0129abrv.-_+ gd", max_size=12),
    st.lists(st.sampled_from(["1", "2", "10", "rc", "b", "dev", "x", "-", ".", "+"])).map("".join),
)


@pytest.mark.slow
@given(ANY, ANY, ANY)
def test_the_order_contradicts_itself_nowhere(a: str, b: str, c: str) -> None:
    assert same_version(a, a)
    newer = is_newer(a, b)
    if newer:
        assert is_newer(b, a) is False
        assert by_version(a) > by_version(b)
    if newer is None:
        assert is_newer(b, a) is None
    if newer and is_newer(b, c):
        assert is_newer(a, c) is True
    if same_version(a, b) and same_version(b, c):
        assert same_version(a, c)


@pytest.mark.parametrize(
    "text", ["9" * 5000, "1." * 5000, "v", "", " ", "+", "é.\u00bd", "\u0661.\u0662"]
)
def test_no_text_is_too_odd_to_be_compared(text: str) -> None:
    for left, right in product((text, "1.0"), repeat=2):
        is_newer(left, right)
        differ_for_certain(left, right)
        says_less(left, right)
    assert same_version(text, text)


@pytest.mark.parametrize(
    ("said", "label", "certain"),
    [
        ("1.1.0", "1.2.0", True),
        ("v1.1.0", "1.2.0_ESP32", True),
        ("1.1.0", "1.2.0_Ethernet", True),
        ("1.2.0-rc1", "1.2.0-rc2", True),
        ("1.2.0-3-gabc1234", "1.2.0-4-gdef5678", True),
        ("1.2.0-20240115", "1.2.0-20240116", True),
        ("r9", "r11", True),
        ("1.2.0", "1.2.0-rc1", False),
        ("1.2.0", "1.2.0-4-gabc1234", False),
        ("1.2.0", "1.2.0-20240116", False),
        ("1.2.0", "1.2.0+abc", False),
        ("1.2.0", "build57", False),
        ("garden", "1.2.0", False),
        ("14f53a19", "1.2.0", False),
    ],
)
def test_two_labels_differ_for_certain_only_by_numbers_that_both_have(
    said: str, label: str, *, certain: bool
) -> None:
    assert differ_for_certain(said, label) is certain
    assert differ_for_certain(label, said) is certain


@pytest.mark.parametrize(
    ("said", "label", "less"),
    [
        ("1.2.0", "1.2.0-20240116", True),
        ("v1.2.0", "1.2.0-4-gabc1234", True),
        ("1.2.0", "1.2.0+abc", True),
        ("1.2.0", "1.2.0-dirty", True),
        ("1.2.0", "1.2.0-build57", True),
        ("1.2.0", "1.2.0_ESP32_Ethernet", True),
        ("1.2.0", "1.2.0", False),
        ("1.2.0", "v1.2.0", False),
        ("1.2.0", "1.2.0-rc1", False),
        ("1.2.0+a", "1.2.0+b", False),
        ("1.2.0+a", "1.2.0", False),
        ("1.1.0", "1.2.0+abc", False),
        ("nightly", "nightly-1", False),
    ],
)
def test_what_a_module_says_may_be_the_label_without_its_details(
    said: str, label: str, *, less: bool
) -> None:
    assert says_less(said, label) is less
