"""Words: all of them are in the translations, whole sentences, for every language there is."""

import ast
from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Final

import pytest

from custom_components.esp_ota.ota import Detail
from tests.kit.places import INTEGRATION
from tests.kit.source_code import modules, read
from tests.repository.test_texts import LANGUAGES, leaves, placeholders

PAGES: Final = sorted((INTEGRATION / "frontend" / "words").glob("*.json"))
"""What the page says, a file a language."""
OTHERS: Final = [path for path in LANGUAGES + PAGES if path.stem != "en"]
_WORDS: Final = re.compile(r"[A-Za-z]{2,}[,;:]? [a-z]{2,}")
_COUNTED: Final = re.compile(
    r"\{(count|days|minutes|modules|all|length|segments|updated|refused|waits)\}[ \xa0]"
    r"(?!min\b|\w+ \{|keer\b|fois\b)\w"
)
"""A number with a word behind it that is another one for 1: not "min", nor "3 of {all}"."""
_JOB: Final = "ESP OTA "
"""So the names of tasks and listeners begin."""
_NOT_SHOWN: Final = {
    "Exception",
    "LookupError",
    "RuntimeError",
    "TypeError",
    "TimeoutError",
    "ValueError",
    "Invalid",  # of a schema: Home Assistant shows them to programmers
    "async_create_task",  # the name of a task
    "async_create_background_task",
    "send_error",  # to our own page, which has a sentence for it
    "compile",
}
"""What is called with words that no person reads."""
_FOR_MACHINES: Final = {
    "equipment/choice.py": "the name of a script in the log",
    "flows/transports.py": "lines to copy into a sketch",
    "ota/preflight/packing.py": "what a flash chip is able to, compared only",
    "ota/preflight/signature.py": "the form of minisign's files",
    "ota/transport/_dialects.py": "words of modules",
    "ota/transport/_multipart.py": "headers",
    "ota/transport/_replies.py": "words of modules",
    "ota/transport/_verdict.py": "words of modules",
    "ota/transport/http_upload.py": "a header",
    "web/pull_view.py": "a header",
    "web/upload_view.py": "an answer to a program without a right to ask",
}
_LONGEST: Final = {
    "the title of a dialog": (r"(config|options|config_subentries)\..*\.title", 60),
    "a line of a menu": (r".*\.menu_options\.\w+", 62),
    "what stands under it": (r".*\.menu_option_descriptions\.\w+", 140),
    "a button": (r".*\.(submit|initiate_flow\.\w+)", 34),
    "the name of a field": (r"(config|options|config_subentries)\..*\.data\.\w+", 62),
    "a choice": (r"selector\..*", 100),
    "the name of an entity": (r"entity\..*\.name", 40),
    "a state": (r"entity\..*\.state\.\w+", 44),
    "the title of a repair": (r"issues\.\w+\.title", 100),
    "a trigger": (r"device_automation\..*", 56),
    "the head of a column": (r"\w+\.(columns|shows)\.\w+", 30),
}
"""Characters that fit where dialogs cut, at 360 pixels: English may use two thirds of them."""


