"""``connector associate`` and ``connector sync``: what is decided, written, told, and with which exit status."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from connector_core.cli import main
from connector_core.sync import UNIT
from connector_core.testing.demo import DEMO_CALLS, DEMO_WORLD

CALL: dict[str, Any] = {
    "id": "c:1",
    "provider": "demo",
    "kind": "phone",
    "started_at": "2026-03-02T09:00:00Z",
    "participants": [{"name": "Camille", "phones": ["06 39 98 10 11"], "is_user": False}],
}
EVENT = {"resource": "call", "event": "call.created", "timestamp": 1772442030, "token": "invented", "data": {"id": 7}}

ADAPTER = """
from typing import Any
from pydantic import BaseModel
from connector_core import errors
from connector_core.hookspecs import hookimpl
from connector_core.manifest import MUST, CrmManifest
from connector_core.model import Opportunities, Receipt

class TroubledSettings(BaseModel):
    error: str
    over: str = ""

class TroubledAdapter:
    def __init__(self, settings: Any, info: Any) -> None:
        self.error = settings.error
        self.over = settings.over
    def close(self) -> None: ...
    def answer(self, keys: Any, value: Any = ()) -> Any:
        if not self.over or self.over in keys:
            raise getattr(errors, self.error)("the CRM says no")
        return dict.fromkeys(keys, value)
    @hookimpl
    def find_contacts_by_email(self, emails: Any) -> Any:
        return self.answer(emails)
    @hookimpl
    def find_contacts_by_phone(self, numbers: Any) -> Any:
        return self.answer(numbers)
    @hookimpl
    def find_activity(self, calls: Any) -> Any:
        return self.answer([call.call_id for call in calls])
    @hookimpl
    def list_opportunities(self, person_ids: Any, account_ids: Any, opportunity_ids: Any, closed_since: Any) -> Any:
        return Opportunities(self.answer(person_ids))
    @hookimpl
    def write_activity(self, drafts: Any) -> Any:
        return self.answer([draft.key for draft in drafts], Receipt("created", id="T1"))

TROUBLED = CrmManifest(name="troubled", title="Troubled CRM", hook_api=1, operations=MUST | {"write_activity"},
    settings="troubled_module:TroubledSettings", adapter="troubled_module:TroubledAdapter")
"""


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work in a directory with a CRM in a file, a configuration, and a CRM plugin that only fails."""
    metadata = tmp_path / "site" / "connector_troubled-1.0.dist-info"
    metadata.mkdir(parents=True)
    (tmp_path / "site" / "troubled_module.py").write_text(ADAPTER)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: connector-troubled\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[connector.crms]\ntroubled = troubled_module:TROUBLED\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AIRCALL_TOKEN", "invented")
    shutil.copy(DEMO_WORLD, "world.json")
    Path("connector.toml").write_text(
        '[connections.acme]\ncrm = "file"\nregions = ["FR"]\nsettings.path = "world.json"\n'
        '[connections.refused]\ncrm = "troubled"\nregions = ["FR"]\nsettings.error = "CredentialsError"\n'
        '[connections.busy]\ncrm = "troubled"\nregions = ["FR"]\nsettings.error = "TryAgainError"\n'
        '[connections.expiring]\ncrm = "troubled"\nsettings.error = "CredentialsError"\nsettings.over = "c:99"\n'
        '[connections.gone]\ncrm = "file"\nregions = ["FR"]\nsettings.path = "gone.json"\n'
        '[providers.aircall]\ntoken = "env:AIRCALL_TOKEN"\n'
    )
    yield
    sys.modules.pop("troubled_module", None)


def given(*calls: dict[str, Any] | str) -> str:
    """Write calls, or lines as they are, into a file."""
    Path("calls.jsonl").write_text("".join(f"{x if isinstance(x, str) else json.dumps(x)}\n" for x in calls))
    return "calls.jsonl"


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Callable[[], tuple[list[dict[str, Any]], list[str]]]:
    """Give the JSON objects on standard output and the lines on standard error."""

    def read() -> tuple[list[dict[str, Any]], list[str]]:
        captured = capsys.readouterr()
        return [json.loads(line) for line in captured.out.splitlines()], captured.err.splitlines()

    return read


Printed = Callable[[], tuple[list[dict[str, Any]], list[str]]]
DRY = ["--crm-file", "world.json", "--region", "FR", "--json"]


# -- associate ---------------------------------------------------------------------------------------------------------


def test_associate_prints_a_decision_a_line_in_the_order_of_the_calls(printed: Printed) -> None:
    """Standard output is decisions and nothing else."""
    assert main(["associate", str(DEMO_CALLS), *DRY]) == 0

    decisions, messages = printed()
    calls = [json.loads(line)["id"] for line in DEMO_CALLS.read_text().splitlines()]
    assert ([decision["call_id"] for decision in decisions], messages) == (calls, [])


