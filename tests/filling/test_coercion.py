"""Values as they were said, and what a field of the CRM gets of them: tables that say what is read, and what is refused."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from connector_core.errors import ConfigurationError
from connector_core.filling.coercion import Context, Refused, coerce, same, shown
from connector_core.model import Choice, FieldDescription, FieldType

WEDNESDAY = dt.datetime(2026, 11, 18, 9, 0, tzinfo=dt.UTC)


def field(kind: FieldType, crm_type: str = "", **more: Any) -> FieldDescription:
    return FieldDescription("f", "F", kind, crm_type, **more)


def context(*regions: str, **more: Any) -> Context:
    return Context(**{"said_at": WEDNESDAY, "time_zone": "Europe/Paris", "regions": regions, **more})


def read(value: Any, of: FieldDescription, within: Context) -> Any:
    """Coerce a value; :class:`Refused` for one that is refused, whatever the reason."""
    found = coerce(value, of, within)
    return Refused if isinstance(found, Refused) else found


def why(value: Any, of: FieldDescription, within: Context) -> str:
    """Give the reason why a value is refused."""
    found = coerce(value, of, within)
    assert isinstance(found, Refused), found
    return found.detail


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("1234", 1234),
        ("1234.50", 1234.5),
        ("1 234,56 €", 1234.56),
        ("1\u202f234,56\u00a0€", 1234.56),
        ("1.234,56", 1234.56),
        ("1,234.56", 1234.56),
        ("1'234.50", 1234.5),
        ("1’234’567", 1234567),
        ("1.234.567", 1234567),
        ("12,34,567.89", 1234567.89),
        ("1,5", 1.5),
        (".5", 0.5),
        ("0,123", 0.123),
        ("1234,567", 1234.567),
        ("-5", -5),
        ("−5", -5),
        ("+5", 5),
        ("$-5", -5),
        ("-$5", -5),
        ("(5.50)", -5.5),
        ("12.", 12),
        ("٣٤", 34),
        ("12k", 12_000),
        ("€12k", 12_000),
        ("12 k€", 12_000),
        ("12 kEUR", 12_000),
        ("1.5M", 1_500_000),
        ("$5m", 5_000_000),
        ("$1.5B", 1_500_000_000),
        ("US$ 1,200.50", 1200.5),
        ("1 200 EUR", 1200),
        ("CHF 1'200.–", 1200),
        ("3,-- €", 3),
        ("3 Mio. EUR", 3_000_000),
        ("2 millions d'euros", 2_000_000),
        ("1,2 Mrd €", 1_200_000_000),
        ("4 mil millones de euros", 4_000_000_000),
        ("12 000 dollars", 12_000),
        ("12 00", Refused),
        ("1,23,4", Refused),
        ("1.234,567.8", Refused),
        ("12 km", Refused),
        ("about 12", Refused),
        ("between 5 and 7", Refused),
        ("5-7", Refused),
        ("- 5", Refused),
        ("5m", Refused),
        ("2 billion", Refused),
        ("½", Refused),
        ("12²", Refused),
        ("1e5", Refused),
        ("12 all", Refused),
        ("12 %", Refused),
        ("twelve", Refused),
        ("€", Refused),
        ("9" * 18, 999_999_999_999_999_999),
        ("9" * 19, Refused),
        ("1" + "0" * 18, Refused),
    ],
)
def test_a_number_is_read_as_people_write_it(said: str, number: Any) -> None:
    """Without any region: what says itself what it means is read, and nothing else."""
    assert read(said, field("number"), context()) == number


@pytest.mark.parametrize(
    ("said", "regions", "number"),
    [
        ("1,234", ("US",), 1234),
        ("1,234", ("US", "GB"), 1234),
        ("1,234", ("FR",), 1.234),
        ("1,234", ("FR", "DE"), 1.234),
        ("1,234", ("US", "FR"), Refused),
        ("1,234", ("CA",), Refused),
        ("1,234", (), Refused),
        ("1,234", ("nowhere",), Refused),
        ("1.234", ("DE",), 1234),
        ("1.234", ("US",), 1.234),
        ("1.234", ("FR",), Refused),
        ("1.234", ("CH",), Refused),
        ("(1,234)", ("US",), -1234),
        ("1,234 %", ("US",), Refused),
    ],
)
def test_regions_decide_which_mark_is_the_decimal_one(said: str, regions: tuple[str, ...], number: Any) -> None:
    """If all languages that are official there agree, and only then."""
    assert read(said, field("number"), context(*regions)) == number


@pytest.mark.parametrize(
    ("said", "crm_type", "number"),
    [
        ("12 %", "percent", 12),
        ("12,5 pour cent", "percent", 12.5),
        ("12", "percent", 12),
        (12, "percent", 12),
        ("12 %", "percentage", 0.12),
        ("150 %", "percentage", 1.5),
        ("0.12", "percentage", 0.12),
        (0.12, "percentage", 0.12),
        ("12", "percentage", Refused),
        ("1", "percentage", Refused),
        (1, "percentage", 1),
        ("12 € %", "percent", Refused),
        ("12 Prozent", "double", Refused),
        ("12.5", "int", Refused),
        ("12.0", "int", 12),
        (2**31 - 1, "int", 2**31 - 1),
        (2**31, "int", Refused),
        (-(2**31), "int", -(2**31)),
        (-(2**31) - 1, "int", Refused),
        (2**31, "long", 2**31),
        (0.5, "long", Refused),
        (True, "double", Refused),
        (float("nan"), "double", Refused),
        (float("inf"), "double", Refused),
        (10**400, "double", Refused),
    ],
)
def test_a_number_is_brought_to_the_kind_of_its_field(said: Any, crm_type: str, number: Any) -> None:
    """Salesforce keeps 12 for 12 %, HubSpot 0.12; a whole number has no fraction."""
    assert read(said, field("number", crm_type), context()) == number


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("2026-03-02", "2026-03-02"),
        ("2026/3/2", "2026-03-02"),
        ("3 March 2026", "2026-03-03"),
        ("March 3rd, 2026", "2026-03-03"),
        ("the 3rd of March 2026", "2026-03-03"),
        ("3-Mar-2026", "2026-03-03"),
        ("3 Mar 27", "2027-03-03"),
        ("3. März 2026", "2026-03-03"),
        ("3 de marzo de 2026", "2026-03-03"),
        ("il 3 marzo 2026", "2026-03-03"),
        ("op 3 maart 2026", "2026-03-03"),
        ("3 de março de 2026", "2026-03-03"),
        ("1er août 2026", "2026-08-01"),
        ("mardi 3 mars 2026", "2026-03-03"),
        ("mercredi 3 mars 2026", Refused),
        ("mardi, mercredi 3 mars 2026", Refused),
        ("3.4.2026", "2026-04-03"),
        ("13/04/2026", "2026-04-13"),
        ("04/13/2026", "2026-04-13"),
        ("04/04/2026", "2026-04-04"),
        ("03/04/2026", Refused),
        ("31/12/26", Refused),
        ("2026-02-30", Refused),
        ("30 février 2026", Refused),
        ("March 2026", Refused),
        ("Q3", Refused),
        ("mid-March", Refused),
        ("(le 3 mars 2026)", "2026-03-03"),
        ("", None),
        # The year left out: the next such day, unless the last one is near as well.
        ("le 3 mars", "2027-03-03"),
        ("18 November", "2026-11-18"),
        ("1 December", "2026-12-01"),
        ("3.4.", "2027-04-03"),
        ("12 novembre", Refused),
        ("20 August", Refused),
        ("19 August", "2027-08-19"),
        ("29 February", Refused),
        ("3 March next year", "2027-03-03"),
        ("le 3 mars de l'année prochaine", "2027-03-03"),
        ("12 novembre de cette année", "2026-11-12"),
        ("le 12 novembre prochain", "2027-11-12"),
        ("next 12 November", Refused),
        ("fin mars", "2027-03-31"),
        ("end of February 2028", "2028-02-29"),
        ("Ende November", "2026-11-30"),
        # Counted from the call, a Wednesday.
        ("today", "2026-11-18"),
        ("demain", "2026-11-19"),
        ("après-demain", "2026-11-20"),
        ("the day after tomorrow", "2026-11-20"),
        ("gestern", "2026-11-17"),
        ("depois de amanhã", "2026-11-20"),
        ("am Morgen", Refused),
        ("la mañana", Refused),
        ("next Monday", "2026-11-23"),
        ("lundi prochain", "2026-11-23"),
        ("el próximo lunes", "2026-11-23"),
        ("next Wednesday", "2026-11-25"),
        ("next Friday", Refused),
        ("Friday", Refused),
        ("in 3 days", "2026-11-21"),
        ("in 2 Wochen", "2026-12-02"),
        ("dentro de 3 días", "2026-11-21"),
        ("in 1 Tag", "2026-11-19"),
        ("dans 15 jours", Refused),
        ("in 2 months", Refused),
        ("3 days ago", Refused),
        ("next week", Refused),
        ("soon", Refused),
        # A time, where a day is wanted: that of Paris.
        ("2026-03-02T23:30:00Z", "2026-03-03"),
        ("2026-03-02 23:30", "2026-03-02"),
        ("demain à 14h30", "2026-11-19"),
        ("2:30 tomorrow", "2026-11-19"),
    ],
)
def test_a_day_is_read_as_people_say_it(said: str, day: Any) -> None:
    """Without any region; what may be two days is refused."""
    assert read(said, field("date"), context()) == day


@pytest.mark.parametrize(
    ("said", "regions", "day"),
    [
        ("03/04/2026", ("FR",), "2026-04-03"),
        ("03/04/2026", ("US",), "2026-03-04"),
        ("03/04/2026", ("US", "FR"), Refused),
        ("03/04/2026", ("CA",), Refused),
        ("13/04/2026", ("US",), "2026-04-13"),
        ("03/04/26", ("GB",), "2026-04-03"),
        ("31/12/99", ("GB",), "1999-12-31"),
        ("03/04", (), Refused),
        ("04/04", (), "2027-04-04"),
        ("03/04", ("DE",), "2027-04-03"),
        ("03/04", ("US",), "2027-03-04"),
        ("03.04.2026", ("US",), "2026-03-04"),
        ("03.04.2026", ("FR", "DE"), "2026-04-03"),
    ],
)
def test_regions_decide_the_order_of_day_and_month(said: str, regions: tuple[str, ...], day: Any) -> None:
    """If all of them agree, and only then."""
    assert read(said, field("date"), context(*regions)) == day


@pytest.mark.parametrize(
    ("said", "regions", "time"),
    [
        ("2026-03-02T09:00:00Z", (), "2026-03-02T09:00:00Z"),
        ("2026-03-02T09:00:00.000+0200", (), "2026-03-02T07:00:00Z"),
        ("2026-03-02 14:30", (), "2026-03-02T13:30:00Z"),
        ("2026-07-02 14:30", (), "2026-07-02T12:30:00Z"),
        ("le 3 mars à 14h30", (), "2027-03-03T13:30:00Z"),
        ("le 3 mars à 9 h", (), "2027-03-03T08:00:00Z"),
        ("3. März 2027, 14.30 Uhr", (), "2027-03-03T13:30:00Z"),
        ("3. März 2027 um 14 Uhr", (), "2027-03-03T13:00:00Z"),
        ("March 3, 2027, 2:30:15\u202fPM", (), "2027-03-03T13:30:15Z"),
        ("tomorrow at 2 p.m.", (), "2026-11-19T13:00:00Z"),
        ("tomorrow at 12 am", (), "2026-11-18T23:00:00Z"),
        ("demain à midi", (), "2026-11-19T11:00:00Z"),
        ("2:30 tomorrow", (), Refused),
        ("2:30 tomorrow", ("FR",), "2026-11-19T01:30:00Z"),
        ("2:30 tomorrow", ("US",), Refused),
        ("02:30 tomorrow", ("US",), "2026-11-19T01:30:00Z"),
        ("12:30 tomorrow", ("US",), "2026-11-19T11:30:00Z"),
        ("demain après-midi", (), Refused),
        ("tomorrow afternoon", (), Refused),
        ("14:30 UTC tomorrow", (), "2026-11-19T14:30:00Z"),
        ("14:30 EST tomorrow", (), Refused),
        ("14h30", (), Refused),
        ("25:00 tomorrow", (), Refused),
        ("13 pm tomorrow", (), Refused),
        ("0 pm tomorrow", (), Refused),
        ("12 pm tomorrow", (), "2026-11-19T11:00:00Z"),
        ("from 14:00 to 15:00 tomorrow", (), Refused),
        # A day alone is its beginning.
        ("2026-03-31", (), "2026-03-30T22:00:00Z"),
        ("03/04/2026 14:30", (), Refused),
        # The clock is put forward over the first of these, and back over the second.
        ("2026-03-29 02:30", (), Refused),
        ("2026-10-25 02:30", (), Refused),
        ("2026-10-25T02:30:00+01:00", (), "2026-10-25T01:30:00Z"),
        ("9999-12-31T23:59:59-10:00", (), Refused),
    ],
)
def test_a_time_is_one_of_the_connections_zone(said: str, regions: tuple[str, ...], time: Any) -> None:
    """Unless it names another; it is given in UTC."""
    assert read(said, field("time"), context(*regions)) == time


@pytest.mark.parametrize(
    ("said", "truth"),
    [
        (True, True),
        (1, True),
        (0.0, False),
        ("TRUE", True),
        ("yes", True),
        ("Oui.", True),
        ("Ja!", True),
        ("Sí", True),
        ("não", False),
        ("nee", False),
        ("0", False),
        (2, Refused),
        ("maybe", Refused),
        ("yes and no", Refused),
    ],
)
def test_yes_and_no_are_read_in_words(said: Any, truth: Any) -> None:
    """In seven languages."""
    assert read(said, field("boolean"), context()) is truth


def test_a_field_may_have_words_of_its_own_for_yes_and_no() -> None:
    """As HubSpot's properties of yes and no, which have labels."""
    of = field("boolean", values=(Choice("true", "Signed"), Choice("false", "Not yet")))

    assert [coerce(said, of, context()) for said in ("signed", "not yet", "no")] == [True, False, False]


