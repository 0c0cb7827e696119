"""Which extractor a connection has, and with which settings."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from wanted import call, field

from connector_core.config import ConnectionConfig, OpenConnection
from connector_core.config_file import load_config
from connector_core.discovery import extractors
from connector_core.errors import ConfigurationError
from connector_core.extraction import Extraction

FILE = """
[connections.acme]
crm = "file"
{lines}

[connections.acme.settings]
path = "world.json"

{tables}
"""
OPENAI = """
[extractors.openai]
url = "http://127.0.0.1:9/v1"
api_key = "env:OPENAI_KEY"
model = "invented"
"""


def opened(tmp_path: Path, lines: str = "", tables: str = "") -> OpenConnection:
    """Open a connection of a file."""
    path = tmp_path / "connector.toml"
    path.write_text(FILE.format(lines=lines, tables=tables))
    (tmp_path / "world.json").write_text("{}")
    return load_config(path).connection("acme").open()


def test_the_core_brings_two() -> None:
    """What ships is found like any other plugin."""
    shipped = {name: found.problem for name, found in extractors().items() if found.distribution == "connector-core"}

    assert shipped == {"openai": None, "rules": None}


def test_a_connection_has_rules_unless_told(tmp_path: Path) -> None:
    """Rules need no table."""
    with opened(tmp_path) as connection:
        assert connection.extractor().name == "rules"


def test_an_extractor_has_the_settings_of_its_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """References are looked up when it is first asked for."""
    with opened(tmp_path, 'extractor = "openai"', OPENAI) as connection:
        with pytest.raises(ConfigurationError, match=r"extractors\.openai\.api_key: .*OPENAI_KEY is not set"):
            connection.extractor()
        monkeypatch.setenv("OPENAI_KEY", "invented")
        assert connection.extractor().name == "openai"


def test_a_host_gives_the_same_in_python(tmp_path: Path) -> None:
    """A configuration that is built in Python names its extractor and its settings."""
    (tmp_path / "world.json").write_text("{}")
    config = ConnectionConfig(
        "acme",
        "file",
        {"path": str(tmp_path / "world.json")},
        extractor="openai",
        extractor_settings={"url": "http://127.0.0.1:9/v1", "model": "invented"},
    )

    with config.open() as connection:
        assert connection.extractor().name == "openai"


@pytest.mark.parametrize(
    ("lines", "tables", "message"),
    [
        (
            'extractor = "rule"',
            "",
            r"connection acme, extractor: no extractor 'rule' is installed; did you mean 'rules'\?",
        ),
        (
            'extractor = "openai"',
            "",
            r"extractors\.openai: url is required; model is required\. Settings of openai: url",
        ),
        ("", "[extractors.rules]\nfast = true", r"extractors\.rules: fast is an unknown key\. Settings of rules: none"),
    ],
)
def test_what_is_wrong_is_told_when_it_is_asked_for(tmp_path: Path, lines: str, tables: str, message: str) -> None:
    """A wrong extractor keeps no call from its CRM: the connection opens."""
    with opened(tmp_path, lines, tables) as connection, pytest.raises(ConfigurationError, match=message):
        connection.extractor()


@pytest.mark.parametrize(
    ("lines", "tables", "message"),
    [
        ("", '[extractors.openai]\napi_key = "sk-7f3a"', "extractors.openai.api_key: is a secret written in clear"),
        ("", "[extractors.openai.more]\nfast = true", "extractors.openai.more: is a table; settings are flat"),
        ("extractor = 7", "", "connections.acme.extractor: should be text"),
        ('extracter = "rules"', "", "did you mean extractor?"),
    ],
)
def test_what_is_wrong_with_the_file_is_told_when_it_is_read(
    tmp_path: Path, lines: str, tables: str, message: str
) -> None:
    """What can be seen without a plugin is said at once, and no secret in it."""
    with pytest.raises(ConfigurationError) as caught:
        opened(tmp_path, lines, tables)
    assert message in str(caught.value)
    assert "7f3a" not in str(caught.value)


def test_threads_share_one(tmp_path: Path) -> None:
    """However many ask at once, it is bound once."""
    with opened(tmp_path) as connection, ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(lambda _: id(connection.extractor()), range(64)))) == 1


def test_it_is_closed_with_its_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left open behind a connection."""
    connection = opened(tmp_path)
    closed: list[str] = []
    extractor = connection.extractor()
    monkeypatch.setattr(type(extractor), "close", lambda self: closed.append(self.name))

    connection.close()

    assert closed == ["rules"]


def test_what_is_made_without_a_configuration_has_rules() -> None:
    """An extraction that nobody configured works."""
    assert Extraction().get().extract(call(), [field("t.budget")]) == {"t.budget": None}
