"""What Salesforce refuses, and what this sandbox does not speak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class ServiceError(Exception):
    """A refusal of the service. ``fields`` is None where the service answers none (queries, missing resources).

    ``duplicates`` is what a duplicate rule found.
    """

    def __init__(
        self,
        code: str,
        message: str,
        fields: Sequence[str] | None = None,
        *,
        status: int = 400,
        duplicates: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.fields, self.status = code, message, fields, status
        self.duplicates = duplicates

    def body(self) -> list[dict[str, Any]]:
        """Give the body of a plain request: ``[{"message", "errorCode", "fields"?}]``."""
        if self.code == "NOT_FOUND":  # as recorded, this body begins with its code
            return [{"errorCode": self.code, "message": self.message}]
        # As people quote it, this key lacks an "l" here.
        found = {"duplicateResut": self.duplicates} if self.duplicates else {}
        error: dict[str, Any] = {**found, "message": self.message, "errorCode": self.code}
        if self.fields is not None:
            error["fields"] = list(self.fields)
        return [error]

    def row(self) -> dict[str, Any]:
        """Give the result of a row of a collection: its key is ``statusCode``, and ``fields`` is always there."""
        error: dict[str, Any] = {"statusCode": self.code, "message": self.message, "fields": list(self.fields or ())}
        error |= {"duplicateResult": self.duplicates} if self.duplicates else {}
        return {"success": False, "errors": [error]}


@dataclass(frozen=True, slots=True)
class SignInError(Exception):
    """A sign-in that was refused, in the words of OAuth."""

    status: int
    error: str
    description: str

    def body(self) -> dict[str, str]:
        """Give the body: ``{"error", "error_description"}``."""
        return {"error": self.error, "error_description": self.description}


class NotSpokenError(Exception):
    """The service knows this, the sandbox does not: it answers 501 and never guesses."""

    def body(self) -> list[dict[str, str]]:
        """Name what is not spoken."""
        return [{"message": f"The sandbox does not speak this: {self}", "errorCode": "NOT_IMPLEMENTED"}]


def not_found(message: str = "The requested resource does not exist") -> ServiceError:
    """Make the refusal of a resource that is not there."""
    return ServiceError("NOT_FOUND", message, status=404)


def as_texts(value: Any, name: str) -> list[str]:
    """Read a list of texts out of a body; null is none.

    :raises ServiceError: JSON_PARSER_ERROR.
    """
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ServiceError("JSON_PARSER_ERROR", f"{name}: a list of strings is required")
    return value


def as_objects(value: Any, name: str) -> list[dict[str, Any]]:
    """Read a list of objects out of a body.

    :raises ServiceError: JSON_PARSER_ERROR.
    """
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ServiceError("JSON_PARSER_ERROR", f"{name}: a list of objects is required")
    return value


def query_fault(code: str, soql: str, at: int, message: str) -> ServiceError:
    """Make a refusal that points into a query, as recorded: the words around the place, and a caret below it.

    The service shows 30 characters to each side, lengthened to whole words.
    """
    start = max(0, at - 30)
    while start > 0 and not _ends_word(soql[start - 1]):
        start -= 1
    end = min(len(soql), at + 31)
    while end < len(soql) and not _ends_word(soql[end]):
        end += 1
    caret = " " * (at - start) + "^"
    return ServiceError(code, f"\n{soql[start:end]}\n{caret}\nERROR at Row:1:Column:{at + 1}\n{message}")


def _ends_word(character: str) -> bool:
    return character.isspace() or character == ","


def column_fault(soql: str, at: int, column: str, entity: str) -> ServiceError:
    """Make the refusal of a column that is not there, or that the user may not see."""
    hint = (
        "If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. "
        "Please reference your WSDL or the describe call for the appropriate names."
    )
    return query_fault("INVALID_FIELD", soql, at, f"No such column '{column}' on entity '{entity}'. {hint}")


def type_fault(soql: str, at: int, entity: str) -> ServiceError:
    """Make the refusal of an object that is not there, or that the user may not read."""
    hint = (
        "If you are attempting to use a custom object, be sure to append the '__c' after the entity name. "
        "Please reference your WSDL or the describe call for the appropriate names."
    )
    return query_fault("INVALID_TYPE", soql, at, f"sObject type '{entity}' is not supported. {hint}")


ROW_MESSAGES: Mapping[str, str] = {
    "UNABLE_TO_LOCK_ROW": "unable to obtain exclusive access to this record",
    "INVALID_CROSS_REFERENCE_KEY": "invalid cross reference id",
    "ENTITY_IS_DELETED": "entity is deleted",
    "INSUFFICIENT_ACCESS_OR_READONLY": "insufficient access rights on object id",
    "QUERY_TIMEOUT": "Your query request was running for too long.",
    "REQUEST_LIMIT_EXCEEDED": "TotalRequests Limit exceeded.",
}


def injected_fault(code: str) -> ServiceError:
    """Make the failure of a row that a fault rule picked, in the service's own words where they are known."""
    return ServiceError(code, ROW_MESSAGES.get(code, code.replace("_", " ").lower()), [])
