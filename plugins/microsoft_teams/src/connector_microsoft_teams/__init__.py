"""Calls and meetings of Microsoft Teams for connector-core."""

from connector_core.providers import ProviderManifest

MICROSOFT_TEAMS = ProviderManifest(
    name="microsoft_teams",
    title="Microsoft Teams",
    settings="connector_microsoft_teams.settings:TeamsSettings",
    adapter="connector_microsoft_teams.adapter:TeamsAdapter",
    proof="body",
)
