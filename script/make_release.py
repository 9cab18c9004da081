"""Make a release: set its version, date the change log, commit, tag, and build the zip.

Usage: script/release [--dry-run] VERSION
       script/release --zip FILE

With a VERSION like 0.2.0: `manifest.json`, the only place that has it, gets it; what is under
*Unreleased* in CHANGELOG.md gets its heading; both are committed and tagged. Nothing is pushed.
  --dry-run   say what would be done, build the zip in dist/, and leave all as it is
  --zip FILE  only build the zip of what is here; the workflow does that for a tag
"""

from datetime import UTC, datetime
import json
from pathlib import Path
import re
import subprocess
import sys
import zipfile

ROOT = Path(__file__).parent.parent
INTEGRATION = "custom_components/esp_ota"
ZIP = Path("dist") / "esp_ota.zip"
BEGINNING = (1980, 1, 1, 0, 0, 0)
"""When all files of the zip are from: the same tree makes the same bytes."""
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:b([1-9]\d*))?")
UNRELEASED = "## Unreleased\n"


class Refused(Exception):
    """Why no release is made; the text is for who asked."""


def git(*arguments: str) -> str:
    """Return what git prints."""
    run = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return run.stdout


def files() -> list[str]:
    """Return what belongs to the integration: all that git has, or would take."""
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", INTEGRATION)
    return sorted(name for name in listed.split("\0") if name and (ROOT / name).is_file())


def build(target: Path) -> int:
    """Write the zip, the integration's files at its top as HACS wants them; return how many."""
    target.parent.mkdir(parents=True, exist_ok=True)
    names = files()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in names:
            info = zipfile.ZipInfo(name.removeprefix(f"{INTEGRATION}/"), BEGINNING)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, (ROOT / name).read_bytes())
    return len(names)


def order(version: str) -> tuple[int, int, int, float]:
    """Return by what versions compare; a beta comes before its release."""
    found = VERSION.fullmatch(version)
    if found is None:
        raise Refused(f"{version} is no version like 0.2.0 or 0.2.0b1")
    major, minor, patch, beta = found.groups()
    return int(major), int(minor), int(patch), int(beta) if beta else float("inf")


def notes(log: str) -> str:
    """Return what is under *Unreleased*."""
    _, heading, rest = log.partition(UNRELEASED)
    said = rest.partition("\n## ")[0].strip()
    if not heading or not said:
        raise Refused("CHANGELOG.md has nothing under Unreleased")
    return said


def check(version: str) -> str:
    """Return the version before; raise Refused for what keeps this one from being made."""
    manifest = json.loads((ROOT / INTEGRATION / "manifest.json").read_text(encoding="utf-8"))
    before = str(manifest["version"])
    tags = git("tag", "--list").split()
    if order(version) < order(before) or (version == before and before in tags):
        raise Refused(f"{version} is not newer than {before}")
    if version in tags:
        raise Refused(f"the tag {version} is there already")
    if git("status", "--porcelain"):
        raise Refused("there are changes that are not committed")
    return before


def release(version: str, *, dry_run: bool) -> None:
    """Make the release, or say how it would be made."""
    before = check(version)
    path = ROOT / "CHANGELOG.md"
    log = path.read_text(encoding="utf-8")
    said = notes(log)
    lines = said.count("\n- ") + 1
    print(f"version {before} -> {version}, {lines} lines of the change log")
    if dry_run:
        print(f"{ZIP}: {build(ROOT / ZIP)} files of what is here")
        print("nothing was changed")
        return
    manifest = ROOT / INTEGRATION / "manifest.json"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(
        text.replace(f'"version": "{before}"', f'"version": "{version}"'), encoding="utf-8"
    )
    heading = f"{UNRELEASED}\n## {version}, {datetime.now(UTC).date()}\n"
    path.write_text(log.replace(UNRELEASED, heading, 1), encoding="utf-8")
    git("add", "CHANGELOG.md", f"{INTEGRATION}/manifest.json")
    git("commit", "-m", f"Release {version}")
    git("tag", "--annotate", "--message", f"{version}\n\n{said}", version)
    print(f"{ZIP}: {build(ROOT / ZIP)} files")
    print(f"to publish: git push && git push origin {version}")


def main(arguments: list[str]) -> int:
    """Do what the command line asks for."""
    match arguments:
        case ["-h" | "--help"]:
            print(__doc__)
        case ["--zip", target]:
            print(f"{target}: {build(Path(target))} files")
        case [version] if not version.startswith("-"):
            release(version, dry_run=False)
        case ["--dry-run", version] | [version, "--dry-run"]:
            release(version, dry_run=True)
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Refused as refusal:
        sys.exit(f"No release: {refusal}.")
