"""Rich notifications are proven by Microsoft's tokens, and decrypted; a stand-in of their publisher makes both here."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
import requests
from connector_microsoft_teams import MICROSOFT_TEAMS
from connector_microsoft_teams.sandbox import CLIENT_ID, CLIENT_STATE, TENANT_ID, GraphSandbox, Tenant
from connector_microsoft_teams.sandbox_publisher import Publisher, encrypt
from connector_microsoft_teams.transcripts import read_vtt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as elliptic
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connector_core import policy
from connector_core.errors import ConfigurationError, CredentialsError, InputError, TryAgainError
from connector_core.model import Utterance
from connector_core.providers.binding import Provider, bind_provider
from connector_core.providers.hookspecs import Announced, Delivery, Ignored, Later
from connector_core.testing.server import SandboxServer

RECORD_ID = "e523d2ed-2966-4b6b-925b-754a88034cc5"
CALL = f"microsoft_teams:{RECORD_ID}"
TRANSCRIPT = Announced(CALL, "transcript")
PATH = "communications/onlineMeetings('MSo5NzZm')/transcripts('MSMjMCMj')"
RESOURCE = {"id": "MSMjMCMj", "meetingId": "MSo5NzZm", "callId": RECORD_ID, "createdDateTime": None}
ADA_ID = "42559007-03c6-42c8-971f-cb79fd381a5a"
ADA = {
    "identity": {
        "user": {"id": ADA_ID, "displayName": "Ada", "tenantId": TENANT_ID, "userPrincipalName": "a@s.example"}
    }
}
JOIN = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_MGU5%40thread.v2/0"
VTT = (
    "WEBVTT\r\n\r\n8b32-0\r\n00:00:03.500 --> 00:00:05.000\r\n<v Ada Agent>Hello Carl,\r\nhow are you?</v>\r\n\r\n"
    "00:01:00.000 --> 00:01:01.000\r\n<v Carl &amp; Co>Fine</v>\r\n"
)

KEY = generate_private_key(public_exponent=65537, key_size=2048)
FORMER_KEY = generate_private_key(public_exponent=65537, key_size=2048)
PUBLISHER = Publisher()


def pem(*keys: Any) -> str:
    """Write private keys, one after another."""
    written = (it.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode() for it in keys)
    return "".join(written)


def item(encrypted: dict[str, str] | None, **more: Any) -> dict[str, Any]:
    """Make one rich notification of a transcript."""
    return {
        "subscriptionId": "516220d0-0f88-46cc-ac39-02b687687526",
        "changeType": "created",
        "clientState": CLIENT_STATE,
        "resource": PATH,
        "resourceData": {"id": "MSMjMCMj", "@odata.type": "#Microsoft.Graph.callTranscript", "@odata.id": PATH},
        "encryptedContent": encrypted,
        "tenantId": TENANT_ID,
        **more,
    }


def content(resource: dict[str, Any] | None = None, key: RSAPrivateKey = KEY) -> dict[str, str]:
    """Encrypt a resource."""
    return encrypt(RESOURCE if resource is None else resource, key.public_key())


def delivery(*items: dict[str, Any], tokens: Any = ...) -> Delivery:
    """Deliver items with a token that holds."""
    tokens = [PUBLISHER.token(CLIENT_ID, TENANT_ID)] if tokens is ... else tokens
    return Delivery(json.dumps({"value": items, "validationTokens": tokens}).encode())


RECORD = {
    "id": RECORD_ID,
    "version": 1,
    "type": "groupCall",
    "startDateTime": "2025-08-15T12:23:30Z",
    "endDateTime": "2025-08-15T12:58:26.0904416Z",
    "joinWebUrl": JOIN,
    "organizer_v2": ADA,
    "participants_v2": [ADA],
}
MEETING = {
    "id": "MSo5NzZm",
    "subject": "Discovery call",
    "joinWebUrl": JOIN,
    "transcripts": [
        {"id": "t2", "callId": RECORD_ID, "createdDateTime": "2025-08-15T12:24:30.1234567Z", "content": VTT},
        {"id": "t1", "callId": ADA_ID, "createdDateTime": "2025-08-15T12:30:00Z", "content": VTT},
    ],
}  # fmt: skip


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxServer]:
    """A stand-in of Microsoft; nobody waits between attempts."""
    monkeypatch.setattr(policy, "wait", lambda _seconds: None)
    tenant = Tenant(records=[RECORD], meetings={ADA_ID: [MEETING]})
    with SandboxServer(GraphSandbox(tenant, PUBLISHER)) as served:
        yield served


Bind = Callable[..., Provider]


@pytest.fixture
def bind(server: SandboxServer) -> Iterator[Bind]:
    """Make providers that ask the stand-in."""
    made: list[Provider] = []

    def bound(*keys: Any) -> Provider:
        settings = {**server.settings, **({"private_key": pem(*keys)} if keys else {})}
        made.append(bind_provider(MICROSOFT_TEAMS, settings))
        return made[-1]

    yield bound
    for provider in made:
        provider.close()


@pytest.fixture
def teams(bind: Bind) -> Provider:
    """A connection with a key."""
    return bind(KEY)


def heard(teams: Provider, sent: Delivery) -> list[object]:
    """Prove and read a delivery."""
    proven = teams.verify(sent)
    assert isinstance(proven, bytes)
    return list(teams.parse(proven))


def keys_read(server: SandboxServer) -> int:
    """Say how often Microsoft's keys were read."""
    journal = requests.get(f"{server.url}/_sandbox/journal", timeout=60).json()
    return sum(entry["path"] == "/common/discovery/keys" for entry in journal)


