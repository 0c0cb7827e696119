"""What of an activity is ours, once a draft was written."""

from __future__ import annotations

from dataclasses import replace

from connector_core.model import Activity, ActivityDraft, Receipt, Written
from connector_core.writing import render


def written_by(draft: ActivityDraft, receipt: Receipt, before: Written | None) -> Written:
    """Give what the connector wrote in an activity, after this draft was written too.

    :param receipt: One that says that the activity is there: ``created``, ``updated`` or ``unchanged``.
    :param before: What the connector had written in it before.
    """
    new = draft.activity_id is None
    note_id = before.note_id if before else None
    there = Written(receipt.id or draft.activity_id or "", draft.kind, receipt.url)
    if before is None or new or before.activity_id != there.activity_id:
        before = there  # what stood in another activity, which is gone, says nothing of this one
    elif receipt.url is None:
        there = replace(there, url=before.url)
    done = {name: getattr(draft, name) for name in ("subject", "body", "duration_seconds") if name not in receipt.kept}
    body = receipt.body or done.get("body")
    if done.get("body") is None:
        body = before.body
    elif not new:
        body = _ours(draft, before)
    gone = draft.replaces.person_ids
    people = [person for person in before.person_ids if person not in gone]
    account, opportunity = (
        _link(getattr(draft, name), getattr(draft.replaces, name), getattr(before, name), kept=name in receipt.kept)
        for name in ("account_id", "opportunity_id")
    )
    return replace(
        there,
        subject=before.subject if done.get("subject") is None else done["subject"],
        body=body,
        duration_seconds=before.duration_seconds if done.get("duration_seconds") is None else done["duration_seconds"],
        person_ids=tuple(dict.fromkeys([*people, *draft.person_ids])),
        account_id=account,
        opportunity_id=opportunity,
        owner_id=draft.owner_id if new else before.owner_id,
        owner_from=draft.owner_from if new else before.owner_from,
        fields={**before.fields, **{name: it for name, it in draft.fields.items() if name not in receipt.kept}},
        note_id=note_id,
    )


def written_unanswered(
    draft: ActivityDraft, found: Activity, before: Written | None, fmt: render.BodyFormat
) -> Written | None:
    """Give what the connector wrote in an activity that was found after a write which was not answered.

    What somebody else wrote there since, or instead, is not ours.
    """
    if draft.activity_id is not None:
        return written_by(shown(draft, found), Receipt("updated", found.id, found.url), before)
    body = found.body or ""
    ours = draft.body is not None and render.around(body, draft.body) is not None  # none is left of one that was erased
    if not ours and not render.carries_ref(body, draft.key, fmt):
        return Written(found.id, found.kind, found.url)  # it carries the key, and was made by somebody else
    if draft.owner_id is not None and draft.owner_id != found.owner_id:
        draft = replace(draft, owner_id=None, owner_from=None)  # it was refused, or changed since: nothing tells which
    return written_by(draft, Receipt("created", found.id, found.url), before)


def shown(draft: ActivityDraft, found: Activity) -> ActivityDraft:
    """Leave of a change what shows in its activity: the rest was not made, or somebody changed it since.

    Further fields are not shown: a change of them is sent again, and compared then.
    """
    people = {person.id for person in found.people}
    accounts, opportunities = ({record.id for record in records} for records in (found.accounts, found.opportunities))
    off = draft.replaces
    return replace(
        draft,
        subject=draft.subject if draft.subject == found.subject else None,
        body=draft.body if draft.body and render.around(found.body or "", draft.body) else None,
        duration_seconds=draft.duration_seconds if draft.duration_seconds == found.duration_seconds else None,
        person_ids=tuple(person for person in draft.person_ids if person in people),
        fields={},
        account_id=draft.account_id if draft.account_id in accounts else None,
        opportunity_id=draft.opportunity_id if draft.opportunity_id in opportunities else None,
        replaces=replace(
            off,
            account_id=None if off.account_id in accounts - {draft.account_id} else off.account_id,
            opportunity_id=None if off.opportunity_id in opportunities - {draft.opportunity_id} else off.opportunity_id,
            person_ids=tuple(person for person in off.person_ids if person not in people),
        ),
    )


def _link(drafted: str | None, replaced: str | None, before: str | None, *, kept: bool) -> str | None:
    if kept:
        return before  # what stands there instead tells whose it is
    if drafted is not None:
        return drafted
    return None if replaced is not None else before


def _ours(draft: ActivityDraft, before: Written) -> str | None:
    """Give our part of a body that was changed: all but what stood around our earlier part, or before it.

    None where that cannot be told: what may be somebody else's is never taken for ours.
    """
    existing, body = draft.replaces.body or "", draft.body or ""
    there = render.around(existing, before.body) if before.body else None
    if there is not None:
        head, tail = there
        return body[len(head) : len(body) - len(tail)]
    kept = existing.rstrip()
    return body[len(kept) :].strip() if body.startswith(kept) else None
