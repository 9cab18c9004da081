"""The words of the page: each is there, asked for, and the same in every language."""

from collections.abc import Iterator, Mapping
import json
from pathlib import Path
import re
from typing import Any

import pytest

from custom_components.esp_ota.ota import EvidenceSource, MemberState, SignatureState, SlotSource
from tests.kit.places import INTEGRATION
from tests.kit.source_code import read

FRONTEND = INTEGRATION / "frontend"
LANGUAGES = sorted((FRONTEND / "words").glob("*.json"))
PLACEHOLDER = re.compile(r"\{(\w*)\}")

type Words = Mapping[str, str]
"""Texts by their keys: `modules.title`."""


def leaves(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}{key}.")
        else:
            yield path + key, value


def words(path: Path) -> Words:
    return dict(leaves(json.loads(path.read_text("utf-8"))))


def asked_for(code: str, groups: set[str]) -> set[re.Pattern[str]]:
    """Return what keys a file asks for; a name that is put in has no dot.

    Keys are written whole, so that they are found: `t("modules.title")`, `t(`proof.${source}`)`.
    """
    code = re.sub(r"//[^\n]*|/\*.*?\*/", "", code, flags=re.DOTALL)
    literal = re.compile(rf'"((?:{"|".join(groups)})\.[\w.]+)"|`((?:{"|".join(groups)})\.[^`]+)`')
    found = set()
    for plain, template in literal.findall(code):
        parts = re.split(r"\$\{[^}]*\}", plain or template)
        found.add(re.compile(r"\w+".join(re.escape(part) for part in parts)))
    return found


def missing(asked: set[re.Pattern[str]], known: Words) -> set[str]:
    return {key.pattern for key in asked if not any(key.fullmatch(word) for word in known)}


def unused(asked: set[re.Pattern[str]], known: Words) -> set[str]:
    return {word for word in known if not any(key.fullmatch(word) for key in asked)}


def differences(told: Words, english: Words) -> list[str]:
    """Return what a language lacks, has too much of, or fills in differently."""
    found = [f"{key} is missing" for key in english.keys() - told.keys()]
    found += [f"{key} is not in English" for key in told.keys() - english.keys()]
    for key in told.keys() & english.keys():
        theirs, ours = PLACEHOLDER.findall(told[key]), PLACEHOLDER.findall(english[key])
        if set(theirs) != set(ours):
            found.append(f"{key} fills in {theirs}, English {ours}")
    return sorted(found)


TABS = json.loads(
    re.findall(r"const TABS = (\[.*?\]);", (FRONTEND / "page.js").read_text("utf-8"))[0]
)
ENGLISH = words(FRONTEND / "words" / "en.json")
ASKED = set[re.Pattern[str]]().union(
    *(
        asked_for(path.read_text("utf-8"), {key.partition(".")[0] for key in ENGLISH})
        for path in FRONTEND.glob("*.js")
    ),
    # Each tab is called by a word of its own group.
    {re.compile(rf"{tab}\.title") for tab in TABS},
)


def test_every_text_that_the_page_asks_for_is_there() -> None:
    assert missing(ASKED, ENGLISH) == set()


def test_every_text_of_the_page_is_asked_for() -> None:
    assert unused(ASKED, ENGLISH) == set()


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_every_language_says_the_same(path: Path) -> None:
    assert differences(words(path), ENGLISH) == []


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_texts_are_well_formed(path: Path) -> None:
    for key, text in words(path).items():
        assert isinstance(text, str), key
        assert text, key
        assert text == text.strip(), f"{key}: spaces around it"
        assert not re.search(r"<[/a-z]|https?:", text), f"{key}: HTML, or an address"
        assert re.fullmatch(r"[a-z0-9_.]+", key), f"{key}: not a slug"
        # French sets a space that does not break before some marks.
        assert re.sub(r"\{\w+\}|[\u00a0\u202f]", "", text).isprintable(), key
        assert not re.search(r"[{}]", re.sub(r"\{[a-z_]+\}", "", text)), f"{key}: a broken brace"


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_heads_of_columns_and_choices_are_short_enough(path: Path) -> None:
    """They are cut, or make a table wider than a window."""
    limit = 24 if path.stem == "en" else 30
    found = {
        key: text for key, text in words(path).items() if re.search(r"\.(columns|shows)\.", key)
    }
    assert found
    assert {key: text for key, text in found.items() if len(text) > limit} == {}


