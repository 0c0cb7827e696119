"""What may be asked of notes and their links: not every note, and a link by few ways.

Documented at developer.salesforce.com, Object Reference, "ContentDocument" and "ContentDocumentLink", but for the sentence
of the second refusal, which is unverified.
"""

from __future__ import annotations

from collections.abc import Iterable

from connector_salesforce.sandbox.faults import ServiceError
from connector_salesforce.sandbox.store import Row, Store
from connector_salesforce.sandbox.syntax import Combine, Compare, Condition, Negate

_UNFILTERED = (
    "Implementation restriction: ContentDocumentLink requires a filter by a single Id on ContentDocumentId or "
    "LinkedEntityId using the equals operator or multiple Id's using the IN operator."
)


def check_links(condition: Condition | None) -> None:
    """Refuse a query of ContentDocumentLink that is not narrowed to some records, or asks for others' fields.

    :raises ServiceError: MALFORMED_QUERY.
    """
    if not _narrowed(condition, {"id", "contentdocumentid", "linkedentityid"}):
        raise ServiceError("MALFORMED_QUERY", _UNFILTERED)
    paths = [tuple(map(str.lower, it)) for it in _paths(condition)]
    by_document = ("contentdocumentid",) in paths
    for names in paths:
        if "linkedentity" in names[:-1] or ("contentdocument" in names[:-1] and by_document):
            message = f"Implementation restriction: ContentDocumentLink cannot be filtered by {'.'.join(names)} here."
            raise ServiceError("MALFORMED_QUERY", message)


def shown(store: Store, user_id: str, rows: Iterable[Row], condition: Condition | None) -> list[Row]:
    """Give the notes that a query shows a user: the user's own, those shared with the user, and those that it names by id.

    What hangs on a record that the user may read is not among them.
    """
    if _narrowed(condition, {"id"}):
        return list(rows)
    shared = {it["ContentDocumentId"] for it in store.where("ContentDocumentLink", "LinkedEntityId", user_id)}
    return [row for row in rows if row["OwnerId"] == user_id or row["Id"] in shared]


def _narrowed(condition: Condition | None, names: set[str]) -> bool:
    if isinstance(condition, Combine):
        return condition.operator == "AND" and any(_narrowed(part, names) for part in condition.parts)
    return (
        isinstance(condition, Compare)
        and condition.operator in ("=", "IN")
        and len(condition.path.names) == 1
        and condition.path.names[0].lower() in names
    )


def _paths(condition: Condition | None) -> Iterable[tuple[str, ...]]:
    if isinstance(condition, Combine):
        yield from (path for part in condition.parts for path in _paths(part))
    elif isinstance(condition, Negate):
        yield from _paths(condition.part)
    elif isinstance(condition, Compare):
        yield condition.path.names
