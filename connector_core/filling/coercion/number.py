"""Numbers as people write and say them, amounts of money and percentages among them.

A number is taken as it is. In text, ``1,234`` may be a thousand or a little more than one: it is read where all of the
connection's regions agree on it, and refused elsewhere. ``1 234,56``, ``1.234,56``, ``1'234.56`` and ``12,5`` say
themselves what they mean. An amount that names another currency than the record's is refused: none is converted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from connector_core.characters import clean
from connector_core.filling.coercion.context import Coerced, Context, Refused, quoted, refused
from connector_core.filling.coercion.currency import currencies, with_codes
from connector_core.filling.coercion.forms import NumberForm, number_form
from connector_core.filling.coercion.plain import plain, words
from connector_core.filling.coercion.regions import decimal_marks
from connector_core.filling.coercion.words import BESIDE_CURRENCIES, MONEY_SCALES, PERCENT, SCALES
from connector_core.filling.values import RawValue
from connector_core.model import FieldDescription

_MOST = 10**18
"""Salesforce's numbers have 18 digits (help.salesforce.com, "Custom Field Types"); others have no fewer."""
_MOST_INT = 2**31
_LONGEST = 80
_PARTS = re.compile(r"(?P<before>[^\d.,]*)(?P<digits>[\d.,](?:[\d.,' ]*\d)?)(?P<after>.*)")
_GROUPED = re.compile(r"(\d{1,3}([ '])\d{3}(?:\2\d{3})*)(?:[.,](\d+))?")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})+,\d{3}")  # in India only the last group has three
_EITHER = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
_NO_CENTS = re.compile(r"(?<=\d)[.,]--?")  # 1'200.– and 3,--
_PERCENT = re.compile("|".join(sorted(map(re.escape, PERCENT), key=len, reverse=True)), re.IGNORECASE)
_WORDS = re.compile(r"[^\W\d_]+|\S")
_MILLION = frozenset("M")
_SHORTENED = re.compile(r"(?<=[^\W\d_])\.")  # Mio.
_THOUSAND_OF = re.compile(r"\b([kM])(?=[A-Z]{3}\b)")  # kEUR


def as_number(value: str | float, field: FieldDescription, context: Context) -> Coerced:
    """Read a number."""
    form = number_form(field)
    if isinstance(value, bool) or value != value:
        return refused(value, "is no number")
    read: Decimal | float | Refused = _read(value, form, context) if isinstance(value, str) else value
    if isinstance(read, Refused):
        return read
    number = held(read)
    if number is None:
        return refused(value, "is more than the field can hold: 18 digits")
    if form in ("int", "long") and isinstance(number, float):
        return refused(value, "is no whole number, and the field takes no other")
    if form == "int" and not -_MOST_INT <= number < _MOST_INT:
        return refused(value, "is more than the field can hold: whole numbers of 32 bits")
    return number


def held(read: Decimal | float) -> int | float | None:
    """Give a number as it is sent: a whole one without a fraction; None where it is too large, or none."""
    if not -_MOST < read < _MOST:
        return None
    if read == int(read):
        return int(read)
    number = float(read)  # the services too keep in 64 bits what is not whole
    return held(number) if number.is_integer() else number


def names_currency(value: RawValue | None) -> bool:
    """Tell whether a value is an amount that names its currency."""
    if value is None or isinstance(value, bool | int | float):
        return False
    return any(_names_currency(clean(it)) for it in ([value] if isinstance(value, str) else value))


def _names_currency(text: str) -> bool:
    parts = _parts(text)
    around = _around(parts["before"], parts["after"]) if parts else None
    return around is not None and around.currency is not None


def _parts(text: str) -> re.Match[str] | None:
    line = _NO_CENTS.sub("", with_codes(plain(text[: _LONGEST + 1]))).rstrip(". ")
    return _PARTS.fullmatch(line) if len(text) <= _LONGEST else None


