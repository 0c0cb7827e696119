"""What activities say and name just before they are changed, in as few requests as that takes."""

from __future__ import annotations

from collections.abc import Sequence

from connector_core.model import ActivityDraft, Current
from connector_hubspot.client import HubSpotClient
from connector_hubspot.kinds import COMPANIES, CONTACTS, DEALS, Kind
from connector_hubspot.reading import read, read_links, value


def linked(draft: ActivityDraft) -> dict[str, tuple[str, ...]]:
    """Give what a draft is to be associated with, by object."""
    return _by_object(draft.person_ids, draft.account_id, draft.opportunity_id)


def unlinked(draft: ActivityDraft) -> dict[str, tuple[str, ...]]:
    """Give what a draft is to be associated with no more, by object."""
    off = draft.replaces
    return _by_object(off.person_ids, off.account_id, off.opportunity_id)


def read_current(
    client: HubSpotClient, kind: Kind, drafts: Sequence[ActivityDraft]
) -> dict[str, tuple[Current, str | None]]:
    """Read the activities of changes, each with the call's id that it carries; those that are gone are left out.

    That is one request for 100 of them, and one for the associations of 1,000 with each object that a change names.

    :raises TryAgainError: HubSpot answered a part only.
    """
    ids = [str(draft.activity_id) for draft in drafts]
    further = sorted({name for draft in drafts for name in draft.fields})
    records = read(client, kind.object, ids, [*kind.properties, *further])
    links: dict[str, dict[str, tuple[str, ...]]] = {}
    for obj in kind.types:
        asked = [str(it.activity_id) for it in drafts if linked(it)[obj] or unlinked(it)[obj]]
        found = read_links(client, kind.object, obj, [it for it in asked if it in records]) if asked else None
        links[obj] = {key: tuple(found.ids(key)) for key in asked} if found else {}
    return {
        key: (
            Current(
                kind.title_of(records[key]),
                value(records[key], kind.body),
                kind.duration_of(records[key]),
                links[COMPANIES].get(key, ()),
                links[DEALS].get(key, ()),
                links[CONTACTS].get(key, ()),
                {name: value(records[key], name) for name in further if name in records[key]["properties"]},
            ),
            kind.key_of(records[key]),
        )
        for key in ids
        if key in records
    }


def _by_object(people: tuple[str, ...], account: str | None, opportunity: str | None) -> dict[str, tuple[str, ...]]:
    return {
        CONTACTS: people,
        COMPANIES: (account,) if account else (),
        DEALS: (opportunity,) if opportunity else (),
    }
