"""The report of the filling in words, alike wherever people read it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from connector_core.filling.levers import Approver, Lever, MissingObject
from connector_core.filling.outcomes import Outcome, Reason
from connector_core.filling.periods import Period, Span
from connector_core.filling.report import Report

LABELS: Mapping[Outcome, str] = {
    "sent": "Sent",
    "empty": "Empty",
    "no_crm_link": "No CRM link",
    "pending": "Pending",
    "other": "Other",
}
WORDS: Mapping[Outcome, str] = {**{it: label.lower() for it, label in LABELS.items()}, "no_crm_link": "no CRM link"}
"""Likewise, inside a sentence."""
REASON_LABELS: Mapping[Reason, str] = {
    "validation_rule": "Validation rule",
    "too_long": "Too long",
    "call_deleted": "Call deleted",
    "object_not_linked": "Object not linked",
    "refused_value": "Refused value",
    "other_currency": "Other currency",
    "not_empty": "Kept: not empty",
    "changed_by_person": "Kept: changed by a person",
    "newer_call": "Filled by a later call",
    "taken_back": "Taken back",
    "no_permission": "No permission",
    "field_missing": "Field missing in the CRM",
    "not_extracted": "Extractor not available",
    "unknown_outcome": "Not answered yet",
}
MOST_NAMED = 3


def share(value: float | None) -> str:
    """Say a share: a whole number of per cent, and neither 0 nor 100 of what is not quite; a dash where none is known."""
    if value is None:
        return "–"
    if 0 < value <= 0.005:
        return "<1 %"
    if 0.995 <= value < 1:
        return ">99 %"
    return f"{value * 100:.0f} %"


def rate(value: float | None) -> str:
    """Say a rate, with a decimal; a dash where none is known."""
    return "–" if value is None else f"{value * 100:.1f} %"


def points(now: float | None, before: float | None) -> str | None:
    """Say by how many points a rate changed; None where one of the two is not known."""
    if now is None or before is None:
        return None
    change = round(now * 100, 1) - round(before * 100, 1)
    return "unchanged" if round(change, 1) == 0 else f"{change:+.1f} points".replace("-", "−")


def day(it: dt.date) -> str:
    """Say a day."""
    return f"{it.day} {it:%B} {it.year}"


def days(span: Span) -> str:
    """Say which days: no month or year twice."""
    first, last = span.first, span.last
    if first == last:
        return day(first)
    if first.year != last.year:
        return f"{day(first)} – {day(last)}"
    if first.month != last.month:
        return f"{first.day} {first:%B} – {day(last)}"
    return f"{first.day}–{day(last)}"


def period(it: Period) -> str:
    """Say which period, and its days so far."""
    elapsed = days(it.elapsed)
    return f"{it.name.replace('-', ' ').capitalize()}, {elapsed}" if it.unit else elapsed


def refreshed(report: Report) -> str:
    """Say how fresh the data is."""
    if report.refreshed_at is None:
        return "Nothing was counted yet"
    at = report.refreshed_at.astimezone(ZoneInfo(report.zone))
    return f"Data until {day(at.date())}, {at:%H:%M} ({report.zone})"


def lever(it: Lever, report: Report) -> str:
    """Say what can be done about fields that were not sent, in a sentence."""
    if it.outcome == "empty":
        return (
            "Nothing was found in the call: sharpen the prompt, narrow the targeting, or train the team to ask for it."
        )
    if it.outcome == "no_crm_link":
        found = [f"{_a(one.object)} ({_calls(one)})" for one in it.missing]
        return (
            f"Link the records that calls lack: {', '.join(found)}." if found else "Link the records that calls lack."
        )
    if it.outcome == "pending":
        found = [approver(one, report) for one in it.waiting]
        return (
            f"Approvals wait: {_and_more(found)}."
            if found
            else "All are approved, and on their way; or forgotten with what their calls said."
        )
    reasons = [f"{reason(one.reason)} ({one.number:,})" for one in it.reasons]
    missing = [f"{one.object}, through {one.through} ({_calls(one)})" for one in it.missing]
    lacks = f" Not linked: {', '.join(missing)}." if missing else ""
    return f"See to the reasons: {_and_more(reasons)}.{lacks}"


def reason(it: Reason) -> str:
    """Say a reason, inside a sentence."""
    label = REASON_LABELS[it]
    return label[:1].lower() + label[1:]


def approver(it: Approver, report: Report) -> str:
    """Say whose approvals wait, how many, and how long."""
    since = it.since.astimezone(ZoneInfo(report.zone)).date()
    now = report.refreshed_at or it.since
    waited = (now.astimezone(ZoneInfo(report.zone)).date() - since).days
    long = f" ({_number(waited, 'day')})" if waited > 0 else ""
    return f"{it.who or 'no known organizer'} {it.number:,}, since {day(since)}{long}"


def _a(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeio' else 'a'} {name}"


def _calls(it: MissingObject) -> str:
    return f"{'' if it.exact else 'at least '}{_number(it.calls, 'call')}"


def _number(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _and_more(found: list[str]) -> str:
    more = len(found) - MOST_NAMED
    return "; ".join(found[:MOST_NAMED]) + (f"; and {more:,} more" if more > 0 else "")
