"""A HubSpot portal on this machine: a sandbox that speaks the part of HubSpot's protocol that this plugin uses."""

from connector_hubspot.sandbox.service import HubSpotSandbox

__all__ = ["HubSpotSandbox"]
