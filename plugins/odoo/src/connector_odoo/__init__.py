"""Odoo for connector-core: its manifest, which imports neither HTTP nor pydantic."""

from connector_core.hookspecs import HOOK_API
from connector_core.manifest import OPERATIONS, CrmManifest

ODOO = CrmManifest(
    name="odoo",
    title="Odoo",
    hook_api=HOOK_API,
    operations=OPERATIONS,
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
)
