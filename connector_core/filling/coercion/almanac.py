"""Names of months and days of the week, and the words that people say days with, as :func:`.plain.words` gives them."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Literal

from babel import Locale

from connector_core.filling.coercion.plain import words
from connector_core.filling.coercion.words import LANGUAGES, each


def _names(what: Literal["months", "days"]) -> Iterator[tuple[str, int]]:
    for language in LANGUAGES:
        for of in getattr(Locale(language), what).values():
            for width in ("wide", "abbreviated"):
                for number, name in of[width].items():
                    yield words(name).removesuffix(".").replace("-", " ").removesuffix(" feira"), number


def _told_apart(names: Iterator[tuple[str, int]], also: Mapping[str, int]) -> Mapping[str, int]:
    """Leave out what is one name in one language and another in the next, and what is too short to be surely a name."""
    meant: dict[str, set[int]] = {}
    for name, number in (*names, *also.items()):
        meant.setdefault(name, set()).add(number)
    return {name: it.pop() for name, it in meant.items() if len(it) == 1 and len(name) > 2}


@functools.cache
def months() -> Mapping[str, int]:
    """Give the months by their names, in full and shortened."""
    return _told_apart(_names("months"), {"sept": 9, "maerz": 3, "mrz": 3, "janner": 1, "feber": 2, "avr": 4})


@functools.cache
def weekdays() -> Mapping[str, int]:
    """Give the days of the week by their names, from 0 for Monday; ``mar`` is the month, not the French Tuesday."""
    names = _told_apart(_names("days"), {"sonnabend": 5})
    return {name: number for name, number in names.items() if name not in months()}


NEAR: Mapping[str, int] = {
    **dict.fromkeys(("today", "aujourd hui", "heute", "hoy", "oggi", "vandaag", "hoje"), 0),
    **dict.fromkeys(("tomorrow", "demain", "morgen", "manana", "domani", "amanha"), 1),
    **dict.fromkeys(("yesterday", "hier", "gestern", "ayer", "ieri", "gisteren", "ontem"), -1),
    **dict.fromkeys(("day after tomorrow", "apres demain", "ubermorgen", "pasado manana", "dopodomani"), 2),
    **dict.fromkeys(("overmorgen", "depois de amanha"), 2),
}
"""Days from the call's."""

NEXT = frozenset(
    each(
        "next prochain prochaine nachste nachsten nachster kommende kommenden proximo proxima prossimo prossima volgende"
        " komende aanstaande"
    )
)
COMING = NEXT - {"next"}
"""Beside a day with its month: ``le 3 mars prochain``; in English that may be this year's, or the next one's."""
YEARS: Mapping[str, int] = {
    "annee prochaine": 1,
    "an prochain": 1,
    "ano que viene": 1,
    "ano que vem": 1,
    "anno prossimo": 1,
    "volgend jaar": 1,
    **{f"{word} {year}": 1 for word in NEXT for year in ("year", "jahr", "jahres", "ano", "anno", "jaar")},
    **{f"nachstes {year}": 1 for year in ("jahr", "jahres")},
    **dict.fromkeys(("this year", "cette annee", "dieses jahr", "dieses jahres", "este ano", "deste ano"), 0),
    **dict.fromkeys(("quest anno", "dit jaar"), 0),
}
"""Years from the call's."""

ENDS = frozenset(each("end fin ende fine finales final eind einde fim"))
"""Of a month: its last day."""

DAYS: Mapping[str, int] = {
    **dict.fromkeys(each("day days jour jours tag tage tagen dia dias giorno giorni dag dagen"), 1),
    **dict.fromkeys(each("week weeks semaine semaines woche wochen semana semanas settimana settimane weken"), 7),
}
LATER = frozenset(each("in dans en tra fra over em dentro daqui"))
IDIOMS = frozenset({8, 15})
"""Days in which the French and their neighbours count a week, or two, with both ends."""

BESIDE_TIMES = frozenset(each("the at a um om alle ore as las"))
"""What may stand beside ``tomorrow``, with a time; ``am Morgen`` and ``la mañana`` are no day."""
FILLERS = BESIDE_TIMES | frozenset(
    each(
        "le la les il lo el o os al am den der dem vom van de del della dell do da di du d of on op l no em feira"
        " jour dia tag giorno dag"
    )
)
"""Words that change nothing about a day."""
NOON = ("noon", "midday", "midi", "mittag", "mittags", "mediodia", "mezzogiorno", "meio dia")
