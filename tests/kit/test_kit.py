"""The contract kit itself: what it refuses, what it says, and what it does not do."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from contract_accounts import FileAccount
from kit import mutants, wrong_changes, wrong_companions
from kit.examination import failures
from kit.remote import REMOTE, RemoteAccount

from connector_core import testing
from connector_core.crms import FILE
from connector_core.manifest import HOLDS, TRAITS, Deviation
from connector_core.testing.contract import AdapterContract, BrokenClauseError, Crm, clause
from connector_core.testing.contract.base import CLAUSES
from connector_core.testing.contract.capabilities import capabilities
from connector_core.testing.contract.stages import Stages
from connector_core.testing.contract.wording import compared

pytest_plugins = ["pytester"]
ROOT = Path(__file__).resolve().parents[2]
LINK = "https://docs.example.com/limits"
MODULE = """
import dataclasses
from contract_accounts import FileAccount
from connector_core.crms import FILE
from connector_core.testing.contract import AdapterContract, Deviation, clause

"""


def run(pytester: pytest.Pytester, module: str, *options: str) -> pytest.RunResult:
    """Run a test module of an author, in a folder of its own."""
    pytester.makepyfile(MODULE + module)
    pytester.makeini(f"[pytest]\npythonpath = {ROOT / 'tests'}\nxfail_strict = true\n")
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *options)


# -- clauses and their page --------------------------------------------------------------------------------------------


def test_the_page_has_the_clauses_of_the_suite() -> None:
    """Each clause stands there with its sentence, in order, and no other does."""
    page = (ROOT / "docs/contract.md").read_text(encoding="utf-8")
    told = re.findall(r"^- \*\*(C-[A-Z]+-\d+)\*\* (.+)$", page, re.MULTILINE)

    assert told == [(it.id, it.sentence) for it in CLAUSES.values()]


def test_the_page_has_all_that_a_manifest_may_say() -> None:
    """Each trait, and each thing that not every CRM can hold, with what it means."""
    page = (ROOT / "docs/contract.md").read_text(encoding="utf-8")
    _, _, after = page.partition("## What a manifest may say")
    told = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", after, re.MULTILINE))

    assert told == {**TRAITS, **HOLDS}


def test_clauses_are_numbered_without_gaps() -> None:
    """In each area from 1 on: a clause that goes leaves its number to nobody, so a gap would be seen."""
    numbers: dict[str, list[int]] = {}
    for clause_id in CLAUSES:
        area, _, number = clause_id.rpartition("-")
        numbers.setdefault(area, []).append(int(number))

    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())


def test_the_page_of_capabilities_is_up_to_date() -> None:
    """It says what manifests and cassettes say; the module that makes it says how to make it anew."""
    assert (ROOT / "docs/capabilities.md").read_text(encoding="utf-8") == capabilities(ROOT / "cassettes")


def test_the_kit_is_where_one_looks_for_it() -> None:
    """The one class that an author needs is in the package itself."""
    assert testing.AdapterContract is AdapterContract


# -- what an author may not do -----------------------------------------------------------------------------------------


def test_a_clause_cannot_be_replaced() -> None:
    """A method with the name of a clause is refused, and a deviation is offered."""
    with pytest.raises(TypeError, match=r'C-EMAIL-1.*deviations=\{"C-EMAIL-1": Deviation\(reason, link\)\}'):

        class Replacing(AdapterContract, manifest=FILE):
            def test_an_address_finds_its_person(self, crm: Crm) -> None:
                pass


def test_a_clause_cannot_be_deleted() -> None:
    """None in place of a clause is refused."""
    with pytest.raises(TypeError, match="C-EMAIL-2"):
        type("Deleting", (AdapterContract,), {"test_an_address_that_nobody_has": None}, manifest=FILE)


def test_a_contract_says_whose_it_is() -> None:
    """A class without manifest is refused."""
    with pytest.raises(TypeError, match="manifest="):

        class Nobody(AdapterContract):
            pass


@pytest.mark.parametrize(
    ("clause_id", "deviation", "message"),
    [
        ("C-EMAIL-99", Deviation("reason", LINK), "C-EMAIL-99"),
        ("C-EMAIL-1", Deviation(" ", LINK), "wants a reason"),
        ("C-EMAIL-1", Deviation("reason", "somewhere"), "link"),
        ("C-EMAIL-1", ("reason", LINK), r"Deviation\(reason, link\)"),
    ],
)
def test_a_deviation_is_whole(clause_id: str, deviation: Deviation, message: str) -> None:
    """It is from a clause that there is, with a reason and a link."""
    with pytest.raises(TypeError, match=message):
        type("Deviating", (AdapterContract,), {}, manifest=FILE, deviations={clause_id: deviation})


def test_what_a_crm_cannot_hold_has_a_name_that_there_is() -> None:
    """A name that is misspelt would leave nothing out of the world."""
    manifest = dataclasses.replace(FILE, cannot_hold={"many_emails": "It has one."})

    with pytest.raises(TypeError, match=r"cannot_hold has no name many_emails; possible: .*several_emails"):
        type("Holding", (AdapterContract,), {}, manifest=manifest)


def test_an_author_may_add_tests(pytester: pytest.Pytester) -> None:
    """Also clauses of the author's own, which are held to what the contract's are."""
    result = run(
        pytester,
        """
