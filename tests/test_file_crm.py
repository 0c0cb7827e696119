"""The CRM in a file answers look-ups as the contract says."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from file_world import WORLD, adapter, candidates, ids
from hypothesis import given
from hypothesis import strategies as st

from connector_core.binding import bind
from connector_core.crms import FILE
from connector_core.crms.file import FileAdapter
from connector_core.crms.index import WorldIndex, key_of
from connector_core.crms.world import parse_world, read_world
from connector_core.errors import ConfigurationError
from connector_core.identity import PhoneReader
from connector_core.manifest import ConnectionInfo
from connector_core.model import FormFields


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with the world above."""
    file = tmp_path / "world.json"
    file.write_text(json.dumps(WORLD), encoding="utf-8")
    return file


@pytest.fixture
def crm(path: Path) -> FileAdapter:
    """The adapter on that file."""
    return adapter(path)


def test_it_binds_with_every_operation_and_trait(path: Path) -> None:
    """The manifest promises all, and the adapter keeps it."""
    with bind(FILE, {"path": str(path)}, ConnectionInfo("test", ("FR",))) as connection:
        assert connection.operations == FILE.operations


def test_emails_compare_on_both_sides(crm: FileAdapter) -> None:
    """Blanks and case of a stored address do not hide it, and several people may have it."""
    found = crm.find_contacts_by_email(["c@buyer.example", "carl@buyer.example", "no@buyer.example"])
    assert {key: ids(people) for key, people in found.items()} == {
        "c@buyer.example": {"C1", "C2"}, "carl@buyer.example": {"C1"}, "no@buyer.example": set(),
    }  # fmt: skip


def test_numbers_compare_as_numbers(crm: FileAdapter) -> None:
    """However two people's number is written, both are found by it."""
    found = crm.find_contacts_by_phone(["+33612345678", "+33612345679"])
    assert {key: ids(people) for key, people in found.items()} == {"+33612345678": {"C1", "C2"}, "+33612345679": set()}


def test_a_contact_is_answered_whole(crm: FileAdapter) -> None:
    """A contact comes with its title and its account by name."""
    (carl,) = crm.find_contacts_by_email(["carl@buyer.example"])["carl@buyer.example"]
    assert (carl.kind, carl.name, carl.title, carl.account and carl.account.name, carl.converted) == (
        "contact", "Carl", "CTO", "Buyer SA", False,
    )  # fmt: skip


def test_an_account_that_is_gone_is_none(crm: FileAdapter) -> None:
    """A contact of a deleted account has no account."""
    people = crm.find_contacts_by_phone(["+33612345678"])["+33612345678"]
    assert [person.account for person in people if person.id == "C2"] == [None]


@pytest.mark.parametrize(("name", "end"), [("lea", "C1"), ("lost", None), ("round", None)])
def test_a_converted_lead_names_whom_it_became(crm: FileAdapter, name: str, end: str | None) -> None:
    """A chain leads to its end; one that ends nowhere, or in a circle, to nobody."""
    email = f"{name}@buyer.example"
    (lead,) = crm.find_contacts_by_email([email])[email]
    assert (lead.kind, lead.converted, lead.converted_to.id if lead.converted_to else None) == ("lead", True, end)


def test_a_blank_conversion_is_none(path: Path) -> None:
    """A lead whose conversion names blanks stands for itself."""
    lead = WorldIndex(read_world(path), PhoneReader([])).people["L6"]
    assert (lead.converted, lead.converted_to) == (False, None)


def test_users_are_found_by_email(crm: FileAdapter) -> None:
    """A user is found by an address that compares equal; one without address by none."""
    found = crm.find_users_by_email(["ada@seller.example", "bob@seller.example"])
    assert {key: ids(users) for key, users in found.items()} == {
        "ada@seller.example": {"U1"}, "bob@seller.example": set(),
    }  # fmt: skip


def test_people_and_accounts_are_read_by_id(crm: FileAdapter) -> None:
    """Each id has one record, and none where there is none; a converted lead names whom it became."""
    people = crm.read_people(["C1", "C9", "L1"])
    assert {key: ids(found) for key, found in people.items()} == {"C1": {"C1"}, "C9": set(), "L1": {"L1"}}
    assert [lead.converted_to and lead.converted_to.id for lead in people["L1"]] == ["C1"]
    assert {key: ids(found) for key, found in crm.read_accounts(["A1", "A9"]).items()} == {"A1": {"A1"}, "A9": set()}