def test_what_is_missing_unused_or_different_is_found() -> None:
    """The tests above can fail."""
    code = """
      // t("a.in_a_comment")
      /** t("a.in_another") */
      const [one, two] = [t("a.plain"), t(`a.some.${kind}`)], three = t(`a.${name}_one`);
      fetch("b.plain");
    """
    asked = asked_for(code, {"a"})
    known = {"a.plain": "x", "a.some.kind": "x", "a.up_one": "x"}
    assert (missing(asked, known), unused(asked, known)) == (set(), set())
    assert missing(asked, {"a.plain": "x", "a.up_one": "x"}) == {r"a\.some\.\w+"}
    assert unused(
        asked, known | {"a.in_a_comment": "x", "a.some": "x", "a.some.kind.more": "x"}
    ) == {
        "a.in_a_comment",
        "a.some",
        "a.some.kind.more",
    }
    english = {"a": "{count} of {all}", "b": "x", "c": "x"}
    assert differences({"a": "{all}: {count}, {count}", "b": "y", "c": "z"}, english) == []
    assert differences({"a": "{all} {amount}", "b": "y", "d": "z"}, english) == [
        "a fills in ['all', 'amount'], English ['count', 'all']",
        "c is missing",
        "d is not in English",
    ]


def test_a_page_has_words_for_whatever_it_may_be_told() -> None:
    code = {path.name: path.read_text("utf-8") for path in FRONTEND.glob("*.js")}
    assert {f"proof.{source}" for source in EvidenceSource} <= ENGLISH.keys()
    assert {f"detail.slot_source.{source}" for source in SlotSource} <= ENGLISH.keys()
    by_hand = re.search(r"BY_HAND = (\[.*?\])", code["library.js"])
    assert by_hand is not None
    assert {f"library.sources.{source}" for source in json.loads(by_hand[1])} <= ENGLISH.keys()
    compared = {*SignatureState} - {SignatureState.UNCHECKED}  # then it is signed, or is not
    assert {f"library.signatures.{state}" for state in compared} <= ENGLISH.keys()


def test_what_the_page_calls_by_the_words_of_the_integration_is_there() -> None:
    """Actions, their fields, states and choices: written with their names, or put in."""
    texts = dict(leaves(read("translations/en.json")))
    code = "\n".join(path.read_text("utf-8") for path in FRONTEND.glob("*.js"))
    wanted = re.findall(r"\bours\(`([^`]+)`\)", code)
    assert len(wanted) == 6
    for path in wanted:
        pattern = re.compile(r"[\w.]+".join(map(re.escape, re.split(r"\$\{[^}]*\}", path))))
        assert any(pattern.fullmatch(text) for text in texts), path
    members = {f"entity.sensor.rollout.state_attributes.{state}.name" for state in MemberState}
    assert members <= texts.keys()
    for name in re.findall(r'action\("(\w+)"\)', code):
        assert f"services.{name}.name" in texts


def test_nobody_has_written_words_into_the_page() -> None:
    """Every text is one of the words; only the name of this integration is not."""
    for path in FRONTEND.glob("*.js"):
        if path.name == "style.js":
            continue
        code = re.sub(r"//[^\n]*|/\*.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL)
        said = re.findall(r'"([^"\n]*)"', code)
        sentence = re.compile(r"[A-Z][a-z]+ [a-z]|[a-z]+ [a-z]+ [a-z]+")
        assert [text for text in said if sentence.search(text)] == [], path.name
