"""What the sandbox answers to SOQL and SOSL."""

# ruff: noqa: S608 - what these tests put into queries is their own

from __future__ import annotations

from typing import Any

import pytest
from connector_salesforce.sandbox.ids import checked, full_id, make_id
from connector_salesforce.sandbox.soql import parse
from connector_salesforce.sandbox.syntax import Compare
from hypothesis import given
from hypothesis import strategies as st

PEOPLE = [
    {"kind": "contact", "id": "C1", "name": "Ada Bee", "emails": ["ada@x.example"], "title": "CTO", "account_id": "A1"},
    {"kind": "contact", "id": "C2", "name": "Bo O'Neil", "emails": ["bo@x.example"]},
    {"kind": "contact", "id": "C3", "name": "100% Cy", "title": "CEO", "account_id": "A1"},
]
WORLD: dict[str, Any] = {"accounts": [{"id": "A1", "name": "Buyer SA"}], "people": PEOPLE}


@pytest.fixture
def people(serve: Any) -> Any:
    """Give a client of a world of three contacts."""
    return serve(WORLD)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Email = 'ADA@X.example'", ["C1"]),
        ("Email != 'ada@x.example'", ["C2", "C3"]),
        ("Email IN ('ada@x.example','bo@x.example')", ["C1", "C2"]),
        ("Email NOT IN ('ada@x.example')", ["C2", "C3"]),
        ("Email = null", ["C3"]),
        ("Email = ''", ["C3"]),
        ("Email != NULL AND Title = 'cto'", ["C1"]),
        ("Title = 'CTO' OR Title = 'CEO'", ["C1", "C3"]),
        ("NOT Title = 'CTO'", ["C2", "C3"]),
        ("(Title = 'CTO' OR Title = 'CEO') AND Email = null", ["C3"]),
        ("NOT (Title = 'CTO' OR Title = null)", ["C3"]),
        ("Name LIKE '%o%'", ["C2"]),
        ("Name LIKE 'ada b__'", ["C1"]),
        (r"Name LIKE '100\% %'", ["C3"]),
        (r"Name LIKE '1\%%'", []),
        (r"LastName = 'O\'Neil'", ["C2"]),
        ("Account.Name = 'buyer sa'", ["C1", "C3"]),
        ("Account.Name = null", ["C2"]),
        ("Contact.Title >= 'CTO'", ["C1"]),
        ("CreatedDate > 2020-01-01T00:00:00Z", ["C1", "C2", "C3"]),
        ("CreatedDate < 2020-01-01T00:00:00+01:00", []),
        ("CreatedDate >= YESTERDAY", ["C1", "C2", "C3"]),
        ("IsDeleted = false", ["C1", "C2", "C3"]),
        ("AccountId IN (SELECT Id FROM Account WHERE Name LIKE 'Buyer%')", ["C1", "C3"]),
        ("Id NOT IN (SELECT ContactId FROM OpportunityContactRole)", ["C1", "C2", "C3"]),
    ],
)
def test_a_condition_holds_for_the_right_records(people: Any, where: str, found: list[str]) -> None:
    """Text compares without case, null compares as a value, LIKE takes wildcards, parentheses group."""
    rows = people.rows(f"SELECT Id FROM Contact WHERE {where}")
    assert [row["Id"] for row in rows] == [people.ids[name] for name in found]