@pytest.mark.parametrize(
    ("text", "found"),
    [("CARL", {"C1"}), ("carl buyer.ex", {"C1"}), ("buyer.EXAMPLE", {"C1", "C2", "L1", "L3", "L4"}),
     ("+33612345678", {"C1", "C2"}), ("06 12 34", {"C1"}), ("carla", set()), ("%%%", set())],
)  # fmt: skip
def test_people_are_searched_by_what_is_shown_of_them(crm: FileAdapter, text: str, found: set[str]) -> None:
    """Each word is a part of name, addresses or numbers, whatever its case; a whole number finds how it is written."""
    assert ids(crm.search_people([text])[text]) == found


def test_accounts_are_searched_by_name(crm: FileAdapter) -> None:
    """Each word is a part of the name; an account without a name is not found."""
    found = crm.search_accounts(["sa buy", "other"])
    assert {key: ids(accounts) for key, accounts in found.items()} == {"sa buy": {"A1"}, "other": set()}


@pytest.mark.parametrize("text", ["elodie", "E\u0301LODIE", "Élodie", "strasse"])
def test_a_search_compares_texts_as_the_rules_do(path: Path, text: str) -> None:
    """Accents, however they are encoded, case and forms of letters make no difference."""
    people = [
        {"kind": "contact", "id": "C1", "name": "Élodie Straße"},
        {"kind": "contact", "id": "C2", "name": "Other"},
    ]
    path.write_text(json.dumps({"people": people}), encoding="utf-8")
    assert ids(adapter(path).search_people([text])[text]) == {"C1"}


def test_a_search_for_accents_alone_finds_nobody(path: Path) -> None:
    """Nothing of it is left to compare."""
    path.write_text(json.dumps({"people": [{"kind": "contact", "id": "C1", "name": "Zoë"}]}), encoding="utf-8")
    assert adapter(path).search_people(["\u0301" * 3]) == {"\u0301" * 3: ()}


def test_a_search_gives_fifty_at_most(path: Path) -> None:
    """Of many that match, the first fifty are given."""
    many = [{"kind": "contact", "id": f"C{number}", "name": "Many"} for number in range(60)]
    path.write_text(json.dumps({"people": many}), encoding="utf-8")
    assert len(adapter(path).search_people(["many"])["many"]) == 50


def test_the_form_is_the_file(path: Path, crm: FileAdapter) -> None:
    """A file has no form: its address names the list, and what is known, escaped."""
    assert crm.form_address("contact", FormFields("Carl & Co", phone="+336")) == (
        f"{path.as_uri()}?name=Carl%20%26%20Co&phone=%2B336#people"
    )
    assert crm.form_address("opportunity", FormFields()) == f"{path.as_uri()}#opportunities"


@pytest.mark.parametrize("person", ["C1", "L1", "L2"])
def test_opportunities_of_people_follow_conversions(crm: FileAdapter, person: str) -> None:
    """An opportunity that names a converted lead is the contact's, and is answered to whichever id was asked for."""
    found = crm.list_opportunities([person], [], [], None)
    assert [(item.id, item.person_ids) for item in found.of_people[person]] == [("O1", ("C1",))]


@pytest.mark.parametrize("person", ["L3", "L4", "C9"])
def test_who_is_gone_has_no_opportunities(crm: FileAdapter, person: str) -> None:
    """Nobody's opportunities are nobody's: an empty answer."""
    assert crm.list_opportunities([person], [], [], None).of_people == {person: ()}


def test_opportunities_of_accounts_and_by_id(crm: FileAdapter) -> None:
    """Each account and each id has its answer; an account that is gone owns nothing, though an opportunity names it."""
    found = crm.list_opportunities([], ["A1", "A9"], ["O2", "O9"], None)
    assert ({key: ids(items) for key, items in found.of_accounts.items()}, {k: ids(v) for k, v in found.by_id.items()}) == (
        {"A1": {"O1"}, "A9": set()}, {"O2": {"O2"}, "O9": set()},
    )  # fmt: skip


def test_an_opportunity_has_its_owner_and_its_next_step(crm: FileAdapter) -> None:
    """Owner, address and next step come along; references that are gone are none."""
    by_id = crm.list_opportunities([], [], ["O1", "O2"], None).by_id
    first, second = (opportunity for key in ("O1", "O2") for opportunity in by_id[key])
    assert (first.owner_id, first.owner_email, first.next_step) == ("U1", "Ada@Seller.example ", "Quote")
    assert (second.owner_id, second.owner_email, second.account) == (None, None, None)


