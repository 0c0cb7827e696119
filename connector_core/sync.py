"""The use case: look up, decide, write.

Calls are worked on in units of :data:`UNIT`: every look-up serves a whole unit, because a CRM's quota is what its users run
out of.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from connector_core.association import Decision, Records, Settings, decide, organizer_email
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
from connector_core.lookup import known_or_not, look_up
from connector_core.model import Activity, ActivityDraft, ActivityKind, Call, CallKey, Receipt, Unknown, User
from connector_core.writing import Form, change, create

UNIT = 200
"""Calls that are looked up and written together."""

Outcome: TypeAlias = Literal["created", "updated", "unchanged", "refused", "unknown", "waiting", "deferred", "skipped"]
Sleep: TypeAlias = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What became of one call. ``reason`` says why, for a person, where the outcome does not speak for itself."""

    call_id: str
    outcome: Outcome
    decision: Decision | None = None
    activity_id: str | None = None
    url: str | None = None
    reason: str | None = None

    @property
    def settled(self) -> bool:
        """Tell whether this call needs nobody any more."""
        return self.outcome in {"created", "updated", "unchanged", "skipped"}

    def to_json(self) -> dict[str, Any]:
        """Give the result as plain data."""
        activity = {"outcome": self.outcome, "id": self.activity_id, "url": self.url, "reason": self.reason}
        decision = self.decision.to_json() if self.decision else None
        return {"call_id": self.call_id, "decision": decision, "activity": activity}


def associate(connection: Connection, calls: Sequence[Call], settings: Settings) -> list[Decision]:
    """Decide what calls belong to, and change nothing.

    :returns: A decision for each call, in their order; ``undecided`` where the CRM could not be asked. Of two calls with
        one id, the later one is decided in the earlier one's place.
    :raises CredentialsError: The CRM refuses the connection's credentials.
    :raises ConfigurationError: The connection cannot do what the settings ask for.
    """
    check(connection, settings)
    decisions: list[Decision] = []
    for unit in _units({call.id: call for call in calls}.values()):
        records = look_up(connection, unit, settings)
        decisions.extend(decide(call, records, settings) for call in unit)
    return decisions


def sync(
    connection: Connection,
    calls: Iterable[Call],
    settings: Settings,
    *,
    meetings_as: str | None = None,
    write_unmatched: bool = True,
    sleep: Sleep = time.sleep,
) -> Iterator[SyncResult]:
    """Decide what calls belong to, and write one activity for each.

    A write that was not answered is looked for again after the connection's ``settle_seconds``, before it is sent again.

    :param meetings_as: ``event`` (the CRM's own kind of meeting) or ``task``; the CRM's default without it.
    :param write_unmatched: Write calls in which nobody was found, without associations.
    :returns: A result for each call, in their order, as each unit of calls has settled.
    :raises CredentialsError: The CRM refuses the connection's credentials.
    :raises ConfigurationError: The connection cannot do what the settings ask for.
    """
    check(connection, settings)
    manifest = connection.manifest
    meeting = meeting_kind(connection, meetings_as)
    form = Form(meeting, manifest.body_format, manifest.subject_limit, manifest.body_limit)
    for unit in _units(calls):
        yield from _Unit(connection, unit, settings, form, write_unmatched, sleep).run()


def check(connection: Connection, settings: Settings) -> None:
    """Refuse settings that this connection cannot serve, before anything is asked.

    :raises UnsupportedError: The owner filter, where the CRM has none.
    :raises ConfigurationError: Numbers or days would be read otherwise by the CRM's plugin than by the decision.
    """
    info = connection.info
    if (tuple(settings.regions), settings.time_zone) != (tuple(info.regions), info.time_zone):
        raise ConfigurationError(
            f"connection {connection.name} was bound with regions {list(info.regions)} and time zone {info.time_zone}, and"
            f" the settings say {list(settings.regions)} and {settings.time_zone}: give both the same"
        )
    if settings.owner_filter:
        connection.require_trait("owner_filter")


