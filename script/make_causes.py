"""Write `docs/causes.md`: every cause with its sentence, as the person reads it.

Usage: .venv/bin/python script/make_causes.py [--check]   (--check: only tell whether it is current)
"""

from collections.abc import Iterator
import json
from pathlib import Path
import re
import sys

INTEGRATION = Path(__file__).parent.parent / "custom_components" / "esp_ota"
PAGE = INTEGRATION.parent.parent / "docs" / "causes.md"
HEAD = """\
# Why an update was refused or failed

Each cause has a name and one sentence, which says what to do next. The message after a press, the
page *ESP OTA*, the event, the repair, the log and the logbook show the same sentence; words in
braces are filled with the facts of the case. Automations find the name in the attribute `cause` of
the event *Update ended*. What to look at first stands in [troubleshooting](troubleshooting.md).

This page is written by `script/make_causes.py` from the enum and the English texts.
"""
FOOT = "*Checked for ESP OTA {version} with Home Assistant 2026.10 and 2026.11.*\n"
GROUP = re.compile(r"    # (?P<group>.+)")
CAUSE = re.compile(r'    [A-Z0-9_]+ = "(?P<cause>[a-z0-9_]+)"')


def lines() -> Iterator[str]:
    """Yield the page, paragraph by paragraph."""
    texts = json.loads((INTEGRATION / "translations" / "en.json").read_text(encoding="utf-8"))
    yield HEAD
    for line in (INTEGRATION / "ota" / "causes.py").read_text(encoding="utf-8").splitlines():
        if found := GROUP.fullmatch(line):
            yield f"## {found['group']}\n"
        elif found := CAUSE.match(line):
            yield f"### {found['cause']}\n"
            yield texts["exceptions"][found["cause"]]["message"] + "\n"
    manifest = json.loads((INTEGRATION / "manifest.json").read_text(encoding="utf-8"))
    yield FOOT.format(version=manifest["version"])


def main() -> int:
    """Write the page, or compare it."""
    page = "\n".join(lines())
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page:
        return 0
    print(f"docs/{PAGE.name} is not current: run script/make_causes.py")
    return 1


if __name__ == "__main__":
    sys.exit(main())
