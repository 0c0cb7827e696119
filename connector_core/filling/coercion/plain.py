"""Text with plain signs, so that it can be read: one kind of blank, of apostrophe, of dash and of digits."""

from __future__ import annotations

import functools
import unicodedata

from connector_core.identity import compare_text

_SIGNS = str.maketrans(
    {**dict.fromkeys("’‘ʼ´`′", "'"), **dict.fromkeys("‐‑‒–—―−﹣－", "-"), "％": "%", "．": ".", "，": ","}
)


def plain(text: str) -> str:
    """Write a text with plain signs, on one line, without doubled blanks and invisible marks."""
    signs = (_plain(char) for char in text.translate(_SIGNS))
    return " ".join("".join(signs).split())


@functools.lru_cache(4_096)
def words(text: str) -> str:
    """Write a text as it compares: plain, and without case and accents."""
    return compare_text(plain(text))


@functools.lru_cache(1_024)
def _plain(char: str) -> str:
    if char.isspace():
        return " "
    if unicodedata.category(char) in ("Cc", "Cf", "Cs"):
        return ""
    return str(unicodedata.decimal(char, char))