class TestMine(AdapterContract, manifest=FILE, account=FileAccount()):
    def test_more(self):
        assert True

    @clause("MINE-1", "find_contacts_by_email")
    def test_of_mine(self, crm):
        '''Nothing is expected.'''
""",
        "-k",
        "test_more or of_mine",
    )

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*the clause expected nothing*"])


# -- what is no proof --------------------------------------------------------------------------------------------------


def examine(name: str, body: object) -> None:
    """Run a clause of our own against the CRM over HTTP."""
    made = clause(name, "find_contacts_by_email")(body)  # type: ignore[arg-type]  # a function of crm alone
    account = RemoteAccount()
    stages = Stages(REMOTE, "live", Path(), account)
    try:
        made(None, Crm(REMOTE, stages))
    finally:
        stages.close()


def test_a_clause_without_a_request_fails() -> None:
    """What was answered without asking the CRM shows nothing of it."""

    def body(_: object, crm: Crm) -> None:
        """Nothing is asked."""
        crm.expect(1, 1)

    with pytest.raises(AssertionError, match="no request"):
        examine("MINE-1", body)


def test_a_clause_that_expects_nothing_fails() -> None:
    """What was asked and not looked at shows nothing."""

    def body(_: object, crm: Crm) -> None:
        """Nothing is expected."""
        crm.connection.find_contacts_by_email(["nobody@example.com"])

    with pytest.raises(BrokenClauseError, match="expected nothing"):
        examine("MINE-1", body)


def test_what_is_not_declared_is_proved_to_be_refused() -> None:
    """A plugin that does not fill fields passes those clauses: by refusing them, and not by leaving them out."""
    account = RemoteAccount()
    stages = Stages(REMOTE, "live", Path(), account)
    crm = Crm(REMOTE, stages)
    try:
        crm.run(CLAUSES["C-FIELD-1"], lambda _: pytest.fail("it is run"))
    finally:
        stages.close()

    assert (crm.standing, crm.why) == ("refused", "fill_fields is not declared")


def test_a_failure_says_what_where_and_what_to_do() -> None:
    """The clause and its sentence, what was got and wanted, and how to deviate."""
    manifest = dataclasses.replace(FILE, adapter="kit.mutants:CaseSensitive")
    (text,) = failures(manifest, FileAccount(), ["C-EMAIL-3"]).values()

    assert text.splitlines()[:2] == [
        f"file breaks C-EMAIL-3: {CLAUSES['C-EMAIL-3'].sentence}",
        "  'dora.daily@example.com': got (), wanted ('C2',)",
    ]
    assert 'deviations={"C-EMAIL-3": Deviation(reason, link)}' in text


def test_a_failure_names_the_error_that_came_instead() -> None:
    """Its class and what it says stand where the wanted one is compared."""
    manifest = dataclasses.replace(REMOTE, adapter="kit.wrong_over_http:RaisesItsOwn")
    (text,) = failures(manifest, RemoteAccount(), ["C-ERROR-1"]).values()

    heading, got, wanted = text.splitlines()[1:4]
    assert (heading, wanted) == ("  what was raised", "  wanted  'CredentialsError'")
    assert got.startswith("  got     'ContractError: plugin remote, find_contacts_by_email: raised KeyError; wanted an")


def test_a_failure_of_a_long_list_says_what_it_lacks() -> None:
    """Its beginning alone would look like what was wanted."""
    wanted = tuple(f"O{number}" for number in range(101, 206))

    assert compared(wanted[:50], wanted, "").splitlines()[-1] == (
        "  50 and 105 of them: too much (), lacking"
        " ('O151', 'O152', 'O153', 'O154', 'O155', 'O156', 'O157', 'O158', 'O159', 'O160', 'O161', 'O162', ...)"
    )


# -- in pytest ---------------------------------------------------------------------------------------------------------


def test_a_deviation_is_expected_to_fail(pytester: pytest.Pytester) -> None:
    """It is no failure as long as the clause is not kept, and the report gives the reason."""
    result = run(
        pytester,
        f"""
