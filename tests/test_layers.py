"""Imports point one way, each module is one idea, and only one place calls hooks."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "connector_core"
PLUGINS = sorted((ROOT / "plugins").glob("*/src/*/"))
MOST_LINES = 350

LAYERS = (
    "addresses characters errors meter outside remembered strict_json validation",
    "identity model pace references tokens",
    "association writing filling policy hookspecs manifest ledger.database ledger.schema ledger.vault",
    "traps answers crms providers reports",
    "asking calls checking extractors template_file",
    "discovery",
    "connection",
    "binding doctor",
    "extraction sources",
    "config lookup",
    "config_file",
    "work",
    "sync ledger",
    "doubt feed fetching filler noting receiving upkeep",
    "pump",
    "filler",
    "backfill settling desk fill_desk fill_report template_desk engines",
    "web",
    "testing",
    "_pytest_plugin",
    "cli",
)
"""The core's modules and packages, the lowest first: each imports only from below, and what is in its own package.

Binding stands above the connection, because it makes one; nothing that uses a connection needs to know how it is made.
"""

PURE = {"association", "writing", "filling"}
"""Packages that decide and render: no I/O, no clock, no randomness, and none of the core but these."""
PURE_MAY_IMPORT = {"characters", "model", "identity", "errors", "outside"}
IMPURE = re.compile(
    r"^(asyncio|http|io|logging|os|pathlib|random|secrets|shutil|socket|sqlite3|subprocess|tempfile|threading|time|uuid"
    r"|urllib\.request)(\.|$)"
)
IMPURE_CALLS = {"now", "utcnow", "today", "open", "print", "input"}

PLUGINS_MAY_IMPORT = {
    "addresses",
    "characters",
    "hookspecs",
    "manifest",
    "meter",
    "model",
    "identity",
    "errors",
    "policy",
    "providers",
    "tokens",
}
SANDBOXES_MAY_IMPORT = PLUGINS_MAY_IMPORT | {"testing", "crms.world"}


NEEDS_TESTING = ("testing.cassettes", "testing.contract", "testing.providers", "_pytest_plugin")
"""What is used with the extra ``testing`` alone."""
NEEDS_POSTGRES = ("engines.procrastinate",)
"""What is used with the extra ``postgres`` alone; the ledger's database reaches its driver through SQLAlchemy."""
NEEDS_PROVIDERS = ("providers.transport",)
"""What is used with the extra ``providers`` alone."""
NEEDS_WEB = ("web", "cli.serve")
"""What is used with the extra ``web`` alone."""
PACKAGES = {"MarkupSafe": "markupsafe", "PyYAML": "yaml", "SQLAlchemy": "sqlalchemy", "vcrpy": "vcr"}
"""What a distribution is imported as, where that is not its name."""


def modules(*folders: Path) -> list[Path]:
    """Find the Python files below these folders."""
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def extras(path: Path) -> list[str]:
    """Name the extras whose packages a module may import."""
    needing = {"testing": NEEDS_TESTING, "postgres": NEEDS_POSTGRES, "providers": NEEDS_PROVIDERS, "web": NEEDS_WEB}
    return [extra for extra, entries in needing.items() if any(covers(entry, name_of(path)) for entry in entries)]


def shown(path: Path) -> str:
    """Name a file in the report of a test."""
    return path.relative_to(ROOT).as_posix()


def name_of(path: Path) -> str:
    """Name a module of the core as it is written after ``connector_core.``; the package itself is empty."""
    return ".".join(path.relative_to(CORE).with_suffix("").parts).removesuffix("__init__").removesuffix(".")


@cache
def tree(path: Path) -> ast.Module:
    """Parse a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    """Give what a file imports when it runs, in functions too: ``package.module``, or ``package.module.Name``."""
    return _imports(tree(path))


def _imports(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are absolute"
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        yield from _imports(child)


def core_imports(path: Path) -> set[str]:
    """Give the core's modules that a file imports, as :func:`name_of` names them."""
    known = {name_of(module) for module in modules(CORE)}
    return {_module(name.removeprefix("connector_core."), known) for name in imports(path) if _of_core(name)}


def _of_core(name: str) -> bool:
    return name.split(".")[0] == "connector_core"


def _module(name: str, known: set[str]) -> str:
    return name if name in known else name.rpartition(".")[0]


def layer(name: str) -> int:
    """Find a module's place by the longest name that covers it."""
    places = {entry: place for place, entries in enumerate(LAYERS) for entry in entries.split()}
    covering = [entry for entry in places if covers(entry, name)]
    assert covering, f"{name} has no place in LAYERS: put it there"
    return places[max(covering, key=len)]


