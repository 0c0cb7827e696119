"""One unit of calls on its way: look up, decide, draft, send. What is kept of it, and when, is up to the caller."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, TypeAlias

from connector_core.association import NO_HISTORY, Decision, History, Records, Settings, decide, organizer_email
from connector_core.connection import Connection
from connector_core.errors import (
    ConfigurationError,
    ConnectorError,
    ContractError,
    MissingRightError,
    OutcomeUnknownError,
    RefusedError,
    TryAgainError,
)
from connector_core.lookup import KnownPeople, known_or_not, look_up
from connector_core.model import Activity, ActivityDraft, ActivityKind, Call, CallKey, Receipt, Unknown, User
from connector_core.writing import Form, Owner, Owners, Writing, change, create, note, told, untold

UNIT = 200
"""Calls that are looked up and written together."""

Outcome: TypeAlias = Literal["created", "updated", "unchanged", "refused", "unknown", "waiting", "deferred", "skipped"]
THERE = frozenset({"created", "updated", "unchanged"})
"""Outcomes with which a call has its activity."""
_KINDS: Mapping[ActivityKind, Literal["phone", "note"]] = {"call": "phone", "note": "note"}
Take: TypeAlias = Callable[[str, Activity], bool]
"""Takes an activity for the call with this id; False where it is another call's already: one activity serves one call."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A call for which nothing is to be written now, and why."""

    outcome: Outcome
    reason: str | None = None
    activity: Activity | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A draft as it was sent last, and what came of it."""

    draft: ActivityDraft
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written for a unit's calls, and what is settled without."""

    drafts: Mapping[str, ActivityDraft]
    settled: Mapping[str, Settled]


