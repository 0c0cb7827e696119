"""What Salesforce, its SDK and the network say when something fails, as the errors of the core.

Decided by code first and HTTP status second: one code comes with 400, 403, 404 or inside a 200 (REST API Developer Guide,
"Status Codes and Error Responses"). Nothing that Salesforce says is put into a message, as it may quote what was asked for;
of it only codes and the names of objects and fields are told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
import urllib3.exceptions
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceError

from connector_core.errors import (
    ConfigurationError,
    ConnectorError,
    ContractError,
    CredentialsError,
    MissingRightError,
    RefusedError,
    TryAgainError,
)
from connector_core.policy import NoReplyError, NotSentError, causes

DAY_LIMIT_AFTER_SECONDS = 3_600.0  # the daily limit rolls over 24 hours: look once an hour

CREDENTIALS = frozenset(
    {
        "INVALID_SESSION_ID",
        "INVALID_LOGIN",
        "INVALID_GRANT",
        "INVALID_AUTH_HEADER",
        "INVALID_OPERATION_WITH_EXPIRED_PASSWORD",
        "LOGIN_MUST_USE_SECURITY_TOKEN",
    }
)
LATER = frozenset(
    {
        "REQUEST_LIMIT_EXCEEDED",
        "SERVER_UNAVAILABLE",
        "UNABLE_TO_LOCK_ROW",
        "QUERY_TIMEOUT",
        "INVALID_QUERY_LOCATOR",
        "ENTITY_IS_LOCKED",
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "PROCESSING_HALTED",
        "BATCH_PROCESSING_HALTED",
        "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE",
        "INVALID_READ_ONLY_USER_DML",
        "UNKNOWN_EXCEPTION",
    }
)
RIGHTS = frozenset(
    {
        "API_DISABLED_FOR_ORG",
        "API_CURRENTLY_DISABLED",
        "INSUFFICIENT_ACCESS",
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "FUNCTIONALITY_NOT_ENABLED",
        "TXN_SECURITY_METERING_ERROR",
        "FORBIDDEN",
    }
)
BUGS = frozenset(
    {
        "MALFORMED_QUERY",
        "MALFORMED_SEARCH",
        "INVALID_SEARCH",
        "INVALID_QUERY_FILTER_OPERATOR",
        "JSON_PARSER_ERROR",
        "MALFORMED_ID",
    }
)
HELD, TOO_MUCH = "UNABLE_TO_LOCK_ROW", "Too many SOQL"
"""What passes also where a trigger or flow of the org ran into it: then it stands in the sentence."""
NOT_EXECUTED = frozenset(
    {"REQUEST_LIMIT_EXCEEDED", "UNABLE_TO_LOCK_ROW", "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"}
)
"""Codes that say that nothing was done and that it may be done later: even a create is sent again after them."""

_OF_A_RECORD = frozenset({"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"})
"""Codes that may come with a 404, and yet say nothing of the address."""

_NOT_BUILT = (
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.URLRequired,
)
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_COLUMN = re.compile(r"No such column '([\w.]+)' on (?:entity|sobject of type) '?(\w+)")
_RELATION = re.compile(r"(?:Didn't understand relationship|No such relation) '(\w+)'")
_OBJECT = re.compile(r"sObject type '(\w+)'")
_FILTER = re.compile(r"field '(\w+)' (?:can not be filtered|must be of type)")


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What a duplicate rule of the org found: its name, and the ids of the records that match."""

    rule: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """A refusal as Salesforce states it. ``fields`` are those that it blames."""

    status: int
    code: str
    sentence: str = ""
    fields: tuple[str, ...] = ()
    duplicates: Duplicates | None = None

    @property
    def told(self) -> str:
        """Give the sentence for a person, with what it leaves out."""
        if self.duplicates is None:
            return self.sentence
        found = f": {', '.join(self.duplicates.ids)}" if self.duplicates.ids else ""
        return f"{self.sentence} (duplicate rule {self.duplicates.rule}{found})"

    @property
    def passes(self) -> bool:
        """The same may succeed at another time."""
        return self.code in LATER or HELD in self.sentence or TOO_MUCH in self.sentence

    @property
    def blamed(self) -> tuple[str, ...]:
        """Name the fields that it is about, as far as it says."""
        return self.fields or tuple(it for it in [self.missing] if it)

    @property
    def missing(self) -> str | None:
        """Name the field, relationship or object that is not there, or hidden from the user, or that cannot be asked by."""
        for pattern in (_COLUMN, _RELATION, _OBJECT, _FILTER):
            if match := pattern.search(self.sentence):
                return match[1]
        return None


