"""`script/fuzz texts`: all that strangers can say: announcements, requests, replies, pages, lists.

Whatever comes must give facts or an error of ours, within a second of processor time and 64 MiB.
Each text in it must then be one printable line of bounded length, and mean nothing in Markdown,
which a parser that is not ours judges.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
import dataclasses
from functools import lru_cache
import hashlib
import html
import json
from pathlib import Path
import random
import re
import sys
import time
from typing import Any

from markdown_it import MarkdownIt

from custom_components.esp_ota.library import ReleaseName
from custom_components.esp_ota.ota import (
    ModuleFacts,
    OtaError,
    PullRequest,
    as_text,
    facts_from_announcement,
    lines_as_text,
    mac_from,
    one_line,
    parse_manifest,
    parse_releases,
    version_from,
    without_secrets,
)
from custom_components.esp_ota.ota.transport._http import read_reply
from custom_components.esp_ota.ota.transport._replies import rejection

from ._texts import MANIFESTS, RELEASES, SIDECARS, changed_text
from .watch import Surprise, Watch

_ROOT = Path(__file__).parents[2]
_LEFT = _ROOT / ".cache" / "fuzz"
_MOST = 500
"""Characters of a text as it is shown."""
_NOTES = 1500
"""Characters of notes that are judged; more only take longer."""
_POOL = 256
_RAW = 16
"""One input in so many is judged as it is, as if it were a name and notes."""
_ACTIVE = re.compile(r"<(?:a|img|h\d|hr|ul|ol|li|blockquote|pre|code|em|strong|s|table)\b")
_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_SECRETS = ("http://anna:geheim@192.0.2.1/x?token=geheim", "https://geheim@a.example#geheim")
_ODD = (
    "[x](http://evil.example)", "![](//e)", "<img src=x>", "a\nb", "# h", "- i", "1. i", "> q",
    "---", "===", "`c`", "*b*", "_i_", "~~s~~", "| a |", "&lt;", "\\", "\\[", "\u202e", "\x1b[2J",
    "\ud800",
    "www.evil.example", "{name}", "%s", "x" * 3000, "\u2028", "\x85", "\t- x", *_SECRETS,
)  # fmt: skip


def _json(content: Any) -> bytes:
    return json.dumps(content).encode()


ANNOUNCEMENTS = (
    _json(
        {
            "hostname": "garden-valve.local.",
            "host": "192.0.2.7",
            "port": 8266,
            "txt": {"board": "nodemcuv2", "auth_upload": "yes", "tcp_check": "no"},
        }
    ),
    _json(
        {
            "hostname": "esp32-a0b1c2d3e4f5.local.",
            "host": "192.0.2.8",
            "port": 3232,
            "txt": {
                "mac": "5ccf7fa1b2c3",
                "fw_name": "pump",
                "fw_version": "1.0",
                "md5": "0" * 32,
                "free": "1048576",
                "flash_size": "4194304",
                "flash_mode": "2",
                "core": "3.1.2",
                "sketch_size": "300000",
            },
        }
    ),
)
REQUESTS = (
    _json(
        {
            "user-agent": "ESP8266-http-Update",
            "x-esp8266-sta-mac": "5C:CF:7F:A1:B2:C3",
            "x-esp8266-version": "1.0.0",
            "x-esp8266-sketch-md5": "0" * 32,
            "x-esp8266-free-space": "1048576",
            "x-esp8266-mode": "sketch",
        }
    ),
)
REPLIES = (
    b"ERR: ERROR[4]: Not Enough Space",
    b"AUTH 0123456789abcdef0123456789abcdef",
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<b>Update error:</b> Bad Size Given",
    b"HTTP/1.0 500\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
)
PAGES = (
    _json({"version": "1.2.0", "net": {"mac": "5c:cf:7f:a1:b2:c3"}}),
    b"1.2.0\nMAC Address: 5C-CF-7F-A1-B2-C3\n",
)


def _said(data: bytes) -> Any:
    """Return odd JSON as it is; a parser of ours never sees anything else than texts."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):  # fmt: skip
        return {"hostname": data.decode("utf-8", "replace")}


