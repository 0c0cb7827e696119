"""The desk: what people look at and correct. Every verb is also a command."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from connector_core.association import Choice
from connector_core.association.history import What
from connector_core.association.records import counted
from connector_core.config import OpenConnection
from connector_core.errors import InputError, TryAgainError
from connector_core.ledger.calls import Standing
from connector_core.ledger.inbox import Wake
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.people import Actor
from connector_core.model import Account, Call, FormFields, FormRecord, Opportunity, Participant, Person, Unknown


class Desk:
    """Looks at the calls of one connection, and corrects them. What was changed is due: a pump brings it to the CRM."""

    def __init__(self, ledger: Ledger, opened: OpenConnection, *, wake: Wake | None = None) -> None:
        """Look at nothing yet.

        :param wake: Wakes a pump when something became due.
        """
        self._ledger = ledger
        self._connection = opened.connection
        self._name = opened.connection.name
        self._wake = wake

    # -- looking -------------------------------------------------------------------------------------------------------

    def show(self, call_id: str) -> dict[str, Any]:
        """Give all that is known of a call, as plain data: how it stands and why, what was sent, who did what.

        :raises InputError: There is no such call.
        """
        it = self._standing(call_id)
        return {
            "call_id": call_id,
            "state": it.state,
            "due_at": it.due_at.isoformat() if it.state == "due" else None,
            "call": it.call.model_dump(mode="json", exclude_none=True) if it.call else None,
            **{name: value for name, value in it.to_json().items() if name != "call_id"},
            "owner": it.owner.to_json() if it.owner else None,
            "writes": self._ledger.people.writes_of(self._name, call_id),
            "audit": self._ledger.people.audit_of(self._name, call_id),
        }

    def queue(self) -> list[dict[str, Any]]:
        """List what waits for a person, the oldest call first: ``call_id``, ``title``, ``started_at``, ``reason``."""
        return [
            {
                "call_id": it.call_id,
                "title": it.call.title if it.call else None,
                "started_at": it.call.started_at.isoformat() if it.call else None,
                "outcome": it.outcome,
                "reason": it.reason,
            }
            for it in self._ledger.calls.waiting(self._name)
        ]

    def paused(self) -> str | None:
        """Tell why the connection stands still until somebody resumes it, if it does."""
        return self._ledger.people.paused(self._name)

    def choices(self, call_id: str) -> list[Opportunity]:
        """List the opportunities that a person may choose from: those of the call's account.

        :raises InputError: There is no such call, or it has no account yet.
        :raises UnsupportedError: This CRM's opportunities are not to be chosen by hand.
        :raises TryAgainError: The CRM could not be asked.
        """
        self._connection.require_trait("change_opportunity")
        account = (self._standing(call_id).decision or {}).get("account")
        if not account:
            raise InputError(f"call {call_id} has no account, whose opportunities could be chosen: assign one first")
        found = self._connection.list_opportunities(account_ids=[account["id"]]).of_accounts[account["id"]]
        return sorted(_known(found), key=lambda deal: (deal.closed_at is not None, deal.name or "", deal.id))

    def search(self, text: str, *, accounts: bool = False) -> list[Person] | list[Account]:
        """Search contacts and leads by name, e-mail or number, or accounts by name; at least 3 characters.

        :raises InputError: The text is too short.
        :raises UnsupportedError: The plugin cannot search.
        :raises TryAgainError: The CRM could not be asked.
        """
        text = text.strip()
        if accounts:
            return list(_known(self._connection.search_accounts([text])[text]))
        return list(_known(self._connection.search_people([text])[text]))

    def form(self, call_id: str, record: FormRecord, *, participant: int | None = None) -> str:
        """Give the address of the CRM's own form for a contact or an opportunity that it lacks, filled with what is known.

        :param participant: The guest's place, for a contact.
        :raises InputError: There is no such call or guest.
        :raises UnsupportedError: The plugin knows no such form.
        """
        it = self._standing(call_id)
        account = (it.decision or {}).get("account") or {}
        if record == "opportunity":
            return self._connection.form_address(record, FormFields(account_id=account.get("id")))
        guest = self._guest(it, participant)
        known = FormFields(
            guest.name, next(iter(guest.emails or ()), None), next(iter(guest.phones or ()), None), account.get("id")
        )
        return self._connection.form_address(record, known)

    # -- correcting ----------------------------------------------------------------------------------------------------

    def assign(
        self,
        actor: Actor,
        call_ids: Sequence[str],
        *,
        participant: int | None = None,
        contact: str | None = None,
        account: str | None = None,
        opportunity: str | None = None,
    ) -> None:
        """Set the contact of a guest, the account or the opportunity of calls: one of the three. It stays.

        :raises InputError: Not one of the three; no such call, guest or record. Then nothing changes for any call.
        :raises UnsupportedError: The opportunity, where the CRM's cannot be changed; a record that the plugin cannot read.
        :raises TryAgainError: The CRM could not be asked.
        """
        given: dict[What, str | None] = {"contact": contact, "account": account, "opportunity": opportunity}
        chosen = [(what, record) for what, record in given.items() if record is not None]
        if len(chosen) != 1:
            raise InputError("assign: wanted one of a contact, an account and an opportunity")
        ((what, record),) = chosen
        choice = self._choice(actor, what, record, participant)
        seen = self._require(call_ids, participant)
        if not self._read(what, record):
            raise InputError(f"connection {self._name}: the CRM has no {what} with the id that was given")
        choices = dict.fromkeys(call_ids, choice)
        self._ledger.people.choose(self._name, actor, choices, seen=seen, wake=self._wake)

    def clear(
        self,
        actor: Actor,
        call_ids: Sequence[str],
        *,
        participant: int | None = None,
        account: bool = False,
        opportunity: bool = False,
    ) -> None:
        """Clear the contact of a guest, the account or the opportunity of calls: one of the three. It stays clear.

        :raises InputError: Not one of the three; no such call or guest.
        :raises UnsupportedError: The opportunity, where the CRM's cannot be changed.
        """
        if [participant is not None, account, opportunity].count(True) != 1:
            raise InputError("clear: wanted one of a participant's contact, the account and the opportunity")
        what: What = "account" if account else "opportunity" if opportunity else "contact"
        choice = self._choice(actor, what, None, participant)
        seen = self._require(call_ids, participant)
        choices = dict.fromkeys(call_ids, choice)
        self._ledger.people.choose(self._name, actor, choices, seen=seen, wake=self._wake)

    def refresh(self, actor: Actor, call_ids: Sequence[str]) -> None:
        """Let calls be associated anew as far as the CRM has more to say; what is there stays.

        :raises InputError: There is no such call.
        """
        self._ledger.people.refresh(self._name, actor, call_ids, wake=self._wake)

    def resume(self, actor: Actor) -> str | None:
        """Let the connection go on that was paused: what it was paused for is mended.

        :returns: Why it was paused; None where it was not.
        :raises InputError: A user may not.
        """
        if actor.role == "user":
            raise InputError("resume: it takes an admin or a manager")
        return self._ledger.people.resume(self._name, actor, wake=self._wake)

    # -- what they share -----------------------------------------------------------------------------------------------

    def _choice(self, actor: Actor, what: What, record: str | None, participant: int | None) -> Choice:
        if what == "opportunity":
            self._connection.require_trait("change_opportunity")
        return Choice(what, record, actor.name, dt.datetime.now(dt.UTC), participant)

    def _standing(self, call_id: str) -> Standing:
        return self._standings([call_id])[call_id]

    def _standings(self, call_ids: Sequence[str]) -> dict[str, Standing]:
        found = self._ledger.calls.of(self._name, call_ids)
        for call_id in call_ids:
            if call_id not in found:
                raise InputError(f"connection {self._name}: has accepted no call {call_id}")
        return found

    def _require(self, call_ids: Sequence[str], participant: int | None) -> dict[str, Call]:
        """Give the calls as they are, of which what was said is kept."""
        found = self._standings(call_ids)
        for it in found.values():
            if participant is not None:
                self._guest(it, participant)
        return {call_id: it.call for call_id, it in found.items() if it.call is not None}

    def _guest(self, it: Standing, participant: int | None) -> Participant:
        if it.call is None:
            raise InputError(f"connection {self._name}: what call {it.call_id} said is not kept any more")
        people = it.call.participants
        guests = [place for place, person in enumerate(people) if not person.is_user]
        if participant not in guests:
            possible = ", ".join(map(str, guests)) or "none"
            raise InputError(f"call {it.call_id} has no guest at place {participant}; guests stand at: {possible}")
        return people[participant]

    def _read(self, what: What, record: str) -> bool:
        """Tell whether the CRM has a record, or one that it was merged into."""
        if what == "contact":
            return any(counted(person) for person in _known(self._connection.read_people([record])[record]))
        if what == "account":
            return bool(_known(self._connection.read_accounts([record])[record]))
        return bool(_known(self._connection.list_opportunities(opportunity_ids=[record]).by_id[record]))


def _known(found: Any) -> Any:
    if isinstance(found, Unknown):
        raise TryAgainError(f"the CRM could not be asked: {found.reason}")
    return found
