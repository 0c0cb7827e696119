"""Identifiers of guests that are not looked up, by setting."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from typing import Literal, TypeAlias

from connector_core.errors import ConfigurationError
from connector_core.identity import PhoneReader, email_key

By: TypeAlias = Literal["email", "phone"]


class Ignored:
    """Tells which identifiers are not looked up.

    :param emails: Shell wildcards (``*@seller.example``) on the whole address, without case.
    :param numbers: Numbers, as people write them; compared as numbers.
    :raises ConfigurationError: One that can match nothing; it is named by its place, from 0.
    """

    def __init__(self, emails: Sequence[str], numbers: Sequence[str], reader: PhoneReader) -> None:
        """Read the lists."""
        for place, pattern in enumerate(emails):
            if not re.search(r"[@*?]", pattern):
                raise ConfigurationError(
                    f"ignore_emails.{place}: is no address; wildcards are possible: *@seller.example"
                )
        patterns = [fnmatch.translate(key) for pattern in emails if (key := email_key(pattern))]
        self._emails = re.compile("|".join(patterns)) if patterns else None
        self._numbers = set()
        for place, text in enumerate(numbers):
            number = reader.read(text)
            if number is None:
                raise ConfigurationError(
                    f"ignore_numbers.{place}: cannot be read as a number; write it with + and the code of its country,"
                    " or set regions"
                )
            self._numbers.add(number)

    def has(self, by: By, key: str) -> bool:
        """Tell whether an identifier, as it compares, is one of them."""
        if by == "phone":
            return key in self._numbers
        return self._emails is not None and self._emails.match(key) is not None
