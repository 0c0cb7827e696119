"""A call provider of the tests that signs its bodies, and others like it that are wrong in one way each."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from connector_core.errors import CredentialsError, InputError
from connector_core.providers import Proof, ProviderManifest
from connector_core.providers.bodies import Sent, checked, read_object
from connector_core.providers.hookspecs import Announced, Delivery, Heard, Ignored, Kept, Missed, hookimpl
from connector_core.providers.parts import Part
from connector_core.testing.providers import Sample

SECRET = "invented"
NINE = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
LISTED = range(5)


class Settings(BaseModel):
    """The key that signs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: SecretStr


class Body(Sent):
    """An event."""

    event: str
    at: Annotated[int, Field(ge=0, lt=2**53)]
    id: str
    started_at: str
    who: str | None = None


class Signed:
    """A provider that signs its bodies."""

    def __init__(self, settings: Settings) -> None:
        self.key = settings.key.get_secret_value()

    @hookimpl
    def verify(self, delivery: Delivery) -> Any:
        expected = sign(delivery.body, self.key)
        if not hmac.compare_digest(delivery.headers.get("x-signature", "").encode(), expected.encode()):
            raise CredentialsError("the signature is not that of this webhook")
        return delivery.body

    @hookimpl
    def parse(self, event: bytes) -> Sequence[Heard]:
        return self.read(read_object(event))

    def read(self, value: dict[str, Any]) -> Sequence[Heard]:
        body = checked(Body, value)
        if body.event != "ended":
            return [Ignored(body.event, "no finished call")]
        return [self.part(body)]

    def part(self, body: Body, **more: Any) -> Part:
        guest = {"key": body.who, "is_user": False, "name": body.who}
        said = {
            "call_id": f"signed:{body.id}",
            "provider": "signed",
            "kind": "phone",
            "event": body.event,
            "revision": float(body.at),
            "complete": True,
            "started_at": body.started_at,
            "participants": (guest,) if body.who and body.who.strip() else (),
        }
        return checked(Part, said | more)

    def close(self) -> None:
        """Let go of nothing."""


def sign(body: bytes, key: str) -> str:
    """Sign a body."""
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


class Tended(Signed):
    """One that keeps a subscription, and lists its calls two at a time."""

    size = 2

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.subscribed = False

    @hookimpl
    def keep_subscribed(self) -> Any:
        had, self.subscribed = self.subscribed, True
        return Kept(3600, gap=not had)

    @hookimpl
    def list_missed(self, since: dt.datetime, page: str | None) -> Any:
        wanted = self.since(since)
        start = self.place(page)
        heard = tuple(self.listed(number) for number in wanted[start : start + self.size])
        return Missed(heard, next=self.after(start + self.size, len(wanted)))

    @hookimpl
    def fetch(self, asked: Sequence[Announced]) -> Any:
        return {it: (self.told(int(it.call_id.rpartition(":")[2])),) for it in asked}

    def since(self, since: dt.datetime) -> list[int]:
        return [number for number in LISTED if since <= NINE + dt.timedelta(hours=number)]

    def place(self, page: str | None) -> int:
        if page is not None and not page.isdecimal():
            raise InputError("page: is none of this list")
        return int(page or 0)

    def after(self, end: int, length: int) -> str | None:
        return str(end) if end < length else None

    def listed(self, number: int) -> Part | Announced:
        return Announced(f"signed:{number}", "record") if number % 2 else self.told(number)

    def told(self, number: int) -> Part:
        at = (NINE + dt.timedelta(hours=number)).isoformat()
        return self.part(Body(event="ended", at=number, id=str(number), started_at=at))


class MakesItAnew(Tended):
    @hookimpl
    def keep_subscribed(self) -> Any:
        return Kept(3600, gap=True)


class LeavesItWrong(Tended):
    @hookimpl
    def keep_subscribed(self) -> Any:
        return Kept(3600, problems=("users[0]: is gone",))


class StopsAtAPage(Tended):
    def after(self, end: int, length: int) -> str | None:
        return None


class NeverEnds(Tended):
    def after(self, end: int, length: int) -> str | None:
        return str(end)


class ListsEverything(Tended):
    def since(self, since: dt.datetime) -> list[int]:
        return list(LISTED)


class TakesAnyPage(Tended):
    def place(self, page: str | None) -> int:
        return int(page) if page and page.isdecimal() else 0


class ListsWhatNobodyReads(Tended):
    @hookimpl
    def fetch(self, asked: Sequence[Announced]) -> Any:
        return dict.fromkeys(asked, ())


class BelievesAll(Signed):
    @hookimpl
    def verify(self, delivery: Delivery) -> Any:
        return delivery.body


