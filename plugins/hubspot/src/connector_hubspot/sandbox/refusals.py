"""How HubSpot says no: the bodies of its errors, as recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

NOT_FOUND_PAGE = (
    '<html>\n<head>\n<meta http-equiv="Content-Type" content="text/html;charset=utf-8"/>\n'
    "<title>Error 404 Not Found</title>\n</head>\n<body><h2>HTTP ERROR 404</h2>\n"
    "<p>Resource not found</p>\n</body>\n</html>\n"
)


class NotSpokenError(Exception):
    """The sandbox does not speak this part of the protocol; the message names it."""


class NoSuchRecordError(Exception):
    """A missing contact or company, which HubSpot answers with a page of HTML."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with the value of one property; ``code`` is HubSpot's."""

    code: str
    name: str
    message: str

    def result(self) -> dict[str, Any]:
        """The form that stands as JSON inside a message."""
        return {"isValid": False, "message": self.message, "error": self.code, "name": self.name}

    def entry(self) -> dict[str, Any]:
        """The form that stands among the errors."""
        return {"message": self.message, "code": self.code, "context": {"propertyName": [self.name]}}


@dataclass(eq=False)
class RefusalError(Exception):
    """A refusal of a request, or of one row of a batch."""

    status: int
    message: str
    category: str | None = None
    sub_category: str | None = None
    errors: Sequence[Mapping[str, Any]] = ()
    context: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    problems: Sequence[Problem] = ()
    row_context: Mapping[str, Any] = field(default_factory=dict)
    """What stands in the context only as a row of a batch."""

    def body(self, correlation_id: str) -> dict[str, Any]:
        """The body of the answer."""
        return {
            "status": "error",
            "message": self.message,
            "correlationId": correlation_id,
            **self._optional(),
        }

    def entry(self, **context: Sequence[str]) -> dict[str, Any]:
        """The entry among the errors of a batch."""
        whole = {**self.context, **context, **self.row_context}
        return {"status": "error", "message": self.message, **self._optional(), **({"context": whole} if whole else {})}

    def _optional(self) -> dict[str, Any]:
        parts = {
            "errors": list(self.errors),
            "context": dict(self.context),
            "links": dict(self.links),
            "category": self.category,
            "subCategory": self.sub_category,
        }
        return {name: part for name, part in parts.items() if part}


def invalid(message: str, **context: Sequence[str]) -> RefusalError:
    """Refuse a request that is wrong."""
    return RefusalError(400, message, "VALIDATION_ERROR", context=context)


def invalid_values(problems: Sequence[Problem]) -> RefusalError:
    """Refuse values of properties: they stand among the errors, and as JSON inside the message."""
    results = json.dumps([problem.result() for problem in problems], separators=(",", ":"), ensure_ascii=False)
    return RefusalError(
        400,
        f"Property values were not valid: {results}",
        "VALIDATION_ERROR",
        errors=[problem.entry() for problem in problems],
        problems=problems,
    )


def not_found(singular: str, ids: Sequence[str]) -> RefusalError:
    """Say which records of a batch are not there."""
    return RefusalError(
        404,
        f"Could not get some {singular.upper()} objects, they may be deleted or not exist. Check that ids are valid.",
        "OBJECT_NOT_FOUND",
        context={"ids": list(ids)},
    )