def _read(text: str, form: NumberForm, context: Context) -> Decimal | Refused:
    parts = _parts(text)
    digits = _digits(parts["digits"], context.regions) if parts else None
    if parts is None or digits is None:
        return refused(text, "is no number")
    around = _around(parts["before"], parts["after"])
    if around is None:
        return refused(text, "is no plain number: only a currency, %, or a word like thousand may stand beside it")
    if isinstance(digits, str):
        return refused(text, digits)
    if around.currency is not None and context.currency is not None and context.currency not in around.codes:
        detail = f"{quoted(text)} is in {around.currency}, and the record in {context.currency}; no amount is converted"
        return Refused("other_currency", detail)
    number = digits * around.factor
    if around.percent:
        if form == "fraction":
            return number / 100
        return number if form == "percent" else refused(text, "is a percentage, and the field holds none")
    if form == "fraction" and abs(number) >= 1:
        return refused(text, "may be a percentage, or a hundred times one; say it with its sign, like 12 %")
    return number


def _digits(text: str, regions: tuple[str, ...]) -> Decimal | str | None:
    """Read digits and the marks between them; say why where it may be one of two numbers, and give None for none."""
    if grouped := _GROUPED.fullmatch(text):
        return Decimal(re.sub(r"\D", "", grouped[1]) + "." + (grouped[3] or "0"))
    marks = [char for char in text if char in ".,"]
    if " " in text or "'" in text:
        return None
    if not marks:
        return Decimal(text)
    last = marks[-1]
    if marks.count(last) > 1:
        return _thousands(text, last) if len(set(marks)) == 1 else None
    whole, _, decimals = text.rpartition(last)
    if len(marks) > 1:
        before = _thousands(whole, marks[0])
        return None if before is None else before + Decimal(f"0.{decimals}")
    if not _EITHER.fullmatch(text):
        return Decimal(f"{whole or 0}.{decimals}") if decimals else None
    known = decimal_marks(regions)
    if known and all(last == group for _, group in known):
        return Decimal(whole + decimals)
    if known and all(last == decimal for decimal, _ in known):
        return Decimal(f"{whole}.{decimals}")
    return "may be one of two numbers: write it without a mark between thousands, and with decimals if it has any"


def _thousands(text: str, mark: str) -> Decimal | None:
    commas = text.replace(mark, ",")
    return Decimal(commas.replace(",", "")) if _THOUSANDS.fullmatch(commas) else None


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands beside the digits. ``currency``: as it is named, or None; ``codes``: which ones that may be."""

    factor: int
    percent: bool
    currency: str | None
    codes: frozenset[str]


def _around(before: str, after: str) -> _Around | None:
    """Read what stands beside the digits; None where it is something else than what belongs to a number."""
    negative = before.startswith("(") and after.endswith(")")  # as accountants write it
    if negative:
        before, after = before[1:], after[:-1]
    elif sign := re.search(r"[-+](?! )", before):
        negative = sign[0] == "-"
        before = before[: sign.start()] + before[sign.end() :]
    after, percent = _PERCENT.subn(" ", after, count=1)
    after = _THOUSAND_OF.sub(r"\1 ", _SHORTENED.sub("", after))
    units, rest = _WORDS.findall(before), _WORDS.findall(after)
    named = {it: codes for it in (*units, *rest) if (codes := currencies(it)) is not None}
    scales = [_scale(it, money=bool(named)) for it in rest if it not in named]
    if any(it not in named for it in units) or not all(scales) or (percent and (named or scales)):
        return None
    return _Around(math.prod(scales) * (-1 if negative else 1), bool(percent), *_currency(named))


def _currency(named: Mapping[str, frozenset[str]]) -> tuple[str | None, frozenset[str]]:
    """Say what is named, and which currencies that may be: of ``$ 5 CAD`` the one that both are."""
    return " ".join(named) or None, frozenset.intersection(*named.values()) if named else frozenset()


def _scale(token: str, *, money: bool) -> int:
    """Tell by how much a word multiplies; 0 where it is none of a number."""
    word = words(token)
    if money and word in BESIDE_CURRENCIES:
        return 1
    return SCALES.get(word) or (MONEY_SCALES.get(word, 0) if money or token in _MILLION else 0)
