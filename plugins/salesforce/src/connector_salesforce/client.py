"""The requests of this plugin: queries in composites, pages, searches, collections; all through simple-salesforce.

Limits: REST API Developer Guide, "Composite" (25 subrequests, of which 5 may be queries; one API call), "sObject
Collections" (200 records), "Query" (2,000 rows a page).
"""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError

from connector_core.errors import (
    ConnectorError,
    CredentialsError,
    MissingRightError,
    OutcomeUnknownError,
    RefusedError,
    TryAgainError,
)
from connector_core.meter import Meter
from connector_core.model import Unknown
from connector_core.policy import RequestPolicy
from connector_core.tokens import TokenStore
from connector_salesforce.auth import origin_of, sign_in
from connector_salesforce.failures import error_of, error_of_sdk, read_failure
from connector_salesforce.settings import SalesforceSettings
from connector_salesforce.soql import Query, Search, find
from connector_salesforce.transport import MOST_AT_ONCE, SessionOverError, Transport

T = TypeVar("T")
Row: TypeAlias = Mapping[str, Any]
Answer: TypeAlias = list[Row] | Unknown

QUERIES_AT_ONCE = 5

_LOG = logging.getLogger(__name__)
_NEXT = re.compile(r"/services/data/v\d+\.\d/query(?:All)?/[A-Za-z0-9-]+")
_ESCAPED = {
    byte: chr(byte) if (chr(byte).isalnum() and byte < 128) or byte in b"_.-~" else f"%{byte:02X}"
    for byte in range(256)
}
_TOO_LARGE = frozenset({"QUERY_TIMEOUT", "OPERATION_TOO_LARGE", "QUERY_TOO_COMPLICATED", "INVALID_QUERY_LOCATOR"})


class _GaveUp(Unknown):
    """Salesforce would answer less."""