class Work:
    """How the calls of one connection are worked on."""

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        writing: Writing | None = None,
        *,
        known: KnownPeople | None = None,
    ) -> None:
        """Check that the connection can serve the settings; ask nothing.

        :param known: Whom not to ask for once more, for calls that nothing was decided of before.
        :raises UnsupportedError: The owner filter, or further fields, where the CRM has none.
        :raises ConfigurationError: Numbers or days would be read otherwise by the CRM's plugin than by the decision.
        """
        info = connection.info
        if (tuple(settings.regions), settings.time_zone) != (tuple(info.regions), info.time_zone):
            raise ConfigurationError(
                f"connection {connection.name} was bound with regions {list(info.regions)} and time zone"
                f" {info.time_zone}, and the settings say {list(settings.regions)} and {settings.time_zone}:"
                " give both the same"
            )
        if settings.owner_filter:
            connection.require_trait("owner_filter")
        manifest = connection.manifest
        if writing and (writing.call_fields or writing.meeting_fields):
            connection.require_trait("activity_fields")
        if writing and writing.note_parts:
            connection.require_trait("notes")
        self.connection = connection
        self._known = known
        self.settings = settings
        self.writing = writing or Writing()
        self._owners = Owners.of(self.writing.owners, self.writing.fallback_owner)
        self.form = Form(
            meeting_kind(connection, self.writing.meetings_as),
            manifest.body_format,
            manifest.subject_limit,
            manifest.body_limit,
            self.writing.parts,
            self.writing.call_fields,
            self.writing.meeting_fields,
            self.writing.note_parts,
        )

    def decide(
        self, calls: Sequence[Call], take: Take, histories: Mapping[str, History] = MappingProxyType({})
    ) -> dict[str, Decision]:
        """Look up and decide, but for calls that the settings keep from being written.

        :param histories: What is known of calls from before.
        """
        worth = [it for it in calls if self._why_not(it, histories.get(it.id, NO_HISTORY)) is None]
        fresh = all(history == NO_HISTORY for history in histories.values())
        records = look_up(self.connection, worth, self.settings, histories, self._known if fresh else None)
        return {call.id: self._decide(call, records, take, histories.get(call.id, NO_HISTORY)) for call in worth}

    def _why_not(self, call: Call, history: History, *, unmatched: bool = False) -> str | None:
        """Say which setting keeps a call from being written; one that was written still gets what people chose."""
        chosen = history.written is not None and history.choices.listed()
        return None if chosen else self.writing.why_not(call, unmatched=unmatched)

    def _decide(self, call: Call, records: Records, take: Take, history: History) -> Decision:
        decision = decide(call, records, self.settings, history)
        while (activity := decision.activity) is not None:
            if decision.by_key or decision.ours or take(call.id, activity):
                break
            records = _without(records, call.id, activity)
            decision = decide(call, records, self.settings, history)
        return decision

    def plan(
        self,
        calls: Iterable[Call],
        decisions: Mapping[str, Decision],
        histories: Mapping[str, History] = MappingProxyType({}),
    ) -> Plan:
        """Draft what there is to write, and settle the calls for which there is nothing."""
        settled: dict[str, Settled] = {}
        drafts: dict[str, ActivityDraft] = {}
        creates: list[Decision] = []
        for call in calls:
            decision = decisions.get(call.id)
            history = histories.get(call.id, NO_HISTORY)
            why_not = self._why_not(call, history, unmatched=decision is not None and _unmatched(decision))
            kept_out = Settled("skipped" if history.written is None else "unchanged", why_not)
            if decision is None:
                settled[call.id] = kept_out
            elif decision.status == "undecided":
                settled[call.id] = Settled("deferred", "; ".join(decision.unknown))
            elif decision.status == "ambiguous":
                reason = f"activities {', '.join(decision.ambiguous)} may each be this call"
                settled[call.id] = Settled("waiting", reason)
            elif why_not and (decision.activity is None or history.written is not None):
                settled[call.id] = kept_out
            elif decision.activity is not None:
                draft = change(decision, self.form, history.written)
                no_room = untold(decision, self.form, history.written)
                if draft is None:
                    settled[call.id] = Settled("unchanged", no_room, decision.activity)
                else:
                    drafts[call.id] = replace(draft, untold=no_room)
            else:
                creates.append(decision)
        owners = self._choose_owners(creates)
        drafts |= {it.call.id: create(it, self.form, owner) for it, owner in zip(creates, owners, strict=True)}
        return Plan(drafts, settled)

    def _choose_owners(self, decisions: Iterable[Decision]) -> list[Owner]:
        """Choose who is to own new activities; users are looked up for the organizers whom the settings do not map."""
        emails = [organizer_email(decision.call) for decision in decisions]
        users = self._active_users({email for email in emails if email and email not in self._owners.mapped})
        return [self._owners.choose(email, users) for email in emails]

    def _active_users(self, emails: Collection[str]) -> dict[str, str]:
        """Give the ids of active users by e-mail; of several the first by id."""
        if "find_users_by_email" not in self.connection.operations:
            return {}
        found: Mapping[str, tuple[User, ...] | Unknown] = known_or_not(self.connection.find_users_by_email, emails)
        return {
            email: min(user.id for user in users if user.active)
            for email, users in found.items()
            if not isinstance(users, Unknown) and any(user.active for user in users)
        }

    def note(self, decision: Decision, owner_id: str | None) -> ActivityDraft | None:
        """Draft the note of a call whose activity is there; None where there is nothing to write one of."""
        return note(decision, self.form, owner_id)

    def send(self, drafts: Iterable[ActivityDraft]) -> dict[str, Sent]:
        """Send drafts, by key; whatever comes of it is in the receipts. What is refused for its owner is sent with another.

        :raises ConnectorError: Nothing was sent, for a reason that lies with the connection: refused credentials, above all.
        """
        waiting = list(drafts)
        sent: dict[str, Sent] = {}
        refusals: dict[str, list[str]] = {}
        while waiting:
            receipts = self._send(waiting, first=not sent)
            sent |= {
                it.key: Sent(it, told(it, _after(refusals.get(it.key, []), _of_field(it, receipts[it.key]))))
                for it in waiting
            }
            again = [it for it in waiting if receipts[it.key].owner_refused and it.owner_id is not None]
            for it in again:
                refusals.setdefault(it.key, []).append(f"{_owner_of(it)}, was refused: {receipts[it.key].reason}")
            waiting = [self._owners.instead(it) for it in again]
        return sent

    def _send(self, batch: Sequence[ActivityDraft], *, first: bool) -> dict[str, Receipt]:
        """Send drafts once; an error raised later than the first time must not lose the receipts that are there."""
        try:
            return dict(self.connection.write_activity(batch))
        except TryAgainError as error:
            receipt = Receipt("deferred", reason=str(error), after_seconds=error.after_seconds)
        except MissingRightError as error:
            receipt = Receipt("deferred", reason=str(error))
        except RefusedError as error:
            receipt = Receipt("refused", reason=error.sentence or str(error), code=error.code, field=error.field)
        except (OutcomeUnknownError, ContractError) as error:
            receipt = Receipt("unknown", reason=str(error))
        except ConnectorError as error:
            if first:
                raise
            receipt = Receipt("deferred", reason=str(error))
        return {draft.key: replace(receipt, id=draft.activity_id) for draft in batch}

    def look_for(self, sent: Iterable[ActivityDraft]) -> dict[str, Activity | Unknown | None]:
        """Look for activities whose creation was not answered, by key: what is there, nothing, or not known."""
        keys = [key_of(draft) for draft in sent]
        answers: Mapping[str, tuple[Activity, ...] | Unknown]
        try:
            answers = self.connection.find_activity(keys)
        except ConnectorError as error:
            answers = dict.fromkeys((key.call_id for key in keys), Unknown(str(error)))
        return {key: _written(key, answer) for key, answer in answers.items()}


