"""The contract kit of call providers finds what is wrong with an adapter, and says so under its clause."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from kit import signed

from connector_core.testing.providers import ProviderContract

pytest_plugins = ["pytester"]
ROOT = Path(__file__).resolve().parents[2]
CLASS = """
class Test{adapter}(
    ProviderContract, manifest=signed.manifest("{adapter}"), settings={{"key": "invented"}}, others={{"key": "another"}}
):
    samples = signed.SAMPLES
    listed = ["signed:0", "signed:1", "signed:2", "signed:3", "signed:4"]

"""


def red(pytester: pytest.Pytester, *adapters: str) -> dict[str, set[str]]:
    """Run the clauses on adapters; name those that fail of each."""
    module = "from kit import signed\nfrom connector_core.testing.providers import ProviderContract\n"
    pytester.makepyfile(module + "".join(CLASS.format(adapter=adapter) for adapter in adapters))
    pytester.makeini(f"[pytest]\npythonpath = {ROOT / 'tests'}\n")
    told = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-q", "-rfE", "--tb=no").stdout.str()
    found: dict[str, set[str]] = {adapter: set() for adapter in adapters}
    for adapter, area, number in re.findall(
        r"^(?:FAILED|ERROR) \S+::Test(\w+)::test_p_([a-z]+)_(\d+)", told, re.MULTILINE
    ):
        found[adapter].add(f"P-{area.upper()}-{number}")
    assert re.search(r"\d+ (passed|failed)", told)
    return found


def test_what_is_wrong_turns_its_clauses_red(pytester: pytest.Pytester) -> None:
    """Each wrong adapter fails where it is wrong, and nowhere else; the right one fails nowhere."""
    right = ("Signed", "Tended")
    assert red(pytester, *right, *signed.WRONG) == {**{adapter: set() for adapter in right}, **signed.WRONG}


def test_the_page_has_the_clauses_of_the_suite() -> None:
    """Each clause stands there, in order, and no other does."""
    page = (ROOT / "docs/webhooks.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| (P-[A-Z]+-\d+) \|", page, re.MULTILINE)
    names = [name for name in vars(ProviderContract) if name.startswith("test_p_")]
    assert told == ["-".join(name.split("_")[1:4]).upper() for name in names]


def test_without_samples_nothing_passes_for_nothing(pytester: pytest.Pytester) -> None:
    """An author who hands in none proves nothing."""
    module = "from kit import signed\nfrom connector_core.testing.providers import ProviderContract\n"
    pytester.makepyfile(module + CLASS.format(adapter="Signed").replace("signed.SAMPLES", "()"))
    pytester.makeini(f"[pytest]\npythonpath = {ROOT / 'tests'}\n")
    pytester.runpytest_subprocess("-p", "no:cacheprovider", "-q", "-k", "p_proof_1 or p_call_7").assert_outcomes(
        failed=2
    )


def test_who_proves_the_sender_alone_is_not_asked_for_more(pytester: pytest.Pytester) -> None:
    """The manifest says that the body may be changed on its way: that clause is passed over, and none else."""
    module = "from kit import signed\nfrom connector_core.testing.providers import ProviderContract\n"
    of_sender = CLASS.format(adapter="BelievesWhoKnowsTheKey").replace(
        'manifest("BelievesWhoKnowsTheKey")', 'manifest("BelievesWhoKnowsTheKey", proof="sender")'
    )
    pytester.makepyfile(module + of_sender)
    pytester.makeini(f"[pytest]\npythonpath = {ROOT / 'tests'}\n")
    pytester.runpytest_subprocess("-p", "no:cacheprovider", "-q", "-k", "p_proof and not proof_5").assert_outcomes(
        passed=3, skipped=1
    )
