"""The users of an Odoo, by e-mail."""

from __future__ import annotations

from collections.abc import Sequence

from connector_core.identity import email_key
from connector_core.model import Unknown, User
from connector_odoo.client import OdooClient
from connector_odoo.opportunities import USER
from connector_odoo.people import CUT
from connector_odoo.reading import (
    ALSO_ARCHIVED,
    BATCH,
    Record,
    Spec,
    any_of,
    cut,
    halving,
    id_of,
    like,
    search,
    text_of,
)


def users_by_email(client: OdooClient, emails: Sequence[str]) -> dict[str, tuple[User, ...] | Unknown]:
    """Find the internal users that have an address, as their e-mail or to sign in with; archived ones too."""
    found: dict[str, list[User]] = {email: [] for email in emails}
    unasked: set[str] = set()

    def ask(chunk: Sequence[str]) -> list[Record]:
        domains = [[[name, "=ilike", f"%{like(email)}%"]] for email in chunk for name in ("login", "email")]
        spec: Spec = {"name": {}, "login": {}, "email": {}, "active": {}}
        return search(client, "res.users", [["share", "=", False], *ALSO_ARCHIVED, *any_of(*domains)], spec)

    for chunk in cut(emails, BATCH):
        records, left = halving(chunk, ask)
        unasked.update(left)
        for record in records:
            texts = [text_of(record, name) or "" for name in ("email", "login")]
            user = User(
                id_of(USER, record["id"]),
                texts[0] or texts[1],
                text_of(record, "name"),
                active=bool(record.get("active")),
            )
            for key in {email_key(text) or "" for text in texts} & set(chunk):
                found[key].append(user)
    return {email: CUT if email in unasked else tuple(users) for email, users in found.items()}
