"""The doctor of connections: what it tells of a sandbox whose user has rights, and of one whose user lacks some."""

from __future__ import annotations

import dataclasses
import json
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from connector_core import discovery
from connector_core.binding import bind
from connector_core.cli import main
from connector_core.crms import FILE
from connector_core.crms.file import FileAdapter
from connector_core.crms.world import parse_world
from connector_core.doctor import Report, examine
from connector_core.hookspecs import hookimpl
from connector_core.manifest import ConnectionInfo, load
from connector_core.meter import Quota
from connector_core.model import NEEDS, Access, Organization, Right
from connector_core.references import is_secret
from connector_core.testing.server import SandboxServer

WORLD = parse_world({"people": [{"kind": "contact", "id": "C1", "name": "Carl"}]})
LACKING = {"missing_rights": {"Lead": ["read"], "Contact": ["edit"]}, "hidden_fields": ["Contact.MobilePhone"]}
ALL = tuple(Right(subject, verb, f"{verb} {subject}", granted=True) for subject, verb in NEEDS)


@pytest.fixture
def serve() -> Iterator[Callable[[str], SandboxServer]]:
    """Run the sandbox of a CRM."""
    running: list[SandboxServer] = []

    def start(name: str) -> SandboxServer:
        manifest = discovery.crm(name)
        sandbox = load(str(manifest.sandbox), of=name)(WORLD)
        running.append(SandboxServer(sandbox).start())
        return running[-1]

    yield start
    for server in running:
        server.close()


@pytest.fixture
def doctor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str]]:
    """Run the command on a connection to a sandbox; give its exit status and what it printed."""

    def run(server: SandboxServer, crm: str, *options: str, note_parts: Sequence[str] = ()) -> tuple[int, str]:
        given = dict(server.settings)
        for name in filter(is_secret, server.settings):
            monkeypatch.setenv(f"ACME_{name}", str(given[name]))
            given[name] = f"env:ACME_{name}"
        settings = "".join(f"{name} = {json.dumps(value)}\n" for name, value in given.items())
        path = tmp_path / "connector.toml"
        head = f'[connections.acme]\ncrm = "{crm}"\nnote_parts = {json.dumps(note_parts)}\n'
        path.write_text(f"{head}\n[connections.acme.settings]\n{settings}")
        status = main(["doctor", "--connection", "acme", "--config", str(path), *options])
        return status, capsys.readouterr().out

    return run


_LEFT_OUT = {"check_access", "__dict__", "__weakref__"}
TellsNoRights = type("TellsNoRights", (), {name: it for name, it in vars(FileAdapter).items() if name not in _LEFT_OUT})
"""The CRM in a file, without the hook."""


class Asked:
    """Keeps which operations were asked."""

    def __init__(self) -> None:
        self.operations: list[str] = []

    @hookimpl
    def operation_finished(self, operation: str) -> None:
        """Note one."""
        self.operations.append(operation)


def change(server: SandboxServer, changes: dict[str, Any]) -> None:
    """Change the organization of a sandbox."""
    body = json.dumps(changes).encode()
    request = urllib.request.Request(f"{server.url}/_sandbox/org", body, method="POST")  # noqa: S310 - loopback
    with urllib.request.urlopen(request):  # noqa: S310 - loopback
        pass


def report(*rights: Right, **more: Any) -> Report:
    """Make a report of these rights."""
    given = {"quota": None, "clock_skew_seconds": None, "regions": (), "time_zone": "UTC"}
    return Report("acme", "Acme", Access(rights), **{**given, **more})


# -- what is told ------------------------------------------------------------------------------------------------------


def test_all_is_well(serve: Any, doctor: Any) -> None:
    """A user with all rights lacks none, and the limits, the clock and the version are told."""
    status, out = doctor(serve("salesforce"), "salesforce", "--json", note_parts=["summary"])
    told = json.loads(out)

    assert (status, told["missing"], told["note"]) == (0, [], None)
    assert told["works"] == [it.disables for it in NEEDS.values()]
    assert (told["api_version"], told["newest_api_version"]) == ("66.0", "68.0")
    assert told["requests_limit"] == 100_000
    assert abs(told["clock_skew_seconds"]) < 30


def test_a_missing_must_is_the_exit_status(serve: Any, doctor: Any) -> None:
    """The command says what is off without each right, writes a note, musts first, and ends with 1."""
    server = serve("salesforce")
    change(server, LACKING)
    status, out = doctor(server, "salesforce")

    assert status == 1
    assert "missing: Read on Lead (a must). Off without it: recognising the leads of a call" in out
    assert "missing: Edit on Contact. Off without it: filling fields of contacts" in out
    note = out.partition("To send to the administrator:")[2]
    assert [line.split(".")[0].strip() for line in note.splitlines() if line.startswith("  -")] == [
        "- Read on Lead (needed)",
        "- Edit on Contact (recommended)",
        "- Edit on Lead (recommended)",
        "- Read on Contact",
    ]
    assert "works: recognising the leads" not in out


