"""`script/fuzz image`: everything that reads bytes from files, and what stands beside them.

Inputs are made from the corpus by changes that know the formats; those that reach new code are
changed further. The same seed gives the same inputs. Whatever comes must give facts or an error
of ours, within a second of processor time and 64 MiB.
"""

import argparse
from collections import Counter
from collections.abc import Callable
import gzip
import hashlib
import json
from pathlib import Path
import random
import sys
import time

from custom_components.esp_ota.ota import (
    ImageKind,
    Marker,
    OtaError,
    read_image,
    read_slots,
    verify_signature,
)
from custom_components.esp_ota.release_name import ReleaseName
from tests.corpus import cases

from .mutate import changed, spliced
from .watch import Surprise, Watch

_ROOT = Path(__file__).parents[2]
_LEFT = _ROOT / ".cache" / "fuzz"
_POOL_BYTES = 128 * 1024
"""Larger files of the corpus teach nothing new, and take long."""
_POOL_MORE = 256
_SLOW = ("gzip bomb", "esp32s3 2 MiB", "esp8266 1 MiB")
"""Tried now and then, since each takes as long as a hundred others."""
_HUGE = "larger than any flash"
_MINISIGN_KEY = "RWTaI9if8F67+0WHWWJ0829zouB1XnPO8rvTcKA7/juGY9W8WjMoJpiT"
_MINISIG = """untrusted comment: signature from minisign secret key
RUTaI9if8F67+0uJGep7Y7NDYbGhUdOTpGRcnxyymLd/ihaNVE/3UgRXdE36F6TaUdpKLQ8x4tyhSHpbbMV6lB6lVPou0CvWUAM=
trusted comment: garden-valve 1.2.0
i4FkFlYHmh2IljdBIrcpcA4VILPcV+SDYlu2uOTr/dQTFomCatcyQbrrwuQiCbTkB2jQT1MUN8M1ONd631JFDQ==
"""
_TEXTS: tuple[bytes, ...] = (
    b'{"firmware": "garden-valve", "version": "1.2.0", "notes": "Opens slower."}',
    b'{"firmware": null, "version": 3}',
    b"[[[[[[[[[[[[[[[[",
    b'{"a": {"b": [1e999, -0, "\\ud800"]}}',
    b"garden-valve-1.2.0.bin",
    b"pump_v2.0.bin.gz",
    b"../../etc/passwd-1.0.bin",
    _MINISIG.encode(),
    _MINISIGN_KEY.encode(),
    b"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----",
)
_BITS_OF_TEXT = (
    b'"', b"{", b"}", b"[" * 2000, b"\\u0000", b"\xff", b"\n", b"9" * 400, b"1.0", b"==",
)  # fmt: skip


def _image(data: bytes, source: random.Random) -> str:
    """Read it as an image, whatever somebody says that it is."""
    image = read_image(data, source.choice((None, None, *ImageKind)))
    if image.size != len(data) or image.sha256 != hashlib.sha256(data).hexdigest():
        raise Surprise("the facts are of other bytes")
    return image.kind


def _slots(data: bytes, _source: random.Random) -> str:
    return f"{min(len(read_slots(data)), 3)} slots"


def _sidecar(data: bytes, source: random.Random) -> str:
    name = ReleaseName.from_sidecar("a.bin", data.decode("utf-8", "replace"))
    marker = source.choice((None, Marker(name="pump", version="1.0")))
    return "named" if all(name.resolve(marker)) else "unnamed"


def _file_name(data: bytes, _source: random.Random) -> str:
    return "named" if all(ReleaseName(file_name=data.decode("latin-1")).resolve(None)) else ""


def _signature(data: bytes, source: random.Random) -> str:
    """Give the changed bytes as file, key or signature in turn; the others are right."""
    text = data.decode("utf-8", "replace")
    match source.randrange(3):
        case 0:
            verify_signature(data, _MINISIGN_KEY, _MINISIG)
        case 1:
            verify_signature(b"garden-valve 1.2.0\n", text, _MINISIG)
        case _:
            verify_signature(b"garden-valve 1.2.0\n", _MINISIGN_KEY, text)
    return "signed"


type Target = Callable[[bytes, random.Random], str]

_ON_BYTES: tuple[Target, ...] = (_image, _image, _image, _image, _image, _slots)
_ON_TEXT: tuple[Target, ...] = (_sidecar, _file_name, _signature)