# -- proving and decrypting --------------------------------------------------------------------------------------------


def test_a_transcript_announces_itself_under_the_call_that_it_names(teams: Provider) -> None:
    """The id of the call stands in what is encrypted, and nowhere else."""
    assert heard(teams, delivery(item(content()))) == [TRANSCRIPT]


def test_microsofts_other_spelling_of_the_content_is_read(teams: Provider) -> None:
    """Its sample of a transcript writes a capital E."""
    sample = item(None) | {"EncryptedContent": content()}
    del sample["encryptedContent"]
    assert heard(teams, delivery(sample)) == [TRANSCRIPT]


def test_a_former_key_serves_while_keys_are_changed(bind: Bind) -> None:
    """Subscriptions that were made with it still encrypt to it."""
    assert heard(bind(KEY, FORMER_KEY), delivery(item(content(key=FORMER_KEY)))) == [TRANSCRIPT]


def test_microsofts_keys_are_read_once_for_many_deliveries(teams: Provider, server: SandboxServer) -> None:
    """They last a day."""
    for _ in range(3):
        heard(teams, delivery(item(content())))
    assert keys_read(server) == 1


def test_an_unknown_key_does_not_let_microsoft_be_asked_at_every_delivery(
    teams: Provider, server: SandboxServer
) -> None:
    """Whoever forges could make us ask."""
    forged = Publisher("unknown").token(CLIENT_ID, TENANT_ID)
    for _ in range(3):
        with pytest.raises(CredentialsError):
            teams.verify(delivery(item(content()), tokens=[forged]))
    assert keys_read(server) == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "00000000-0000-0000-0000-000000000001"},
        {"aud": None},
        {"iss": "https://sts.windows.net/00000000-0000-0000-0000-000000000001/"},
        {"iss": "https://evil.example/"},
        {"iss": None},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"nbf": int(time.time()) + 3600},
        {"appid": "00000000-0000-0000-0000-000000000001"},
        {"appid": None},
    ],
)
def test_a_token_that_says_something_else_does_not_hold(teams: Provider, claims: dict[str, Any]) -> None:
    """Another app's, another tenant's, another time's, or not from Graph's publisher."""
    with pytest.raises(CredentialsError):
        teams.verify(delivery(item(content()), tokens=[PUBLISHER.token(CLIENT_ID, TENANT_ID, **claims)]))


