"""Bad input on the command line, towards each CRM's sandbox: its messages, its exit status, and what is written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bad_day import APP, CREATE, CRMS, LOOK_UP, STATIC, Service, call, sandbox, without_waiting

from connector_core.cli import main
from connector_core.references import is_secret
from connector_core.testing.server import SandboxServer

on_each_crm = pytest.mark.parametrize("crm", CRMS)


@dataclass(frozen=True)
class Shell:
    """A directory with a configuration for a sandbox, and the command line in it."""

    service: Service
    settings: Mapping[str, Any]
    patch: pytest.MonkeyPatch
    captured: pytest.CaptureFixture[str]

    def configure(self, crm: str, **settings: Any) -> None:
        """Write ``connector.toml``; secrets go into the environment."""
        lines = ["[connections.acme]", f'crm = "{crm}"', 'regions = ["FR"]', "[connections.acme.settings]"]
        for name, value in {**self.settings, "settle_seconds": 0, **settings}.items():
            if value is not None and is_secret(name):
                self.patch.setenv(f"ACME_{name.upper()}", value)
                value = f"env:ACME_{name.upper()}"
            if value is not None:
                lines.append(f"{name} = {json.dumps(value)}")
        Path("connector.toml").write_text("\n".join(lines))

    def sync(self, *given: Mapping[str, Any] | str) -> tuple[int, list[dict[str, Any]], str]:
        """Sync calls, or lines as they are: the exit status, what was printed, and the messages."""
        lines = [each if isinstance(each, str) else json.dumps(each) for each in given]
        Path("calls.jsonl").write_text("\n".join(lines))
        status = main(["sync", "calls.jsonl", "--connection", "acme", "--json"])
        out, err = self.captured.readouterr()
        return status, [json.loads(line) for line in out.splitlines()], err


Open = Callable[..., Shell]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Open]:
    monkeypatch.chdir(tmp_path)
    without_waiting(monkeypatch)
    servers: list[SandboxServer] = []

    def open_shell(crm: str, **settings: Any) -> Shell:
        servers.append(SandboxServer(sandbox(crm)).start())
        opened = Shell(Service(servers[-1].url), servers[-1].settings, monkeypatch, capsys)
        opened.configure(crm, **settings)
        return opened

    yield open_shell
    for server in servers:
        server.close()


def outcomes(results: list[dict[str, Any]]) -> dict[str, str]:
    """Give what became of each call."""
    return {result["call_id"]: result["activity"]["outcome"] for result in results}


# -- lines -------------------------------------------------------------------------------------------------------------

BAD_LINES = [
    ('{"id": "bad:9", ', "line 2: is no JSON: "),
    (call(9, titel="x"), "line 2: titel: is an unknown key"),
    (call(9, started_at="2026-03-02T09:00:00"), "line 2: started_at: "),
    (call(9, ended_at="2026-03-01T09:00:00Z"), "line 2: ended_at: "),
    (call(9, participants=[{"is_user": "no"}]), "line 2: participants.0.is_user: "),
    (call(9, kind="fax"), "line 2: kind: "),
    ("[]", "line 2: is no JSON object"),
    ("\x00", "line 2: is no JSON"),
]


@on_each_crm
def test_bad_lines_among_good_ones_are_named_and_the_good_ones_written(crm: str, shell: Open) -> None:
    """Each bad line has its number and its own message; the status says that something is left."""
    opened = shell(crm)
    lines = [line for bad, _ in BAD_LINES for line in (bad,)]
    status, results, messages = opened.sync(call(0), *lines, call(1))

    wanted = [says.replace("line 2", f"line {number}") for number, (_, says) in enumerate(BAD_LINES, start=2)]
    assert (status, outcomes(results)) == (1, {"bad:0": "created", "bad:1": "created"})
    assert [line.startswith(says) for line, says in zip(messages.splitlines(), wanted, strict=True)] == [True] * 8
    assert opened.service.written == {"bad:0": 1, "bad:1": 1}


def test_no_two_bad_lines_are_told_alike(shell: Open) -> None:
    """Of the kinds of mistakes that people make."""
    opened = shell("hubspot")
    said = [opened.sync(call(0), bad)[2] for bad, _ in BAD_LINES]

    assert len(set(said)) == len(BAD_LINES)


@on_each_crm
def test_a_number_that_is_none_matches_nobody_and_is_told(crm: str, shell: Open) -> None:
    """``anonymous`` is no mistake of the caller's: the call is written, without that person."""
    opened = shell(crm)
    guest = {"is_user": False, "name": "Carl", "phones": ["anonymous"]}
    status, results, _ = opened.sync(call(0, participants=[guest]))

    assert (status, [row["reason"] for row in results[0]["decision"]["unmatched"]]) == (0, ["invalid_phone"])
    assert opened.service.written == {"bad:0": 1}