class BelievesWhoKnowsTheKey(Signed):
    @hookimpl
    def verify(self, delivery: Delivery) -> Any:
        if not delivery.headers.get("x-signature"):
            raise CredentialsError("no signature")
        if self.key != SECRET:
            raise CredentialsError("another key")
        return delivery.body


class SignsWhatItMeans(Signed):
    """Compares the signature of the JSON written anew, and so believes what was changed on its way."""

    @hookimpl
    def verify(self, delivery: Delivery) -> Any:
        plain = json.dumps(json.loads(delivery.body)).encode()
        if delivery.headers.get("x-signature") != sign(plain, self.key):
            raise CredentialsError("another signature")
        return delivery.body


class NamesNoKey(Signed):
    """Falls over where a key is not there."""

    def read(self, value: dict[str, Any]) -> Sequence[Heard]:
        return super().read({**value, "who": value["who"]})


class FallsOverLongNumbers(Signed):
    """Takes any whole number for one that it can reckon with."""

    def read(self, value: dict[str, Any]) -> Sequence[Heard]:
        at = value.get("at")
        return super().read({**value, "at": int(float(at)) if isinstance(at, int) and at > 0 else at})


class ShowsValues(Signed):
    def read(self, value: dict[str, Any]) -> Sequence[Heard]:
        try:
            return super().read(value)
        except InputError as error:
            raise InputError(f"{value} is wrong") from error


class RefusesNewKeys(Signed):
    def read(self, value: dict[str, Any]) -> Sequence[Heard]:
        if value.keys() - Body.model_fields.keys():
            raise InputError("an unknown key")
        return super().read(value)


class CountsReadings(Signed):
    number = itertools.count()

    def part(self, body: Body, **more: Any) -> Part:
        return super().part(body, title=f"{next(self.number)}")


class LosesTheGuest(Signed):
    def part(self, body: Body, **more: Any) -> Part:
        return super().part(body, participants=())


class OfAnotherProvider(Signed):
    def part(self, body: Body, **more: Any) -> Part:
        return super().part(body, provider="another")


class TakesAnything(Signed):
    @hookimpl
    def parse(self, event: bytes) -> Sequence[Heard]:
        try:
            return self.read(read_object(event))
        except InputError:
            return [Ignored("garbage", "who knows")]


EVENT = {"event": "ended", "at": 3, "id": "7", "started_at": "2026-03-02T09:00:00Z", "who": "Carl"}
CALL = {
    "id": "signed:7",
    "provider": "signed",
    "kind": "phone",
    "started_at": "2026-03-02T09:00:00Z",
    "participants": [{"is_user": False, "name": "Carl"}],
}


def sample(call: dict[str, Any] | None, **changes: Any) -> Sample:
    """Write an event, signed."""
    body = json.dumps(EVENT | changes).encode()
    return Sample(Delivery(body, {"x-signature": sign(body, SECRET)}), call)


SAMPLES = (sample(CALL), sample(None, event="ringing"))


def manifest(adapter: str, proof: Proof = "headers") -> ProviderManifest:
    """Name one of the adapters above."""
    return ProviderManifest("signed", "Signed", f"{__name__}:Settings", f"{__name__}:{adapter}", proof)


WRONG: Mapping[str, set[str]] = {
    "BelievesAll": {"P-PROOF-2", "P-PROOF-3", "P-PROOF-4", "P-PROOF-5"},
    "BelievesWhoKnowsTheKey": {"P-PROOF-3", "P-PROOF-5"},
    "SignsWhatItMeans": {"P-PROOF-3", "P-PROOF-5"},
    "NamesNoKey": {"P-CALL-6", "P-PROOF-5"},
    "FallsOverLongNumbers": {"P-CALL-5"},
    "ShowsValues": {"P-CALL-5"},
    "RefusesNewKeys": {"P-CALL-4"},
    "CountsReadings": {"P-CALL-1", "P-CALL-3", "P-CALL-4"},
    "LosesTheGuest": {"P-CALL-1"},
    "OfAnotherProvider": {"P-CALL-1", "P-CALL-7"},
    "TakesAnything": {"P-PROOF-5"},
    "MakesItAnew": {"P-KEEP-1"},
    "LeavesItWrong": {"P-KEEP-1"},
    "StopsAtAPage": {"P-LIST-1"},
    "NeverEnds": {"P-LIST-1", "P-LIST-2", "P-LIST-4"},
    "ListsEverything": {"P-LIST-2"},
    "TakesAnyPage": {"P-LIST-3"},
    "ListsWhatNobodyReads": {"P-LIST-4"},
}
"""The adapters that are wrong, and the clauses that have to turn red."""