def meeting_kind(connection: Connection, meetings_as: str | None) -> ActivityKind:
    """Give the kind of activity that meetings are written as."""
    kinds = connection.manifest.meetings_as
    return "task" if meetings_as == "task" and "task" in kinds else kinds[0]


class _Unit:
    """One unit of calls on its way from the look-up to the receipts."""

    def __init__(
        self,
        connection: Connection,
        calls: Sequence[Call],
        settings: Settings,
        form: Form,
        write_unmatched: bool,
        sleep: Sleep,
    ) -> None:
        self.connection = connection
        self.calls = calls
        self.settings = settings
        self.form = form
        self.write_unmatched = write_unmatched
        self.sleep = sleep
        self.decisions: dict[str, Decision] = {}
        self.results: dict[str, SyncResult] = {}

    def run(self) -> Iterator[SyncResult]:
        worth = [
            call
            for call in self.calls
            if any(not person.is_user for person in call.participants) or not call.participants
        ]
        records = look_up(self.connection, worth, self.settings)
        self._decide(worth, records)
        receipts = self._write(self._drafts())
        for call in self.calls:
            yield self.results.get(call.id) or self._settled(call.id, receipts[call.id])

    def _decide(self, calls: Sequence[Call], records: Records) -> None:
        """Decide each call; an activity that an earlier call of the unit took serves no other."""
        taken: set[tuple[str, str]] = set()
        for call in calls:
            decision = decide(call, records, self.settings)
            activity = decision.activity
            while activity is not None and not decision.by_key and (activity.kind, activity.id) in taken:
                records = _without(records, call.id, activity)
                decision = decide(call, records, self.settings)
                activity = decision.activity
            if activity is not None:
                taken.add((activity.kind, activity.id))
            self.decisions[call.id] = decision

    def _drafts(self) -> list[ActivityDraft]:
        """Draft what there is to write, and settle the calls for which there is nothing."""
        creates: list[Decision] = []
        drafts: list[ActivityDraft] = []
        for call in self.calls:
            decision = self.decisions.get(call.id)
            if decision is None:
                self._settle(call.id, "skipped", "only users of the call platform took part")
            elif decision.status == "undecided":
                self._settle(call.id, "deferred", "; ".join(decision.unknown))
            elif decision.status == "ambiguous":
                self._settle(call.id, "waiting", f"activities {', '.join(decision.ambiguous)} may each be this call")
            elif decision.activity is not None:
                draft = change(decision, self.form)
                if draft is None:
                    activity = decision.activity
                    self._settle(call.id, "unchanged", None, activity.id, activity.url)
                else:
                    drafts.append(draft)
            elif not self.write_unmatched and not decision.people:
                self._settle(call.id, "skipped", "nobody was found in the CRM, and write_unmatched is off")
            else:
                creates.append(decision)
        owners = self._owners(creates)
        drafts.extend(
            create(decision, self.form, owners.get(organizer_email(decision.call) or "")) for decision in creates
        )
        return drafts

    def _owners(self, decisions: Iterable[Decision]) -> dict[str, str]:
        """Give the ids of the organizers' users, active ones first; an owner who is not known leaves the CRM's default."""
        emails = {email for decision in decisions if (email := organizer_email(decision.call))}
        if "find_users_by_email" not in self.connection.operations:
            return {}
        found: Mapping[str, tuple[User, ...] | Unknown] = known_or_not(self.connection.find_users_by_email, emails)
        return {
            email: min(users, key=lambda user: (not user.active, user.id)).id
            for email, users in found.items()
            if not isinstance(users, Unknown) and any(user.active for user in users)
        }

    def _write(self, drafts: Sequence[ActivityDraft]) -> dict[str, Receipt]:
        """Write; look for what was not answered once it has settled, and send what is not there once more.

        A change is sent again as it is: twice does what once does. What is not there after the second time either is
        put off: a later sync may send it at once.
        """
        receipts = self._send(drafts)
        for once_more in (True, False):
            lost = [draft for draft in drafts if receipts[draft.key].outcome == "unknown"]
            if not lost:
                break
            self.sleep(self.connection.settle_seconds)
            created = [draft for draft in lost if draft.activity_id is None]
            found = self._look_for(created, receipts)
            receipts |= found
            missing = [draft for draft in created if draft.key not in found]
            if once_more:
                changes = [draft for draft in lost if draft.activity_id is not None]
                receipts |= self._send([*missing, *changes], first=False)
            else:
                receipts |= {draft.key: _put_off(receipts[draft.key]) for draft in missing}
        return {key: _doubted(it) if it.outcome == "unknown" else it for key, it in receipts.items()}

    def _look_for(self, drafts: Sequence[ActivityDraft], receipts: Mapping[str, Receipt]) -> dict[str, Receipt]:
        """Look for what was not answered: a receipt for what is there, and for what cannot be looked for."""
        keys = [
            CallKey(d.key, _call_kind(d), d.started_at, d.ended_at, d.duration_seconds, d.person_ids) for d in drafts
        ]
        answers: Mapping[str, tuple[Activity, ...] | Unknown]
        try:
            answers = self.connection.find_activity(keys)
        except ConnectorError as error:
            answers = dict.fromkeys((key.call_id for key in keys), Unknown(str(error)))
        found: dict[str, Receipt] = {}
        for key, answer in answers.items():
            if isinstance(answer, Unknown):
                found[key] = receipts[key]
            elif written := [activity for activity in answer if activity.key == key]:
                first = min(written, key=lambda activity: activity.id)
                found[key] = Receipt("created", first.id, first.url)
        return found

    def _send(self, drafts: Sequence[ActivityDraft], *, first: bool = True) -> dict[str, Receipt]:
        """Send drafts.

        :param first: Nothing was sent before, whose receipts an error would lose.
        :raises ConnectorError: The first of all could not be sent, for a reason that lies with the connection.
        """
        if not drafts:
            return {}
        try:
            return dict(self.connection.write_activity(drafts))
        except (TryAgainError, MissingRightError) as error:
            receipt = Receipt("deferred", reason=str(error))
        except RefusedError as error:
            receipt = Receipt("refused", reason=error.sentence or str(error), code=error.code, field=error.field)
        except (OutcomeUnknownError, ContractError) as error:
            receipt = Receipt("unknown", reason=str(error))
        except ConnectorError as error:
            if first:
                raise
            receipt = Receipt("deferred", reason=str(error))
        return {draft.key: replace(receipt, id=draft.activity_id) for draft in drafts}

    def _settle(
        self, call_id: str, outcome: Outcome, reason: str | None, activity_id: str | None = None, url: str | None = None
    ) -> None:
        self.results[call_id] = SyncResult(call_id, outcome, self.decisions.get(call_id), activity_id, url, reason)

    def _settled(self, call_id: str, receipt: Receipt) -> SyncResult:
        return SyncResult(call_id, receipt.outcome, self.decisions[call_id], receipt.id, receipt.url, receipt.reason)


def _without(records: Records, call_id: str, taken: Activity) -> Records:
    candidates = records.activities[call_id]
    assert not isinstance(candidates, Unknown)  # noqa: S101 - an activity was chosen among them
    rest = tuple(item for item in candidates if (item.kind, item.id) != (taken.kind, taken.id))
    return replace(records, activities={**records.activities, call_id: rest})


def _put_off(receipt: Receipt) -> Receipt:
    return replace(receipt, outcome="deferred", reason=f"{receipt.reason}; it may have been sent, and is not there")


def _doubted(receipt: Receipt) -> Receipt:
    reason = f"{receipt.reason}; it may have been written: the next sync looks for it before it is sent again"
    return replace(receipt, reason=reason)


def _call_kind(draft: ActivityDraft) -> Literal["phone", "meeting"]:
    return "phone" if draft.kind == "call" else "meeting"


def _units(calls: Iterable[Call]) -> Iterator[list[Call]]:
    """Take calls unit by unit; of two with one id in a unit, the later one in the earlier one's place."""
    iterator = iter(calls)
    while unit := list(itertools.islice(iterator, UNIT)):
        yield list({call.id: call for call in unit}.values())
