"""What a connection may be configured with."""

from __future__ import annotations

import subprocess
import sys

import pytest
from connector_hubspot import HUBSPOT
from connector_hubspot.settings import HubSpotSettings
from pydantic import ValidationError

from connector_core.manifest import load

OAUTH = {"client_id": "id", "client_secret": "secret", "refresh_token": "refresh"}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://api.hubapi.com", "https://api.hubapi.com"),
        ("https://api.hubapi.com:443/", "https://api.hubapi.com"),
        ("https://API.HubAPI.com", "https://api.hubapi.com"),
        ("https://api-eu1.hubapi.com", "https://api-eu1.hubapi.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_hubspots_hosts_and_loopback_are_taken(given: str, kept: str) -> None:
    """An address of HubSpot's or of a sandbox is kept in one form."""
    assert HubSpotSettings(access_token="t", base_url=given).base_url == kept


@pytest.mark.parametrize(
    "given",
    [
        "http://api.hubapi.com",
        "https://hubapi.com.evil.example",
        "https://evil.example",
        "https://evil.example/.hubapi.com",
        "https://evil.example#.hubapi.com",
        "https://evil.example?.hubapi.com",
        "https://evil.example\\.hubapi.com",
        "https://api.hubapi.com@evil.example",
        "https://user:word@api.hubapi.com",
        "https://api.hubapi.com:8443",
        "https://api.hubapi.com/path",
        "https://.hubapi.com",
        "https://evilhubapi.com",
        "https://a.b.hubapi.com",
        "http://127.0.0.1.evil.example",
        "http://10.0.0.1",
        "https://[",
        "api.hubapi.com",
        "",
    ],
)
def test_a_token_goes_to_no_other_host(given: str) -> None:
    """Any other address is refused, however it dresses up."""
    with pytest.raises(ValidationError, match="should be https"):
        HubSpotSettings(access_token="t", base_url=given)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"access_token": " "},
        {"access_token": "t", "client_id": "id"},
        {"client_id": "id", "client_secret": "secret"},
        {"refresh_token": "refresh"},
    ],
)
def test_there_is_one_whole_way_to_sign_in(given: dict[str, str]) -> None:
    """None, half of one, or two ways to sign in are refused."""
    with pytest.raises(ValidationError, match="should have an access_token, or"):
        HubSpotSettings.model_validate(given)


@pytest.mark.parametrize("given", [{"access_token": "t"}, OAUTH, {"access_token": "t", **OAUTH}])
def test_both_ways_to_sign_in_are_taken(given: dict[str, str]) -> None:
    """A token alone, and the three parts of OAuth, are each enough."""
    assert HubSpotSettings.model_validate(given).timeout_seconds == 30


def test_secrets_are_not_shown() -> None:
    """The settings' own text holds no secret."""
    shown = repr(HubSpotSettings.model_validate({**OAUTH, "client_secret": "sesame", "refresh_token": "open"}))
    assert "sesame" not in shown


def test_unknown_settings_are_refused() -> None:
    """A setting that is none is an error, not silence."""
    with pytest.raises(ValidationError, match="instance_url"):
        HubSpotSettings.model_validate({"access_token": "t", "instance_url": "https://x"})


def test_the_manifest_imports_neither_sdk_nor_pydantic() -> None:
    """Listing the plugin loads nothing heavy."""
    code = "import sys, connector_hubspot; print([m for m in ('hubspot', 'pydantic', 'urllib3') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert shown.stdout.strip() == "[]"


def test_the_manifest_names_what_is_there() -> None:
    """Settings, adapter and sandbox load, and the adapter has every operation that is declared."""
    adapter = load(HUBSPOT.adapter, of="hubspot")
    assert load(HUBSPOT.settings, of="hubspot") is HubSpotSettings
    assert HUBSPOT.operations <= set(dir(adapter))