SECTORS = (
    Choice("retail", "Détail — commerce"),
    Choice("food", "Food, drinks"),
    Choice("old", "Ancien", active=False),
    Choice("n1", "Nord"),
    Choice("n2", "NORD"),
    Choice("a", "Class A"),
    Choice("a-", "Class A-"),
    Choice("low", "high"),
    Choice("high", "low"),
)


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("retail", "retail"),
        ("RETAIL", "retail"),
        ("Détail — commerce", "retail"),
        ("detail  -  COMMERCE", "retail"),
        ("n1", "n1"),
        ("nord", Refused),
        ("Détail commerce", "retail"),
        ("A", "a"),
        ("a-", "a-"),
        ("low", "low"),
        ("HIGH", Refused),
        ("Ancien", Refused),
        ("old", Refused),
        ("banking", Refused),
    ],
)
def test_a_choice_is_found_by_value_or_label(said: str, value: Any) -> None:
    """Case, accents, dashes and doubled blanks aside; what is not offered any more, or may be two values, is refused."""
    assert read(said, field("choice", values=SECTORS, restricted=True), context()) == value


def test_a_choice_that_is_free_takes_other_text() -> None:
    """What is none of its values is taken as it was said, on one line."""
    assert coerce("Banking\nand more", field("choice", values=SECTORS), context()) == "Banking and more"


