"""``connector new-plugin``: writes the distribution of a new CRM plugin, with the contract kit in its tests."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from string import Template

from connector_core import discovery
from connector_core.cli.output import DONE, say, say_json
from connector_core.errors import InputError
from connector_core.hookspecs import HOOK_API

FILES: Mapping[str, str | None] = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "src/$package/__init__.py": "manifest.py",
    "src/$package/settings.py": "settings.py",
    "src/$package/adapter.py": "adapter.py",
    "src/$package/py.typed": None,
    "tests/test_${module}_contract.py": "contract.py",
    "tests/recording.py": "recording.py",
}
"""What is written, and the template that it is made of; None for an empty file."""

LONGEST_NAME = 60

_TEMPLATES = Path(__file__).with_name("templates")
_NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a plugin, all made of the one that its users write in a configuration."""

    name: str

    @property
    def distribution(self) -> str:
        """What pip calls it, in normal form (packaging.python.org, Name normalization)."""
        return f"connector-{self.name.replace('_', '-')}"

    @property
    def module(self) -> str:
        """Its name as a part of identifiers."""
        return self.name.replace("-", "_")

    def all(self) -> dict[str, str]:
        """Give what the templates are filled with."""
        words = self.module.split("_")
        return {
            "name": self.name,
            "title": " ".join(word.capitalize() for word in words),
            "distribution": self.distribution,
            "module": self.module,
            "package": f"connector_{self.module}",
            "constant": self.module.upper(),
            "prefix": "".join(word.capitalize() for word in words),
            "hook_api": str(HOOK_API),
            "core_versions": _core_versions(),
        }


def run(arguments: Namespace) -> int:
    """Write the distribution.

    :raises InputError: The name cannot be one, or is taken; a file is there already, or cannot be written.
    """
    names = Names(_checked(arguments.name))
    _check_free(names)
    folder: Path = arguments.into or Path(names.distribution)
    files = rendered(names)
    _write(folder, files)
    if arguments.json:
        found = {"name": names.name, "distribution": names.distribution, "folder": str(folder)}
        say_json({**found, "files": [str(folder / path) for path in files]})
        return DONE
    for path in files:
        say(str(folder / path))
    say()
    say(
        f"Next: pip install -e {folder}, then pytest in it. Each red clause is something left to do; README.md says how."
    )
    return DONE


def rendered(names: Names) -> dict[str, str]:
    """Render every file of a distribution, by its path in it."""
    values = names.all()
    return {
        Template(path).substitute(values): Template(_template(source)).substitute(values)
        for path, source in FILES.items()
    }


def _template(source: str | None) -> str:
    return (_TEMPLATES / f"{source}.template").read_text(encoding="utf-8") if source else ""


def _core_versions() -> str:
    """Allow the versions of the core that keep their interface: those with the same first two numbers."""
    major, minor = metadata.version("connector-core").split(".")[:2]
    return f">={major}.{minor},<{major}.{int(minor) + 1}"


def _checked(name: str) -> str:
    if _NAME.fullmatch(name) and len(name) <= LONGEST_NAME:
        return name
    near = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_0123456789")[:LONGEST_NAME].rstrip("_")
    offer = f"; did you mean {near}?" if _NAME.fullmatch(near) else ""
    raise InputError(
        f"{name!r} cannot be a plugin's name: wanted lower-case letters, digits and single _ or -, beginning with a letter,"
        f" {LONGEST_NAME} characters at most, like acme or acme_crm{offer}"
    )


def _check_free(names: Names) -> None:
    taken = discovery.crms().get(names.name)
    if taken is not None:
        raise InputError(f"{names.name} is a CRM that is installed already ({taken.distribution}): choose another name")
    try:
        version = metadata.version(names.distribution)
    except metadata.PackageNotFoundError:
        return
    raise InputError(f"{names.distribution} is installed already ({version}): choose another name")


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """Write all files, or none: what is there already is somebody's work."""
    there = [str(folder / path) for path in files if (folder / path).exists()]
    if there:
        raise InputError(f"{', '.join(there)}: there already, and never overwritten; nothing was written")
    try:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            with (folder / path).open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except OSError as error:
        raise InputError(f"{error.filename or folder}: cannot be written: {error.strerror}") from error
