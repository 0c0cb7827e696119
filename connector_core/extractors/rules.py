"""The extractor by rules: the patterns of each field, searched in what was written and said. No model, no network."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import regex
from pydantic import BaseModel, ConfigDict

from connector_core.errors import InputError
from connector_core.extractors.hookspecs import Answer, Extracted, WantedField, hookimpl
from connector_core.extractors.passages import passage_around, texts
from connector_core.filling.patterns import compiled
from connector_core.model import Call, Unknown

SEARCH_SECONDS = 1.0
"""How long the patterns of one field may be searched in one call."""


class RulesSettings(BaseModel):
    """None: all rules stand in the templates."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Rules:
    """Searches the patterns of a field in the call's texts, the most trusted first, and is content with the first match.

    The order of texts is that of :func:`~connector_core.extractors.passages.texts`. In one text, patterns are tried in
    their order. The value is what the group ``value`` matched, else the first group, else the whole match; a blank one is
    none. A field of several choices takes all matches of all patterns in the first text that has any. A field without
    patterns is never found.
    """

    def __init__(self, settings: RulesSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Do nothing yet."""
        self._clock = clock

    @hookimpl
    def extract_fields(self, call: Call, fields: Sequence[WantedField]) -> Mapping[str, Answer]:
        """Find values in one call; none has a confidence."""
        there = [text for text in texts(call) if text]
        return {field.key: self._found(field, there) for field in fields}

    def close(self) -> None:
        """Hold nothing."""

    def _found(self, field: WantedField, there: Sequence[str]) -> Answer:
        try:
            patterns = [compiled(pattern) for pattern in field.patterns]
        except InputError as error:
            return Unknown(f"a pattern {error}")
        until = self._clock() + SEARCH_SECONDS
        several = field.described.type == "choices"
        try:
            for text in there:
                matches = self._matches(patterns, text, until)
                if first := next(matches, None):
                    return _all([first, *matches]) if several else Extracted(*first)
        except (TimeoutError, MemoryError):
            return Unknown(f"the patterns took longer than {SEARCH_SECONDS:g} s: make them simpler")
        return None

    def _matches(self, patterns: Sequence[regex.Pattern[str]], text: str, until: float) -> Iterator[tuple[str, str]]:
        """Give each value in a text, with its passage.

        :raises TimeoutError: It takes longer than until then.
        """
        for pattern in patterns:
            for match in pattern.finditer(text, timeout=self._left(until), concurrent=True):
                if value := _value(match):
                    yield value, passage_around(text, *match.span())
                self._left(until)

    def _left(self, until: float) -> float:
        left = until - self._clock()
        if left <= 0:
            raise TimeoutError
        return left


def _value(match: regex.Match[str]) -> str:
    group: str | int = "value" if "value" in match.re.groupindex else min(match.re.groups, 1)
    return (match.group(group) or "").strip()


def _all(found: Sequence[tuple[str, str]]) -> Extracted:
    values: dict[str, str] = {}
    for value, _ in found:
        values.setdefault(value.casefold(), value)
    return Extracted(tuple(values.values()), "\n".join(dict.fromkeys(passage for _, passage in found)))
