#!/usr/bin/env bash
# One would guess: a build that `git describe` names 1.1.0-3-gabc1234, three commits after the tag 1.1.0, is
#   newer than 1.1.0, and one named 1.1.0_abc1234 is at least as new.
# True: the first is older than 1.1.0 (what follows the dash is a pre-release), so that whoever compares
#   with this library, as update cards do, offers 1.1.0 as an update to what was built after it. The second
#   cannot be compared with 1.1.0 at all, in neither direction, although both begin with the same number.
# Seen with awesomeversion 25.8.0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet awesomeversion==25.8.0
"$folder/venv/bin/python" - <<'PYTHON'
from awesomeversion import AwesomeVersion
from awesomeversion.exceptions import AwesomeVersionCompareException


def newer(one, other):
    try:
        return AwesomeVersion(one) > AwesomeVersion(other)
    except AwesomeVersionCompareException:
        return "cannot be compared"


pairs = [
    ("1.1.0-3-gabc1234", "1.1.0"),
    ("1.1.0", "1.1.0-3-gabc1234"),
    ("1.1.0_abc1234", "1.1.0"),
    ("1.1.0", "1.1.0_abc1234"),
]
seen = [newer(one, other) for one, other in pairs]
for (one, other), answer in zip(pairs, seen, strict=True):
    print(f"{one} newer than {other}: {answer}")
assert seen == [False, True, "cannot be compared", "cannot be compared"], seen
PYTHON
