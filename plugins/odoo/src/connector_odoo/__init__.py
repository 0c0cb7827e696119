"""Odoo for connector-core: its manifest, which imports neither HTTP nor pydantic."""

from connector_core.manifest import MUST, CrmManifest

ODOO = CrmManifest(
    name="odoo",
    title="Odoo",
    hook_api=1,  # what it was written for, not what is installed
    operations=MUST
    | {"write_activity", "fill_fields", "find_users_by_email"}
    | {"read_people", "read_accounts", "search_people", "search_accounts", "form_address"}
    | {"describe_objects", "read_fields"},
    traits=frozenset({"leads", "events"}),
    settings="connector_odoo.settings:OdooSettings",
    adapter="connector_odoo.adapter:OdooAdapter",
    meetings_as=("event",),
    body_format="html",
    subject_limit=255,
    # Odoo's texts have no limit; its forms stay usable up to about this.
    body_limit=65_536,
    # A worker is killed after limit_time_real, 120 s unless configured otherwise (odoo.com/documentation/19.0, odoo-bin);
    # searches lag by nothing.
    settle_seconds=130.0,
    requests={
        "find_contacts_by_email": 2,
        "find_contacts_by_phone": 2,
        "find_activity": 2,
        "list_opportunities": 2,
        "write_activity": 5,  # the first time; one for a hundred afterwards
        "fill_fields": 1,
        "find_users_by_email": 1,
        "read_fields": 2,
    },
    names={
        **dict.fromkeys(("contact", "account"), "res.partner"),
        "lead": "crm.lead",
        "user": "res.users",
        "contact.title": "function",
        "opportunity": "crm.lead",
        "opportunity.next_step": "activity_summary",
        "opportunity.amount": "expected_revenue",
        "opportunity.date": "date_deadline",
    },
    field_codes={"missing": "InvalidField", "read_only": "ReadOnly"},
    # Classes of exceptions, Odoo's and the connector's own; a constraint of a model is a ValidationError (odoo.com,
    # developer documentation, "Constraints"), a refusal of its code a UserError.
    refusals={
        **dict.fromkeys(("ValidationError", "UserError"), "validation_rule"),
        **dict.fromkeys(("MissingRightError", "ReadOnly"), "no_permission"),
        **dict.fromkeys(("InvalidField", "NoSuchModelError"), "field_missing"),
        "ValueError": "refused_value",
    },
    cannot_hold={
        "shared_opportunities": "an opportunity has one contact",
        "several_phones": "a contact has one number, since Odoo 18 dropped the mobile one",
        "converted_leads": "a lead that is converted is the opportunity, and has its contact's address",
        "merged_records": "contacts that are merged are deleted, without trace of the one that is left",
        "filled_forms": "no documented address fills a form",
    },
)
