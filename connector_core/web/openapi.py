"""What the app says of itself, as OpenAPI 3.1."""

from __future__ import annotations

from typing import Any

_NAME = {"type": "string", "minLength": 1}


def document(version: str, most_bytes: int) -> dict[str, Any]:
    """Describe the app."""
    told = {
        "200": "It is kept; or what the provider wants to be answered when it sets the webhook up.",
        "202": "It is understood, and tells nothing of a finished call.",
        "400": "It is no event of this provider.",
        "401": "It is not proven to come from the provider, for this connection.",
        "404": "There is no such connection, or provider.",
        "408": "Its body took too long.",
        "413": f"Its body is longer than {most_bytes:,} bytes.",
        "500": "The provider cannot be used as it is configured, or fails: send it again.",
        "503": "It cannot be kept now: send it again.",
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Webhooks of call providers", "version": version},
        "paths": {
            "/hooks/{connection}/{provider}": {
                "post": {
                    "operationId": "receive",
                    "summary": "Receive a webhook of a call provider",
                    "parameters": [
                        {"name": name, "in": "path", "required": True, "schema": _NAME}
                        for name in ("connection", "provider")
                    ],
                    "requestBody": {"required": True, "content": {"application/json": {"schema": {}}}},
                    "responses": {status: {"description": text} for status, text in told.items()},
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
