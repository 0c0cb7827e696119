"""Configuration: what a file may say, and the one message about everything that is wrong in it."""

from __future__ import annotations

import sys
import textwrap
import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from connector_core.association import Settings
from connector_core.config import Config, ConnectionConfig, open_connection
from connector_core.config_file import load_config
from connector_core.errors import ConfigurationError
from connector_core.references import resolve
from connector_core.writing import SAID, FromCall, Writing

ALL_PARTS = ("link", "summary", "highlights", "topics", "notes", "comments", "tags", "recording")
FULL = """
[connections.acme]
crm = "plain"
regions = ["FR", "US"]
time_zone = "Europe/Paris"
policy = "all_contacts"
owner_filter = false
windows_days = [10, 20, 30]
ignore_emails = ["*@seller.example", "noreply@*"]
ignore_numbers = ["01 76 36 00 00"]
most_people_per_identifier = 20
meetings_as = "event"
write_unmatched = false
write_internal = true
write_missed = false
write_cancelled = false
shortest_seconds = 10
parts = ["summary", "link"]
fallback_owner = "U9"
owners = {"ada@seller.example" = "U1"}
call_fields = {Source__c = "Connector", Score__c = 1.5}
meeting_fields = {Tags__c = {from = "tags"}, Held__c = true}
quota_reserve = 0.5

[connections.acme.settings]
access_token = "env:ACME_TOKEN"

[ledger]
url = "postgresql://db.example/connector"
key = "file:ledger.key"

[providers.aircall]
token = "env:AIRCALL_TOKEN"
"""

PLUGIN = """
from typing import Any
from pydantic import BaseModel, ConfigDict, SecretStr
from connector_core.hookspecs import hookimpl
from connector_core.manifest import MUST, CrmManifest

class PlainSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    access_token: SecretStr
    pages: int = 1

class PlainAdapter:
    def __init__(self, settings: Any, info: Any) -> None:
        self.settings = settings
        self.info = info
    def close(self) -> None: ...
    @hookimpl
    def find_contacts_by_email(self, emails: Any) -> Any: ...
    @hookimpl
    def find_contacts_by_phone(self, numbers: Any) -> Any: ...
    @hookimpl
    def find_activity(self, calls: Any) -> Any: ...
    @hookimpl
    def list_opportunities(self, person_ids: Any, account_ids: Any, opportunity_ids: Any, closed_since: Any) -> Any: ...

PLAIN = CrmManifest(name="plain", title="Plain CRM", hook_api=1, operations=MUST, meetings_as=("meeting",),
    settings="plain_module:PlainSettings", adapter="plain_module:PlainAdapter")
"""


@pytest.fixture(autouse=True)
def plain_crm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install a CRM without traits, as an installer does."""
    folder = tmp_path / "site"
    metadata = folder / "connector_plain-1.0.dist-info"
    metadata.mkdir(parents=True)
    (folder / "plain_module.py").write_text(PLUGIN)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: connector-plain\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[connector.crms]\nplain = plain_module:PLAIN\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("ACME_TOKEN", "very-secret-7f3a")
    yield
    sys.modules.pop("plain_module", None)


def written(tmp_path: Path, text: str) -> Path:
    """Write a configuration file."""
    path = tmp_path / "connector.toml"
    path.write_text(textwrap.dedent(text))
    return path


def refused(tmp_path: Path, text: str) -> str:
    """Load a file, open each of its connections, and give the message, the file's name at its start left out."""
    path = written(tmp_path, text)

    def open_all() -> None:
        for connection in load_config(path).connections.values():
            connection.open().close()

    with pytest.raises(ConfigurationError) as caught:
        open_all()
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{path}: ") for line in lines)
    return "\n".join(line.removeprefix(f"{path}: ") for line in lines)


def minimal(lines: str = "", settings: str = 'access_token = "env:ACME_TOKEN"') -> str:
    """Write the smallest connection, with further lines and with these settings."""
    return f'[connections.acme]\ncrm = "plain"\n{lines}\n[connections.acme.settings]\n{settings}\n'