@pytest.mark.parametrize(
    ("controlling", "stage"),
    [("new", "1"), ("renewal", "2"), (None, Refused), ("other", Refused), ("", Refused), (True, Refused)],
)
def test_a_choice_depends_on_the_field_above_it(controlling: Any, stage: Any) -> None:
    """Of two values of one label the one is meant that goes with it; without knowing it, either may be."""
    stages = (Choice("1", "Won", only_with=("new",)), Choice("2", "Won", only_with=("renewal",)))
    of = field("choice", values=stages, restricted=True, controlled_by="pipeline")

    assert read("won", of, context(controlling=controlling)) == stage


def test_a_checkbox_may_stand_above_a_choice() -> None:
    """Its values are true and false."""
    of = field("choice", values=(Choice("1", "Won", only_with=("true",)),), restricted=True, controlled_by="Open__c")

    assert coerce("won", of, context(controlling=True)) == "1"
    assert why("won", of, context(controlling=False)) == '"won" does not go with "false", the value of Open__c'
    assert why("won", of, context(controlling="")) == '"won" cannot be chosen while Open__c is empty'


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ("food; retail", "retail;food"),
        ("retail, n1", "retail;n1"),
        ("Food, drinks", "food"),
        ("n1\nfood, drinks\nretail", "retail;food;n1"),
        (["n1", "retail, food", "retail"], "retail;food;n1"),
        (";;", None),
        ([], None),
        (["", " "], None),
    ],
)
def test_several_choices_come_in_the_order_of_the_field(said: Any, values: str | None) -> None:
    """From a list, or a text with signs between; a label may have a comma."""
    assert coerce(said, field("choices", values=SECTORS, restricted=True), context()) == values


