"""What the ledger believes is ours is exactly what is ours, through rewritings, people's edits and lost answers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_writing import START, call

from connector_core.association import Decision, Settings
from connector_core.association.people import Guest
from connector_core.model import Account, Activity, Current, Opportunity, Person, Receipt, Written, remaining
from connector_core.model import ActivityDraft as Draft
from connector_core.writing import Form, Owner, change, create, render, shown, written_by, written_unanswered

PEOPLE = {name: Person("contact", name) for name in ("C1", "C2", "C3", "C4")}
ACCOUNTS = {name: Account(name) for name in ("A1", "A2", "A3", "A4")}
DEALS = {name: Opportunity(name, START) for name in ("O1", "O2", "O3", "O4")}
OURS_ALONE = 2
"""Of each kind the first two are for us to link, the others for people: who linked what is then known for sure."""
WORD = re.compile(r"«\d+»")

LINKS = st.tuples(
    st.sets(st.sampled_from(list(PEOPLE)[:OURS_ALONE])),
    st.none() | st.sampled_from(list(ACCOUNTS)[:OURS_ALONE]),
    st.none() | st.sampled_from(list(DEALS)[:OURS_ALONE]),
)
EDITS = st.tuples(
    st.sampled_from(
        ["before", "inside", "after", "blank", "subject", "duration", "person", "account", "deal", "lines"]
    ),
    st.floats(0, 1),
)
WRITES = st.tuples(
    st.just("write"),
    st.integers(0, 3),
    LINKS,
    st.sampled_from(["answered", "lost", "not made"]),
    st.none() | EDITS,
)


@dataclass
class Crm:
    """One activity, and who wrote what in it."""

    fmt: render.BodyFormat
    activity: Activity | None = None
    written: Written | None = None
    words: list[str] = field(default_factory=list)

    def write(self, version: int, links: Any, fate: str, meanwhile: Any) -> None:
        """Write a version of the call, as the pump does; a person may come between the reading and the writing."""
        people, account, deal = links
        decision = Decision(
            call(summary=f"said {version}", title=f"Talk {version}", duration_seconds=60 + version),
            Settings(),
            "decided",
            tuple(Guest(place, attends=True, ranked=(PEOPLE[name],)) for place, name in enumerate(sorted(people))),
            account=ACCOUNTS.get(account),
            opportunity=DEALS.get(deal),
            activity=self.activity,
            by_key=self.activity is not None,
        )
        form = Form(body_format=self.fmt)
        nobody = Owner(None, "default")
        draft = create(decision, form, nobody) if self.activity is None else change(decision, form, self.written)
        if draft is None:
            return
        if meanwhile is not None and self.activity is not None:
            self.edit(*meanwhile)
        receipt = self.receive(draft) if fate != "not made" else None
        if fate == "answered":
            assert receipt is not None
            self.written = written_by(draft, receipt, self.written)
        elif self.activity is not None:
            self.written = written_unanswered(draft, self.activity, self.written, self.fmt)

    def receive(self, draft: Draft) -> Receipt:
        """Do what a CRM does."""
        if self.activity is None:
            empty = Activity("T1", "call", key=draft.key)
            self.activity = self._with(empty, draft)
            return Receipt("created", "T1")
        it = self.activity
        current = Current(
            it.subject,
            it.body,
            it.duration_seconds,
            tuple(one.id for one in it.accounts),
            tuple(one.id for one in it.opportunities),
            tuple(one.id for one in it.people),
        )
        left, kept = remaining(draft, current)
        self.activity = self._with(it, left)
        return Receipt("updated", "T1", kept=kept)

    def _with(self, it: Activity, left: Draft) -> Activity:
        off = left.replaces
        people = [one for one in it.people if one.id not in off.person_ids]
        return replace(
            it,
            subject=left.subject or it.subject,
            body=left.body or it.body,
            duration_seconds=left.duration_seconds or it.duration_seconds,
            people=(*people, *(PEOPLE[name] for name in left.person_ids)),
            accounts=self._one(it.accounts, left.account_id, off.account_id, ACCOUNTS),
            opportunities=self._one(it.opportunities, left.opportunity_id, off.opportunity_id, DEALS),
        )

    def _one(self, there: Any, wanted: str | None, off: str | None, known: Any) -> Any:
        if wanted is not None:
            return (known[wanted],)
        return tuple(one for one in there if one.id != off)

    def edit(self, what: str, where: float) -> None:
        """Change the activity as a person does."""
        it = self.activity
        if it is None:
            return
        word, body = f"«{len(self.words)}»", it.body or ""
        at = int(where * len(body))
        if any(found.start() < at < found.end() for found in WORD.finditer(body)):
            at = 0
        texts = {"before": f"{word}\n{body}", "inside": body[:at] + word + body[at:], "after": f"{body}\n{word}"}
        if what in texts:
            self.words.append(word)
            self.activity = replace(it, body=texts[what])
        elif what == "blank":
            self.activity = replace(it, body=None)
            self.words.clear()
        elif what == "lines":
            self.activity = replace(it, body=body.replace("\r\n", "\n").replace("\n", "\r\n"))
        elif what == "subject":
            self.activity = replace(it, subject=word)
        elif what == "duration":
            self.activity = replace(it, duration_seconds=7000.5 + at)
        elif what == "person":
            mine = [one for one in it.people if one.id in list(PEOPLE)[:OURS_ALONE]]
            self.activity = replace(it, people=(*mine, PEOPLE["C3" if where < 0.5 else "C4"]))
        elif what == "account":
            self.activity = replace(it, accounts=() if where < 0.3 else (ACCOUNTS["A3" if where < 0.6 else "A4"],))
        else:
            self.activity = replace(it, opportunities=() if where < 0.3 else (DEALS["O3" if where < 0.6 else "O4"],))

    def check(self) -> None:
        """Compare what is believed with what is so."""
        it, ours = self.activity, self.written
        if it is None or ours is None:
            assert ours is None
            return
        assert all(word in (it.body or "") for word in self.words), "a person's word is lost"
        assert not WORD.search(ours.body or ""), "a person's word counts as ours"
        assert not WORD.search(ours.subject or ""), "a person's subject counts as ours"
        assert (ours.duration_seconds or 0) < 7000, "a person's duration counts as ours"
        named = {one.id for records in (it.people, it.accounts, it.opportunities) for one in records}
        of_people = {one for known in (PEOPLE, ACCOUNTS, DEALS) for one in list(known)[OURS_ALONE:]}
        believed = {*ours.person_ids, ours.account_id, ours.opportunity_id}
        assert not believed & of_people, "a person's link counts as ours"
        assert named - of_people <= believed, "a link of ours counts as a person's"


@pytest.mark.parametrize("fmt", ["text", "html"])
@given(steps=st.lists(WRITES | EDITS, max_size=12), first=LINKS)
def test_what_is_believed_to_be_ours_is_ours(fmt: render.BodyFormat, steps: list[Any], first: Any) -> None:
    """No word, subject, duration or link of a person's, and every link of ours that is there."""
    crm = Crm(fmt)
    for step in [("write", 0, first, "answered", None), *steps]:
        if step[0] == "write":
            crm.write(*step[1:])
        else:
            crm.edit(*step)
        crm.check()


