"""What the connection's app may do in an account: by the scopes of its token, and by the properties that it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connector_core.model import NEEDS, Access, Right, Subject
from connector_hubspot.client import API_VERSION, HubSpotClient
from connector_hubspot.deals import DEAL_PROPERTIES
from connector_hubspot.describing import may, properties_of, writable
from connector_hubspot.failures import OWNERS_SCOPE
from connector_hubspot.hidden import NEEDED
from connector_hubspot.kinds import CALL, COMPANIES, CONTACTS, DEALS, MEETING
from connector_hubspot.organization import DETAILS
from connector_hubspot.people import People

_OBJECTS: Mapping[Subject, str] = {
    "contact": CONTACTS,
    "account": COMPANIES,
    "opportunity": DEALS,
    "activity": CONTACTS,
    "note": CONTACTS,
}
"""Of which object the scopes count: those of contacts give calls, meetings and notes too."""

_READ: Mapping[str, tuple[Subject, tuple[str, ...]]] = {
    COMPANIES: ("account", ("name",)),
    DEALS: ("opportunity", DEAL_PROPERTIES),
    **{kind.object: ("activity", tuple(kind.properties)) for kind in (CALL, MEETING)},
}
_WRITTEN = {kind.object: kind.written for kind in (CALL, MEETING)}
_LOOKED_FOR = {CALL.object: frozenset({str(CALL.key)})}
"""What is looked for: a search by a property that is not shown is refused."""

SPARE = frozenset({"hubspot_owner_id"})
"""What an activity that is refused for it is sent without."""


def check(client: HubSpotClient, people: People) -> Access:
    """Tell the app's rights.

    That is a request for the account's details, which needs no scope and tells the limits (guide to account information),
    one or two for the scopes, and one for each object's properties. HubSpot lists its versions nowhere.

    :raises CredentialsError: The token is of another account than the settings name.
    """
    client.check_account(client.get(DETAILS).get("portalId"))
    scopes = client.scopes()
    return Access((*_of_scopes(scopes), *_of_properties(client, people)), API_VERSION)


def _of_scopes(scopes: frozenset[str] | None) -> Iterator[Right]:
    for subject, verb in NEEDS:
        if subject in _OBJECTS:
            right = "read" if verb == "read" else "write"
            name = f"scope crm.objects.{_OBJECTS[subject]}.{right}"
            yield Right(subject, verb, name, granted=may(scopes, _OBJECTS[subject], right))
    owners = None if scopes is None else OWNERS_SCOPE in scopes
    # Deals are told with their owners, and an activity gets one.
    yield Right("opportunity", "read", f"scope {OWNERS_SCOPE}", granted=owners)
    yield Right("activity", "create", f"scope {OWNERS_SCOPE}", granted=owners)


def _of_properties(client: HubSpotClient, people: People) -> Iterator[Right]:
    """Hold what is read and written against what is shown; of an object without its scope, that is what is missing."""
    identifying = people.identifying
    of_contacts = tuple(dict.fromkeys((*people.properties, *identifying.searched)))
    looked_for = {**_LOOKED_FOR, CONTACTS: frozenset(identifying.searched)}
    for obj, (subject, read) in {CONTACTS: ("contact", of_contacts), **_READ}.items():
        properties = properties_of(client, obj)
        if properties is None:
            continue
        shown = {str(it.get("name")): it for it in properties}
        needed = NEEDED.get(obj, frozenset()) | looked_for.get(obj, frozenset())
        for name in read:
            setting = identifying.chosen.get(name) if obj == CONTACTS else None
            what = f"view of the property {name} of {obj}" + (f" (settings.{setting})" if setting else "")
            yield Right(subject, "read", what, granted=name in shown, field=name, spare=name not in needed)
        for name in _WRITTEN.get(obj, ()):
            granted = name in shown and writable(shown[name])
            what = f"edit of the property {name} of {obj}"
            yield Right(subject, "create", what, granted=granted, field=name, spare=name in SPARE)
