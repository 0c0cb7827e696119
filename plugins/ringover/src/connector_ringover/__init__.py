"""Ringover for connector-core."""

from connector_core.providers import ProviderManifest

RINGOVER = ProviderManifest(
    name="ringover",
    title="Ringover",
    settings="connector_ringover.settings:RingoverSettings",
    adapter="connector_ringover.adapter:RingoverAdapter",
)
