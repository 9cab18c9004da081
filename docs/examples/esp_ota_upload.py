"""PlatformIO: `pio run -t esp_ota` builds the sketch and leaves it in the firmware library.

In platformio.ini:

    extra_scripts = post:esp_ota_upload.py

and in the environment ESP_OTA_URL (like http://homeassistant.local:8123) and ESP_OTA_TOKEN (a
long-lived access token of an administrator). Name and version are those of the marker in the
sketch, unless the options custom_firmware and custom_version of the environment say others.
"""

import json
import os
from pathlib import Path
import sys
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

Import("env")  # noqa: F821 - PlatformIO brings it


def leave(target, source, env):
    """Send the image; a refusal is printed with its reason and fails the build."""
    image = Path(str(source[0]))
    said = {
        "file": image.name,
        "firmware": env.GetProjectOption("custom_firmware", ""),
        "version": env.GetProjectOption("custom_version", ""),
    }
    request = Request(
        os.environ["ESP_OTA_URL"].rstrip("/") + "/api/esp_ota/firmware?" + urlencode(said),
        data=image.read_bytes(),
        headers={
            "Authorization": "Bearer " + os.environ["ESP_OTA_TOKEN"],
            "Content-Type": "application/octet-stream",
        },
    )
    try:
        with urlopen(request, timeout=120) as response:
            facts = json.load(response)
    except HTTPError as err:
        with err:
            sys.stderr.write("ESP OTA: " + err.read().decode("utf-8", "replace") + "\n")
        return 1
    print("ESP OTA: {firmware} {version} for {chip} is in the library".format(**facts))
    return 0


env.AddCustomTarget(  # noqa: F821 - PlatformIO brings it
    name="esp_ota",
    dependencies="$BUILD_DIR/${PROGNAME}.bin",
    actions=[leave],
    title="ESP OTA",
    description="Leave the image in Home Assistant's firmware library",
)