@pytest.mark.parametrize("fmt", ["text", "html"])
@given(steps=st.lists(WRITES | EDITS, max_size=8), version=st.integers(0, 3), links=LINKS)
def test_writing_the_same_twice_writes_nothing_the_second_time(
    fmt: render.BodyFormat, steps: list[Any], version: int, links: Any
) -> None:
    """Whatever people and we did before."""
    crm = Crm(fmt)
    for step in steps:
        crm.write(*step[1:]) if step[0] == "write" else crm.edit(*step)
    crm.write(version, links, "answered", None)
    before = crm.activity
    crm.write(version, links, "answered", None)
    assert crm.activity == before


def test_of_a_lost_change_what_shows_is_ours_and_the_rest_is_as_it_was() -> None:
    """One half of it was made: the text, and not the opportunity, which still stands there as ours."""
    crm = Crm("text")
    crm.write(0, ({"C1"}, "A1", "O1"), "answered", None)
    before, written = crm.activity, crm.written
    assert before is not None
    draft = Draft(
        "aircall:1", "call", START, START, "T1", body=before.body, person_ids=("C2",), opportunity_id="O2",
        replaces=replace(Draft("k", "call", START, START).replaces, opportunity_id="O1", person_ids=("C1",)),
    )  # fmt: skip
    assert shown(draft, before) != draft
    after = written_unanswered(draft, before, written, "text")
    assert after is not None
    assert (after.opportunity_id, after.person_ids, after.body) == ("O1", ("C1",), before.body)
