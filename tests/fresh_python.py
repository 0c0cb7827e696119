"""A virtual environment of its own, in which distributions are installed as anybody would, without a package index."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class FreshPython:
    """The folder of the environment; what this project needs besides is seen in the one that runs the tests."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def run(self, *command: str | Path, cwd: Path, status: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run a command with the environment's programs first on the path, and expect an exit status."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "PYTEST_"))},
            "PATH": os.pathsep.join([str(self.folder / "bin"), os.environ["PATH"]]),
            "VIRTUAL_ENV": str(self.folder),
            "PYTHONUTF8": "1",
            "COLUMNS": "400",
            "PIP_NO_INDEX": "1",
            "PIP_NO_BUILD_ISOLATION": "0",  # pip reads it the other way round: what builds is here already
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_ROOT_USER_ACTION": "ignore",
        }
        program, *arguments = map(str, command)
        found = self.folder / "bin" / program
        called = (
            [str(self.python), "-m", "pytest"] if program == "pytest" else [str(found) if found.exists() else program]
        )
        done = subprocess.run(  # noqa: S603 - our own commands
            [*called, *arguments],
            cwd=cwd,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        if status is not None:
            assert done.returncode == status, f"{command}\n{done.stdout}\n{done.stderr}"
        return done


def fresh_python(folder: Path) -> FreshPython:
    """Make an environment with pip and this core, built and installed; its dependencies are those of the tests."""
    venv.create(folder, with_pip=True, symlinks=True)
    made = FreshPython(folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    seen = sysconfig.get_path("purelib", vars={"base": sys.prefix, "platbase": sys.prefix})
    (packages / "seen.pth").write_text(f"import site; site.addsitedir({seen!r})\n", encoding="utf-8")
    made.run("pip", "install", "--quiet", "--no-deps", ROOT, cwd=folder)
    return made