def read_failure(status: int, content: object) -> Failure:
    """Read the body of a refusal, which has four shapes or none."""
    if isinstance(content, bytes | str):
        try:
            content = json.loads(content)
        except ValueError:
            content = None
    first = content[0] if isinstance(content, list) and content else content
    if not isinstance(first, dict):
        return Failure(status, "")
    code = first.get("errorCode") or first.get("statusCode") or first.get("error") or ""
    sentence = first.get("message") or first.get("error_description") or ""
    known = isinstance(code, str) and _CODE.fullmatch(code)  # codes are told, and so are no place for anything else
    fields = first.get("fields")
    return Failure(
        status,
        code if known else "",
        sentence if isinstance(sentence, str) else "",
        tuple(map(str, fields)) if isinstance(fields, list) else (),
        _duplicates(first),
    )


def _duplicates(error: Mapping[str, Any]) -> Duplicates | None:
    """Read which rule matched which records (SOAP API Developer Guide, "DuplicateResult").

    Answers to requests for one record spell the key without its second "l".
    """
    result = error.get("duplicateResult") or error.get("duplicateResut")
    if not isinstance(result, dict) or not result.get("duplicateRule"):
        return None
    records = [
        record.get("record") for match in _objects(result, "matchResults") for record in _objects(match, "matchRecords")
    ]
    ids = dict.fromkeys(str(it["Id"]) for it in records if isinstance(it, dict) and it.get("Id"))
    return Duplicates(str(result["duplicateRule"]), tuple(ids))


def _objects(value: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    found = value.get(key)
    return [it for it in found if isinstance(it, dict)] if isinstance(found, list) else []


def error_of(failure: Failure, asked: str) -> ConnectorError:
    """Turn a refusal into the error that says what to do.

    :param asked: What was asked for: the name of an object, or of a resource.
    """
    code, status = failure.code, failure.status
    what = f"Salesforce answered {status} {code}".rstrip() + f" for {asked}"
    if code in CREDENTIALS or status == 401:
        return CredentialsError(f"{what}: the session is not accepted; sign in anew, and check instance_url")
    if code == "REQUEST_LIMIT_EXCEEDED" and "TotalRequests" in failure.sentence:
        return TryAgainError(f"{what}: the org's daily requests are used up", after_seconds=DAY_LIMIT_AFTER_SECONDS)
    if failure.passes or status in (406, 420, 429) or status >= 500:
        return TryAgainError(f"{what}: try again later")
    if code == "INVALID_TYPE":
        missing = failure.missing or asked
        return MissingRightError(
            f"{what}: the connection's user cannot read the object {missing}; grant it, or switch it on", right=missing
        )
    if code in ("INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE"):
        field = f"{asked}.{failure.missing or '?'}"
        return MissingRightError(
            f"{what}: the connection's user cannot use the field {field}; grant it by field-level security", right=field
        )
    if code in RIGHTS or (status == 403 and not code):
        return MissingRightError(f"{what}: the connection's user lacks a right on {asked}", right=asked)
    if code in BUGS:
        return ContractError("salesforce", asked, f"sent what Salesforce cannot read ({status} {code})")
    if status in (301, 302, 303, 307, 308, 404, 410, 414, 415, 431) and code not in _OF_A_RECORD:
        return ConfigurationError(
            f"{what}: is instance_url this org's own address, and api_version one that it speaks?"
        )
    blamed = next(iter(failure.blamed), None)
    return RefusedError(f"{what}: refused", code=code or None, field=blamed, sentence=failure.told or None)


def error_of_sdk(error: SalesforceError, asked: str) -> ConnectorError:
    """Turn an exception of simple-salesforce into one of the core."""
    if isinstance(error, SalesforceAuthenticationFailed):
        status = error.code if isinstance(error.code, int) else error.status
        return error_of(Failure(status, "" if status >= 500 else "INVALID_LOGIN"), "signing in")
    return error_of(read_failure(error.status, error.content), asked)


def transport_error(error: requests.RequestException) -> Exception:
    """Turn an exception of requests into what the policy wants to hear: not sent, no reply, or no use to try again."""
    name = type(error).__name__
    behind = list(causes(error))
    if any("CERTIFICATE_VERIFY_FAILED" in str(it) for it in behind if isinstance(error, requests.exceptions.SSLError)):
        return ConfigurationError("the certificate of Salesforce cannot be verified: what stands between?")
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.ProxyError):
        return NotSentError(f"Salesforce cannot be reached ({name})")
    if any(
        isinstance(it, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError) for it in behind
    ):
        return NotSentError("Salesforce cannot be reached (no connection)")
    if isinstance(error, _NOT_BUILT):
        return ConfigurationError(
            f"the request to Salesforce cannot be built ({name}): check the connection's settings"
        )
    return NoReplyError(f"Salesforce did not answer ({name})")
