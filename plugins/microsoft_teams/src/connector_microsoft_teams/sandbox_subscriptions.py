"""The subscriptions of the sandbox, checked as Graph documents it. It asks no address for a token, and delivers nothing."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from cryptography import x509

from connector_core.testing.sandbox import Request, Response

Json = dict[str, Any]

MOST_MINUTES = {"communications/callRecords": 4230, "communications/onlineMeetings/getAllTranscripts": 4320}
_PERMISSIONS = dict(zip(MOST_MINUTES, ("CallRecords.Read.All", "OnlineMeetingTranscript.Read.All"), strict=True))
_REQUIRED = {"changeType", "notificationUrl", "resource", "expirationDateTime"}
_ENCRYPTION = {"encryptionCertificate", "encryptionCertificateId"}
_KNOWN = _REQUIRED | _ENCRYPTION | {"clientState", "lifecycleNotificationUrl", "includeResourceData"}
_MOST_CLIENT_STATE = 128


class RefusalError(Exception):
    """A request that Graph refuses, with its answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """Make the answer."""
        super().__init__(message)
        self.response = Response.of({"error": {"code": code, "message": message}}, status)


def unknown(request: Request) -> Response:
    """Refuse what is not known."""
    message = f"The sandbox does not know {request.method} {request.path}."
    return Response.of({"error": {"code": "notImplemented", "message": message}}, 501, api_calls=0)


class Subscriptions:
    """The subscriptions of one app in one tenant."""

    def __init__(self) -> None:
        """Hold none."""
        self._held: dict[str, Json] = {}

    def all(self) -> list[Json]:
        """Give all of them, as they were made."""
        return list(self._held.values())

    def handle(self, request: Request, check_granted: Callable[[str], None]) -> Response:
        """Answer a request; expired subscriptions are gone."""
        now = dt.datetime.now(dt.UTC)
        self._held = {key: it for key, it in self._held.items() if _time(it["expirationDateTime"]) > now}
        subscription_id = request.path.removeprefix("/v1.0/subscriptions").removeprefix("/")
        if request.query:
            return unknown(request)
        match request.method, bool(subscription_id):
            case "GET", False:
                return Response.of({"value": [_shown(it) for it in self._held.values()]})
            case "POST", False:
                return self._make(_object(request), check_granted)
            case "PATCH", True:
                return self._change(self._found(subscription_id), _object(request))
            case "DELETE", True:
                del self._held[self._found(subscription_id)["id"]]
                return Response(204)
        return unknown(request)

    def _found(self, subscription_id: str) -> Json:
        if subscription_id not in self._held:
            raise RefusalError(404, "ResourceNotFound", "The subscription was not found.")
        return self._held[subscription_id]

    def _make(self, body: Json, check_granted: Callable[[str], None]) -> Response:
        if body.get("resource") not in MOST_MINUTES or body.keys() - _KNOWN:
            raise RefusalError(501, "notImplemented", "The sandbox does not know this subscription.")
        if missing := _REQUIRED - body.keys():
            raise _invalid(f"Missing: {', '.join(sorted(missing))}.")
        check_granted(_PERMISSIONS[body["resource"]])
        if not body["notificationUrl"].startswith("https://"):
            raise _invalid("The notification URL must be https.")
        if len(body.get("clientState", "")) > _MOST_CLIENT_STATE:
            raise _invalid("clientState is too long.")
        _check(body)
        made = {**body, "id": str(uuid.uuid4()), "applicationId": "sandbox"}
        self._held[made["id"]] = made
        return Response.of(_shown(made, state=True), 201)

    def _change(self, held: Json, body: Json) -> Response:
        if body.keys() - _ENCRYPTION - {"expirationDateTime", "notificationUrl"}:
            raise RefusalError(501, "notImplemented", "The sandbox does not know this change.")
        _check(held | body)
        held.update(body)
        return Response.of(_shown(held))


def _check(body: Mapping[str, Any]) -> None:
    left = _time(body["expirationDateTime"]) - dt.datetime.now(dt.UTC)
    if left <= dt.timedelta() or left > dt.timedelta(minutes=MOST_MINUTES[body["resource"]]):
        raise _invalid("Subscription expiration can only be in the future, and within the maximum of the resource.")
    if body["resource"] != "communications/callRecords":
        if left > dt.timedelta(hours=1) and "lifecycleNotificationUrl" not in body:
            raise _invalid("lifecycleNotificationUrl is required when the expirationDateTime value exceeds 1 hour.")
    elif body.get("includeResourceData"):
        raise _invalid("Call records have no rich notifications.")
    if body.get("includeResourceData"):
        if not body.keys() >= _ENCRYPTION:
            raise _invalid("includeResourceData needs encryptionCertificate and encryptionCertificateId.")
        try:
            x509.load_der_x509_certificate(base64.b64decode(body["encryptionCertificate"], validate=True))
        except (ValueError, binascii.Error):
            raise _invalid("encryptionCertificate is no certificate.") from None


def _invalid(message: str) -> RefusalError:
    return RefusalError(400, "InvalidRequest", message)


def _time(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise _invalid("expirationDateTime is no time.") from None
    if moment.tzinfo is None:
        raise _invalid("expirationDateTime has no offset.")
    return moment


def _shown(held: Mapping[str, Any], *, state: bool = False) -> Json:
    """Show a subscription as Graph does: its state is told once, to whom it is made for."""
    hidden = {"encryptionCertificate"} | (set() if state else {"clientState"})
    return {name: None if name in hidden else value for name, value in held.items()}


def _object(request: Request) -> Json:
    try:
        value = json.loads(request.body)
    except ValueError:
        raise _invalid("The body is no JSON.") from None
    if not isinstance(value, dict):
        raise _invalid("The body is no object.")
    return value
