"""The look at the raw text: what it finds, what it lets pass, and that the cassettes here pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector_core.testing.cassettes import inconsistencies, read, scan

ROOT = Path(__file__).resolve().parents[2]
CASSETTES = sorted([*ROOT.glob("cassettes/**/*.yaml"), *ROOT.glob("plugins/*/cassettes/**/*.yaml")])

FOUND = {
    "authorization: anything": "an authorization",
    "Authorization: Bearer abcdefgh12345": "a token in a header",
    "x: Basic dXNlcjpwYXNzd29yZA==": "a token in a header",
    "set-cookie: a=b": "a cookie",
    "Cookie: sid=1": "a cookie",
    "x: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.sig": "a JSON web token",
    "x: 00D5g0000012345!AQcAQH0dMHZfz972Szmpkb58": "a Salesforce session",
    "x: pat-eu1-0a1b2c3d-4e5f": "a HubSpot token",
    "x: 0123456789abcdef0123456789abcdef01234567": "a key in hexadecimal",
    "x: -----BEGIN RSA PRIVATE KEY-----": "a private key",
    "access_token: hunter2hunter2": "a secret",
    '"client_secret": "s3cret"': "a secret",
    "x: password=hunter2": "a secret",
    "api_key: abc": "a secret",
    "x: AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcdef": "a long random text",
    "x: jo@acme.fr": "an e-mail address that is not of an example's domain",
    "x: jo%40acme.fr": "an e-mail address that is not of an example's domain",
    "x: mailto:jo@sales.example.co": "an e-mail address that is not of an example's domain",
    "url: https://crm.acme.fr/x": "a host that is not on the list",
    "x: see acme.my.salesforce.com": "a host that is not on the list",
    "x: acme.odoo.com": "a host that is not on the list",
    "x: +33612345678": "a phone number that is not of a range for fiction",
    "x: 0033612345678": "a phone number that is not of a range for fiction",
    "x: 06 12 34 56 78": "a phone number that is not of a range for fiction",
    "x: '0612345678'": "a phone number that is not of a range for fiction",
    "x: +33 (0)6 12 34 56 78": "a phone number that is not of a range for fiction",
    "x: (415) 555-2671": "a phone number that is not of a range for fiction",
    "x: 415.555.2671": "a phone number that is not of a range for fiction",
    "x: +1 415-555-2671": "a phone number that is not of a range for fiction",
    "x: +49 30 12345678": "a phone number that is not of a range for fiction",
    "x: PHA+Q2FsbCBqb0BhY21lLmZyIGJhY2sgb24gTW9uZGF5PC9wPg==": "an e-mail address that is not of an example's domain",
}
PASSING = [
    "Content: PHA+Rmlyc3QgbGluZTwvcD48cD5TZWNvbmQgbGluZTwvcD48cD5yZWY6IGNvbnRyYWN0Om5ldzwvcD4=",  # a note's text, in base64
    "access_token: scrubbed-access-token-2",
    "refresh_token:",
    "client_secret: ''",
    "password: null",
    "token_type: bearer",
    "token_type: Bearer",
    "grant_type: refresh_token",
    "message: The OAuth token used to make this call expired 1 second(s) ago.",
    "x: camille.durand@marais-mobilier.example",
    "x: carla.client@example.com, O'Plus+work@mail.example.net, integration@sandbox.invalid",
    "url: http://127.0.0.1:1/services/data/v66.0/composite",
    "url: https://app.hubspot.com/contacts/8000001/record/0-1/100000000003",
    "x: https://example.my.salesforce.com/x",
    "x: +33639981011",
    "x: '0639981011'",
    "x: +33 (0)6 39 98 10 11",
    "x: 0033 6 39 98 20 30",
    "x: 01 99 00 62 10",
    "x: '+33 6 39 98",
    "x: (202) 555-0143",
    "x: +1 202-555-0144",
    "x: 202.555.0145",
    "x: +44 20 7946 0018",
    "id: '100000000003'",
    "Id: 00300000001000LAAQ",
    "correlationId: 00000000-0000-4000-8000-000000000001",
    "createdate: '2026-11-21T21:17:53.169Z'",
    "CreatedDate: 2026-01-12T09:15:00.000+0000",
    "issued_at: '1795295877360'",
    f"body: {'x' * 32_000}",
]


@pytest.mark.parametrize(("line", "what"), FOUND.items(), ids=list(FOUND))
def test_what_must_not_be_published_is_found(tmp_path: Path, line: str, what: str) -> None:
    """The finding says the file, the line and what it looks like."""
    path = tmp_path / "x.yaml"
    path.write_text(f"a: b\n{line}\n", encoding="utf-8")

    assert f"{path}:2: {what}" in scan(path)


@pytest.mark.parametrize("line", FOUND)
def test_a_finding_shows_nothing_of_it(tmp_path: Path, line: str) -> None:
    """What was found is not repeated in a log."""
    path = tmp_path / "x.yaml"
    path.write_text(line, encoding="utf-8")

    assert line.rpartition(" ")[2] not in " ".join(scan(path)).replace(str(path), "")  # whose folder has a number too


@pytest.mark.parametrize("line", PASSING)
def test_what_is_invented_passes(tmp_path: Path, line: str) -> None:
    """Placeholders, ids, times, reserved domains and numbers kept for fiction are no findings."""
    path = tmp_path / "x.yaml"
    path.write_text(line, encoding="utf-8")

    assert scan(path) == []


def test_a_folder_is_read_whole(tmp_path: Path) -> None:
    """All cassettes below a folder are read."""
    for name in ("a/one.yaml", "b/c/two.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text("x: jo@acme.fr", encoding="utf-8")

    assert len(scan(tmp_path)) == 2


def test_a_team_s_own_hosts_may_be_named(tmp_path: Path) -> None:
    """A plugin of one's own brings the hosts that its cassettes may name."""
    path = tmp_path / "x.yaml"
    path.write_text("url: https://api.acme-crm.io/x", encoding="utf-8")

    assert scan(path, hosts={"api.acme-crm.io"}) == []


def shown(path: Path) -> str:
    """Name a cassette in the report of a test."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", CASSETTES, ids=shown)
def test_cassettes_hold_nothing_secret(path: Path) -> None:
    """No cassette of this project holds what looks like a secret, a real person or an account."""
    assert scan(path) == []


@pytest.mark.parametrize("path", [it for it in CASSETTES if it.parent.name != "troubles"], ids=shown)
def test_cassettes_agree_with_themselves(path: Path) -> None:
    """Every id that a recorded request names was seen before, and every sum is right; test_cas_troubles has the others."""
    assert inconsistencies(path) == []


@pytest.mark.parametrize("path", CASSETTES, ids=shown)
def test_cassettes_say_where_they_come_from(path: Path) -> None:
    """A cassette stands in the folder of its plugin, and has been recorded with a version of it."""
    provenance = read(path).provenance
    plugin = path.parents[1] if path.parent.name == "troubles" else path.parent

    assert (provenance.plugin, f"connector-{provenance.plugin}" in provenance.versions) == (plugin.name, True)
