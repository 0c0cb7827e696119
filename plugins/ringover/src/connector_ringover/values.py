"""Values that Ringover writes in several ways: its samples and SDKs disagree on whether an id is text, a flag a number."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, TypeAlias
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from connector_core.identity import PhoneReader
from connector_core.providers.bodies import Sent

_YEAR_3000 = 32_503_680_000
_LARGEST_ID = 2**64 - 1
_MOST_DIGITS = len(str(_LARGEST_ID))
_READER = PhoneReader(())


def _whole(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _call_id(value: object) -> str:
    """Bring an id to its digits. One that was a float on its way has lost some: it is another call's, or nobody's."""
    text = _whole(value)
    digits = isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    if not digits or not 0 < int(str(text)) <= _LARGEST_ID:
        raise PydanticCustomError("ringover_id", "should be a whole number of at most 64 bits, as a number or as text")
    return str(int(str(text)))


def _moment(value: object) -> dt.datetime:
    """Read seconds since 1970, or ISO 8601 with an offset."""
    wrong = PydanticCustomError("ringover_time", "should be seconds since 1970, or ISO 8601 with an offset")
    if isinstance(value, dt.datetime):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _YEAR_3000:
        return dt.datetime.fromtimestamp(value, dt.UTC)
    if not isinstance(value, str) or "T" not in value:
        raise wrong
    try:
        moment = dt.datetime.fromisoformat(value)
        if moment.tzinfo is not None and 1970 <= moment.year < 3000:
            return moment.astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise wrong from error
    raise wrong


def _flag(value: object) -> object:
    return bool(value) if type(value) is int and value in (0, 1) else value


CallNumber: TypeAlias = Annotated[str, BeforeValidator(_call_id)]
"""The id of a call, an unsigned number of 64 bits: text, because few databases and no JavaScript hold it otherwise."""
Moment: TypeAlias = Annotated[dt.datetime, BeforeValidator(_moment)]
Flag: TypeAlias = Annotated[bool, BeforeValidator(_flag)]
Text: TypeAlias = Annotated[str, BeforeValidator(_whole)]
Seconds: TypeAlias = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


class User(Sent):
    """Somebody of the seller's. A webhook of a real account called one ``USER22673838`` whom the API calls ``22673838``."""

    user_id: Text | None = None
    firstname: str | None = None
    lastname: str | None = None
    email: str | None = None


def full_name(firstname: str | None, lastname: str | None) -> str | None:
    """Join the parts of a name; None where there are none."""
    return " ".join(part.strip() for part in (firstname, lastname) if part and part.strip()) or None


def attendant(user: User) -> dict[str, Any] | None:
    """Give a user as a participant; None for one of whom nothing is said."""
    name, email = full_name(user.firstname, user.lastname), (user.email or "").strip()
    key = (user.user_id or "").removeprefix("USER") or email or name
    if not key:
        return None
    emails = ({"email": email, "source": "webhook"},) if email else ()
    return {"key": f"user {key}", "is_user": True, "name": name, "emails": emails}


def organizer(user: User | None) -> dict[str, str | None] | None:
    """Give a user as the organizer of a call."""
    if user is None:
        return None
    name, email = full_name(user.firstname, user.lastname), (user.email or "").strip() or None
    return {"name": name, "email": email} if name or email else None


def phone(text: str | None) -> str | None:
    """Give a number with the plus that Ringover leaves out; what is no international number stays as it is written."""
    written = (text or "").strip()
    international = written.isascii() and written.isdecimal() and _READER.read(f"+{written}") is not None
    return f"+{written}" if international else written or None


def lasting(*addresses: str | None) -> str | None:
    """Give the first address that is a plain https one: what is signed for a while, or names a user, is never kept."""
    for address in addresses:
        try:
            parts = urlsplit(address or "")
        except ValueError:
            continue
        if parts.scheme == "https" and parts.hostname and not (parts.query or parts.fragment or parts.username):
            return address
    return None
