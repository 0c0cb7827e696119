"""E-mails, texts and numbers compare as the rules of association say."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_core.errors import ConfigurationError
from connector_core.identity import PhoneReader, compare_text, email_key, written_variants

MOBILE = "+33612345678"
FRENCH = PhoneReader(["FR"])
REGIONS = ("FR", "US", "GB", "DE", "IT", "ES", "BR", "IN")
READERS = {region: PhoneReader([region]) for region in REGIONS}


@st.composite
def valid_numbers(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a region and a valid number of it: the example of one of its kinds, its last four digits changed."""
    region = draw(st.sampled_from(REGIONS))
    kind = draw(st.sampled_from(["MOBILE", "FIXED_LINE"]))
    example = phonenumbers.example_number_for_type(region, getattr(phonenumbers.PhoneNumberType, kind))
    assert example is not None
    text = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    changed = text[:-4] + draw(st.text("0123456789", min_size=4, max_size=4))
    valid = phonenumbers.is_valid_number(phonenumbers.parse(changed, None))
    return region, changed if valid else text


@pytest.mark.parametrize(
    "text",
    [
        "06 12 34 56 78",
        "+33612345678",
        "0033612345678",
        "+33 (0)6 12 34 56 78",
        "+33[0]612345678",
        "(+33)0612345678",
        "(00 33) 6 12 34 56 78",
        "33612345678",
        "612345678",
        "06.12.34.56.78",
        "06-12-34-56-78",
        "06/12/34/56/78",
        "06·12·34·56·78",
        "06_12_34_56_78",
        "06\u00a012\u202f34\u200956\u300078",
        "\t06 12 34 56 78\n",
        "\u202a+33 6 12 34 56 78\u202c",
        "\u200e06\u200b12345678\ufeff",
        "\uff0b\uff13\uff13 6 12 34 56 78",
        "\u0660\u0666\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668",
        "tel:+33-6-12-34-56-78",
        "tel:0612345678;phone-context=+33",
        "sip:+33612345678@calls.example",
        "Mobile : 06 12 34 56 78",
        "06 12 34 56 78 (mobile)",
        "06 12 34 56 78 Marie",
    ],
)
def test_one_number_is_read_however_it_is_written(text: str) -> None:
    """Every usual way to write a French mobile number reads as that number."""
    assert FRENCH.read(text) == MOBILE


@pytest.mark.parametrize(
    "extension",
    [
        " ext. 12",
        " ext 12",
        "x12",
        " x 12",
        ";ext=12",
        " poste 12",
        " p. 12",
        " #12",
        ",,12#",
        ";12",
        " (ext 12)",
        " доб. 12",
    ],
)
def test_an_extension_never_blocks_the_main_number(extension: str) -> None:
    """A number with an extension, however it is written, reads as the main number."""
    assert FRENCH.read(f"06 12 34 56 78{extension}") == MOBILE


def test_an_extension_never_blocks_a_number_that_is_only_possible() -> None:
    """The extension is dropped from a number that its country has not given out, too."""
    assert FRENCH.read("+1 111 111 1111 ext. 12") == "+11111111111"


@pytest.mark.parametrize("text", ["anonymous", "Unknown", "+266696687", "123", "", " ", "+", "0000000000", "9" * 300])
def test_what_is_no_number_reads_as_none(text: str) -> None:
    """Hidden, spelt, empty, short and endless numbers read as nobody's, under whatever region."""
    assert {region for region in phonenumbers.SUPPORTED_REGIONS if PhoneReader([region]).read(text)} == set()


@pytest.mark.parametrize("text", ["+0612345678", "+0033612345678", "+999123456789", "+336", "*31#0612345678"])
def test_a_plus_needs_a_country_and_a_possible_length(text: str) -> None:
    """What follows ``+`` is never read as a national form, and a service code is no number."""
    assert FRENCH.read(text) is None


@pytest.mark.parametrize("text", ["06 12 34 56 78", "0033612345678", "33612345678"])
def test_without_a_region_only_a_plus_can_be_read(text: str) -> None:
    """No region reads national forms, nor dials ``00``."""
    assert (PhoneReader([]).read(text), PhoneReader([]).read(MOBILE)) == (None, MOBILE)


@pytest.mark.parametrize("region", ["US", "AU"])
def test_00_is_read_only_under_a_region_that_dials_it(region: str) -> None:
    """Where ``00`` is not dialled it is neither read as a prefix nor as the start of a national number."""
    assert PhoneReader([region]).read("0033612345678") is None


def test_another_prefix_is_read_under_the_region_that_dials_it() -> None:
    """``011`` is what the United States dial."""
    assert READERS["US"].read("011 33 6 12 34 56 78") == MOBILE


def test_the_prefix_is_read_under_any_of_the_regions() -> None:
    """``00`` is read under the second region where the first does not dial it."""
    assert PhoneReader(["US", "FR"]).read("0033612345678") == MOBILE


def test_the_first_region_where_it_is_valid_wins() -> None:
    """A later region where a number is valid comes before an earlier one where it is only possible."""
    readings = [PhoneReader(regions).read("98765 43210") for regions in (["US"], ["US", "IN"])]
    assert readings == ["+19876543210", "+919876543210"]


def test_else_the_first_region_where_it_is_possible_wins() -> None:
    """A number that is valid nowhere is read under the first region where its length is possible."""
    assert PhoneReader(["GB", "US", "CA"]).read("1111111111") == "+441111111111"