def _texts_of(content: Any) -> dict[str, str]:
    """Return what is text in an object, as a packet or headers hand it over."""
    found = content if isinstance(content, dict) else {}
    return {key: value for key, value in found.items() if isinstance(value, str)}


def _announcement(data: bytes, _source: random.Random) -> ModuleFacts:
    said = _said(data)
    texts, port = _texts_of(said), said.get("port") if isinstance(said, dict) else 0
    facts = facts_from_announcement(
        texts.get("hostname", ""),
        texts.get("host", "192.0.2.1"),
        port if isinstance(port, int) else 0,
        _texts_of(said.get("txt") if isinstance(said, dict) else None),
    )
    _judge_mac(facts.mac)
    return facts


def _request(data: bytes, _source: random.Random) -> PullRequest | None:
    request = PullRequest.parse(_texts_of(_said(data)))
    _judge_mac(request.mac if request else None)
    return request


def _reply(data: bytes, source: random.Random) -> Any:
    if source.random() < 0.5:
        raise rejection(data)
    reply = read_reply(data, ended=True)
    return reply.text if reply else None


def _page(data: bytes, source: random.Random) -> Any:
    path = source.choice((None, "version", "$.net[0].mac", "a.b.c"))
    _judge_mac(mac_from(data))
    return version_from(data, path)


def _manifest(data: bytes, _source: random.Random) -> Any:
    return parse_manifest(data, "http://192.0.2.1/a/manifest.json")


def _releases(data: bytes, source: random.Random) -> Any:
    return parse_releases(
        data,
        repository="someone/garden",
        pattern=source.choice(("*.bin", "*")),
        prerelease=True,
        last=5,
        by_api=source.random() < 0.5,
    )


def _sidecar(data: bytes, _source: random.Random) -> Any:
    return ReleaseName.from_sidecar("a.bin", data.decode("utf-8", "replace"))


type Target = Callable[[bytes, random.Random], Any]

_TARGETS: dict[Target, tuple[bytes, ...]] = {
    _announcement: ANNOUNCEMENTS,
    _request: REQUESTS,
    _reply: REPLIES,
    _page: PAGES,
    _manifest: MANIFESTS,
    _releases: RELEASES,
    _sidecar: SIDECARS,
}


def _judge_mac(mac: str | None) -> None:
    if mac is not None and (int(mac[:2], 16) & 1 or not int(mac.replace(":", ""), 16)):
        raise Surprise(f"{mac} is no module's MAC")


def texts_in(content: Any) -> Iterator[str]:
    """Yield every text in facts, whatever they are made of."""
    if isinstance(content, str):
        yield str(content)
    elif dataclasses.is_dataclass(content) and not isinstance(content, type):
        for field in dataclasses.fields(content):
            yield from texts_in(getattr(content, field.name))
    elif isinstance(content, Mapping):
        for key, value in content.items():
            yield from texts_in(key)
            yield from texts_in(value)
    elif isinstance(content, (list, tuple, set, frozenset)):
        for item in content:
            yield from texts_in(item)


@lru_cache(maxsize=1 << 14)
def judge(text: str) -> None:
    """Raise Surprise where a text as it is shown is anything but text."""
    line = one_line(text)
    if len(line) > _MOST or not line.isprintable():
        raise Surprise(f"no line: {line!r} of {text!r}")
    if one_line(line) != line or without_secrets(line) != line:
        raise Surprise(f"not the same again: {line!r}")
    rest = text[:80].replace("geheim", "")
    if "geheim" in one_line(rest):  # of halves that belong together once what is no text is gone
        return
    for secret in _SECRETS:
        beside = one_line(f"{rest} {secret}")
        if "geheim" in beside:
            raise Surprise(f"a secret is shown: {beside!r} of {text!r}")
    shown = _MARKDOWN.render(as_text(text)).removesuffix("\n")
    expected = f"<p>{html.escape(line, quote=False)}</p>" if line else ""
    if html.unescape(shown) != html.unescape(expected):
        raise Surprise(f"Markdown: {shown!r} of {text!r}")


