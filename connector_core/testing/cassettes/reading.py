"""Lets nothing through to an account but what reads: what recorded look-ups send, and signing in."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from connector_core.testing.cassettes.exchange import Asked, Cassette, CassetteError

_READING = frozenset({"GET", "HEAD"})
_WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_OVERRIDE = "x-http-method-override"
_Form: TypeAlias = tuple[str, str, frozenset[str]]


class NotReadingError(CassetteError):
    """A request was not sent, for it may write."""


class ReadGuard:
    """Knows the requests that read, by recorded look-ups.

    GET and HEAD read (RFC 9110, 9.2.1). Many services also search by POST: such a request passes if a recorded look-up
    sends one to the same path, with the same names in its query, and if no request that it carries (as in Salesforce's
    ``composite``) has a method that writes. A form with a ``grant_type`` signs in (RFC 6749) and passes too.
    """

    def __init__(self, recorded: Iterable[Cassette]) -> None:
        """Learn from cassettes of look-ups."""
        self.refused: list[Asked] = []
        self._known = {_form(each.asked) for cassette in recorded for each in cassette.exchanges}
        self._lock = threading.Lock()

    def __call__(self, asked: Asked) -> None:
        """Let a request through.

        :raises NotReadingError: It may write.
        """
        known = _form(asked) in self._known and _only_reads(asked)
        if (asked.method in _READING or _signs_in(asked) or known) and _OVERRIDE not in asked.headers:
            return
        with self._lock:
            self.refused.append(asked)
        raise NotReadingError(f"{asked} was not sent: no recorded look-up sends it, so it may write")


def _form(asked: Asked) -> _Form:
    return asked.method, urlsplit(asked.url).path, frozenset(name for name, _ in asked.query)


def _signs_in(asked: Asked) -> bool:
    return asked.body.kind == "form" and any(name == "grant_type" for name, _ in asked.body.value)


def _only_reads(asked: Asked) -> bool:
    todo: list[Any] = [asked.body.value] if asked.body.kind == "json" else []
    while todo:
        match todo.pop():
            case dict() as mapping:
                if any(name.lower() == "method" and str(it).upper() in _WRITING for name, it in mapping.items()):
                    return False
                todo += mapping.values()
            case list() as items:
                todo += items
    return True