def test_a_local_number_is_not_possible_in_full() -> None:
    """Seven digits are a number within an American area only: they match nobody."""
    assert READERS["US"].read("555-2671") is None


def test_letters_are_digits_where_that_makes_a_valid_number() -> None:
    """A number in letters is read as its keypad spells it."""
    assert (READERS["US"].read("1-800-FLOWERS"), FRENCH.read("1-800-FLOWERS")) == ("+18003569377", None)


def test_a_word_behind_a_number_adds_no_digits() -> None:
    """Letters of a name are not read as digits, though the longer number would be valid."""
    assert READERS["DE"].read("030 123456 Bob") == "+4930123456"


def test_two_numbers_without_a_word_between_are_none() -> None:
    """Two numbers in one text are never read as one."""
    assert FRENCH.read("06 12 34 56 78 / 06 98 76 54 32") is None


def test_a_leading_zero_belongs_to_an_italian_number() -> None:
    """The zero of an Italian fixed line is kept, in every form."""
    readings = {READERS["IT"].read(text) for text in ("06 1234 5678", "+39 06 1234 5678", "0039 06 12345678")}
    assert readings == {"+390612345678"}


def test_an_unknown_region_is_refused() -> None:
    """A region that does not exist is a configuration error that names it."""
    with pytest.raises(ConfigurationError, match="'UK'"):
        PhoneReader(["FR", "UK"])


def test_same_compares_numbers() -> None:
    """A hit is verified as a number: another number, or none, is not the same."""
    verdicts = [FRENCH.same(MOBILE, text) for text in ("06 12 34 56 78", "06 12 34 56 79", "anonymous")]
    assert verdicts == [True, False, False]


@given(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)), st.from_regex(r"\+?[0-9 ()]{3,16}", fullmatch=True))
def test_what_was_read_reads_as_itself(region: str, text: str) -> None:
    """Reading is idempotent, also for numbers that are only possible."""
    reader = PhoneReader([region])
    number = reader.read(text)
    assert number is None or reader.read(number) == number


@given(st.text())
def test_any_text_is_read_or_not(text: str) -> None:
    """No text makes reading fail; what is read is E.164."""
    number = PhoneReader(["FR", "US"]).read(text)
    assert number is None or (number[0] == "+" and number[1:].isascii() and number[1:].isdigit())


@given(valid_numbers())
def test_written_variants_read_back(drawn: tuple[str, str]) -> None:
    """Every variant reads under the number's region as it, but for the two that the docstring excepts."""
    region, number = drawn
    for text in written_variants(number):
        if (
            text == number[1:] and region == "DE"
        ):  # national numbers there may be as long as those with the country's code
            continue
        dialled = text.startswith("00") and region in ("US", "BR")
        assert (FRENCH if dialled else READERS[region]).read(text) == number, text


@given(valid_numbers())
def test_written_variants_are_few_and_none_is_twice(drawn: tuple[str, str]) -> None:
    """At most twenty, all different, the number itself first."""
    variants = written_variants(drawn[1])
    assert len(variants) == len(set(variants)) <= 20
    assert variants[0] == drawn[1]


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        (MOBILE, "0612345678|06 12 34 56 78|06.12.34.56.78|06-12-34-56-78|612345678|+33 (0)6 12 34 56 78"),
        (MOBILE, "33612345678|0033612345678|+33 6 12 34 56 78|+33-6-12-34-56-78"),
        ("+14155552671", "(415) 555-2671|415-555-2671|415.555.2671|415 555 2671|4155552671"),
        ("+14155552671", "14155552671|+1 415-555-2671|+1 (415) 555-2671|1-415-555-2671"),
        ("+442079460018", "02079460018|020 7946 0018|+44 20 7946 0018|+44 (0)20 7946 0018"),
    ],
)
def test_usual_forms_are_among_the_variants(number: str, wanted: str) -> None:
    """The forms that people of the country use are all there."""
    assert set(wanted.split("|")) <= set(written_variants(number))


@pytest.mark.parametrize("text", ["+1", "nonsense", "+80012345678", "+870773111632"])
def test_any_text_has_variants(text: str) -> None:
    """What is no number, or no country's, has at least itself."""
    assert written_variants(text)[0] == text


def test_emails_compare_trimmed_and_folded() -> None:
    """Blanks and case do not tell two addresses apart; nothing else is rewritten."""
    keys = [email_key(text) for text in (" Carl@Buyer.Example\n", "ca.rl+x@buyer.example", "  ")]
    assert keys == ["carl@buyer.example", "ca.rl+x@buyer.example", None]


@given(st.text())
def test_email_key_is_idempotent(text: str) -> None:
    """The key of a key is that key."""
    key = email_key(text)
    assert key is None or email_key(key) == key


@pytest.mark.parametrize("text", ["Zoë", " ZOË ", "zoe", "Zoe\u0308", "\uff3a\uff4f\uff45"])
def test_texts_compare_without_case_accents_and_forms(text: str) -> None:
    """One name is one text, however it was typed."""
    assert compare_text(text) == "zoe"


@pytest.mark.parametrize("text", [None, "", "  ", "\u0301"])
def test_what_is_empty_is_missing(text: str | None) -> None:
    """Nothing, blanks, and a lone accent compare alike."""
    assert compare_text(text) == ""


@given(st.text())
def test_compare_text_is_idempotent(text: str) -> None:
    """What was brought to compare stays."""
    assert compare_text(compare_text(text)) == compare_text(text)
