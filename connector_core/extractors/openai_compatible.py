"""The extractor that asks a model, at any OpenAI-compatible endpoint with structured output; extra ``extractors``.

What was said in a call is data to it. However a transcript is worded, it can change no more than values: what is asked, and
where, stands in the settings and templates, and an answer has the fields that were asked for and no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector_core.errors import TryAgainError
from connector_core.extractors.answer_schema import read_answer, schema
from connector_core.extractors.completions import Completions
from connector_core.extractors.hookspecs import Answer, WantedField, hookimpl
from connector_core.extractors.instructions import messages
from connector_core.extractors.passages import Said
from connector_core.extractors.settings import OpenAISettings
from connector_core.model import Call, Unknown


class OpenAIExtractor:
    """Asks one model."""

    def __init__(self, settings: OpenAISettings) -> None:
        """Send nothing yet."""
        self._settings = settings
        self._completions = Completions(settings)

    @hookimpl
    def extract_fields(self, call: Call, fields: Sequence[WantedField]) -> Mapping[str, Answer]:
        """Find values in one call; nothing is sent for a call without a word.

        Many fields take several requests. Where a later one fails for now, what was paid for is kept.
        """
        said = Said(call)
        answers: dict[str, Answer] = dict.fromkeys(field.key for field in fields)
        if not said:
            return answers
        at_once = self._settings.fields_at_once
        for start in range(0, len(fields), at_once):
            try:
                answers |= self._asked(call, said, fields[start : start + at_once])
            except TryAgainError as error:
                if start == 0:
                    raise
                return answers | dict.fromkeys((field.key for field in fields[start:]), Unknown(str(error)))
        return answers

    def close(self) -> None:
        """Close the connections."""
        self._completions.close()

    def _asked(self, call: Call, said: Said, fields: Sequence[WantedField]) -> dict[str, Answer]:
        """Ask for some fields, under names that tell nothing of their keys."""
        named = {f"field_{number}": field for number, field in enumerate(fields, start=1)}
        content = self._completions.ask(messages(call, named, self._settings.most_characters), schema(named))
        if isinstance(content, Unknown):
            return dict.fromkeys((field.key for field in fields), content)
        return read_answer(content, named, said)