@pytest.mark.parametrize(
    ("zone", "since", "there"),
    [
        ("UTC", "2026-01-31T23:59:59.999999+00:00", True),
        ("UTC", "2026-02-01T00:00:00+00:00", False),
        ("Europe/Paris", "2026-01-31T22:59:59.999999+00:00", True),
        ("Europe/Paris", "2026-01-31T23:00:00+00:00", False),
    ],
)
def test_closed_since_counts_whole_days(path: Path, zone: str, since: str, there: bool) -> None:
    """A day of closing lasts to its end in the connection's time zone."""
    found = adapter(path, zone).list_opportunities(["C2"], [], [], dt.datetime.fromisoformat(since))
    assert bool(found.of_people["C2"]) is there


def test_activities_are_found_by_key_in_any_kind(crm: FileAdapter) -> None:
    """The key field and the last line of a body both carry a key; time and people do not matter then."""
    assert {key: item.key for key, item in candidates(crm, call_id="aircall:1").items()} == {
        "T1": "aircall:1", "T2": "aircall:1",
    }  # fmt: skip


def test_keys_compare_exactly(crm: FileAdapter) -> None:
    """Another case, or a part of it, is another key."""
    assert [candidates(crm, call_id=key) for key in ("Aircall:1", "aircall:", "aircall:11")] == [{}, {}, {}]


@pytest.mark.parametrize("field", [None, "", "  "])
def test_a_blank_key_field_leaves_the_key_to_the_body(field: str | None) -> None:
    """What is blank is missing."""
    assert key_of(field, "Good talk.\nref: aircall:1\n") == "aircall:1"


@pytest.mark.parametrize("person", ["C1", "L1", "L2"])
def test_look_alikes_share_a_person_and_the_time(crm: FileAdapter, person: str) -> None:
    """Whoever was converted, what starts within 15 minutes, or lies on a day near by, is a candidate."""
    assert set(candidates(crm, person)) == {"T3", "T5"}


def test_an_activity_is_answered_whole(crm: FileAdapter) -> None:
    """People (as they are named), opportunity and account come as records."""
    activity = candidates(crm, "C1")["T3"]
    assert ([person.id for person in activity.people], ids(activity.opportunities), ids(activity.accounts)) == (
        ["L1"], {"O1"}, {"A1"},
    )  # fmt: skip


def test_references_of_an_activity_that_are_gone_are_left_out(crm: FileAdapter) -> None:
    """A deleted person, opportunity, account or owner is no association."""
    activity = candidates(crm, call_id="aircall:1")["T1"]
    assert (ids(activity.people), activity.opportunities, activity.accounts, activity.owner_id) == (
        {"C2"},
        (),
        (),
        None,
    )


def test_a_change_by_another_hand_is_seen(crm: FileAdapter, path: Path) -> None:
    """The file is read again when somebody changed it."""
    assert crm.find_contacts_by_email(["new@buyer.example"])["new@buyer.example"] == ()
    path.write_text(
        json.dumps({"people": [{"kind": "contact", "id": "C7", "emails": ["new@buyer.example"]}]}), encoding="utf-8"
    )
    assert ids(crm.find_contacts_by_email(["new@buyer.example"])["new@buyer.example"]) == {"C7"}


def test_a_path_that_is_none_is_refused_in_plain_words() -> None:
    """The message names connection and key, and no class of Python."""
    with pytest.raises(ConfigurationError, match=r"^connection acme \(file\): settings\.path should be a path\. "):
        bind(FILE, {"path": 3}, ConnectionInfo("acme"))


PERSON_IDS = st.sampled_from(["P0", "P1", "P2", "P3", "gone"])


@given(
    st.lists(st.tuples(st.sampled_from(["contact", "lead"]), PERSON_IDS), min_size=4, max_size=4),
    st.lists(PERSON_IDS, max_size=4),
)
def test_conversions_end_at_somebody_who_is_there(people: list[tuple[str, str]], named: list[str]) -> None:
    """Whatever the chains, a final id is there, is not converted, and is its own; opportunities name only such."""
    records = [{"kind": kind, "id": f"P{n}", "converted_contact_id": to} for n, (kind, to) in enumerate(people)]
    deal = {"id": "O1", "created_at": "2026-02-01T00:00:00Z", "contact_ids": named}
    index = WorldIndex(parse_world({"people": records, "opportunities": [deal]}), PhoneReader([]))
    ends = {end for person_id in index.people if (end := index.final_id(person_id))}
    assert all(index.final_id(end) == end and not index.people[end].converted for end in ends)
    assert set(index.opportunities["O1"].person_ids) <= ends
