"""Write the lists in `docs/preflight.md`: what is checked, and what the person reads then.

Usage: .venv/bin/python script/make_preflight.py
"""

from collections.abc import Iterator
import inspect
import json
from pathlib import Path
import re
import sys
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from custom_components.esp_ota.ota import RULES, Cause, PackingReason  # noqa: E402

PAGE = ROOT / "docs" / "preflight.md"
BEGIN, END = "<!-- made: begin -->\n", "<!-- made: end -->\n"


def made(page: str) -> str:
    """Return the page with its lists made anew."""
    texts = json.loads(
        (ROOT / "custom_components/esp_ota/translations/en.json").read_text(encoding="utf-8")
    )
    head, rest = page.split(BEGIN)
    tail = rest.split(END)[1]
    parts = [
        *_checks(texts["exceptions"]),
        *_files(texts["issues"]),
        *_packing(texts["exceptions"]),
    ]
    return head + BEGIN + "\n" + "\n".join(parts) + "\n" + END + tail


def _checks(texts: dict[str, Any]) -> Iterator[str]:
    """Yield what each check asks, refuses with and wants to be accepted, in their order."""
    yield "## Checks\n"
    for number, rule in enumerate(RULES, 1):
        yield f"### {number}. {_title(rule.check)} (`{rule.check}`)\n"
        yield f"{_prose(inspect.getdoc(rule.ask) or '')}\n"
        yield from (_item("refused", cause, texts) for cause in rule.causes)
        yield from (_item("unknown", cause, texts) for cause in rule.unknown)
        if rule.left_to_module:
            yield "- **unknown**: does not refuse, the module answers it itself."
        yield ""


def _files(issues: dict[str, Any]) -> Iterator[str]:
    """Yield what is refused from a library in the first place."""
    yield "## Files that never become a release\n"
    for cause in Cause:
        if issue := issues.get(f"file_{cause}"):
            yield f"- `{cause}`: {_filled(issue['description'].split('\n')[0])}"
    yield ""


def _packing(texts: dict[str, Any]) -> Iterator[str]:
    """Yield when an image is sent as gzip, and why not."""
    yield "## When an image is sent as gzip\n"
    yield "ESP OTA packs an image by itself when all of this is known to be safe for the module.\n"
    for reason in PackingReason:
        yield f"- `{reason}`: {_filled(texts[f'packing_{reason}']['message'])}"


def _item(kind: str, cause: Cause, texts: dict[str, Any]) -> str:
    return f"- **{kind}** `{cause}`: {_filled(texts[cause]['message'])}"


def _title(slug: str) -> str:
    return slug.replace("_", " ").capitalize()


def _prose(text: str) -> str:
    """Join the lines of each paragraph."""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", text)


def _filled(sentence: str) -> str:
    """Show placeholders as what they are."""
    return re.sub(r"\{(\w+)\}", r"*\1*", sentence)


if __name__ == "__main__":
    PAGE.write_text(made(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