@pytest.mark.parametrize(("note_parts", "needed"), [((), False), (("summary",), True)])
def test_rights_on_notes_are_needed_where_notes_are_written(
    note_parts: Sequence[str], needed: bool, serve: Any, doctor: Any
) -> None:
    """Of a connection that writes none nothing is told of them, but that they are not needed."""
    server = serve("salesforce")
    change(server, {"missing_rights": {"ContentNote": ["create"]}})
    status, out = doctor(server, "salesforce", note_parts=note_parts)

    assert (status, "missing: Create on ContentNote (a must). Off without it: writing notes" in out) == (needed, needed)
    assert ("notes: none are written, as note_parts is empty; no right on them is needed" in out) is not needed
    assert ("works: reading notes" in out) is needed


def test_what_is_recommended_is_no_failure(serve: Any, doctor: Any) -> None:
    """A user who may only read people and accounts is enough to write activities."""
    server = serve("salesforce")
    change(server, {"missing_rights": {"Contact": ["edit"], "Account": ["edit"]}})

    status, out = doctor(server, "salesforce", "--json")
    assert (status, [it["right"] for it in json.loads(out)["missing"]]) == (0, ["Edit on Contact", "Edit on Account"])


def test_a_plugin_that_tells_no_rights_is_signed_in_to(tmp_path: Path) -> None:
    """A look-up shows that the credentials are good; of rights nothing is claimed."""
    (tmp_path / "world.json").write_text("{}")
    silent = dataclasses.replace(
        FILE, adapter=f"{__name__}:TellsNoRights", operations=FILE.operations - {"check_access"}
    )
    asked = Asked()
    with bind(silent, {"path": str(tmp_path / "world.json")}, ConnectionInfo("acme"), observers=[asked]) as connection:
        told = examine(connection).to_json()

    assert (told["signed_in"], told["rights_told"], told["works"], told["note"]) == (True, False, [], None)
    assert asked.operations == ["find_contacts_by_email", "describe_organization"]


def test_a_hubspot_app_with_all_scopes_lacks_nothing(serve: Any, doctor: Any) -> None:
    """All of it works but leads, which the plugin does not look for, and HubSpot tells no newest version."""
    status, out = doctor(serve("hubspot"), "hubspot", "--json", note_parts=["summary"])
    told = json.loads(out)

    assert (status, told["missing"], told["note"]) == (0, [], None)
    assert told["works"] == [it.disables for (subject, _), it in NEEDS.items() if subject != "lead"]
    assert (told["api_version"], told["newest_api_version"]) == ("2026-09", None)
    assert told["requests_limit"] == 650_000


def test_a_hubspot_app_without_scopes_is_told_which(serve: Any, doctor: Any) -> None:
    """A scope stands for several rights: each feature that is off is told, and the scope is asked for once."""
    server = serve("hubspot")
    change(server, {"missing_scopes": ["crm.objects.contacts.write", "crm.objects.companies.write"]})
    status, out = doctor(server, "hubspot")

    assert status == 1
    assert "works: recognising the contacts of a call" in out
    assert "missing: scope crm.objects.contacts.write (a must). Off without it: writing calls and meetings" in out
    assert "missing: scope crm.objects.contacts.write. Off without it: filling fields of contacts" in out
    note = out.partition("To send to the administrator:")[2]
    assert [line.split(" Without")[0].strip() for line in note.splitlines() if line.startswith("  -")] == [
        "- scope crm.objects.contacts.write (needed).",
        "- scope crm.objects.companies.write (recommended).",
    ]


