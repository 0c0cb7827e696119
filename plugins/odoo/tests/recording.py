"""A real Odoo, whose address the environment gives: holding a world in it through its API, and removing that again.

``CONNECTOR_ODOO_URL``, ``CONNECTOR_ODOO_DATABASE`` and ``CONNECTOR_ODOO_API_KEY``, the key of an administrator. Only for a
database that was made for tests: what was created in it since the last seed is removed. What is seeded is marked as Odoo
marks records that come from elsewhere (an external id, module ``connector_world``); users stay, Odoo deletes none gladly.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from html import escape
from typing import Any

from connector_odoo.client import OdooClient
from connector_odoo.events import carrying
from connector_odoo.reading import Domain, any_of, number_of, written
from connector_odoo.settings import OdooSettings
from connector_odoo.writing import QUIET

from connector_core.crms.world import World, WorldActivity, WorldOpportunity, WorldPerson

ORIGIN = "self-hosted"
VARIABLES = ("CONNECTOR_ODOO_URL", "CONNECTOR_ODOO_DATABASE", "CONNECTOR_ODOO_API_KEY")
MARK = "connector_world"
_ORDER = ("calendar.event", "crm.lead", "res.partner")


def missing() -> list[str]:
    """Give the variables that the environment lacks."""
    return [name for name in VARIABLES if not os.environ.get(name)]


def settings() -> Mapping[str, Any]:
    """Give the settings of a connection to the server."""
    if missing():
        raise RuntimeError(f"set {', '.join(missing())}: the tests and recordings of Odoo need a server")
    url, database, key = (os.environ[name] for name in VARIABLES)
    return {"base_url": url, "database": database, "api_key": key, "settle_seconds": 0}


def seed(world: World) -> Mapping[str, str]:
    """Hold a world; give the connector's id of each record."""
    return Seeding(client()).hold(world)


def wipe() -> None:
    """Remove what the last seed made, and what was written since."""
    odoo = client()
    fields = ["model", "res_id", "create_date"]
    marks = odoo.read("ir.model.data", "search_read", domain=[["module", "=", MARK]], fields=fields)
    if not marks:
        return
    me = odoo.read("res.users", "context_get")["uid"]
    since: Domain = [["create_uid", "=", me], ["create_date", ">=", min(mark["create_date"] for mark in marks)]]
    hidden = {"active_test": False}
    for model in _ORDER:
        marked: Domain = [["id", "in", [mark["res_id"] for mark in marks if mark["model"] == model]]]
        users: Domain = [["user_ids", "=", False]] if model == "res.partner" else []
        there = odoo.read(model, "search", domain=[*any_of(marked, since), *users], context=hidden)
        if there:
            odoo.change(model, "unlink", ids=there, context=hidden)
    left = odoo.read("ir.model.data", "search", domain=[["module", "=", MARK]])
    if left:
        odoo.change("ir.model.data", "unlink", ids=left)


def remove_contact(contact_id: str, survivor_id: str | None) -> None:
    """Delete a contact; Odoo does no more when contacts are merged."""
    client().change("res.partner", "unlink", ids=[number_of("partner", contact_id)])


def client() -> OdooClient:
    """Make a client of the server."""
    return OdooClient(OdooSettings.model_validate(settings()))


