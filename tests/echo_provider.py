"""A call provider of the tests: it believes whoever says the word, and says what it is told to say."""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, SecretStr

from connector_core.errors import CredentialsError, InputError
from connector_core.providers import ProviderManifest
from connector_core.providers.binding import Provider
from connector_core.providers.bodies import checked, read_object
from connector_core.providers.hookspecs import (
    Announced,
    Answer,
    Delivery,
    Heard,
    Ignored,
    Kept,
    Missed,
    Reply,
    hookimpl,
)
from connector_core.providers.parts import Part

WORD = "invented"


class EchoSettings(BaseModel):
    """The word that has to be said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr = SecretStr(WORD)


class Echo:
    """Reads parts as they are written, and answers what the test wants where it reads on."""

    def __init__(self, settings: EchoSettings) -> None:
        self.token = settings.token
        self.fetched: list[Announced] = []
        self.answer: Callable[[Announced], Answer] = lambda asked: ()
        self.closed = False

    @hookimpl
    def verify(self, delivery: Delivery) -> bytes | Reply:
        said = delivery.headers.get("x-echo-token", "").encode()
        if not hmac.compare_digest(said, self.token.get_secret_value().encode()):
            raise CredentialsError("the word is not said")
        if "echo" in delivery.query:
            return Reply(delivery.query["echo"].encode(), "text/plain")
        return delivery.body

    @hookimpl
    def parse(self, event: bytes) -> Sequence[Heard]:
        body = read_object(event)
        try:
            said: list[Heard] = [checked(Part, each) for each in body.get("parts", [])]
            said += [Announced(**each) for each in body.get("announced", [])]
        except TypeError as error:
            raise InputError("parts or announced: should be lists of objects") from error
        return said or [Ignored("nothing", "it says nothing")]

    @hookimpl
    def fetch(self, asked: Sequence[Announced]) -> Mapping[Announced, Answer]:
        self.fetched += asked
        return {each: self.answer(each) for each in asked}

    def close(self) -> None:
        self.closed = True


class Tended(Echo):
    """One whose subscriptions are kept, and which lists calls: each time what the test wants next, then nothing new."""

    def __init__(self, settings: EchoSettings) -> None:
        super().__init__(settings)
        self.kept: list[Kept | Exception] = []
        self.missed: list[Missed | Exception] = []
        self.asked: list[tuple[dt.datetime, str | None]] = []
        self.seen_to = 0

    @hookimpl
    def keep_subscribed(self) -> Kept:
        self.seen_to += 1
        return _next(self.kept, Kept(3600))

    @hookimpl
    def list_missed(self, since: dt.datetime, page: str | None) -> Missed:
        self.asked.append((since, page))
        return _next(self.missed, Missed(()))


_T = TypeVar("_T")


def _next(answers: list[_T | Exception], otherwise: _T) -> _T:
    answer = answers.pop(0) if answers else otherwise
    if isinstance(answer, Exception):
        raise answer
    return answer


ECHO = ProviderManifest("echo", "Echo", f"{__name__}:EchoSettings", f"{__name__}:Echo")


def provider() -> tuple[Provider, Echo]:
    """Make one, and its adapter."""
    adapter = Echo(EchoSettings())
    return Provider(ECHO, adapter), adapter


def said(number: int = 1, revision: float = 1.0, **more: Any) -> dict[str, Any]:
    """Write a part of a call that is complete unless told."""
    base = {"call_id": f"echo:{number}", "provider": "echo", "kind": "phone", "event": "ended", "complete": True}
    return {**base, "started_at": "2026-03-02T09:00:00Z", "revision": revision, **more}
