"""Texts from outside are text: one line, bounded, without meaning in Markdown, without secrets."""

import pytest

from custom_components.esp_ota.ota import (
    Cause,
    LibraryError,
    as_text,
    lines_as_text,
    one_line,
    without_secrets,
)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("garden_valve-1.0.bin", "garden_valve-1.0.bin"),
        ("a\nb\r\n\tc", "a b c"),
        ("a\x1b[31mb\x00", "a[31mb"),
        ("abc\u202edcba\u200b", "abcdcba"),
        ("half \ud800 of one", "half of one"),
        ("  much   room  ", "much room"),
        (5, "5"),
        ("x" * 600, "x" * 499 + "…"),
        ("", ""),
    ],
)
def test_a_text_is_one_printable_line(said: object, shown: str) -> None:
    assert one_line(said) == shown


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("garden_valve-1.0.bin", "garden_valve-1.0.bin"),
        ("[click](http://evil.example)", r"\[click\](http\://evil.example)"),
        ("![](https://evil.example/pixel)", r"!\[\](https\://evil.example/pixel)"),
        ("<img src=x>", r"\<img src=x>"),
        ("**bold** _this_ `code` ~~gone~~", r"\*\*bold\*\* \_this\_ \`code\` \~\~gone\~\~"),
        ("see www.evil.example", r"see www\.evil.example"),
        ("write to me@evil.example", r"write to me\@evil.example"),
        ("# Heading", r"\# Heading"),
        ("> quote", r"\> quote"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        ("1.2.0", "1.2.0"),
        ("---", r"\---"),
        ("a | b", r"a \| b"),
        ("&lt;b&gt; R&D", r"\&lt;b\&gt; R&D"),
        ("a\\", "a\\\\"),
        ("two\n# lines", r"two # lines"),
    ],
)
def test_a_text_means_nothing_in_markdown(said: str, shown: str) -> None:
    assert as_text(said) == shown


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("http://anna:geheim@192.0.2.1/status", "http://192.0.2.1/status"),
        ("http://anna:ge@heim@{host}/x?key=geheim#y", "http://{host}/x?…"),
        ("Cannot ask https://a.example/l?token=geheim now", "Cannot ask https://a.example/l?… now"),
        ("url='http://geheim@a.example'", "url='http://a.example'"),
        ("no address: a@b?c", "no address: a@b?c"),
    ],
)
def test_an_address_is_shown_without_its_secrets(said: str, shown: str) -> None:
    assert without_secrets(said) == shown
    assert one_line(said) == shown


def test_notes_keep_their_lines_and_nothing_else() -> None:
    notes = "## New\n- [x](http://a.example)\n\nMore\x07."
    assert lines_as_text(notes) == "\\## New  \n\\- \\[x\\](http\\://a.example)\n\nMore."
    assert lines_as_text("a\n" * 5000).count("\n") <= 200


def test_every_error_states_its_facts_as_text() -> None:
    err = LibraryError(Cause.UNREADABLE_FILE, detail="a\nb http://u:p@h/", file="x" * 9999)
    assert err.facts["detail"] == "a b http://h/"
    assert len(err.facts["file"]) == 500
    assert "\n" not in str(err)