def test_the_newer_form_of_tokens_holds_too(teams: Provider, server: SandboxServer) -> None:
    """It names the publisher and the issuer otherwise."""
    issuer = f"{server.url}/{TENANT_ID}/v2.0"
    token = PUBLISHER.token(CLIENT_ID, TENANT_ID, appid=None, azp="0bf30f3b-4a52-48df-9a82-234910c4a086", iss=issuer)
    assert heard(teams, delivery(item(content()), tokens=[token])) == [TRANSCRIPT]


def claims() -> dict[str, Any]:
    """Give the claims of a token that holds."""
    return jwt.decode(PUBLISHER.token(CLIENT_ID, TENANT_ID), options={"verify_signature": False})


@pytest.mark.parametrize(
    "tokens",
    [
        None,
        [],
        ["no token"],
        ["é.é.é"],
        ["e30.e30."],
        ["eyJraWQiOlsxXX0.e30.AA"],
        ["bnVsbA.bnVsbA.bnVsbA"],
        ["a" * 16_000],
        [Publisher(PUBLISHER.kid).token(CLIENT_ID, TENANT_ID)],
        [jwt.encode(claims(), "x" * 32, algorithm="HS256", headers={"kid": PUBLISHER.kid})],
        [jwt.encode(claims(), None, algorithm="none", headers={"kid": PUBLISHER.kid})],
        [PUBLISHER.token(CLIENT_ID, TENANT_ID), "no token"],
    ],
)
def test_without_a_token_that_holds_nothing_is_believed(teams: Provider, tokens: Any) -> None:
    """One that does not hold spoils the others."""
    with pytest.raises(CredentialsError):
        teams.verify(delivery(item(content()), tokens=tokens))


def changed(name: str) -> dict[str, str]:
    """Encrypt a resource, and change one byte of it."""
    sent = content()
    raw = bytearray(base64.b64decode(sent[name]))
    raw[-1] ^= 1
    return sent | {name: base64.b64encode(raw).decode()}


@pytest.mark.parametrize(
    "wrong",
    [
        changed("data"),
        changed("dataKey"),
        changed("dataSignature"),
        content(key=FORMER_KEY),
        content() | {"data": "no base 64!"},
        content() | {"dataSignature": content()["dataSignature"]},
    ],
)
def test_content_that_was_changed_is_refused(teams: Provider, wrong: dict[str, str]) -> None:
    """Its signature is compared before it is decrypted; which step fails is not told."""
    with pytest.raises(CredentialsError, match="encryptedContent"):
        teams.verify(delivery(item(wrong)))


@pytest.mark.parametrize("name", ["data", "dataKey", "dataSignature"])
def test_content_without_a_part_of_it_is_no_notification(teams: Provider, name: str) -> None:
    """It could not be proven."""
    bare = {key: value for key, value in content().items() if key != name}
    with pytest.raises(InputError, match=name):
        teams.verify(delivery(item(bare)))


def test_the_client_state_is_wanted_of_rich_notifications_too(teams: Provider) -> None:
    """It is compared before anything is asked of Microsoft."""
    with pytest.raises(CredentialsError, match="clientState"):
        teams.verify(delivery(item(content(), clientState="another-client-state")))


def test_what_claims_to_be_decrypted_already_is_not_believed(teams: Provider) -> None:
    """A plain notification has no token, so it carries nothing but an id."""
    told = heard(teams, delivery(item(None, content=RESOURCE), tokens=None))
    assert [type(each) for each in told] == [Ignored]


def test_without_a_key_the_content_is_left_alone(bind: Bind) -> None:
    """Nothing of it is believed, so nothing has to be proven."""
    told = heard(bind(), delivery(item(content()), tokens=None))
    assert [type(each) for each in told] == [Ignored]


@pytest.mark.parametrize("resource", [{"callId": None}, {"callId": ""}, {"callId": "../../users"}, {}])
def test_a_transcript_that_names_no_call_is_ignored(teams: Provider, resource: dict[str, Any]) -> None:
    """It could be of any."""
    told = heard(teams, delivery(item(content({"id": "t", **resource}))))
    assert [type(each) for each in told] == [Ignored]