def covers(entry: str, name: str) -> bool:
    """Tell whether a module is the named one, or stands below it."""
    return name == entry or name.startswith(f"{entry}.")


def third_party(path: Path) -> set[str]:
    """Give the distributions' top-level packages that a file imports, those of Python left out."""
    return {top for name in imports(path) if (top := name.split(".")[0]) not in sys.stdlib_module_names}


@pytest.mark.parametrize("path", modules(CORE), ids=shown)
def test_core_imports_point_down(path: Path) -> None:
    """A module of the core imports only from the layers below its own, and from its own package."""
    name = name_of(path)
    if not name:
        pytest.skip("the contents page imports each name when it is first used")

    package = name.split(".")[0]
    upward = {
        other
        for other in core_imports(path)
        if layer(other) >= layer(name) and not (covers(package, other) and layer(other) == layer(name))
    }

    assert upward == set()


@pytest.mark.parametrize("path", modules(*(CORE / package for package in sorted(PURE))), ids=shown)
def test_deciding_and_rendering_import_nothing_impure(path: Path) -> None:
    """Association and writing know values alone: no I/O, no clock, no randomness, nothing of a CRM."""
    allowed = PURE_MAY_IMPORT | {name_of(path).split(".")[0]}
    foreign = {name for name in core_imports(path) if not any(covers(entry, name) for entry in allowed)}

    assert foreign | {name for name in imports(path) if IMPURE.match(name)} == set()


@pytest.mark.parametrize("path", modules(*(CORE / package for package in sorted(PURE))), ids=shown)
def test_deciding_and_rendering_ask_no_clock(path: Path) -> None:
    """Nothing in association and writing asks what time it is, or opens or prints anything."""
    calls = {
        called.attr if isinstance(called, ast.Attribute) else called.id
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(called := node.func, ast.Attribute | ast.Name)
    }

    assert calls & IMPURE_CALLS == set()


@pytest.mark.parametrize("path", modules(CORE), ids=shown)
def test_core_imports_no_plugin_and_no_sdk(path: Path) -> None:
    """The core imports what its distribution depends on, and nothing else."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(dependency for extra in extras(path) for dependency in optional[extra])]
    declared = {re.split(r"[<>=!~\[; ]", dependency)[0] for dependency in wanted}
    packages = {PACKAGES.get(name, name) for name in declared}

    assert third_party(path) <= packages | {"connector_core", "pydantic_core"}


@pytest.mark.parametrize("path", modules(*PLUGINS), ids=shown)
def test_a_plugin_imports_little_of_the_core(path: Path) -> None:
    """A plugin imports the contract and its errors; its sandbox also what sandboxes are made of."""
    allowed = SANDBOXES_MAY_IMPORT if "sandbox" in path.as_posix() else PLUGINS_MAY_IMPORT

    foreign = {name for name in core_imports(path) if not any(covers(entry, name) for entry in allowed)}

    assert foreign == set()


@pytest.mark.parametrize("path", modules(*PLUGINS), ids=shown)
def test_a_plugin_imports_no_other_plugin(path: Path) -> None:
    """Of all plugins, one imports only itself."""
    (own,) = (plugin.name for plugin in PLUGINS if plugin in path.parents)
    plugins = {plugin.name for plugin in PLUGINS}

    assert third_party(path) & plugins <= {own}


@pytest.mark.parametrize("path", modules(CORE, *PLUGINS), ids=shown)
def test_no_module_is_a_drawer_for_anything(path: Path) -> None:
    """A module is named after its idea: none is called utils, helpers or common."""
    assert not {"util", "utils", "helper", "helpers", "common", "misc"} & set(path.with_suffix("").parts)


@pytest.mark.parametrize("path", modules(CORE, *PLUGINS), ids=shown)
def test_a_module_fits_in_the_head(path: Path) -> None:
    """No module is longer than the house allows."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_hooks_are_called_in_one_place_for_each_kind_of_plugin() -> None:
    """Only the connection calls the hooks of CRMs, and only their binding those of call providers and of extractors."""
    callers = {
        shown(path)
        for path in modules(CORE, *PLUGINS)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "hook"
    }

    bindings = {f"connector_core/{kind}/binding.py" for kind in ("providers", "extractors")}
    assert callers == {"connector_core/connection.py", *bindings}


def test_plugin_managers_are_built_in_one_place_for_each_kind_of_plugin() -> None:
    """No other module makes a plugin manager, so that none is shared between connections."""
    builders = {
        shown(path)
        for path in modules(CORE, *PLUGINS)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("PluginManager")
    }

    bindings = {f"connector_core/{kind}/binding.py" for kind in ("providers", "extractors")}
    assert builders == {"connector_core/binding.py", *bindings}