def test_every_key_of_the_formats_page_is_taken(tmp_path: Path) -> None:
    """A file with every key gives all of it."""
    config = load_config(written(tmp_path, FULL))

    assert config.ledger_url == "postgresql://db.example/connector"
    assert config.connections["acme"] == ConnectionConfig(
        name="acme",
        crm="plain",
        settings={"access_token": "env:ACME_TOKEN"},
        association=Settings(
            "all_contacts",
            False,
            (10, 20, 30),
            ("FR", "US"),
            "Europe/Paris",
            ("*@seller.example", "noreply@*"),
            ("01 76 36 00 00",),
            20,
        ),
        writing=Writing(
            "event",
            False,
            True,
            False,
            False,
            10,
            ("summary", "link"),
            {"ada@seller.example": "U1"},
            "U9",
            {"Source__c": "Connector", "Score__c": 1.5},
            {"Tags__c": FromCall("tags"), "Held__c": True},
        ),
        quota_reserve=0.5,
        directory=tmp_path,
        source=str(tmp_path / "connector.toml"),
        ledger_url="postgresql://db.example/connector",
        ledger_key="file:ledger.key",
    )


def test_what_is_left_out_has_the_defaults_of_the_formats_page(tmp_path: Path) -> None:
    """A connection needs no key but its CRM."""
    config = load_config(written(tmp_path, '[connections.acme]\ncrm = "plain"'))
    acme = config.connections["acme"]

    assert (acme.association, acme.writing) == (Settings(), Writing(None, True, False, True, True, 0, ALL_PARTS))
    assert acme.quota_reserve == 0.2
    assert (config.ledger_url, config.ledger_key) == ("sqlite:///connector.db", "env:CONNECTOR_LEDGER_KEY")


def test_an_empty_file_has_no_connections(tmp_path: Path) -> None:
    """Nothing has to be configured."""
    assert load_config(written(tmp_path, "")).connections == {}


def test_a_reference_to_the_environment_is_looked_up_when_opened(tmp_path: Path) -> None:
    """The adapter gets the value, and the configuration keeps the reference."""
    config = load_config(written(tmp_path, minimal()))
    with open_connection(config, "acme") as opened:
        assert opened.connection._settings.access_token.get_secret_value() == "very-secret-7f3a"  # type: ignore[attr-defined]  # the plain plugin's settings
    assert config.connections["acme"].settings == {"access_token": "env:ACME_TOKEN"}


