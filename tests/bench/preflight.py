"""Pre-flight of a 2 MiB image: from its bytes to the gate's answer."""

from collections.abc import Iterator
import statistics
import time
import tracemalloc
from typing import Final

from custom_components.esp_ota.ota import Candidate, Chip, ModuleFacts, ask_gate, read_image
from tests.virtual_module import build_image, gzip_image

SIZE: Final = 2 * 1024 * 1024


def _check(data: bytes, chip: Chip) -> None:
    """Read an image and ask the gate, as before each install."""
    image = read_image(data)
    candidate = Candidate(image=image, firmware="bench", version="1.1.0")
    module = ModuleFacts(
        name="bench",
        host="192.0.2.7",
        port=3232,
        family=chip.family,
        chip=chip,
        firmware="bench",
        version="1.0.0",
        slot_size=SIZE,
    )
    results = ask_gate(candidate, module).results
    assert results, "the gate asked nothing"


def _timed(data: bytes, chip: Chip, runs: int) -> list[float]:
    """Return the milliseconds of each run."""
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        _check(data, chip)
        times.append((time.perf_counter() - begin) * 1000)
    return times


def measure(runs: int) -> Iterator[str]:
    """Yield `metric value unit` lines."""
    plain = build_image("esp32s3", name="bench", version="1.1.0", size=SIZE)
    times = _timed(plain, Chip.ESP32_S3, runs)
    yield f"preflight_2mib {statistics.median(times):.1f} ms"
    yield f"preflight_2mib_slowest {max(times):.1f} ms"
    for chip in (Chip.ESP8266, Chip.RP2040):
        data = build_image(chip, name="bench", version="1.1.0", size=SIZE)
        yield f"preflight_2mib_{chip} {statistics.median(_timed(data, chip, runs)):.1f} ms"
        packed = _timed(gzip_image(data), chip, runs)
        yield f"preflight_2mib_{chip}_gzip {statistics.median(packed):.1f} ms"
    tracemalloc.start()
    _check(plain, Chip.ESP32_S3)
    yield f"preflight_2mib_memory {tracemalloc.get_traced_memory()[1] / 1024:.0f} KiB"
    tracemalloc.stop()
