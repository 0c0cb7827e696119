"""The settings of an Aircall connection."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from connector_core.addresses import read_address

API = "https://api.aircall.io/v1"


def _filled(token: SecretStr) -> SecretStr:
    if not token.get_secret_value().strip():
        raise PydanticCustomError("secret_empty", "should not be empty")
    return token


def _shown(text: str) -> bool:
    """Tell whether it may be what Aircall shows of a pair: it goes into a header, parted by a colon."""
    return bool(text) and text.isascii() and text.isprintable() and not {" ", ":"} & set(text)


def _api_id(text: str) -> str:
    if not _shown(text):
        raise PydanticCustomError("aircall_id", "should be an API id as Aircall shows it")
    return text


def _api_token(token: SecretStr) -> SecretStr:
    if not _shown(token.get_secret_value()):
        raise PydanticCustomError("aircall_token", "should be an API token as Aircall shows it once")
    return token


def _aircall_only(text: str) -> str:
    """Hold an address to Aircall's own host, so that the API token is sent to nobody else."""
    at = read_address(text)
    theirs = at is not None and at.scheme == "https" and at.host == "api.aircall.io" and at.port in (None, 443)
    if at is None or not (theirs or at.on_loopback):
        raise PydanticCustomError("aircall_url", f"should be {API}")
    return text.rstrip("/")


class AircallSettings(BaseModel):
    """How webhooks are proven, and what they announce is read.

    ``token``: the webhook's own, which Aircall repeats in every body. ``api_id`` and ``api_token``: another thing, the pair
    that signs in to its API; without it, what can only be read there is ignored. ``api_url``: for tests on this machine.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    token: Annotated[SecretStr, AfterValidator(_filled)]
    api_id: Annotated[str, AfterValidator(_api_id)] | None = None
    api_token: Annotated[SecretStr, AfterValidator(_api_token)] | None = None
    api_url: Annotated[str, AfterValidator(_aircall_only)] = API
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 30.0

    @model_validator(mode="after")
    def _a_pair(self) -> AircallSettings:
        if (self.api_id is None) != (self.api_token is None):
            raise PydanticCustomError("aircall_pair", "api_id and api_token belong together: give both, or neither")
        return self