class Seeding:
    """Holds one world. A reference to a record that the world lacks is none, as Odoo has it after a deletion."""

    def __init__(self, odoo: OdooClient) -> None:
        """Begin with nothing."""
        self.odoo = odoo
        self.ids: dict[str, str] = {}
        self.numbers: dict[str, int] = {}
        self._found: dict[tuple[str, str], int] = {}

    def hold(self, world: World) -> Mapping[str, str]:
        """Create everything, the referenced before what refers."""
        self._company_in_france()
        self._users(world)
        companies = [{"name": it.name or "?", "is_company": True} for it in world.accounts]
        self._create("res.partner", "partner", [it.id for it in world.accounts], companies)
        contacts = [it for it in world.people if it.kind == "contact"]
        self._create("res.partner", "partner", [it.id for it in contacts], [self._contact(it) for it in contacts])
        leads = [it for it in world.people if it.kind == "lead"]
        self._create("crm.lead", "lead", [it.id for it in leads], [self._lead(it) for it in leads])
        deals = world.opportunities
        self._create("crm.lead", "lead", [it.id for it in deals], [self._deal(at, it) for at, it in enumerate(deals)])
        self._dates(deals)
        events = [self._event(it) for it in world.activities]
        self._create("calendar.event", "event", [it.id for it in world.activities], events)
        return self.ids

    def _create(self, model: str, prefix: str, keys: Sequence[str], values: list[dict[str, Any]]) -> None:
        if not values:
            return
        made = self.odoo.create(model, values, QUIET)
        marks = [
            {"module": MARK, "name": f"{prefix}.{number}", "model": model, "res_id": number, "noupdate": True}
            for number in made
        ]
        self.odoo.create("ir.model.data", marks, {})
        for key, number in zip(keys, made, strict=True):
            self._named(key, prefix, number)

    def _named(self, key: str, prefix: str, number: int) -> None:
        self.numbers[key] = number
        self.ids[key] = f"{prefix}:{number}"

    def _one(self, model: str, domain: list[Any], **more: Any) -> int:
        """Find the first record of a domain, once."""
        asked = (model, str(domain))
        if asked not in self._found:
            self._found[asked] = self.odoo.read(model, "search", domain=domain, limit=1, **more)[0]
        return self._found[asked]

    def _company_in_france(self) -> None:
        """Let the own company have a country, under which Odoo reads national numbers."""
        (company,) = self.odoo.read("res.company", "search_read", domain=[], fields=["country_id"], limit=1, order="id")
        if not company["country_id"]:
            france = self._one("res.country", [["code", "=", "FR"]])
            self.odoo.change("res.company", "write", ids=[company["id"]], vals={"country_id": france})

    def _users(self, world: World) -> None:
        for user in world.users:
            login = user.email or f"{user.id}@nowhere.example"
            found = self.odoo.read(
                "res.users", "search", domain=[["login", "=", login]], context={"active_test": False}
            )
            values = {"name": user.name or login, "login": login, "email": user.email}
            made = found or self.odoo.create("res.users", [values], {"no_reset_password": True})
            self._named(user.id, "user", made[0])

    def _contact(self, person: WorldPerson) -> dict[str, Any]:
        return {
            "name": person.name or "?",
            "email": ", ".join(person.emails or ()) or False,
            "phone": next(iter(person.phones or ()), False),
            "function": person.title or False,
            "parent_id": self.numbers.get(person.account_id or "", False),
        }

    def _lead(self, person: WorldPerson) -> dict[str, Any]:
        if person.converted_contact_id:
            raise ValueError(f"{person.id}: Odoo cannot hold a converted lead beside what it became")
        return {
            "type": "lead",
            "name": person.name or "?",
            "contact_name": person.name or False,
            "email_from": ", ".join(person.emails or ()) or False,
            "phone": next(iter(person.phones or ()), False),
            "function": person.title or False,
            "user_id": False,
        }

    def _deal(self, at: int, deal: WorldOpportunity) -> dict[str, Any]:
        """Make an opportunity of its first contact, else of its company; of those that closed every second is lost."""
        about = next(iter(deal.contact_ids or ()), deal.account_id)
        values: dict[str, Any] = {
            "type": "opportunity",
            "name": deal.name or "?",
            "partner_id": self.numbers.get(about or "", False),
            "user_id": self.numbers.get(deal.owner_id or "", False),
            **(deal.fields or {}),
        }
        if deal.closed_at is not None and at % 2:
            values |= {"active": False, "probability": 0}
        elif deal.closed_at is not None:
            values["stage_id"] = self._one("crm.stage", [["is_won", "=", True]])
        if deal.next_step:
            values["activity_ids"] = [[0, 0, {"summary": deal.next_step, **self._activity("default", "crm.lead")}]]
        return values

    def _activity(self, category: str, model: str | None) -> dict[str, Any]:
        kind = self._one("mail.activity.type", [["category", "=", category]], order="sequence, id")
        document = {"res_model_id": self._model(model)} if model else {}
        return {"activity_type_id": kind, "user_id": self._me, **document}

    @cached_property
    def _me(self) -> int:
        return int(self.odoo.read("res.users", "context_get")["uid"])

    def _model(self, model: str) -> int:
        """Give the id of a model."""
        return self._one("ir.model", [["model", "=", model]])

    def _dates(self, deals: Sequence[WorldOpportunity]) -> None:
        """Set when opportunities were created and closed. Odoo's API has no way to; code of a server action has."""
        if not deals:
            return
        rows = [[written(it.created_at), _closed(it), self.numbers[it.id]] for it in deals]
        update = "UPDATE crm_lead SET create_date = %s, date_closed = %s WHERE id = %s"
        code = f"for row in env.context['rows']:\n    env.cr.execute({update!r}, row)"
        values = {"name": MARK, "model_id": self._model("crm.lead"), "state": "code", "code": code}
        action = self.odoo.create("ir.actions.server", [values], {})
        self.odoo.change("ir.actions.server", "run", ids=action, context={"rows": rows})
        self.odoo.change("ir.actions.server", "unlink", ids=action)

    def _event(self, activity: WorldActivity) -> dict[str, Any]:
        if activity.kind not in ("call", "event", "meeting"):
            raise ValueError(f"{activity.id}: the calendar of Odoo cannot hold a {activity.kind}")
        start = activity.started_at or dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        named = [key for key in (*(activity.person_ids or ()), activity.account_id) if key in self.numbers]
        leads = [key for key in named if self.ids[key].startswith("lead:")]
        about = activity.opportunity_id if activity.opportunity_id in self.numbers else next(iter(leads), None)
        body = f"<p>{escape(activity.body)}</p>" if activity.body else False
        mark = {**self._activity("phonecall", None), "active": False} if activity.kind == "call" else None
        return {
            "name": activity.title or "?",
            "description": body,
            "user_id": self.numbers.get(activity.owner_id or "", False),
            "partner_ids": [[6, 0, [self.numbers[key] for key in named if key is not None and key not in leads]]],
            "opportunity_id": self.numbers.get(about or "", False),
            "activity_ids": [[0, 0, mark]] if mark else [],
            "message_ids": carrying(activity.call_id) if activity.call_id else [],
            **_span(start, activity.duration_seconds),
        }


def _span(start: dt.datetime | dt.date, seconds: float | None) -> dict[str, Any]:
    if isinstance(start, dt.datetime):
        return {"start": written(start), "stop": written(start + dt.timedelta(seconds=seconds or 0))}
    day = start.isoformat()
    return {"allday": True, "start_date": day, "stop_date": day, "start": f"{day} 08:00:00", "stop": f"{day} 18:00:00"}


def _closed(deal: WorldOpportunity) -> str | None:
    """Write when a deal closed; Odoo has no bare days, so a day is its last second in UTC."""
    closed = deal.closed_at
    if closed is not None and not isinstance(closed, dt.datetime):
        closed = dt.datetime.combine(closed, dt.time(23, 59, 59), dt.UTC)
    return written(closed) if closed is not None else None
