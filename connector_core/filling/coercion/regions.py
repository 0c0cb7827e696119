"""How people write where they live: decimal marks, the order of day and month, the clock (CLDR, by Babel)."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from babel import Locale, UnknownLocaleError
from babel.languages import get_official_languages


@functools.lru_cache(256)
def decimal_marks(regions: tuple[str, ...]) -> frozenset[tuple[str, str]]:
    """Give the decimal mark and the mark between thousands of each language that is official in one of the regions."""
    marks = (locale.number_symbols.get("latn", {}) for locale in _locales(regions))
    return frozenset((it["decimal"], it["group"]) for it in marks if "decimal" in it and "group" in it)


@functools.lru_cache(256)
def day_orders(regions: tuple[str, ...]) -> frozenset[str]:
    """Give the orders of day, month and year in use there, like ``dmy``."""
    patterns = (locale.date_formats["short"].pattern for locale in _locales(regions))
    return frozenset("".join(sorted("dmy", key=pattern.lower().index)) for pattern in patterns)


@functools.lru_cache(256)
def clock_of_twelve(regions: tuple[str, ...]) -> bool:
    """Tell whether hours are counted to twelve in any of the regions; where none is known, they may be."""
    patterns = [locale.time_formats["short"].pattern for locale in _locales(regions)]
    return not patterns or any("h" in pattern.split("'")[0] for pattern in patterns)


def _locales(regions: tuple[str, ...]) -> Iterator[Locale]:
    for region in regions:
        for language in get_official_languages(region, de_facto=True):
            try:
                yield Locale.parse(f"{language}_{region.upper()}")
            except UnknownLocaleError:
                continue  # CLDR has nothing on this language there
