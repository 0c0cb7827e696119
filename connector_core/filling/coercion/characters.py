"""The characters of a text as a CRM can hold them: without what no person sees."""

from __future__ import annotations

import re

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Controls but for tab and line feed, and halves of surrogate pairs, which are no characters: nothing can store them."""


def clean(text: str) -> str:
    """Drop what is no character, and blanks at the ends; all line breaks become line feeds."""
    return _UNSEEN.sub("", "\n".join(text.splitlines())).strip()


def one_line(text: str) -> str:
    """Put a clean text on one line, with a blank for each line break."""
    return " ".join(line for part in text.split("\n") if (line := part.strip()))
