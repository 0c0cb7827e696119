"""Ringover keeps the contract with call providers."""

from __future__ import annotations

from typing import Any

import jwt
from connector_ringover import RINGOVER

from connector_core.providers.hookspecs import Delivery
from connector_core.testing.providers import ProviderContract, Sample

KEY = "k" * 64
ADDRESS = "https://hooks.seller.example/hooks/acme/ringover"
DATA = {
    "id": "57622f20-a020-4f9e-814c-62a6123412fa",
    "call_id": 14486597828273463454,
    "channel_id": 123456789,
    "start_time": 1772442000.5,
    "hangup_time": 1772442300.5,
    "duration_in_seconds": 290,
    "direction": "outbound",
    "from_number": "33199000001",
    "to_number": "33639981011",
    "user_id": "USER7",
    "is_internal": False,
    "is_anonymous": False,
    "is_ivr": False,
    "ivr_data": {},
    "user": {"user_id": 7, "firstname": "Ada", "lastname": "Agent", "email": "ada@seller.example"},
}
CALL: dict[str, Any] = {
    "id": "ringover:14486597828273463454",
    "provider": "ringover",
    "kind": "phone",
    "direction": "outbound",
    "started_at": "2026-03-02T09:00:00.5Z",
    "ended_at": "2026-03-02T09:05:00.5Z",
    "duration_seconds": 300,
    "talk_seconds": 290,
    "from_number": "+33199000001",
    "to_number": "+33639981011",
    "organizer": {"name": "Ada Agent", "email": "ada@seller.example"},
    "participants": [
        {"is_user": True, "name": "Ada Agent", "emails": ["ada@seller.example"]},
        {"is_user": False, "phones": ["+33639981011"]},
    ],
}
OTHER = {"call_id": "1920669524399167255", "direction": "inbound", "user": None, "duration_in_seconds": None}
MISSED = {
    "id": "ringover:1920669524399167255",
    "direction": "inbound",
    "status": "missed",
    "outcome": "Out planning",
    "talk_seconds": 0,
    "organizer": None,
    "participants": [{"is_user": False, "phones": ["+33199000001"]}],
}


def delivery(resource: str, event: str, data: dict[str, Any], timestamp: object = 1772442300.5) -> Delivery:
    """Write an event down, and sign it."""
    payload = {"resource": resource, "event": event, "timestamp": timestamp, "attempt": 1, "data": data}
    token = jwt.encode({"url": ADDRESS, "payload": payload}, KEY, algorithm="HS512")
    return Delivery(b"{}", {"x-ringover-webhook-signature": token}, {}, ADDRESS)


def later(event: str, **data: Any) -> Delivery:
    """Write what comes after the call."""
    return delivery("aftercall", event, {"call_id": DATA["call_id"], **data}, "2026-03-02T09:10:00Z")


class TestRingover(
    ProviderContract, manifest=RINGOVER, settings={"webhook_key": KEY}, others={"webhook_key": "another"}
):
    """Ringover keeps the connector's contract."""

    samples = (
        Sample(delivery("call", "ringing", DATA | {"status": "ringing"})),
        Sample(delivery("call", "hangup", DATA), CALL),
        Sample(delivery("call", "missed", DATA | OTHER | {"reason": "OUT_PLANNING"}), CALL | MISSED),
        Sample(later("comments_updated", comments="wants a quote", tags=["Demo"])),
        Sample(later("record_available", record_link="https://cdn.ringover.com/records/0-0/abc.mp3")),
        Sample(later("summary_available", summary="They talked.")),
        Sample(later("transcription_available", transcription_link="https://cdn.ringover.com/t/1")),
    )