def test_one_wrong_choice_is_named() -> None:
    """None of the others is taken without it."""
    detail = why("retail; banking", field("choices", values=SECTORS[:2], restricted=True), context())

    assert detail == ('"banking" is none of the field\'s values, which are "Détail — commerce", "Food, drinks"')


@pytest.mark.parametrize(
    ("said", "crm_type", "text"),
    [
        (" one\r\ntwo ", "textarea", "one\ntwo"),
        (" one\r\n\r\n two ", "string", "one two"),
        ("a\x00b\ud800c", "string", "abc"),
        (["one", "two"], "textarea", "one\ntwo"),
        (["one", "two"], "string", "one, two"),
        (12.0, "string", "12"),
        (1e-7, "string", "0.0000001"),
        (True, "string", "true"),
        ("\x00", "string", None),
        ("  ", "textarea", None),
        (None, "textarea", None),
    ],
)
def test_text_is_taken_as_it_is(said: Any, crm_type: str, text: str | None) -> None:
    """But for what nothing can store, and for line breaks where the field has one line; blank text says nothing."""
    assert coerce(said, field("text", crm_type), context()) == text


@pytest.mark.parametrize("crm_type", ["html", "richtextarea"])
def test_rich_text_is_what_was_said_as_html(crm_type: str) -> None:
    """Lines stay lines, and a sign of HTML is no tag."""
    assert (
        coerce(" a < b & c\r\n<b>it's</b>\n", field("text", crm_type), context())
        == "a &lt; b &amp; c<br>&lt;b&gt;it's&lt;/b&gt;"
    )


