"""The contract between the core and a call provider: what a webhook tells, proven, read, and completed.

A provider's adapter is a class whose methods carry :data:`hookimpl` and the names and arguments below. It raises errors of
:mod:`connector_core.errors`, and no other. Hooks are called from several threads at once, on one adapter per connection.

What comes in is a hint. Events come late, twice, and in any order; each says a :class:`~connector_core.providers.parts.Part`
of a call, or announces that something can be read, and the core makes one call of all parts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from connector_core.hookspecs import hookimpl, hookspec
from connector_core.providers.parts import Part

__all__ = [
    "Announced",
    "Answer",
    "Delivery",
    "Heard",
    "Ignored",
    "Kept",
    "Later",
    "Missed",
    "Part",
    "ProviderHooks",
    "Reply",
    "hookimpl",
]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request to the address of a webhook, as it came.

    ``body``: not parsed, not decoded: signatures are made over bytes. ``headers``: by name in lower case; ``query``: what
    stands behind the ``?``. ``url``: the address that was called, as the sender wrote it, where it is known.
    """

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the provider wants to be answered when a webhook is set up; it is no event."""

    body: bytes = field(repr=False)
    media_type: str


@dataclass(frozen=True, slots=True)
class Announced:
    """Something of a call that can be read now, or in ``after_seconds``; ``what`` is the provider's own name for it."""

    call_id: str
    what: str
    after_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that tells nothing of a finished call; ``reason`` is for a person."""

    event: str
    reason: str


@dataclass(frozen=True, slots=True)
class Later:
    """What was announced is not there yet: to be asked for again."""

    after_seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Kept:
    """How the subscriptions of a connection stand, once they were seen to.

    ``again_in_seconds``: when to see to them next, well before they end. ``gap``: one had to be made, so that events may
    have been missed. ``problems``: what is wrong with some of them, for a person, without addresses; it is tried again
    sooner.
    """

    again_in_seconds: float
    gap: bool = False
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Missed:
    """One page of the calls that a provider has. ``next``: what to ask for the next one with; None for the last.

    ``incomplete``: why some calls could not be listed, for a person, without addresses: the list is asked for once more.
    """

    heard: tuple[Part | Announced, ...]
    next: str | None = None
    incomplete: str | None = None


Heard: TypeAlias = Part | Announced | Ignored
Answer: TypeAlias = tuple[Part, ...] | Later


class ProviderHooks(Protocol):
    """The hooks of a call provider, as a class: an adapter's methods have these signatures, exactly."""

    @hookspec(firstresult=True)
    def verify(self, delivery: Delivery) -> bytes | Reply:
        """Prove that a request comes from the provider and is meant for this connection, before anything in it is believed.

        Nothing is sent but for the provider's public keys, if need be.

        :returns: The event as it was signed (a signature may carry it), or what the set-up of a webhook wants as answer.
        :raises CredentialsError: It does not, or is meant for somebody else. The sender is told nothing of why.
        :raises InputError: It is not what the provider sends; the message names the place and holds no value.
        :raises TryAgainError: It cannot be told now.
        """
        ...

    @hookspec(firstresult=True)
    def parse(self, event: bytes) -> Sequence[Heard]:
        """Read an event that was proven, or that a person hands in; pure.

        :returns: What it says, one or several; an event that tells nothing is said to be ignored.
        :raises InputError: It is not what the provider sends; the message names the place and holds no value.
        """
        ...

    @hookspec(firstresult=True)
    def fetch(self, asked: Sequence[Announced]) -> Mapping[Announced, Answer]:
        """Read what was announced.

        :param asked: Free of repeats, in no order that means anything.
        :returns: For each of them its parts, none where there is nothing and never will be, or when to ask again.
        :raises TryAgainError: Nothing could be asked.
        :raises CredentialsError: The provider refuses the connection's credentials.
        """
        ...

    @hookspec(firstresult=True)
    def keep_subscribed(self) -> Kept:
        """See to it that events come: make the subscriptions that are missing, and renew those that are to end.

        It is called again and again, in two processes at once at worst, and leaves alone what is in order.

        :returns: When to be called again, and what is wrong. A connection whose settings want no subscription has none, and
            nothing wrong with it.
        :raises TryAgainError: Nothing could be seen to now.
        :raises CredentialsError: The provider refuses the connection's credentials.
        :raises RefusedError: The provider refuses a subscription.
        :raises OutcomeUnknownError: One may have been made, or not; the next call finds it.
        """
        ...

    @hookspec(firstresult=True)
    def list_missed(self, since: dt.datetime, page: str | None) -> Missed:
        """List the calls that the provider has since then, as events would tell of them: no event may have come.

        :param since: Aware. By when a call began or ended, whichever the provider lists by; what it has deleted is gone.
        :param page: What the page before named as its next; None for the first.
        :returns: A page of them, in any order; a call may stand there twice.
        :raises TryAgainError: They cannot be listed now.
        :raises CredentialsError: The provider refuses the connection's credentials.
        :raises InputError: There is no such page: the list begins anew.
        """
        ...