@pytest.mark.parametrize("answer", [{"status": 503}, {"status": 200, "body": {"keys": [{"kty": "RSA"}]}}])
def test_where_microsofts_keys_cannot_be_read_the_sender_is_to_try_again(
    teams: Provider, server: SandboxServer, answer: dict[str, Any]
) -> None:
    """It cannot be told whether the delivery is Microsoft's."""
    rules = [{"match": {"path": "/common/discovery/keys"}, "do": answer}]
    assert requests.post(f"{server.url}/_sandbox/faults", json=rules, timeout=60).status_code == 200
    for _ in range(3):
        with pytest.raises(TryAgainError):
            teams.verify(delivery(item(content())))
    assert keys_read(server) == 1  # nobody waits for them again at once


@pytest.mark.parametrize(
    "key",
    [generate_private_key(public_exponent=65537, key_size=1024), elliptic(SECP256R1())],  # noqa: S505 - to be refused
    ids=["short", "elliptic"],
)
def test_a_key_that_graph_encrypts_nothing_to_is_refused(bind: Bind, key: Any) -> None:
    """RSA with 2048 to 4096 bits is documented."""
    with pytest.raises(ConfigurationError, match="private_key"):
        bind(key)


# -- what was said -----------------------------------------------------------------------------------------------------


def test_the_transcript_of_the_call_is_read(teams: Provider) -> None:
    """Of all transcripts of the meeting, the one that names the call, in seconds from its start."""
    answer = teams.fetch([TRANSCRIPT])[TRANSCRIPT]
    assert isinstance(answer, tuple)
    assert [part.transcript for part in answer] == [
        (
            Utterance(speaker="Ada Agent", text="Hello Carl, how are you?", at_seconds=63.623456),
            Utterance(speaker="Carl & Co", text="Fine", at_seconds=120.123456),
        )
    ]


def test_transcripts_of_old_that_name_no_call_are_told_by_their_time(teams: Provider, server: SandboxServer) -> None:
    """Those that were begun during it."""
    listed = [
        {"id": "t2", "createdDateTime": "2025-08-15T12:24:30Z"},
        {"id": "t3", "createdDateTime": "2025-08-15T13:24:30Z"},
    ]
    rules = [{"match": {"path": "*/transcripts"}, "do": {"status": 200, "body": {"value": listed}}}]
    assert requests.post(f"{server.url}/_sandbox/faults", json=rules, timeout=60).status_code == 200
    answer = teams.fetch([TRANSCRIPT])[TRANSCRIPT]
    assert isinstance(answer, tuple)
    assert [len(part.transcript or ()) for part in answer] == [2]


def test_without_the_permission_there_is_no_transcript(teams: Provider, server: SandboxServer) -> None:
    """And nothing is asked for in vain for days."""
    granted = {"permissions": ["CallRecords.Read.All", "OnlineMeetings.Read.All"]}
    assert requests.post(f"{server.url}/_sandbox/org", json=granted, timeout=60).status_code == 200
    assert teams.fetch([TRANSCRIPT])[TRANSCRIPT] == ()


def test_a_record_that_is_not_there_yet_lets_the_transcript_wait(teams: Provider) -> None:
    """A transcript is told within seconds, a record within half an hour."""
    early = Announced("microsoft_teams:00000000-0000-0000-0000-000000000009", "transcript")
    assert isinstance(teams.fetch([early])[early], Later)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("WEBVTT\n\n00:01.000 --> 00:02.000\nNo voice\n", [(None, "No voice")]),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\n<v A>One</v><v B>Two</v>\n", [("A", "One"), ("B", "Two")]),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\n<v A><i>One</i> &lt;2</v>\n", [("A", "One <2")]),
        ("WEBVTT\n\n00:01.000 --> 00:02.000\n\n", []),
        ("no transcript", []),
    ],
)
def test_cues_are_read_with_their_voices(text: str, said: list[tuple[str | None, str]]) -> None:
    """A cue may have several, or none."""
    assert [(each.speaker, each.text) for each in read_vtt(text)] == said
