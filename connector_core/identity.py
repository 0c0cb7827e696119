"""E-mail addresses, phone numbers and texts as values that can be compared (docs: the rules of association).

E-mails compare trimmed and case-folded, nothing else about them is rewritten. Numbers compare as numbers: what people and
services write is read into E.164 (``+33612345678``), and what cannot be read equals nothing.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator, Sequence

import phonenumbers
from phonenumbers import CountryCodeSource, PhoneNumber, PhoneNumberFormat, ValidationResult

from connector_core.errors import ConfigurationError

_CACHED = 2_048  # more makes nothing faster, and takes memory
_LONGEST = 250  # more than this is no number, and phonenumbers refuses it too
_START = re.compile(r"[+\d]")
_LETTER = re.compile(r"[^\W\d_]")
_EXTENSION = re.compile(
    r"(?<=[\d)])[\s,;(\-]*"
    r"(?:[^\W\d_](?:[^\W\d_]|[.:=\s])*|[#~]\s*|,,+\s*|;\s*)"  # a word (ext., poste, x), a sign, or a pause
    r"\d{1,7}[#)]?\s*$"
)
_MARK = re.compile("[\u00b7\u2022\u2219_]")  # dots and lines that people separate digits with
_WORD = re.compile(r"[\s,;:/@(\[]+[^\W\d_]")


def email_key(text: str) -> str | None:
    """Give an e-mail address as it compares: trimmed and case-folded; None when nothing is left."""
    return text.strip().casefold().strip() or None


def compare_text(text: str | None) -> str:
    """Give a text as it compares: without case, accents, compatibility forms and outer blanks; missing is empty."""
    if not text:
        return ""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(char for char in folded if not unicodedata.combining(char)).strip()


class PhoneReader:
    """Reads phone numbers under a connection's default regions.

    A text is parsed once, however often it occurs in a batch: readings are kept. Safe to share between threads.

    :param regions: ISO 3166 codes, in order. Without any, only numbers with ``+`` can be read.
    :raises ConfigurationError: A region that phonenumbers does not know.
    """

    def __init__(self, regions: Sequence[str]) -> None:
        """Keep the regions; parse nothing yet."""
        for region in regions:
            if region not in phonenumbers.SUPPORTED_REGIONS:
                raise ConfigurationError(f"regions: {region!r} is no ISO 3166 code of a region, like FR, GB or US")
        self.regions = tuple(regions)
        self._kept = functools.lru_cache(_CACHED)(self._read)

    def read(self, text: str) -> str | None:
        """Read a text as a number in E.164; None where it is none, or cannot be read.

        A national form is read under the first region where it is a valid number, else the first where its length is
        possible. ``+`` and what follows need a possible length; ``00`` is read under a region that dials it.
        An extension is dropped, and so are words around the number (``Tel.``, ``(office)``). Letters count as the digits
        of a keypad only where that makes a valid number (``1-800-FLOWERS``).
        """
        return self._kept(text)

    def same(self, number: str, text: str) -> bool:
        """Tell whether a text, however written, is that number (E.164)."""
        return self.read(text) == number

    def _read(self, text: str) -> str | None:
        text = _cleaned(text)
        main = _EXTENSION.sub("", text)
        if not _LETTER.search(main):
            return self._choose(main, only_valid=False)
        words = _WORD.search(main)
        readings = (main[: words.start()] if words else main, text)
        if ";phone-context=" in text:  # RFC 3966: the context says the country, the digits alone do not
            readings = readings[::-1]
        return next((number for it in readings if (number := self._choose(it, only_valid=True))), None)

    def _choose(self, text: str, *, only_valid: bool) -> str | None:
        """Take the first reading that is valid, else the first that is possible."""
        numbers = list(self._readings(text))
        valid = next(filter(phonenumbers.is_valid_number, numbers), None)
        if valid is not None or only_valid or not numbers:
            return None if valid is None else _e164(valid)
        possible = _e164(numbers[0])
        # Such a number may still carry a trunk prefix: read on until the answer reads as itself.
        return possible if possible == text else self._choose(possible, only_valid=False)

    def _readings(self, text: str) -> Iterator[PhoneNumber]:
        """Read a text under each region that can, as a number that is possible in full."""
        international = text.startswith("+")
        dialled = re.sub(r"\D", "", text).startswith("00")
        for region in (None,) if international else self.regions:
            try:
                number = phonenumbers.parse(text, region, keep_raw_input=True)
            except phonenumbers.NumberParseException:
                continue
            if dialled and number.country_code_source != CountryCodeSource.FROM_NUMBER_WITH_IDD:
                continue  # no region that dials 00: read as a national form it would be another number
            if phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE:
                yield number


def _cleaned(text: str) -> str:
    """Bring odd digits, blanks and signs to plain ones, drop invisible marks, and start at the number."""
    if len(text) > _LONGEST:
        return ""
    plain = "".join(
        " " if char.isspace() else str(unicodedata.decimal(char, char))
        for char in _MARK.sub(" ", unicodedata.normalize("NFKC", text))
        if char.isspace() or unicodedata.category(char) not in ("Cf", "Cc")
    )
    start = _START.search(plain)
    return plain[start.start() :] if start else ""


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


@functools.lru_cache(_CACHED)
def written_variants(number: str) -> tuple[str, ...]:
    """Give the ways in which people write a number, the most likely first, at most 20 and none twice.

    They are meant for services that search text only. Read back under the number's own region all are that number, but
    for two that other regions must read: the one with ``00`` where that is not dialled, and the bare digits with the
    country's code where they make a national number as well.

    :param number: E.164.
    """
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return (number,)
    code = str(parsed.country_code)
    significant = phonenumbers.national_significant_number(parsed)
    national = phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)
    international = phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)
    digits = "".join(re.findall(r"\d", national))
    groups = re.findall(r"\d+", national)
    abroad = re.findall(r"\d+", international)[1:]
    forms = [number, digits, national, international, code + significant, f"00{code}{significant}", significant]
    if code == "1" and len(significant) == 10:
        forms += _north_american(significant[:3], significant[3:6], significant[6:])
    else:
        forms += [mark.join(groups) for mark in " .-"]
        forms += [mark.join(_pairs(digits)) for mark in " .-"]
        if digits == f"0{significant}":
            forms += [f"+{code} (0){' '.join(groups)[1:]}", f"+{code}(0){significant}"]
    forms += [f"+{code} {significant}", f"+{code}-" + "-".join(abroad), f"+{code}." + ".".join(abroad)]
    forms.append(f"00{code} {' '.join(abroad)}")
    return tuple(dict.fromkeys(forms))[:20]


def _north_american(area: str, office: str, line: str) -> list[str]:
    return [
        f"({area}) {office}-{line}",
        f"{area}-{office}-{line}",
        f"{area}.{office}.{line}",
        f"{area} {office} {line}",
        f"+1 ({area}) {office}-{line}",
        f"+1 {area} {office} {line}",
        f"1-{area}-{office}-{line}",
        f"1 ({area}) {office}-{line}",
        f"({area}){office}-{line}",
    ]


def _pairs(digits: str) -> list[str]:
    """Cut into groups of two, the first one of three where the count is odd."""
    first = 2 + len(digits) % 2
    return [digits[:first], *(digits[at : at + 2] for at in range(first, len(digits), 2))]
