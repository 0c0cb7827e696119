"""Zoom Meetings and Zoom Phone for connector-core."""

from connector_core.providers import ProviderManifest

ZOOM = ProviderManifest(
    name="zoom",
    title="Zoom",
    settings="connector_zoom.settings:ZoomSettings",
    adapter="connector_zoom.adapter:ZoomAdapter",
)