@pytest.mark.parametrize(
    ("soql", "code", "says"),
    [
        (
            "SELECT Id FROM Contact WHERE Title = 'a' AND Email = 'b' OR Name = 'c'",
            "MALFORMED_QUERY",
            "unexpected token: 'OR'",
        ),
        ("SELECT Id FROM Contact WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Contact WHERE Id IN ()", "MALFORMED_QUERY", "unexpected token: ')'"),
        ("SELECT Id FROM Contact WHERE Title = 'a", "MALFORMED_QUERY", "no viable alternative"),
        ("SELECT Nope FROM Contact", "INVALID_FIELD", "No such column 'Nope' on entity 'Contact'. If you are"),
        ("SELECT Account.Nope FROM Contact", "INVALID_FIELD", "No such column 'Nope' on entity 'Account'."),
        ("SELECT Boss.Name FROM Contact", "INVALID_FIELD", "Didn't understand relationship 'Boss' in field path."),
        ("SELECT Id FROM Nope", "INVALID_TYPE", "sObject type 'Nope' is not supported."),
        ("SELECT Id, (SELECT Id FROM Nopes) FROM Contact", "INVALID_TYPE", "Didn't understand relationship 'Nopes'"),
        ("SELECT Id FROM Task WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered in a query call"),
        ("SELECT Id FROM Event WHERE Description LIKE '%x'", "INVALID_FIELD", "can not be filtered in a query call"),
        ("SELECT Id FROM Contact ORDER BY Description", "INVALID_FIELD", "can not be sorted in a query call"),
        ("SELECT Id FROM Contact WHERE Id = 'x'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: x"),
        ("SELECT Id FROM Contact WHERE Title = 1", "INVALID_FIELD", "should be enclosed in quotes"),
        ("SELECT Id FROM Contact WHERE IsDeleted = 'true'", "INVALID_FIELD", "must be of type boolean"),
        ("SELECT Id FROM Contact WHERE CreatedDate > '2020-01-01'", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Contact WHERE CreatedDate > 2020-01-01", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id, Id FROM Contact", "INVALID_FIELD", "duplicate field selected: Id"),
        ("SELECT Id FROM ContentDocumentLink", "MALFORMED_QUERY", "requires a filter by a single Id"),
        ("SELECT TaskWhoIds FROM Task", "INVALID_FIELD", "No such column 'TaskWhoIds'"),
        (
            "SELECT Id FROM Contact WHERE Name = 'a' OR AccountId IN (SELECT Id FROM Account)",
            "MALFORMED_QUERY",
            "not allowed with the 'OR' operator",
        ),
    ],
)
def test_a_wrong_query_is_refused(people: Any, soql: str, code: str, says: str) -> None:
    """The code and the sentence are the service's, the status 400."""
    answer = people.send("GET", "query/", params={"q": soql})
    error = answer.json()[0]
    assert (answer.status_code, error["errorCode"], says in error["message"]) == (400, code, True), error["message"]


@pytest.mark.parametrize(
    "soql",
    [
        "SELECT Title, COUNT(Id) FROM Contact GROUP BY Title",
        "SELECT c.Id FROM Contact c",
        "SELECT FIELDS(ALL) FROM Contact LIMIT 1",
        "SELECT Id FROM Contact WHERE CreatedDate = LAST_N_DAYS:3",
        "SELECT Id FROM Case",
        "SELECT CleanStatus FROM Contact",
        "SELECT Id FROM Contact WHERE Account.YearStarted = '1999'",
        "SELECT Id FROM Contact FOR VIEW",
    ],
)
def test_what_the_sandbox_does_not_speak_is_501(people: Any, soql: str) -> None:
    """It says so instead of guessing."""
    answer = people.send("GET", "query/", params={"q": soql})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (501, "NOT_IMPLEMENTED")


def test_a_query_of_100_001_characters_is_refused(people: Any) -> None:
    """A composite holds it, the service does not."""
    soql = f"SELECT Id FROM Contact WHERE Title = 'a'{' ' * 100_000}"
    assert people.composite({"url": f"query?q={soql}"})[0]["body"][0]["message"].startswith(
        "SOQL statements can not be"
    )


def test_a_literal_of_4_001_characters_is_refused(people: Any) -> None:
    """A literal has 4,000 at most."""
    body = people.query(f"SELECT Id FROM Contact WHERE Title = '{'a' * 4_001}'")
    assert body[0]["errorCode"] == "MALFORMED_QUERY"


def test_an_address_of_more_than_16_384_bytes_is_414(people: Any) -> None:
    """A query that long goes into a composite."""
    addresses = ",".join(f"'{number:04}@x.example'" for number in range(900))
    answer = people.send("GET", "query/", params={"q": f"SELECT Id FROM Contact WHERE Email IN ({addresses})"})
    assert answer.status_code == 414


def test_records_come_in_the_order_that_was_asked_for(people: Any) -> None:
    """Without nulls last they come first."""
    rows = people.rows("SELECT Id FROM Contact ORDER BY Title DESC NULLS LAST, Name")
    assert [row["Id"] for row in rows] == [people.ids[name] for name in ("C1", "C3", "C2")]


