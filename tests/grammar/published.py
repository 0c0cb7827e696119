"""What a service published of its language, as the registry of npm carries it: fetched when a test wants it."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 30.0
_FOLDER_OF_A_TARBALL = "package"


class CannotFetchError(Exception):
    """A package cannot be had; the message says why."""


@dataclass(frozen=True, slots=True)
class Package:
    """A version of a package, and the SHA-512 of its tarball in base 64: of nothing else is anything read or run."""

    name: str
    version: str
    sha512: str

    def is_in(self, content: bytes) -> bool:
        """Whether this is its tarball."""
        return base64.b64encode(hashlib.sha512(content).digest()).decode() == self.sha512

    def kept_in(self, cache: Path) -> Path:
        """Where a cache keeps its tarball."""
        return cache / f"{self.name.replace('/', '-').removeprefix('@')}-{self.version}.tgz"


def fetch(packages: list[Package], cache: Path) -> None:
    """Have packages in a cache, by the npm of this machine and as it is configured, without running anything of theirs.

    :raises CannotFetchError: There is no npm, or it does not have them in half a minute.
    """
    missing = [it for it in packages if not (kept := it.kept_in(cache)).is_file() or not it.is_in(kept.read_bytes())]
    if not missing:
        return
    npm = shutil.which("npm")
    if npm is None:
        raise CannotFetchError("there is no npm")
    names = [f"{it.name}@{it.version}" for it in missing]
    command = [npm, "pack", "--ignore-scripts", "--prefer-offline", "--fetch-retries=0", *names]
    with tempfile.TemporaryDirectory() as folder:
        try:
            subprocess.run(  # noqa: S603 - the names are ours
                command,
                cwd=folder,
                check=True,
                timeout=_SECONDS,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # a pipe could be held open by what outlives the time-out
                stderr=subprocess.DEVNULL,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise CannotFetchError(f"npm cannot fetch {', '.join(names)}") from error
        found = [path.read_bytes() for path in Path(folder).glob("*.tgz")]
        for package in missing:
            content = next((each for each in found if package.is_in(each)), None)
            if content is None:
                raise CannotFetchError(f"npm fetched another {package.name} {package.version} than is known")
            part = cache / f"{os.getpid()}.part"  # another process may fetch the same
            part.write_bytes(content)
            part.replace(package.kept_in(cache))


def read(package: Package, cache: Path, name: str) -> bytes:
    """Read a file of a package that was fetched.

    :raises KeyError: It has none of that name.
    """
    with tarfile.open(package.kept_in(cache)) as tarball:
        member = tarball.extractfile(f"{_FOLDER_OF_A_TARBALL}/{name}")
        if member is None:
            raise KeyError(name)
        return member.read()


def install(package: Package, cache: Path, modules: Path) -> None:
    """Unpack a package that was fetched where node looks for it."""
    place = modules / package.name
    place.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(package.kept_in(cache)) as tarball:
        tarball.extractall(modules / "unpacked", filter="data")
    (modules / "unpacked" / _FOLDER_OF_A_TARBALL).rename(place)
