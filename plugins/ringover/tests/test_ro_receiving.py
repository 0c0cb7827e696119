"""A call whose own webhook was lost reaches the ledger by those that came later, and by what they announce."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import jwt
import pytest
import sqlalchemy as sa

from connector_core.config import ConnectionConfig, OpenConnection
from connector_core.errors import CredentialsError
from connector_core.fetching import Fetching
from connector_core.ledger.agenda import read_agenda
from connector_core.ledger.ledger import Ledger
from connector_core.model import Call, Utterance
from connector_core.providers.hookspecs import Delivery
from connector_core.receiving import Received, Receiver, Source

KEY = "k" * 64
ADDRESS = "https://hooks.seller.example/hooks/acme/ringover"
NUMBER = "14486597828273463454"
LEG = {
    "call_id": NUMBER,
    "direction": "in",
    "last_state": "ANSWERED",
    "start_time": "2026-03-02T09:00:00.5Z",
    "end_time": "2026-03-02T09:05:00Z",
    "incall_duration": 290,
    "contact_number": "33639981011",
    "from_number": "33639981011",
    "to_number": "33199000001",
    "user": {"user_id": 7, "firstname": "Ada", "lastname": "Agent", "email": "ada@seller.example"},
}
SPOKEN = {
    "call_id": NUMBER,
    "transcription_status": "DONE",
    "creation_date": "2026-03-02T09:20:00Z",
    "transcription_data": {"speeches": [{"speaker_id": 0, "content": "Hello."}]},
}


class Served(Protocol):
    """The stand-in, as tests see it."""

    url: str
    asked: list[str]

    def say(self, path: str, value: object, status: int = 200, **headers: str) -> None: ...


class Clock:
    """A clock that a test moves on."""

    now = 1772450000.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """What receives webhooks, and the ledger behind it."""

    def __init__(self, ledger: Ledger, opened: OpenConnection, clock: Clock) -> None:
        self._ledger = ledger
        self._opened = opened
        self.clock = clock
        self._receiver = Receiver(ledger, lambda _connection, name: Source(opened.sources.get(name)))

    def receive(
        self, resource: str, event: str, at: float = 1772450000.0, key: str = KEY, **data: Any
    ) -> Received | None:
        """Receive a webhook of the call, as Ringover signs it."""
        payload = {"resource": resource, "event": event, "timestamp": at, "data": {"call_id": int(NUMBER), **data}}
        token = jwt.encode({"url": ADDRESS, "payload": payload}, key, algorithm="HS512")
        headers = {"x-ringover-webhook-signature": token}
        return self._receiver.receive("acme", "ringover", Delivery(json.dumps(payload).encode(), headers, {}, ADDRESS))

    def fetch(self, after_seconds: float) -> int:
        """Read what is due by then."""
        self.clock.now += after_seconds
        return Fetching(self._ledger, self._opened).read()

    def call(self) -> Call | None:
        """Give the call as the ledger has it."""
        with self._ledger.database.reading() as step:
            text = step.execute(sa.text("select content from calls")).scalar()
        return None if text is None else Call.model_validate_json(text)

    def due(self) -> tuple[str, ...]:
        """Name the connections for which there is something to do."""
        return tuple(read_agenda(self._ledger.database).due)


@pytest.fixture
def desk(tmp_path: Path, api: Served) -> Iterator[Desk]:
    (tmp_path / "world.json").write_text("{}")
    ringover = {"webhook_key": KEY, "api_key": "9c2e-invented-api-key", "api_url": api.url}
    config = ConnectionConfig(
        "acme", "file", {"path": "world.json"}, directory=tmp_path, providers={"ringover": ringover}
    )
    clock = Clock()
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}", clock=clock) as ledger, config.open() as opened:
        yield Desk(ledger, opened, clock)


def test_a_lost_webhook_loses_no_call(api: Served, desk: Desk) -> None:
    """Tags and a transcript came, the end of the call did not: the call is whole, and due, all the same."""
    api.say(f"calls/{NUMBER}", {"list": [LEG]})
    api.say(f"transcriptions/{NUMBER}", [SPOKEN])
    desk.receive("aftercall", "tags_updated", tags=["Demo"])
    desk.receive("aftercall", "transcription_available")
    before = desk.call()

    read = [desk.fetch(0), desk.fetch(301)]

    call = desk.call()
    assert call is not None
    assert (before, read, desk.due()) == (None, [1, 1], ("acme",))
    assert (call.status, call.tags, call.transcript) == (
        "completed",
        ("Demo",),
        (Utterance(text="Hello.", speaker="Speaker 0"),),
    )


def test_several_events_of_a_call_read_it_once(api: Served, desk: Desk) -> None:
    """Each of them announces the call; it is asked for once."""
    api.say(f"calls/{NUMBER}", {"list": [LEG]})
    for event in ("tags_updated", "comments_updated", "record_available", "tags_updated"):
        desk.receive("aftercall", event)
    desk.fetch(301)
    assert api.asked == [f"calls/{NUMBER}"]


def test_a_webhook_that_comes_after_all_goes_before(api: Served, desk: Desk) -> None:
    """What Ringover sent in the end says more exactly when the call began than what was read meanwhile."""
    api.say(f"calls/{NUMBER}", {"list": [LEG]})
    desk.receive("aftercall", "tags_updated")
    desk.fetch(301)
    desk.receive("call", "hangup", 1772442300.25, start_time=1772442000.123, hangup_time=1772442300.25)
    call = desk.call()
    assert call is not None
    assert call.started_at.timestamp() == 1772442000.123


def test_what_is_not_signed_with_the_key_reaches_nothing(desk: Desk) -> None:
    """A forged call is refused before anything of it is kept."""
    with pytest.raises(CredentialsError):
        desk.receive("call", "hangup", key="f" * 64, start_time=1772442000.0)
    assert desk.call() is None
