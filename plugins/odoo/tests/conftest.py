"""A real Odoo that holds a world, and an adapter that speaks to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from connector_odoo.adapter import OdooAdapter
from connector_odoo.client import OdooClient
from connector_odoo.settings import OdooSettings

from connector_core.crms.world import parse_world
from connector_core.manifest import ConnectionInfo
from connector_core.testing.contract.accounts import recording_of

RECORDING: Any = recording_of(Path(__file__))


class Account:
    """A world in a server, and an adapter that speaks to it; the requests that the adapter sends are counted."""

    def __init__(self, world: Mapping[str, Any], regions: tuple[str, ...]) -> None:
        RECORDING.wipe()
        self.ids = RECORDING.seed(parse_world(world))
        self.odoo: OdooClient = RECORDING.client()
        self.settings: Mapping[str, Any] = RECORDING.settings()
        made = OdooSettings.model_validate(self.settings)
        self.adapter = OdooAdapter(made, ConnectionInfo("test", regions, "Europe/Paris"))
        self.sent: list[str] = []
        self._count(self.adapter._client)

    def __getitem__(self, seed_id: str) -> str:
        """Give the connector's id of a record of the seed."""
        return str(self.ids[seed_id])

    def number(self, seed_id: str) -> int:
        """Give Odoo's own id of a record of the seed."""
        return int(self[seed_id].partition(":")[2])

    def record(self, model: str, key: str | None, *fields: str) -> dict[str, Any]:
        """Give a record as Odoo holds it, by the connector's id."""
        number = int((key or "").partition(":")[2])
        (found,) = self.odoo.read(model, "read", ids=[number], fields=list(fields), context={"active_test": False})
        return dict(found)

    def convert(self, lead: str, contact: int) -> None:
        """Convert a lead into an opportunity of a contact, by the dialogue that Odoo's users have for it."""
        context = {"active_model": "crm.lead", "active_id": self.number(lead), "active_ids": [self.number(lead)]}
        values = {"lead_id": self.number(lead), "name": "convert", "action": "exist", "partner_id": contact}
        dialogue = self.odoo.create("crm.lead2opportunity.partner", [values], context)
        self.odoo.change("crm.lead2opportunity.partner", "action_apply", ids=dialogue, context=context)

    def _count(self, client: OdooClient) -> None:
        request = client._pool.request

        def counted(method: str, url: str, **options: Any) -> Any:
            self.sent.append(url.partition("/json/2/")[2])
            return request(method, url, **options)

        client._pool.request = counted  # type: ignore[method-assign] # counting is all it does

    def close(self) -> None:
        """Let go of the server."""
        self.adapter.close()
        self.odoo.close()


@pytest.fixture
def connect() -> Iterator[Callable[..., Account]]:
    """Hold a world in the server, and connect to it; skip where there is none."""
    if RECORDING.missing():
        pytest.skip(f"no Odoo server: set {', '.join(RECORDING.missing())}")
    accounts: list[Account] = []

    def connected(regions: tuple[str, ...] = ("FR",), **world: Any) -> Account:
        accounts.append(Account(world, regions))
        return accounts[-1]

    yield connected
    for account in accounts:
        account.close()
    if accounts:
        RECORDING.wipe()
