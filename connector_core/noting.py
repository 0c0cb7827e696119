"""The note of a call: what was said as a record of its own, written once, beside the activity that is there already.

It is a draft like any other, of the kind ``note``: noted in the ledger before it is sent, looked for where it was not
answered. It is looked for before it is drafted, too: a note may outlive its activity, and what a ledger knew of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from connector_core.association import Decision
from connector_core.ledger.progress import Step
from connector_core.model import Activity, ActivityDraft, Receipt, Unknown
from connector_core.work import THERE, Work


def owing_notes(work: Work, steps: Sequence[Step], decisions: Mapping[str, Decision]) -> dict[str, Step]:
    """Give the calls that got their activities now and lack their notes, by id, as they stand once that is kept."""
    sent = [it for it in steps if it.draft is not None and it.draft.kind != "note"]
    owing = [it for it in sent if _draft(work, it, decisions.get(it.job.call.id)) is not None]
    return {
        it.job.call.id: replace(it, job=replace(it.job, doubt=None, answer=None), decision=None, draft=None)
        for it in owing
    }


def held(step: Step) -> Step:
    """Leave a call due for its note: should this pump die now, the next one writes it."""
    return replace(step, outcome="deferred", reason="its note is still to be written", after_seconds=0, goes_on=True)


def with_notes(work: Work, steps: Sequence[Step], decisions: Mapping[str, Decision]) -> list[Step]:
    """Draft the notes that calls lack; one that is there already is taken for the call's."""
    sure = [step for step in steps if step.draft is None]
    drafts = {it.key: it for step in sure if (it := _draft(work, step, decisions.get(step.job.call.id)))}
    found = work.look_for(drafts.values()) if drafts else {}
    return [_step(it, drafts.get(it.job.call.id), found.get(it.job.call.id)) for it in steps]


def noted(step: Step, receipt: Receipt) -> Step:
    """Give what a call came to, once its note was sent: what its activity did, unless the note did not get there."""
    if receipt.outcome in THERE and step.written is not None:
        return replace(step, written=replace(step.written, note_id=receipt.id))
    reason = f"its note: {receipt.reason}"
    return replace(step, outcome=receipt.outcome, reason=reason, after_seconds=receipt.after_seconds)


def _draft(work: Work, step: Step, decision: Decision | None) -> ActivityDraft | None:
    written = step.written
    if step.outcome not in THERE or written is None or written.note_id is not None:
        return None
    return None if decision is None or step.job.deleted else work.note(decision, written.owner_id)


def _step(step: Step, draft: ActivityDraft | None, found: Activity | Unknown | None) -> Step:
    if draft is None:
        return step
    if isinstance(found, Unknown):
        return replace(step, outcome="deferred", reason=f"its note: {found.reason}")
    if found is not None and step.written is not None:
        return replace(step, written=replace(step.written, note_id=found.id))
    return replace(step, draft=draft)