# -- what keeps it from starting ---------------------------------------------------------------------------------------

WRONG = {
    "salesforce": {**STATIC["salesforce"], "access_token": "00Dxx!wrong-token"},
    "hubspot": {**STATIC["hubspot"], "access_token": "pat-na1-wrong-token"},
}


@on_each_crm
def test_a_refused_token_is_status_2_and_names_file_and_connection(crm: str, shell: Open) -> None:
    """With what to do, and without the token."""
    opened = shell(crm, **WRONG[crm])
    status, results, messages = opened.sync(call(0))

    assert (status, results, messages.count("\n")) == (2, [], 1)
    assert re.search(r"^connector: connector.toml: connection acme: .* (hand in|make) a new one", messages)
    assert "wrong-token" not in messages


@on_each_crm
def test_a_refused_client_is_status_2_and_names_file_and_connection(crm: str, shell: Open) -> None:
    """With what to check, and without the secret."""
    opened = shell(crm, **{**APP[crm], "client_secret": "wrong-secret"})
    status, results, messages = opened.sync(call(0))

    assert (status, results, messages.count("\n")) == (2, [], 1)
    assert re.search(r"^connector: connector.toml: connection acme: .*check .*client", messages)
    assert "wrong-secret" not in messages


@on_each_crm
def test_a_missing_secret_is_status_2_and_names_the_variable(crm: str, shell: Open) -> None:
    """Before any request."""
    opened = shell(crm, **STATIC[crm])
    opened.patch.delenv("ACME_ACCESS_TOKEN")
    status, results, messages = opened.sync(call(0))

    assert (status, results, opened.service.asked()) == (2, [], 0)
    assert messages.startswith("connector: connector.toml: connection acme, settings.access_token: ")
    assert "ACME_ACCESS_TOKEN" in messages


def test_an_unknown_crm_is_status_2_and_the_nearest_is_offered(shell: Open) -> None:
    """Before any request."""
    opened = shell("salesforce")
    opened.configure("salesfroce")
    status, _, messages = opened.sync(call(0))

    assert (status, opened.service.asked()) == (2, 0)
    assert re.search(r"^connector: connector.toml: connection acme, crm: .*did you mean '?salesforce", messages)


# -- what is left ------------------------------------------------------------------------------------------------------

LATER = {"status": 429, "headers": {"Retry-After": "3600"}, "body": {}}


@on_each_crm
@pytest.mark.parametrize("request_of", [LOOK_UP, CREATE], ids=["look-up", "create"])
def test_calls_that_wait_are_named_and_are_status_1(crm: str, request_of: Mapping[str, Any], shell: Open) -> None:
    """With the time after which to ask again."""
    opened = shell(crm)
    opened.service.faults({"match": request_of[crm], "do": LATER})
    status, results, messages = opened.sync(call(0), call(1))

    assert (status, outcomes(results)) == (1, {"bad:0": "deferred", "bad:1": "deferred"})
    assert [
        bool(re.match(rf"bad:{number}: deferred: .*ask again in 3600 s", line))
        for number, line in enumerate(messages.splitlines())
    ] == [True, True]


@on_each_crm
def test_what_waited_is_written_by_the_next_sync_with_status_0(crm: str, shell: Open) -> None:
    """The same file, the same command: each call has one activity."""
    opened = shell(crm)
    opened.service.faults({"match": CREATE[crm], "do": LATER})
    opened.sync(call(0), call(1))
    opened.service.faults()
    status, results, messages = opened.sync(call(0), call(1))

    assert (status, outcomes(results), messages) == (0, {"bad:0": "created", "bad:1": "created"}, "")
    assert opened.service.written == {"bad:0": 1, "bad:1": 1}


@on_each_crm
def test_a_lost_answer_is_no_failure(crm: str, shell: Open) -> None:
    """What was written is found: status 0, and nothing to say."""
    opened = shell(crm)
    opened.service.faults({"match": CREATE[crm], "do": {"drop_after_commit": True}})

    assert (opened.sync(call(0), call(1))[::2], opened.service.written) == ((0, ""), {"bad:0": 1, "bad:1": 1})


@on_each_crm
def test_a_long_wait_for_a_lost_answer_is_told(crm: str, shell: Open) -> None:
    """So that nobody takes it for a halt."""
    opened = shell(crm, settle_seconds=1)
    opened.service.faults({"match": CREATE[crm], "do": {"drop_after_commit": True}})

    assert opened.sync(call(0))[2] == "some writes were not answered: looking for them in 1 s\n"
