"""The settings of the extractor that asks an OpenAI-compatible endpoint."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from connector_core.addresses import read_address


def _address(text: str) -> str:
    """Hold an address to https, or to this machine: what was said in calls goes there, and the key."""
    at = read_address(text)
    if at is None:
        raise PydanticCustomError("openai_url", "should be an address like https://api.openai.com/v1")
    if at.scheme != "https" and not at.on_loopback:
        raise PydanticCustomError("openai_https", "should begin with https://, but for a server on this machine")
    return text.rstrip("/")


def _key(key: SecretStr) -> SecretStr:
    text = key.get_secret_value()
    if not (text and text.isascii() and text.isprintable() and " " not in text):
        raise PydanticCustomError("openai_key", "should be a key of letters, digits and signs, without blanks")
    return key


class OpenAISettings(BaseModel):
    """How a model is asked.

    ``url``: the base address, ``/chat/completions`` left out. ``api_key``: not needed by many servers on one's own machine.
    ``retries``: further tries of a request. ``most_characters``: of a transcript that are sent; of all other texts together
    as many. ``most_tokens``: of an answer, ``answer_limit`` says under which name: ``max_tokens`` is for servers that know
    no other. ``tokens_per_day``: see :class:`~connector_core.extractors.budget.DailyTokens`.
    ``fields_at_once``: fields of one request; 24 of them are the 100 properties that the smallest endpoints take.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Annotated[str, AfterValidator(_address)]
    model: Annotated[str, Field(min_length=1, max_length=200)]
    api_key: Annotated[SecretStr, AfterValidator(_key)] | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 60.0
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    most_characters: Annotated[int, Field(ge=1_000, le=5_000_000)] = 60_000
    most_tokens: Annotated[int, Field(ge=16, le=1_000_000)] = 4_000
    answer_limit: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    tokens_per_day: Annotated[int, Field(ge=1)] | None = None
    fields_at_once: Annotated[int, Field(ge=1, le=200)] = 24

    @model_validator(mode="after")
    def _enough_for_one(self) -> Self:
        if self.tokens_per_day is not None and self.tokens_per_day < self.most_tokens:
            raise PydanticCustomError("openai_budget", "tokens_per_day should not be less than most_tokens")
        return self
