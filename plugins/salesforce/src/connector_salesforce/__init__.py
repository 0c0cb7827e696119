"""Salesforce for connector-core. Importing this module imports neither the SDK nor pydantic."""

from connector_core.manifest import MUST, CrmManifest

SALESFORCE = CrmManifest(
    name="salesforce",
    title="Salesforce",
    hook_api=1,  # what it was written for, not what is installed
    operations=MUST
    | {"write_activity", "fill_fields", "find_users_by_email"}
    | {"read_people", "read_accounts", "search_people", "search_accounts", "form_address"}
    | {"describe_objects", "read_fields", "check_access", "describe_organization", "list_changes"},
    traits=frozenset({"leads", "owner_filter", "change_opportunity", "events", "unique_external_key"})
    | {"activity_fields", "notes"},
    settings="connector_salesforce.settings:SalesforceSettings",
    adapter="connector_salesforce.adapter:SalesforceAdapter",
    sandbox="connector_salesforce.sandbox:SalesforceSandbox",
    login="connector_salesforce.login:LOGIN",
    meetings_as=("event", "task"),
    body_format="text",
    subject_limit=255,
    body_limit=32_000,
    # A REST call runs for at most 10 minutes (Salesforce Developer Limits, "API Request Limits"); SOQL has no lag.
    settle_seconds=620.0,
    requests={
        "find_contacts_by_email": 1,
        "find_contacts_by_phone": 2,
        "find_activity": 2,
        "list_opportunities": 1,
        "write_activity": 2,
        "list_changes": 2,
        "read_fields": 1,
    },
    names={
        "contact": "Contact",
        "lead": "Lead",
        "account": "Account",
        "user": "User",
        "contact.title": "Title",
        "opportunity": "Opportunity",
        "opportunity.next_step": "NextStep",
        "opportunity.amount": "Amount",
        "opportunity.date": "CloseDate",
        "call": "Task",
        "task": "Task",
        "event": "Event",
        "event.place": "Location",
    },
    field_codes={"missing": "INVALID_FIELD", "read_only": "INVALID_FIELD_FOR_INSERT_UPDATE"},
    # SOAP API Developer Guide, "Core Data Types Used in API Calls", StatusCode; a code that is not here is of a value.
    refusals={
        "FIELD_CUSTOM_VALIDATION_EXCEPTION": "validation_rule",
        "STRING_TOO_LONG": "too_long",
        **dict.fromkeys(
            (
                "INSUFFICIENT_ACCESS",
                "INSUFFICIENT_ACCESS_OR_READONLY",
                "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
                "INVALID_FIELD_FOR_INSERT_UPDATE",
                "INVALID_TYPE",
            ),
            "no_permission",
        ),
        "INVALID_FIELD": "field_missing",
        **dict.fromkeys(("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "FIELD_INTEGRITY_EXCEPTION"), "refused_value"),
    },
    cannot_hold={"several_emails": "contacts and leads have one e-mail field"},
)
"""What this plugin is and can do."""
