"""What is put in place of secrets and accounts, and what is left as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from taped import Client, Serve, record, replay, source

from connector_core import discovery
from connector_core.manifest import load
from connector_core.testing.cassettes import CassetteError, Provenance, read, recording
from connector_core.testing.cassettes.exchange import Answer, Asked, Body, Exchange
from connector_core.testing.cassettes.scrub import LOOPBACK, Scrubber
from connector_core.testing.sandbox import Request, Response

TOKEN, REFRESH, GRANTED = "tok-0123456789abcdef", "ref-0123456789abcdef", "new-0123456789abcdef"


def grants(request: Request) -> Response:
    """Answer a sign-in with a token, and anything else with what it was sent."""
    if request.path == "/token":
        return Response.of({"access_token": GRANTED, "refresh_token": REFRESH, "token_type": "bearer"})
    return Response.of(
        {"got": request.headers.get("authorization", ""), "body": request.body.decode(), "text": f"a {TOKEN} b"}
    )


def sign_in(client: Client) -> object:
    """Sign in with a form."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    return client.pool.request("POST", f"{client.url}/token", body=f"refresh_token={REFRESH}", headers=form)


def ask(token: str) -> Any:
    """Ask with a token in a header, in the query, and in the body."""
    return lambda client: client.pool.request(
        "POST", f"{client.url}/x?k={token}", json={"nested": [token]}, headers={"Authorization": f"Bearer {token}"}
    )


@pytest.fixture
def signed(serve: Serve, tmp_path: Path) -> Path:
    """A sign-in, and a request with the token that it granted."""
    path = tmp_path / "signed.yaml"
    record(path, serve(grants), ask(TOKEN), sign_in, ask(GRANTED), access_token=TOKEN, refresh_token=REFRESH)
    return path


@pytest.mark.parametrize("secret", [TOKEN, REFRESH, GRANTED])
def test_no_secret_is_saved(signed: Path, secret: str) -> None:
    """Neither a setting's secret nor one that the service granted stands anywhere in the file."""
    assert secret not in signed.read_text(encoding="utf-8")


def test_one_secret_has_one_placeholder(signed: Path) -> None:
    """The refresh token of the settings, of the form and of the answer is the same placeholder."""
    cassette = read(signed)
    exchange = cassette.exchanges[1]

    assert cassette.provenance.settings["refresh_token"] == "scrubbed-refresh-token"
    assert dict(exchange.asked.body.value)["refresh_token"] == "scrubbed-refresh-token"
    assert exchange.answer.body.value["refresh_token"] == "scrubbed-refresh-token"


def test_two_secrets_of_one_name_have_two_placeholders(signed: Path) -> None:
    """A token that was granted is another one than the first."""
    assert read(signed).exchanges[1].answer.body.value["access_token"] == "scrubbed-access-token-2"


def test_placeholders_make_the_recorded_requests(signed: Path) -> None:
    """With the placeholders of the file in the settings, a client makes the recorded requests."""
    settings = read(signed).provenance.settings
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    tape = replay(
        signed,
        ask(settings["access_token"]),
        lambda client: client.pool.request(
            "POST", f"{client.url}/token", body=f"refresh_token={settings['refresh_token']}", headers=form
        ),
        ask("scrubbed-access-token-2"),
    )

    assert tape.requests == 3


def test_the_tape_shows_no_secret(serve: Serve, tmp_path: Path) -> None:
    """The provenance of a tape that is being recorded shows placeholders, as it may be printed."""
    url = serve(grants)
    with recording(tmp_path / "x.yaml", source(url, api_key=TOKEN)) as tape:
        Client(url).get("/x")

    assert tape.provenance.settings["api_key"] == "scrubbed-api-key"


def scrubbed(value: object, provenance: Provenance, *secrets: str) -> Any:
    """Give what is saved of a JSON answer."""
    exchange = Exchange(Asked("GET", "https://x.example/"), Answer(200, {}, Body("json", value)))
    return Scrubber(provenance, secrets).scrubbed([exchange])[0].answer.body.value


def test_a_short_secret_is_no_part_of_words() -> None:
    """A short secret is replaced where it is the whole value, and left within other words."""
    value = {"password": "admin", "user": "admin", "role": "administrator"}

    assert scrubbed(value, source("http://x.example", password="admin")) == {
        "password": "scrubbed-password",
        "user": "scrubbed-password",
        "role": "administrator",
    }


