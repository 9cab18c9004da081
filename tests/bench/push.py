"""ArduinoOTA push: plain and packed, and beside a lock-step sender, over links that delay."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import json
from pathlib import Path
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any, Final

from custom_components.esp_ota.ota import pack, read_image
from tests.virtual_module import build_image

from .link import FAR

SIZE: Final = 1024 * 1024
MSS: Final = 1460
WINDOW: Final = 4 * MSS
"""lwIP of the ESP8266 "higher bandwidth" variant, and of the ESP32 within 2 %."""
SMALL_MSS: Final = 536
SMALL_WINDOW: Final = 4 * SMALL_MSS
"""lwIP of the ESP8266 as boards.txt has it by default: a window is all that a round trip takes."""
_PORT: Final = 8266


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One push."""

    seconds: float
    """From the module's connection to its last payload byte, by the module's clock."""
    cpu: float


@contextmanager
def _module(
    one_way_ms: float, *, mss: int = MSS, window: int = WINDOW
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Switch a virtual ESP8266 on, at the far end of a link or on loopback."""
    host = FAR if one_way_ms else "127.0.0.1"
    command = [sys.executable, "-m", "tests.virtual_module", "--chip", "esp8266"]
    command += ["--host", host, "--port", str(_PORT), "--no-advertise"]
    command += ["--mss", str(mss), "--window", str(window), "--slot-size", str(2 * SIZE)]
    command += ["--time-scale", "0.02"]
    if one_way_ms:
        link = [sys.executable, "-m", "tests.bench.link", "--one-way-ms", str(one_way_ms), "--"]
        command = link + command
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield host, process
        finally:
            process.terminate()


def _events(process: subprocess.Popen[str], until: str) -> dict[str, float]:
    """Read the module's events up to one of them; return when each last was."""
    assert process.stdout is not None
    seen: dict[str, float] = {}
    for line in process.stdout:
        event: dict[str, Any] = json.loads(line)
        seen[event["event"]] = event["time"]
        if event["event"] == until:
            return seen
    raise RuntimeError(f"the module ended before {until!r}: {seen}")


def _push(how: str, host: str, image: Path, process: subprocess.Popen[str]) -> Run:
    """Send once, wait until the module is back, and return what it took."""
    if how.endswith(".py"):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, how, "-i", host, "-p", str(_PORT), "-f", str(image), "-r"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    else:
        command = [sys.executable, "-m", "tests.bench.senders", how, host, str(_PORT), str(image)]
        answer = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        cpu = json.loads(answer.stdout)["cpu"]
    seen = _events(process, "back")
    return Run(seconds=seen["complete"] - seen["connected"], cpu=cpu)


def _packed(plain: Path, runs: int) -> Iterator[str]:
    """Push an image as it is and packed, through the small window."""
    data = plain.read_bytes()
    begin = time.process_time()
    smaller, _ = pack(data, read_image(data))
    yield f"pack_cpu {(time.process_time() - begin) * 1000:.0f} ms/MiB"
    yield f"pack_size {len(smaller) / len(data):.3f} x"
    packed = plain.with_suffix(".bin.gz")
    packed.write_bytes(smaller)
    times: dict[Path, list[float]] = {plain: [], packed: []}
    with _module(10.0, mss=SMALL_MSS, window=SMALL_WINDOW) as (host, process):
        _events(process, "up")
        for _ in range(runs):
            for image, seconds in times.items():
                seconds.append(_push("ours", host, image, process).seconds)
    as_it_is, smaller_form = (statistics.median(seconds) for seconds in times.values())
    yield f"push_seconds_small_window {as_it_is:.3f} s"
    yield f"push_seconds_small_window_gzip {smaller_form:.3f} s"
    yield f"push_gzip_ratio {as_it_is / smaller_form:.2f} x"


def measure(peer: str, runs: int) -> Iterator[str]:
    """Yield `metric value unit` lines."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "firmware.bin"
        image.write_bytes(build_image("esp8266", name="bench", version="1.1.0", size=SIZE))
        yield from _packed(image, runs)
        for rtt in (0, 5, 20):
            theirs, ours = [], []
            with _module(rtt / 2) as (host, process):
                _events(process, "up")
                for _ in range(runs):
                    theirs.append(_push(peer, host, image, process))
                    ours.append(_push("ours", host, image, process))
            their_seconds = statistics.median(run.seconds for run in theirs)
            our_seconds = statistics.median(run.seconds for run in ours)
            yield f"push_seconds_rtt{rtt} {our_seconds:.3f} s"
            yield f"peer_seconds_rtt{rtt} {their_seconds:.3f} s"
            yield f"push_ratio_rtt{rtt} {their_seconds / our_seconds:.2f} x"
            if rtt:
                limit = WINDOW / (rtt / 1000)
                yield f"push_of_limit_rtt{rtt} {SIZE / our_seconds / limit:.3f} x"
            else:
                ours_cpu = statistics.median(run.cpu for run in ours)
                their_cpu = statistics.median(run.cpu for run in theirs)
                yield f"push_cpu {ours_cpu * 1000:.1f} ms/MiB"
                yield f"peer_cpu {their_cpu * 1000:.1f} ms/MiB"
                yield f"push_cpu_ratio {ours_cpu / their_cpu:.2f} x"
