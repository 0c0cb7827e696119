"""Zoom keeps the contract with call providers."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

from connector_zoom import ZOOM

from connector_core.providers.hookspecs import Delivery
from connector_core.testing.providers import ProviderContract, Sample

SECRET = "invented-secret-token"
ROOM = {
    "id": "86431910364",
    "uuid": "hwkAADUySwyG3GyUkqc0vA==",
    "host_id": "30R7kT7bTIKSNUFEuH_Qlg",
    "topic": "Discovery call",
    "type": 2,
    "start_time": "2024-06-13T12:00:03Z",
    "timezone": "Europe/Paris",
    "duration": 60,
}
CARL = {"user_id": "16778240", "user_name": "Carl Customer", "id": "", "email": "carl@buyer.example"}
CALL: dict[str, Any] = {
    "id": "zoom:hwkAADUySwyG3GyUkqc0vA==",
    "provider": "zoom",
    "kind": "meeting",
    "title": "Discovery call",
    "started_at": "2024-06-13T12:00:03Z",
    "ended_at": "2024-06-13T12:41:31Z",
    "participants": [],
}


def delivery(name: str, **more: Any) -> Delivery:
    """Write an event about the meeting, signed as Zoom does."""
    payload = {"account_id": "AAAAAABBBBBB_cccccccc", "object": ROOM | more}
    body = json.dumps({"event": name, "event_ts": 1718282491482, "payload": payload}).encode()
    at = str(int(time.time()))
    mac = hmac.new(SECRET.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
    return Delivery(body, {"x-zm-request-timestamp": at, "x-zm-signature": f"v0={mac}"})


class TestZoom(ProviderContract, manifest=ZOOM, settings={"secret_token": SECRET}, others={"secret_token": "another"}):
    """Zoom keeps the connector's contract."""

    samples = (
        Sample(delivery("meeting.started")),
        Sample(delivery("meeting.participant_joined", participant=CARL | {"join_time": "2024-06-13T12:01:10Z"})),
        Sample(delivery("meeting.ended", end_time="2024-06-13T12:41:31Z"), CALL),
        Sample(delivery("recording.completed", share_url="https://zoom.us/rec/share/invented", recording_files=[])),
    )
