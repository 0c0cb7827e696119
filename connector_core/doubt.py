"""What was sent and not answered: looked for in the CRM, before anything more is done about its call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from connector_core.ledger.jobs import Job
from connector_core.ledger.progress import Step
from connector_core.model import Activity, Receipt, Unknown
from connector_core.work import Work
from connector_core.writing import shown, written_unanswered


def look_again(work: Work, jobs: Iterable[Job]) -> tuple[list[Job], list[Step]]:
    """Look for what was not answered of these jobs.

    :returns: The jobs that can go on, with what is known of them now; and the steps of those that cannot yet.
    """
    going: list[Job] = []
    unsure: list[Step] = []
    doubted = {}
    for job in jobs:
        if job.doubt is None:
            going.append(job)
        else:
            doubted[job.call.id] = job
    drafts = [job.doubt for job in doubted.values() if job.doubt is not None]
    for call_id, found in (work.look_for(drafts) if drafts else {}).items():
        job = doubted[call_id]
        if isinstance(found, Unknown):
            unsure.append(Step(job, outcome="unknown", reason=found.reason))
        elif not job.settled and not _made(job, found):
            unsure.append(Step(job, outcome="unknown", reason="it was sent and not answered; it may still appear"))
        else:
            going.append(_answered(work, job, found))
    return going, unsure


def _made(job: Job, found: Activity | None) -> bool:
    """Tell whether all that was sent is there."""
    assert job.doubt is not None  # noqa: S101 - it was looked for by it
    return found is not None and (job.doubt.activity_id is None or shown(job.doubt, found) == job.doubt)


def _answered(work: Work, job: Job, found: Activity | None) -> Job:
    """Answer a doubt by what was found."""
    assert job.doubt is not None  # noqa: S101 - likewise
    if found is None:
        return replace(job, doubt=None, answer=Receipt("deferred", reason="it was looked for, and is not there"))
    outcome = Receipt("updated" if job.doubt.activity_id else "created", found.id, found.url)
    if job.doubt.kind == "note":
        return replace(job, answer=outcome, written=job.written and replace(job.written, note_id=found.id))
    return replace(
        job, answer=outcome, written=written_unanswered(job.doubt, found, job.written, work.form.body_format)
    )
