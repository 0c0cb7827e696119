"""What holds for all values, whatever was said: coercion is sure of itself, and says the same of what it gave."""

from __future__ import annotations

import datetime as dt
import unicodedata
import zoneinfo
from dataclasses import replace
from decimal import Decimal
from typing import Any, get_args

import pytest
from babel import Locale, dates, numbers
from babel.languages import get_official_languages
from hypothesis import assume, given
from hypothesis import strategies as st

from connector_core.filling.coercion import Context, Refused, coerce, same, shown
from connector_core.filling.outcomes import REASONS
from connector_core.model import Choice, FieldDescription, FieldType, FieldValue

LANGUAGES = ("en_US", "en_GB", "fr_FR", "de_DE", "de_AT", "es_ES", "it_IT", "nl_NL", "pt_PT", "pt_BR")
ZONES = ("UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata", "America/Sao_Paulo", "Pacific/Apia")
REGIONS = ("FR", "US", "GB", "DE", "CH", "CA", "IN", "BR", "nowhere")
CRM_TYPES = (
    "string",
    "textarea",
    "html",
    "email",
    "phone",
    "url",
    "int",
    "long",
    "double",
    "percent",
    "percentage",
    "other",
)
CHOICES = (
    Choice("a", "Détail — commerce"),
    Choice("b", "Food, drinks"),
    Choice("c", "Ancien", active=False),
    Choice("d", "Nord"),
    Choice("e", "NORD"),
    Choice("f", "Sud", only_with=("x",)),
    Choice("g", "h"),
    Choice("h", "g"),
)
NAMES = {"globex": ("A1",), "acme": ("A2", "A3")}
SAYINGS = (
    "1 234,56 €", "1,234", "12 %", "0.5", "-3", "12k", "2026-03-02", "03/04/2026", "le 3 mars", "fin mars", "tomorrow",
    "next Monday", "2026-10-25 02:30", "tomorrow at 2 pm", "2026-03-02T09:00:00Z", "oui", "no", "1", "nord", "a;b",
    "g;h", "H", "detail - commerce", "food, drinks", "Globex", "acme", "ada@office.example", "06 12 34 56 78",
    "office.example", "it's <b>1 & 2</b>\n\n&lt;<br>",
)  # fmt: skip

contexts = st.builds(
    Context,
    said_at=st.datetimes(timezones=st.sampled_from([dt.UTC, zoneinfo.ZoneInfo("Asia/Kolkata")])).filter(
        lambda it: 1 < it.year < 9999  # of these days no zone has the whole
    ),
    time_zone=st.sampled_from(ZONES),
    regions=st.lists(st.sampled_from(REGIONS), max_size=2).map(tuple),
    names=st.just(NAMES),
    controlling=st.sampled_from([None, "x", "y", True, 5]),
)
fields = st.builds(
    FieldDescription,
    name=st.just("f"),
    label=st.just("F"),
    type=st.sampled_from(get_args(FieldType)),
    crm_type=st.sampled_from(CRM_TYPES),
    length=st.none() | st.integers(1, 40),
    values=st.sampled_from([(), CHOICES]),
    restricted=st.booleans(),
)
anything = st.text(st.characters(exclude_categories=()))
written = st.text("0123456789.,' -+%€kM/:hTZ")
words = st.lists(st.sampled_from([word for it in SAYINGS for word in it.split()]), max_size=5).map(" ".join)
said: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**5000), 10**5000),
    st.floats(),
    st.sampled_from(SAYINGS),
    anything,
    written,
    words,
    st.lists(st.sampled_from(SAYINGS) | anything, max_size=3),
)


def given_a_value(value: Any, field: FieldDescription, context: Context) -> FieldValue:
    """Coerce what can be coerced; pass over the rest."""
    found = coerce(value, field, context)
    assume(found is not None and not isinstance(found, Refused))
    assert found is not None
    assert not isinstance(found, Refused)
    return found


@given(said, fields, contexts)
def test_what_was_coerced_stays_as_it_is(value: Any, field: FieldDescription, context: Context) -> None:
    """Coerced again it is the same, of the same type."""
    once = given_a_value(value, field, context)
    assume(field.type != "text" or field.crm_type != "html")  # there a tag that was said is none

    again = coerce(once, field, context)

    assert (type(again), again) == (type(once), once)


