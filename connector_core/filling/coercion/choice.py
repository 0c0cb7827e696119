"""One of a field's values, or several, by value or by label; case, accents, dashes and doubled blanks aside."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from connector_core.characters import one_line
from connector_core.filling.coercion.context import Coerced, Context, Refused, quoted, refused
from connector_core.filling.coercion.plain import words
from connector_core.filling.coercion.text import fitting
from connector_core.model import Choice, FieldDescription, FieldValue

_LONGEST = 1_000
"""More than any service takes as a value or a label."""
_LONGEST_LIST = 50_000
_NAMED = 8
_BETWEEN = (re.compile(r"[;\n]"), re.compile(","))

_Meanings: TypeAlias = dict[str, list[Choice]]


def as_choice(text: str, field: FieldDescription, context: Context) -> Coerced:
    """Find the value that a text means.

    A value, written exactly so, is that value. Else what is offered counts before what is not offered any more, or does
    not go with the field that controls this one; where a text may mean two, it is refused.
    """
    found = _Finder(field, context).find(text)
    return fitting(found, field) if isinstance(found, str) else found


def as_choices(texts: Sequence[str], field: FieldDescription, context: Context) -> Coerced:
    """Find the values that texts mean: each one value, or several with ``;``, a line break or a comma between."""
    finder = _Finder(field, context)
    chosen: list[str] = []
    for text in texts:
        if len(text) > _LONGEST_LIST:
            return refused(text, "is no list of the field's values")
        for found in finder.find_all(text, _BETWEEN):
            if isinstance(found, Refused):
                return found
            chosen.append(found)
    return fitting(joined(chosen, field), field) if chosen else None


def joined(values: Iterable[str], field: FieldDescription) -> str:
    """Join values in the order of the field's own, each of them once; others follow, in theirs."""
    places = {it.value: place for place, it in enumerate(field.values)}
    return ";".join(sorted(dict.fromkeys(values), key=lambda it: (places.get(it, len(places)), it)))


class _Finder:
    """Finds values of one field."""

    def __init__(self, field: FieldDescription, context: Context) -> None:
        self._field, self._above = field, _written(context.controlling)
        self._values = {it.value: (it,) for it in field.values}
        self._meanings = _meanings(field.values)

    def find_all(self, text: str, between: Sequence[re.Pattern[str]]) -> Iterator[str | Refused]:
        """Find a text as one value, else what stands between the marks; a label may have a comma in it."""
        if not between or self._meant(text):
            yield self.find(text)
            return
        for part in filter(None, map(str.strip, between[0].split(text))):
            yield from self.find_all(part, between[1:])

    def find(self, text: str) -> str | Refused:
        """Find the one value that a text means."""
        meant = self._meant(text)
        going = [it for it in meant if it.only_with is None or self._above is None or self._above in it.only_with]
        offered = [it for it in going if it.active]
        if len(offered) == 1:
            return offered[0].value
        if offered:
            return refused(text, f"may be any of {_listed(offered, values=True)}")
        if going:
            return refused(text, "is a value that is not offered any more")
        if meant:
            above = self._field.controlled_by or "the field above it"
            if not self._above:
                return refused(text, f"cannot be chosen while {above} is empty")
            return refused(text, f"does not go with {quoted(self._above)}, the value of {above}")
        if not self._field.restricted:
            return one_line(text)
        known = _listed([it for it in self._field.values if it.active])
        return refused(text, f"is none of the field's values{f', which are {known}' if known else ''}")

    def _meant(self, text: str) -> Sequence[Choice]:
        if exactly := self._values.get(text):
            return exactly
        keys = zip(_keys(text), self._meanings, strict=False)
        return next((found for key, meanings in keys if (found := meanings.get(key))), ())


def _keys(text: str) -> tuple[str, ...]:
    """Give a text as it compares: at first with its dashes, then with blanks for them."""
    if len(text) > _LONGEST:
        return ()
    said = words(text)
    return said, " ".join(said.replace("-", " ").split())


@functools.lru_cache(256)
def _meanings(values: tuple[Choice, ...]) -> tuple[_Meanings, _Meanings]:
    """Give the values that a text may mean, for each way in which texts compare."""
    meanings: tuple[_Meanings, _Meanings] = ({}, {})
    for it in values:
        for text in dict.fromkeys((it.value, it.label)):
            for key, meant in zip(_keys(text), meanings, strict=False):
                if key and it not in meant.setdefault(key, []):
                    meant[key].append(it)
    return meanings


def _written(value: FieldValue | None) -> str | None:
    return str(value).lower() if isinstance(value, bool) else None if value is None else str(value).strip()


def _listed(choices: Sequence[Choice], *, values: bool = False) -> str:
    named = [f"{quoted(it.label)} ({it.value})" if values else quoted(it.label) for it in choices[:_NAMED]]
    more = len(choices) - _NAMED
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")