def test_limit_and_offset_cut_the_result(people: Any) -> None:
    """The size is what is left."""
    body = people.query("SELECT Id FROM Contact LIMIT 1 OFFSET 1")
    assert (body["totalSize"], body["records"][0]["Id"]) == (1, people.ids["C2"])


def test_a_missing_parent_is_null(people: Any) -> None:
    """A contact without account has ``Account: null``."""
    row = people.read("Contact", people.ids["C2"], "Account.Name")
    assert row == {"Account": None}


def test_a_short_id_finds_its_record(people: Any) -> None:
    """Ids compare in both of their forms."""
    assert len(people.rows(f"SELECT Id FROM Contact WHERE Id = '{people.ids['C1'][:15]}'")) == 1


def test_a_polymorphic_reference_tells_name_and_type(client: Any) -> None:
    """Who stands for contacts and leads, as a Name."""
    who = client.read("Task", client.ids["T1"], "Who.Name, Who.Type")["Who"]
    assert (who["attributes"]["type"], who["Name"], who["Type"]) == ("Name", "Carl Customer", "Contact")


def test_pages_follow_each_other(serve: Any) -> None:
    """Every record comes once, the address of the next page is left out of the last."""
    people = [{"kind": "contact", "id": f"C{number}", "name": f"N {number}"} for number in range(450)]
    client = serve({"people": people})
    body = client.query("SELECT Id FROM Contact", headers={"Sforce-Query-Options": "batchSize=200"})
    found, sizes = list(body["records"]), [len(body["records"])]
    while not body["done"]:
        body = client.send("GET", body["nextRecordsUrl"], headers={"Sforce-Query-Options": "batchSize=200"}).json()
        found += body["records"]
        sizes.append(len(body["records"]))
    assert (sizes, len({row["Id"] for row in found}), "nextRecordsUrl" in body) == ([200, 200, 50], 450, False)


def test_records_of_child_queries_count_for_a_page(serve: Any) -> None:
    """A hundred contacts with a task each fill a page of 200."""
    people = [{"kind": "contact", "id": f"C{number}", "name": f"N {number}"} for number in range(150)]
    tasks = [{"kind": "call", "id": f"T{number}", "person_ids": [f"C{number}"]} for number in range(150)]
    client = serve({"people": people, "activities": tasks})
    soql = "SELECT Id, (SELECT Id FROM Tasks) FROM Contact"
    assert len(client.query(soql, headers={"Sforce-Query-Options": "batchSize=200"})["records"]) == 100


def test_an_old_locator_is_refused(people: Any) -> None:
    """The query has to begin again."""
    answer = people.send("GET", "query/0r8000000000099-2000")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


def test_deleted_records_are_seen_by_query_all_alone(people: Any) -> None:
    """They are in the recycle bin."""
    people.send("DELETE", f"sobjects/Contact/{people.ids['C1']}")
    soql = "SELECT COUNT() FROM Contact"
    everything = people.send("GET", "queryAll/", params={"q": soql}).json()["totalSize"]
    assert (people.query(soql)["totalSize"], everything) == (2, 3)


def test_archived_activities_are_seen_by_query_all_alone(client: Any) -> None:
    """They are neither in the recycle bin nor in the answer to a query."""
    change = {"object": "Task", "id": client.ids["T1"], "fields": {"IsArchived": True}, "delete": False}
    client.faults({"times": 1, "do": {"patch": {**change, "merge_into": None}}})
    soql = "SELECT Id FROM Task"
    everything = client.send("GET", "queryAll/", params={"q": soql}).json()["totalSize"]
    assert (client.query(soql)["totalSize"], everything) == (0, 1)


def test_deleted_records_of_child_queries_are_seen_by_query_all_alone(client: Any) -> None:
    """What is asked for with them is asked for whole."""
    (relation,) = (it for it in client.records("TaskRelation") if it["TaskId"] == client.ids["T1"])
    client.send("DELETE", f"sobjects/TaskRelation/{relation['Id']}")
    soql = "SELECT (SELECT Id FROM TaskRelations) FROM Task"
    (whole,) = client.send("GET", "queryAll/", params={"q": soql}).json()["records"]
    assert (client.rows(soql)[0]["TaskRelations"], whole["TaskRelations"]["totalSize"]) == (None, 1)


