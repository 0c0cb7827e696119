"""Record ids: 15 characters that count case, or 18 with a checksum of the case.

The three last characters encode, five at a time and least bit first, which of the 15 are upper case
(documented at help.salesforce.com: "convert case-sensitive 15 character IDs to case-safe 18 character IDs").
"""

from __future__ import annotations

import re

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_FORM = re.compile(r"[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?")
_NUMBER_LENGTH = 12


def make_id(prefix: str, number: int) -> str:
    """Make the 18 characters of an id; of two with one prefix the greater number sorts last."""
    text = ""
    for _ in range(_NUMBER_LENGTH):
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
    return checked(prefix + text)


def checked(short: str) -> str:
    """Lengthen 15 characters to 18."""
    blocks = (short[start : start + 5] for start in (0, 5, 10))
    bits = (sum(1 << place for place, letter in enumerate(block) if "A" <= letter <= "Z") for block in blocks)
    return short + "".join(_CHECK[index] for index in bits)


def full_id(text: object) -> str | None:
    """Read an id of either form as its 18 characters; None for what is no id."""
    if not isinstance(text, str) or not _FORM.fullmatch(text):
        return None
    long = checked(text[:15])
    return long if len(text) == 15 or long == text else None
