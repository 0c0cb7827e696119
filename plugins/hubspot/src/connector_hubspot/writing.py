"""Creates and changes activities: as many in one request as HubSpot takes, and an outcome for each.

Every input carries its trace id, so that one which is refused does not reject the others. Results come in any order and
are told by id, or by the key that the record now carries (guides to batches, and to error handling).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from connector_core.errors import ConnectorError, OutcomeUnknownError, TryAgainError
from connector_core.identity import compare_text
from connector_core.model import ActivityDraft, Receipt, remaining
from connector_hubspot.client import HubSpotClient
from connector_hubspot.current import linked, read_current, unlinked
from connector_hubspot.dispositions import Dispositions
from connector_hubspot.failures import BatchRefusedError, Problem, errors_of, problems_of
from connector_hubspot.kinds import CALL, KINDS, MEETING, Kind
from connector_hubspot.linking import Pair, link, unlink
from connector_hubspot.locks import is_lock, send_past_locks
from connector_hubspot.properties import own_field, properties_of
from connector_hubspot.reading import BATCH, Record, cut, made, survivor, value

_UNSAID = Receipt("unknown", reason="HubSpot's answer does not say what became of it")
_SPARE = frozenset({*CALL.unread, *MEETING.unread})
"""What an activity that is refused for it is written without; which outcomes there are, a portal says."""


def write(client: HubSpotClient, dispositions: Dispositions, drafts: Sequence[ActivityDraft]) -> dict[str, Receipt]:
    """Write drafts; a receipt for each key.

    :raises ConnectorError: Nothing could be sent at all: refused credentials, a missing scope.
    """
    return _Writer(client, dispositions).write(drafts)


class _Writer:
    def __init__(self, client: HubSpotClient, dispositions: Dispositions) -> None:
        self._client = client
        self._dispositions = dispositions
        self._without: dict[str, list[str]] = {}
        self._spared: dict[str, frozenset[str]] = {}
        self._receipts: dict[str, Receipt] = {}
        self._gone: dict[str, frozenset[str]] = {}
        self._stopped: str | None = None

    def write(self, drafts: Sequence[ActivityDraft]) -> dict[str, Receipt]:
        drafts = self._disposed(drafts)
        for kind in KINDS.values():
            own = [draft for draft in drafts if draft.kind == kind.name and not own_field(kind, draft)]
            self._create(kind, [draft for draft in own if draft.activity_id is None])
            self._change(kind, [draft for draft in own if draft.activity_id is not None])
        for draft in drafts:
            if draft.kind not in KINDS:
                reason = f"the HubSpot plugin writes calls, meetings and notes, and no {draft.kind}"
                self._receipts[draft.key] = Receipt("refused", reason=reason)
            elif field := own_field(KINDS[draft.kind], draft):
                reason = f"the connector writes {field} itself"
                self._receipts[draft.key] = Receipt("refused", draft.activity_id, None, reason, "own_field", field)
        for key, told in self._without.items():
            if self._receipts[key].outcome == "created":
                self._receipts[key] = replace(self._receipts[key], reason="; ".join(told))
        return self._receipts

    def _disposed(self, drafts: Sequence[ActivityDraft]) -> list[ActivityDraft]:
        """Put in the place of the outcomes of calls the ids that HubSpot takes."""
        ids = self._dispositions.of(draft.outcome for draft in drafts if draft.kind == CALL.name)
        for draft in drafts:
            if draft.kind == CALL.name and draft.outcome and compare_text(draft.outcome) not in ids:
                self._without[draft.key] = ["its outcome is none of HubSpot's, and stands in the body alone"]
        return [replace(draft, outcome=ids.get(compare_text(draft.outcome))) for draft in drafts]

    # -- creating ------------------------------------------------------------------------------------------------------

    def _create(self, kind: Kind, drafts: Sequence[ActivityDraft]) -> None:
        def send(batch: Sequence[ActivityDraft]) -> None:
            inputs = [{**self._input(kind, draft), "associations": _associations(kind, draft)} for draft in batch]
            answer = self._client.post(
                "/crm/objects/{version}/{object}/batch/create", {"inputs": inputs}, object=kind.object
            )
            self._note(kind, batch, answer, "created", lambda result: kind.key_of(result))

        self._send_all(drafts, send)
        while drafts := [other for draft in drafts if (other := self._amended(kind, draft))]:
            self._send_all(drafts, send)

    def _amended(self, kind: Kind, draft: ActivityDraft) -> ActivityDraft | None:
        """Give a draft that was refused as it may be taken; None where it was not, or cannot do without.

        A record that is gone counts as absent, one that was merged as the one that is left. HubSpot may find fault with one
        thing at a time.
        """
        receipt = self._receipts[draft.key]
        if receipt.outcome != "refused":
            return None
        if gone := self._gone.pop(draft.key, None):
            other = _instead(draft, self._survivors(draft, gone))
            return other if other != draft or self._stopped else None
        field = receipt.field if receipt.field in _SPARE else None
        if field is None or field not in self._input(kind, draft)["properties"]:
            return None
        self._without.setdefault(draft.key, []).append(f"without {field}: {receipt.reason}")
        self._spared[draft.key] = self._spared.get(draft.key, frozenset()) | {field}
        return draft

    def _survivors(self, draft: ActivityDraft, gone: frozenset[str]) -> dict[str, str | None]:
        """Say which records are left of those that a draft names and HubSpot does not have; None: none."""
        found: dict[str, str | None] = {}
        try:
            for obj, ids in linked(draft).items():
                found |= {key: survivor(self._client, obj, key) for key in ids if key in gone}
        except ConnectorError as error:
            self._stop(error)
        return found

    def _input(self, kind: Kind, draft: ActivityDraft) -> dict[str, Any]:
        spared = self._spared.get(draft.key, frozenset())
        properties = {name: text for name, text in properties_of(kind, draft).items() if name not in spared}
        return {"objectWriteTraceId": draft.key, "properties": properties}

    # -- changing ------------------------------------------------------------------------------------------------------

    def _change(self, kind: Kind, drafts: Sequence[ActivityDraft]) -> None:
        kept: dict[str, tuple[str, ...]] = {}
        keys = {draft.activity_id: draft.key for draft in drafts}

        def send(batch: Sequence[ActivityDraft]) -> None:
            inputs = [{"id": draft.activity_id, **self._input(kind, draft)} for draft in batch]
            answer = self._client.post(
                "/crm/objects/{version}/{object}/batch/update", {"inputs": inputs}, object=kind.object
            )
            self._note(kind, batch, answer, "updated", lambda result: keys.get(str(result["id"])))

        left = self._left(kind, drafts, kept)
        changed = [draft for draft in left if properties_of(kind, draft)]
        self._send_all(changed, send)
        for draft in left:
            self._receipts.setdefault(draft.key, Receipt("unchanged", draft.activity_id))
        done = [it for it in left if self._receipts[it.key].outcome in ("updated", "unchanged")]
        self._link(kind, done, link, linked, "associated with")
        self._link(kind, done, unlink, unlinked, "taken off")
        for key, names in kept.items():
            if self._receipts[key].outcome in ("updated", "unchanged"):
                self._receipts[key] = replace(self._receipts[key], kept=names)

    def _left(
        self, kind: Kind, drafts: Sequence[ActivityDraft], kept: dict[str, tuple[str, ...]]
    ) -> list[ActivityDraft]:
        """Read the activities once more, and give what is left to be written. ``kept`` takes what is not, by key."""
        asked = [it for it in drafts if properties_of(kind, it) or any((*linked(it).values(), *unlinked(it).values()))]
        try:
            found = read_current(self._client, kind, asked) if asked and not self._stopped else {}
        except ConnectorError as error:
            found = {}
            self._stop(error)
        left = [draft for draft in drafts if draft not in asked]
        for draft in asked:
            current, key = found.get(str(draft.activity_id), (None, None))
            if self._stopped:
                self._receipts[draft.key] = Receipt("deferred", draft.activity_id, reason=self._stopped)
            elif current is None:
                reason = "the activity is no longer in HubSpot"
                self._receipts[draft.key] = Receipt(
                    "refused", draft.activity_id, reason=reason, code="OBJECT_NOT_FOUND"
                )
            elif key not in (None, draft.key):
                reason = "the activity carries the id of another call by now"
                self._receipts[draft.key] = Receipt("refused", draft.activity_id, reason=reason, code="other_key")
            else:
                rest, kept[draft.key] = remaining(draft, current)
                left.append(rest)
        return left

    def _link(
        self,
        kind: Kind,
        drafts: Sequence[ActivityDraft],
        act: Callable[[HubSpotClient, str, str, Sequence[Pair]], dict[Pair, str]],
        ends: Callable[[ActivityDraft], Mapping[str, tuple[str, ...]]],
        what: str,
    ) -> None:
        for obj in kind.types:
            pairs = {Pair(str(it.activity_id), other): it for it in drafts for other in ends(it)[obj]}
            try:
                failed = act(self._client, kind.object, obj, list(pairs)) if pairs and not self._stopped else {}
            except ConnectorError as error:
                failed = {}
                self._stop(error)
            for pair, draft in pairs.items():
                refused = f"not {what} {obj} {pair.end}: {failed[pair]}" if pair in failed else None
                self._receipts[draft.key] = self._linked_receipt(self._receipts[draft.key], draft, refused)

    def _linked_receipt(self, receipt: Receipt, draft: ActivityDraft, refused: str | None) -> Receipt:
        if self._stopped:
            return Receipt("deferred", draft.activity_id, receipt.url, self._stopped)  # linking twice is linking once
        if refused:
            return replace(receipt, outcome="updated" if receipt.outcome == "updated" else "refused", reason=refused)
        return receipt if receipt.outcome == "refused" else replace(receipt, outcome="updated")

    # -- sending -------------------------------------------------------------------------------------------------------

    def _send_all(self, drafts: Sequence[ActivityDraft], send: Callable[[Sequence[ActivityDraft]], None]) -> None:
        def send_cut(part: Sequence[ActivityDraft]) -> None:
            for batch in cut(part, BATCH):
                self._send(batch, send)

        def locked(draft: ActivityDraft) -> bool:
            receipt = self._receipts[draft.key]
            return receipt.outcome == "deferred" and is_lock(receipt.code)

        send_past_locks(self._client.policy, send_cut, drafts, locked)

    def _send(self, drafts: Sequence[ActivityDraft], send: Callable[[Sequence[ActivityDraft]], None]) -> None:
        """Send a batch; where it is refused whole, without the one that is to blame, else each half of it."""
        if not drafts:
            return
        if self._stopped:
            self._receipts |= {draft.key: Receipt("deferred", reason=self._stopped) for draft in drafts}
            return
        try:
            send(drafts)
        except BatchRefusedError as error:
            named = {trace: problem for problem in error.problems for trace in problem.traces}
            blamed = [draft for draft in drafts if draft.key in named] if len(drafts) > 1 else list(drafts)
            for draft in blamed:
                self._refuse(draft, named.get(draft.key, error.problems[0]))
            rest = [draft for draft in drafts if draft not in blamed]
            for part in [rest] if blamed else cut(rest, (len(rest) + 1) // 2):
                self._send(part, send)
        except OutcomeUnknownError as error:
            self._receipts |= {draft.key: Receipt("unknown", reason=str(error)) for draft in drafts}
        except ConnectorError as error:
            self._stop(error)
            self._receipts |= {draft.key: Receipt("deferred", reason=self._stopped) for draft in drafts}

    def _stop(self, error: ConnectorError) -> None:
        """Send nothing more. What was sent before must not be lost, so the rest is put off rather than raised."""
        if not isinstance(error, (TryAgainError, OutcomeUnknownError)) and not self._receipts:
            raise error
        self._stopped = str(error)

    def _note(
        self,
        kind: Kind,
        drafts: Sequence[ActivityDraft],
        answer: Mapping[str, Any],
        outcome: Any,
        key_of: Callable[[Record], str | None],
    ) -> None:
        """Keep what an answer says of each draft. What it created is there, whatever else it says of it."""
        by_key = {draft.key: draft for draft in drafts}
        self._receipts |= dict.fromkeys(by_key, _UNSAID)
        for result in made(answer):
            key = result.get("objectWriteTraceId") or key_of(result)
            if key in by_key:
                self._receipts[key] = Receipt(
                    outcome, str(result["id"]), result.get("url"), body=value(result, kind.body)
                )
        for entry in errors_of(answer):
            for problem in problems_of(entry):
                ids = set(problem.ids)
                for draft in drafts:
                    if draft.key in problem.traces or (draft.activity_id in ids and not problem.traces):
                        self._refuse(draft, problem)

    def _refuse(self, draft: ActivityDraft, problem: Problem) -> None:
        code = problem.code or ""
        reason = problem.sentence or code
        if self._receipts.get(draft.key, _UNSAID).outcome == "created":
            self._receipts[draft.key] = replace(self._receipts[draft.key], reason=reason)
            return
        if gone := frozenset(problem.gone) & {each for ids in linked(draft).values() for each in ids}:
            self._gone[draft.key] = gone
        if is_lock(code) or "RATE_LIMIT" in code:
            self._receipts[draft.key] = Receipt("deferred", draft.activity_id, reason=reason, code=code)
        else:
            field = problem.fields[0] if problem.fields else None
            refused = Receipt("refused", draft.activity_id, None, reason, problem.code, field)
            self._receipts[draft.key] = replace(refused, owner_refused=field == "hubspot_owner_id")


def _associations(kind: Kind, draft: ActivityDraft) -> list[dict[str, Any]]:
    return [
        {
            "to": {"id": other},
            "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind.types[obj]}],
        }
        for obj, others in linked(draft).items()
        for other in others
    ]


def _instead(draft: ActivityDraft, survivors: Mapping[str, str | None]) -> ActivityDraft:
    """Let a draft name what is left of records, or nothing where they are gone."""

    def left(key: str | None) -> str | None:
        return survivors.get(key, key) if key else None

    return replace(
        draft,
        person_ids=tuple(dict.fromkeys(filter(None, map(left, draft.person_ids)))),
        account_id=left(draft.account_id),
        opportunity_id=left(draft.opportunity_id),
    )
