"""The characters of a text as a service holds them: which, how many, and where it may be cut."""

from __future__ import annotations

import re
import unicodedata

_JOINER = "\u200d"
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Controls but for tab and line feed, and halves of surrogate pairs, which are no characters: nothing can store them."""


def clean(text: str) -> str:
    """Drop what no person sees, and blanks at the ends; all line breaks become line feeds."""
    return _UNSEEN.sub("", "\n".join(text.splitlines())).strip()


def one_line(text: str) -> str:
    """Put a clean text on one line, with a blank for each line break."""
    return " ".join(line for part in text.split("\n") if (line := part.strip()))


def units(text: str) -> int:
    """Count as the services do, in UTF-16: what lies beyond its first plane, like most emoji, counts twice.

    Salesforce says so of its formulas and of Apex (help.salesforce.com, article 005166849). HubSpot speaks of characters
    alone (developers.hubspot.com, guide to properties); counted so, nothing passes here that is refused there.
    """
    return len(text) + sum(char > "\uffff" for char in text)


def beginning(text: str, limit: int) -> str:
    """Give the longest beginning of at most ``limit`` units that ends with a whole character.

    What a reader sees as one, a letter with its accents or an emoji with its colour, stays together.
    """
    within = text.encode("utf-16-le", "surrogatepass")[: 2 * max(0, limit)]
    end = len(within.decode("utf-16-le", "ignore"))
    while 0 < end < len(text) and _belongs(text[end], to=text[end - 1]):
        end -= 1
    return text[:end]


def _belongs(char: str, *, to: str) -> bool:
    return (
        to == _JOINER or char == _JOINER or "\U0001f3fb" <= char <= "\U0001f3ff" or unicodedata.category(char)[0] == "M"
    )
