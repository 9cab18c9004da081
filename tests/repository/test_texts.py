"""Texts: what hassfest checks of them, and that all are there that the code asks for."""

import ast
from collections.abc import Iterator
import json
from pathlib import Path
import re
import string
from typing import Any

import pytest

from tests.kit.places import INTEGRATION
from tests.kit.source_code import FREE_COMPONENTS, modules, read, read_optional, stores

LANGUAGES = sorted((INTEGRATION / "translations").glob("*.json"))
# Texts that Home Assistant brings for every integration.
CORE_ABORTS = {"already_in_progress", "reauth_successful", "reconfigure_successful"}
SLUG = re.compile(r"(?!.*[-_]{2})[a-z0-9]([a-z0-9_-]*[a-z0-9])?")
URL = re.compile(r"(\w+://|www\.)\w", re.IGNORECASE)


def leaves(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every text of a translation file with its path."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, (*path, key))
    else:
        yield path, tree


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def calls(tree: ast.AST) -> Iterator[tuple[str, dict[str, ast.expr]]]:
    """Yield the last name and the keywords of every call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else ""
            name = function.id if isinstance(function, ast.Name) else name
            yield name, {word.arg: word.value for word in node.keywords if word.arg}


def constants() -> dict[str, ast.expr]:
    """Return what the names of `const.py` stand for."""
    return {
        node.target.id: node.value
        for node in modules()["const.py"].body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value
    }


def literal_keywords(word: str, function: str) -> Iterator[tuple[str, str]]:
    """Yield (file, text) for the calls to functions of that name that give the keyword a literal.

    Of an f-string this is the part before the first value, with an asterisk.
    """
    named = constants()
    for name, tree in modules().items():
        for called, words in calls(tree):
            value = words.get(word) if re.fullmatch(function, called) else None
            if isinstance(value, ast.Name):
                value = named.get(value.id)
            if isinstance(value, ast.JoinedStr) and isinstance(value.values[0], ast.Constant):
                yield name, str(value.values[0].value) + "*"
            elif isinstance(value, ast.Constant):
                yield name, str(value.value)


def known(key: str, keys: Any) -> bool:
    return any(other.startswith(key[:-1]) for other in keys) if key.endswith("*") else key in keys


def test_english_is_there() -> None:
    assert INTEGRATION / "translations" / "en.json" in LANGUAGES


def test_strings_json_is_no_second_truth() -> None:
    if (INTEGRATION / "strings.json").exists():
        assert read("strings.json") == read("translations/en.json")


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_no_key_is_written_twice(path: Path) -> None:
    """The last one would win, and the texts of the first be gone without a word."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        assert len(keys) == len(set(keys)), {key for key in keys if keys.count(key) > 1}
        return dict(pairs)

    json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=once)


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_texts_are_well_formed(path: Path) -> None:
    for where, text in leaves(read(f"translations/{path.name}")):
        place = "::".join(where)
        assert isinstance(text, str), place
        assert text, place
        assert text == text.strip(), f"{place}: spaces around it"
        assert not re.search(r"<[/a-z][^>]*>", text), f"{place}: HTML"
        assert not URL.search(text), f"{place}: an address belongs in a placeholder"
        assert "[%" not in text, f"{place}: references are not resolved here"
        assert not re.search(r"'\{\w+\}'", text), f"{place}: a placeholder in single quotes"
        assert all(name.isidentifier() for name in placeholders(text)), place
        assert all(SLUG.fullmatch(key) for key in where), f"{place}: not a slug"


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_languages_say_the_same(path: Path) -> None:
    english = dict(leaves(read("translations/en.json")))
    for where, text in leaves(read(f"translations/{path.name}")):
        assert where in english, f"{path.name}: {where} is not in English"
        assert placeholders(text) == placeholders(english[where]), f"{path.name}: {where}"


