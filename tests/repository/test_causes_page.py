"""Each cause has one sentence: whole, with the facts of the case, and with a next step."""

import ast
from collections.abc import Iterator
import json
import re
import string
import subprocess
import sys

import pytest

from custom_components.esp_ota.ota import Cause
from tests.kit.places import INTEGRATION, ROOT

SIGNATURE = INTEGRATION / "ota" / "preflight" / "signature.py"
MESSAGES: dict[str, str] = {
    key: texts["message"]
    for key, texts in json.loads(
        (INTEGRATION / "translations" / "en.json").read_text(encoding="utf-8")
    )["exceptions"].items()
}

STEP = re.compile(
    r"(?:^|[.:;,}] |\b(?:or|then|and) )(?:[Ii]n a container )?"
    r"(?:accept|add|ask|build|cancel|check|choose|confirm|copy|correct|do not|download|enter|find"
    r"|give|let|look|make|name|open|paste|press|protect|publish|put|report|restart|restore|send|set|sign|switch"
    r"|try|type|unpack|update|use|wait)\b",
    re.IGNORECASE,
)
"""What a sentence asks of its reader; the list was read by hand, sentence by sentence."""


def names_in(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("cause", Cause)
def test_a_sentence_ends_and_names_a_next_step(cause: Cause) -> None:
    sentence = MESSAGES[cause]
    assert sentence.endswith(".")
    assert ".." not in sentence
    assert STEP.search(sentence), f"{cause} leaves the person alone: {sentence}"


def test_there_are_enough_of_them_to_tell_cases_apart() -> None:
    assert len(Cause) >= 30
    assert len({MESSAGES[cause] for cause in Cause}) == len(Cause)


# What the places that name a cause give its sentence

ERRORS = re.compile(
    r"OtaError|\w+Error|InstallRefused|NotCollected|ModuleRejectedImage|invalid|unknown|_broken"
)
ADDED = {
    "ota/transport/": {"host", "port"},  # by `send` of the pushes, for every error
    "ota/module/diagnosis.py": {"host", "port"},
    "ota/transport/_download.py": {"host", "sent", "total"},  # by `_broken`
}
"""Facts that are added to all errors of a part; the longest path that fits counts."""


def given_by(call: ast.Call, function: ast.AST) -> set[str] | None:
    """Return the names of the facts that a call gives; None where only running it would tell."""
    names: set[str] = set()
    for word in call.keywords:
        if word.arg is not None:
            names.add(word.arg)
            continue
        found = dict_in(word.value, function)
        if found is None:
            return None
        names |= found
    return names


def dict_in(value: ast.expr, function: ast.AST) -> set[str] | None:
    """Return the keys of a dictionary that is written down in the same function."""
    if isinstance(value, ast.Name):
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id == value.id for target in node.targets
            ):
                return dict_in(node.value, ast.Module([], []))
        return None
    if isinstance(value, ast.Dict):
        return {key.value for key in value.keys if isinstance(key, ast.Constant)}  # type: ignore[misc]
    return None


def causes_in(value: ast.expr, function: ast.AST) -> Iterator[str]:
    """Yield the causes that an expression may be, by their names."""
    if isinstance(value, ast.IfExp):
        yield from causes_in(value.body, function)
        yield from causes_in(value.orelse, function)
    elif isinstance(value, ast.Attribute) and getattr(value.value, "id", None) == "Cause":
        yield value.attr
    elif isinstance(value, ast.Name):
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id == value.id for target in node.targets
            ):
                yield from causes_in(node.value, ast.Module([], []))


def places() -> Iterator[tuple[str, Cause, set[str]]]:
    """Yield each place that names a cause, with the facts it gives.

    What `signature.py` says about bytes is told by the checks, which know the firmware.
    """
    for path in sorted(set(INTEGRATION.rglob("*.py")) - {SIGNATURE}):
        name = str(path.relative_to(INTEGRATION))
        parts = [part for part in ADDED if name.startswith(part)]
        added = ADDED[max(parts, key=len)] if parts else set()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        functions = [node for node in ast.walk(tree) if isinstance(node, kinds)]
        for function in functions:
            for call in ast.walk(function):
                if not isinstance(call, ast.Call):
                    continue
                called = getattr(call.func, "id", getattr(call.func, "attr", ""))
                if not ERRORS.fullmatch(called):
                    continue
                given = given_by(call, function)
                for value in call.args:
                    for cause in causes_in(value, function):
                        if given is not None:
                            yield f"{name}:{call.lineno}", Cause[cause], given | added


@pytest.mark.slow
def test_every_place_that_names_a_cause_gives_what_its_sentence_names() -> None:
    found = list(places())
    poor = [
        f"{place}: {cause} names {sorted(missing)}"
        for place, cause, given in found
        if (missing := names_in(MESSAGES[cause]) - given - {"module"})
    ]
    assert poor == []
    assert len({cause for _, cause, _ in found}) > len(Cause) / 2


def test_the_words_of_a_module_are_in_the_sentences_for_them() -> None:
    """Causes that are read from a module's own words have nothing but these."""
    tables = {"ota/transport/_replies.py", "ota/transport/_verdict.py"}
    for name in tables:
        tree = ast.parse((INTEGRATION / name).read_text(encoding="utf-8"))
        for node in tree.body:
            if not isinstance(node, ast.AnnAssign) or node.value is None:
                continue
            for part in ast.walk(node.value):
                for cause in causes_in(part, tree) if isinstance(part, ast.Attribute) else ():
                    assert names_in(MESSAGES[Cause[cause]]) <= {"module", "host", "port", "text"}


# The page that lists them


def test_the_page_of_causes_is_current() -> None:
    run = subprocess.run(
        [sys.executable, "script/make_causes.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