@given(said, fields, contexts)
def test_what_was_coerced_fits_its_field(value: Any, field: FieldDescription, context: Context) -> None:
    """By its type, its length and its values; and it can be stored."""
    found = coerce(value, field, context)
    if found is None or isinstance(found, Refused):
        return
    if isinstance(found, str):
        found.encode()
        assert found == found.strip() != ""
        assert "\x00" not in found
        if field.type in ("text", "other", "choice", "choices") and field.length is not None:
            assert len(found.encode("utf-16-le")) // 2 <= field.length
    offered = {it.value for it in field.values if it.active}
    match field.type:
        case "number":
            assert type(found) in (int, float)
            assert not (isinstance(found, float) and found.is_integer())
        case "boolean":
            assert isinstance(found, bool)
        case "date":
            assert dt.date.fromisoformat(str(found)).isoformat() == found
        case "time":
            assert f"{dt.datetime.fromisoformat(str(found)).replace(tzinfo=None).isoformat()}Z" == found
        case "choice" if field.restricted:
            assert found in offered
        case "choices" if field.restricted:
            assert set(str(found).split(";")) <= offered
        case "reference":
            assert found in ("A1", "A2", "A3")


@given(said, fields, contexts)
def test_what_is_refused_says_why(value: Any, field: FieldDescription, context: Context) -> None:
    """With a reason that there is, in a sentence that the ledger can hold, and that quotes little."""
    found = coerce(value, field, context)
    assume(isinstance(found, Refused))
    assert isinstance(found, Refused)

    assert found.reason in REASONS
    found.detail.encode()
    assert "\x00" not in found.detail
    assert "\n" not in found.detail
    assert len(found.detail) < 700


@given(st.none() | st.sampled_from(["", " ", "\x00", "\u2028\t", [], ["", " "]]), fields, contexts)
def test_blank_is_nothing(value: Any, field: FieldDescription, context: Context) -> None:
    """For every field."""
    assert coerce(value, field, context) is None


stored = st.one_of(
    said.filter(lambda it: not isinstance(it, list)), st.sampled_from(["a;b", "b;a", "true", "1.50", 1.5])
)


@given(stored, stored, stored, fields, contexts)
def test_same_is_an_equivalence(one: Any, two: Any, three: Any, field: FieldDescription, context: Context) -> None:
    """Each value is the same as itself, both ways, and across a third."""
    assert same(one, one, field, context)
    assert same(one, two, field, context) == same(two, one, field, context)
    if same(one, two, field, context) and same(two, three, field, context):
        assert same(one, three, field, context)


