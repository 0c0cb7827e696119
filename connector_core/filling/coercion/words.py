"""Words of English, French, German, Spanish, Italian, Dutch and Portuguese, as :func:`.plain.words` gives them."""

from __future__ import annotations

from collections.abc import Mapping


def each(text: str) -> list[str]:
    """Give the words of a list."""
    return text.split()


LANGUAGES = ("en", "fr", "de", "es", "it", "nl", "pt")

TRUTHS: Mapping[str, bool] = {
    **dict.fromkeys(each("true yes y oui vrai ja wahr si verdadero vero waar sim verdadeiro 1"), True),
    **dict.fromkeys(each("false no n non faux nein falsch falso nee onwaar nao 0"), False),
}
"""Spanish and Portuguese say no alike, and so do all that say ja."""

PERCENT = ("%", "percent", "per cent", "pct", "pour cent", "prozent", "por ciento", "per cento", "procent", "por cento")

SCALES: Mapping[str, int] = {
    **dict.fromkeys(each("k thousand tsd tausend mille mila mil duizend"), 10**3),
    **dict.fromkeys(each("million millions millionen mio mn mln miljoen"), 10**6),
    **dict.fromkeys(each("millon millones milione milioni milhao milhoes"), 10**6),
    **dict.fromkeys(each("milliard milliards milliarde milliarden mrd md mds miliardo miliardi miljard bn"), 10**9),
}
"""Not ``billion``: in half of these languages it is a thousand times as much. ``mil millones`` is both, multiplied."""

MONEY_SCALES: Mapping[str, int] = {"m": 10**6, "b": 10**9}
"""What may be a unit of something else, where no currency stands beside it; ``M`` alone is never one."""

BESIDE_CURRENCIES = frozenset({"of", "de", "d", "di", "'"})
"""As in ``2 millions d'euros``."""
