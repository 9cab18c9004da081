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

from custom_components.esp_ota.library import ReleaseName
from custom_components.esp_ota.ota import (
    ImageKind,
    Marker,
    OtaError,
    parse_manifest,
    parse_releases,
    read_image,
    read_slots,
    verify_signature,
)
from tests.corpus import cases

from ._texts import (
    FILE_NAMES,
    MANIFESTS,
    MINISIG,
    MINISIGN_KEY,
    RELEASES,
    SIDECARS,
    SIGNATURES,
    changed_text,
)
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
            verify_signature(data, MINISIGN_KEY, MINISIG)
        case 1:
            verify_signature(b"garden-valve 1.2.0\n", text, MINISIG)
        case _:
            verify_signature(b"garden-valve 1.2.0\n", MINISIGN_KEY, text)
    return "signed"


def _manifest(data: bytes, source: random.Random) -> str:
    address = source.choice(("http://192.0.2.1/a/manifest.json", "https://example.com", "nowhere"))
    return f"{min(len(parse_manifest(data, address).files), 3)} files"


def _releases(data: bytes, source: random.Random) -> str:
    listing = parse_releases(
        data,
        repository="someone/garden",
        pattern=source.choice(("*.bin", "garden-*", "[", "*")),
        prerelease=source.random() < 0.5,
        last=source.choice((1, 5)),
        by_api=source.random() < 0.5,
    )
    return f"{min(len(listing.files), 3)} assets"


type Target = Callable[[bytes, random.Random], str]

_ON_BYTES: tuple[Target, ...] = (_image, _image, _image, _image, _image, _slots)
_ON_TEXT: dict[Target, tuple[bytes, ...]] = {
    _sidecar: SIDECARS,
    _file_name: FILE_NAMES,
    _signature: SIGNATURES,
    _manifest: MANIFESTS,
    _releases: RELEASES,
}


class Fuzz:
    """One run: a pool that grows by what reached new code, and what came of the inputs."""

    def __init__(self, seed: str, watch: Watch) -> None:
        """Take the corpus as the first pool."""
        self._source = random.Random(seed)
        self._watch = watch
        made = {case.name: case.make() for case in cases() if case.name not in (*_SLOW, _HUGE)}
        self._images = [data for data in made.values() if 0 < len(data) <= _POOL_BYTES]
        self._slow = [case.make() for case in cases() if case.name in _SLOW]
        self._texts = {target: list(texts) for target, texts in _ON_TEXT.items()}
        self._kept = len(self._images) + _POOL_MORE
        self.outcomes: Counter[str] = Counter()

    def one(self, number: int) -> None:
        """Make one input and run it. Raises Surprise, after the input was left in a file."""
        if self._source.random() < 0.15:
            target = self._source.choice(list(self._texts))
            pool = self._texts[target]
            data = changed_text(self._source.choice(pool), self._source)
        else:
            target, pool = self._source.choice(_ON_BYTES), self._images
            data = self._bytes()
        if self.feed(number, target, data) and len(pool) < self._kept and len(data) <= _POOL_BYTES:
            pool.append(data)
            self._watch.kept += len(data)

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
