"""Put importable stand-ins for two voice packages into the environment that runs this.

Home Assistant imports pymicro-vad and pyspeex-noise at start, though only its voice pipeline
calls them. Neither has a wheel for Python 3.14, and one failing import leaves the frontend on
its splash screen.
"""

from importlib.util import find_spec
from pathlib import Path
import sysconfig

STUBS = {"pymicro_vad": "MicroVad", "pyspeex_noise": "AudioProcessor"}


def main() -> None:
    """Write the modules that are missing."""
    site = Path(sysconfig.get_path("purelib"))
    for module, name in STUBS.items():
        if find_spec(module) is None:
            (site / f"{module}.py").write_text(f"class {name}:\n    pass\n", encoding="utf-8")


if __name__ == "__main__":
    main()
