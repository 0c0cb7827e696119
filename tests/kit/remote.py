"""A CRM over HTTP, as small as can be: the CRM in a file behind a server, and an adapter that asks it.

What an adapter does of its own when HTTP fails stands in a few methods, so that a wrong one differs in one of them.
"""

from __future__ import annotations

import datetime as dt
import http.client
import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from contract_accounts import FileAccount
from pydantic import BaseModel, TypeAdapter

from connector_core.crms.file import FileAdapter, FileSettings
from connector_core.crms.world import World
from connector_core.errors import CredentialsError, MissingRightError, OutcomeUnknownError, RefusedError, TryAgainError
from connector_core.hookspecs import HOOK_API, hookimpl
from connector_core.manifest import MUST, TRAITS, ConnectionInfo, CrmManifest
from connector_core.model import Activity, ActivityDraft, CallKey, Opportunities, Person, Receipt, Unknown
from connector_core.policy import (
    ACCEPT,
    Doubt,
    NoReplyError,
    NotSentError,
    Reply,
    RequestPolicy,
    Verdict,
    Wait,
    retry_after,
)
from connector_core.testing.contract.world import REGIONS
from connector_core.testing.listener import Listener
from connector_core.testing.sandbox import Request, Response

TOKEN = "an-invented-token"
MOST = 100
PEOPLE: TypeAdapter[Any] = TypeAdapter(dict[str, tuple[Person, ...] | Unknown])
ACTIVITIES: TypeAdapter[Any] = TypeAdapter(dict[str, tuple[Activity, ...] | Unknown])
OPPORTUNITIES: TypeAdapter[Any] = TypeAdapter(Opportunities)
RECEIPTS: TypeAdapter[Any] = TypeAdapter(dict[str, Receipt])
CALLS: TypeAdapter[Any] = TypeAdapter(tuple[CallKey, ...])
DRAFTS: TypeAdapter[Any] = TypeAdapter(tuple[ActivityDraft, ...])
LISTED: TypeAdapter[Any] = TypeAdapter(tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], dt.datetime | None])

REMOTE = CrmManifest(
    name="remote",
    title="Remote",
    hook_api=HOOK_API,
    operations=MUST | {"write_activity"},
    traits=frozenset(TRAITS),
    settings="kit.remote:RemoteSettings",
    adapter="kit.remote:RemoteAdapter",
    requests=dict.fromkeys(MUST | {"write_activity"}, 1),
    names={"event.place": "place"},
    cannot_hold={"fixed_fields": "it is a file"},
)


class RemoteSettings(BaseModel):
    """Where the CRM is."""

    url: str
    access_token: str
    timeout_seconds: float = 30.0


