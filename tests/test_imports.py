"""Listing plugins, asking for help and importing the package cost nothing that is heavy."""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

import connector_core
from connector_core.cli.parser import build_parser

HEAVY = {
    *("hubspot", "simple_salesforce", "requests", "urllib3", "httpx"),
    *("pydantic", "pydantic_core", "phonenumbers", "tenacity", "sqlalchemy", "starlette", "fastapi", "regex"),
}
"""SDKs and what they send with, and what validates, retries, stores and serves."""


def top_level_modules(code: str) -> set[str]:
    """Run code in a Python of its own, and give the top-level packages that are imported at its end."""
    report = "import json, sys; print('\\n' + json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    done = subprocess.run(  # noqa: S603 - our own Python and our own code
        [sys.executable, "-W", "error", "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_package_imports_nothing_heavy() -> None:
    """The contents page itself imports neither a library nor a module of the core."""
    assert top_level_modules("import connector_core") & (HEAVY | {"pluggy"}) == set()


def test_listing_plugins_imports_nothing_heavy() -> None:
    """All that is installed is listed, manifests included, without an SDK and without pydantic."""
    code = """if True:
        from connector_core import discovery

        assert {"file", "hubspot", "salesforce"} <= {name for name, found in discovery.crms().items() if found.manifest}
        assert {"aircall"} <= {name for name, found in discovery.providers().items() if found.manifest}
        assert {"openai", "rules"} <= {name for name, found in discovery.extractors().items() if found.manifest}
    """

    assert top_level_modules(code) & HEAVY == set()


def commands(parser: argparse.ArgumentParser) -> Iterator[list[str]]:
    """Give every command, with its verbs."""
    yield []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                yield from ([name, *verbs] for verbs in commands(below))


COMMANDS = list(commands(build_parser()))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command) or "connector")
def test_help_imports_nothing_heavy(command: list[str]) -> None:
    """Help answers at once: no SDK, no pydantic, no web framework, no database layer."""
    code = f"from connector_core.cli import main; assert main({[*command, '--help']!r}) == 0"

    assert top_level_modules(code) & HEAVY == set()


# -- the contents page -------------------------------------------------------------------------------------------------


def test_public_names_are_sorted() -> None:
    """The contents page lists capitals first, then classes, then functions, each in order, and none twice."""
    names = connector_core.__all__

    assert names == sorted(set(names), key=lambda name: (not name.isupper(), not name[0].isupper(), name))


@pytest.mark.parametrize("name", connector_core.__all__)
def test_every_public_name_is_there(name: str) -> None:
    """Each name of the contents page can be imported from it."""
    getattr(importlib.import_module("connector_core"), name)


def test_every_error_is_public() -> None:
    """What can be raised on purpose can be caught by its public name."""
    errors = importlib.import_module("connector_core.errors")

    public = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    assert public <= set(connector_core.__all__)


def test_the_version_is_the_distributions() -> None:
    """The package's version is what was installed."""
    assert connector_core.__version__ == importlib.import_module("importlib.metadata").version("connector-core")


def test_an_unknown_name_is_told() -> None:
    """A name that the contents page does not have is an attribute error that names it."""
    with pytest.raises(AttributeError, match="has no attribute 'Cal'"):
        getattr(connector_core, "Cal")  # noqa: B009 - a plain attribute would be refused by the type checker
