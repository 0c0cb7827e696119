"""Signing in by the JWT bearer flow, against the sandbox, which verifies what it is sent."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from connector_salesforce import SALESFORCE
from connector_salesforce.sandbox import SalesforceSandbox
from connector_salesforce.sandbox.sessions import CLIENT_ID

from connector_core import policy
from connector_core.binding import bind, read_settings
from connector_core.config import ConnectionConfig
from connector_core.config_file import load_config
from connector_core.crms.world import parse_world
from connector_core.errors import ConfigurationError, ConnectorError, CredentialsError
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.people import Actor
from connector_core.manifest import ConnectionInfo
from connector_core.model import Call
from connector_core.settling import sync_settled
from connector_core.testing.cassettes.exchange import Asked, Provenance
from connector_core.testing.cassettes.replay import recording
from connector_core.testing.sandbox import Request, Response
from connector_core.testing.server import SandboxServer

USER = "integration@sandbox.invalid"
WORLD = {"people": [{"kind": "contact", "id": "C1", "name": "Carl Customer", "emails": ["carl@buyer.example"]}]}
CALL = {
    "id": "x:1",
    "provider": "x",
    "kind": "meeting",
    "started_at": "2026-03-02T09:00:00Z",
    "participants": [{"is_user": False, "name": "Carl", "emails": ["carl@buyer.example"]}],
}


def by_jwt(keys: Any) -> dict[str, Any]:
    """Give the settings that sign in with a key, instead of those that the sandbox gives."""
    signed = {"client_id": CLIENT_ID, "username": USER, "private_key": keys.private}
    return {"access_token": None, "client_secret": None, **signed}


@pytest.fixture
def desk(connect: Any, keys: Any) -> Any:
    """Connect with the key whose certificate the sandbox's app has."""
    made = connect(WORLD, **by_jwt(keys))
    made.post("org", {"app_certificate": keys.certificate})
    return made


def sign_ins(desk: Any) -> list[int]:
    """Give the status of each request for a token."""
    return [entry["status"] for entry in desk.get("journal") if entry["path"].endswith("/token")]


def test_a_key_signs_in_and_costs_no_api_call(desk: Any) -> None:
    """What it granted is taken by the requests that follow."""
    found = desk.adapter.find_contacts_by_email(["carl@buyer.example"])

    assert found["carl@buyer.example"][0].id == desk.ids["C1"]
    assert (sign_ins(desk), desk.api_calls) == ([200], 1)


def test_a_session_that_ended_is_replaced_by_one_other(desk: Any) -> None:
    """There is no refresh token: another assertion is signed, once."""
    desk.adapter.find_contacts_by_email(["carl@buyer.example"])
    desk.post("faults", [{"match": {"path": "*/composite"}, "times": 1, "do": {"expire_session": True}}])
    desk.adapter.find_contacts_by_email(["carl@buyer.example"])

    assert sign_ins(desk) == [200, 200]


OTHERS = "another's"
REFUSALS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "key": ({}, {"app_certificate": OTHERS}, "upload the certificate of private_key to the app of client_id"),
    "no certificate": ({}, {"app_certificate": ""}, "upload the certificate of private_key to the app of client_id"),
    "app": ({"client_id": "other"}, {}, "client_id is of no app in this org"),
    "audience": (
        {"audience": "https://login.salesforce.com"},
        {},
        r"audience is https://login\.salesforce\.com: it has",
    ),
    "user": (
        {"username": "nobody@sandbox.invalid"},
        {},
        "no active user has this username, or the app is not approved",
    ),
    "approval": (
        {},
        {"app_users": ["somebody@sandbox.invalid"]},
        "the user may not use the app: in the app's policies",
    ),
}