def test_html_is_counted_with_the_names_of_its_characters() -> None:
    """Those of quotes too, as Salesforce keeps them: five and six characters."""
    said, of = "<'\">", field("text", "richtextarea", length=19)

    assert why(said, replace(of, length=18), context()) == "The text has 19 characters, and the field takes 18"
    assert coerce(said, of, context()) == "&lt;'\"&gt;"


@pytest.mark.parametrize("kind", ["text", "other", "choice"])
def test_what_is_too_long_is_never_cut(kind: FieldType) -> None:
    """It is told how long it is, and may be; an emoji counts twice, as the services count."""
    found = coerce("abcd😀", field(kind, length=5), context())

    assert found == Refused("too_long", "The text has 6 characters, and the field takes 5")


@pytest.mark.parametrize(
    ("said", "crm_type", "value"),
    [
        ("ada@office.example", "email", "ada@office.example"),
        ("Ada Agent <Ada@Office.example>", "email", "ada@office.example"),
        ("mailto:ada@office.example", "email", "ada@office.example"),
        ("ada at office dot example", "email", Refused),
        ("ada@office", "email", Refused),
        ("a@office.example, b@office.example", "email", Refused),
        ("06 12 34 56 78", "phone", "+33612345678"),
        ("+1 (415) 555-0100", "phone", "+14155550100"),
        (33612345678, "phone", "+33612345678"),
        ("12", "phone", Refused),
        ("office.example/prices", "url", "https://office.example/prices"),
        ("http://office.example:8080/?a=b", "url", "http://office.example:8080/?a=b"),
        ("ftp://office.example", "url", Refused),
        ("javascript:alert(1)", "url", Refused),
        ("https://[", "url", Refused),
        ("our website", "url", Refused),
        ("https://office.example/our prices", "url", Refused),
        ("office", "url", Refused),
    ],
)
def test_addresses_are_checked(said: Any, crm_type: str, value: Any) -> None:
    """A number comes in E.164, a bare host with https."""
    assert read(said, field("text", crm_type), context("FR")) == value


