"""What HubSpot's refusals mean, mapped once to the errors of the connector.

The body of an error, every field of it optional, is documented at developers.hubspot.com, error handling; the problems of
single properties stand as JSON inside its message, in newer answers among its ``errors`` too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connector_core.errors import (
    ConnectorError,
    ContractError,
    CredentialsError,
    MissingRightError,
    RefusedError,
    TryAgainError,
)
from connector_hubspot.transport import parsed

OWNERS_SCOPE = "crm.objects.owners.read"
SCOPES = (
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.objects.companies.read",
    "crm.objects.companies.write",
    "crm.objects.deals.read",
    "crm.objects.deals.write",
    OWNERS_SCOPE,
)
"""The scopes that the plugin needs. Calls and meetings are under those of contacts (HubSpot's published specification)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that HubSpot found wrong: which inputs of a batch it speaks of, as far as it says."""

    sentence: str
    code: str | None = None
    fields: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    traces: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    """Records that it was to be associated with, and that are not there."""


class BatchRefusedError(RefusedError):
    """A request refused whole: nothing of it was done."""

    def __init__(self, status: int, message: str, problems: tuple[Problem, ...], request_id: str | None) -> None:
        """Keep every problem; the first one stands for all where only one can be shown."""
        first = problems[0]
        field = first.fields[0] if first.fields else None
        super().__init__(message, code=first.code, field=field, sentence=first.sentence, request_id=request_id)
        self.status = status
        self.problems = problems


class ExpiredError(CredentialsError):
    """The access token may have expired: a new one may be taken."""


def failure(error: Exception) -> ConnectorError:
    """Map an exception of the SDK, by its attributes: each of its packages has classes of its own."""
    status = getattr(error, "status", None)
    if status is None:
        return ContractError("hubspot", "request", f"the SDK refused it before sending ({type(error).__name__})")
    if not status or status < 400:
        return TryAgainError(f"HubSpot's API gave no answer of its own (status {status})")
    body = getattr(error, "body", None)
    if status == 403 and str(body).lstrip().startswith(
        "<"
    ):  # what stands before the API refused it: no right is missing
        return TryAgainError("HubSpot's API gave no answer of its own (status 403 with a web page)")
    return of_status(status, parsed(body) or {})


def of_status(status: int, body: Mapping[str, Any]) -> ConnectorError:
    """Map an answer that refuses."""
    category = body.get("category") or ""
    if status == 401:
        kind = CredentialsError if category == "INVALID_AUTHENTICATION" else ExpiredError
        return kind("HubSpot refuses the access token: make a new one, or connect the account anew")
    if status == 403:
        return _forbidden(body)
    if status == 477:
        return TryAgainError("HubSpot is moving this account (status 477)")
    problems = tuple(problems_of(body)) or (Problem(f"status {status}", category or None),)
    about = ", ".join(dict.fromkeys(field for problem in problems for field in problem.fields))
    message = f"HubSpot refused the request (status {status}, {problems[0].code or 'no code'})"
    return BatchRefusedError(status, f"{message}: {about}" if about else message, problems, body.get("correlationId"))


def _forbidden(body: Mapping[str, Any]) -> MissingRightError:
    """Name the scopes that are missing: those of this plugin among all that would do, else what HubSpot says.

    Where it names none, and another category than that of scopes, that is told.
    """
    entries = [body, *errors_of(body)]
    named = [str(name) for item in entries for name in _list(_context(item).get("requiredGranularScopes"))]
    named += re.findall(r"requires one of \[([^\]]*)\]", str(body.get("message") or ""))
    scopes = [name for name in dict.fromkeys(named) if name in SCOPES] or list(dict.fromkeys(named))[:5]
    right = " or ".join(scopes) or None
    category = str(body.get("category") or "")
    if right is None and re.fullmatch("[A-Z_]{1,60}", category) and category != "MISSING_SCOPES":
        return MissingRightError(f"HubSpot forbids it ({category}): see what the app, its user and the account may do")
    wanted = f"the scope {right}" if right else "a right"
    return MissingRightError(f"The HubSpot app lacks {wanted}: add it to the app, then connect again", right=right)


def errors_of(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Give the errors of a batch: it may have some with any status of success."""
    return [entry for entry in _list(answer.get("errors")) if isinstance(entry, Mapping)]


def problems_of(body: Mapping[str, Any]) -> Iterator[Problem]:
    """Read what is wrong from the body of an error, or from an entry among the ``errors`` of a batch."""
    seen: set[tuple[object, ...]] = set()
    outer = _context(body)
    entries = [*errors_of(body), *_inside(body)]
    for item in entries:
        context = {**outer, **_context(item)}
        problem = _problem(item, context)
        same = (problem.code, problem.fields, problem.traces, problem.ids)
        if same not in seen or not problem.fields:
            seen.add(same)
            yield problem
    if not entries and (body.get("message") or body.get("category")):
        yield _problem(body, outer)


def _problem(item: Mapping[str, Any], context: Mapping[str, Any]) -> Problem:
    code = item.get("code") or item.get("error") or item.get("category") or item.get("subCategory")
    fields = [*_list(context.get("propertyName")), *_list(item.get("name"))]
    gone = [key for text in _list(context.get("INVALID_OBJECT_IDS")) for key in re.findall(r"\d+", str(text))[-1:]]
    gone += re.findall(r"=(\d+) is not valid", str(item.get("message") or ""))
    return Problem(
        sentence=str(item.get("message") or ""),
        code=str(code) if code else None,
        fields=tuple(map(str, fields)),
        ids=tuple(map(str, _list(context.get("ids")))),
        traces=tuple(map(str, _list(context.get("objectWriteTraceId")))),
        gone=tuple(dict.fromkeys(gone)),
    )


def _inside(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Read the JSON that stands inside a message: ``Property values were not valid: [{…}]``."""
    found = re.search(r"\[\{.*\}\]", str(body.get("message") or ""), re.DOTALL)
    try:
        return errors_of({"errors": json.loads(found.group())}) if found else []
    except ValueError:
        return []


def _context(item: Mapping[str, Any]) -> Mapping[str, Any]:
    context = item.get("context")
    return context if isinstance(context, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