def test_refused_credentials_are_no_report(
    serve: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command could not start, and says which connection."""
    monkeypatch.setenv("ACME_TOKEN", "not-a-token")
    path = tmp_path / "connector.toml"
    path.write_text(
        f'[connections.acme]\ncrm = "salesforce"\n[connections.acme.settings]\n'
        f'instance_url = "{serve("salesforce").url}"\naccess_token = "env:ACME_TOKEN"\n'
    )

    assert main(["doctor", "--connection", "acme", "--config", str(path)]) == 2
    assert "connection acme" in capsys.readouterr().err


def test_a_setting_that_is_wrong_is_named_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the file and the connection that it is of."""
    path = tmp_path / "connector.toml"
    path.write_text('[connections.acme]\ncrm = "salesforce"\nsettings.instance_url = "nowhere"\n')

    assert main(["doctor", "--connection", "acme", "--config", str(path)]) == 2
    assert capsys.readouterr().err.count("connection acme") == 1


def test_nothing_is_changed(serve: Any) -> None:
    """The doctor writes nothing to the CRM."""
    server = serve("salesforce")
    with bind(discovery.crm("salesforce"), server.settings, ConnectionInfo("acme")) as connection:
        examine(connection)

    with urllib.request.urlopen(f"{server.url}/_sandbox/journal") as answer:  # noqa: S310 - loopback
        journal = json.load(answer)
    assert [(it["method"], it["path"].rpartition("/")[2]) for it in journal] == [
        ("POST", "composite"),
        ("GET", ""),
        ("GET", "organization"),
        ("POST", "composite"),
    ]


# -- the organization --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["salesforce", "hubspot"])
def test_a_time_zone_that_is_not_the_organizations_is_told(name: str, serve: Any, doctor: Any) -> None:
    """With what to set; it is no failure."""
    server = serve(name)
    change(server, {"time_zone": "Europe/Paris", "currencies": ["CHF"]})
    status, out = doctor(server, name)
    told = json.loads(doctor(server, name, "--json")[1])

    assert status == 0
    assert 'time zone: UTC, and the organization is in Europe/Paris: set time_zone = "Europe/Paris"' in " ".join(
        out.split()
    )
    assert "currency: CHF" in out
    assert {it: told[it] for it in told if it.startswith(("organization", "time_zone"))} == {
        "time_zone": "UTC",
        "organization_time_zone": "Europe/Paris",
        "organization_currency": "CHF",
        "time_zone_to_set": "Europe/Paris",
    }


@pytest.mark.parametrize(
    ("own", "other", "to_set"),
    [
        ("Europe/Paris", "Europe/Paris", None),
        ("Europe/Paris", "Europe/Berlin", None),
        ("UTC", "GMT", None),
        ("US/Eastern", "America/New_York", None),
        ("UTC", "Europe/London", "Europe/London"),
        ("Europe/Paris", "Africa/Algiers", "Africa/Algiers"),
        ("America/New_York", "Africa/Nowhere", "Africa/Nowhere"),
        ("UTC", None, None),
    ],
)
def test_zones_of_the_same_days_are_as_good(own: str, other: str | None, to_set: str | None) -> None:
    """What counts is when a day begins, all through the year."""
    assert report(time_zone=own, organization=Organization(other)).time_zone_to_set == to_set


def test_an_organization_that_is_not_told_is_no_failure(serve: Any, doctor: Any) -> None:
    """The rest is told, and why this is not."""
    server = serve("salesforce")
    refusal = {"status": 403, "body": [{"errorCode": "INSUFFICIENT_ACCESS", "message": "no"}]}
    server._set_faults([{"match": {"path": "*/connect/organization"}, "do": refusal}])
    status, out = doctor(server, "salesforce")

    assert status == 0
    assert "organization: neither its time zone nor its currency is told:" in out
    assert "works: writing calls and meetings" in out


# -- a report ----------------------------------------------------------------------------------------------------------


def test_what_cannot_be_told_does_not_work_and_is_not_missing() -> None:
    """The third answer stays one: neither among what works nor in the note."""
    found = report(Right("contact", "read", "read contacts", granted=None))

    assert (found.works, found.missing, found.note) == ((), (), None)
    assert [it.name for it in found.not_told] == ["read contacts"]


def test_a_feature_works_with_all_of_its_rights() -> None:
    """One object of two, or a field that is needed, is not enough; one that is spare is not missed."""
    half = Right("contact", "read", "read more", granted=False)
    spare = Right("account", "read", "read a name", granted=False, field="Name", spare=True)

    works = report(*ALL, half, spare).works
    assert NEEDS["contact", "read"].disables not in works
    assert NEEDS["account", "read"].disables in works


@pytest.mark.parametrize(("skew", "told"), [(3.0, "clock: right"), (600.0, "600 s behind"), (-600.0, "600 s ahead of")])
def test_a_clock_that_is_off_is_told(
    skew: float, told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seconds are nothing; minutes are told, with the way to go."""
    found = report(*ALL, clock_skew_seconds=skew, quota=Quota(5_000, 18, 0.0))
    monkeypatch.setattr("connector_core.cli.doctor.examine", lambda connection, **_: found)
    (tmp_path / "world.json").write_text("{}")
    path = tmp_path / "connector.toml"
    path.write_text('[connections.acme]\ncrm = "file"\n[connections.acme.settings]\npath = "world.json"\n')

    assert main(["doctor", "--connection", "acme", "--config", str(path)]) == 0
    out = capsys.readouterr().out
    assert told in out
    assert "requests: 4,982 of 5,000 left" in out
