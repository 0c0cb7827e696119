"""``connector new-plugin``: a distribution that installs, is found, and shows in red what is left to do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from fresh_python import ROOT, FreshPython, fresh_python
from hypothesis import given
from hypothesis import strategies as st

from connector_core.cli import main
from connector_core.cli.new_plugin import FILES, Names, rendered
from connector_core.errors import ContractError
from connector_core.manifest import CrmManifest
from connector_core.testing.contract.base import CLAUSES

NAMES = st.from_regex(r"[a-z][a-z0-9]*([_-][a-z0-9]+){0,3}", fullmatch=True)
LOCAL_ACCOUNT = """
ORIGIN = "local"

def wipe(): pass
def seed(world): return {record.id: record.id for name in type(world).model_fields for record in getattr(world, name)}
def settings(): return {"base_url": "http://127.0.0.1:1", "token": "t"}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path) -> dict[str, bytes]:
    """Read all files of a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# -- what is written ---------------------------------------------------------------------------------------------------


def test_a_whole_distribution_is_written(here: Path) -> None:
    """Everything that a plugin has is there, in the folder of its distribution."""
    assert main(["new-plugin", "acme_crm"]) == 0

    assert sorted(written(here / "connector-acme-crm")) == [
        "README.md",
        "pyproject.toml",
        "src/connector_acme_crm/__init__.py",
        "src/connector_acme_crm/adapter.py",
        "src/connector_acme_crm/py.typed",
        "src/connector_acme_crm/settings.py",
        "tests/recording.py",
        "tests/test_acme_crm_contract.py",
    ]


def test_json_is_one_object_with_the_files(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json one object names each file that was written."""
    assert main(["new-plugin", "acme", "--into", "plugins/acme", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert sorted(told["files"]) == sorted(f"plugins/acme/{path}" for path in written(here / "plugins/acme"))


def test_the_kit_is_one_class(here: Path) -> None:
    """The test module holds the contract of the plugin, and no clause of its own."""
    main(["new-plugin", "acme"])

    module = (here / "connector-acme/tests/test_acme_contract.py").read_text(encoding="utf-8")
    assert ("class TestAcme(AdapterContract, manifest=ACME):" in module, "def " in module) == (True, False)


def test_nothing_is_overwritten(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is there already is named, and nothing is written at all."""
    mine = here / "connector-acme" / "README.md"
    mine.parent.mkdir()
    mine.write_text("mine", encoding="utf-8")

    assert (main(["new-plugin", "acme"]), written(here)) == (2, {"connector-acme/README.md": b"mine"})
    assert "connector-acme/README.md: there already" in capsys.readouterr().err


def test_a_folder_that_is_a_file_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be written is told in a sentence, with exit status 2."""
    (here / "taken").write_text("", encoding="utf-8")

    assert (main(["new-plugin", "acme", "--into", "taken"]), "cannot be written" in capsys.readouterr().err) == (
        2,
        True,
    )


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("Acme", "acme"),
        ("acme crm", "acme_crm"),
        ("9acme", "acme"),
        ("acme--crm", "acme_crm"),
        ("_", None),
        ("é", None),
    ],
)
def test_a_name_that_cannot_be_one_is_refused(
    name: str, offered: str | None, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name that is no part of a distribution's and of a module's name is refused, and the nearest one offered."""
    assert (main(["new-plugin", name]), written(here)) == (2, {})

    assert re.findall(r"did you mean (\w+)\?", capsys.readouterr().err) == ([offered] if offered else [])


@pytest.mark.parametrize("name", ["file", "core", "salesforce", "aircall"])
def test_a_name_that_is_taken_is_refused(name: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a CRM that is installed nor a distribution that is can be written anew under its name."""
    assert (main(["new-plugin", name]), written(here)) == (2, {})

    assert "is installed already" in capsys.readouterr().err.replace("is a CRM that ", "")


@given(NAMES)
def test_any_name_makes_a_plugin_that_keeps_to_it(name: str) -> None:
    """Whatever the name, all code compiles, and the manifest carries the name and names what is there."""
    files = rendered(Names(name))
    for path, text in files.items():
        if path.endswith(".py"):
            compile(text, path, "exec")
    (package,) = {path.split("/")[1] for path in files if path.startswith("src/")}
    module = ModuleType(package)
    exec(files[f"src/{package}/__init__.py"], vars(module))  # noqa: S102 - rendered from our own template

    (manifest,) = (value for value in vars(module).values() if isinstance(value, CrmManifest))
    for target, file in ((manifest.settings, "settings.py"), (manifest.adapter, "adapter.py")):
        assert f"class {target.partition(':')[2]}" in files[f"src/{package}/{file}"]
    assert manifest.name == name


def test_every_template_is_used() -> None:
    """No template lies about that no file is made of."""
    folder = ROOT / "connector_core" / "cli" / "new_plugin" / "templates"

    assert {path.name.removesuffix(".template") for path in folder.iterdir()} == {it for it in FILES.values() if it}


@pytest.mark.parametrize("tool", ["ruff check", "ruff format --check", "mypy --strict"])
def test_what_is_written_is_clean(tool: str, here: Path) -> None:
    """A new plugin is formatted, lints, and is typed strictly, before its author has touched it."""
    main(["new-plugin", "acme"])
    ours = ["--config", ROOT / "pyproject.toml"] if "ruff" in tool else ["--cache-dir", ROOT / ".mypy_cache"]
    what = [".", "--ignore=S101,INP001"] if "check" in tool.split() else ["src" if "mypy" in tool else "."]

    done = subprocess.run(  # noqa: S603 - our own tools
        [sys.executable, "-m", *tool.split(), *ours, *what],
        cwd=here / "connector-acme",
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout + done.stderr if done.returncode else "") == (0, "")


# -- installed ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> FreshPython:
    """Make an environment of its own, with this core and a new plugin installed by pip."""
    made = fresh_python(tmp_path_factory.mktemp("fresh") / "venv")
    made.run("connector", "new-plugin", "acme", cwd=made.folder)
    made.run("pip", "install", "--quiet", "./connector-acme", cwd=made.folder)
    return made


@pytest.fixture
def plugin(fresh: FreshPython) -> Iterator[Path]:
    """Give the new plugin's folder, and leave it as it was."""
    folder = fresh.folder / "connector-acme"
    kept = shutil.copytree(folder, fresh.folder / "kept")
    yield folder
    shutil.rmtree(folder)
    kept.rename(folder)


def found(fresh: FreshPython) -> list[dict[str, object]]:
    """List the plugins named acme."""
    lines = fresh.run("connector", "plugins", "--json", cwd=fresh.folder).stdout.splitlines()
    return [told for line in lines if (told := json.loads(line))["name"] == "acme"]


def test_a_new_plugin_is_found(fresh: FreshPython) -> None:
    """Once pip has installed it, the connector lists it as usable."""
    (told,) = found(fresh)

    assert (told["distribution"], told["version"], told["usable"]) == ("connector-acme", "0.1.0", True)


def test_a_new_plugin_installs_with_uv(fresh: FreshPython) -> None:
    """What pip installs, uv installs too."""
    if shutil.which("uv") is None:
        pytest.skip("uv is not on the path")
    options = ["--python", fresh.python, "--offline", "--no-deps", "--no-build-isolation", "--reinstall"]
    fresh.run("uv", "pip", "install", *options, "./connector-acme", cwd=fresh.folder)

    assert [told["usable"] for told in found(fresh)] == [True]


def test_what_is_left_to_record_is_red(fresh: FreshPython, plugin: Path) -> None:
    """Untouched, every clause is red, and says which cassette it has not."""
    done = fresh.run("pytest", "-q", "--contract-report", "report.json", cwd=plugin, status=1)

    lines = json.loads((plugin / "report.json").read_text(encoding="utf-8"))
    assert {line["clause"]: line["status"] for line in lines} == dict.fromkeys(CLAUSES, "failed")
    assert "C-EMAIL-1 has no cassette" in done.stdout


def test_a_hook_that_is_not_written_says_so(fresh: FreshPython, plugin: Path) -> None:
    """With an account to ask, the clauses on a hook name the hook that is not written."""
    (plugin / "tests" / "recording.py").write_text(LOCAL_ACCOUNT, encoding="utf-8")

    shown = fresh.run("pytest", "-q", "--contract-live", "--tb=line", cwd=plugin, status=1).stdout

    for operation in sorted(CLAUSES["C-MANNERS-1"].operations):
        message = ContractError("acme", operation, "not written yet; its place is adapter.py")
        assert re.search(rf"acme breaks C-\w+-1: .*\n?.*{re.escape(str(message))}", shown), shown
    assert "breaks C-EMAIL-1: " in shown


def test_what_the_manifest_does_not_declare_is_proved_refused(fresh: FreshPython, plugin: Path) -> None:
    """Of a new plugin, clauses on leads, users and filling fields hold already: they are refused, and nothing is sent."""
    (plugin / "tests" / "recording.py").write_text(LOCAL_ACCOUNT, encoding="utf-8")

    fresh.run("pytest", "-q", "--contract-live", "--contract-report", "report.json", cwd=plugin, status=1)

    lines = json.loads((plugin / "report.json").read_text(encoding="utf-8"))
    refused = {line["clause"].rpartition("-")[0] for line in lines if line["status"] == "refused"}
    assert {"C-LEAD", "C-USER", "C-FIELD"} <= refused
