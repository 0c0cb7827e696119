"""What a CRM plugin says about itself, readable without importing its SDK.

An entry point of the group ``connector.crms`` names a :class:`CrmManifest`. It names its settings model, its adapter and
its sandbox as text (``package.module:Name``), so that listing what is installed imports none of them.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from connector_core.errors import ConfigurationError
from connector_core.meter import Meter
from connector_core.tokens import Grant, TokenStore

if TYPE_CHECKING:
    from connector_core.model import FillReason

MUST = frozenset({"find_contacts_by_email", "find_contacts_by_phone", "find_activity", "list_opportunities"})
"""The operations without which no call can be associated."""

OPERATIONS = MUST | frozenset(
    {
        "write_activity",
        "fill_fields",
        "find_users_by_email",
        "read_people",
        "read_accounts",
        "search_people",
        "search_accounts",
        "form_address",
        "describe_objects",
        "read_fields",
        "check_access",
        "describe_organization",
        "list_changes",
    }
)
"""Every operation that this version of the core knows: the names of the hooks."""

TRAITS: Mapping[str, str] = {
    "leads": "has leads beside contacts",
    "owner_filter": "can restrict candidates to the organizer's own opportunities",
    "change_opportunity": "replaces the opportunity that the connector wrote on an activity, and takes it off",
    "events": "keeps meetings as events of a calendar",
    "unique_external_key": "can be given a unique field for the call's id, which makes duplicates impossible",
    "activity_fields": "writes further fields of activities, by the CRM's own names",
    "notes": "writes what was said as a note beside the activity too, and finds it again by the call's id",
}
"""Abilities that are no hook, declared by a plugin and proved by the contract kit."""

HOLDS: Mapping[str, str] = {
    "several_emails": "several e-mail addresses of one person",
    "shared_emails": "one e-mail address of two people",
    "several_phones": "several phone numbers of one person",
    "converted_leads": "leads that became contacts",
    "shared_opportunities": "one opportunity of two people",
    "creation_times": "opportunities that were created at a given time",
    "closing_times": "opportunities that were closed at a given time",
    "merged_records": "whom a record was merged into",
    "filled_forms": "what is known, in the address of a form",
    "fixed_fields": "fields that were defined beforehand, and no others",
}
"""What not every CRM can hold. The contract kit leaves it out of the world of a plugin that says so."""

NAMES = frozenset(
    {"contact", "lead", "account", "opportunity", "user"}
    | {"contact.title", "opportunity.next_step", "opportunity.amount", "opportunity.date"}
    | {"call", "event", "meeting", "task", "note", "event.place", "meeting.place"}
)
"""What :attr:`CrmManifest.names` translates: objects, and of them texts, a number and a day or time."""

MeetingKind: TypeAlias = Literal["event", "meeting", "task"]


@dataclass(frozen=True, slots=True)
class Deviation:
    """A clause of the contract that a CRM does not keep: why, and where that is documented."""

    reason: str
    link: str


class Login(Protocol):
    """How a person's consent becomes tokens: OAuth's authorization code (RFC 6749, section 4.1)."""

    def authorize_url(self, settings: Any, redirect: str, state: str, challenge: str) -> str:
        """Give the address of the page on which a person consents.

        :param settings: The plugin's settings; its ``refresh_token`` means nothing yet.
        :param redirect: Where the service is to send the browser afterwards.
        :param challenge: The PKCE challenge, method S256 (RFC 7636), for a service that knows it.
        """
        ...

    def exchange(self, settings: Any, code: str, redirect: str, verifier: str) -> Grant:
        """Take the tokens for a code.

        :raises ConnectorError: The service does not give them.
        """
        ...


@dataclass(frozen=True, slots=True)
class CrmManifest:
    """One CRM plugin.

    ``settings``: a pydantic model with flat fields. ``adapter``: a class called as ``Adapter(settings, info)``, with a
    :class:`ConnectionInfo`, doing no work and no I/O there, and with a ``close()``. ``sandbox``: a class of
    :mod:`connector_core.testing.sandbox`, or None. ``login``: a :class:`Login`, or None where a person's consent is no way
    to sign in. ``webhooks``: a function that takes the settings and gives what reads the CRM's own webhooks of changes
    (:data:`connector_core.receiving.ReadChanges`), or None where the settings have nothing to prove them by.

    ``meetings_as``: the kinds of activity that a meeting may be written as, the default first.
    ``subject_limit`` and ``body_limit`` are characters, as the service counts them; ``body_format`` is how a body is
    rendered. ``settle_seconds``: the longest time after which a request that was not answered may still take effect and
    be hidden from a search; a setting of the same name overrides it. ``paths``: the settings that are paths of files; a
    relative one starts from the configuration file.

    ``names``: what the CRM itself calls the objects and fields of :data:`NAMES`; further fields of an activity are checked
    against the object of its kind before they are sent. ``field_codes``: the code with which the CRM refuses a field that is
    ``missing``, or hidden, and one that is ``read_only``: the core refuses them with the same. ``refusals``: what the codes
    mean with which the CRM refuses fields; a code that is not there means a refused value.

    What the contract kit asks for: ``names``; ``requests``, for each operation, the most requests that it sends for a batch
    of 100 (clauses C-COST). ``cannot_hold``: what of :data:`HOLDS` it cannot hold, and why. ``deviations``: by clause.
    """

    name: str
    title: str
    hook_api: int
    operations: frozenset[str]
    settings: str
    adapter: str
    traits: frozenset[str] = frozenset()
    sandbox: str | None = None
    login: str | None = None
    webhooks: str | None = None
    meetings_as: tuple[MeetingKind, ...] = ("event",)
    body_format: Literal["text", "html"] = "text"
    subject_limit: int = 255
    body_limit: int = 32_000
    settle_seconds: float = 120.0
    paths: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict, hash=False)
    field_codes: Mapping[Literal["missing", "read_only"], str] = field(default_factory=dict, hash=False)
    refusals: Mapping[str, FillReason] = field(default_factory=dict, hash=False)
    requests: Mapping[str, int] = field(default_factory=dict, hash=False)
    cannot_hold: Mapping[str, str] = field(default_factory=dict, hash=False)
    deviations: Mapping[str, Deviation] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """What an adapter may know of the connection that it serves.

    ``regions``: default regions of phone numbers, ISO 3166 codes, in order. ``time_zone``: an IANA name. ``meter``: what the
    adapter's requests are counted with: hand it to its :class:`~connector_core.policy.RequestPolicy`. ``tokens``: where
    tokens that are fetched or replaced are kept, for :class:`~connector_core.tokens.SignIn`; None for memory.
    """

    name: str
    regions: tuple[str, ...] = ()
    time_zone: str = "UTC"
    meter: Meter = field(default_factory=Meter, compare=False, repr=False)
    tokens: TokenStore | None = field(default=None, compare=False, repr=False)


def load(target: str, *, of: str) -> Any:
    """Import what a manifest names as ``package.module:Name``.

    :param of: Whose it is, for the message.
    :raises ConfigurationError: It cannot be imported; the message says what failed.
    """
    module, _, name = target.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(f"{of}: cannot load {target} ({error}): is the plugin installed whole?") from error
