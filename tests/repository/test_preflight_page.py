"""The page about pre-flight says what the checks do, in the words that the person reads."""

import importlib.util
from types import ModuleType

import pytest

from custom_components.esp_ota.ota import RULES, PackingReason
from tests.kit.places import ROOT


@pytest.fixture(name="maker")
def _maker() -> ModuleType:
    """Return the program that writes the lists of the page."""
    spec = importlib.util.spec_from_file_location(
        "make_preflight", ROOT / "script" / "make_preflight.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_current(maker: ModuleType) -> None:
    page = maker.PAGE.read_text(encoding="utf-8")
    assert maker.made(page) == page, "run script/make_preflight.py"


def test_every_check_and_every_answer_is_on_it(maker: ModuleType) -> None:
    page = maker.made(f"head\n{maker.BEGIN}old{maker.END}tail\n")
    assert page.startswith("head\n")
    assert page.endswith("tail\n")
    assert "old" not in page.splitlines()
    for rule in RULES:
        assert f"(`{rule.check}`)" in page
        assert all(f"`{cause}`: " in page for cause in (*rule.causes, *rule.unknown))
    assert all(f"- `{reason}`: " in page for reason in PackingReason)
    assert "- `merged_image`: " in page
    assert "{" not in page