@pytest.mark.parametrize(
    ("said", "record"),
    [
        ("Globex", "A1"),
        ("GLOBEX ", "A1"),
        ("globéx", "A1"),
        ("A1", "A1"),
        ("Acme", Refused),
        ("Nobody", Refused),
        ("a1", Refused),
    ],
)
def test_a_reference_is_the_one_record_of_a_name(said: str, record: Any) -> None:
    """None is refused, and so are several; an id that was found for a name stays."""
    assert read(said, field("reference"), context(names={"globex": ("A1",), "acme": ("A2", "A3")})) == record


@pytest.mark.parametrize(
    ("said", "of", "detail"),
    [
        (
            "1,234",
            field("number"),
            '"1,234" may be one of two numbers: write it without a mark between thousands, and with decimals if it has any',
        ),
        ("03/04/2026", field("date"), '"03/04/2026" may be one of two days: write it like 2026-03-31'),
        ("12 novembre", field("date"), '"12 novembre" may be the last one, or the next: say its year'),
        ("Friday", field("date"), '"Friday" may be the last one, or the next: say which day of the month'),
        ("29 February", field("date"), '"29 February" is no day of the coming year: say its year'),
        ("31 April", field("date"), '"31 April" is no day'),
        ("0 March 2027", field("date"), '"0 March 2027" is no day'),
        ("March 2027", field("date"), '"March 2027" says no day of the month'),
        ("14h30", field("time"), '"14h30" says no day'),
        (5, field("date"), '"5" is a number, and the field takes a day'),
        (
            "2026-03-29 02:30",
            field("time"),
            '"2026-03-29 02:30" does not exist in Europe/Paris: the clock is put forward over it',
        ),
        (
            "2026-10-25 02:30",
            field("time"),
            '"2026-10-25 02:30" comes twice in Europe/Paris: the clock is put back over it',
        ),
        ("nord", field("choice", values=SECTORS), '"nord" may be any of "Nord" (n1), "NORD" (n2)'),
        ("Ancien", field("choice", values=SECTORS), '"Ancien" is a value that is not offered any more'),
        (
            "no",
            field("choice", values=tuple(Choice(it, it) for it in "abcdefghij"), restricted=True),
            '"no" is none of the field\'s values, which are "a", "b", "c", "d", "e", "f", "g", "h" and 2 more',
        ),
        ("no", field("choice", restricted=True), '"no" is none of the field\'s values'),
        ("12", field("text", "phone"), '"12" is no phone number with its country, like +33'),
        ("Acme", field("reference"), '"Acme" is the name of 2 records; say which one is meant'),
        (["a", "b"], field("boolean"), '"a; b" are several values, and the field takes one'),
        (10**400, field("number"), "A number of some hundred digits is more than the field can hold: 18 digits"),
    ],
)
def test_a_person_understands_what_is_wrong(said: Any, of: FieldDescription, detail: str) -> None:
    """It is said what was got, and what to do."""
    assert why(said, of, context(names={"acme": ("A2", "A3")})) == detail


