"""HubSpot for connector-core: its manifest, which imports neither the SDK nor pydantic."""

from connector_core.manifest import MUST, CrmManifest

HUBSPOT = CrmManifest(
    name="hubspot",
    title="HubSpot",
    hook_api=1,  # what it was written for, not what is installed
    # Not form_address: HubSpot documents no address of a form for a new record.
    operations=MUST
    | {"write_activity", "fill_fields", "find_users_by_email"}
    | {"read_people", "read_accounts", "search_people", "search_accounts"}
    | {"describe_objects", "read_fields", "check_access", "describe_organization", "list_changes"},
    traits=frozenset({"owner_filter", "change_opportunity", "activity_fields", "notes"}),
    settings="connector_hubspot.settings:HubSpotSettings",
    adapter="connector_hubspot.adapter:HubSpotAdapter",
    sandbox="connector_hubspot.sandbox:HubSpotSandbox",
    login="connector_hubspot.login:LOGIN",
    webhooks="connector_hubspot.webhooks:reader",
    meetings_as=("meeting",),
    body_format="html",
    subject_limit=255,
    # Every property of type string holds 65,536 characters: developers.hubspot.com, guide to the properties API.
    body_limit=65_536,
    # A request lives 100 s at the edge (status 524), and what it wrote shows in searches within "a few moments", seen to
    # be seconds: developers.hubspot.com, error handling and search guides.
    settle_seconds=130.0,
    requests={
        "find_contacts_by_email": 2,
        "find_contacts_by_phone": 3,
        "find_activity": 16,
        "list_opportunities": 9,
        "write_activity": 1,
        "list_changes": 5,
        "read_fields": 1,
    },
    names={
        "contact": "contacts",
        "account": "companies",
        "user": "owners",
        "contact.title": "jobtitle",
        "opportunity": "deals",
        "opportunity.next_step": "hs_next_step",
        "opportunity.amount": "amount",
        "opportunity.date": "closedate",
        "call": "calls",
        "meeting": "meetings",
        "note": "notes",
        "meeting.place": "hs_meeting_location",
    },
    field_codes={"missing": "PROPERTY_DOESNT_EXIST", "read_only": "READ_ONLY_VALUE"},
    # developers.hubspot.com, error handling. Of administrators' rules INVALID_ALPHA alone is published as a code (changelog,
    # property validation rules); MAX_LENGTH, MIN_LENGTH and REGEX are rules of that API, and as codes not verified. Nor is
    # VALUE_TOO_LONG: a property beyond its 65,536 characters.
    refusals={
        **dict.fromkeys(("INVALID_ALPHA", "MIN_LENGTH", "REGEX"), "validation_rule"),
        **dict.fromkeys(("MISSING_CONDITIONAL_REQUIRED_PROPERTY", "MISSING_REQUIRED_PROPERTY"), "validation_rule"),
        **dict.fromkeys(("VALUE_TOO_LONG", "MAX_LENGTH"), "too_long"),
        "READ_ONLY_VALUE": "no_permission",
        "PROPERTY_DOESNT_EXIST": "field_missing",
        "INVALID_OPTION": "refused_value",
    },
    cannot_hold={"shared_emails": "an e-mail address is one contact's alone"},
)
