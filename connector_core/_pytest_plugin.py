"""The pytest plugin of the contract kit: options, strict deviations, and the report.

pytest loads it wherever connector-core is installed. It stays silent and imports nothing but pytest until a class of the
kit is collected; ``pytest -p no:connector`` turns it off. It stands outside ``connector_core.testing``, whose asserts it
lets pytest rewrite, because that has to be said before anything of it is imported.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager

    from connector_core.connection import Connection

pytest.register_assert_rewrite("connector_core.testing")

_LINE = "connector contract"
"""Under this name a test's report carries what was proved: pytest-xdist, too, brings it to where it is told."""


class _Proved:
    """What became of the clauses that were run, wherever they ran."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a report carries."""
        self.lines += [line for name, line in report.user_properties if name == _LINE and isinstance(line, dict)]


_PROVED: pytest.StashKey[_Proved] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the contract kit."""
    group = parser.getgroup("connector", "contracts of CRM plugins")
    group.addoption(
        "--contract-record",
        action="store_true",
        help="record the cassettes of all contracts that are run, against recording.py or the plugin's sandbox",
    )
    group.addoption(
        "--contract-live",
        action="store_true",
        help="run contracts without cassettes, against recording.py or the plugin's sandbox",
    )
    group.addoption(
        "--sabotage",
        action="store_true",
        help="empty each recorded answer of contracts in turn, and fail the clauses that pass all the same",
    )
    parser.addini(
        "crm_cassettes", "folder of the cassettes that are played, or recorded", type="string", default="cassettes"
    )
    group.addoption("--contract-report", metavar="FILE", type=Path, help="write what was proved, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse options that contradict each other; listen to what is proved."""
    ways = ("--contract-record", "--contract-live", "--sabotage")
    if sum(bool(config.getoption(way)) for way in ways) > 1:
        raise pytest.UsageError(f"{', '.join(ways)}: one of them at most")
    config.stash[_PROVED] = _Proved()
    config.pluginmanager.register(config.stash[_PROVED])


@pytest.fixture
def crm_cassette(pytestconfig: pytest.Config) -> Callable[[str, str], AbstractContextManager[Connection]]:
    """Give connections that are answered from recorded clauses, for suites of teams that depend on a CRM.

    ::

        def test_ours(crm_cassette):
            with crm_cassette("hubspot", "C-EMAIL-1") as connection:
                ...

    The cassettes are looked for in the folder that the ini option ``crm_cassettes`` names, from the root directory.
    """
    from connector_core.testing.cassettes import recorded

    folder = pytestconfig.rootpath / pytestconfig.getini("crm_cassettes")
    return lambda plugin, clause: recorded(plugin, clause, folder=folder)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let ``-k`` choose clauses by id; expect those to fail from which a plugin deviates, on what they are about alone."""
    clause = getattr(getattr(item, "obj", None), "clause", None)
    contract = _contract(item)
    if clause is None or contract is None:
        return
    item.extra_keyword_matches.add(clause.id)
    deviation = contract.deviations.get(clause.id)
    if deviation is not None:
        broken = sys.modules["connector_core.testing.contract"].BrokenClauseError
        reason = f"{clause.id}: {deviation.reason} ({deviation.link})"
        item.add_marker(pytest.mark.xfail(strict=True, raises=broken, reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Note what became of a clause."""
    outcome = yield
    clause = getattr(getattr(item, "obj", None), "clause", None)
    contract = _contract(item)
    if clause is not None and contract is not None:
        from connector_core.testing.contract.report import became

        error = call.excinfo.value if call.excinfo is not None else None
        line = became(contract, clause, getattr(item, "funcargs", {}), outcome, error)
        outcome.user_properties += [(_LINE, line)] if line is not None else []
    return outcome


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show what was proved of each plugin, and write it where that was asked for."""
    proved = config.stash[_PROVED].lines
    path = config.getoption("--contract-report")
    if not proved:
        if path is not None:
            path.write_text("[]\n", encoding="utf-8")
        return
    from connector_core.testing.contract.report import Report

    report = Report(proved)
    if path is not None or terminalreporter.verbosity > 0:
        terminalreporter.section("contracts")
        for line in report.lines():
            terminalreporter.line(line)
    if path is not None:
        path.write_text(report.dumped(), encoding="utf-8")


def _contract(item: pytest.Item) -> Any:
    """Give the contract class that an item belongs to, if the kit was ever imported."""
    kit = sys.modules.get("connector_core.testing.contract.base")
    cls = getattr(item, "cls", None)
    return cls if kit is not None and isinstance(cls, type) and issubclass(cls, kit.AdapterContract) else None
