"""Aircall for connector-core."""

from connector_core.providers import ProviderManifest

AIRCALL = ProviderManifest(
    name="aircall",
    title="Aircall",
    settings="connector_aircall.settings:AircallSettings",
    adapter="connector_aircall.adapter:AircallAdapter",
    proof="body",
)
