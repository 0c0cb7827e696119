"""HubSpot for connector-core."""
