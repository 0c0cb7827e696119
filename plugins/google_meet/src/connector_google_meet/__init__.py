"""Google Meet for connector-core."""

from connector_core.providers import ProviderManifest

GOOGLE_MEET = ProviderManifest(
    name="google_meet",
    title="Google Meet",
    settings="connector_google_meet.settings:MeetSettings",
    adapter="connector_google_meet.adapter:MeetAdapter",
    proof="sender",
)
