"""What a connection may be configured with."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from connector_odoo import ODOO
from connector_odoo.settings import OdooSettings
from pydantic import ValidationError

from connector_core.manifest import load

GIVEN = {"base_url": "https://acme.odoo.com", "database": "acme", "api_key": "k" * 40}


def settings(**changes: Any) -> OdooSettings:
    """Make settings, with some changed."""
    return OdooSettings.model_validate({**GIVEN, **changes})


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://acme.odoo.com", "https://acme.odoo.com"),
        ("https://ACME.odoo.com/", "https://acme.odoo.com"),
        ("https://erp.acme.example:8069", "https://erp.acme.example:8069"),
        ("http://127.0.0.1:8069", "http://127.0.0.1:8069"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:8069", "http://[::1]:8069"),
    ],
)
def test_servers_over_https_and_loopback_are_taken(given: str, kept: str) -> None:
    """An address of a server is kept in one form."""
    assert settings(base_url=given).base_url == kept


@pytest.mark.parametrize(
    "given",
    [
        "http://acme.odoo.com",
        "http://127.0.0.1.evil.example",
        "http://10.0.0.1",
        "https://acme.odoo.com/odoo",
        "https://acme.odoo.com?db=acme",
        "https://acme.odoo.com#x",
        "https://user:word@acme.odoo.com",
        "https://acme.odoo.com\\.evil.example",
        "https://acme odoo.com",
        "https://",
        "https://[",
        "https://acme.odoo.com:port",
        "acme.odoo.com",
        "",
    ],
)
def test_a_key_is_sent_nowhere_in_clear(given: str) -> None:
    """Any other address is refused, however it dresses up."""
    with pytest.raises(ValidationError, match="should be like https"):
        settings(base_url=given)


@pytest.mark.parametrize("given", ["", "a b", "key\r\nX-Evil: 1", "clé"])
def test_a_key_fits_a_header(given: str) -> None:
    """A key that would break a header is refused before anything is sent, and is not shown."""
    with pytest.raises(ValidationError, match="should be an API key"):
        settings(api_key=given)


@pytest.mark.parametrize("given", ["", "a/b", "acme\nX: 1", "../x", " acme"])
def test_a_database_has_the_name_of_one(given: str) -> None:
    """What Odoo itself would not take as a name of a database is refused."""
    with pytest.raises(ValidationError, match="database"):
        settings(database=given)


@pytest.mark.parametrize("missing", sorted(GIVEN))
def test_nothing_can_be_left_out(missing: str) -> None:
    """Address, database and key are each needed."""
    with pytest.raises(ValidationError, match=missing):
        OdooSettings.model_validate({name: value for name, value in GIVEN.items() if name != missing})


def test_unknown_settings_are_refused() -> None:
    """A setting that is none is an error, not silence."""
    with pytest.raises(ValidationError, match="login"):
        settings(login="admin")


def test_the_key_is_not_shown() -> None:
    """The settings' own text holds no secret."""
    assert GIVEN["api_key"] not in repr(settings())


def test_the_manifest_imports_neither_http_nor_pydantic() -> None:
    """Listing the plugin loads nothing heavy."""
    code = "import sys, connector_odoo; print([m for m in ('pydantic', 'urllib3') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert shown.stdout.strip() == "[]"


def test_the_manifest_names_what_is_there() -> None:
    """Settings and adapter load, and the adapter has every operation that is declared."""
    adapter = load(ODOO.adapter, of="odoo")
    assert load(ODOO.settings, of="odoo") is OdooSettings
    assert ODOO.operations <= set(dir(adapter))


def test_odoo_has_no_owner_filter_and_no_change_of_the_opportunity() -> None:
    """Of the services, only Salesforce and HubSpot have those traits."""
    assert {"owner_filter", "change_opportunity"}.isdisjoint(ODOO.traits)
