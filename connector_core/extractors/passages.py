"""What was written and said in a call, and the words in it that a value came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import regex

from connector_core.filling.coercion.plain import plain
from connector_core.model import Call

LONGEST_PASSAGE = 500
"""Characters."""

_SENTENCE_END = regex.compile(r"(?<=[.!?…])\s+")


def texts(call: Call) -> Iterator[str]:
    """Give the texts of a call, the most trusted first: what people wrote, what a machine made of it, what was said.

    The notes, the comments, the summary, the highlights, the topics, the title, the transcript; what is of one kind is one
    text, a line each. Some may be empty.
    """
    yield _lines(note.text for note in call.notes or ())
    yield _lines(note.text for note in call.comments or ())
    yield call.summary or ""
    yield _lines(call.highlights or ())
    yield _lines(call.topics or ())
    yield call.title or ""
    yield _lines(utterance.text for utterance in call.transcript or ())


def passage_around(text: str, start: int, end: int) -> str:
    """Give the sentences that a part of a text stands in, as far as they are in its lines.

    Of more than :data:`LONGEST_PASSAGE` only what is around the part, or its beginning.
    """
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end)
    last = len(text) if last < 0 else last
    for gap in _SENTENCE_END.finditer(text, first, last):
        if gap.end() <= start:
            first = gap.end()
        elif gap.start() >= end:
            last = gap.start()
            break
    if last - first > LONGEST_PASSAGE:
        first = max(first, start - max(0, LONGEST_PASSAGE - (end - start)) // 2)
        last = min(last, first + LONGEST_PASSAGE)
    return text[first:last].strip()


class Said:
    """All that was written and said in a call, to find words in."""

    def __init__(self, call: Call) -> None:
        """Read the call once."""
        self._text = _plain(" ".join(texts(call)))

    def __bool__(self) -> bool:
        """Tell whether there is anything."""
        return bool(self._text)

    def has(self, words: str) -> bool:
        """Tell whether words stand in it in this order; blanks, case, and kinds of quotes and dashes aside."""
        return bool(asked := _plain(words)) and asked in self._text


def _plain(text: str) -> str:
    return plain(text).casefold()


def _lines(each: Iterable[str]) -> str:
    return "\n".join(each)
