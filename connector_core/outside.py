"""Values that come from outside, as JSON: what every model of them shares."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError


def _text_time(value: object) -> object:
    """Take ISO 8601 text with an offset: a bare number or date would be read as something that nobody meant.

    A time in Python keeps its offset and loses its zone: within one zone Python counts by the clock on the wall, which is an
    hour wrong across the nights on which that is changed.
    """
    if isinstance(value, dt.datetime):
        offset = value.utcoffset()
        return value if offset is None else value.replace(tzinfo=dt.timezone(offset), fold=0)
    if not isinstance(value, str) or "T" not in value.upper().replace(" ", "T"):
        raise PydanticCustomError("iso_time", "Input should be an ISO 8601 date and time with an offset")
    return value


def _calendar_time(value: dt.datetime) -> dt.datetime:
    """Keep clear of the ends of the calendar: windows of days are counted from a call's times, in both directions."""
    if not 1900 <= value.year < 3000:
        raise PydanticCustomError("calendar_time", "Input should be in a year from 1900 to 2999")
    return value


def _not_blank(value: str) -> str:
    """Refuse blanks alone: a blank reference is none, so that nothing could name such an id."""
    if not value.strip():
        raise PydanticCustomError("blank", "Input should not be blank")
    return value


Time: TypeAlias = Annotated[AwareDatetime, BeforeValidator(_text_time)]
CallTime: TypeAlias = Annotated[Time, AfterValidator(_calendar_time)]
Id: TypeAlias = Annotated[str, Field(min_length=1), AfterValidator(_not_blank)]
Seconds: TypeAlias = Annotated[float, Field(strict=True, ge=0, le=1e9, allow_inf_nan=False)]


class Outside(BaseModel):
    """A value from outside: unknown keys are refused, and nothing changes once it is read."""

    # With a bound on its length, text is checked to be text: a lone surrogate can be written nowhere. What was refused may
    # be personal, or a secret: it stays out of errors and their tracebacks.
    model_config = ConfigDict(extra="forbid", frozen=True, str_min_length=0, hide_input_in_errors=True)
