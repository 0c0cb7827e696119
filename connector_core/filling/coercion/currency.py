"""Which currency a word or a sign beside an amount may be of: several share ``$``, and a code is one alone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from babel.numbers import get_currency_name, list_currencies

from connector_core.filling.coercion.plain import words
from connector_core.filling.coercion.words import each

_CODES = frozenset(list_currencies())


def _called(name: str) -> frozenset[str]:
    return frozenset(code for code in _CODES if name in get_currency_name(code, locale="en").casefold())


_DOLLARS, _POUNDS, _FRANCS, _PESOS = map(_called, ("dollar", "pound", "franc", "peso"))
_WORDS: Mapping[str, frozenset[str]] = {
    **{code.casefold(): frozenset({code}) for code in ("EUR", "USD", "GBP", "CHF")},
    **dict.fromkeys(("euro", "euros"), frozenset({"EUR"})),
    **dict.fromkeys(each("dollar dollars dolar dolares dollari"), _DOLLARS),
    **dict.fromkeys(each("pound pounds"), _POUNDS),
    **dict.fromkeys(each("franc francs franken franchi fr"), _FRANCS),
}
"""Other codes only in capitals: among them are words like ``all`` and ``try``."""
_SIGNS: Mapping[str, frozenset[str]] = {
    "$": _DOLLARS | _PESOS,
    "£": _POUNDS,
    "₱": _PESOS,
    **{
        sign: frozenset(each(codes))
        for sign, codes in {
            "€": "EUR",
            "¥": "JPY CNY CNH",
            "₣": "FRF",
            "₤": "ITL",
            "₧": "ESP",
            "₨": "INR PKR NPR LKR MUR SCR",
            "₹": "INR",
            "৳": "BDT",
            "₩": "KRW KPW",
            "₫": "VND",
            "฿": "THB",
            "₭": "LAK",
            "៛": "KHR",
            "₮": "MNT",
            "₪": "ILS",
            "₺": "TRY",
            "₽": "RUB",
            "₴": "UAH",
            "₸": "KZT",
            "₼": "AZN",
            "₾": "GEL",
            "֏": "AMD",
            "؋": "AFN",
            "﷼": "IRR OMR QAR SAR YER",
            "₦": "NGN",
            "₵": "GHS",
            "₡": "CRC SVC",
            "₲": "PYG",
        }.items()
    },
}
_NO_CURRENCY = frozenset("¢￠")
"""Signs of a hundredth."""
_OF_ONE = {"US": "USD", "CA": "CAD", "C": "CAD", "AU": "AUD", "A": "AUD", "NZ": "NZD", "HK": "HKD", "R": "BRL"}
_SIGN_OF_ONE = re.compile(r"\b(?P<before>US|CA|C|AU|A|NZ|HK|R)\$|\$(?P<after>US|CA|AU|NZ|HK)\b")


def with_codes(text: str) -> str:
    """Write the code for signs of one currency among those that share a sign: ``USD`` for ``US$``."""
    return _SIGN_OF_ONE.sub(lambda it: f"{_OF_ONE[it['before'] or it['after']]} ", text)


def currencies(token: str) -> frozenset[str] | None:
    """Give the codes of ISO 4217 that a word or a sign may stand for, none of a sign that is not known.

    None: it is no currency's.
    """
    if token in _CODES:
        return frozenset({token})
    if unicodedata.category(token[0]) == "Sc" and token not in _NO_CURRENCY:
        return _SIGNS.get(token, frozenset())
    return _WORDS.get(words(token))