class Client:
    """One org, for all threads of a connection."""

    def __init__(
        self,
        settings: SalesforceSettings,
        policy: RequestPolicy | None = None,
        *,
        tokens: TokenStore | None = None,
        meter: Meter | None = None,
    ) -> None:
        """Open no connection yet.

        :param tokens: Where tokens are kept; None for memory.
        :param meter: Counts the requests.
        """
        address = settings.address
        loopback = address.netloc if address.scheme == "http" else None
        self.policy = policy or RequestPolicy(most_at_once=MOST_AT_ONCE, meter=meter or Meter())
        self.instance_url = settings.instance_url
        self._transport = Transport(self.policy, settings.timeout_seconds, loopback)
        self._settings = settings
        self._sign_in = sign_in(settings, self._transport, tokens)
        self.version = settings.api_version
        self.root = f"/services/data/v{self.version}"
        self._hidden: dict[str, frozenset[str]] = {}
        self.shared = True

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def ask(self, queries: Sequence[Query]) -> list[Answer]:
        """Run queries, five to an API call, pages followed.

        One that is too much for Salesforce is asked again in ever smaller parts.

        :returns: For each its rows, or Unknown where Salesforce gave up on it or cut it short.
        :raises ConnectorError: What concerns more than one query, and a column or object that the user may not see.
        """
        answers: dict[int, Answer] = {}
        waiting = list(range(len(queries)))
        while waiting:
            batch, waiting = waiting[:QUERIES_AT_ONCE], waiting[QUERIES_AT_ONCE:]
            asked = [(queries[index], self._hidden_in(queries[index])) for index in batch]
            for index, (query, hidden), (status, body) in zip(batch, asked, self._ask(asked), strict=True):
                try:
                    answer = self._read(query, hidden, status, body)
                except ConnectorError as error:
                    if not query.spare:
                        raise
                    answer = Unknown(f"{query.object}: {error}")
                if isinstance(answer, _GaveUp) and query.smaller is not None:
                    answer = self._in_parts(query.smaller())
                if answer is None:
                    waiting.append(index)
                else:
                    answers[index] = answer
        return [answers[index] for index in range(len(queries))]

    def _in_parts(self, queries: Sequence[Query]) -> Answer:
        """Ask for the same in parts; what several of them give is one row."""
        rows: dict[Any, Row] = {}
        for answer in self.ask(queries):
            if isinstance(answer, Unknown):
                return answer
            rows |= {row.get("Id"): row for row in answer}
        return list(rows.values())

    def with_relations(self, act: Callable[[], T]) -> T:
        """Run what reads ``shared``, and once more where the org turns out to have no Shared Activities.

        Without them an activity has one person at most, and there is neither ``TaskRelation`` nor
        ``EventRelation.IsInvitee`` (Object Reference).
        """
        before = self.shared  # another thread may learn it meanwhile
        try:
            return act()
        except MissingRightError as error:
            right = error.right or ""
            if not before or not right.endswith(("TaskRelation", "TaskRelations", ".IsInvitee", ".IsParent")):
                raise
            self.shared = False
            _LOG.warning("the org relates one person to an activity (Shared Activities are off)")
            return act()

    def search(self, search: Search, queries: Sequence[Query]) -> list[Row]:
        """Search; of each query its object and columns are given."""
        while True:
            asked = [(query, self._hidden_in(query)) for query in queries]
            sosl = find(search, asked)
            try:
                body = self.call("search", functools.partial(_get, "search/", {"q": str(sosl)}))
            except MissingRightError as error:
                name = (error.right or "").rpartition(".")[2]
                if not sum(self._hide(*it, name) for it in asked):  # the refusal does not say of which object
                    raise
                continue
            rows = body.get("searchRecords") if isinstance(body, dict) else None
            if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
                raise TryAgainError("Salesforce answered a search with something else")
            return rows

    def call(self, asked: str, act: Callable[[Salesforce], Any]) -> Any:
        """Run a request through the SDK, signing in once more if the session is over.

        :param asked: What is asked for, for the messages.
        :raises ConnectorError: Whatever fails.
        """
        grant = self._sign_in.current()
        for once_more in (True, False):
            sdk = Salesforce(
                session_id=grant.access_token,
                instance=origin_of(grant, self._settings).partition("//")[2],
                session=self._transport,
                version=self.version,
                object_pairs_hook=dict,
            )
            sdk.headers["X-PrettyPrint"] = "0"
            try:
                return act(sdk)
            except SessionOverError as error:
                if not once_more:
                    raise CredentialsError("Salesforce refuses a session that it has just granted") from error
                grant = self._sign_in.instead_of(grant)
            except SalesforceError as error:
                raise error_of_sdk(error, asked) from error
        raise AssertionError  # the loop returns or raises

    def composite(self, subrequests: Sequence[Mapping[str, Any]], *, reads: bool) -> list[tuple[int, Any]]:
        """Send subrequests as one API call, in their order; each comes back with its status and body.

        :param reads: They change nothing, and may be sent twice.
        """
        body = {"allOrNone": False, "collateSubrequests": False, "compositeRequest": list(subrequests)}
        answer = self.call("composite", functools.partial(_read_all if reads else _post, "composite", body))
        found = answer.get("compositeResponse") if isinstance(answer, dict) else None
        try:
            return _by_reference(found or (), subrequests)
        except (KeyError, TypeError, ValueError) as error:
            nonsense = TryAgainError if reads else OutcomeUnknownError
            raise nonsense("Salesforce answered a composite request with something else") from error

    def graphs(self, graphs: Sequence[Sequence[Mapping[str, Any]]]) -> list[list[tuple[int, Any]]]:
        """Send graphs of creates as one API call: of each all is written, or nothing; a status and body for each create.

        :raises OutcomeUnknownError: It was sent, and not answered, or not as documented.
        """
        named = {f"g{place}": it for place, it in enumerate(graphs)}
        body = {"graphs": [{"graphId": name, "compositeRequest": list(it)} for name, it in named.items()]}
        answer = self.call("composite/graph", functools.partial(_post, "composite/graph", body))
        try:
            parts = {it["graphId"]: it["graphResponse"]["compositeResponse"] for it in answer["graphs"]}
            return [_by_reference(parts[name], it) for name, it in named.items()]
        except (KeyError, TypeError, ValueError) as error:
            raise OutcomeUnknownError("Salesforce answered graphs with something else") from error

    def versions(self) -> list[str]:
        """Give the versions of the API that the org offers, the oldest first (REST API Developer Guide, "Versions")."""
        listed = self.call("versions", lambda sdk: sdk.session.get(f"https://{sdk.sf_instance}/services/data/").json())
        offered = [it.get("version") for it in listed if isinstance(it, dict)] if isinstance(listed, list) else []
        return sorted((it for it in offered if isinstance(it, str)), key=lambda it: it.zfill(len("100.0")))

    def _ask(self, asked: Sequence[tuple[Query, frozenset[str]]]) -> list[tuple[int, Any]]:
        addresses = enumerate(self._address(query, hidden) for query, hidden in asked)
        subrequests = [{"method": "GET", "referenceId": f"q{place}", "url": address} for place, address in addresses]
        return self.composite(subrequests, reads=True)

    def _address(self, query: Query, hidden: frozenset[str]) -> str:
        # Quoted whole: Salesforce reads @{…} in an address as a reference to another subrequest.
        resource = "queryAll" if query.archived else "query"
        return f"{self.root}/{resource}/?q={_escaped(query.text(hidden))}"

    def _read(self, query: Query, hidden: frozenset[str], status: int, body: Any) -> Answer | None:
        """Read the answer to a query; None where it is to be asked again without a hidden column."""
        if status < 300:
            try:
                return self._pages(query, body)
            except (RefusedError, TryAgainError) as error:
                return Unknown(f"{query.object}: {error}")
        failure = read_failure(status, body)
        if failure.code in _TOO_LARGE:
            return _GaveUp(f"{query.object}: Salesforce gave up on the query ({failure.code})")
        if failure.code == "INVALID_FIELD" and self._hide(query, hidden, failure.missing or ""):
            return None
        raise error_of(failure, query.object)

    def _pages(self, query: Query, body: Any) -> list[Row]:
        rows = self._rows(body)
        for row in rows:
            for relationship in query.children:
                _complete(row, relationship, self._rows)
        return rows

    def _rows(self, body: Any) -> list[Row]:
        """Give the rows of a page and of all that follow it: an account of a large customer may fill a hundred."""
        rows = _page(body)
        read: set[str] = set()
        while body.get("done") is not True:
            address = body.get("nextRecordsUrl")
            if not isinstance(address, str) or not _NEXT.fullmatch(address) or address in read:
                raise TryAgainError("Salesforce answered a page that names no next one")
            read.add(address)
            body = self.call("query", functools.partial(_more, address))
            rows += _page(body)
        return rows

    def _hidden_in(self, query: Query) -> frozenset[str]:
        return self._hidden.get(query.object, frozenset())

    def _hide(self, query: Query, hidden: frozenset[str], name: str) -> bool:
        """Note the optional columns that a name in a refusal is about; False where none of them was asked for."""
        dropped = {it for it in query.optional if it not in hidden and name.lower() in it.lower().split(".")}
        if dropped - self._hidden_in(query):
            _LOG.warning("%s: the user cannot see %s; going on without", query.object, ", ".join(sorted(dropped)))
        self._hidden[query.object] = self._hidden_in(query) | dropped
        return bool(dropped)


