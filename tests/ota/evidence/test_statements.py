"""What is believed when several sources say what runs, and what pages say."""

from itertools import pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.esp_ota.ota import (
    EvidenceSource,
    Sighting,
    Statements,
    is_json_path,
    version_from,
)
from custom_components.esp_ota.ota.evidence.statements import SAID, strongest


def said(source: EvidenceSource, version: str | None, at: float = 1.0) -> Sighting:
    return Sighting(source=source, at=at, version=version)


def test_the_strongest_source_is_believed_whoever_speaks_last() -> None:
    order = list(EvidenceSource)
    for strong, weak in pairwise(order):
        assert strong.is_stronger(weak)
        assert not weak.is_stronger(strong)
        for first, second in ((strong, weak), (weak, strong)):
            statements = Statements()
            statements.heard(said(first, first.value))
            statements.heard(said(second, second.value))
            best = statements.best
            assert best is not None
            assert best.version == strong.value


def test_a_statement_without_a_version_hides_no_other() -> None:
    statements = Statements()
    assert statements.best is None
    statements.heard(said(EvidenceSource.TXT, None))
    statements.heard(said(EvidenceSource.ENTITY, "1.0"))
    assert statements.best == said(EvidenceSource.ENTITY, "1.0")
    assert list(statements.all) == [EvidenceSource.TXT, EvidenceSource.ENTITY]


def test_it_tells_whether_anything_else_is_said_than_before() -> None:
    assert Sighting._fields[SAID] == ("firmware", "version", "sketch_md5")
    statements = Statements()
    assert statements.heard(said(EvidenceSource.TXT, "1.0"))
    assert not statements.heard(said(EvidenceSource.TXT, "1.0", at=2.0))
    assert statements.all[EvidenceSource.TXT].at == 2.0
    assert statements.heard(said(EvidenceSource.ENTITY, "1.0"))
    assert statements.heard(said(EvidenceSource.TXT, "1.1", at=3.0))
    statements.image_replaced(at=4.0)
    assert statements.heard(said(EvidenceSource.TXT, "1.1", at=5.0))


def test_who_says_something_new_has_seen_another_image() -> None:
    statements = Statements()
    statements.heard(said(EvidenceSource.INFO_URL, "1.0"))
    statements.heard(said(EvidenceSource.TXT, "1.0"))
    statements.heard(said(EvidenceSource.TXT, "1.1"))
    assert statements.best == said(EvidenceSource.TXT, "1.1")


def test_what_was_said_before_the_image_was_replaced_is_forgotten() -> None:
    statements = Statements()
    statements.heard(said(EvidenceSource.INFO_URL, "1.0", at=1.0))
    statements.heard(said(EvidenceSource.ENTITY, "1.1", at=3.0))
    statements.image_replaced(at=2.0)
    assert statements.best == said(EvidenceSource.ENTITY, "1.1", at=3.0)


def test_of_many_sightings_the_last_of_the_strongest_source_counts() -> None:
    sightings = [
        said(EvidenceSource.INFO_URL, "1.0", at=1.0),
        said(EvidenceSource.INFO_URL, "1.1", at=2.0),
        said(EvidenceSource.PULL_VERSION, "0.9", at=3.0),
        said(EvidenceSource.PULL_MD5, None, at=4.0),
    ]
    assert strongest(sightings) == sightings[1]
    assert strongest([]) is None


@pytest.mark.parametrize(
    ("body", "path", "version"),
    [
        (b"1.2.3\n", None, "1.2.3"),
        (b"  v7 \r\nbuilt today", None, "v7"),
        (b"", None, None),
        (b"Not Found", None, None),
        (b"<html>", None, None),
        (b"x" * 65, None, None),
        (b'{"firmware": {"version": "1.2"}}', "firmware.version", "1.2"),
        (b'{"firmware": {"version": "1.2"}}', "$.firmware.version", "1.2"),
        (b'{"a": [{"b": 7}]}', "a[0].b", "7"),
        (b'["1.0"]', "$[0]", "1.0"),
        (b'{"a": 1}', "b", None),
        (b'{"a": [1]}', "a[3]", None),
        (b'{"a": {"b": 1}}', "a", None),
        (b'{"a": null}', "a", None),
        (b"no json", "a", None),
        (b"[" * 100_000, "a", None),
    ],
)
def test_a_page_names_a_version_or_nothing(
    body: bytes, path: str | None, version: str | None
) -> None:
    assert version_from(body, path) == version
    assert path is None or is_json_path(path)


@pytest.mark.parametrize("path", ["", "$", "$.", "a..[", "a[b]", "a]"])
def test_a_path_that_names_no_value_is_none(path: str) -> None:
    assert not is_json_path(path)


@given(st.binary(), st.none() | st.text())
def test_any_page_is_answered(body: bytes, path: str | None) -> None:
    version = version_from(body, path)
    assert version is None or (version.isprintable() and 0 < len(version) <= 64)