class Taken:
    """Which activity is which call's, in the memory of one process; safe for threads."""

    def __init__(self) -> None:
        """Know none yet."""
        self._holders: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def __call__(self, call_id: str, activity: Activity) -> bool:
        """Take an activity, see :data:`Take`."""
        with self._lock:
            return self._holders.setdefault((activity.kind, activity.id), call_id) == call_id

    def let_go(self, call_ids: Collection[str]) -> None:
        """Forget what these calls took: what came of it is known elsewhere by now."""
        with self._lock:
            self._holders = {key: holder for key, holder in self._holders.items() if holder not in call_ids}


def meeting_kind(connection: Connection, meetings_as: str | None) -> ActivityKind:
    """Give the kind of activity that meetings are written as."""
    kinds = connection.manifest.meetings_as
    return "task" if meetings_as == "task" and "task" in kinds else kinds[0]


def _unmatched(decision: Decision) -> bool:
    """Tell whether nobody was found; an account or an opportunity that a person set counts as found."""
    found = {"account": decision.account, "opportunity": decision.opportunity}
    return not decision.people and not any(found[what] for what in decision.by_hand)


def _owner_of(draft: ActivityDraft) -> Owner:
    return Owner(draft.owner_id, draft.owner_from or "default")


def _of_field(draft: ActivityDraft, receipt: Receipt) -> Receipt:
    """Say of a field that was refused in which setting it stands."""
    named = next((name for name in draft.fields if name.casefold() == (receipt.field or "").casefold()), None)
    if receipt.outcome != "refused" or named is None:
        return receipt
    setting = "call_fields" if draft.kind == "call" else "meeting_fields"
    return replace(receipt, reason=f"{named}, of the setting {setting}: {receipt.reason}")


def _after(refusals: Sequence[str], receipt: Receipt) -> Receipt:
    """Add to a receipt which owners were refused before."""
    reason = "; ".join([*refusals, *([receipt.reason] if receipt.reason else [])])
    return replace(receipt, reason=reason) if refusals else receipt


def key_of(draft: ActivityDraft) -> CallKey:
    """Give what the activity of a draft is looked for with."""
    return CallKey(
        draft.key,
        _KINDS.get(draft.kind, "meeting"),
        draft.started_at,
        draft.ended_at,
        draft.duration_seconds,
        draft.person_ids,
    )


def _written(key: str, answer: tuple[Activity, ...] | Unknown) -> Activity | Unknown | None:
    if isinstance(answer, Unknown):
        return answer
    return min((it for it in answer if it.key == key), key=lambda activity: activity.id, default=None)


def _without(records: Records, call_id: str, taken: Activity) -> Records:
    candidates = records.activities[call_id]
    assert not isinstance(candidates, Unknown)  # noqa: S101 - an activity was chosen among them
    rest = tuple(item for item in candidates if (item.kind, item.id) != (taken.kind, taken.id))
    return replace(records, activities={**records.activities, call_id: rest})
