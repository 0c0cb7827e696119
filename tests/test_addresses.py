"""Addresses of services are read alike for every plugin: none lets credentials out where another would not."""

from __future__ import annotations

import pytest

from connector_core.addresses import Address, read_address, read_origin


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://acme.example", Address("https", "acme.example", None, "")),
        ("HTTPS://Acme.Example:8080/v1", Address("https", "acme.example", 8080, "/v1")),
        ("http://[::1]:80/", Address("http", "::1", 80, "/")),
    ],
)
def test_an_address_is_read(text: str, found: Address) -> None:
    """Scheme and host in lower case, as they compare."""
    assert read_address(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "acme.example",
        "https://",
        "https://me@acme.example",
        "https://:secret@acme.example",
        "https://acme.example?",
        "https://acme.example/v1?a=b",
        "https://acme.example#there",
        "https://acme.example/v1\n",
        " https://acme.example",
        "https://acme.example:99999",
        "https://[::1",
        "https://\u0430cme.example",  # a Cyrillic letter
    ],
)
def test_what_leads_elsewhere_or_nowhere_is_none(text: str) -> None:
    """With a user, a query or a fragment, with signs that parsers drop, or without a host."""
    assert read_address(text) is None


def test_an_origin_has_no_path() -> None:
    """But for the slash that people end it with."""
    found = [read_origin(f"http://[::1]:8080{path}") for path in ("", "/", "/v1")]

    assert [it and it.origin for it in found] == ["http://[::1]:8080", "http://[::1]:8080", None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("http://localhost:1", True), ("https://localhost:1", False), ("http://localhost.example", False)],
)
def test_loopback_is_this_machine_over_http(text: str, expected: bool) -> None:
    """Only what stands in for a service is there."""
    found = read_address(text)

    assert found is not None
    assert found.on_loopback is expected
