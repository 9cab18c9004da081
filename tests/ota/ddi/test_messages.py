"""What a server says is read as bytes that anybody may have written."""

import json
import random
from typing import Any

import pytest

from custom_components.esp_ota.ota import Deployment, Poll, SourceError, Way, attributes
from custom_components.esp_ota.ota.ddi.messages import (
    DEFAULT_SECONDS,
    LONGEST,
    SHORTEST,
    Action,
    DdiExecution,
    Finished,
    feedback,
    seconds_of,
    stop_id,
)

BASE = "https://updates.example.org/DEFAULT/controller/v1/valve/deploymentBase/7"


def poll(content: Any) -> Poll:
    return Poll.read(json.dumps(content).encode())


def link(path: str) -> dict[str, str]:
    return {"href": f"http://other:1/DEFAULT/controller/v1/valve/{path}"}


def chunk(**changes: Any) -> dict[str, Any]:
    """Return a chunk as goosebit has it: one sum, one link."""
    artifact = {
        "filename": "valve.swu",
        "hashes": {"sha1": "A" * 40},
        "size": 5,
        "_links": {"download": {"href": "http://updates.example.org/d"}},
    } | changes
    return {"part": "os", "version": "1.1.0", "name": "valve", "artifacts": [artifact]}


def deployment(*chunks: Any, **said: Any) -> Deployment:
    body = {"id": "7", "deployment": {"chunks": list(chunks), **said}}
    found = Deployment.read(json.dumps(body).encode(), BASE)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("sleep", "seconds"),
    [
        ("00:01:00", 60),
        ("12:00:00", 43200),
        ("00:00:00", SHORTEST),
        ("999:59:59", LONGEST),
        ("1:00", DEFAULT_SECONDS),
        ("-1:00:00", DEFAULT_SECONDS),
        (60, DEFAULT_SECONDS),
        (None, DEFAULT_SECONDS),
    ],
)
def test_the_pace_is_the_servers_within_reason(sleep: object, seconds: float) -> None:
    assert seconds_of(sleep) == seconds


def test_a_poll_names_actions_and_no_addresses() -> None:
    found = poll({"_links": {"deploymentBase": link("deploymentBase/7?c=-12"), "configData": {}}})
    assert found.deployment == Action(id="7", query="c=-12")
    assert found.wants_attributes
    found = poll({"_links": {"cancelAction": link("cancelAction/9")}})
    assert (found.deployment, found.cancel) == (None, Action(id="9"))


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"_links": None},
        {"_links": {"deploymentBase": {}}},
        {"_links": {"deploymentBase": {"href": 7}}},
        {"_links": {"deploymentBase": link("deploymentBase/../../x")}},
        {"_links": {"deploymentBase": link("confirmationBase/7")}},
    ],
)
def test_a_poll_without_a_usable_link_has_nothing_to_do(content: Any) -> None:
    assert poll(content).deployment is None


@pytest.mark.parametrize("data", [b"<html>", b"", b"[]", b"7", b"\xff", b"[" * 100_000])
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    with pytest.raises(SourceError):
        Poll.read(data)


@pytest.mark.parametrize("data", [b"null", b"", b" "])
def test_nothing_to_do_is_no_mistake(data: bytes) -> None:
    assert Deployment.read(data, BASE) is None


def test_goosebits_deployment_is_read() -> None:
    found = deployment(chunk(), download="forced", update="forced")
    [file] = found.artifacts
    assert (found.version, found.action, found.update) == ("1.1.0", "7", Way.FORCED)
    assert (file.sha1, file.sha256, file.size) == ("a" * 40, None, 5)


def test_hawkbits_link_without_encryption_is_taken_with_the_servers_own() -> None:
    links = {"download-http": {"href": "http://updates.example.org/a"}, "md5sum-http": {}}
    [file] = deployment(chunk(_links=links)).artifacts
    assert file.url == "https://updates.example.org/a"
    other = {"download-http": {"href": "http://files.example.org/a"}}
    [file] = deployment(chunk(_links=other)).artifacts
    assert file.url == "http://files.example.org/a"


@pytest.mark.parametrize("hashes", [{}, {"sha256": "x"}, {"sha1": "a" * 39}, None])
def test_a_link_without_encryption_needs_a_sum(hashes: Any) -> None:
    elsewhere = {"download": {"href": "http://files.example.org/a"}}
    with pytest.raises(SourceError) as caught:
        deployment(chunk(_links=elsewhere, hashes=hashes))
    assert caught.value.cause == "deployment_unusable"
    assert caught.value.facts["detail"] == "file_unproven"
    [file] = deployment(chunk(hashes=hashes)).artifacts
    assert file.url.startswith("https://updates.example.org/")


def test_the_same_id_for_other_files_has_another_mark() -> None:
    one = deployment(chunk())
    assert one.mark == deployment(chunk()).mark
    assert one.mark != deployment(chunk(hashes={"sha1": "b" * 40})).mark
    assert one.mark != deployment(chunk() | {"version": "2"}).mark
    alone = {"md5": "a" * 32}
    assert deployment(chunk(hashes=alone)).mark != deployment(chunk(hashes={"md5": "b" * 32})).mark


def test_a_closed_window_of_the_server_holds_back() -> None:
    found = deployment(chunk(), update="forced", maintenanceWindow="unavailable")
    assert found.update is Way.SKIP
    assert deployment(chunk(), update="attempt").update is Way.ATTEMPT
    assert deployment(chunk(), update="?").update is Way.FORCED


@pytest.mark.parametrize(
    "chunks",
    [
        [],
        [{}],
        [None],
        [chunk() | {"encrypted": True}],
        [chunk(_links={})],
        [chunk(_links={"download": {"href": "file:///etc/passwd"}})],
        [chunk()] * 9,
    ],
)
def test_a_deployment_that_cannot_be_used_says_why(chunks: list[Any]) -> None:
    with pytest.raises(SourceError) as caught:
        deployment(*chunks)
    assert caught.value.cause == "deployment_unusable"
    assert caught.value.facts["detail"]


def test_what_is_to_be_cancelled_has_to_be_named() -> None:
    assert stop_id(b'{"id": "9", "cancelAction": {"stopId": 7}}') == "7"
    with pytest.raises(SourceError):
        stop_id(b'{"id": "9"}')


def test_feedback_has_neither_time_nor_progress() -> None:
    body = feedback(DdiExecution.CLOSED, Finished.SUCCESS, ["x" * 1000], "7")
    assert body == {
        "id": "7",
        "status": {
            "execution": "closed",
            "result": {"finished": "success"},
            "details": ["x" * 512],
        },
    }


def test_attributes_are_texts_of_bounded_length() -> None:
    body = attributes({"a": "x" * 500, "b": None, "c": ""})
    assert body == {"mode": "merge", "data": {"a": "x" * 128}}


def test_no_answer_breaks_it() -> None:
    rng = random.Random(14)
    whole = json.dumps({"id": "7", "deployment": {"chunks": [chunk()]}}).encode()
    for _ in range(3000):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(32, 127)
        for read in (Poll.read, lambda data: Deployment.read(data, BASE)):
            try:
                read(bytes(data))
            except SourceError:
                continue