def test_a_reference_to_a_file_starts_from_the_configuration(tmp_path: Path) -> None:
    """A relative path is relative to the configuration file, and the line end behind the secret is none of it."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "token").write_text("from-a-file\n")
    config = load_config(written(tmp_path, minimal(settings='access_token = "file:secrets/token"')))
    with open_connection(config, "acme") as opened:
        assert opened.connection._settings.access_token.get_secret_value() == "from-a-file"  # type: ignore[attr-defined]  # the plain plugin's settings


def test_the_connection_knows_regions_and_time_zone(tmp_path: Path) -> None:
    """What an adapter may know of its connection comes from the file."""
    config = load_config(written(tmp_path, minimal('regions = ["FR"]\ntime_zone = "Europe/Paris"')))
    with open_connection(config, "acme") as opened:
        info = opened.connection.info
    assert (info.name, info.regions, info.time_zone) == ("acme", ("FR",), "Europe/Paris")


def test_a_host_opens_a_connection_without_a_file() -> None:
    """Hosts build the same objects in Python, with secrets as they hold them."""
    with ConnectionConfig("tenant-7", "plain", {"access_token": "in-memory"}).open() as opened:
        assert opened.connection.name == "tenant-7"


def test_what_customers_of_a_host_typed_is_no_reference(tmp_path: Path) -> None:
    """Without references no setting reaches a variable or a file of the host: of the CRM, a provider or an extractor."""
    (tmp_path / "token.json").write_text("{}")
    typed = ConnectionConfig(
        "tenant-7",
        "plain",
        {"access_token": "env:ACME_TOKEN", "refresh_token": f"file:{tmp_path}/token.json"},
        providers={"aircall": {"token": "env:UNSET_7F3A"}},
        extractor="openai",
        extractor_settings={"url": "https://model.example/v1", "api_key": "env:UNSET_7F3A", "model": "m"},
        references=False,
    )

    with ExitStack() as opened:
        assert typed.token_store(opened) is None
    with replace(typed, settings={"access_token": "env:ACME_TOKEN"}).open() as it:
        assert it.connection._settings.access_token.get_secret_value() == "env:ACME_TOKEN"  # type: ignore[attr-defined]  # the plain plugin's settings
        assert it.sources.get("aircall").manifest.name == "aircall"
        assert it.extractor().name == "openai"


def test_one_connection_does_not_need_the_secrets_of_another(tmp_path: Path) -> None:
    """A reference that leads nowhere is told when its own connection is opened."""
    text = minimal() + '[connections.other]\ncrm = "plain"\nsettings.access_token = "env:UNSET_7F3A"\n'
    with open_connection(load_config(written(tmp_path, text)), "acme") as opened:
        assert opened.connection.name == "acme"


POSSIBLE = (
    "Possible: crm, regions, time_zone, policy, owner_filter, windows_days, ignore_emails, ignore_numbers, "
    "most_people_per_identifier, meetings_as, write_unmatched, write_internal, write_missed, write_cancelled, "
    "shortest_seconds, parts, fallback_owner, owners, call_fields, meeting_fields, note_parts, quota_reserve, "
    "delay_seconds, changes_seconds, settings, providers, extractor"
)
NO_NUMBER = "cannot be read as a number; write it with + and the code of its country, or set regions"
OF_PLAIN = "Settings of plain: access_token, pages"
IN_CLEAR = 'is a secret written in clear; write "env:NAME" or "file:PATH" and keep it there'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (minimal('regoins = ["FR"]'), f"connections.acme.regoins: is an unknown key; did you mean regions? {POSSIBLE}"),
        (minimal("zzz = 1"), f"connections.acme.zzz: is an unknown key; {POSSIBLE}"),
        (
            "[conections.a]",
            "conections: is an unknown key; did you mean connections? Possible: connections, ledger, providers, extractors",
        ),
        ("[ledger]\nurk = 1", "ledger.urk: is an unknown key; did you mean url? Possible: url, key, keep_days"),
        (
            '[ledger]\nurl = "mysql://x"',
            "ledger.url: should be the address of a database: sqlite:///FILE, postgresql://HOST/NAME, env:NAME or file:PATH",
        ),
        ("[ledger]\nkeep_days = 36501", "ledger.keep_days: should be less than or equal to 36500"),
        ("[connections.acme]\n", "connections.acme.crm: is required"),
        ('[connections]\nacme = "x"', "connections.acme: should be an object"),
        (minimal("delay_seconds = true"), "connections.acme.delay_seconds: should be a number"),
        (minimal('changes_seconds = "60"'), "connections.acme.changes_seconds: should be a number"),
        (minimal('owner_filter = "yes"'), "connections.acme.owner_filter: should be true or false"),
        (minimal('write_unmatched = "no"'), "connections.acme.write_unmatched: should be true or false"),
        (minimal("shortest_seconds = -1"), "connections.acme.shortest_seconds: should be greater than or equal to 0"),
        (minimal("shortest_seconds = inf"), "connections.acme.shortest_seconds: should be a finite number"),
        (minimal('ignore_emails = "*@x.example"'), "connections.acme.ignore_emails: should be a list"),
        (
            minimal("most_people_per_identifier = 0"),
            "connections.acme.most_people_per_identifier: should be greater than or equal to 1",
        ),
        (
            minimal('ignore_numbers = ["+33176360000", "01 76 36 00 00"]'),
            f"connections.acme.ignore_numbers.1: {NO_NUMBER}",
        ),
        (minimal('parts = "summary"'), "connections.acme.parts: should be a list"),
        (minimal('parts = ["sumary"]'), f"connections.acme.parts: 'sumary' is none of {', '.join(ALL_PARTS)}"),
        (
            minimal('parts = ["notes", "link", "notes"]'),
            "connections.acme.parts: 'notes' is there twice; name each part once",
        ),
        (minimal('fallback_owner = " "'), "connections.acme.fallback_owner: should be the id of a user in the CRM"),
        (minimal('owners = "ada"'), "connections.acme.owners: should be an object"),
        (
            minimal('owners = {"ada" = "U1"}'),
            'connections.acme.owners: key 1 is no e-mail address; wanted "ada@seller.example" = "ID OF THE USER"',
        ),
        (
            minimal('owners = {"ada@x.example" = "U1", "bo@x.example" = 7}'),
            "connections.acme.owners: the value of key 2 should be the id of a user in the CRM, as text",
        ),
        (
            minimal('owners = {"ada@x.example" = "U1", " Ada@X.example" = "U2"}'),
            "connections.acme.owners: keys 1 and 2 are one address; name each once",
        ),
        (minimal('call_fields = "x"'), "connections.acme.call_fields: should be an object"),
        (
            minimal('call_fields = {Tags__c = ["a"]}'),
            'connections.acme.call_fields.Tags__c: should be text, a number, true, false or {from = "…"}',
        ),
        (
            minimal('meeting_fields = {Topic__c = {from = "topic"}}'),
            f"connections.acme.meeting_fields.Topic__c: 'topic' is none of {', '.join(SAID)}",
        ),
        (
            minimal('call_fields = {"Task.Topic" = 1}'),
            "connections.acme.call_fields: 'Task.Topic' is no name of a field; wanted letters, digits and _",
        ),
        (
            minimal("call_fields = {Score__c = nan}"),
            "connections.acme.call_fields.Score__c: should be a finite number",
        ),
        (
            minimal('meeting_fields = {Source__c = "x"}'),
            "connection acme, meeting_fields: Plain CRM takes no further fields; leave it out",
        ),
        (minimal("quota_reserve = 20"), "connections.acme.quota_reserve: should be less than or equal to 1"),
        (minimal("quota_reserve = -0.1"), "connections.acme.quota_reserve: should be greater than or equal to 0"),
        (minimal('regions = "FR"'), "connections.acme.regions: should be a list"),
        (minimal("windows_days = [1.5, 2, 3]"), "connections.acme.windows_days.0: should be a whole number"),
        (minimal('meetings_as = "note"'), "connections.acme.meetings_as: should be 'event' or 'task'"),
        (
            minimal('regions = ["XX"]'),
            "connections.acme.regions: 'XX' is no ISO 3166 code of a region, like FR, GB or US",
        ),
        (
            minimal('time_zone = "Europe/Pari"'),
            "connections.acme.time_zone: 'Europe/Pari' is no IANA time zone like Europe/Paris",
        ),
        (minimal('policy = "best"'), "connections.acme.policy: 'best' is none of all_contacts, primary_contact"),
        (
            minimal("windows_days = [30, 30, 29]"),
            "connections.acme.windows_days: the third (29) is shorter than the second (30), of which it is the continuation",
        ),
        (
            minimal('owner_filter = true\npolicy = "primary_contact"'),
            "connections.acme.owner_filter: the policy primary_contact has none; switch one of the two off",
        ),
        (minimal("owner_filter = true"), "connection acme, owner_filter: Plain CRM has none; possible: false"),
        (
            minimal('meetings_as = "task"'),
            'connection acme, meetings_as: Plain CRM keeps no meeting as a task; possible: "event"',
        ),
        (minimal(settings='access_token = "abc"'), f"connections.acme.settings.access_token: {IN_CLEAR}"),
        (minimal(settings='API_KEY = "abc"'), f"connections.acme.settings.API_KEY: {IN_CLEAR}"),
        (minimal(settings="db_password = 1234"), f"connections.acme.settings.db_password: {IN_CLEAR}"),
        (minimal(settings='client_secret = ""'), f"connections.acme.settings.client_secret: {IN_CLEAR}"),
        ('[providers.aircall]\ntoken = "abc"', f"providers.aircall.token: {IN_CLEAR}"),
        (
            minimal() + '[connections.acme.providers.aircall]\ntoken = "abc"',
            f"connections.acme.providers.aircall.token: {IN_CLEAR}",
        ),
        (minimal(settings="a.b = 1"), "connections.acme.settings.a: is a table; settings are flat"),
        (
            minimal(settings='access_token = "env:UNSET_7F3A"'),
            "connection acme, settings.access_token: the environment variable UNSET_7F3A is not set",
        ),
        (
            minimal(settings=""),
            "connection acme (plain): settings.access_token is required. Settings of plain: access_token, pages",
        ),
        (
            minimal(settings='access_token = "env:ACME_TOKEN"\npage = 2'),
            f"connection acme (plain): settings.page is an unknown key (did you mean pages?). {OF_PLAIN}",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_what_is_possible(tmp_path: Path, text: str, message: str) -> None:
    """One message names file, connection, key, and what is possible."""
    assert refused(tmp_path, text) == message


def test_a_missing_file_of_a_secret_is_named(tmp_path: Path) -> None:
    """The message says which file was looked for, and where."""
    message = refused(tmp_path, minimal(settings='access_token = "file:no/such"'))

    assert message == (
        "connection acme, settings.access_token: the file no/such cannot be read"
        f" (No such file or directory); looked for {tmp_path / 'no' / 'such'}"
    )


@pytest.mark.parametrize("reference", ["env:EMPTY_7F3A", "file:empty"])
def test_an_empty_secret_is_a_missing_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str) -> None:
    """A variable or file without content is told before a request is refused for it."""
    monkeypatch.setenv("EMPTY_7F3A", "")
    (tmp_path / "empty").write_text("\n")
    message = refused(tmp_path, minimal(settings=f'access_token = "{reference}"'))

    assert message == f"connection acme, settings.access_token: {reference} is empty"


def test_an_unknown_crm_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    """A misspelled CRM is offered the one that was meant, and all that are installed."""
    message = refused(tmp_path, '[connections.acme]\ncrm = "plane"')

    assert message.startswith("connection acme, crm: no CRM 'plane' is installed; did you mean 'plain'? Installed: ")


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    """A file with several faults is mended in one go."""
    message = refused(tmp_path, minimal('regions = ["XX"]', 'access_token = "abc"') + '[providers.x]\nkey = "k"\n')

    assert [line.split(":")[0] for line in message.splitlines()] == [
        "connections.acme.settings.access_token",
        "providers.x.key",
        "connections.acme.regions",
    ]


def test_no_message_shows_a_secret_written_in_clear(tmp_path: Path) -> None:
    """What should not stand in the file does not come to stand in a log either."""
    assert "hunter2" not in refused(tmp_path, minimal(settings='access_token = "hunter2"'))


def test_no_traceback_shows_a_secret_in_the_wrong_place(tmp_path: Path) -> None:
    """A host that logs the whole error, with its causes, logs no secret."""
    path = written(tmp_path, minimal('access_token = "hunter2"'))
    with pytest.raises(ConfigurationError) as caught:
        load_config(path)

    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_no_representation_shows_a_secret() -> None:
    """A configuration can be logged."""
    connection = ConnectionConfig("a", "plain", {"access_token": "hunter2"})
    config = Config(Path("connector.toml"), {"a": connection}, providers={"p": {"token": "hunter2"}})

    assert "hunter2" not in repr(config)


def test_what_is_no_toml_is_told_with_its_place(tmp_path: Path) -> None:
    """The message of a broken file says where it breaks."""
    assert "(at line 2, column" in refused(tmp_path, "[connections.acme]\ncrm = \n")


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    """Some editors begin every file in UTF-8 with one: the configuration, and the files that secrets stand in."""
    (tmp_path / "token").write_text("s3cret\n", encoding="utf-8-sig")
    path = tmp_path / "connector.toml"
    path.write_text(minimal(settings='access_token = "file:token"'), encoding="utf-8-sig")

    connection = load_config(path).connection("acme")

    assert resolve(connection.settings, tmp_path, of="acme") == {"access_token": "s3cret"}


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    """A file of another encoding is refused by name."""
    path = tmp_path / "connector.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match=r"connector\.toml: is no text in UTF-8$"):
        load_config(path)


def test_a_missing_configuration_file_is_named(tmp_path: Path) -> None:
    """The message says which file was not there."""
    with pytest.raises(ConfigurationError, match=r"connector\.toml: cannot be read \(No such file or directory\)$"):
        load_config(tmp_path / "connector.toml")


def test_an_unknown_connection_is_told_with_those_there_are(tmp_path: Path) -> None:
    """A misspelled connection is offered the nearest."""
    path = written(tmp_path, minimal())
    with pytest.raises(ConfigurationError) as caught:
        load_config(path).connection("acne")

    assert str(caught.value) == f"{path}: has no connection 'acne'; did you mean acme? Possible: acme"


def test_a_provider_s_references_are_looked_up(tmp_path: Path) -> None:
    """Settings of a provider may stand elsewhere, too."""
    path = written(tmp_path, '[providers.aircall]\ntoken = "env:ACME_TOKEN"')

    assert load_config(path).provider_settings("aircall") == {"token": "very-secret-7f3a"}


def test_a_provider_s_missing_secret_is_named(tmp_path: Path) -> None:
    """The message names file, provider, key and variable."""
    path = written(tmp_path, '[providers.aircall]\ntoken = "env:UNSET_7F3A"')
    with pytest.raises(ConfigurationError) as caught:
        load_config(path).provider_settings("aircall")

    assert str(caught.value) == f"{path}: providers.aircall.token: the environment variable UNSET_7F3A is not set"


def test_a_provider_without_settings_has_none(tmp_path: Path) -> None:
    """A provider that needs nothing need not be written down."""
    assert load_config(written(tmp_path, "")).provider_settings("aircall") == {}


def test_a_path_starts_from_the_configuration_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the command is called from."""
    (tmp_path / "world.json").write_text("{}", encoding="utf-8")
    written = tmp_path / "connector.toml"
    written.write_text('[connections.acme]\ncrm = "file"\n[connections.acme.settings]\npath = "world.json"\n')
    monkeypatch.chdir("/")

    with open_connection(load_config(written), "acme") as opened:
        assert opened.connection.find_contacts_by_email(["a@x.example"]) == {"a@x.example": ()}
