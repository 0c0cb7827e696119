"""What the app says of itself, as OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NAME = {"type": "string", "minLength": 1}


def document(version: str, most_bytes: int) -> dict[str, Any]:
    """Describe the app."""
    told = {
        "200": "It is kept; or what the provider wants to be answered when it sets the webhook up.",
        "202": "It is understood, and there is nothing to keep.",
        "400": "It is no event of this sender's.",
        "401": "It is not proven to come from the sender, for this connection.",
        "404": "There is no such connection, or it has no such sender.",
        "408": "Its body took too long.",
        "413": f"Its body is longer than {most_bytes:,} bytes.",
        "500": "The sender's plugin cannot be used as it is configured, or fails: send it again.",
        "503": "It cannot be kept now: send it again.",
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Webhooks of call providers and CRMs", "version": version},
        "paths": {
            "/hooks/{connection}/{provider}": {
                "post": {
                    "operationId": "receive",
                    "summary": "Receive a webhook of a call provider",
                    **_received(told, "connection", "provider"),
                }
            },
            "/crm/{connection}": {
                "post": {
                    "operationId": "receiveChanges",
                    "summary": "Receive what changed in a connection's CRM",
                    **_received(told, "connection"),
                }
            },
            "/health": {
                "get": {
                    "operationId": "health",
                    "summary": "Tell whether requests are answered",
                    "responses": {"204": {"description": "They are."}},
                }
            },
        },
    }


def _received(told: Mapping[str, str], *names: str) -> dict[str, Any]:
    return {
        "parameters": [{"name": name, "in": "path", "required": True, "schema": _NAME} for name in names],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {}}}},
        "responses": {status: {"description": text} for status, text in told.items()},
    }