def _escaped(text: str) -> str:
    """Percent-encode a whole query: as urllib's ``quote`` does, in a fraction of its time for some 100,000 characters."""
    return text.encode().decode("latin-1").translate(_ESCAPED)


def _more(address: str, sdk: Salesforce) -> Any:
    return sdk.query_more(address, identifier_is_url=True)


def _get(path: str, params: dict[str, Any], sdk: Salesforce) -> Any:
    return sdk.restful(path, params=params)


def _by_reference(answers: Any, subrequests: Iterable[Mapping[str, Any]]) -> list[tuple[int, Any]]:
    found = {it["referenceId"]: (int(it["httpStatusCode"]), it["body"]) for it in answers}
    return [found[it["referenceId"]] for it in subrequests]


def _post(path: str, body: Mapping[str, Any], sdk: Salesforce) -> Any:
    return sdk.restful(path, method="POST", json=body)


def _read_all(path: str, body: Mapping[str, Any], sdk: Salesforce) -> Any:
    """Send subrequests that change nothing. A session may end between two of them: then all are asked again with another."""
    answer = sdk.restful(path, method="POST", json=body, repeatable=True)
    parts = answer.get("compositeResponse") if isinstance(answer, dict) else None
    listed = parts if isinstance(parts, list) else []
    if any(isinstance(it, dict) and it.get("httpStatusCode") == 401 for it in listed):
        raise SessionOverError
    return answer


def _page(body: Any) -> list[Row]:
    rows = body.get("records") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
        raise TryAgainError("Salesforce answered a query with something else")
    return list(rows)


def _is_row(row: object) -> bool:
    return isinstance(row, dict) and isinstance(row.get("attributes", {}), dict)


def _complete(row: Any, relationship: str, pages: Callable[[Any], list[Row]]) -> None:
    """Put a child relationship's rows in place of its first page; an empty one comes as null."""
    children = row.get(relationship)
    row[relationship] = [] if children is None else pages(children)