def test_associate_changes_nothing() -> None:
    """The CRM in a file has the same bytes afterwards."""
    before = Path("world.json").read_bytes()
    main(["associate", str(DEMO_CALLS), *DRY])

    assert Path("world.json").read_bytes() == before


def test_associate_prints_explanations_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json each call comes with its reasons."""
    main(["associate", given(CALL), "--crm-file", "world.json", "--region", "FR"])

    assert capsys.readouterr().out.startswith("c:1  decided\n  Camille is contact C1 by phone. ")


def test_what_controls_a_terminal_is_shown_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    """A name may not move the cursor of who reads it."""
    call = CALL | {"participants": [{"name": "A\x1b[2J\x07", "emails": ["a@b.example"], "is_user": False}]}
    main(["associate", given(call), "--crm-file", "world.json"])

    assert r"A\x1b[2J\x07 matches nobody" in capsys.readouterr().out


def test_a_bad_line_is_told_and_the_others_are_decided(printed: Printed) -> None:
    """Bad lines are status 1, each with its number and path; the good ones are done."""
    calls = given(CALL, "{", CALL | {"id": "c:2", "titel": "x"}, "", "[]", CALL | {"id": "c:3"})
    assert main(["associate", calls, *DRY]) == 1

    decisions, messages = printed()
    assert [decision["call_id"] for decision in decisions] == ["c:1", "c:3"]
    assert messages == [
        "line 2: is no JSON: Expecting property name enclosed in double quotes (character 2)",
        "line 3: titel: is an unknown key",
        "line 5: is no JSON object",
    ]


def test_a_replaced_line_is_told_and_is_no_failure(printed: Printed) -> None:
    """Of two lines with one id the later one counts."""
    assert main(["associate", given(CALL, CALL | {"participants": []}), *DRY]) == 0

    decisions, messages = printed()
    assert [decision["people"] for decision in decisions] == [[]]
    assert messages == ["line 2: c:1 again: it replaces the earlier line with this id"]


def test_calls_are_read_from_standard_input(monkeypatch: pytest.MonkeyPatch, printed: Printed) -> None:
    """A dash stands for standard input."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(json.dumps(CALL).encode())))
    main(["associate", "-", *DRY])

    assert [decision["call_id"] for decision in printed()[0]] == ["c:1"]


def test_options_override_the_connection(printed: Printed) -> None:
    """What is given on the command line holds, in the decision and in what it says of itself."""
    options = ["--policy", "primary_contact", "--region", "GB", "--region", "FR", "--time-zone", "Asia/Tokyo"]
    main(["associate", given(CALL), "--connection", "acme", "--json", *options])

    (decision,), _ = printed()
    assert (decision["policy"], decision["settings"]["regions"], decision["settings"]["time_zone"]) == (
        "primary_contact",
        ["GB", "FR"],
        "Asia/Tokyo",
    )


@pytest.mark.parametrize(("option", "filtered"), [("--owner-filter", True), ("--no-owner-filter", False)])
def test_the_owner_filter_is_switched_on_and_off(option: str, filtered: bool, printed: Printed) -> None:
    """Both directions can be said."""
    main(["associate", given(CALL), "--connection", "acme", "--json", option])

    assert [decision["settings"]["owner_filter"] for decision in printed()[0]] == [filtered]


def test_a_connection_s_settings_hold_where_nothing_overrides_them(printed: Printed) -> None:
    """The regions of the configuration read the number."""
    main(["associate", given(CALL), "--connection", "acme", "--json"])

    assert [decision["people"][0]["id"] for decision in printed()[0]] == ["C1"]


def test_a_crm_that_cannot_answer_leaves_calls_undecided_and_named(printed: Printed) -> None:
    """What waits is status 1, and named."""
    assert main(["associate", given(CALL), "--connection", "busy", "--json"]) == 1

    decisions, messages = printed()
    assert [decision["status"] for decision in decisions] == ["undecided"]
    assert messages == ["c:1: undecided: it waits"]


# -- what keeps a command from starting --------------------------------------------------------------------------------

