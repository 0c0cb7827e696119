"""From a call of Aircall's to a part of ours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from connector_aircall.body import CallData, Comment, Event, Party, User
from connector_core.identity import PhoneReader
from connector_core.providers.bodies import checked
from connector_core.providers.parts import EmailSource, Part

UNTAGGED = "call.untagged"
_HUNG_UP_AS_USUAL = "normal_clearing"

_NUMBERS = PhoneReader(())


def to_part(head: Event, data: CallData, *, complete: bool) -> Part:
    """Map what an event says.

    The lists of tags and comments are those of the moment. They are joined, since an event may be older than it looks; an
    ``untagged`` alone takes tags away.

    :raises InputError: Its times contradict each other.
    """
    outside, own = data.raw_digits, data.number.digits if data.number else None
    page = _page(data.asset)
    ended = {} if data.ended_at is None else _ended(data, data.ended_at)
    return checked(
        Part,
        {
            "call_id": f"aircall:{data.id}",
            "provider": "aircall",
            "kind": "phone",
            "event": head.event,
            "revision": float(head.timestamp),
            "complete": complete,
            "replaces": ("tags",) if head.event == UNTAGGED else (),
            "direction": data.direction,
            "started_at": _time(data.started_at),
            **ended,
            "from_number": outside if data.direction == "inbound" else own,
            "to_number": own if data.direction == "inbound" else outside,
            "organizer": _organizer(data.user),
            "participants": tuple(_participants(data)),
            "link": page,
            "recording_url": page,
            "comments": dict(_comments(data.comments or ())),
            "tags": {str(tag.id or name): name for tag in data.tags or () if (name := _text(tag.name))},
            "teams": tuple(name for team in data.teams or () if (name := _text(team.name))) or None,
        },
    )


def _ended(data: CallData, ended_at: int) -> dict[str, Any]:
    """Give what is known of a call once it has ended."""
    return {
        "status": _status(data),
        "outcome": _outcome(data),
        "ended_at": _time(ended_at),
        "duration_seconds": _seconds(data.duration),
        "talk_seconds": 0.0 if data.answered_at is None else float(ended_at - data.answered_at),
    }


def _time(epoch: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(epoch, dt.UTC)


def _seconds(whole: int | None) -> float | None:
    return None if whole is None else float(whole)


def _status(data: CallData) -> str:
    """Tell apart what Aircall does not: to it every call that has ended is ``done``."""
    if data.answered_at is not None:
        return "completed"
    return "voicemail" if data.voicemail else "missed"


def _outcome(data: CallData) -> str | None:
    """Say why nobody answered, in words."""
    causes = (data.missed_call_reason, data.hangup_cause if data.hangup_cause != _HUNG_UP_AS_USUAL else None)
    cause = next((cause for cause in causes if cause and data.answered_at is None), "")
    return cause.replace("_", " ").strip().capitalize() or None


def _page(asset: str | None) -> str | None:
    """Keep the page that needs a login: a signed address is a secret, and dead after ten minutes."""
    try:
        parts = urlsplit(asset or "")
    except ValueError:
        return None
    lasting = parts.scheme == "https" and parts.hostname and not (parts.query or parts.username)
    return f"https://{parts.netloc}{parts.path}" if lasting else None


def _organizer(user: User | None) -> dict[str, str | None] | None:
    if user is None or not (_text(user.name) or _text(user.email)):
        return None
    return {"name": _text(user.name), "email": _text(user.email)}


def _comments(comments: Iterable[Comment]) -> Iterator[tuple[str, dict[str, Any]]]:
    for comment in comments:
        if comment.content:
            author = _text(comment.posted_by.name) if comment.posted_by else None
            at = None if comment.posted_at is None else _time(comment.posted_at)
            yield str(comment.id or comment.content), {"text": comment.content, "author": author, "at": at}


# -- who took part -----------------------------------------------------------------------------------------------------


def _participants(data: CallData) -> Iterator[dict[str, Any]]:
    yield from _user(data.user)
    numbers = _Numbers()
    contact = data.contact
    written = [data.raw_digits, *(item.value for item in (contact and contact.phone_numbers) or ())]
    yield {
        "key": "outside",  # one call has one other side, whatever its number is written like, or none is told
        "is_user": False,
        "name": (_text(f"{contact.first_name or ''} {contact.last_name or ''}") if contact else None),
        "emails": _addresses("contact", (item.value for item in (contact and contact.emails) or ())),
        "phones": tuple(numbers.new(written)),
    }
    for number in numbers.new(_outside(data.participants), _outside(data.conference_participants)):
        yield {"key": f"number {number}", "is_user": False, "phones": (number,)}
    yield from _user(data.transferred_by)
    for party in (*(data.participants or ()), *(data.conference_participants or ())):
        if party.type == "user" and (party.id or _text(party.name)):
            yield {"key": f"user {party.id or _text(party.name)}", "is_user": True, "name": _text(party.name)}


def _user(user: User | None) -> Iterator[dict[str, Any]]:
    name, email = (_text(user.name), _text(user.email)) if user else (None, None)
    if user and (key := user.id or email or name):
        yield {"key": f"user {key}", "is_user": True, "name": name, "emails": _addresses("webhook", (email,))}


def _addresses(source: EmailSource, texts: Iterable[str | None]) -> tuple[dict[str, str], ...]:
    return tuple({"email": text, "source": source} for each in texts if (text := _text(each)))


def _outside(parties: Iterable[Party] | None) -> Iterator[str | None]:
    return (party.phone_number for party in parties or () if party.type == "external")


class _Numbers:
    """The numbers of a call, each once however it is written. They are compared where there are several."""

    def __init__(self) -> None:
        self._given: list[str] = []

    def new(self, *groups: Iterable[str | None]) -> Iterator[str]:
        """Give the numbers that were not given before, as they are written."""
        for group in groups:
            for written in group:
                text = _text(written)
                if text is not None and not any(_number(text) == _number(other) for other in self._given):
                    self._given.append(text)
                    yield text


def _number(text: str) -> str:
    return _NUMBERS.read(text) or text.casefold()


def _text(text: str | None) -> str | None:
    """Give text without blanks around it; None where nothing is left."""
    return (text or "").strip() or None