def test_the_address_of_a_person_becomes_one_of_nobody() -> None:
    """An e-mail that must not be saved becomes one of an example's domain, wherever it stands."""
    value = scrubbed({"owner": "jo@acme.fr", "text": "by jo@acme.fr"}, source("http://x.example"), "jo@acme.fr")

    assert value == {"owner": "person-1@example.com", "text": "by person-1@example.com"}


def test_ids_stay() -> None:
    """An id is no secret, and is left as the service gave it."""
    assert scrubbed({"id": "10001", "tokens": 3}, source("http://x.example")) == {"id": "10001", "tokens": 3}


def of_plugin(plugin: str, **settings: Any) -> Provenance:
    """Describe a recording of a plugin."""
    return Provenance("live", plugin, "2026-11-21T12:00:00Z", {}, settings, {})


ACCOUNTS = [
    ("salesforce", "instance_url", "https://acme.my.salesforce.com", "https://example.my.salesforce.com"),
    ("salesforce", "instance_url", "http://127.0.0.1:4711", LOOPBACK),
    ("hubspot", "base_url", "https://api.hubapi.com", "https://api.hubapi.com"),
    ("hubspot", "base_url", "http://localhost:4711", LOOPBACK),
]


@pytest.mark.parametrize(("plugin", "name", "address", "stand_in"), ACCOUNTS)
def test_the_host_of_an_account_is_replaced(plugin: str, name: str, address: str, stand_in: str) -> None:
    """An account's host becomes one that the plugin accepts; one that is the same for everybody stays."""
    provenance = of_plugin(plugin, access_token=TOKEN, **{name: address})

    assert Scrubber(provenance).provenance.settings[name] == stand_in


@pytest.mark.parametrize(("plugin", "name", "address", "_"), ACCOUNTS)
def test_placeholders_are_settings_of_the_plugin(plugin: str, name: str, address: str, _: str) -> None:
    """What stands in place of settings is accepted by the plugin's own check of them."""
    settings = {name: address, "access_token": TOKEN, "client_id": "3MVG9", "client_secret": "s3cret"}
    if plugin == "hubspot":
        settings["refresh_token"] = REFRESH
    manifest = discovery.crm(plugin)

    replaced = Scrubber(of_plugin(plugin, **settings)).provenance.settings

    assert load(manifest.settings, of=plugin).model_validate(dict(replaced))


def test_the_host_of_an_account_is_replaced_everywhere() -> None:
    """The host stands in answers too, with and without a scheme."""
    provenance = of_plugin("salesforce", access_token=TOKEN, instance_url="https://acme.my.salesforce.com")

    value = scrubbed(
        {"instance_url": "https://acme.my.salesforce.com", "text": "see acme.my.salesforce.com/x"}, provenance
    )

    assert "acme" not in json.dumps(value)


def test_a_host_of_nobody_s_plugin_becomes_a_neutral_one() -> None:
    """Where no plugin says which hosts it accepts, the host of an example is taken."""
    assert Scrubber(source("https://crm.acme.fr:8443/x")).provenance.settings["url"] == "https://crm.example.com/x"


def test_a_secret_that_is_left_is_not_saved(serve: Serve, tmp_path: Path) -> None:
    """A secret that replacing does not reach, such as in a name of a header, keeps the file from being written."""
    scrubber = Scrubber(source("http://x.example", api_key=TOKEN))

    with pytest.raises(CassetteError, match="secrets are left in it, to be called scrubbed-api-key") as caught:
        scrubber.check(f"something: {TOKEN}")

    assert TOKEN not in str(caught.value)


def test_provenance_names_addresses_left_to_default() -> None:
    """An address that the settings do not name is named in the file, so that a replay can be led elsewhere."""
    from connector_core.manifest import ConnectionInfo

    manifest = discovery.crm("hubspot")
    made = Provenance.now(manifest, "live", {"access_token": TOKEN}, ids={}, info=ConnectionInfo("c", ("FR",)))

    assert made.settings["base_url"] == "https://api.hubapi.com"
    assert made.info == {"regions": ["FR"], "time_zone": "UTC"}
    assert {"connector-core", "connector-hubspot", "hubspot-api-client", "vcrpy"} <= made.versions.keys()