MANIFEST = dataclasses.replace(FILE, adapter="kit.mutants:CaseSensitive")
DEVIATIONS = {{"C-EMAIL-3": Deviation("it counts capitals", "{LINK}")}}
class TestMine(AdapterContract, manifest=MANIFEST, deviations=DEVIATIONS, account=FileAccount()):
    pass
""",
        "-k",
        "addresses_compare or finds_its_person",
        "--contract-report=report.json",
    )
    report = json.loads((pytester.path / "report.json").read_text(encoding="utf-8"))
    told = {line["clause"]: (line["status"], line["origin"], line["reason"]) for line in report}

    result.assert_outcomes(passed=len(told) - 1, xfailed=1)
    assert told["C-EMAIL-3"] == ("deviation", "local", "it counts capitals")
    assert told["C-EMAIL-1"] == ("proved", "local", "")


def test_a_deviation_that_is_none_any_more_fails(pytester: pytest.Pytester) -> None:
    """A clause that is kept after all fails until the deviation is taken away."""
    result = run(
        pytester,
        f"""
DEVIATIONS = {{"C-EMAIL-3": Deviation("it counts capitals", "{LINK}")}}
class TestMine(AdapterContract, manifest=FILE, deviations=DEVIATIONS, account=FileAccount()):
    pass
""",
        "-k",
        "addresses_compare",
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*XPASS(strict)*it counts capitals*"])


def test_a_missing_cassette_says_how_to_record(pytester: pytest.Pytester) -> None:
    """It is a failure, of a deviation too, and the message names the file and the command."""
    result = run(
        pytester,
        f"""
from connector_hubspot import HUBSPOT
DEVIATIONS = {{"C-EMAIL-3": Deviation("it counts capitals", "{LINK}")}}
class TestMine(AdapterContract, manifest=HUBSPOT, deviations=DEVIATIONS):
    pass
""",
        "-k",
        "addresses_compare",
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*cassettes/hubspot/C-EMAIL-3.yaml: C-EMAIL-3 has no cassette.*--contract-record*"])


LIVE = """
import os
class Live(FileAccount):
    def missing(self):
        return [name for name in ("ACME_URL", "ACME_KEY") if name not in os.environ]
class TestMine(AdapterContract, manifest=FILE, account=Live(), live=True):
    pass
"""


def test_a_live_contract_is_skipped_where_there_is_no_account(pytester: pytest.Pytester) -> None:
    """Each clause says which variables would name one, and the report does."""
    result = run(pytester, LIVE, "-v", "-rs", "-k", "an_address_finds_its_person or addresses_compare")

    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(["  C-EMAIL-1 skipped: no account of * to ask: set ACME_URL, ACME_KEY"])


def test_a_live_contract_asks_the_account_in_every_run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an option, and without a cassette; what asks for cassettes beside it changes nothing."""
    monkeypatch.setenv("ACME_URL", "…")
    monkeypatch.setenv("ACME_KEY", "…")
    module = (
        LIVE
        + """
from connector_hubspot import HUBSPOT
class TestSandbox(AdapterContract, manifest=HUBSPOT, live=True):
    pass
"""
    )
    chosen = ("-k", "an_address_finds_its_person or addresses_compare", "-v", "--contract-report=report.json")

    for option in ((), ("--sabotage",)):
        run(pytester, module, *chosen, *option).assert_outcomes(passed=4)
        report = json.loads((pytester.path / "report.json").read_text(encoding="utf-8"))
        assert {(line["plugin"], line["status"], line["origin"]) for line in report} == {
            ("file", "proved", "local"),
            ("hubspot", "proved", "sandbox"),
        }
    assert not (pytester.path / "cassettes").exists()


def test_an_account_is_asked_for_where_there_is_none(pytester: pytest.Pytester) -> None:
    """Playing names the command that records; recording, where nothing can be asked, the file that is missing."""
    module = """
from connector_hubspot import HUBSPOT
class TestMine(AdapterContract, manifest=dataclasses.replace(HUBSPOT, sandbox=None)):
    pass
"""
    played = run(pytester, module, "-k", "C-EMAIL-3")
    recorded = run(pytester, module, "--contract-record", "-k", "C-EMAIL-3")

    played.stdout.fnmatch_lines(
        ["*C-EMAIL-3 has no cassette. Record it with: pytest --contract-record, on this test class"]
    )
    recorded.stdout.fnmatch_lines(
        ["*hubspot: there is no account to ask. Put a recording.py beside the test module, *"]
    )