ACME = ["--connection", "acme"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["associate", "no.jsonl", *ACME], "no.jsonl: cannot be read (No such file or directory)"),
        (["associate", ".", *ACME], ".: cannot be read (Is a directory)"),
        (["associate", "calls.jsonl", "--crm-file", "no.json"], "no.json: cannot be read"),
        (["associate", "calls.jsonl", "--crm-file", "bad.json"], "bad.json: people.0.kind: is required"),
        (["associate", "calls.jsonl", *ACME, "--config", "no.toml"], "no.toml: cannot be read"),
        (
            ["associate", "calls.jsonl", "--connection", "acne"],
            "connector.toml: has no connection 'acne'; did you mean acme? Possible: acme, refused, busy, expiring, gone",
        ),
        (
            ["associate", "calls.jsonl", *ACME, "--time-zone", "Mars"],
            "time_zone: 'Mars' is no IANA time zone like Europe/Paris",
        ),
        (["associate", "calls.jsonl", *ACME, "--region", "XX"], "regions: 'XX' is no ISO 3166 code"),
        (
            ["associate", "calls.jsonl", *ACME, "--policy", "primary_contact", "--owner-filter"],
            "owner_filter: the policy primary_contact has none",
        ),
        (
            ["associate", "calls.jsonl", *ACME, "--provider", "aircal"],
            "no call provider 'aircal' is installed; did you mean 'aircall'?",
        ),
        (
            ["associate", "calls.jsonl", "--connection", "refused"],
            "connector.toml: connection refused: the CRM says no",
        ),
        (
            ["sync", "calls.jsonl", "--connection", "refused"],
            "connector.toml: connection refused: the CRM says no. Mend that, then: connector resume --connection refused",
        ),
        (["sync", "no.jsonl", *ACME], "no.jsonl: cannot be read"),
        (["sync", "calls.jsonl", "--connection", "gone"], "connector.toml: connection gone: gone.json: cannot be read"),
    ],
)
def test_what_keeps_a_command_from_starting_is_status_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Usage, configuration and credentials: one message that names the file concerned, and nothing is printed."""
    given(CALL)
    Path("bad.json").write_text('{"people": [{"id": "C1"}]}')

    assert main(arguments) == 2

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"connector: {message}")
    assert printed.err.count("\n") == 1


def test_options_that_contradict_the_connection_name_it(capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong only together with the configuration names its file and the connection."""
    path = Path("connector.toml")
    path.write_text(path.read_text().replace("settings.path =", "owner_filter = true\nsettings.path =", 1))

    assert main(["associate", given(CALL), *ACME, "--policy", "primary_contact"]) == 2
    assert capsys.readouterr().err == (
        "connector: connector.toml: connection acme, with the options given: "
        "owner_filter: the policy primary_contact has none; switch one of the two off\n"
    )


def test_a_missing_configuration_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Who has no connector.toml is told where one is looked for."""
    Path("connector.toml").unlink()

    assert main(["sync", given(CALL), *ACME]) == 2
    assert capsys.readouterr().err.startswith("connector: connector.toml: there is none in this directory")


def test_no_configuration_is_needed_for_a_crm_in_a_file() -> None:
    """A dry run needs nothing but its two files, and minds no other."""
    Path("connector.toml").write_text("is no TOML")

    assert main(["associate", given(CALL), "--crm-file", "world.json"]) == 0


def test_settings_under_another_provider_s_name_are_pointed_at(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever misspelt the table reads which one it is."""
    path = Path("connector.toml")
    path.write_text(path.read_text().replace("[providers.aircall]", "[providers.aircal]"))

    assert main(["sync", given(EVENT), *ACME, "--provider", "aircall"]) == 2
    assert "providers.aircall: token is required" in (message := capsys.readouterr().err)
    assert "There is [providers.aircal]" in message


def test_a_missing_secret_of_a_provider_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names file, provider, key and variable."""
    monkeypatch.delenv("AIRCALL_TOKEN")

    assert main(["sync", given(EVENT), *ACME, "--provider", "aircall"]) == 2
    assert capsys.readouterr().err == (
        "connector: connector.toml: providers.aircall.token: the environment variable AIRCALL_TOKEN is not set\n"
    )


# -- sync --------------------------------------------------------------------------------------------------------------


def test_sync_prints_what_became_of_each_call(printed: Printed) -> None:
    """A line a call: the decision, and the activity."""
    assert main(["sync", given(CALL), *ACME, "--json"]) == 0

    (result,), messages = printed()
    held = json.loads(Path("world.json").read_text())["activities"][-1]
    assert (list(result), list(result["activity"])) == (
        ["call_id", "decision", "activity"],
        ["outcome", "id", "url", "reason"],
    )
    assert (result["activity"]["outcome"], result["activity"]["id"]) == ("created", held["id"])
    assert messages == []


def test_a_second_sync_writes_nothing(printed: Printed) -> None:
    """Exactly one activity, however often."""
    main(["sync", given(CALL), *ACME, "--json"])
    before = Path("world.json").read_bytes()
    printed()
    assert main(["sync", given(CALL), *ACME, "--json"]) == 0

    assert [result["activity"]["outcome"] for result in printed()[0]] == ["unchanged"]
    assert Path("world.json").read_bytes() == before


def test_sync_shows_outcome_and_reasons_to_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json a person reads what was written and why."""
    main(["sync", given(CALL), *ACME])

    assert capsys.readouterr().out.startswith("created    c:1  T4\n  Camille is contact C1 by phone. ")