def shown_words(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of the texts in code that are words, and may be shown to a person."""
    hidden: set[ast.AST] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for item in body if isinstance(body, list) else []:
            if isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant):
                hidden.add(item.value)  # a docstring
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if (
                called.startswith(("LOGGER.", "_LOGGER."))
                or called.rpartition(".")[2] in _NOT_SHOWN
            ):
                hidden.update(ast.walk(node))
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) else None
        text = text.decode("latin-1") if isinstance(text, bytes) else text
        if node in hidden or not isinstance(text, str) or text.startswith(_JOB):
            continue
        if _WORDS.search(text):
            yield node.lineno, text


def test_no_words_are_in_code() -> None:
    """A fragment that is put into a sentence could be translated by nobody."""
    found = [
        f"{name}:{line}: {text}"
        for name, tree in modules().items()
        if name not in _FOR_MACHINES
        for line, text in shown_words(tree)
    ]
    assert found == []


def test_words_in_code_are_found() -> None:
    code = '"""Doc string."""\nLOGGER.info("it is so")\nraise E(detail=f"no block at {at}")'
    assert [line for line, _ in shown_words(ast.parse(code))] == [3]


@pytest.mark.parametrize("name", _FOR_MACHINES)
def test_what_has_words_for_machines_still_has_some(name: str) -> None:
    assert list(shown_words(modules()[name]))


def test_a_detail_is_never_typed_where_it_is_raised() -> None:
    """One word would be found by nobody above: a detail is a `Detail`, or what others said."""
    for name, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg in {"detail", "because"}:
                parts = [
                    part
                    for part in ast.walk(node.value)
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                ]
                assert all(not re.search("[a-z]{3}", str(part.value)) for part in parts), (
                    f"{name}:{node.value.lineno}: {ast.unparse(node)}"
                )


def test_each_detail_has_a_sentence_and_each_sentence_a_detail() -> None:
    texts = read("translations/en.json")["exceptions"]
    assert {key.removeprefix("detail_") for key in texts if key.startswith("detail_")} == set(
        Detail
    )
    for detail in Detail:
        assert texts[f"detail_{detail}"]["message"].endswith(".")


def texts_of(path: Path) -> dict[str, str]:
    """Return the texts of a language by their dotted names."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return {".".join(where): text for where, text in leaves(content)}


def shown(path: Path) -> str:
    """Return which file it is."""
    return f"{path.parent.name}-{path.stem}"


@pytest.mark.parametrize("path", OTHERS, ids=shown)
def test_a_language_has_every_text_and_names_what_english_names(path: Path) -> None:
    """No placeholder is missing, unused or changed: hassfest wants the same in all of them."""
    english, texts = texts_of(path.with_name("en.json")), texts_of(path)
    assert english.keys() - texts.keys() == set(), "missing"
    assert texts.keys() - english.keys() == set(), "unused"
    wrong = {
        where: placeholders(text) ^ placeholders(english[where])
        for where, text in texts.items()
        if placeholders(text) != placeholders(english[where])
    }
    assert wrong == {}


@pytest.mark.parametrize("path", LANGUAGES + PAGES, ids=shown)
def test_a_sentence_with_a_number_reads_well_for_one(path: Path) -> None:
    wrong = {where: text for where, text in texts_of(path).items() if _COUNTED.search(text)}
    assert wrong == {}


@pytest.mark.parametrize(
    ("text", "well"),
    [
        ("{count} files", False),
        ("{updated} of {modules} modules were updated", False),
        ("in {minutes}\xa0minutes", False),
        ("Files: {count}", True),
        ("Modules: {shown} of {all}", True),
        ("within {minutes} min, or later", True),
    ],
)
def test_words_behind_a_number_are_found(text: str, *, well: bool) -> None:
    assert (_COUNTED.search(text) is None) is well


def test_both_have_the_same_languages() -> None:
    assert [path.stem for path in PAGES] == [path.stem for path in LANGUAGES]


@pytest.mark.parametrize("path", LANGUAGES + PAGES, ids=shown)
def test_what_dialogs_cut_is_short_enough(path: Path) -> None:
    for where, text in texts_of(path).items():
        for what, (pattern, longest) in _LONGEST.items():
            limit = longest * 2 // 3 + 8 if path.stem == "en" else longest
            if re.fullmatch(pattern, where):
                assert len(text) <= limit, f"{what}: {where}: {text} ({len(text)})"


def test_every_limit_is_for_something() -> None:
    english = [*texts_of(LANGUAGES[0].with_name("en.json")), *texts_of(PAGES[0])]
    for pattern, _ in _LONGEST.values():
        assert any(re.fullmatch(pattern, where) for where in english), pattern