def test_a_seed_that_leaves_records_out_names_them(pytester: pytest.Pytester) -> None:
    """Without their ids no clause could tell what was found."""
    module = """
class Forgetful(FileAccount):
    def seed(self, world):
        return {key: there for key, there in super().seed(world).items() if key not in ("C1", "T2")}
class TestMine(AdapterContract, manifest=FILE, account=Forgetful()):
    pass
"""
    told = run(pytester, module, "--contract-live", "-k", "C-EMAIL-1")

    told.stdout.fnmatch_lines(["*file: seed(world) gave no id for C1, T2 of the world"])


def test_clauses_are_chosen_by_id(pytester: pytest.Pytester) -> None:
    """``-k`` takes the id of a clause, or of an area."""
    module = "class TestMine(AdapterContract, manifest=FILE, account=FileAccount()):\n    pass\n"

    run(pytester, module, "-k", "C-EMAIL-3 or C-LEAD").assert_outcomes(passed=3)


def test_what_is_recorded_can_be_played(pytester: pytest.Pytester) -> None:
    """One command records a plugin's clauses on its sandbox; then they pass without it."""
    module = """
from connector_hubspot import HUBSPOT
class TestMine(AdapterContract, manifest=HUBSPOT):
    pass
"""
    chosen = ("-k", "addresses_compare or text_is_sent or silence_is_given_up")
    run(pytester, module, "--contract-record", *chosen).assert_outcomes(passed=3)
    recorded = sorted(path.name for path in (pytester.path / "cassettes/hubspot").iterdir())

    assert recorded == ["C-EMAIL-1.yaml", "C-EMAIL-3.yaml", "C-FIELD-1.yaml"]
    run(pytester, module, *chosen).assert_outcomes(passed=3)


def test_sabotage_names_answers_that_show_nothing(pytester: pytest.Pytester) -> None:
    """A clause that does not look at what it asked for passes without the answer, and fails for that."""
    module = """
from connector_hubspot import HUBSPOT
class TestMine(AdapterContract, manifest=HUBSPOT):
    @clause("MINE-1", "find_contacts_by_email")
    def test_careless(self, crm):
        '''It asks, and looks away.'''
        crm.expect(bool(crm.connection.find_contacts_by_email(["nobody@example.com"])), True)
        try:
            crm.connection.find_users_by_email(["ada.agent@example.com"])
        except Exception:
            pass
"""
    chosen = ("-k", "careless or addresses_compare")
    run(pytester, module, "--contract-record", *chosen).assert_outcomes(passed=2)
    result = run(pytester, module, "--sabotage", *chosen)

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*hubspot keeps MINE-1 without the recorded answers*"])


def test_a_failing_clause_leaves_its_cassette_alone(pytester: pytest.Pytester) -> None:
    """What was not shown is not recorded."""
    module = """
from connector_hubspot import HUBSPOT
class TestMine(AdapterContract, manifest=dataclasses.replace(HUBSPOT, requests={})):
    pass
"""
    run(pytester, module, "--contract-record", "-k", "looking_addresses_up").assert_outcomes(failed=1)

    assert not (pytester.path / "cassettes").exists()


def test_elsewhere_the_plugin_is_silent(pytester: pytest.Pytester) -> None:
    """A suite without contracts sees nothing of it, and imports neither the kit nor what the kit needs."""
    pytester.makepyfile(
        """
import sys
def test_nothing_heavy():
    heavy = {"connector_core.testing", "vcr", "yaml", "pydantic", "phonenumbers"}
    assert heavy & set(sys.modules) == set()
"""
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", "-p", "no:cacheprovider", "-q"]
    done = subprocess.run(command, cwd=pytester.path, capture_output=True, text=True, check=False)  # noqa: S603 - ours

    assert (done.returncode, "contract" in done.stdout) == (0, False), done.stdout


def test_the_wrong_adapters_are_many() -> None:
    """Each area of the contract has one that it alone fails."""
    assert wrong_changes.__doc__  # they note themselves in the table of the others when they are imported
    wrong = (*mutants.FAILED_BY.values(), *wrong_companions.FAILED_BY.values())
    areas = {next(iter(ids)).split("-")[1] for ids in wrong if len(ids) == 1}

    wanted = {"EMAIL", "PHONE", "PERSON", "LEAD", "FIND", "OPP", "WRITE", "CHANGE", "KEY", "FIELD", "MANNERS"}
    assert areas >= wanted | {"READ", "SEARCH", "FORM"}