def forms(texts: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every step, and every section of one, of every flow."""
    flows = {name: texts[name] for name in ("config", "options") if name in texts}
    flows |= texts.get("config_subentries", {})
    flows |= {k: issue["fix_flow"] for k, issue in texts["issues"].items() if "fix_flow" in issue}
    for flow, content in flows.items():
        for step, form in content["step"].items():
            yield f"{flow}::{step}", form
            for section, part in form.get("sections", {}).items():
                yield f"{flow}::{step}::{section}", part


def test_every_field_of_a_form_is_explained() -> None:
    for place, form in forms(read("translations/en.json")):
        fields = form.get("data", {}).keys()
        explained = form.get("data_description", {}).keys()
        assert fields == explained, f"{place}: {sorted(fields ^ explained)}"


def test_an_issue_is_described_or_can_be_fixed() -> None:
    for key, issue in read("translations/en.json")["issues"].items():
        assert issue["title"]
        assert ("description" in issue) != ("fix_flow" in issue), key


def test_every_store_has_a_repair_for_what_cannot_be_read() -> None:
    issues = read("translations/en.json")["issues"]
    assert {"history", "journal", "library", "memory"} <= stores()
    assert {f"{store}_set_aside" for store in stores()} <= issues.keys()


def test_every_cause_has_a_sentence() -> None:
    enum = next(
        node
        for node in ast.walk(modules()["ota/causes.py"])
        if isinstance(node, ast.ClassDef) and node.name == "Cause"
    )
    causes = {
        node.value.value
        for node in enum.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    assert causes
    assert causes - read("translations/en.json")["exceptions"].keys() == set()


@pytest.mark.parametrize(
    ("word", "function", "place"),
    [
        ("translation_key", r"\w*(Error|Failed|NotReady|Missing)", "exceptions"),
        ("translation_key", "(async_)?create_issue", "issues"),
        ("translation_key", "SelectSelectorConfig", "selector"),
    ],
    ids=["exceptions", "issues", "selector"],
)
def test_every_text_that_is_asked_for_exists(word: str, function: str, place: str) -> None:
    texts = read("translations/en.json").get(place, {})
    missing = [found for found in literal_keywords(word, function) if not known(found[1], texts)]
    assert missing == []


def test_an_exception_gets_the_placeholders_of_its_sentence() -> None:
    texts = read("translations/en.json")["exceptions"]
    for name, tree in modules().items():
        for _, words in calls(tree):
            key, given = words.get("translation_key"), words.get("translation_placeholders")
            if "translation_domain" not in words or not isinstance(key, ast.Constant):
                continue
            if given is None or isinstance(given, ast.Dict):
                values = {k.value for k in given.keys if k} if given else set()  # type: ignore[attr-defined]
                message = texts[str(key.value)]["message"]
                assert placeholders(message) <= values, f"{name}: {message}"


@pytest.mark.slow
def test_flows_show_steps_and_endings_that_have_a_text() -> None:
    texts = read("translations/en.json")
    flows = [texts.get("config", {}), texts.get("options", {})]
    flows += [*texts.get("config_subentries", {}).values()]
    flows += [issue.get("fix_flow", {}) for issue in texts["issues"].values()]
    steps = {step for flow in flows for step in flow.get("step", {})}
    aborts = CORE_ABORTS | {reason for flow in flows for reason in flow.get("abort", {})}
    forms_shown = "async_show_(form|menu|progress)"
    assert [f for f in literal_keywords("step_id", forms_shown) if not known(f[1], steps)] == []
    assert [f for f in literal_keywords("reason", r"async_\w*abort") if f[1] not in aborts] == []


def test_entities_have_a_name_and_icons_belong_to_them() -> None:
    texts = read("translations/en.json").get("entity", {})
    icons = read_optional("icons.json").get("entity", {})
    for name, tree in modules().items():
        platform = name.removesuffix(".py")
        if platform not in FREE_COMPONENTS:
            continue
        keys = {
            key.value
            for called, words in calls(tree)
            if called.endswith("Description")
            and isinstance(key := words.get("translation_key"), ast.Constant)
        }
        assert keys - texts.get(platform, {}).keys() == set(), name
    for platform, entities in icons.items():
        assert entities.keys() - texts[platform].keys() == set(), platform


def test_icons_are_of_the_one_set() -> None:
    for where, icon in leaves(read_optional("icons.json")):
        assert re.fullmatch(r"mdi:[a-z0-9-]+", icon), where
    for entities in read_optional("icons.json").get("entity", {}).values():
        for key, entity in entities.items():
            assert entity.get("default") not in entity.get("state", {}).values(), key


def test_actions_are_described_translated_and_have_icons() -> None:
    actions = read_optional("services.yaml")
    texts = read("translations/en.json").get("services", {})
    icons = read_optional("icons.json").get("services", {})
    registered = {
        called
        for tree in modules().values()
        for called, _ in calls(tree)
        if called.endswith(("services.async_register", "register_admin_service"))
    }
    assert bool(actions) is bool(registered)
    assert actions.keys() == texts.keys() == icons.keys()
    for name, action in actions.items():
        fields, sections = set(), set()
        for field, content in ((action or {}).get("fields") or {}).items():
            if "fields" in content:
                sections.add(field)
                fields |= content["fields"].keys()
            else:
                fields.add(field)
        assert {"name", "description"} <= texts[name].keys(), name
        assert fields == texts[name].get("fields", {}).keys(), name
        assert sections == texts[name].get("sections", {}).keys(), name
        for field, text in texts[name].get("fields", {}).items():
            assert text["name"], f"{name}::{field}"
            assert text["description"], f"{name}::{field}"
