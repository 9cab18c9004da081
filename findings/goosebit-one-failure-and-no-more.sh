#!/usr/bin/env bash
# One would guess: a device that tells its server of a failed update is offered the next release like all
#   others, so that a failure may be told for a reason that passes too, such as a pump that runs right now.
# True: goosebit offers such a device nothing any more, not even a newer software by a rollout that was made
#   afterwards, until a person forces it. What it answers to the polls is what it answers a device that is up
#   to date. A client that says "failure" to what passes by itself has its device left behind.
# Seen with goosebit 0.2.12.
set -euo pipefail
folder=$(mktemp -d)
server=
trap '[[ -z "$server" ]] || kill "$server"; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet goosebit==0.2.12 httpx==0.28.1
cd "$folder"
export GOOSEBIT_DB_URI=sqlite://$PWD/db.sqlite3 GOOSEBIT_ARTIFACTS_DIR=$PWD/artifacts
export GOOSEBIT_SECRET_KEY=of-this-run-only-and-of-no-other GOOSEBIT_DEVICE_AUTH__ENABLE=false
cat >aerich.toml <<END
[tool.aerich]
tortoise_orm = "goosebit.db.config.TORTOISE_CONF"
location = "$(echo "$PWD"/venv/lib/python3*/site-packages/goosebit/db/migrations)"
END
venv/bin/aerich --config aerich.toml upgrade >log 2>&1
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
venv/bin/python -m uvicorn goosebit:app --host 127.0.0.1 --port "$port" >>log 2>&1 &
server=$!
venv/bin/python - "http://127.0.0.1:$port" <<'PYTHON'
import sys
import time

import httpx

SERVER = httpx.Client(base_url=sys.argv[1], timeout=30)


def container(version):
    """Return a cpio archive with a description and one image, as SWUpdate wants it."""
    described = f"""software = {{
      version = "{version}";
      hardware-compatibility: [ "default" ];
      images: ( {{ filename = "valve.bin"; }} );
    }};\n"""
    archive = b""
    for name, data in (
        ("sw-description", described.encode()),
        ("valve.bin", version.encode()),
        ("TRAILER!!!", b""),
    ):
        numbers = [0, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        head = "070701" + "".join(f"{number:08x}" for number in numbers) + name + "\0"
        archive += head.encode().ljust(-(-len(head) // 4) * 4, b"\0")
        archive += data.ljust(-(-len(data) // 4) * 4, b"\0")
    return archive


def manage(method, what, **content):
    answer = SERVER.request(method, f"/api/v1/{what}", headers=LOGIN, **content)
    answer.raise_for_status()
    return answer.json()


def roll_out(version):
    files = {"file": (f"{version}.swu", container(version))}
    software = manage("PUT", "software", files=files)["id"]
    manage("PUT", "rollouts", json={"name": version, "feed": "default", "software_id": software})


def offered(device):
    """Poll as a device does; return the version and the number of what is to be installed."""
    links = SERVER.get(f"/DEFAULT/controller/v1/{device}").json().get("_links", {})
    if "deploymentBase" not in links:
        return None, None
    path = httpx.URL(links["deploymentBase"]["href"]).path
    found = SERVER.get(path).json()
    return found["deployment"]["chunks"][0]["version"], found["id"]


def tell(device, action, finished):
    status = {"execution": "closed", "result": {"finished": finished}, "details": ["told"]}
    path = f"/DEFAULT/controller/v1/{device}/deploymentBase/{action}/feedback"
    SERVER.post(path, json={"id": action, "status": status}).raise_for_status()


for _ in range(300):
    try:
        SERVER.get("/setup")
        break
    except httpx.TransportError:
        time.sleep(0.2)
owner = {"username": "owner@example.org", "password": "of-this-run-only"}
LOGIN = {"Authorization": f"Bearer {SERVER.post('/setup', data=owner).json()['access_token']}"}
for device in ("valve", "pump"):
    SERVER.get(f"/DEFAULT/controller/v1/{device}").raise_for_status()
    data = {"sw_version": "1.0.0", "hw_boardname": "default", "hw_revision": "default"}
    put = SERVER.put(f"/DEFAULT/controller/v1/{device}/configData", json={"data": data})
    put.raise_for_status()
roll_out("1.1.0")
before = {device: offered(device)[0] for device in ("valve", "pump")}
tell("valve", offered("valve")[1], "failure")
tell("pump", offered("pump")[1], "success")
roll_out("1.2.0")
after = {device: offered(device)[0] for device in ("valve", "pump")}
manage("PATCH", "devices", json={"devices": ["valve"], "force_update": True})
forced = offered("valve")[0]
print(f"offered at first {before}, after valve failed and 1.2.0 was rolled out {after}")
print(f"to valve, after a person forced it: {forced}")
assert before == {"valve": "1.1.0", "pump": "1.1.0"}
assert after == {"valve": None, "pump": "1.2.0"}
assert forced == "1.2.0"
PYTHON