class Fuzz:
    """One run: a pool that grows by what reached new code, and what came of the inputs."""

    def __init__(self, seed: str, watch: Watch) -> None:
        """Take the corpus as the first pool."""
        self._source = random.Random(seed)
        self._watch = watch
        made = {case.name: case.make() for case in cases() if case.name not in (*_SLOW, _HUGE)}
        self._images = [data for data in made.values() if 0 < len(data) <= _POOL_BYTES]
        self._slow = [case.make() for case in cases() if case.name in _SLOW]
        self._texts = list(_TEXTS)
        self._kept = len(self._images) + _POOL_MORE
        self.outcomes: Counter[str] = Counter()

    def one(self, number: int) -> None:
        """Make one input and run it. Raises Surprise, after the input was left in a file."""
        source = self._source
        is_text = source.random() < 0.1
        pool = self._texts if is_text else self._images
        data = self._text() if is_text else self._bytes()
        target = source.choice(_ON_TEXT if is_text else _ON_BYTES)
        if self.feed(number, target, data) and len(pool) < self._kept and len(data) <= _POOL_BYTES:
            pool.append(data)

    def feed(self, number: int, target: Target, data: bytes) -> bool:
        """Run one target on one input; return whether it reached new code."""

        def act() -> None:
            try:
                outcome = target(data, self._source)
            except OtaError as error:
                outcome = error.cause
            self.outcomes[outcome] += 1

        try:
            return self._watch.run(number, act)
        except Exception as error:
            _LEFT.mkdir(parents=True, exist_ok=True)
            left = _LEFT / f"{target.__name__.strip('_')}-{hashlib.sha256(data).hexdigest()[:12]}"
            left.write_bytes(data)
            raise Surprise(f"{type(error).__name__}: {error}; the input is {left}") from error

    def _bytes(self) -> bytes:
        source = self._source
        if source.random() < 0.0002:
            return changed(source.choice(self._slow), source)
        data = source.choice(self._images)
        if source.random() < 0.1:
            data = spliced(data, source.choice(self._images), source)
        data = changed(data, source)
        if source.random() < 0.08:  # what is in it is then looked at behind the unpacking
            data = gzip.compress(data, 1, mtime=0)
        return changed(data, source) if source.random() < 0.05 else data

    def _text(self) -> bytes:
        source = self._source
        text = bytearray(source.choice(self._texts))
        for _ in range(source.choice((0, 1, 2, 6))):
            at = source.randrange(len(text) + 1)
            text[at : at + source.choice((0, 1, 3))] = source.choice(
                (
                    b'"',
                    b"{",
                    b"}",
                    b"[" * 2000,
                    b"\\u0000",
                    b"\xff",
                    b"\n",
                    b"9" * 400,
                    b"1.0",
                    b"==",
                )
            )
        return bytes(text)


def run(runs: int, seed: str, *, seconds: float | None) -> tuple[Fuzz, Watch]:
    """Feed so many inputs. Raises Surprise at the first that does what none may do."""
    watch = Watch(folder=str(_ROOT / "custom_components" / "esp_ota"), seconds=seconds)
    fuzz = Fuzz(seed, watch)
    with watch.new_code(), watch.memory_of_inputs():
        for number in range(runs):
            fuzz.one(number)
    return fuzz, watch


def replay(files: list[Path]) -> None:
    """Feed what a failed run left to all targets."""
    watch = Watch(folder=str(_ROOT))
    fuzz = Fuzz("replay", watch)
    for path in files:
        for target in dict.fromkeys((*_ON_BYTES, *_ON_TEXT)):
            fuzz.feed(1, target, path.read_bytes())


def main(arguments: list[str]) -> int:
    """Run it and print what was seen."""
    parser = argparse.ArgumentParser(prog="script/fuzz image", description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--seed", default="0")
    parser.add_argument("files", nargs="*", type=Path)
    options = parser.parse_args(arguments)
    begin = time.monotonic()
    try:
        if options.files:
            replay(options.files)
            return 0
        fuzz, watch = run(options.runs, options.seed, seconds=1.0)
    except Surprise as surprise:
        print(surprise)
        return 1
    print(json.dumps(dict(fuzz.outcomes.most_common())))
    print(f"inputs {options.runs} in {time.monotonic() - begin:.0f} s")
    print(f"new_places {watch.places}")
    print(f"slowest {watch.slowest * 1000:.0f} ms of processor time")
    print(f"grown {watch.grown / 2**20:.1f} MiB, {watch.traced / 2**20:.1f} MiB at once")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