@lru_cache(maxsize=1 << 14)
def judge_notes(text: str) -> None:
    """Raise Surprise where notes are anything but lines of text."""
    shown = _MARKDOWN.render(lines_as_text(text[:_NOTES]))
    if found := _ACTIVE.search(shown):
        raise Surprise(f"Markdown: {found[0]!r} of {text!r}")


class TextFuzz:
    """One run: pools that grow by what reached new code, and what came of the inputs."""

    def __init__(self, seed: str, watch: Watch) -> None:
        """Take the samples as the first pools."""
        self._source = random.Random(seed)
        self._watch = watch
        self._pools = {target: list(samples) for target, samples in _TARGETS.items()}
        self.outcomes: Counter[str] = Counter()

    def one(self, number: int) -> None:
        """Make one input and run it. Raises Surprise, after the input was left in a file."""
        source = self._source
        target = source.choice(list(self._pools))
        pool = self._pools[target]
        data = changed_text(source.choice(pool), source)
        if source.random() < 0.4:
            odd = source.choice(_ODD).encode("utf-8", "surrogatepass")
            at = source.randrange(len(data) + 1)
            data = (
                data[:at]
                + (json.dumps(source.choice(_ODD))[1:-1].encode() + odd)[:4000]
                + data[at:]
            )
        if self.feed(number, target, data) and len(pool) < _POOL and len(data) < 1 << 14:
            pool.append(data)
            self._watch.kept += len(data)

    def feed(self, number: int, target: Target, data: bytes) -> bool:
        """Run one target on one input; return whether it reached new code."""

        def act() -> None:
            try:
                told = target(data, self._source)
                self.outcomes[target.__name__.strip("_")] += 1
            except OtaError as error:
                told = [error.facts, str(error.cause)]
                self.outcomes[error.cause] += 1
            for text in texts_in(told):
                judge(text)
            if number % _RAW == 0:
                raw = data.decode("utf-8", "surrogateescape")
                judge(raw)
                judge_notes(raw)

        try:
            return self._watch.run(number, act)
        except Exception as error:
            _LEFT.mkdir(parents=True, exist_ok=True)
            left = _LEFT / f"{target.__name__.strip('_')}-{hashlib.sha256(data).hexdigest()[:12]}"
            left.write_bytes(data)
            raise Surprise(f"{type(error).__name__}: {error}; the input is {left}") from error


def run(runs: int, seed: str, *, seconds: float | None) -> tuple[TextFuzz, Watch]:
    """Feed so many inputs. Raises Surprise at the first that does what none may do."""
    watch = Watch(folder=str(_ROOT / "custom_components" / "esp_ota"), seconds=seconds)
    fuzz = TextFuzz(seed, watch)
    with watch.new_code(), watch.memory_of_inputs():
        for number in range(runs):
            fuzz.one(number)
    return fuzz, watch


def main(arguments: list[str]) -> int:
    """Run it and print what was seen."""
    parser = argparse.ArgumentParser(prog="script/fuzz texts", description=__doc__)
    parser.add_argument("--runs", type=int, default=200_000)
    parser.add_argument("--seed", default="0")
    parser.add_argument("files", nargs="*", type=Path)
    options = parser.parse_args(arguments)
    begin = time.monotonic()
    try:
        if options.files:
            fuzz = TextFuzz("replay", Watch(folder=str(_ROOT)))
            for path in options.files:
                for target in _TARGETS:
                    fuzz.feed(1, target, path.read_bytes())
            return 0
        fuzz, watch = run(options.runs, options.seed, seconds=1.0)
    except Surprise as surprise:
        print(surprise)
        return 1
    print(json.dumps(dict(fuzz.outcomes.most_common())))
    print(f"inputs {options.runs} in {time.monotonic() - begin:.0f} s, 0 surprises")
    print(f"new_places {watch.places}")
    print(f"slowest {watch.slowest * 1000:.0f} ms of processor time")
    print(f"grown {watch.grown / 2**20:.1f} MiB, {watch.traced / 2**20:.1f} MiB at once")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