def crm_forms(value: Any, field: FieldDescription) -> list[Any]:
    """Give forms in which CRMs show a value."""
    if isinstance(value, bool):
        return [str(value).lower(), str(value)]
    if isinstance(value, int | float):
        return [str(value), float(value)] if abs(value) < 2**53 else [str(value)]
    if field.type == "time":
        at = dt.datetime.fromisoformat(value)
        forms = [value.replace("Z", ".000+0000"), value.replace("Z", "+00:00"), value.replace("Z", ".000Z")]
        return [*forms, str((at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(milliseconds=1))]
    if field.type == "date":
        days = (dt.date.fromisoformat(value) - dt.date(1970, 1, 1)).days
        return [str(days * 86_400_000), f"{value}T00:00:00Z"]
    if field.type == "choices":
        return [";".join(reversed(value.split(";"))), f";{value}"]
    return [f" {value}\r\n", value.replace("\n", "\r\n")]


@given(said, fields, contexts)
def test_a_value_is_the_same_as_the_crm_shows_it(value: Any, field: FieldDescription, context: Context) -> None:
    """In all forms that CRMs have for it; read back it is what was sent, and never nothing."""
    found = given_a_value(value, field, context)

    forms = [found, *crm_forms(found, field)]
    assert [it for it in forms if not same(found, it, field, context)] == []
    assert {(type(it), it) for form in forms for it in [shown(form, field, context)]} == {(type(found), found)}
    assert not same(found, None, field, context)


@given(st.sampled_from(LANGUAGES), st.decimals(-(10**9), 10**9, places=2))
def test_a_number_as_any_locale_formats_it(language: str, number: Decimal) -> None:
    """Is read as that number under its region."""
    text = numbers.format_decimal(number, locale=language)
    context = Context(dt.datetime(2026, 3, 2, tzinfo=dt.UTC), regions=(language[-2:],))

    assert coerce(text, FieldDescription("f", "F", "number", "double"), context) == float(number)


@given(st.sampled_from(LANGUAGES), st.decimals(-(10**9), 10**9, places=2), st.sampled_from(["EUR", "USD", "CHF"]))
def test_an_amount_as_any_locale_formats_it(language: str, number: Decimal, currency: str) -> None:
    """With the currency's sign or code before or behind it: that one is taken, and no other."""
    text = numbers.format_currency(number, currency, locale=language)
    context = Context(dt.datetime(2026, 3, 2, tzinfo=dt.UTC), regions=(language[-2:],), currency=currency)
    field = FieldDescription("f", "F", "number", "currency")

    assert coerce(text, field, context) == float(number)
    assert isinstance(coerce(text, field, replace(context, currency="SEK")), Refused)


@given(
    st.sampled_from(LANGUAGES),
    st.dates(dt.date(1990, 1, 1), dt.date(2060, 1, 1)),
    st.sampled_from(["full", "long", "medium", "short"]),
)
def test_a_day_as_any_locale_formats_it(language: str, day: dt.date, form: Any) -> None:
    """In full, long, medium and short forms, under its region."""
    text = dates.format_date(day, form, locale=language)
    context = Context(dt.datetime(2026, 3, 2, tzinfo=dt.UTC), regions=(language[-2:],))

    assert coerce(text, FieldDescription("f", "F", "date", "date"), context) == day.isoformat()


@given(
    st.sampled_from(LANGUAGES),
    st.dates(dt.date(1990, 1, 1), dt.date(2060, 1, 1)),
    st.times(),
    st.sampled_from(["long", "medium"]),
)
def test_a_time_as_any_locale_formats_it(language: str, day: dt.date, time: dt.time, form: Any) -> None:
    """With its day, in long and medium forms, under its region."""
    text = f"{dates.format_date(day, form, locale=language)} {dates.format_time(time, 'medium', locale=language)}"
    context = Context(dt.datetime(2026, 3, 2, tzinfo=dt.UTC), regions=(language[-2:],))

    wanted = f"{day.isoformat()}T{time.isoformat('seconds')}Z"
    assert coerce(text, FieldDescription("f", "F", "time", "datetime"), context) == wanted


def odd_case(text: str, up: bool) -> str:
    """Write a label as somebody may say it: another case, without accents, with other dashes and blanks."""
    plain = "".join(it for it in unicodedata.normalize("NFD", text) if not unicodedata.combining(it))
    return (plain.upper() if up else plain.lower()).replace("—", "-").replace(" ", " \u00a0")


@given(st.lists(st.sampled_from(["a", "b"]), min_size=1, unique=True), st.booleans())
def test_choices_are_found_by_label_whatever_case_and_accents(values: list[str], up: bool) -> None:
    """Alone, and among others."""
    labels = {it.value: it.label for it in CHOICES}
    context = Context(dt.datetime(2026, 3, 2, tzinfo=dt.UTC))
    several = FieldDescription("f", "F", "choices", "multipicklist", values=CHOICES, restricted=True)
    texts = [odd_case(labels[it], up) for it in values]

    assert coerce(texts, several, context) == coerce("; ".join(texts), several, context) == ";".join(sorted(values))
    assert coerce(texts[0], replace(several, type="choice"), context) == values[0]


@pytest.mark.parametrize("kind", get_args(FieldType))
@pytest.mark.parametrize("crm_type", ["string", "email", "phone", "url", "percent"])
@pytest.mark.parametrize("text", ["a", "1", "1,", "a;", "é-", ". ", "a@", "12:30 ", "(", " 1'"])
def test_a_long_text_is_answered_like_any_other(kind: FieldType, crm_type: str, text: str) -> None:
    """A million characters: taken where they fit, else refused; nothing hangs."""
    field = FieldDescription("f", "F", kind, crm_type, length=100, values=CHOICES, restricted=True)

    found = coerce(text * (1_000_000 // len(text)), field, Context(dt.datetime(2026, 3, 2, tzinfo=dt.UTC)))

    assert isinstance(found, Refused)


@pytest.mark.parametrize("language", ["en", "fr", "de", "es", "it", "nl", "pt"])
@pytest.mark.parametrize("width", ["wide", "abbreviated"])
def test_all_names_of_months_are_known(language: str, width: str) -> None:
    """In each language, in full and shortened."""
    context = Context(dt.datetime(2026, 3, 2, tzinfo=dt.UTC))
    names = Locale(language).months["format"][width]
    days = [coerce(f"7 {name} 2026", FieldDescription("f", "F", "date", "date"), context) for name in names.values()]

    assert days == [f"2026-{month:02}-07" for month in names]


def test_the_languages_of_a_region_are_known() -> None:
    """The tables of Babel have what the laws above are told about."""
    assert set(get_official_languages("CH", de_facto=True)) >= {"de", "fr", "it"}
