"""Adapters that are wrong in one way each about HTTP; each names the clauses that fail it."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

from kit.remote import RemoteAdapter, RemoteSettings
from kit.wrongs import Wrongs

from connector_core.errors import ConnectorError, CredentialsError, RefusedError, TryAgainError
from connector_core.hookspecs import hookimpl
from connector_core.manifest import ConnectionInfo
from connector_core.model import ActivityDraft, Receipt
from connector_core.policy import ACCEPT, Doubt, NoReplyError, NotSentError, Reply, Verdict, Wait

FAILED_BY = Wrongs()
failed_by = FAILED_BY.note


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


@failed_by("C-ERROR-1")
class RaisesItsOwn(Remote):
    """Raises an error of its own where credentials are refused."""

    def failed(self, emails: Sequence[str], error: ConnectorError) -> Mapping[str, Any]:
        if isinstance(error, CredentialsError):
            raise KeyError("status 401") from error
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


@failed_by("C-COST-6")
class CountsNothing(Remote):
    """Sends under a policy that does not know the connection's meter."""

    def __init__(self, settings: RemoteSettings, info: ConnectionInfo) -> None:
        super().__init__(settings, ConnectionInfo(info.name))


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


@failed_by("C-LOST-1", "C-LOST-3", "C-LOST-4")
class TakesSilenceForUnsent(Remote):
    """Takes what was sent and not answered for what never arrived."""

    def send(self, what: str, body: bytes) -> Reply:
        try:
            return super().send(what, body)
        except NoReplyError as error:
            raise NotSentError(str(error)) from error


@failed_by("C-LOST-6")
class TakesUnsentForSilence(Remote):
    """Takes what never arrived for what was sent and not answered."""

    def send(self, what: str, body: bytes) -> Reply:
        try:
            return super().send(what, body)
        except NotSentError as error:
            raise NoReplyError(str(error)) from error


@failed_by("C-LOST-6")
class StaysDown(Remote):
    """Once a connection was refused, puts off what comes alone, also where others are taken again."""

    down: ClassVar[bool] = False

    def send(self, what: str, body: bytes) -> Reply:
        try:
            return super().send(what, body)
        except NotSentError:
            StaysDown.down = True
            raise

    @hookimpl
    def write_activity(self, drafts: Sequence[ActivityDraft]) -> Mapping[str, Receipt]:
        StaysDown.down &= len(drafts) == 1
        if StaysDown.down:
            raise TryAgainError("the service is down")
        return RemoteAdapter.write_activity(self, drafts)


@failed_by("C-LOST-7")
class LosesReceipts(Remote):
    """Raises where a later request of a batch fails, though the first ones created something."""

    def put_off(self, drafts: Sequence[ActivityDraft], error: TryAgainError, receipts: Any) -> Any:
        raise error


@failed_by("C-LOST-7")
class DoubtsTheWholeBatch(Remote):
    """Takes all for unknown where one request of a batch was not answered."""

    @hookimpl
    def write_activity(self, drafts: Sequence[ActivityDraft]) -> Mapping[str, Receipt]:
        receipts = RemoteAdapter.write_activity(self, drafts)
        doubted = any(it.outcome == "unknown" for it in receipts.values())
        return dict.fromkeys(receipts, Receipt("unknown")) if doubted else receipts


@failed_by("C-LOST-3")
class WaitsForCreates(Remote):
    """Has a time-out of its own for creates, a minute."""

    def timeout_seconds(self, what: str) -> float:
        return 60.0 if what == "drafts" else super().timeout_seconds(what)


@failed_by("C-ERROR-9")
class WaitsForLookUps(Remote):
    """Has a time-out of its own for look-ups, a minute."""

    def timeout_seconds(self, what: str) -> float:
        return super().timeout_seconds(what) if what == "drafts" else 60.0


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


@failed_by("C-MANNERS-2", "C-FORM-1", "C-FORM-2", "C-FORM-3")  # what is undeclared connects no more than what is done
class ConnectsAtOnce(Remote):
    """Connects as soon as it is made."""

    def __init__(self, settings: RemoteSettings, info: ConnectionInfo) -> None:
        super().__init__(settings, info)
        address = urlsplit(settings.url)
        with contextlib.suppress(AssertionError, OSError):  # the first is what blocks the network
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
