"""Reading the bodies of webhooks: what every provider needs, and each says what is wrong in the same words."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from connector_core.errors import InputError
from connector_core.strict_json import LineError, parse_object
from connector_core.validation import problems


class Sent(BaseModel):
    """A part of a body: keys that we do not know are passed over, look-alike types are refused."""

    # With a bound on its length, text is checked to be text: a lone surrogate can be written nowhere.
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, str_min_length=0)


_Model = TypeVar("_Model", bound=BaseModel)


def read_object(body: bytes) -> dict[str, Any]:
    """Read a body that is a JSON object.

    :raises InputError: It is none.
    """
    try:
        return parse_object(body)
    except LineError as error:
        raise InputError("; ".join(error.args)) from error


def checked(model: type[_Model], value: object) -> _Model:
    """Make a model of what was read.

    :raises InputError: With everything that is wrong, each with its path and without its value.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        wrong = "; ".join(f"{path}: {text}" if path else text for path, text in problems(error))
    # Raised out here: pydantic's error quotes values, which are personal, and would be printed as the cause or context.
    raise InputError(wrong)
