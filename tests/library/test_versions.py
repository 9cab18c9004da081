"""Order of version texts."""

import pytest

from custom_components.esp_ota.library import is_newer
from custom_components.esp_ota.library.versions import by_version


@pytest.mark.parametrize(
    ("version", "than", "expected"),
    [
        ("1.1.0", "1.0.0", True),
        ("1.0.0", "1.1.0", False),
        ("1.0.0", "1.0.0", False),
        ("1.10.0", "1.9.0", True),
        ("2026.11", "2026.2", True),
        ("1.0.0", "1.0.0-rc.1", True),
        ("garden-7", "garden-7", False),
        ("g14f53a19", "1.0.0", None),
    ],
)
def test_versions_are_ordered_where_they_can_be(
    version: str, than: str, expected: bool | None
) -> None:
    assert is_newer(version, than) is expected


def test_versions_that_cannot_be_ordered_still_have_one_order() -> None:
    versions = ["1.10.0", "nightly", "1.9.0", "1.0.0"]
    assert sorted(versions, key=by_version) == ["1.0.0", "1.9.0", "1.10.0", "nightly"]