@pytest.mark.parametrize("wrong", REFUSALS)
def test_a_refusal_says_what_to_mend_and_is_not_tried_again_at_once(
    connect: Any, keys: Any, other_keys: Any, wrong: str
) -> None:
    """Services lock out who keeps trying: of two look-ups one asks."""
    settings, org, advice = REFUSALS[wrong]
    desk = connect(WORLD, **{**by_jwt(keys), **settings})
    org = {"app_certificate": keys.certificate, **org}
    desk.post("org", {key: other_keys.certificate if value == OTHERS else value for key, value in org.items()})
    for _ in range(2):
        with pytest.raises(CredentialsError, match=advice):
            desk.adapter.find_contacts_by_email(["carl@buyer.example"])

    assert sign_ins(desk) == [400]


def test_an_assertion_that_comes_too_late_blames_the_clock(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one of a machine does whose clock is ten minutes behind."""
    monkeypatch.setattr("connector_salesforce.jwt_bearer.LIFE_SECONDS", -600)
    with pytest.raises(CredentialsError, match="check the clock of this machine"):
        desk.adapter.find_contacts_by_email(["carl@buyer.example"])


# -- a whole connection ------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, keys: Any) -> Path:
    """Keep the key in a file."""
    (tmp_path / "key.pem").write_text(keys.private)
    return tmp_path


def connection(folder: Path, url: str) -> ConnectionConfig:
    """Configure a connection whose key is in a file."""
    settings = {"instance_url": url, "client_id": CLIENT_ID, "username": USER, "private_key": "file:key.pem"}
    return ConnectionConfig("acme", "salesforce", settings, directory=folder)


def test_a_refusal_pauses_the_connection_until_it_is_mended(folder: Path, keys: Any) -> None:
    """The call is kept; with the certificate uploaded and the connection resumed it is written."""
    calls = [Call.model_validate(CALL)]
    sandbox = SalesforceSandbox(parse_world(WORLD))
    with SandboxServer(sandbox) as server, Ledger(f"sqlite:///{folder}/ledger.db") as ledger:
        config = connection(folder, server.url)
        with config.open() as opened, pytest.raises(CredentialsError):
            list(sync_settled(ledger, opened, calls, sleep=lambda _: None))
        paused = ledger.people.paused("acme")
        sandbox.org({"app_certificate": keys.certificate})
        ledger.people.resume("acme", Actor("Ada", "admin"))
        with config.open() as opened:
            (standing,) = sync_settled(ledger, opened, calls, sleep=lambda _: None)

    assert "(400 invalid_grant): the signature does not fit" in str(paused)
    assert standing.outcome == "created"


# -- what is never told ------------------------------------------------------------------------------------------------


def told_by(error: BaseException) -> Iterator[str]:
    """Give all that an error says: as it is printed, and what it and those that caused it carry."""
    yield "".join(traceback.format_exception(error))
    link: BaseException | None = error
    while link is not None:
        yield repr((link, link.args, vars(link)))
        link = link.__cause__ or link.__context__


def pieces(keys: Any, assertions: list[str]) -> set[str]:
    """Give what must stand nowhere: the lines of the key, and the parts of each assertion that only this one has."""
    return {*keys.private.splitlines()[1:-1], *(part for it in assertions for part in it.split(".")[1:])}


def in_words(said: str, granted: dict[str, Any]) -> dict[str, Response]:
    """Give answers of a service that repeats what it was sent, or breaks."""
    error = {"error": "invalid_grant", "error_description": said, "message": said}
    return {
        "echoed": Response.of(error, 400),
        "echoed by a 401": Response.of(error, 401),
        "another code": Response.of({**error, "error": said}, 403),
        "granted, and then not accepted": Response.of(granted),
        "a page": Response(200, f"<html>{said}".encode()),
        "broken": Response(500, said.encode()),
    }


@pytest.mark.parametrize("answer", in_words("", {}))
def test_neither_key_nor_assertion_is_told(
    answer: str,
    folder: Path,
    keys: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    listening: Any,
) -> None:
    """Not in errors and what caused them, not in logs, not in what things show of themselves."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(policy, "wait", lambda seconds: None)
    sent: list[str] = []

    def serve(request: Request) -> Response:
        if not request.path.endswith("/token"):
            return Response.of([{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}], 401)
        sent.append(parse_qs(request.body.decode())["assertion"][0])
        return in_words(f"{sent[-1]} {keys.private}", {"access_token": "granted"})[answer]

    told: list[str] = []
    config = connection(folder, listening(serve))
    settings = read_settings(SALESFORCE, config.resolved(SALESFORCE), "acme")
    with config.open() as opened:
        told += map(repr, (config, settings, opened, opened.connection))
        with pytest.raises(ConnectorError) as caught:
            opened.connection.find_contacts_by_email(["carl@buyer.example"])
        told += told_by(caught.value)

    assert sent
    assert [it for it in pieces(keys, sent) if any(it in text for text in (caplog.text, *told))] == []


def test_neither_key_nor_assertion_stands_in_journal_or_cassette(folder: Path, keys: Any) -> None:
    """What a recording of a sign-in keeps are placeholders."""
    sandbox = SalesforceSandbox(parse_world(WORLD))
    sandbox.org({"app_certificate": keys.certificate})
    sent: list[str] = []

    def hear(asked: Asked) -> None:
        sent.extend(
            value for name, value in (asked.body.value if asked.body.kind == "form" else ()) if name == "assertion"
        )

    with SandboxServer(sandbox, journal=folder / "journal.jsonl") as server:
        settings = connection(folder, server.url).resolved(SALESFORCE)
        info = ConnectionInfo("acme")
        source = Provenance.now(SALESFORCE, "sandbox", settings, ids={}, info=info)
        with recording(folder / "one.yaml", source, before=hear), bind(SALESFORCE, settings, info) as bound:
            bound.find_contacts_by_email(["carl@buyer.example"])
    kept = (folder / "one.yaml").read_text() + (folder / "journal.jsonl").read_text()

    assert sent
    assert "scrubbed-assertion" in kept
    assert [it for it in pieces(keys, sent) if it in kept] == []


@pytest.mark.parametrize("key", ["cut", "certificate", "short", "text"])
def test_a_key_that_is_none_is_refused_without_being_shown(keys: Any, short_keys: Any, key: str, folder: Path) -> None:
    """Before anything is sent: a key that lacks its end, the certificate instead of it, one of 1,024 bits."""
    wrong = {
        "cut": keys.private[:-60],
        "certificate": keys.certificate,
        "short": short_keys.private,
        "text": "hush-7f3a",
    }
    (folder / "key.pem").write_text(wrong[key])
    with pytest.raises(
        ConfigurationError, match=r"settings\.private_key must be an RSA private key of 2048 bits"
    ) as caught:
        connection(folder, "http://127.0.0.1:1").open()

    lines = wrong[key].splitlines()
    assert [it for it in lines if any(it in text for text in told_by(caught.value))] == []


def test_a_key_in_the_configuration_itself_is_refused_without_being_shown(folder: Path, keys: Any) -> None:
    """It belongs in a file of its own, or in the environment."""
    table = "[connections.acme]\ncrm = 'salesforce'\n[connections.acme.settings]\n"
    (folder / "connector.toml").write_text(f"{table}private_key = '''{keys.private}'''\n")
    with pytest.raises(ConfigurationError, match=r"private_key: is a secret written in clear; write") as caught:
        load_config(folder / "connector.toml")

    assert [it for it in pieces(keys, []) if any(it in text for text in told_by(caught.value))] == []


def test_the_lines_of_a_key_may_be_written_in_one(folder: Path, keys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a variable of the environment often has them."""
    monkeypatch.setenv("KEY", keys.private.replace("\n", "\\n"))
    config = connection(folder, "http://127.0.0.1:1")
    with ConnectionConfig("acme", "salesforce", {**config.settings, "private_key": "env:KEY"}).open() as opened:
        assert opened.connection.name == "acme"
