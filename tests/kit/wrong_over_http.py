"""Adapters that are wrong in one way each about HTTP; each names the clauses that fail it."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlsplit

from kit.remote import RemoteAdapter, RemoteSettings

from connector_core.errors import ConnectorError, CredentialsError, RefusedError, TryAgainError
from connector_core.hookspecs import hookimpl
from connector_core.manifest import ConnectionInfo
from connector_core.model import ActivityDraft, Receipt
from connector_core.policy import ACCEPT, Doubt, Reply, Verdict, Wait

T = TypeVar("T", bound=type)
FAILED_BY: dict[type, frozenset[str]] = {}
"""The wrong adapters, with the clauses that fail them."""


def failed_by(*clauses: str) -> Callable[[T], T]:
    """Name the clauses that fail an adapter, exactly."""

    def note(cls: T) -> T:
        FAILED_BY[cls] = frozenset(clauses)
        return cls

    return note


class Remote(RemoteAdapter):
    """Right so far: a base whose look-up of addresses can be changed in one place."""

    @hookimpl
    def find_contacts_by_email(self, emails: Sequence[str]) -> Mapping[str, Any]:
        """Look up."""
        try:
            return self.found(emails)
        except ConnectorError as error:
            return self.failed(emails, error)

    def found(self, emails: Sequence[str]) -> Mapping[str, Any]:
        """Look up, and be answered."""
        return RemoteAdapter.find_contacts_by_email(self, emails)

    def failed(self, emails: Sequence[str], error: ConnectorError) -> Mapping[str, Any]:
        """Look up, and fail."""
        raise error


@failed_by("C-ERROR-5", "C-ERROR-6")
class SwallowsLimits(Remote):
    """Takes a limit that stays for nobody."""

    def failed(self, emails: Sequence[str], error: ConnectorError) -> Mapping[str, Any]:
        if isinstance(error, TryAgainError) and error.after_seconds is not None:
            return dict.fromkeys(emails, ())
        raise error


@failed_by("C-ERROR-4")
class WaitsAsItLikes(Remote):
    """Waits twice as long as the service asks, if that is short."""

    def judge(self, reply: Reply) -> Verdict:
        verdict = super().judge(reply)
        if isinstance(verdict, Wait) and verdict.after_seconds == 7.0 and not getattr(self, "waited", False):
            self.waited = True
            return dataclasses.replace(verdict, after_seconds=14.0)
        return verdict


@failed_by("C-ERROR-1")
class KnocksAgain(Remote):
    """Tries refused credentials over and over."""

    def failed(self, emails: Sequence[str], error: ConnectorError) -> Mapping[str, Any]:
        if isinstance(error, CredentialsError):
            for _ in range(6):
                try:
                    return self.found(emails)
                except CredentialsError:
                    continue
        raise error


@failed_by("C-ERROR-3")
class GoneIsNobody(Remote):
    """Takes a path that is gone for nobody."""

    def failed(self, emails: Sequence[str], error: ConnectorError) -> Mapping[str, Any]:
        if isinstance(error, RefusedError) and "404" in str(error):
            return dict.fromkeys(emails, ())
        raise error


@failed_by("C-ERROR-10")
class ReadsPages(Remote):
    """Takes a web page for an empty answer."""

    def judge(self, reply: Reply) -> Verdict:
        return ACCEPT if reply.body.startswith(b"<") else super().judge(reply)

    def read(self, body: bytes, kind: Any) -> Any:
        return _Nobody() if body.startswith(b"<") else super().read(body, kind)

    def found(self, emails: Sequence[str]) -> Mapping[str, Any]:
        answer = super().found(emails)
        return dict.fromkeys(emails, ()) if isinstance(answer, _Nobody) else answer


class _Nobody(dict[str, Any]):
    """What came of a page."""


@failed_by("C-ERROR-11")
class UnknownIsNobody(Remote):
    """Takes an empty answer for nobody."""

    def judge(self, reply: Reply) -> Verdict:
        return ACCEPT if reply.status == 200 and not reply.body else super().judge(reply)

    def read(self, body: bytes, kind: Any) -> Any:
        return super().read(body, kind) if body else _Nobody()

    def found(self, emails: Sequence[str]) -> Mapping[str, Any]:
        answer = super().found(emails)
        return dict.fromkeys(emails, ()) if isinstance(answer, _Nobody) else answer


@failed_by("C-ERROR-7", "C-ERROR-9")
class AsksOnce(Remote):
    """Gives up at the first failure."""

    def judge(self, reply: Reply) -> Verdict:
        self.policy.attempts = 4 if reply.status == 429 else 1
        return super().judge(reply)

    def __init__(self, settings: RemoteSettings, info: ConnectionInfo) -> None:
        super().__init__(settings, info)
        self.policy.attempts = 1


@failed_by("C-ERROR-12")
class TellsAddresses(Remote):
    """Puts what was asked for into the message of an error."""

    def failed(self, emails: Sequence[str], error: ConnectorError) -> Mapping[str, Any]:
        if isinstance(error, RefusedError):
            raise RefusedError(f"{emails[0]} was refused") from error
        raise error


@failed_by("C-LOST-1", "C-LOST-2", "C-LOST-3", "C-LOST-4")
class SendsCreatesAgain(Remote):
    """Sends a create again that was not answered, as if it had not been executed."""

    def ask(self, what: str, body: bytes, *, repeatable: bool = True) -> bytes:
        return super().ask(what, body, repeatable=True)


@failed_by("C-LOST-5")
class DoubtsLimits(Remote):
    """Takes a create that met a limit for one that may have been executed."""

    def ask(self, what: str, body: bytes, *, repeatable: bool = True) -> bytes:
        self.creating = not repeatable
        return super().ask(what, body, repeatable=repeatable)

    def judge(self, reply: Reply) -> Verdict:
        return Doubt("a limit") if reply.status == 429 and self.creating else super().judge(reply)


@failed_by("C-LOST-2")
class CountsFailuresAsWritten(Remote):
    """Says created where the service failed."""

    @hookimpl
    def write_activity(self, drafts: Sequence[ActivityDraft]) -> Mapping[str, Receipt]:
        receipts = RemoteAdapter.write_activity(self, drafts)
        return {key: Receipt("created", "T0") if "500" in (it.reason or "") else it for key, it in receipts.items()}


@failed_by("C-COST-1")
class AsksTwice(Remote):
    """Looks each address up twice."""

    def found(self, emails: Sequence[str]) -> Mapping[str, Any]:
        if len(emails) > 1:
            super().found(emails)
        return super().found(emails)


@failed_by("C-MANNERS-2")
class ConnectsAtOnce(Remote):
    """Connects as soon as it is made."""

    def __init__(self, settings: RemoteSettings, info: ConnectionInfo) -> None:
        super().__init__(settings, info)
        address = urlsplit(settings.url)
        with contextlib.suppress(AssertionError):  # what blocks the network raises it
            socket.create_connection((address.hostname or "", address.port or 80)).close()


@failed_by("C-ERROR-1", "C-MANNERS-3")
class SharesWithOtherTenants(Remote):
    """Gives a connection whose credentials are refused what another one was answered."""

    answers: ClassVar[dict[str, Any]] = {}

    def found(self, emails: Sequence[str]) -> Mapping[str, Any]:
        answer = super().found(emails)
        self.answers.update(answer)
        return answer

    def failed(self, emails: Sequence[str], error: ConnectorError) -> Mapping[str, Any]:
        if isinstance(error, CredentialsError) and all(email in self.answers for email in emails):
            return {email: self.answers[email] for email in emails}
        raise error