# -- searches ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("term", ["612345678", "0612345678", "000 OR 0612345678", r"06 12 34 56 78", "0612*"])
def test_a_number_is_found_by_its_digits(client: Any, term: str) -> None:
    """National digits, with or without the trunk zero, find a number that was written with blanks."""
    sosl = f"FIND {{{term}}} IN PHONE FIELDS RETURNING Contact(Id, Phone LIMIT 5), Lead(Id)"
    found = client.send("GET", "search/", params={"q": sosl}).json()["searchRecords"]
    assert [row["Id"] for row in found] == [client.ids["C1"]]


def test_a_number_with_country_code_is_found_without_it(client: Any) -> None:
    """What is stored with + is found by the national digits."""
    body = {"q": "199004120", "in": "PHONE", "sobjects": [{"name": "Lead", "fields": ["Id"]}]}
    found = client.send("POST", "parameterizedSearch", body).json()["searchRecords"]
    assert [row["Id"] for row in found] == [client.ids["L1"]]


def test_a_search_is_narrowed_by_its_clauses(client: Any) -> None:
    """The WHERE of an object leaves out what it does not hold for."""
    body = {"q": "Lead", "in": "NAME", "sobjects": [{"name": "Lead", "fields": ["Id"], "where": "IsConverted = false"}]}
    found = client.send("POST", "parameterizedSearch", body).json()["searchRecords"]
    assert [row["Id"] for row in found] == [client.ids["L1"]]


def test_an_address_is_found_whole(client: Any) -> None:
    """An e-mail address is one term, its punctuation escaped or not."""
    sosl = r"FIND {dora@buyer.example} IN EMAIL FIELDS RETURNING Contact(Id)"
    found = client.send("GET", "search/", params={"q": sosl}).json()["searchRecords"]
    assert [row["Id"] for row in found] == [client.ids["C2"]]


def test_a_long_search_loses_its_operators(client: Any) -> None:
    """Above 4,000 characters AND counts as OR."""
    words = " AND ".join(["0612345678", *(f"{number:010}" for number in range(300))])
    sosl = f"FIND {{{words}}} IN PHONE FIELDS RETURNING Contact(Id)"
    found = client.send("GET", "search/", params={"q": sosl}).json()["searchRecords"]
    assert [row["Id"] for row in found] == [client.ids["C1"]]


def test_what_was_just_written_is_hidden_from_searches(client: Any) -> None:
    """The index lags; what the seed holds is indexed."""
    client.faults({"do": {"index_lag_seconds": 60}})
    client.create("Contact", LastName="New", Phone="0612345678")
    sosl = "FIND {0612345678} IN PHONE FIELDS RETURNING Contact(Id)"
    found = client.send("GET", "search/", params={"q": sosl}).json()["searchRecords"]
    assert [row["Id"] for row in found] == [client.ids["C1"]]


def test_what_was_just_written_is_there_for_queries(client: Any) -> None:
    """SOQL has no lag."""
    client.faults({"do": {"index_lag_seconds": 60}})
    client.create("Contact", LastName="New")
    assert len(client.rows("SELECT Id FROM Contact WHERE LastName = 'New'")) == 1


# -- laws -------------------------------------------------------------------------------------------------------------


@given(st.text(max_size=50))
def test_any_text_survives_escaping(text: str) -> None:
    """A literal with its quotes and backslashes escaped is read as it was."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    condition = parse(f"SELECT Id FROM Contact WHERE Title = '{escaped}'").where
    assert isinstance(condition, Compare)
    assert isinstance(condition.values, tuple)
    assert condition.values[0].text == text


@given(st.integers(0, 62**8), st.integers(0, 62**8))
def test_ids_sort_like_their_numbers(one: int, other: int) -> None:
    """Ids grow with their numbers, and are those of one number alone."""
    assert (make_id("003", one) < make_id("003", other)) == (one < other)


@given(st.from_regex(r"[0-9A-Za-z]{15}", fullmatch=True))
def test_both_forms_of_an_id_are_one(short: str) -> None:
    """The short form and the long one read as the same id."""
    assert full_id(short) == full_id(checked(short))


@given(st.from_regex(r"[0-9A-Za-z]{15}", fullmatch=True))
def test_an_id_whose_case_was_changed_is_none(short: str) -> None:
    """The last three characters tell that the case of the others is not theirs."""
    long = checked(short)
    assert short.swapcase() == short or full_id(short.swapcase() + long[15:]) is None