def test_a_call_that_could_not_be_written_is_named_and_is_status_1(printed: Printed) -> None:
    """What waits for the CRM is asked again later, and the status says that something is left."""
    assert main(["sync", given(CALL), "--connection", "busy", "--json"]) == 1

    (result,), messages = printed()
    assert result["activity"]["outcome"] == "deferred"
    assert messages == [f"c:1: deferred: {result['activity']['reason']}"]


def test_calls_that_were_not_reached_are_named(printed: Printed) -> None:
    """Credentials that are refused half-way are no reason to keep silent about what was written, and what was not."""
    calls = [CALL | {"id": f"c:{number}", "participants": [{"is_user": False}]} for number in range(UNIT + 1)]
    assert main(["sync", given(*calls), "--connection", "expiring", "--json"]) == 1

    results, messages = printed()
    outcomes = {result["call_id"]: result["activity"]["outcome"] for result in results}
    assert outcomes == {call["id"]: "created" for call in calls} | {"c:99": "deferred"}
    assert messages == [
        "c:99: deferred: not reached: the CRM says no",
        "connection expiring is paused: the CRM says no. Mend that, then: connector resume --connection expiring",
    ]


def test_a_file_that_has_no_call_on_any_line_says_what_a_line_is(printed: Printed) -> None:
    """As one that was written over several lines, for people to read."""
    path = Path("pretty.jsonl")
    path.write_text(json.dumps(CALL, indent=2))
    assert main(["associate", str(path), *ACME, "--json"]) == 1

    results, messages = printed()
    assert (results, messages[-1]) == (
        [],
        "pretty.jsonl: no line can be read; wanted one whole JSON object on each line",
    )


def test_a_bad_line_does_not_keep_the_others_from_being_written(printed: Printed) -> None:
    """Good calls among bad lines are written; the status says that something is left."""
    assert main(["sync", given("{", CALL), *ACME, "--json"]) == 1

    results, messages = printed()
    assert [result["activity"]["outcome"] for result in results] == ["created"]
    assert messages[0].startswith("line 1: is no JSON")


def test_the_summary_of_a_sync_counts_the_lines_that_could_not_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    """Beside what came of the calls."""
    main(["sync", given(CALL, "{no json", "[]"), "--connection", "acme"])

    assert "1 created, 2 lines could not be read" in capsys.readouterr().out.splitlines()


def test_an_event_that_is_no_finished_call_is_skipped(printed: Printed) -> None:
    """A provider's other events are no failure, and each is answered for."""
    assert main(["sync", given(EVENT), *ACME, "--provider", "aircall", "--json"]) == 0

    (result,), messages = printed()
    assert (result["call_id"], result["decision"], result["activity"]["outcome"]) == (None, None, "skipped")
    assert result["activity"]["reason"].startswith("line 1: call.created: ")
    assert messages == []


def test_associate_tells_of_skipped_events(printed: Printed) -> None:
    """Decisions are of calls alone; what was skipped goes to standard error."""
    assert main(["associate", given(EVENT), *ACME, "--provider", "aircall", "--json"]) == 0

    decisions, messages = printed()
    assert decisions == []
    assert messages[0].startswith("line 1: skipped: call.created: ")


def test_a_webhook_with_another_token_is_a_problem_of_its_line(printed: Printed) -> None:
    """What does not come from the provider is refused by line."""
    assert main(["sync", given(EVENT | {"token": "stolen"}), *ACME, "--provider", "aircall", "--json"]) == 1

    results, messages = printed()
    assert (results, messages[0].split(":")[0]) == ([], "line 1")


RECORDED = Path(__file__).resolve().parents[2] / "shared" / "recorded" / "providers" / "aircall"


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded webhooks are not here")
def test_the_recorded_webhooks_of_aircall_are_written_or_skipped(
    monkeypatch: pytest.MonkeyPatch, printed: Printed
) -> None:
    """Of the real bodies each finished call is written, of all that was told of it; each other event is answered for."""
    bodies = [json.loads(path.read_bytes()) for path in sorted(RECORDED.glob("*.json"))]
    monkeypatch.setenv("AIRCALL_TOKEN", bodies[0]["token"])
    assert main(["sync", given(*bodies), *ACME, "--provider", "aircall", "--json"]) == 0

    telling = [body for body in bodies if body["event"] in ("call.ended", "call.tagged", "call.commented")]
    told = {f"aircall:{body['data']['id']}" for body in telling}
    results, _ = printed()
    assert {result["call_id"] for result in results if result["activity"]["outcome"] == "created"} == told
    assert sum(result["activity"]["outcome"] == "skipped" for result in results) == len(bodies) - len(telling)