class RemoteAdapter:
    """Asks the server, hook by hook."""

    def __init__(self, settings: RemoteSettings, info: ConnectionInfo) -> None:
        """Send nothing."""
        self.settings = settings
        self.policy = RequestPolicy(meter=info.meter)

    def close(self) -> None:
        """Nothing is held between two requests."""

    @hookimpl
    def find_contacts_by_email(self, emails: Sequence[str]) -> Mapping[str, tuple[Person, ...] | Unknown]:
        """Find people by e-mail."""
        return self.read(self.ask("emails", json.dumps(list(emails)).encode()), PEOPLE)

    @hookimpl
    def find_contacts_by_phone(self, numbers: Sequence[str]) -> Mapping[str, tuple[Person, ...] | Unknown]:
        """Find people by number."""
        return self.read(self.ask("numbers", json.dumps(list(numbers)).encode()), PEOPLE)

    @hookimpl
    def find_activity(self, calls: Sequence[CallKey]) -> Mapping[str, tuple[Activity, ...] | Unknown]:
        """Find activities."""
        return self.read(self.ask("calls", CALLS.dump_json(tuple(calls))), ACTIVITIES)

    @hookimpl
    def list_opportunities(
        self,
        person_ids: Sequence[str],
        account_ids: Sequence[str],
        opportunity_ids: Sequence[str],
        closed_since: dt.datetime | None,
    ) -> Opportunities:
        """List opportunities."""
        asked = (tuple(person_ids), tuple(account_ids), tuple(opportunity_ids), closed_since)
        found: Opportunities = self.read(self.ask("opportunities", LISTED.dump_json(asked)), OPPORTUNITIES)
        return found

    @hookimpl
    def write_activity(self, drafts: Sequence[ActivityDraft]) -> Mapping[str, Receipt]:
        """Write activities, a hundred at once; what was not answered is unknown, and what was answered is kept."""
        receipts: dict[str, Receipt] = {}
        for start in range(0, len(drafts), MOST):
            chunk = drafts[start : start + MOST]
            try:
                body = DRAFTS.dump_json(tuple(chunk))
                receipts |= self.read(self.ask("drafts", body, repeatable=False), RECEIPTS)
            except OutcomeUnknownError as error:
                receipts |= {draft.key: Receipt("unknown", reason=str(error)) for draft in chunk}
            except TryAgainError as error:
                receipts |= self.put_off(chunk, error, receipts)
        return receipts

    def put_off(
        self, drafts: Sequence[ActivityDraft], error: TryAgainError, receipts: Mapping[str, Receipt]
    ) -> Mapping[str, Receipt]:
        """Say what was not written, unless nothing was."""
        if not receipts:
            raise error
        return {draft.key: Receipt("deferred", reason=str(error)) for draft in drafts}

    # -- HTTP ----------------------------------------------------------------------------------------------------------

    def ask(self, what: str, body: bytes, *, repeatable: bool = True) -> bytes:
        """Send a request, under the policy."""
        reply = self.policy.run(lambda: self.send(what, body), self.judge, repeatable=repeatable)
        return self.accept(reply)

    def send(self, what: str, body: bytes) -> Reply:
        """Send once."""
        connection = http.client.HTTPConnection(urlsplit(self.settings.url).netloc, timeout=self.timeout_seconds(what))
        try:
            connection.connect()
        except OSError as error:
            raise NotSentError(f"no connection ({type(error).__name__})") from error
        try:
            headers = {"Authorization": f"Bearer {self.settings.access_token}", "Content-Type": "application/json"}
            connection.request("POST", f"/{what}", body, headers)
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, named, answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise NoReplyError(f"no answer ({type(error).__name__})") from error
        finally:
            connection.close()

    def timeout_seconds(self, what: str) -> float:
        """Say how long an answer is waited for."""
        return self.settings.timeout_seconds

    def judge(self, reply: Reply) -> Verdict:
        """Say what an answer means for its request."""
        if reply.status == 429:
            return Wait("the limit is reached", retry_after(reply.headers))
        if reply.status >= 500 or (reply.status < 300 and not _is_json(reply.body)):
            return Doubt(f"status {reply.status}, and no answer that can be read")
        return ACCEPT

    def accept(self, reply: Reply) -> bytes:
        """Give what was answered, or say why it was refused."""
        match reply.status:
            case 200:
                return reply.body
            case 401:
                raise CredentialsError("the token is refused")
            case 403:
                raise MissingRightError("a right is missing")
            case status:
                raise RefusedError(f"refused with status {status}")

    def read(self, body: bytes, kind: TypeAdapter[Any]) -> Any:
        """Read an answer."""
        return kind.validate_json(body)


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


class RemoteAccount:
    """A server on this machine with a world of its own."""

    ORIGIN = "sandbox"

    def __init__(self) -> None:
        """Serve nothing yet."""
        self._file = FileAccount()
        self._listener: Listener | None = None

    def wipe(self) -> None:
        """Stop."""
        if self._listener is not None:
            self._listener.shutdown()
            self._listener.server_close()
            self._listener = None
        self._file.wipe()

    def seed(self, world: World) -> Mapping[str, str]:
        """Serve a world."""
        ids = self._file.seed(world)
        self._crm = FileAdapter(FileSettings.model_validate(self._file.settings()), ConnectionInfo("remote", REGIONS))
        self._listener = Listener(self._answer, 0)
        threading.Thread(target=self._listener.serve_forever, args=(0.01,), daemon=True).start()
        return ids

    def settings(self) -> Mapping[str, Any]:
        """Say where it listens."""
        port = self._listener.server_address[1] if self._listener else 0
        return {"url": f"http://127.0.0.1:{port}", "access_token": TOKEN}

    def unique_key(self) -> Mapping[str, Any]:
        """Need nothing: a key is always unique."""
        return {}

    def _answer(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Response(401)
        crm, body = self._crm, request.body
        match request.path:
            case "/emails":
                answer = PEOPLE.dump_json(crm.find_contacts_by_email(json.loads(body)))
            case "/numbers":
                answer = PEOPLE.dump_json(crm.find_contacts_by_phone(json.loads(body)))
            case "/calls":
                answer = ACTIVITIES.dump_json(crm.find_activity(CALLS.validate_json(body)))
            case "/opportunities":
                answer = OPPORTUNITIES.dump_json(crm.list_opportunities(*LISTED.validate_json(body)))
            case "/drafts":
                answer = RECEIPTS.dump_json(crm.write_activity(DRAFTS.validate_json(body)))
            case _:
                return Response(404)
        return Response(200, answer, {"Content-Type": "application/json"})
