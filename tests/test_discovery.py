"""What is installed is found by its metadata, and what cannot be used is listed with the reason."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connector_core import discovery
from connector_core.errors import ConfigurationError
from connector_core.hookspecs import HOOK_API

Install = Callable[..., None]

MANIFEST = """
from connector_core.manifest import MUST, CrmManifest

ACME = CrmManifest(name={name!r}, title="Acme", hook_api={api}, operations=MUST, settings="a:B", adapter="a:C")
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution as an installer does: a module, and metadata beside it."""
    modules: list[str] = []

    def put(distribution: str, name: str, source: str, *, group: str = discovery.CRMS, target: str = "ACME") -> None:
        module = f"{distribution.replace('-', '_')}_module"
        folder = tmp_path / distribution
        metadata = folder / f"{distribution}-1.2.3.dist-info"
        metadata.mkdir(parents=True)
        (folder / f"{module}.py").write_text(textwrap.dedent(source))
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2.3\n")
        (metadata / "entry_points.txt").write_text(f"[{group}]\n{name} = {module}:{target}\n")
        monkeypatch.syspath_prepend(folder)
        modules.append(module)

    yield put
    for module in modules:
        sys.modules.pop(module, None)


def test_a_plugin_is_listed_with_its_distribution_and_version(install: Install) -> None:
    """A plugin is listed under its name, with what pip calls it, its version and its manifest."""
    install("connector-acme", "acme", MANIFEST.format(name="acme", api=HOOK_API))

    found = discovery.crms()["acme"]

    assert found.manifest is not None
    assert (
        found.name,
        found.distribution,
        found.version,
        found.manifest.title,
        found.problem,
    ) == ("acme", "connector-acme", "1.2.3", "Acme", None)


def test_the_crm_in_a_file_is_always_there() -> None:
    """The core's own CRM is found like any other plugin's."""
    found = discovery.crms()["file"]

    assert (found.distribution, found.problem) == ("connector-core", None)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import not_installed_anywhere", "cannot be imported: ModuleNotFoundError"),
        ("raise ValueError('broken')", "cannot be imported: ValueError: broken"),
        ("OTHER = 1", "cannot be imported: AttributeError"),
        ("ACME = 'text'", "is a str, wanted a CrmManifest"),
        (MANIFEST.format(name="acne", api=HOOK_API), "its manifest is named 'acne', its entry point 'acme'"),
        (MANIFEST.format(name="acme", api=HOOK_API + 1), f"hook API {HOOK_API + 1}, and this core has {HOOK_API}"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_listed_with_the_reason(install: Install, source: str, reason: str) -> None:
    """One plugin that is broken is listed beside the others, and says why."""
    install("connector-acme", "acme", source)

    listed = discovery.crms()

    assert reason in str(listed["acme"].problem)
    assert listed["file"].problem is None


def test_asking_for_a_plugin_that_cannot_be_used_says_why(install: Install) -> None:
    """Asking for a broken plugin by name names its distribution and repeats the reason."""
    install("connector-acme", "acme", "ACME = 'text'")

    with pytest.raises(ConfigurationError, match=r"'acme' \(connector-acme\) cannot be used: .* is a str"):
        discovery.crm("acme")


def test_a_name_claimed_by_two_distributions_names_both(install: Install) -> None:
    """Of two distributions that claim one name, neither is picked silently."""
    install("connector-acme", "acme", MANIFEST.format(name="acme", api=HOOK_API))
    install("other-acme", "acme", MANIFEST.format(name="acme", api=HOOK_API))

    assert discovery.crms()["acme"].problem == "claimed by connector-acme and other-acme: uninstall all but one"


def test_asking_by_name_imports_no_other_plugin(install: Install) -> None:
    """A broken or slow plugin costs nobody who asks for another one."""
    install("connector-acme", "acme", MANIFEST.format(name="acme", api=HOOK_API))

    discovery.crm("file")

    assert "connector_acme_module" not in sys.modules


def test_an_unknown_name_is_offered_the_nearest(install: Install) -> None:
    """A misspelled CRM is answered with the nearest name and with all that are installed."""
    install("connector-acme", "acme", MANIFEST.format(name="acme", api=HOOK_API))

    with pytest.raises(
        ConfigurationError, match=r"no CRM 'acne' is installed; did you mean 'acme'\? Installed: acme, "
    ):
        discovery.crm("acne")


def test_a_name_like_no_other_is_offered_none() -> None:
    """Where no name is near, the message lists what is installed and guesses nothing."""
    with pytest.raises(ConfigurationError, match=r"no CRM 'zzzzzz' is installed\. Installed: .*file"):
        discovery.crm("zzzzzz")


def test_a_provider_is_found_like_a_crm(install: Install) -> None:
    """Call providers have their own group, and the same answers."""
    source = """
        from connector_core.providers import ProviderManifest

        DIAL = ProviderManifest(name="dial", title="Dial", settings="a:B", adapter="a:C")
    """
    install("connector-dial", "dial", source, group=discovery.PROVIDERS, target="DIAL")

    assert discovery.provider("dial") is discovery.providers()["dial"].manifest


def test_a_crm_is_no_provider(install: Install) -> None:
    """A manifest of the wrong kind is refused by the kind that was wanted."""
    install("connector-acme", "acme", MANIFEST.format(name="acme", api=HOOK_API), group=discovery.PROVIDERS)

    assert "is a CrmManifest, wanted a ProviderManifest" in str(discovery.providers()["acme"].problem)