def test_little_of_a_value_is_quoted() -> None:
    """Forty characters at most, on one line."""
    assert why("x" * 30 + "\n" + "y" * 900, field("number"), context()).split('"')[1] == "x" * 30 + " " + "y" * 8 + "…"


def test_a_time_zone_that_is_none_is_a_wrong_configuration() -> None:
    """No value is to blame for it."""
    with pytest.raises(ConfigurationError, match="time_zone"):
        coerce("today", field("date"), context(time_zone="Mars/Olympus"))


@pytest.mark.parametrize(
    ("one", "other", "of"),
    [
        (1234.5, "1234.50", field("number")),
        (10_000_000, "1.0E7", field("number")),
        (True, "true", field("boolean")),
        (False, "False", field("boolean")),
        ("a;b", "b; a", field("choices")),
        ("n1;retail", ";retail;n1", field("choices", values=SECTORS)),
        ("2026-03-02", "1772409600000", field("date")),
        ("2026-03-02", "2026-03-02T00:00:00Z", field("date")),
        ("2026-03-02T09:00:00Z", "2026-03-02T09:00:00.000+0000", field("time")),
        ("2026-03-02T09:00:00Z", "2026-03-02T10:00:00+01:00", field("time")),
        ("2026-03-02T09:00:00Z", "1772442000000", field("time")),
        ("one\ntwo", " one\r\ntwo ", field("text", "textarea")),
        ("one two", "one\r\ntwo", field("text", "string")),
        ('it\'s<br>"1"', "<p>it&#39;s</p><p>&quot;1&quot;</p>", field("text", "html")),
        ("one<br><br>two", "<div>one</div>\n<p><br/></p><P class='x'>two</P>", field("text", "html")),
        (None, "<p><br></p>", field("text", "html")),
        ("ada@office.example", "Ada@Office.example", field("text", "email")),
        ("+33612345678", "06 12 34 56 78", field("text", "phone")),
        (None, " ", field("text")),
        (None, "", field("number")),
    ],
)
def test_values_are_the_same_in_any_form_that_crms_show(one: Any, other: Any, of: FieldDescription) -> None:
    """Numbers, truths and times as text, choices in any order, milliseconds since 1970; blank is nothing."""
    assert same(one, other, of, context("FR"))


@pytest.mark.parametrize(
    ("one", "other", "of"),
    [
        ("0123", "123", field("text")),
        ("One", "one", field("text")),
        ("one\ntwo", "one two", field("text", "textarea")),
        ("one", "<b>one</b>", field("text", "html")),
        ("one", "<pre>one</pre>", field("text", "html")),
        ("one<br>two", "one\ntwo", field("text", "html")),
        ("&lt;br&gt;", "<br>", field("text", "html")),
        (1, 2, field("number")),
        (1, "1 €", field("number")),
        (0, None, field("number")),
        ("unknown", None, field("number")),
        (False, None, field("boolean")),
        ("a", "a;b", field("choices")),
        ("a", "A", field("choice")),
        ("2026-03-02", "2026-03-03", field("date")),
        ("2026-03-02T09:00:00Z", "2026-03-02T09:00:00+02:00", field("time")),
        ("+33612345678", "+33612345679", field("text", "phone")),
        ("+33612345678", "+33612345678 ext. 5", field("text", "phone")),
    ],
)
def test_other_values_are_not_the_same(one: Any, other: Any, of: FieldDescription) -> None:
    """Nothing is taken for the same that somebody may have changed on purpose."""
    assert not same(one, other, of, context("FR"))


def test_what_the_crm_shows_is_read_without_regions() -> None:
    """Its numbers have a point and no mark between thousands, wherever the connection is."""
    assert shown("1.234", field("number"), context("DE")) == 1.234
    assert coerce("1.234", field("number"), context("DE")) == 1234
