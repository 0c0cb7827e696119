"""The settings of a connection: what is refused before anything is sent."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from connector_salesforce.settings import SalesforceSettings, check_instance
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

GOOD = {"instance_url": "https://acme.my.salesforce.com", "access_token": "00D!token"}


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://acme.my.salesforce.com", "https://acme.my.salesforce.com"),
        ("https://ACME.my.salesforce.com/", "https://acme.my.salesforce.com"),
        ("https://acme--uat.sandbox.my.salesforce.com", "https://acme--uat.sandbox.my.salesforce.com"),
        ("https://na1.salesforce.com", "https://na1.salesforce.com"),
        ("https://agency.my.salesforce.mil", "https://agency.my.salesforce.mil"),
        ("https://acme.my.sfcrmproducts.cn", "https://acme.my.sfcrmproducts.cn"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_salesforces_own_addresses_pass(url: str, origin: str) -> None:
    """An org's address, or that of a sandbox on loopback, is taken as its origin."""
    assert check_instance(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.my.salesforce.com",
        "https://evil-salesforce.com",
        "https://salesforce.com.evil.example",
        "https://acme.my.salesforce.com.evil.example",
        "https://evil.example/acme.my.salesforce.com",
        "https://evil.example#.salesforce.com",
        "https://evil.example?.salesforce.com",
        "https://evil.example\\.salesforce.com",
        "https://acme.my.salesforce.com@evil.example",
        "https://user:pw@acme.my.salesforce.com",
        "https://@acme.my.salesforce.com",
        "https://acme.my.salesforce.com:8443",
        "https://acme.my.salesforce.com/services",
        "https://acme.my.salesforce.com?x",
        "https://acme.lightning.force.com",
        "https://.salesforce.com",
        "https://acme.my.salesforce.com.",
        "https://127.0.0.1",
        "http://127.0.0.1.evil.example",
        "http://10.0.0.1",
        "ftp://acme.my.salesforce.com",
        "acme.my.salesforce.com",
        "https://[acme.my.salesforce.com",
        "",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    """The token is sent to no host but Salesforce's."""
    with pytest.raises(ValueError, match=r"."):
        check_instance(url)


@pytest.mark.parametrize("url", ["acme.my.salesforce.com", "acme.my.salesforce.com:443", ""])
def test_an_address_without_its_scheme_is_told_so(url: str) -> None:
    """The host alone is what people write first."""
    with pytest.raises(ValueError, match=r"^must start with https://, like https://acme\.my\.salesforce\.com$"):
        check_instance(url)


@given(st.text("acme.salesforce/:@?#\\[]% \t\n127l", max_size=60))
def test_no_text_leads_elsewhere(tail: str) -> None:
    """Whatever stands after the scheme, what passes is a host of Salesforce and nothing more."""
    try:
        origin = check_instance(f"https://{tail}")
    except ValueError:
        return

    assert origin.removeprefix("https://").endswith(".salesforce.com")
    assert not set(origin.removeprefix("https://")) & set("/:@?#\\[]% \t\n")


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"instance_url": "https://evil.example"}, "host of Salesforce"),
        ({"access_token": None}, "access_token, or client_id together with"),
        ({"client_id": "x"}, "access_token, or client_id together with"),
        ({"access_token": None, "client_id": "x"}, "access_token, or client_id together with"),
        ({"refresh_token": "x"}, "access_token, or client_id together with"),
        ({"access_token": "two\nlines"}, "blanks or odd characters"),
        ({"access_token": ""}, "blanks or odd characters"),
        ({"api_version": "57.0"}, "58.0"),
        ({"api_version": "66"}, "58.0"),
        ({"timeout_seconds": 0}, "greater than 0"),
        ({"key_field": "Call Id"}, "pattern"),
        ({"instance": "x"}, "Extra inputs"),
    ],
)
def test_wrong_settings_say_what_is_wanted(changes: dict[str, Any], wanted: str) -> None:
    """A wrong setting is refused with a message that says what is possible."""
    with pytest.raises(ValidationError, match=wanted):
        SalesforceSettings.model_validate(GOOD | changes)


@pytest.mark.parametrize(
    ("host", "audience"),
    [
        ("https://acme.my.salesforce.com", "https://login.salesforce.com"),
        ("https://acme.develop.my.salesforce.com", "https://login.salesforce.com"),
        ("https://acme--uat.sandbox.my.salesforce.com", "https://test.salesforce.com"),
        ("https://acme.scratch.my.salesforce.com", "https://test.salesforce.com"),
        ("http://127.0.0.1:8080", "https://test.salesforce.com"),
    ],
)
def test_the_audience_of_assertions_follows_the_org(keys: Any, host: str, audience: str) -> None:
    """Sandboxes and scratch orgs have another one than production; what is set goes before that."""
    settings = SalesforceSettings.model_validate({**signed(keys), "instance_url": host})
    own = SalesforceSettings.model_validate(
        {**signed(keys), "instance_url": host, "audience": "https://login.salesforce.com/"}
    )

    assert (settings.token_audience, own.token_audience) == (audience, "https://login.salesforce.com")


def signed(keys: Any) -> dict[str, Any]:
    return {
        "instance_url": "https://acme.my.salesforce.com",
        "client_id": "app",
        "username": "integration@acme.example",
        "private_key": keys.private,
    }


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"username": None}, "both of username and private_key"),
        ({"private_key": None, "access_token": "t", "client_id": None}, "both of username and private_key"),
        ({"client_id": None}, "client_id together with"),
        ({"client_secret": "x"}, "not both ways"),
        ({"refresh_token": "x"}, "not both ways"),
        ({"username": "two words"}, "pattern"),
        ({"audience": "https://evil.example"}, "host of Salesforce"),
        ({"instance_url": "https://agency.my.salesforce.mil"}, "needs audience"),
    ],
)
def test_half_a_way_to_sign_in_by_a_key_is_refused(keys: Any, changes: dict[str, Any], wanted: str) -> None:
    """And so are two ways at once; the message quotes nothing of what was set."""
    with pytest.raises(ValidationError, match=wanted) as caught:
        SalesforceSettings.model_validate({**signed(keys), **changes})

    assert keys.private.splitlines()[1] not in str(caught.value)


def test_secrets_are_not_shown() -> None:
    """Neither a token nor a secret stands in what is printed of the settings."""
    secrets = {"access_token": "at-7f3a", "client_secret": "cs-7f3a", "refresh_token": "rt-7f3a"}

    assert "7f3a" not in repr(SalesforceSettings.model_validate({**GOOD, "client_id": "app", **secrets}))


def test_the_manifest_imports_neither_sdk_nor_pydantic() -> None:
    """Listing the plugin costs neither the SDK, nor requests, nor pydantic."""
    heavy = ("simple_salesforce", "requests", "pydantic")
    code = f"import sys, connector_salesforce; print([it for it in {heavy} if it in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own code

    assert done.stdout.strip() == "[]"
