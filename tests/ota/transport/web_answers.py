"""Answers of web servers, and what an upload makes of them."""

from typing import Any

import pytest

from custom_components.esp_ota.ota import Cause, Delivery, OtaError, UploadDialect, UploadLimits
from custom_components.esp_ota.ota.transport._dialects import DIALECTS
from custom_components.esp_ota.ota.transport._http import Reply
from custom_components.esp_ota.ota.transport._verdict import delivery
from tests.kit.sentences import assert_sentence_is_whole
from tests.ota.transport.web_scripts import GOOD, send, web

UPDATE = UploadDialect.UPDATE_SERVER
WIFI = UploadDialect.WIFI_OTA
HASTY = UploadLimits(connect=5.0, answer=5.0, stall=5.0, result=5.0, rest=0.05, poll=0.005)
"""Waits for what comes, but not for the rest of what was broken off."""
IMPATIENT = UploadLimits(connect=5.0, answer=0.3, stall=5.0, result=0.3, rest=0.05, poll=0.005)
PLACE = {"host": "127.0.0.1", "port": "80"}


async def failed(port: int, dialect: UploadDialect = UPDATE, **changes: Any) -> OtaError:
    with pytest.raises(OtaError) as caught:
        await send(port, dialect, **changes)
    assert_sentence_is_whole(caught.value.cause, caught.value.facts)
    return caught.value


async def ending_of(
    reply: bytes, dialect: UploadDialect = WIFI, *, early: bool = False, stays: bool = False
) -> Delivery | OtaError:
    """Send an image to a server that says this, to the image or `early`, to all before it."""
    paths = {form.path.partition("?")[0] for form in DIALECTS[dialect].forms.values()}
    pages = dict.fromkeys(GOOD, reply) if early else GOOD | {f"POST {at}": reply for at in paths}
    async with web(pages, stays=stays) as server:
        try:
            return await send(server.port, dialect, limits=IMPATIENT)
        except OtaError as error:
            assert_sentence_is_whole(error.cause, error.facts)
            return error


def reply(status: int = 200, body: bytes = b"", **headers: str) -> Reply:
    return Reply(status=status, headers=headers, body=body)


def meaning(dialect: UploadDialect, of: Reply) -> Delivery | Cause:
    try:
        return delivery(of, "/update", DIALECTS[dialect], password_known=True)
    except OtaError as error:
        assert_sentence_is_whole(error.cause, PLACE | error.facts)
        return error.cause


SUCCESS = b'<META http-equiv="refresh" content="15;URL=/">Update Success! Rebooting...'
FRENCH = (
    b"<script>setTimeout(function(){location.href='.';},24000);</script>"
    b"<b>Envoi <font color='#008000'>R\xc3\xa9ussi</font></b><br>"
)
POLISH = b"<b>x <font color='#f00'>Blad</font></b><br><br>Malo miejsca</div><button>Menu</button>"
